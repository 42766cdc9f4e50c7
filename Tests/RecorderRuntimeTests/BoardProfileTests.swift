import Configuration
import Core
import Foundation
import RecorderRuntime
import Testing

@Suite("Board profiles")
struct BoardProfileTests {
  private static let boards = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "boards")

  private static var profiles: [(name: String, text: String)] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: boards.path()).filter { $0.hasSuffix(".toml") }.sorted().map {
        ($0, try String(contentsOf: boards.appending(path: $0), encoding: .utf8))
      }
    }
  }

  private static func lines(_ text: String, _ start: String) -> [Substring] {
    text.split(separator: "\n").filter { $0.hasPrefix(start) }.map { $0.dropFirst(start.count) }
  }

  @Test("the boards that the README names have one each")
  func names() throws {
    let names = Set(try Self.profiles.map { $0.name })
    let wanted: Set = [
      "raspberry-pi-4.toml", "raspberry-pi-5.toml", "raspberry-pi-zero-2-w.toml", "rock-5b.toml", "beagleplay.toml",
      "lab-webcam.toml",
    ]
    #expect(names.isSuperset(of: wanted))
  }

  @Test("each is a whole configuration: its values fit together, and each place is written as a place is")
  func valid() throws {
    for (name, text) in try Self.profiles {
      let loaded = try #require(
        try? LoadedConfiguration.load([.boardProfile(name: name, text: text)]), "\(name) does not load")
      #expect(loaded.values.placeProblems.isEmpty, "\(name): \(loaded.values.placeProblems)")
      #expect(loaded.values.camera.source == .v4l2, "\(name) has no camera")
    }
  }

  @Test("each says its wiring, and what of it is verified, documented and untested")
  func statements() throws {
    for (name, text) in try Self.profiles {
      for word in ["# wiring ", "# record button ", "# Verified", "ntested: "] {
        #expect(text.contains(word), "\(name) does not say: \(word)")
      }
      // What is written of a board that nobody here has is from somewhere.
      if !Self.lines(text, "# model: ").isEmpty { #expect(text.contains("# From documentation: "), "\(name)") }
    }
  }

  @Test("each line of the wiring that is used is written down in it, and no line is used twice")
  func wiring() throws {
    for (name, text) in try Self.profiles {
      let values = try LoadedConfiguration.load([.boardProfile(name: name, text: text)]).values
      let indicators = values.indicators
      let places = [
        values.buttons.record, values.buttons.second, indicators[.red], indicators[.green], indicators[.blue],
        indicators[.tone], indicators[.vibration],
      ].filter { $0.hasPrefix("gpio:") }
      #expect(Set(places).count == places.count, "\(name): \(places)")
      let comments = text.split(separator: "\n").filter { $0.hasPrefix("#") }.joined(separator: " \n")
      for place in places {
        let line = String(place.split(separator: ":").last ?? "")
        let words = ["GPIO\(line) ", "line \(line) ", "\(line) "]
        let isWritten = words.contains { comments.contains($0) }
        #expect(isWritten, "\(name): \(place)")
      }
    }
  }

  @Test("no two are for the same model, so that the installation finds the one that is meant")
  func models() throws {
    let models = try Self.profiles.flatMap { Self.lines($0.text, "# model: ") }
    #expect(models.count >= 5)
    for (index, model) in models.enumerated() {
      for other in models[(index + 1)...] { #expect(!model.hasPrefix(other) && !other.hasPrefix(model)) }
    }
  }
}
