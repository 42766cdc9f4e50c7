import Synthetic
import Testing

@Suite("Clip")
struct ClipTests {
  /// The least that is read as a JPEG of 16x8 pixels.
  private static func jpeg(_ data: [UInt8]) -> [UInt8] {
    [0xFF, 0xD8, 0xFF, 0xC0, 0, 8, 8, 0, 8, 0, 16, 1, 0xFF, 0xDA, 0, 2] + data + [0xFF, 0xD9]
  }

  @Test("JPEGs one after the other are the clip's pictures, played again and again")
  func jpegs() throws {
    let pictures = [Self.jpeg([1]), Self.jpeg([2, 2]), Self.jpeg([3, 3, 3])]
    let clip = try #require(Clip(pictures.flatMap { $0 }, coding: .jpeg))
    #expect(clip.width == 16 && clip.height == 8 && clip.pictures.count == 3)
    for number in 0..<7 {
      let read = clip.withPicture(Int64(number)) { bytes in bytes.withUnsafeBytes { Array($0) } }
      #expect(read == pictures[number % 3])
    }
  }

  @Test(
    "What holds no picture is no clip",
    arguments: [[], [1, 2, 3], [0xFF, 0xD8, 0xFF], [0, 0, 1, 9], [0, 0, 1, 0x65, 0x80]])
  func none(bytes: [UInt8]) {
    #expect(Clip(bytes, coding: .jpeg) == nil)
    #expect(Clip(bytes, coding: .h264) == nil)
  }
}
