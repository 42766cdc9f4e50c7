import Testing

@testable import Media

@Suite("FragmentHeader")
struct FragmentHeaderTests {
  @Test("the data offset of each track points at its first byte in the mdat")
  func dataOffsets() {
    var header = FragmentHeader()
    let video = [
      FragmentSample(ticks: 9_000, duration: 3_000, length: 111, isKeyframe: true),
      FragmentSample(ticks: 12_000, duration: 3_000, length: 22, isKeyframe: false),
    ]
    let audio = [FragmentSample(ticks: 4_800, duration: 960, length: 33, isKeyframe: true)]
    header.write(sequence: 7, video: video, audio: audio)
    let bytes = header.bytes
    let moofSize = Int(be32(bytes, 0))
    #expect(be32(bytes, moofSize) == UInt32(8 + 111 + 22 + 33))
    #expect(bytes.count == moofSize + 8)
    let offsets = trunOffsets(bytes)
    #expect(offsets == [UInt32(moofSize + 8), UInt32(moofSize + 8 + 133)])
  }

  private func be32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private func trunOffsets(_ bytes: [UInt8]) -> [UInt32] {
    let name = Array("trun".utf8)
    return (0..<bytes.count - 12).filter { Array(bytes[$0..<$0 + 4]) == name }.map { be32(bytes, $0 + 12) }
  }
}
