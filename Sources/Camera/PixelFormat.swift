/// How pixels arrive: a Video4Linux format code of four characters (`V4L2_PIX_FMT_*`).
public struct PixelFormat: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Four ASCII characters, the first in the lowest byte; anything shorter is filled with spaces.
  public init(_ code: StaticString) {
    rawValue = code.withUTF8Buffer { bytes in
      (0..<4).reduce(0) { $0 | UInt32($1 < bytes.count ? bytes[$1] : 0x20) << (8 * UInt32($1)) }
    }
  }

  /// Packed 4:2:2, two pixels in four bytes.
  public static let yuyv = PixelFormat("YUYV")
  public static let uyvy = PixelFormat("UYVY")
  /// 4:2:0, luma and then blue and red interleaved; in one piece of memory, and (`NM12`) in two.
  public static let nv12 = PixelFormat("NV12")
  public static let nv12Apart = PixelFormat("NM12")
  /// 4:2:0, luma, blue, red; in one piece of memory, and (`YM12`) in three.
  public static let yu12 = PixelFormat("YU12")
  public static let yu12Apart = PixelFormat("YM12")
  /// A JPEG picture a frame; drivers use both codes.
  public static let mjpeg = PixelFormat("MJPG")
  public static let jpeg = PixelFormat("JPEG")

  /// H.264 as a byte stream, an access unit a frame.
  public static let h264 = PixelFormat("H264")

  /// The formats that `PixelConverter` reads, the cheapest to convert first.
  public static let supported: [PixelFormat] = [.yu12, .yu12Apart, .nv12, .nv12Apart, .yuyv, .uyvy, .mjpeg, .jpeg]

  /// It can be converted, or passed through.
  var isUsable: Bool { Self.supported.contains(self) || self == .h264 }

  public var isJPEG: Bool { self == .mjpeg || self == .jpeg }

  /// The same arrangement of pixels, whether its planes lie in one piece of memory or several.
  public func isVariant(of other: PixelFormat) -> Bool { inOnePiece == other.inOnePiece }

  private var inOnePiece: PixelFormat {
    switch self {
    case .nv12Apart: .nv12
    case .yu12Apart: .yu12
    case .jpeg: .mjpeg
    default: self
    }
  }

  /// True of the raw output of an image sensor, which needs an image pipeline before it is a picture.
  public var isBayer: Bool { PixelFormat.bayer.contains(rawValue) }

  /// 8, 10, 12, 14 and 16 bits, packed and not, in the four orders (videodev2.h, "Bayer formats").
  private static let bayer: Set<UInt32> = Set(
    ([
      "BA81", "GBRG", "GRBG", "RGGB", "BG10", "GB10", "BA10", "RG10", "pBAA", "pGAA", "pgAA", "pRAA", "aBA8", "aGA8",
      "agA8", "aRA8", "bBA8", "bGA8", "BD10", "bRA8", "BG12", "GB12", "BA12", "RG12", "pBCC", "pGCC", "pgCC", "pRCC",
      "BG14", "GB14", "GR14", "RG14", "pBEE", "pGEE", "pgEE", "pREE", "BYR2", "GB16", "GR16", "RG16",
    ] as [StaticString]).map { PixelFormat($0).rawValue })

  /// The four characters; a byte that is not printable ASCII shows as `?`, and the highest bit (big-endian) as `-BE`.
  public var description: String {
    var text = ""
    for index: UInt32 in 0..<4 {
      let byte = UInt8(truncatingIfNeeded: rawValue >> (8 * index)) & (index == 3 ? 0x7F : 0xFF)
      text.unicodeScalars.append((0x20..<0x7F).contains(byte) ? Unicode.Scalar(byte) : "?")
    }
    while text.last == " " { text.removeLast() }
    return rawValue >> 31 == 1 ? text + "-BE" : text
  }
}
