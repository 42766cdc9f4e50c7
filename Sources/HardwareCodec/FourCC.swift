import CLinux

/// A Video4Linux format code of four characters (`V4L2_PIX_FMT_*`): how pixels lie, or how they are coded.
public struct FourCC: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let h264 = FourCC(rawValue: V4L2_PIX_FMT_H264)
  /// What the kernel's virtual encoder `vicodec` makes in place of H.264.
  public static let fwht = FourCC(rawValue: V4L2_PIX_FMT_FWHT)
  /// 4:2:0 with three planes, in one piece of memory or in three; with two, in one or in two.
  public static let yu12 = FourCC(rawValue: V4L2_PIX_FMT_YUV420)
  public static let yu12Apart = FourCC(rawValue: V4L2_PIX_FMT_YUV420M)
  public static let nv12 = FourCC(rawValue: V4L2_PIX_FMT_NV12)
  public static let nv12Apart = FourCC(rawValue: V4L2_PIX_FMT_NV12M)

  /// The raw formats that pictures can be given in, the cheapest to fill first.
  public static let raw: [FourCC] = [.yu12, .yu12Apart, .nv12, .nv12Apart]

  /// The four characters; a byte that is not printable ASCII shows as `?`.
  public var description: String {
    var text = ""
    for index: UInt32 in 0..<4 {
      let byte = UInt8(truncatingIfNeeded: rawValue >> (8 * index))
      text.unicodeScalars.append((0x20..<0x7F).contains(byte) ? Unicode.Scalar(byte) : "?")
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}
