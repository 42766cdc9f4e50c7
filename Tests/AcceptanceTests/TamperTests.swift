import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("One changed byte", .serialized)
  struct TamperTests {
    @Test("One changed byte in journal, segments or device log: neither VERIFIED nor VERIFIED_ALONE")
    func changedByte() throws {
      let small = try SmallRecording.shared.get()
      let copy = "\(small.rig.directory)/copy"
      try succeed(["cp", "-r", small.rig.store, copy])
      let name = try #require(small.recording.split(separator: "/").last)
      let recording = "\(copy)/recordings/\(name)"
      #expect(try Dock.verify(copy).code == 0)

      let log = try #require(try FileManager.default.contentsOfDirectory(atPath: "\(copy)/device/log").first)
      var places = try Self.places("\(recording)/journal.log", [0, 0.25, 0.5, 0.75, 1])
      for index in 0..<small.segments.count {
        // The header's first byte, its stanza, chunks, and the terminator's last byte.
        places += try Self.places("\(recording)/000\(index).mp4.age", [0, 0.000_2, 0.5, 0.99, 1])
      }
      for place in places {
        try Self.changing(place) {
          try expectNotVerified(try Dock.verify(copy), place)
          try expectNotVerified(try Dock.verify(recording), place)
        }
      }
      for place in try Self.places("\(copy)/device/log/\(log)", [0, 0.25, 0.5, 0.75, 0.95, 1]) {
        try Self.changing(place) {
          try expectNotVerified(try Dock.verify(copy), place)
          try expectNotVerified(try Dock.verify(recording, "--device-log", "\(copy)/device/log"), place)
        }
      }
      #expect(try Dock.verify(copy).code == 0, "every byte was put back")
    }

    private struct Place {
      var file: String
      var offset: Int
    }

    /// Bytes at these shares of a file's length.
    private static func places(_ file: String, _ shares: [Double]) throws -> [Place] {
      let size = try Data(contentsOf: URL(filePath: file)).count
      return shares.map { Place(file: file, offset: min(size - 1, Int(Double(size) * $0))) }
    }

    /// Runs `body` while one bit of the file is another.
    private static func changing(_ place: Place, _ body: () throws -> Void) throws {
      let file = try FileHandle(forUpdating: URL(filePath: place.file))
      defer { try? file.close() }
      try file.seek(toOffset: UInt64(place.offset))
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: UInt64(place.offset))
      try file.write(contentsOf: [byte ^ 1])
      try body()
      try file.seek(toOffset: UInt64(place.offset))
      try file.write(contentsOf: [byte])
    }

    private func expectNotVerified(_ result: (code: Int32, verdicts: [Dock.Verdict]), _ place: Place) throws {
      let name = place.file.split(separator: "/").last ?? ""
      #expect(
        result.code != 0 && result.code != 10, "byte \(place.offset) of \(name): \(result.verdicts.map(\.sentence))")
      #expect(
        result.verdicts.allSatisfy { $0.headline != "VERIFIED" && $0.headline != "VERIFIED_ALONE" },
        "byte \(place.offset) of \(name)")
    }
  }
}
