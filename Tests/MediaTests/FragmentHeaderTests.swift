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

  @Test(
    "what a header will take is known before it is written", arguments: [(0, 0), (1, 0), (0, 3), (15, 25), (300, 1)])
  func byteCount(video: Int, audio: Int) {
    var header = FragmentHeader()
    let sample = FragmentSample(ticks: 0, duration: 1, length: 9, isKeyframe: false)
    header.write(
      sequence: 1, video: Array(repeating: sample, count: video), audio: Array(repeating: sample, count: audio))
    #expect(FragmentHeader.byteCount(video: video, audio: audio) == header.bytes.count)
  }

  private func be32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private func trunOffsets(_ bytes: [UInt8]) -> [UInt32] {
    let name = Array("trun".utf8)
    return (0..<bytes.count - 12).filter { Array(bytes[$0..<$0 + 4]) == name }.map { be32(bytes, $0 + 12) }
  }
}
