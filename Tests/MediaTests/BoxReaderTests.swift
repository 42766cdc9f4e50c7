import Media
import Testing

@Suite("BoxReader")
struct BoxReaderTests {
  private func box(_ size: UInt32, _ type: String, _ content: [UInt8] = []) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) } + Array(type.utf8) + content
  }

  @Test("boxes are found in order, with 32-bit and 64-bit sizes")
  func walk() throws {
    let long = box(1, "mdat", [0, 0, 0, 0, 0, 0, 0, 19, 7, 8, 9])
    let bytes = box(8, "free") + long + box(12, "moof", [1, 2, 3, 4])
    let boxes = try BoxReader.boxes(bytes)
    #expect(boxes.map(\.type.description) == ["free", "mdat", "moof"])
    #expect(boxes.map(\.range) == [0..<8, 8..<27, 27..<39])
    #expect(boxes.map(\.content) == [8..<8, 24..<27, 35..<39])
    #expect(try BoxReader.boxes([]).isEmpty)
  }

  @Test("a range inside the bytes is the limit, not the bytes")
  func range() throws {
    let bytes = box(16, "moov", box(8, "free")) + box(8, "mdat")
    #expect(try BoxReader.content(of: .movie, bytes) == 8..<16)
    #expect(throws: BoxError(.truncated, type: .movie, offset: 0)) { try BoxReader.boxes(bytes, in: 0..<12) }
    #expect(throws: BoxError(.missing, type: .mediaData, offset: 0)) {
      try BoxReader.content(of: .mediaData, bytes, in: 0..<16)
    }
    #expect(try BoxReader.boxes(bytes, in: 24..<1000).isEmpty)
  }

  @Test(
    "a size that no box can have is refused",
    arguments: [
      (UInt32(0), BoxError.Rule.openEnded), (2, .size), (7, .size), (9, .truncated), (0x7FFF_FFFF, .truncated),
      (0xFFFF_FFFF, .truncated),
    ])
  func size(_ size: UInt32, _ rule: BoxError.Rule) {
    #expect(throws: BoxError(rule, type: .free, offset: 0)) { try BoxReader.boxes(box(size, "free")) }
  }

  @Test(
    "a 64-bit size that no box can have is refused",
    arguments: [
      ([0, 0, 0, 0, 0, 0, 0, 15], BoxError.Rule.size), ([0, 0, 0, 0, 0, 0, 0, 0], .size),
      ([0x80, 0, 0, 0, 0, 0, 0, 0], .size), ([255, 255, 255, 255, 255, 255, 255, 255], .size),
      ([0x7F, 255, 255, 255, 255, 255, 255, 255], .truncated), ([0, 0, 0, 0, 0, 0, 0, 17], .truncated),
    ] as [([UInt8], BoxError.Rule)])
  func longSize(_ size: [UInt8], _ rule: BoxError.Rule) {
    #expect(throws: BoxError(rule, type: .mediaData, offset: 0)) { try BoxReader.boxes(box(1, "mdat", size)) }
  }

  @Test("a header that is cut off is refused at every length")
  func truncatedHeader() {
    let bytes = box(1, "mdat", [0, 0, 0, 0, 0, 0, 0, 16])
    for count in 1..<16 {
      let error = #expect(throws: BoxError.self) { try BoxReader.boxes(Array(bytes[..<count])) }
      #expect(error?.rule == .truncated)
    }
    #expect(throws: Never.self) { try BoxReader.boxes(bytes) }
  }

  @Test("fields are never read past their box")
  func fields() throws {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 65, 66, 0, 9]
    var fields = BoxFields(bytes, in: 0..<12, of: .free)
    #expect(try fields.u16() == 0x0102)
    #expect(try fields.u8() == 3)
    #expect(try fields.u32() == 0x0405_0607)
    try fields.skip(1)
    #expect(try fields.cString() == "AB")
    #expect(fields.remaining == 1)
    #expect(throws: BoxError(.truncated, type: .free, offset: 11)) { try fields.u16() }
    #expect(throws: BoxError(.truncated, type: .free, offset: 11)) { try fields.cString() }
    #expect(throws: BoxError(.truncated, type: .free, offset: 11)) { try fields.skip(-1) }
    #expect(throws: BoxError(.truncated, type: .free, offset: 11)) { try fields.bytes(.max) }
    var clamped = BoxFields(bytes, in: 4..<1000, of: .free)
    #expect(try clamped.u64() == 0x0506_0708_4142_0009)
  }
}
