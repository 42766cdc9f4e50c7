import Control
import Crypto
import Evidence
import Foundation
import Testing

@testable import Opening

extension ShortAcceptanceTests {
  /// What a thief of the camera finds in its memory and on its card: searched for in a dump of both, with the keys and the
  /// footage that the agency's identity gives.
  @Suite("Secrets", .serialized)
  struct SecretsTests {
    /// What the ring may hold before the trigger, and a GOP across its end.
    private static let horizonSeconds = 4.0

    @Test(
      "Keys and clear footage are in locked memory only, while they are needed; then nowhere in the process or on the card",
      .enabled(if: geteuid() == 0 || Machine.mustRunEverything, "reading another process's memory needs root"))
    func dump() throws {
      let rig = try Rig(
        """
        camera.width = 320
        camera.height = 180
        recording.pre_event_s = 2
        recording.edge_to_decision_s = 0
        recording.stall_reserve_s = 2
        recording.segment_s = 5
        """)
      try rig.startReady(preEvent: 2)
      let process = try #require(rig.recorder?.identifier)
      _ = try rig.command("start")
      try rig.record(seconds: 13)
      let recordingLength = try #require(try rig.status().recording).durationMs
      let during = try ProcessMemory(of: process)
      try rig.record(seconds: 15)
      try rig.stop()
      // Until the ring has let go of everything that was recorded.
      let closed = try rig.status().uptimeMs
      try rig.wait("the horizon to pass", seconds: 20) {
        $0.uptimeMs >= closed + Int(Self.horizonSeconds * 1_000) + 2_000
      }
      let after = try ProcessMemory(of: process)
      #expect(rig.finish() == 0)

      let recording = try rig.recordingPath()
      let keys = try Self.keys(of: recording, in: rig)
      let footage = try Self.footage(of: recording, in: rig)
      let moment = Double(recordingLength) / 1_000
      try #require(keys.count >= 3 && footage.count > 200)

      // While it records: the open segment's key is there, and all that is secret lies in locked memory.
      let secrets = keys.flatMap { [$0.file, $0.payload] }
      let open = keys[2].payload
      let held = during.places(of: secrets + footage.map(\.excerpt))
      #expect(held[open] != nil, "the search finds a key where there is one")
      #expect(held[open, default: []].allSatisfy { $0.flags.contains("lo") })
      for key in keys[..<2] { #expect(held[key.file] == nil && held[key.payload] == nil, "a closed segment's key") }
      let recent = footage.filter { (moment - 2...moment - 0.5).contains($0.seconds) }
      #expect(recent.count > 30)
      for packet in recent {
        let places = held[packet.excerpt, default: []]
        #expect(!places.isEmpty, "the search finds footage where there is some: \(packet.seconds) s")
        #expect(places.allSatisfy { $0.flags.isSuperset(of: ["lo", "dd"]) }, "\(places.map(\.name))")
      }
      for packet in footage where packet.seconds < moment - Self.horizonSeconds - 1 {
        #expect(held[packet.excerpt] == nil, "footage of \(packet.seconds) s at \(moment) s")
      }

      // After it: nothing of it, in the process and on the card.
      let left = after.places(of: secrets + footage.map(\.excerpt))
      for (index, key) in keys.enumerated() {
        #expect(left[key.file] == nil, "the file key of segment \(index)")
        #expect(left[key.payload] == nil, "the payload key of segment \(index)")
      }
      for packet in footage { #expect(left[packet.excerpt] == nil, "footage of \(packet.seconds) s") }
      let search = Search(secrets + footage.map(\.excerpt))
      for file in try Self.files(below: rig.store) + Self.files(below: "\(rig.directory)/identity") {
        #expect(search.found(in: file).isEmpty)
      }
    }

    // MARK: - What is searched for

    private struct Keys {
      var file: Data
      var payload: Data
    }

    /// The keys of each segment, as the agency gets them out of its header (C2SP age.md).
    private static func keys(of recording: String, in rig: Rig) throws -> [Keys] {
      let identities = try AgeIdentity.parse(
        file: [UInt8](try Data(contentsOf: URL(filePath: "\(rig.agency)/secret/identity.txt"))))
      let names = try FileManager.default.contentsOfDirectory(atPath: recording).filter { $0.hasSuffix(".age") }
        .sorted()
      return try names.map { name in
        let start = [UInt8](try Data(contentsOf: URL(filePath: "\(recording)/\(name)")).prefix(4_096))
        let header = try AgeHeader(parsing: start)
        let key = try #require(try identities[0].unwrap(header))
        let nonce = start[header.byteCount..<header.byteCount + 16]
        let payload = HKDF<SHA256>.deriveKey(
          inputKeyMaterial: key, salt: nonce, info: Array("payload".utf8), outputByteCount: 32)
        return Keys(file: key.withUnsafeBytes { Data($0) }, payload: payload.withUnsafeBytes { Data($0) })
      }
    }

    private struct Excerpt {
      var seconds: Double
      var excerpt: Data
    }

    /// Some bytes of each picture's end, which no other picture has: entropy coding makes them depend on all before.
    private static func footage(of recording: String, in rig: Rig) throws -> [Excerpt] {
      let file = "\(rig.directory)/secret.mp4"
      _ = try Dock.open(recording, as: file, agency: rig.agency)
      let bytes = try Data(contentsOf: URL(filePath: file))
      var counts: [Data: Int] = [:]
      let excerpts = try Stock.probe(file, "v:0", "packet=pts_time,size,pos").compactMap { words -> Excerpt? in
        guard words.count >= 3, let seconds = Double(words[0]), let size = Int(words[1]), let position = Int(words[2]),
          size > 100
        else { return nil }
        let excerpt = bytes[position + size - 40..<position + size - 8]
        counts[excerpt, default: 0] += 1
        return Excerpt(seconds: seconds, excerpt: excerpt)
      }
      return excerpts.filter { counts[$0.excerpt] == 1 }
    }

    private static func files(below directory: String) throws -> [Data] {
      let names = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
      return names.compactMap { try? Data(contentsOf: URL(filePath: "\(directory)/\($0)")) }
    }
  }
}
