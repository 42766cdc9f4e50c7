import Foundation
import Testing

@testable import Control

@Suite struct RecorderStatusTests {
  private var full: RecorderStatus {
    var status = RecorderStatus(
      state: .atRisk, startedWallMilliseconds: 1_772_366_400_999, uptimeMilliseconds: 3_725_000, version: "0.1.0",
      formatVersion: 1)
    status.reason = "the card does not answer"
    status.recording = .init(id: "01J9-abc", counter: 42, milliseconds: 65_400)
    status.ring = .init(
      heldMilliseconds: 30_250, askedMilliseconds: 30_000, usedBytes: 6_120_000, capacityBytes: 12_000_000)
    status.video = .init(
      source: "/dev/video0 \"UVC\" YUYV 640x360", encoder: "libx264 superfast", millihertz: 29_970,
      framesCaptured: 1_000,
      framesDropped: 2, framesRefused: 1, queued: 1, queueCapacity: 3)
    status.audio = .init(source: "hw:1,0 48000 Hz", samplesLost: 480)
    status.store = .init(path: "/media/card\n", fileSystem: "ext4", freeBytes: 12_345_678_901, minutesLeft: 410)
    status.lagMilliseconds = 2_340
    status.checkpointAgeMilliseconds = 2_050
    status.interrupted = [
      .init(
        id: "ab", counter: 41, segments: 3, attestedMilliseconds: 161_250,
        words: "found interrupted recording 41: 3 segments, attested to 0:02:41, recovered")
    ]
    status.isMuted = true
    status.check = .init(number: 2, result: .passed, parts: [.init(.card, .warning, "slow")])
    status.triggers = [
      .init(kind: "button", place: "gpio:chip:record", state: .deaf, reason: "it is gone"),
      .init(kind: "radio", place: "hci0", state: .listening),
    ]
    status.power = .init(level: .low, percent: 17, source: .battery, minutesLeft: 42, isFailing: true)
    status.isStealth = true
    status.warnings = ["the clock is not synchronised"]
    return status
  }

