import Glibc
import Media

@testable import Camera

/// A picture whose every sample is known, and its forms as cameras deliver them.
struct TestPicture {
  let width: Int
  let height: Int

  /// Each plane has values of its own, so that planes, rows and columns cannot be confused.
  func luma(_ x: Int, _ y: Int) -> UInt8 { UInt8(truncatingIfNeeded: 16 + x &* 7 &+ y &* 13) }
  func blue(_ x: Int, _ y: Int) -> UInt8 { UInt8(truncatingIfNeeded: 90 + x &* 3 &+ y &* 5) }
  func red(_ x: Int, _ y: Int) -> UInt8 { UInt8(truncatingIfNeeded: 200 &- x &* 11 &+ y &* 2) }

  /// The pieces of memory a driver would fill; strides per piece, padding is filled with 0xEE.
  func pieces(_ format: PixelFormat, strides: [Int]) -> [[UInt8]] {
    func plane(
      _ stride: Int, _ rowBytes: Int, _ rows: Int, padsLast: Bool, _ value: (Int, Int) -> UInt8
    ) -> [UInt8] {
      var bytes: [UInt8] = []
      for y in 0..<rows {
        for x in 0..<rowBytes { bytes.append(value(x, y)) }
        if y < rows - 1 || padsLast { bytes += [UInt8](repeating: 0xEE, count: stride - rowBytes) }
      }
      return bytes
    }
    func chroma(_ x: Int, _ y: Int) -> UInt8 { x % 2 == 0 ? blue(x / 2, y) : red(x / 2, y) }
    let (w, h) = (width, height)
    switch format {
    case .yuyv, .uyvy:
      // Both rows of a pair have the same chroma, so that averaging them changes nothing.
      return [
        plane(strides[0], w * 2, h, padsLast: false) { x, y in
          (x % 2 == 0) == (format == .yuyv) ? luma(x / 2, y) : chroma(x / 4 * 2 + x % 4 / 2, y / 2)
        }
      ]
    case .nv12:
      return [
        plane(strides[0], w, h, padsLast: true, luma) + plane(strides[0], w, h / 2, padsLast: false, chroma)
      ]
    case .nv12Apart:
      return [
        plane(strides[0], w, h, padsLast: false, luma), plane(strides[1], w, h / 2, padsLast: false, chroma),
      ]
    case .yu12:
      return [
        plane(strides[0], w, h, padsLast: true, luma)
          + plane(strides[0] / 2, w / 2, h / 2, padsLast: true, blue)
          + plane(strides[0] / 2, w / 2, h / 2, padsLast: false, red)
      ]
    case .yu12Apart:
      return [
        plane(strides[0], w, h, padsLast: false, luma), plane(strides[1], w / 2, h / 2, padsLast: false, blue),
        plane(strides[2], w / 2, h / 2, padsLast: false, red),
      ]
    default: return []
    }
  }

  /// Samples of a converted picture that are not what they must be; padding that was written counts too.
  func differences(_ bytes: UnsafeMutableRawBufferPointer, _ layout: I420Layout, fill: UInt8) -> Int {
    var count = 0
    func check(_ offset: Int, _ stride: Int, _ w: Int, _ h: Int, _ value: (Int, Int) -> UInt8) {
      for y in 0..<h {
        for x in 0..<stride where bytes[offset + y * stride + x] != (x < w ? value(x, y) : fill) { count += 1 }
      }
    }
    check(0, layout.lumaStride, width, height, luma)
    check(layout.blueOffset, layout.chromaStride, width / 2, height / 2, blue)
    check(layout.redOffset, layout.chromaStride, width / 2, height / 2, red)
    return count
  }
}

extension PixelConverter {
  /// Converts pieces of memory that end right before a page that may not be read.
  func convert(_ pieces: [[UInt8]], into output: GuardedBytes) throws(ConversionError) {
    let guarded = pieces.map { GuardedBytes($0) }
    var lent = FramePieces(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
    for (index, piece) in guarded.enumerated() { lent[index] = UnsafeRawBufferPointer(piece.bytes) }
    defer { withExtendedLifetime((guarded, output)) {} }
    try convert(lent, into: output.bytes)
  }
}

/// What a command prints.
func output(of command: String) -> [UInt8] {
  guard let pipe = popen(command, "r") else { return [] }
  defer { pclose(pipe) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&chunk, 1, chunk.count, pipe)
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}
