import Foundation
import Media
import Testing

@testable import Configuration

@Suite("What the configuration looks like from outside")
struct ConfigurationListingTests {
  private func loaded() throws -> LoadedConfiguration {
    try LoadedConfiguration.load([
      .boardProfile(name: "board \"x\".toml", text: "\nvideo.threads = 2"),
      .commandLine(["camera.device=say \"hi\"", "recording.pre_event_s=0"]),
    ])
  }

  @Test("The table has a line for every key with value, unit and origin")
  func table() throws {
    let lines = ConfigurationListing(try loaded()).table.split(separator: "\n")
    #expect(lines.count == ConfigurationSchema.keys.count + 1)
    let cells = lines.map { $0.split(separator: #/ {2,}/#).map(String.init) }
    #expect(cells.first == ["KEY", "VALUE", "UNIT", "ORIGIN"])
    #expect(cells.contains(["recording.pre_event_s", "0", "s", "command line"]))
    #expect(cells.contains(["video.threads", "2", "threads", "board \"x\".toml:2"]))
    #expect(cells.contains(["log.level", "\"info\"", "built-in"]))
  }

  @Test("The JSON form parses and says the same")
  func json() throws {
    let listing = ConfigurationListing(try loaded())
    let parsed = try JSONSerialization.jsonObject(with: Data(listing.json.utf8)) as? [[String: Any]]
    let objects = try #require(parsed)
    #expect(objects.compactMap { $0["key"] as? String } == ConfigurationSchema.keys.map(\.path))
    let device = try #require(objects.first { $0["key"] as? String == "camera.device" })
    #expect(device["value"] as? String == "say \"hi\"")
    #expect(device["layer"] as? String == "command-line" && device["line"] is NSNull && device["unit"] is NSNull)
    let threads = try #require(objects.first { $0["key"] as? String == "video.threads" })
    #expect(threads["value"] as? Int == 2 && threads["unit"] as? String == "threads")
    #expect(threads["layer"] as? String == "board" && threads["name"] as? String == "board \"x\".toml")
    #expect(threads["line"] as? Int == 2)
  }

  @Test("The canonical text loads as the same values, holds every key once, and ignores where values come from")
  func canonical() throws {
    let values = try loaded().values
    let text = values.canonicalText
    #expect(try LoadedConfiguration.load([.file(name: "c", text: text)]).values == values)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.count == ConfigurationSchema.keys.count && lines == lines.sorted())
    let same = try LoadedConfiguration.load([
      .file(name: "other", text: "[camera]\ndevice = 'say \"hi\"'\n[video]\nthreads = 0x2\n[recording]\npre_event_s=0")
    ])
    #expect(same.values.canonicalText == text)
  }

  @Test("Canonical text of the built-in values is pinned: a change of a default is a change of the hash")
  func pinned() {
    #expect(RecorderConfiguration().canonicalText.hasPrefix("audio.bitrate_kbps = 32\naudio.offset_ms = 0\nbuttons."))
    var other = RecorderConfiguration()
    other.recording.preEvent = .seconds(29)
    #expect(other.canonicalText != RecorderConfiguration().canonicalText)
  }

  @Test("Quoting is understood by TOML and by JSON alike")
  func quoting() throws {
    let text = "tab\t quote\" back\\ nl\n esc\u{1b} del\u{7f} ü 日 \u{2028}"
    let json = try JSONSerialization.jsonObject(with: Data("[\(text.quoted)]".utf8)) as? [String]
    #expect(json == [text])
    #expect(text.quoted.unicodeScalars.filter(\.isControl).isEmpty)
  }
}
