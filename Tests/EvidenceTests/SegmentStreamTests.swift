import Media
import Testing

@testable import Evidence

@Suite("The rules of sealing")
struct SegmentStreamTests {
  struct CardError: Error {}

  private func stream(_ memory: UnsafeMutableRawBufferPointer? = nil) throws -> SegmentStream {
    try SegmentStream(
      segment: 0, recipients: RecipientList([Recipient(KeyTests.known)]),
      randomness: HedgedRandomness(source: systemRandom, deviceSecret: [1], id: nil, counter: 1), memory: memory)
  }

  private func sealed(_ stream: borrowing SegmentStream) -> [UInt8] {
    stream.withSealedChunk { $0.withUnsafeBytes { Array($0) } }
  }

  @Test("Equal plaintext never gives equal ciphertext: each chunk has its own number")
  func numbers() throws {
    var stream = try stream()
    var seen: Set<[UInt8]> = []
    for number in 1...3 {
      stream.fill { $0.count }
      try stream.sealFullChunk()
      let chunks = stream.chunks
      let bytes = sealed(stream)
      #expect(chunks == number && seen.insert(bytes).inserted)
    }
  }

  @Test("After a failed write the stream seals nothing more, and its memory holds no plaintext")
  func abandons() throws {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: SegmentStream.memoryByteCount, alignment: 64)
    defer { memory.deallocate() }
    var stream = try stream(memory)
    _ = [UInt8](repeating: 0xAB, count: 300).withUnsafeBytes { stream.append($0.bytes) }
    #expect(memory[0] == 0xAB)
    var failure: SegmentFailure<CardError>?
    do {
      _ = try stream.checkpoint { (_) throws(CardError) in throw CardError() }
    } catch {
      failure = error
    }
    guard case .writing = failure else {
      Issue.record("the write's error did not come through")
      return
    }
    let isAbandoned = stream.isAbandoned
    #expect(isAbandoned)
    #expect(memory.prefix(SegmentStream.chunkByteCount).allSatisfy { $0 == 0 })
    stream.fill { $0.count }
    var code: EvidenceError.Code?
    do { try stream.sealFullChunk() } catch { code = error.code }
    #expect(code == .abandoned)
    code = nil
    do { _ = try stream.finishCheckpoint() } catch { code = error.code }
    #expect(code == .abandoned)
  }

  @Test("When the stream ends its lent memory is wiped")
  func wipes() throws {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: SegmentStream.memoryByteCount, alignment: 64)
    defer { memory.deallocate() }
    do {
      var stream = try stream(memory)
      stream.fill { buffer in
        buffer.initializeMemory(as: UInt8.self, repeating: 0xAB)
        return buffer.count
      }
      try stream.sealFullChunk()
    }
    #expect(memory.allSatisfy { $0 == 0 })
  }

  @Test("A chunk that is not full, and a checkpoint without padding, are refused")
  func order() throws {
    var stream = try stream()
    var code: EvidenceError.Code?
    do { try stream.sealFullChunk() } catch { code = error.code }
    #expect(code == .sealing)
    code = nil
    do { _ = try stream.finishCheckpoint() } catch { code = error.code }
    #expect(code == .sealing)
    stream.fill { $0.count }
    try stream.sealFullChunk()
    code = nil
    do { _ = try stream.finishCheckpoint() } catch { code = error.code }
    #expect(code == .sealing, "a range without its padding and salt")
    let isAbandoned = stream.isAbandoned
    #expect(!isAbandoned)
  }

  @Test("The terminator of one point is always the same bytes, of two points never")
  func terminators() throws {
    var stream = try stream()
    stream.fill { _ in 10 }
    let first = try stream.checkpoint { _ in }
    let idle = try stream.checkpoint { _ in }
    #expect(idle.isIdle && idle.terminator == first.terminator && idle.chunks == first.chunks)
    stream.fill { _ in 10 }
    let second = try stream.checkpoint { _ in }
    #expect(second.terminator != first.terminator && second.terminator.count == 24)
  }

  @Test("The padding reaches the chunk's edge and always has room for its header and salt")
  func padding() throws {
    for (open, expected) in [(0, 65_536), (1, 65_535), (65_496, 40), (65_497, 65_575), (65_535, 65_537)] {
      var stream = try stream()
      stream.fill { _ in open }
      let count = stream.paddingByteCount
      #expect(count == expected)
    }
  }

  @Test("Memory that is too small, and a segment number that no name has, are refused")
  func refusals() throws {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 1)
    defer { memory.deallocate() }
    #expect(throws: EvidenceError.self) { _ = try stream(memory) }
    let list = try RecipientList([Recipient(KeyTests.known)])
    let randomness = HedgedRandomness(source: systemRandom, deviceSecret: [], id: nil, counter: 1)
    for number in [-1, 10_000] {
      #expect(throws: EvidenceError.self) {
        _ = try SegmentStream(segment: number, recipients: list, randomness: randomness)
      }
    }
  }
}
