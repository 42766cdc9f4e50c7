import Media
import Testing

@Suite("AnnexB")
struct AnnexBTests {
  private func units(_ bytes: [UInt8]) -> [[UInt8]] {
    var walk = AnnexB()
    var units: [[UInt8]] = []
    while let unit = walk.next(in: bytes.span.bytes) { units.append(Array(bytes[unit])) }
    return units
  }

  @Test(
    "Units lie between start codes of three or four bytes, without the zeros around them",
    arguments: [
      ([], []),
      ([0, 0, 1], []),
      ([0, 0, 1, 0x65], [[0x65]]),
      ([0, 0, 0, 1, 0x67, 1, 2], [[0x67, 1, 2]]),
      ([0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 5], [[0x67, 1], [0x68, 5]]),
      ([0, 0, 1, 0x65, 0x80, 0, 0, 0, 0, 0, 1, 0x41, 0x80, 0, 0], [[0x65, 0x80], [0x41, 0x80]]),
      ([9, 9, 0, 1, 0, 0, 1, 0x65, 0, 0, 3, 1], [[0x65, 0, 0, 3, 1]]),
      ([0, 0, 1, 0, 0, 1, 0x65], [[0x65]]),
      ([0x65, 1, 2, 3], []),
    ] as [([UInt8], [[UInt8]])])
  func units(bytes: [UInt8], expected: [[UInt8]]) {
    #expect(units(bytes) == expected)
  }

  @Test("A start code is found at every place, whatever stands before it", arguments: 0..<12, [UInt8(0), 1, 2, 255])
  func everyPlace(offset: Int, filler: UInt8) {
    let bytes = [UInt8](repeating: filler, count: offset) + [0, 0, 1, 0x41, 0x9A]
    #expect(units(bytes) == [[0x41, 0x9A]])
  }

  @Test("What ffmpeg's H.264 stream holds is found whole: joined again with start codes it is the same stream")
  func stock() throws {
    let stock = try StockPackets.shared.get()
    let parts = [stock.parameterSets.sequence, stock.parameterSets.picture]
    let stream = self.stream(parts)
    #expect(units(stream) == parts)
    #expect(self.stream(units(stream)) == stream)
  }

  private func stream(_ units: [[UInt8]]) -> [UInt8] {
    let code: [UInt8] = [0, 0, 0, 1]
    return units.reduce(into: []) { $0 += code + $1 }
  }
}
