/// Where the samples of a picture lie in the one to three pieces of memory that a driver fills.
public struct PixelLayout: Hashable, Sendable {
  /// One plane of samples.
  struct Component: Hashable, Sendable {
    /// Which piece of memory, and the byte in it where the first row begins.
    var piece: Int
    var offset: Int
    /// Bytes from one row to the next, bytes of a row, and rows.
    var stride: Int
    var rowBytes: Int
    var rows: Int

    /// Bytes that the piece must hold.
    var end: Int { offset + stride * (rows - 1) + rowBytes }
  }

  public let pixelFormat: PixelFormat
  public let size: FrameSize
  /// YUYV, UYVY: one; NV12: luma, chroma; YU12: luma, blue, red; JPEG and H.264: none.
  let components: [Component]

  /// - Parameter strides: bytes from row to row in each piece of memory, as the driver granted them (`bytesperline`);
  ///   0 means rows without padding.
  /// - Returns: nil for a format that is not supported, odd sizes, and strides that cannot hold a row.
  public init?(pixelFormat: PixelFormat, size: FrameSize, strides: [Int] = []) {
    guard (2...16_384).contains(size.width), (2...16_384).contains(size.height), size.width % 2 == 0,
      size.height % 2 == 0
    else { return nil }
    let (width, height) = (size.width, size.height)
    func stride(_ piece: Int, _ least: Int) -> Int {
      piece < strides.count && strides[piece] != 0 ? strides[piece] : least
    }
    let luma = stride(0, width)
    func component(_ piece: Int, _ offset: Int, _ stride: Int, _ rowBytes: Int, _ rows: Int) -> Component {
      Component(piece: piece, offset: offset, stride: stride, rowBytes: rowBytes, rows: rows)
    }
    // In one piece of memory the planes follow each other without a gap, and rows of blue and red have half the stride
    // of luma ("Planar YUV formats" in the kernel's documentation).
    switch pixelFormat {
    case .yuyv, .uyvy:
      components = [component(0, 0, stride(0, width * 2), width * 2, height)]
    case .nv12:
      components = [component(0, 0, luma, width, height), component(0, luma * height, luma, width, height / 2)]
    case .nv12Apart:
      components = [component(0, 0, luma, width, height), component(1, 0, stride(1, width), width, height / 2)]
    case .yu12:
      let chroma = luma / 2
      components = [
        component(0, 0, luma, width, height), component(0, luma * height, chroma, width / 2, height / 2),
        component(0, luma * height + chroma * (height / 2), chroma, width / 2, height / 2),
      ]
    case .yu12Apart:
      components = [
        component(0, 0, luma, width, height), component(1, 0, stride(1, width / 2), width / 2, height / 2),
        component(2, 0, stride(2, width / 2), width / 2, height / 2),
      ]
    case .mjpeg, .jpeg, .h264: components = []
    default: return nil
    }
    // A stride of at most 1 MiB keeps every product above far from overflow.
    guard components.allSatisfy({ $0.stride >= $0.rowBytes && $0.stride <= 1 << 20 }) else { return nil }
    self.pixelFormat = pixelFormat
    self.size = size
  }

  /// Pieces of memory that a picture comes in.
  public var pieceCount: Int { (components.map(\.piece).max() ?? 0) + 1 }
}
