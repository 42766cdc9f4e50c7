import Media
import Testing

@testable import Encoding

@Suite("The walk over a byte stream as the reader of coded pictures uses it")
struct AnnexBTests {
  private func units(_ stream: [UInt8]) -> [[UInt8]]? {
    guard AnnexB.isFramed(stream.span.bytes) else { return nil }
    var (units, walk) = ([[UInt8]](), AnnexB())
    while let unit = walk.next(in: stream.span.bytes) { units.append(Array(stream[unit])) }
    return units
  }

  @Test(
    "every unit of a recorded stream is found, with start codes of three bytes, of four, and mixed",
    arguments: [3, 4, nil])
  func recorded(_ length: Int?) {
    for stream in [RecordedStreams.slices, RecordedStreams.reordered] {
      #expect(units(stream.flatMap { $0.framed(length) }) == stream.map(\.bytes))
    }
  }

  @Test("zeros before the first start code and behind a unit belong to no unit")
  func zeros() {
    #expect(units([0, 0, 0, 0, 0, 1, 0x65, 7, 0, 0, 0, 0, 0, 1, 0x41, 9, 0, 0]) == [[0x65, 7], [0x41, 9]])
    #expect(units([0, 0, 1, 0x65, 0, 0, 3, 1, 0, 0, 1, 0x41]) == [[0x65, 0, 0, 3, 1], [0x41]])
    #expect(units([0, 0, 1, 0, 0, 1, 0x41]) == [[0x41]])
  }

  @Test("what does not begin with a start code is no byte stream, such as units with lengths")
  func unframed() {
    for stream: [UInt8] in [[], [0], [0, 0], [0, 0, 0, 5, 0x65, 1, 2, 3, 4], [9, 0, 0, 1, 0x65], [0x65]] {
      #expect(units(stream) == nil, "\(stream)")
    }
  }

  @Test("a start code is found wherever it lies", arguments: 0..<12)
  func anywhere(_ offset: Int) {
    let filler = (0..<offset).map { UInt8($0 % 3 + 1) }
    #expect(units([0, 0, 1, 0x41] + filler + [0, 0, 1, 0x65]) == [[0x41] + filler, [0x65]])
  }
}
