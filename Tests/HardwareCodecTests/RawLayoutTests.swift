import Media
import Testing

@testable import HardwareCodec

@Suite struct RawLayoutTests {
  /// A picture whose every sample says its plane, row and column.
  private static func sample(_ plane: Int, _ row: Int, _ column: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: plane * 83 + row * 7 + column * 3 + 1)
  }

  private static func picture(_ layout: I420Layout) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: layout.byteCount)
    for (plane, start) in [0, layout.blueOffset, layout.redOffset].enumerated() {
      let (stride, half) = plane == 0 ? (layout.lumaStride, 1) : (layout.chromaStride, 2)
      for row in 0..<layout.height / half {
        for column in 0..<layout.width / half { bytes[start + row * stride + column] = sample(plane, row, column) }
      }
    }
    return bytes
  }

  private func fill(
    _ layout: RawLayout, _ picture: [UInt8], _ source: I420Layout, _ pieces: RawPieces
  ) -> Bool {
    layout.fill(from: picture.span.bytes, source, into: pieces)
  }

  /// Where a sample of a plane has to be, by the kernel's description of the format.
  private static func place(
    _ format: FourCC, _ plane: Int, _ row: Int, _ column: Int, stride: [Int], height: Int
  ) -> (piece: Int, offset: Int) {
    switch (format, plane) {
    case (_, 0): (0, row * stride[0] + column)
    case (.yu12, _):
      (0, stride[0] * height + (plane - 1) * stride[0] / 2 * (height / 2) + row * (stride[0] / 2) + column)
    case (.yu12Apart, _): (plane, row * stride[plane] + column)
    case (.nv12, _): (0, stride[0] * height + row * stride[0] + column * 2 + plane - 1)
    default: (1, row * stride[1] + column * 2 + plane - 1)
    }
  }

  @Test(
    "every sample lies where the format wants it, with strides and heights of the buffer, and nothing beyond the picture is touched",
    arguments: FourCC.raw, [(48, 32, 48, 32), (50, 34, 64, 48)])
  func fills(_ format: FourCC, _ size: (Int, Int, Int, Int)) throws {
    let (width, height, bufferWidth, bufferHeight) = size
    let source = try #require(I420Layout(width: width, height: height))
    let strides =
      switch format {
      case .yu12, .nv12: [bufferWidth + 32]
      case .yu12Apart: [bufferWidth + 32, bufferWidth / 2 + 8, bufferWidth / 2 + 24]
      default: [bufferWidth + 32, bufferWidth + 16]
      }
    let layout = try #require(RawLayout(format: format, width: bufferWidth, height: bufferHeight, strides: strides))
    let memory = (0..<3).map { piece in
      let bytes = UnsafeMutableRawBufferPointer.allocate(
        byteCount: layout.byteCount(ofPiece: piece) + 16, alignment: 64)
      bytes.initializeMemory(as: UInt8.self, repeating: 0xA5)
      return bytes
    }
    defer { for bytes in memory { bytes.deallocate() } }
    var pieces = RawPieces(repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    for piece in 0..<layout.pieceCount { pieces[piece] = memory[piece] }
    #expect(fill(layout, Self.picture(source), source, pieces))

    var written = 0
    var wrong = 0
    for plane in 0..<3 {
      let half = plane == 0 ? 1 : 2
      for row in 0..<height / half {
        for column in 0..<width / half {
          let (piece, offset) = Self.place(format, plane, row, column, stride: strides, height: bufferHeight)
          written += 1
          if memory[piece][offset] != Self.sample(plane, row, column) { wrong += 1 }
          memory[piece][offset] = 0xA5
        }
      }
    }
    #expect(written == width * height * 3 / 2 && wrong == 0)
    // All that was not a sample is as it was.
    #expect(memory.allSatisfy { $0.allSatisfy { $0 == 0xA5 } })
  }

  @Test("rows without padding are taken where the driver names no stride")
  func noStride() throws {
    let layout = try #require(RawLayout(format: .yu12, width: 64, height: 48, strides: [0]))
    #expect(layout.byteCount(ofPiece: 0) == 64 * 48 * 3 / 2 && layout.pieceCount == 1)
    #expect(RawLayout(format: .nv12Apart, width: 64, height: 48, strides: [])?.pieceCount == 2)
  }

  @Test("buffers that are too small, pictures that are too large, and layouts that cannot be are refused")
  func refuses() throws {
    let source = try #require(I420Layout(width: 64, height: 48))
    let picture = Self.picture(source)
    let layout = try #require(RawLayout(format: .nv12, width: 64, height: 48, strides: [64]))
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 48 * 3 / 2, alignment: 64)
    defer { memory.deallocate() }
    var pieces = RawPieces(repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    #expect(!fill(layout, picture, source, pieces))
    pieces[0] = UnsafeMutableRawBufferPointer(rebasing: memory[..<(memory.count - 1)])
    #expect(!fill(layout, picture, source, pieces))
    pieces[0] = memory
    #expect(fill(layout, picture, source, pieces))
    #expect(!fill(layout, Array(picture.prefix(1_000)), source, pieces))
    let larger = try #require(I420Layout(width: 66, height: 48))
    #expect(!fill(layout, Self.picture(larger), larger, pieces))

    #expect(RawLayout(format: .nv12, width: 64, height: 48, strides: [63]) == nil)
    #expect(RawLayout(format: .yu12Apart, width: 64, height: 48, strides: [64, 31, 32]) == nil)
    #expect(RawLayout(format: .nv12, width: 63, height: 48, strides: [64]) == nil)
    #expect(RawLayout(format: .nv12, width: 64, height: 48, strides: [2 << 20]) == nil)
    #expect(RawLayout(format: .h264, width: 64, height: 48, strides: [64]) == nil)
  }
}
