import Media
import Evidence
import Foundation
import Testing

@Suite("Segments and the stock age command")
struct StockAgeTests {
  /// Sizes that leave every kind of rest: small, one byte too few for the padding, none, more than a chunk.
  static let ranges = [100, 65_536 - 39, 65_536, 65_536 - 40, 0, 140_000]

  private func identity(_ scratch: ScratchDirectory, _ name: String) throws -> Recipient {
    try run(["age-keygen", "-o", scratch.path(name)])
    let text = try run(["age-keygen", "-y", scratch.path(name)])
    return try Recipient(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
  }

  @Test("age -d with either recipient's key gives back every byte, and the padding is free boxes")
  func decrypts() throws {
    let scratch = try ScratchDirectory()
    let first = try identity(scratch, "first")
    let second = try identity(scratch, "second")
    let randomness = HedgedRandomness(source: systemRandom, deviceSecret: [], id: nil, counter: 1)
    var stream = try SegmentStream(
      segment: 3, recipients: RecipientList([first, second]), randomness: randomness)
    var file = stream.header
    var plaintext: [UInt8] = []
    var paddings: [(Int, Int)] = []
    var last: CheckpointSeal?
    for size in Self.ranges {
      var rest = randomBytes(size)[...]
      plaintext += rest
      while !rest.isEmpty {
        // Both ways in, by turns.
        if rest.count % 2 == 0 {
          rest = rest.dropFirst(rest.withUnsafeBytes { stream.append($0.bytes) })
        } else {
          stream.fill { space in
            let count = min(space.count, rest.count)
            rest.prefix(count).withUnsafeBytes { space.copyMemory(from: $0) }
            rest = rest.dropFirst(count)
            return count
          }
        }
        if stream.isFull {
          try stream.sealFullChunk()
          stream.withSealedChunk { sealed in sealed.withUnsafeBytes { file += $0 } }
        }
      }
      if size > 0 {
        paddings.append((plaintext.count, stream.paddingByteCount))
        plaintext += [UInt8](repeating: 0, count: stream.paddingByteCount)
      }
      let seal = try stream.checkpoint { sealed in sealed.withUnsafeBytes { file += $0 } }
      #expect(seal.isIdle == (size == 0))
      #expect(Int64(file.count) == seal.length)
      last = seal
    }
    file += try #require(last).terminator
    try scratch.write("segment.age", file)
    for key in ["first", "second"] {
      let opened = try run(["age", "-d", "-i", scratch.path(key), scratch.path("segment.age")])
      #expect(opened.count == plaintext.count + 8)
      #expect(opened.suffix(8) == [0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65])
      var compared = 0
      for (offset, count) in paddings {
        #expect(opened[compared..<offset] == plaintext[compared..<offset])
        let box = opened[offset..<(offset + count)]
        let size = withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) }
        #expect(Array(box.prefix(8)) == size + Array("free".utf8))
        #expect(Set(box.dropFirst(8).prefix(32)).count > 1)
        #expect(box.dropFirst(40).allSatisfy { $0 == 0 })
        #expect((offset + count) % 65_536 == 0 && (40...65_575).contains(count))
        compared = offset + count
      }
    }
    #expect(try run(["grep", "-c", "^-> X25519 ", scratch.path("segment.age")]) == Array("2\n".utf8))
  }

  /// age 1.3 and newer know post-quantum recipients. Debian 12 has 1.1: there OpeningTests hold what is sealed against another
  /// implementation of HPKE, and that against a file that age 1.3 made.
  static let isPostQuantum = (try? run(["age-keygen", "-pq"])) != nil

  @Test("age 1.3 opens a segment that is sealed for two post-quantum recipients", .enabled(if: isPostQuantum))
  func postQuantum() throws {
    let scratch = try ScratchDirectory()
    var recipients = [try VectorTests.postQuantumRecipient()]
    try run(["age-keygen", "-pq", "-o", scratch.path("own")])
    let own = try run(["age-keygen", "-y", scratch.path("own")])
    recipients.append(
      try Recipient(String(decoding: own, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
    let randomness = HedgedRandomness(source: systemRandom, deviceSecret: [4], id: nil, counter: 1)
    var stream = try SegmentStream(segment: 0, recipients: RecipientList(recipients), randomness: randomness)
    var file = stream.header
    _ = Array("footage".utf8).withUnsafeBytes { stream.append($0.bytes) }
    let seal = try stream.checkpoint { sealed in sealed.withUnsafeBytes { file += $0 } }
    try scratch.write("segment.age", file + seal.terminator)
    for key in [scratch.path("own"), VectorTests.root.appendingPathComponent("post-quantum.txt").path] {
      #expect(try run(["age", "-d", "-i", key, scratch.path("segment.age")]).starts(with: "footage".utf8))
    }
  }

  @Test("One recipient's header has 184 bytes with its nonce, a post-quantum one's 1,643")
  func headerLength() throws {
    let agency = try Agency()
    let stream = try SegmentStream(
      segment: 0, recipients: agency.recipients,
      randomness: HedgedRandomness(source: systemRandom, deviceSecret: [], id: nil, counter: 1))
    #expect(stream.header.count == 184)
    let header = try AgeHeader(parsing: stream.header)
    #expect(header.byteCount + 16 == stream.header.count)
    #expect(header.stanzas.map(\.type) == ["X25519"])
    let postQuantum = try SegmentStream(
      segment: 0, recipients: RecipientList([VectorTests.postQuantumRecipient()]),
      randomness: HedgedRandomness(source: systemRandom, deviceSecret: [], id: nil, counter: 1))
    #expect(postQuantum.header.count == 1_643)
  }

  @Test("After a cut at any place the plan of a keyless verification makes a copy that age opens, up to the checkpoint")
  func repairs() throws {
    let scratch = try ScratchDirectory()
    let agency = try Agency(recipients: [identity(scratch, "key")])
    let camera = try TestCamera(agency)
    var made = try camera.record(RecordingPlan(segments: [Self.ranges], isClosed: false))
    let whole = try #require(made.segments["0000.mp4.age"])
    let all = made.lines
    try scratch.write("whole.age", whole + (try #require(made.seals.last).terminator))
    let plaintext = try run(["age", "-d", "-i", scratch.path("key"), scratch.path("whole.age")])

    var generator = SystemRandomNumberGenerator()
    let first = Int(made.seals[0].length)
    let cuts =
      made.seals.map { Int($0.length) } + (0..<8).map { _ in Int.random(in: first...whole.count, using: &generator) }
    for cut in cuts {
      // What a power cut leaves: the file up to the cut, the journal up to the last line that was synced before.
      let synced = made.seals.filter { $0.length <= cut }.count
      made.lines = Array(all.prefix(2 + synced))
      made.segments["0000.mp4.age"] = Array(whole.prefix(cut))
      let verdict = try made.verify(agency.trust)
      #expect(verdict.headline == .verifiedTo && verdict.integrity == .intact)
      let plan = try #require(verdict.repairs.first)
      #expect(plan.length == made.seals[synced - 1].length)
      try scratch.write("copy.age", Array(whole.prefix(Int(plan.length))) + plan.terminator)
      let opened = try run(["age", "-d", "-i", scratch.path("key"), scratch.path("copy.age")])
      #expect(opened.dropLast(8) == plaintext.prefix(opened.count - 8))
      #expect(opened.count - 8 == Int(made.seals[synced - 1].chunks) * 65_536)

      made.segments["0000.mp4.age"] = Array(whole.prefix(Int(plan.length))) + plan.terminator
      let again = try made.verify(agency.trust)
      #expect(again.headline == .verifiedTo)
      #expect(again.findings.contains { $0.answer == .remark(.repaired) })
    }
  }

  @Test("The commitments in the journal are those of the decrypted plaintext")
  func commitments() throws {
    let scratch = try ScratchDirectory()
    let agency = try Agency(recipients: [identity(scratch, "key")])
    let made = try TestCamera(agency).record(RecordingPlan(segments: [[500, 70_000]]))
    var segment: Attested.Segment?
    var ranges: [Attested.Range] = []
    _ = try RecordingVerifier(trust: agency.trust).verify(made.files) { item in
      switch item {
      case .segment(let value): segment = value
      case .range(let value): ranges.append(value)
      case .segmentEnd: break
      }
    }
    try scratch.write("s.age", try #require(made.segments["0000.mp4.age"]))
    let plaintext = try run(["age", "-d", "-i", scratch.path("key"), scratch.path("s.age")])
    let found = try #require(segment)
    let initSegment = Array(plaintext.prefix(Int(found.initLength)))
    // The salt follows the user type of the uuid box.
    let type =
      try #require(
        initSegment.indices.first { initSegment[$0...].starts(with: InitSegment.userType) })
      + InitSegment.userType.count
    let salt = Array(initSegment[type..<type + 32])
    #expect(Commitment.ofInit(initSegment, salt: salt, segment: 0) == found.initCommitment)
    #expect(ranges.count == 2)
    for range in ranges {
      let bytes = Array(plaintext[Int(range.plaintext.lowerBound)..<Int(range.plaintext.upperBound)])
      // A stranger finds the salt by walking the boxes; here the footage is noise, so it is found by the padding's size.
      let box = try #require(
        bytes.indices.last { index in
          index + 40 <= bytes.count && Array(bytes[(index + 4)..<(index + 8)]) == Array("free".utf8)
        })
      var commitment = Commitment.OfRange(
        salt: Array(bytes[(box + 8)..<(box + 40)]), segment: 0, start: range.plaintext.lowerBound)
      bytes.withUnsafeBytes { commitment.update($0) }
      #expect(commitment.finalize() == range.commitment)
    }
  }
}