  private var sparse: RecorderStatus {
    RecorderStatus(
      state: .starting, startedWallMilliseconds: 0, uptimeMilliseconds: 0, version: "0.1.0", formatVersion: 1)
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("the JSON has every value under its documented key")
  func json() throws {
    #expect(!full.json.contains("\n"))
    let root = try object(full.json)
    #expect(root["protocol"] as? Int == 1)
    #expect(root["state"] as? String == "at_risk")
    #expect(root["reason"] as? String == "the card does not answer")
    #expect(root["lag_ms"] as? Int == 2_340)
    #expect(root["checkpoint_age_ms"] as? Int == 2_050)
    #expect(root["warnings"] as? [String] == ["the clock is not synchronised"])
    #expect(root["stealth"] as? Bool == true)
    #expect(root["muted"] as? Bool == true)
    let check = try #require(root["check"] as? [String: Any])
    #expect(check["number"] as? Int == 2 && check["result"] as? String == "passed")
    let parts = try #require(check["parts"] as? [[String: String]])
    #expect(parts == [["name": "card", "state": "warning", "text": "slow"]])
    #expect(try object(sparse.json)["stealth"] as? Bool == false)
    let triggers = try #require(root["triggers"] as? [[String: Any]])
    #expect(triggers.map { $0["kind"] as? String } == ["button", "radio"])
    #expect(triggers.map { $0["place"] as? String } == ["gpio:chip:record", "hci0"])
    #expect(triggers.map { $0["state"] as? String } == ["deaf", "listening"])
    #expect(triggers.map { $0["reason"] as? String } == ["it is gone", nil])
    let interrupted = try #require((root["interrupted"] as? [[String: Any]])?.first)
    #expect(interrupted["id"] as? String == "ab" && interrupted["counter"] as? Int == 41)
    #expect(interrupted["segments"] as? Int == 3 && interrupted["attested_ms"] as? Int == 161_250)
    #expect(root["started"] as? String == "2026-03-01T12:00:00Z")
    #expect(root["uptime_ms"] as? Int == 3_725_000)
    #expect(root["version"] as? String == "0.1.0")
    #expect(root["format_version"] as? Int == 1)
    let recording = try #require(root["recording"] as? [String: Any])
    #expect(recording["id"] as? String == "01J9-abc")
    #expect(recording["counter"] as? Int == 42)
    #expect(recording["duration_ms"] as? Int == 65_400)
    let ring = try #require(root["ring"] as? [String: Int])
    #expect(
      ring == [
        "pre_event_held_ms": 30_250, "pre_event_asked_ms": 30_000, "used_bytes": 6_120_000,
        "capacity_bytes": 12_000_000,
      ])
    let video = try #require(root["video"] as? [String: Any])
    #expect(video["source"] as? String == "/dev/video0 \"UVC\" YUYV 640x360")
    #expect(video["encoder"] as? String == "libx264 superfast")
    #expect(video["fps"] as? Double == 29.97)
    #expect(video["frames_captured"] as? Int == 1_000)
    #expect(video["frames_dropped"] as? Int == 2)
    #expect(video["frames_refused"] as? Int == 1)
    #expect(video["queued"] as? Int == 1)
    #expect(video["queue_capacity"] as? Int == 3)
    let audio = try #require(root["audio"] as? [String: Any])
    #expect(audio["source"] as? String == "hw:1,0 48000 Hz")
    #expect(audio["samples_lost"] as? Int == 480)
    let store = try #require(root["store"] as? [String: Any])
    #expect(store["path"] as? String == "/media/card\n")
    #expect(store["file_system"] as? String == "ext4")
    #expect(store["free_bytes"] as? Int == 12_345_678_901)
    #expect(store["minutes_left"] as? Int == 410)
    let power = try #require(root["power"] as? [String: Any])
    #expect(power["level"] as? String == "low" && power["percent"] as? Int == 17)
    #expect(power["source"] as? String == "battery" && power["minutes_left"] as? Int == 42)
    #expect(power["failing"] as? Bool == true)
  }

  @Test("what is not known is null in JSON, under the same keys")
  func nulls() throws {
    let root = try object(sparse.json)
    #expect(Set(root.keys) == Set(try object(full.json).keys))
    for key in ["reason", "recording", "ring", "video", "audio", "store", "power", "lag_ms", "checkpoint_age_ms"] {
      #expect(root[key] is NSNull)
    }
  }

  @Test("any text survives JSON, and nothing in it reaches a terminal as a control character")
  func escaping() throws {
    var nasty = String(String.UnicodeScalarView((0...0x2FF).compactMap(Unicode.Scalar.init)))
    nasty += "\u{2028}\u{2029}\u{202E}\u{FFFF}\u{10FFFF}🎥\"\\/</script>"
    let text = JSONValue.object([(nasty, .string(nasty))]).text
    let root = try object(text)
    let (key, value) = try #require(root.first)
    #expect(Array(key.unicodeScalars) == Array(nasty.unicodeScalars))
    #expect(Array(try #require(value as? String).unicodeScalars) == Array(nasty.unicodeScalars))
    #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
  }

  @Test(
    "thousandths are exact numbers", arguments: [0, 1, -1, 999, 1_000, 29_970, -1_234_567, Int64.max, Int64.min])
  func thousandths(value: Int64) throws {
    let text = JSONValue.thousandths(value).text
    let number = try #require(Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")))
    #expect(number * 1_000 == Decimal(value))
    _ = try object("{\"x\":\(text)}")
  }

