/// What an encoder is asked for.
public struct CodecRequest: Sendable {
  /// A node's path, or a bus address, card or driver that fits one encoder alone; empty: the first that there is.
  public var device: String
  /// What it is to make.
  public var coded: FourCC
  /// Pixels of the pictures; even.
  public var width: Int
  public var height: Int
  /// The nominal rate as a fraction, in pictures a second; rate control spreads its bits over it.
  public var rate: (numerator: UInt32, denominator: UInt32)
  /// Matrix and range of the samples, for the stream's own description of itself.
  public var isBT709: Bool
  public var isFullRange: Bool
  /// How large a coded picture may be, in bytes.
  public var codedBytes: Int
  public var controls: [ControlSetting]

  public init(
    device: String, coded: FourCC, width: Int, height: Int, rate: (numerator: UInt32, denominator: UInt32),
    isBT709: Bool = false, isFullRange: Bool = false, codedBytes: Int = 0, controls: [ControlSetting] = []
  ) {
    self.device = device
    self.coded = coded
    self.width = width
    self.height = height
    self.rate = rate
    self.isBT709 = isBT709
    self.isFullRange = isFullRange
    self.codedBytes = codedBytes
    self.controls = controls
  }
}

/// What an encoder granted, and what it is.
public struct GrantedCodec: Hashable, Sendable, CustomStringConvertible {
  /// How a keyframe is had where one is wanted.
  public enum KeyframeMethod: Hashable, Sendable {
    /// V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, set while no picture before it waits.
    case control
    /// The driver has no such control: what is in the encoder is drained and a stream of its own is begun.
    case reset
  }

  public var path: String
  public var driver: String
  public var card: String
  public var bus: String
  public var isMultiplanar: Bool
  public var coded: FourCC
  /// What pictures are given in, and the size of its buffers, which may be larger than the picture.
  public var raw: FourCC
  public var bufferWidth: Int
  public var bufferHeight: Int
  /// Buffers on each side.
  public var rawCount: Int
  public var codedCount: Int
  public var keyframes: KeyframeMethod
  /// Wished controls that the driver lacks or refused.
  public var missing: [CodecControl]

  public var description: String {
    "\(card) (\(driver), \(bus)) at \(path): \(raw) in buffers of \(bufferWidth)x\(bufferHeight), "
      + "\(isMultiplanar ? "multi-planar" : "single-planar"), \(rawCount) in and \(codedCount) out, keyframes by "
      + "\(keyframes == .control ? "request" : "reset")"
      + (missing.isEmpty ? "" : "; without \(missing.map(\.description).joined(separator: ", "))")
  }
}
