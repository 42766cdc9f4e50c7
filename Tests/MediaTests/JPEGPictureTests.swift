import Media
import Testing

@Suite("JPEGPicture")
struct JPEGPictureTests {
  /// One picture of 96x64 pixels by stock ffmpeg, with the usual Huffman tables, as cameras have them.
  private static let stock = Result { () throws -> [UInt8] in
    try quietly([
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=96x64:rate=1:duration=1", "-pix_fmt", "yuvj420p",
      "-c:v", "mjpeg", "-q:v", "4", "-huffman", "default", "-f", "mjpeg", "-",
    ])
  }

  private func picture(_ bytes: [UInt8]) -> JPEGPicture? { JPEGPicture(bytes.span.bytes) }

  @Test("Size and end of a real picture are read, and what stands behind its end is no part of it")
  func whole() throws {
    let bytes = try Self.stock.get()
    for tail in [[], [0, 0, 0], [UInt8](repeating: 0xFF, count: 99), [0xD9]] as [[UInt8]] {
      let read = try #require(picture(bytes + tail))
      #expect(read.width == 96 && read.height == 64 && read.isWhole && read.byteCount == bytes.count)
    }
  }

  @Test("A picture that was cut anywhere in its data is not whole; one cut before it is none")
  func cut() throws {
    let bytes = try Self.stock.get()
    let scan = try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA })
    let data = scan + 2 + Int(bytes[scan + 2]) << 8 + Int(bytes[scan + 3])
    for count in 0..<bytes.count {
      let read = picture(Array(bytes[..<count]))
      #expect((read != nil) == (count >= data), "\(count) of \(bytes.count)")
      if let read { #expect(!read.isWhole && read.byteCount == count) }
    }
  }

  @Test("An end marker inside a thumbnail is not the picture's end")
  func thumbnail() throws {
    let bytes = try Self.stock.get()
    let inner: [UInt8] = [0xFF, 0xD8, 0xFF, 0xD9]
    let application = [0xFF, 0xE1, 0, UInt8(2 + inner.count)] + inner
    let cut = Array((bytes[..<2] + application + bytes[2...]).dropLast(2))
    #expect(picture(cut)?.isWhole == false)
  }

  @Test("Without Huffman tables, as many cameras send it, a picture is read the same, and ffmpeg decodes it the same")
  func withoutTables() throws {
    let bytes = try Self.stock.get()
    var bare: [UInt8] = [0xFF, 0xD8]
    var offset = 2
    while bytes[offset + 1] != 0xDA {
      let length = 2 + Int(bytes[offset + 2]) << 8 + Int(bytes[offset + 3])
      if bytes[offset + 1] != 0xC4 { bare += bytes[offset..<offset + length] }
      offset += length
    }
    bare += bytes[offset...]
    #expect(bare.count < bytes.count)
    let read = try #require(picture(bare))
    #expect(read.isWhole && read.width == 96)
    func file(_ jpeg: [UInt8]) throws -> [UInt8] {
      var header = FragmentHeader()
      header.write(
        sequence: 1, video: [FragmentSample(ticks: 0, duration: 3_000, length: jpeg.count, isKeyframe: true)], audio: []
      )
      let start = InitSegment(
        video: VideoTrack(width: 96, height: 64, codec: .jpeg), audio: nil, salt: [UInt8](repeating: 1, count: 32),
        facts: [])
      return start.bytes() + header.bytes + jpeg
    }
    func decoded(_ jpeg: [UInt8]) throws -> [UInt8] {
      try quietly(
        ["ffmpeg", "-v", "warning", "-i", "FILE", "-f", "rawvideo", "-pix_fmt", "yuvj420p", "-"], input: try file(jpeg))
    }
    let pixels = try decoded(bytes)
    #expect(pixels.count == 96 * 64 * 3 / 2)
    #expect(try decoded(bare) == pixels)
  }

  @Test(
    "What is no JPEG is none",
    arguments: [
      [], [0xFF], [0xFF, 0xD8], [0xFF, 0xD8, 0xFF, 0xD9], [0, 0, 1, 0x65],
      [0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 1, 2, 0xFF, 0xD9],
      [0xFF, 0xD8, 0xFF, 0xC0, 0, 3, 8, 0xFF, 0xDA], [0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xFF],
      [0xFF, 0xD8, 0xFF, 0xE0, 0, 0],
      [0xFF, 0xD8, 0xFF, 0xC0, 0, 8, 8, 0, 0, 0, 0, 3, 0xFF, 0xDA, 0, 2],
    ] as [[UInt8]])
  func none(bytes: [UInt8]) { #expect(picture(bytes) == nil) }
}