  @Test("the text says everything in words")
  func text() {
    #expect(
      full.textLines == [
        "State        at risk: the card does not answer",
        "Recording    1:05, number 42, 01J9-abc",
        "On the card  2.3 s behind, last checkpoint 2.1 s ago",
        "Pre-event    30.3 s held, 30.0 s asked for",
        "Memory       6.1 MB of 12.0 MB (51 %)",
        "Camera       /dev/video0 \"UVC\" YUYV 640x360",
        "Frames       29.97 fps, 1000 captured, 2 dropped, 1 refused",
        "Encoder      libx264 superfast, 1 of 3 frames waiting",
        "Microphone   hw:1,0 48000 Hz, 480 samples lost",
        "Card         12.3 GB free, 6 h 50 min of footage, ext4, /media/card\n",
        "Power        battery 17 %, low, 42 min left, failing",
        "Button       deaf, gpio:chip:record: it is gone",
        "Radio        listening, hci0",
        "Check        passed; card: slow",
        "Muted        no sound is recorded",
        "Stealth      lights, tones and vibration are silent",
        "At start     found interrupted recording 41: 3 segments, attested to 0:02:41, recovered",
        "Warning      the clock is not synchronised",
        "Running      62 min, since 2026-03-01T12:00:00Z",
        "Version      0.1.0, format 1",
      ])
    #expect(
      sparse.textLines == [
        "State        starting", "Running      0 min, since 1970-01-01T00:00:00Z", "Version      0.1.0, format 1",
      ])
  }

  @Test("the status line fits every width, keeps the state, and loses whole parts only")
  func line() {
    let whole =
      "at risk 1:05 | the card does not answer | muted | lag 2.3 s | pre-event 30/30 s, ring 51 % | 29.97 fps | drops 3 | "
      + "card 6 h 50 min | battery 17 % | audio lost 480 | button deaf | 1 warning"
    #expect(full.statusLine(width: 1_000) == whole)
    let parts = whole.components(separatedBy: " | ")
    for width in -1...whole.count {
      let line = full.statusLine(width: width)
      #expect(line.count <= max(0, width))
      if width >= parts[0].count {
        #expect(line.hasPrefix(parts[0]))
        for part in line.components(separatedBy: " | ") { #expect(parts.contains(part)) }
      }
    }
    #expect(sparse.statusLine(width: 80) == "starting")
  }
}

@Suite struct UnitsTests {
  @Test("times of day agree with Foundation across leap years, centuries and before 1970")
  func timestamps() {
    let formatter = ISO8601DateFormatter()
    var random = SplitMix(state: 3)
    var samples: [Int64] = [0, -1, 951_782_400, 4_107_542_400, -2_203_891_200, 1_709_164_800]
    for _ in 0..<500 { samples.append(Int64(random.next() % 8_000_000_000) - 3_000_000_000) }
    for seconds in samples {
      let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
      #expect(Units.timestamp(wallMilliseconds: seconds * 1_000) == expected)
      #expect(Units.timestamp(wallMilliseconds: seconds * 1_000 + 999) == expected)
    }
  }

  @Test("amounts read well and never overstate free space")
  func amounts() {
    #expect(
      [0, 999, 1_000, 1_999, 999_949, 999_999, 1_000_000, 12_399_999_999].map(Units.bytes) == [
        "0 B", "999 B", "1.0 kB", "1.9 kB", "999.9 kB", "999.9 kB", "1.0 MB", "12.3 GB",
      ])
    #expect(Units.bytes(.max) == "9.2 EB")
    #expect(Units.bytes(.min) == "-9.2 EB")
    #expect(
      [0, 49, 50, 149, 1_000, -50].map { Units.seconds(milliseconds: $0) } == [
        "0.0 s", "0.0 s", "0.1 s", "0.1 s", "1.0 s", "-0.1 s",
      ])
    #expect(
      [0, 7_900, 754_000, 3_723_000, -5].map { Units.clock(milliseconds: $0) } == [
        "0:00", "0:07", "12:34", "1:02:03", "0:00",
      ])
    #expect(
      [0, 119, 120, 2_879, 2_880, 10_000].map(Units.minutes) == [
        "0 min", "119 min", "2 h 0 min", "47 h 59 min", "2 d 0 h", "6 d 22 h",
      ])
    #expect(Units.percent(1, of: 0) == "0 %")
    #expect(Units.percent(999, of: 1_000) == "99 %")
  }
}
