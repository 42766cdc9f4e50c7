/// Where the three planes of an 8-bit 4:2:0 picture (I420) lie in one buffer.
///
/// Strides are multiples of 64 bytes so that SIMD code in the converters and encoders stays on aligned rows.
public struct I420Layout: Hashable, Sendable {
  /// Pixels; both even and within 16...8192.
  public let width: Int
  public let height: Int
  /// Bytes from one row to the next.
  public let lumaStride: Int
  public let chromaStride: Int

  /// Nil unless both sides are even and within 16...8192.
  public init?(width: Int, height: Int) {
    guard (16...8192).contains(width), (16...8192).contains(height), width % 2 == 0, height % 2 == 0 else { return nil }
    self.width = width
    self.height = height
    self.lumaStride = (width + 63) / 64 * 64
    self.chromaStride = (width / 2 + 63) / 64 * 64
  }

  /// Offset of the first byte of each plane; luma begins at 0.
  public var blueOffset: Int { lumaStride * height }
  public var redOffset: Int { blueOffset + chromaStride * (height / 2) }
  /// Bytes of the whole buffer.
  public var byteCount: Int { redOffset + chromaStride * (height / 2) }
}
