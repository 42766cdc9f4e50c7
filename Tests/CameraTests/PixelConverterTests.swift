import Glibc
import Media
import Testing

@testable import Camera

@Suite("PixelConverter: raw formats")
struct PixelConverterTests {
  struct Case: CustomTestStringConvertible {
    var format: PixelFormat
    var strides: [Int]
    var testDescription: String { "\(format) \(strides)" }
  }

  static let cases = [
    Case(format: .yuyv, strides: [156]), Case(format: .yuyv, strides: [160]), Case(format: .uyvy, strides: [158]),
    Case(format: .nv12, strides: [78]), Case(format: .nv12, strides: [128]), Case(format: .nv12, strides: [81]),
    Case(format: .nv12Apart, strides: [79, 96]), Case(format: .yu12, strides: [78]),
    Case(format: .yu12, strides: [98]), Case(format: .yu12Apart, strides: [80, 41, 64]),
  ]

  @Test("every sample arrives in its place, with any stride, and nothing beyond the frame is read", arguments: cases)
  func samples(_ item: Case) throws {
    let picture = TestPicture(width: 78, height: 46)
    let source = try #require(
      PixelLayout(
        pixelFormat: item.format, size: FrameSize(width: 78, height: 46), strides: item.strides))
    let target = try #require(I420Layout(width: 78, height: 46))
    let converter = try #require(PixelConverter(source: source, target: target))
    let pieces = picture.pieces(item.format, strides: item.strides)
    #expect(source.pieceCount == pieces.count)
    let output = GuardedBytes([UInt8](repeating: 0xAB, count: target.byteCount))
    try converter.convert(pieces, into: output)
    #expect(picture.differences(output.bytes, target, fill: 0xAB) == 0)

    // One byte less in any piece is no picture.
    for short in pieces.indices {
      var cut = pieces
      cut[short].removeLast()
      let found = cut[short].count
      #expect(throws: ConversionError.shortFrame(expected: found + 1, found: found)) {
        try converter.convert(cut, into: output)
      }
    }
    #expect(throws: ConversionError.targetTooSmall) {
      try converter.convert(pieces, into: GuardedBytes(count: target.byteCount - 1))
    }
  }

  @Test("a layout that cannot hold its rows, has odd sides or a foreign format is refused")
  func layouts() {
    let size = FrameSize(width: 640, height: 360)
    #expect(PixelLayout(pixelFormat: .yuyv, size: size, strides: [1_279]) == nil)
    #expect(PixelLayout(pixelFormat: .yuyv, size: size, strides: [1_280]) != nil)
    #expect(PixelLayout(pixelFormat: .nv12, size: size, strides: [1 << 30]) == nil)
    #expect(PixelLayout(pixelFormat: .nv12Apart, size: size, strides: [640, 639]) == nil)
    #expect(PixelLayout(pixelFormat: .nv12, size: FrameSize(width: 641, height: 360)) == nil)
    #expect(PixelLayout(pixelFormat: .nv12, size: FrameSize(width: 640, height: 0)) == nil)
    #expect(PixelLayout(pixelFormat: PixelFormat("RGB3"), size: size) == nil)
  }

  @Test("source and target must have the same size: nothing is scaled")
  func sameSize() throws {
    let source = try #require(PixelLayout(pixelFormat: .nv12, size: FrameSize(width: 640, height: 360)))
    let target = try #require(I420Layout(width: 320, height: 180))
    #expect(PixelConverter(source: source, target: target) == nil)
  }
}

@Suite("PixelConverter: JPEG")
struct JPEGConversionTests {
  static let size = FrameSize(width: 320, height: 180)

  static let jpeg = jpeg(of: size)

  static func jpeg(of size: FrameSize) -> [UInt8] {
    output(
      of: "ffmpeg -nostdin -loglevel error -f lavfi -i testsrc2=size=\(size.width)x\(size.height) -frames:v 1 "
        + "-pix_fmt yuvj420p -q:v 3 -huffman default -f mjpeg -")
  }

  static func converter() throws -> PixelConverter {
    let source = try #require(PixelLayout(pixelFormat: .mjpeg, size: size))
    let layout = try #require(I420Layout(width: 320, height: 180))
    return try #require(PixelConverter(source: source, target: layout))
  }

  func convert(_ bytes: [UInt8], into output: GuardedBytes) throws -> ConversionError? {
    let converter = try Self.converter()
    do throws(ConversionError) {
      try converter.convert([bytes], into: output)
      return nil
    } catch {
      return error
    }
  }

  func target() throws -> GuardedBytes { GuardedBytes(count: try Self.converter().target.byteCount) }

  /// Mean of the squared differences of luma to what ffmpeg decodes.
  func lumaError(_ jpeg: [UInt8], _ bytes: UnsafeMutableRawBufferPointer, _ layout: I420Layout) throws -> Double {
    let path = "/tmp/lapel-jpeg-\(getpid())-\(UInt64.random(in: 0 ... .max)).jpg"
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    defer { unlink(path) }
    try #require(write(file, jpeg, jpeg.count) == jpeg.count)
    close(file)
    let raw = output(of: "ffmpeg -nostdin -loglevel error -f mjpeg -i \(path) -f rawvideo -pix_fmt gray -")
    try #require(raw.count == layout.width * layout.height)
    var sum = 0
    for y in 0..<layout.height {
      for x in 0..<layout.width {
        let difference = Int(raw[y * layout.width + x]) - Int(bytes[y * layout.lumaStride + x])
        sum += difference * difference
      }
    }
    return Double(sum) / Double(layout.width * layout.height)
  }

