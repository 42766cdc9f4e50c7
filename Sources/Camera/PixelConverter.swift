import CYUV
public import Media

/// Why a frame could not be converted: its content is at fault, and it counts as one lost frame.
public enum ConversionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The driver filled fewer bytes than the picture has.
  case shortFrame(expected: Int, found: Int)
  case notAJPEG
  case truncatedJPEG
  /// The JPEG says another size than the camera granted.
  case wrongSize(FrameSize)
  /// libyuv could not decode the JPEG.
  case undecodable
  /// The memory given for the result is smaller than its layout.
  case targetTooSmall

  public var description: String {
    switch self {
    case .shortFrame(let expected, let found): "a frame of \(found) bytes where the picture has \(expected)"
    case .notAJPEG: "a frame that is no JPEG"
    case .truncatedJPEG: "a JPEG that ends too early"
    case .wrongSize(let size): "a JPEG of \(size) where another size was granted"
    case .undecodable: "a JPEG that cannot be decoded"
    case .targetTooSmall: "too little memory for the converted picture"
    }
  }
}

/// Converts what a camera delivers into I420 (libyuv). Sample values are not touched: the range (full or limited) is
/// the camera's.
///
/// One thread at a time. Raw formats allocate nothing; libyuv allocates its decoder for each JPEG. A JPEG that is whole
/// but lost some of its data on the way decodes with a grey rest, as in every viewer, and is no error.
public struct PixelConverter: Sendable {
  public let source: PixelLayout
  public let target: I420Layout

  /// Nil when the two are not of the same size, for nothing is scaled, and for H.264, which is not decoded.
  public init?(source: PixelLayout, target: I420Layout) {
    guard PixelFormat.supported.contains(source.pixelFormat), source.size.width == target.width,
      source.size.height == target.height
    else { return nil }
    self.source = source
    self.target = target
  }

  /// Converts one frame. After an error the target may be partly written.
  /// - Parameter output: at least `target.byteCount` bytes, laid out as `target` says. Padding is not written.
  public func convert(
    _ frame: borrowing CapturedFrame, into output: UnsafeMutableRawBufferPointer
  ) throws(ConversionError) {
    try convert(frame.pieces, into: output)
  }

  func convert(_ pieces: FramePieces, into output: UnsafeMutableRawBufferPointer) throws(ConversionError) {
    guard output.count >= target.byteCount, let base = output.baseAddress else { throw .targetTooSmall }
    // libyuv writes `width` bytes in each of `height` rows (half of both for chroma) at these strides: all inside
    // `byteCount`, by the definition of `I420Layout`.
    let bytes = base.assumingMemoryBound(to: UInt8.self)
    let planes = TargetPlanes(
      luma: bytes, blue: bytes + target.blueOffset, red: bytes + target.redOffset, layout: target)
    if source.pixelFormat.isJPEG {
      try decode(pieces[0], into: planes)
    } else {
      try copy(pieces, into: planes)
    }
  }

  private struct TargetPlanes {
    let luma: UnsafeMutablePointer<UInt8>
    let blue: UnsafeMutablePointer<UInt8>
    let red: UnsafeMutablePointer<UInt8>
    let layout: I420Layout
    var lumaStride: Int32 { Int32(layout.lumaStride) }
    var chromaStride: Int32 { Int32(layout.chromaStride) }
    var width: Int32 { Int32(layout.width) }
    var height: Int32 { Int32(layout.height) }
  }

  private func decode(_ piece: UnsafeRawBufferPointer, into planes: TargetPlanes) throws(ConversionError) {
    let header = try JPEGHeader(piece.bytes)
    guard header.size == source.size else { throw .wrongSize(header.size) }
    let result = MJPGToI420(
      piece.baseAddress?.assumingMemoryBound(to: UInt8.self), piece.count, planes.luma, planes.lumaStride, planes.blue,
      planes.chromaStride, planes.red, planes.chromaStride, planes.width, planes.height, planes.width, planes.height)
    guard result == 0 else { throw .undecodable }
  }

  private func copy(_ pieces: FramePieces, into planes: TargetPlanes) throws(ConversionError) {
    // libyuv reads `rowBytes` in each of `rows` rows from `offset` on: inside the piece, checked here.
    for component in source.components where pieces[component.piece].count < component.end {
      throw .shortFrame(expected: component.end, found: pieces[component.piece].count)
    }
    func start(_ index: Int) -> UnsafePointer<UInt8>? {
      let component = source.components[index]
      return pieces[component.piece].baseAddress.map {
        ($0 + component.offset).assumingMemoryBound(to: UInt8.self)
      }
    }
    func stride(_ index: Int) -> Int32 { Int32(source.components[index].stride) }

    let result: Int32 =
      switch source.components.count {
      case 1 where source.pixelFormat == .uyvy:
        UYVYToI420(
          start(0), stride(0), planes.luma, planes.lumaStride, planes.blue, planes.chromaStride, planes.red,
          planes.chromaStride, planes.width, planes.height)
      case 1:
        YUY2ToI420(
          start(0), stride(0), planes.luma, planes.lumaStride, planes.blue, planes.chromaStride, planes.red,
          planes.chromaStride, planes.width, planes.height)
      case 2:
        NV12ToI420(
          start(0), stride(0), start(1), stride(1), planes.luma, planes.lumaStride, planes.blue, planes.chromaStride,
          planes.red, planes.chromaStride, planes.width, planes.height)
      default:
        I420Copy(
          start(0), stride(0), start(1), stride(1), start(2), stride(2), planes.luma, planes.lumaStride, planes.blue,
          planes.chromaStride, planes.red, planes.chromaStride, planes.width, planes.height)
      }
    guard result == 0 else { throw .undecodable }
  }
}
