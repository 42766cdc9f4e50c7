import CYUV
import Media

/// Where the samples of a picture lie in a raw buffer of the encoder, which may be wider and higher than the picture: its
/// rows have the granted stride, its planes the granted height ("Planar YUV formats" in the kernel's documentation).
struct RawLayout: Hashable, Sendable {
  /// One plane of samples: which piece of memory, its first byte, bytes from row to row, and rows.
  struct Plane: Hashable, Sendable {
    var piece: Int
    var offset: Int
    var stride: Int
    var rows: Int

    var end: Int { offset + stride * rows }
  }

  let format: FourCC
  let width: Int
  let height: Int
  let planes: [Plane]

  /// - Parameter strides: bytes from row to row in each piece of memory, as the driver granted them (`bytesperline`);
  ///   0 means rows without padding.
  /// - Returns: nil for a format that is not in `FourCC.raw`, odd sizes, and strides that cannot hold a row.
  init?(format: FourCC, width: Int, height: Int, strides: [Int]) {
    guard (2...16_384).contains(width), (2...16_384).contains(height), width % 2 == 0, height % 2 == 0 else {
      return nil
    }
    func stride(_ piece: Int, _ least: Int) -> Int {
      piece < strides.count && strides[piece] != 0 ? strides[piece] : least
    }
    let luma = stride(0, width)
    let half = height / 2
    switch format {
    case .yu12:
      planes = [
        Plane(piece: 0, offset: 0, stride: luma, rows: height),
        Plane(piece: 0, offset: luma * height, stride: luma / 2, rows: half),
        Plane(piece: 0, offset: luma * height + luma / 2 * half, stride: luma / 2, rows: half),
      ]
    case .yu12Apart:
      planes = [
        Plane(piece: 0, offset: 0, stride: luma, rows: height),
        Plane(piece: 1, offset: 0, stride: stride(1, width / 2), rows: half),
        Plane(piece: 2, offset: 0, stride: stride(2, width / 2), rows: half),
      ]
    case .nv12:
      planes = [
        Plane(piece: 0, offset: 0, stride: luma, rows: height),
        Plane(piece: 0, offset: luma * height, stride: luma, rows: half),
      ]
    case .nv12Apart:
      planes = [
        Plane(piece: 0, offset: 0, stride: luma, rows: height),
        Plane(piece: 1, offset: 0, stride: stride(1, width), rows: half),
      ]
    default: return nil
    }
    // A stride of at most 1 MiB keeps every product above far from overflow.
    let least = planes.count == 3 ? [width, width / 2, width / 2] : [width, width]
    guard zip(planes, least).allSatisfy({ $0.stride >= $1 && $0.stride <= 1 << 20 }) else { return nil }
    self.format = format
    self.width = width
    self.height = height
  }

  /// Pieces of memory that a picture lies in.
  var pieceCount: Int { (planes.map(\.piece).max() ?? 0) + 1 }

  /// Bytes that a piece must have.
  func byteCount(ofPiece piece: Int) -> Int { planes.filter { $0.piece == piece }.map(\.end).max() ?? 0 }

  /// Copies a picture in (libyuv); what lies beyond its edges is left as it is. False, with nothing written, when a piece
  /// is too small or the picture larger than the layout.
  func fill(from picture: RawSpan, _ source: I420Layout, into pieces: RawPieces) -> Bool {
    guard picture.byteCount >= source.byteCount, source.width <= width, source.height <= height,
      (0..<pieceCount).allSatisfy({ pieces[$0].count >= byteCount(ofPiece: $0) })
    else { return false }
    func target(_ index: Int) -> UnsafeMutablePointer<UInt8>? {
      pieces[planes[index].piece].baseAddress?.advanced(by: planes[index].offset).assumingMemoryBound(to: UInt8.self)
    }
    func stride(_ index: Int) -> Int32 { Int32(planes[index].stride) }
    // libyuv writes `width` bytes in each of `height` rows, and half of both in each plane of chroma: inside the pieces,
    // checked above.
    return picture.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
      let (blue, red) = (base + source.blueOffset, base + source.redOffset)
      let (luma, chroma) = (Int32(source.lumaStride), Int32(source.chromaStride))
      let (width, height) = (Int32(source.width), Int32(source.height))
      if planes.count == 3 {
        return I420Copy(
          base, luma, blue, chroma, red, chroma, target(0), stride(0), target(1), stride(1), target(2), stride(2),
          width,
          height) == 0
      }
      return I420ToNV12(
        base, luma, blue, chroma, red, chroma, target(0), stride(0), target(1), stride(1), width, height) == 0
    }
  }
}

/// Up to three pieces of memory; those that do not exist are empty.
typealias RawPieces = InlineArray<3, UnsafeMutableRawBufferPointer>