  @Test("a JPEG decodes to what ffmpeg decodes")
  func decodes() throws {
    let target = try target()
    #expect(try convert(Self.jpeg, into: target) == nil)
    #expect(try lumaError(Self.jpeg, target.bytes, Self.converter().target) < 1.5)
  }

  @Test("JPEGs of every usual subsampling decode to their known samples", arguments: ["4:4:4", "4:2:2", "4:2:0"])
  func subsamplings(_ name: String) throws {
    let source = try #require(PixelLayout(pixelFormat: .mjpeg, size: FrameSize(width: 48, height: 32)))
    let layout = try #require(I420Layout(width: 48, height: 32))
    let converter = try #require(PixelConverter(source: source, target: layout))
    let target = GuardedBytes(count: layout.byteCount)
    let jpeg = try #require(JPEGVectors.subsamplings[name])
    try converter.convert([jpeg], into: target)
    var worst = 0
    for y in 0..<32 {
      for x in 0..<48 {
        worst = max(worst, abs(Int(target.bytes[y * layout.lumaStride + x]) - (20 + 4 * x)))
        let chroma = y / 2 * layout.chromaStride + x / 2
        // In the middle of the two by two pixels that share it.
        worst = max(worst, abs(Int(target.bytes[layout.blueOffset + chroma]) - (62 + 8 * (y / 2))))
        worst = max(worst, abs(Int(target.bytes[layout.redOffset + chroma]) - (199 - 4 * (x / 2))))
      }
    }
    #expect(worst <= 5)
  }

  @Test("a JPEG without Huffman tables, as many cameras send, uses the standard ones")
  func withoutTables() throws {
    let jpeg = Self.jpeg
    var (stripped, offset) = ([UInt8](jpeg[..<2]), 2)
    while jpeg[offset + 1] != 0xDA {
      let length = 2 + Int(jpeg[offset + 2]) << 8 + Int(jpeg[offset + 3])
      if jpeg[offset + 1] != 0xC4 { stripped += jpeg[offset..<offset + length] }
      offset += length
    }
    stripped += jpeg[offset...]
    try #require(stripped.count < jpeg.count)
    let (one, other) = (try target(), try target())
    #expect(try convert(jpeg, into: one) == nil)
    #expect(try convert(stripped, into: other) == nil)
    withExtendedLifetime((one, other)) { #expect(one.bytes.elementsEqual(other.bytes)) }
  }

  @Test("padding behind the picture, which drivers leave, does no harm")
  func padded() throws {
    #expect(try convert(Self.jpeg + [UInt8](repeating: 0, count: 700), into: target()) == nil)
  }

  @Test("a JPEG cut at any sixteenth of its length is an error and no crash", arguments: 0..<16)
  func truncated(_ sixteenth: Int) throws {
    let jpeg = Self.jpeg
    let error = try convert([UInt8](jpeg[..<(jpeg.count * sixteenth / 16)]), into: target())
    #expect(error != nil)
    // Also when zeros follow, as in a buffer that was not filled.
    let filled = [UInt8](jpeg[..<(jpeg.count * sixteenth / 16)]) + [UInt8](repeating: 0, count: 2_000)
    #expect(try convert(filled, into: target()) != nil)
  }

  @Test("a JPEG of another size, or none at all, is refused by its header")
  func foreign() throws {
    let other = FrameSize(width: 640, height: 360)
    #expect(try convert(Self.jpeg(of: other), into: target()) == .wrongSize(other))
    #expect(try convert([], into: target()) == .truncatedJPEG)
    #expect(try convert([UInt8](repeating: 0, count: 5_000), into: target()) == .notAJPEG)
    #expect(try convert([0xFF, 0xD8, 0xFF, 0xD9], into: target()) == .notAJPEG)
    // A segment whose length says nothing is no reason to read for ever.
    #expect(try convert([0xFF, 0xD8, 0xFF, 0xE0, 0, 0] + Self.jpeg, into: target()) == .notAJPEG)
  }

  @Test("damage anywhere in a JPEG neither crashes nor reads or writes beyond its memory")
  func damaged() throws {
    let jpeg = Self.jpeg
    let target = try target()
    var random = SplitMix(state: 0x5EED)
    var refused = 0
    for _ in 0..<400 {
      var bytes = jpeg
      for _ in 0..<(1 + Int(random.next() % 8)) {
        // Half of the damage in the headers, which are the smallest part.
        let range = random.next() % 2 == 0 ? min(700, bytes.count) : bytes.count
        bytes[Int(random.next() % UInt64(range))] = UInt8(truncatingIfNeeded: random.next())
      }
      if try convert(bytes, into: target) != nil { refused += 1 }
    }
    #expect(refused > 50)
  }
}

/// Reproducible numbers (Steele, Lea, Flood: SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
