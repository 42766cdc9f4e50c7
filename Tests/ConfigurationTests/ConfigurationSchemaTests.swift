import Foundation
import Testing

@testable import Configuration

@Suite("Every key of the configuration")
struct ConfigurationSchemaTests {
  private static let keys = ConfigurationSchema.keys

  /// A file that sets one key and nothing else.
  private func values(_ key: ConfigurationKey, _ value: ConfigurationValue) throws -> RecorderConfiguration {
    var problems: [ConfigurationProblem] = []
    let layer = ConfigurationLayer.file(name: "f", text: "\(key.path) = \(value.literal)\n")
    var values = RecorderConfiguration()
    for setting in layer.settings(problems: &problems) { setting.key.write(&values, setting.value) }
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    return values
  }

  @Test("Names are unique, sections are not torn apart, and meanings are one sentence")
  func table() {
    #expect(Set(Self.keys.map(\.path)).count == Self.keys.count)
    #expect(Set(ConfigurationSchema.sections).count == ConfigurationSchema.sections.count)
    for key in Self.keys {
      #expect(!key.section.isEmpty && !key.name.isEmpty)
      #expect(key.meaning.hasSuffix(".") && !key.meaning.contains("\n"), "\(key.path)")
    }
  }

  @Test("Every default is allowed")
  func defaults() {
    for key in Self.keys { #expect(key.refusal(of: key.defaultValue) == nil, "\(key.path)") }
  }

  @Test("Every key reaches a setting of its own: both ends of a range, every choice, both booleans, other text")
  func everyValue() throws {
    var changed: Set<RecorderConfiguration> = [RecorderConfiguration()]
    for key in Self.keys {
      let samples: [ConfigurationValue] =
        switch key.allowed {
        case .boolean: [.boolean(false), .boolean(true)]
        case .integer(let range, _): [.integer(range.lowerBound), .integer(range.upperBound)]
        case .choice(let names): names.map(ConfigurationValue.text)
        case .text: [.text("a \"b\" \\ ü")]
        case .path: [.text("/x/\(key.path)")]
        }
      for sample in samples {
        let values = try values(key, sample)
        #expect(key.read(values) == sample, "\(key.path)")
        if sample != key.defaultValue { #expect(changed.insert(values).inserted, "\(key.path) \(sample)") }
      }
      if case .integer(let range, let step) = key.allowed {
        #expect(throws: ConfigurationError.self) { try self.values(key, .integer(range.lowerBound - step)) }
        #expect(throws: ConfigurationError.self) { try self.values(key, .integer(range.upperBound + step)) }
      }
    }
  }

  @Test("The checked-in configuration file is the one that the table describes")
  func documentedFile() throws {
    let checkedIn = try String(contentsOf: Self.root.appending(path: "config/lapel.toml"), encoding: .utf8)
    #expect(checkedIn == ConfigurationSchema.documentedFile, "write it anew: lapel config default > config/lapel.toml")
  }

  @Test("The documented file, its settings taken out of their comments, sets every key to its default")
  func documentedDefaults() throws {
    let text = ConfigurationSchema.documentedFile.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.contains(#/^\# [a-z0-9_]+ = /#) ? $0.dropFirst(2) : $0
    }.joined(separator: "\n")
    let loaded = try LoadedConfiguration.load([.file(name: "lapel.toml", text: text)])
    #expect(loaded.values == RecorderConfiguration())
    for key in Self.keys { #expect(loaded.origin(of: key.path) != .builtIn, "\(key.path)") }
  }

  @Test("The board profiles in the repository load")
  func boardProfiles() throws {
    let boards = Self.root.appending(path: "boards")
    let names = try FileManager.default.subpathsOfDirectory(atPath: boards.path()).filter { $0.hasSuffix(".toml") }
    #expect(!names.isEmpty)
    for name in names {
      let text = try String(contentsOf: boards.appending(path: name), encoding: .utf8)
      #expect(throws: Never.self, "\(name)") { try LoadedConfiguration.load([.boardProfile(name: name, text: text)]) }
    }
  }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
}
