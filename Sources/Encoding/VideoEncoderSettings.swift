public import Media

/// How much effort goes into each picture; the names are x264's. libopenh264 knows three steps: its lowest for
/// `ultrafast` and `superfast`, its middle for `veryfast` and `faster`, its highest for the others.
public enum VideoPreset: String, CaseIterable, Hashable, Sendable {
  case ultrafast, superfast, veryfast, faster, fast, medium
}

/// What the numbers in a picture mean (ITU-T H.264, E.2.1): it is written into the stream, no pixel is changed.
public struct VideoColour: Hashable, Sendable {
  public enum Matrix: String, Hashable, Sendable {
    /// SMPTE 170M: what USB cameras send unless they say otherwise.
    case bt601
    case bt709
  }

  public var matrix: Matrix
  /// Luma 0...255 as in JPEG; false: 16...235.
  public var isFullRange: Bool

  public init(matrix: Matrix, isFullRange: Bool = false) {
    self.matrix = matrix
    self.isFullRange = isFullRange
  }

  public static let bt601 = VideoColour(matrix: .bt601)
  public static let bt709 = VideoColour(matrix: .bt709)
}

/// What an encoder is opened with; it does not change while the encoder lives.
public struct VideoEncoderSettings: Hashable, Sendable {
  /// Pixels; even, 16...8192.
  public var width: Int
  public var height: Int
  /// The nominal rate, 1...240. Rate control spreads its bits over it; times of packets come from the pictures.
  public var framesPerSecond: Double
  /// The mean to aim for, bits per second.
  public var bitrate: Int
  /// Bits per second that no stretch of the stream exceeds by more than one buffer (see `peakBytes(in:)`).
  public var peakBitrate: Int
  /// The size of that buffer, in milliseconds at the peak rate: 100...10_000. Short ones bound tighter and look worse.
  public var bufferMilliseconds: Int
  public var preset: VideoPreset
  /// Time between two keyframes; only `KeyframeCadence` reads it, the encoders make keyframes on request alone.
  public var gop: Nanoseconds
  /// Slices coded at once, 1...16.
  public var threads: Int
  public var colour: VideoColour
  /// Which hardware encoder: a node's path, or the name of one alone; empty: the first that there is. Software ignores it.
  public var device: String

  public init(
    width: Int, height: Int, framesPerSecond: Double, bitrate: Int, peakBitrate: Int, bufferMilliseconds: Int = 1000,
    preset: VideoPreset = .superfast, gop: Nanoseconds = .seconds(1), threads: Int = 2, colour: VideoColour = .bt601,
    device: String = ""
  ) {
    self.width = width
    self.height = height
    self.framesPerSecond = framesPerSecond
    self.bitrate = bitrate
    self.peakBitrate = peakBitrate
    self.bufferMilliseconds = bufferMilliseconds
    self.preset = preset
    self.gop = gop
    self.threads = threads
    self.colour = colour
    self.device = device
  }

  /// The time from one picture to the next at the nominal rate; a second for rates that `validate` refuses.
  public var frameInterval: Nanoseconds {
    framesPerSecond >= 1 && framesPerSecond <= 240 ? Nanoseconds(Int64((1e9 / framesPerSecond).rounded())) : .seconds(1)
  }

  /// The buffer of the rate control, in bytes.
  public var bufferBytes: Int { peakBitrate / 8 * bufferMilliseconds / 1000 }

  /// The most bytes that packets of any stretch of this length may have: peak × length + buffer.
  public func peakBytes(in length: Nanoseconds) -> Int {
    Int(Double(peakBitrate) / 8 * length.inSeconds) + bufferBytes
  }

  /// The rate as a fraction, NTSC rates as n × 1000 / 1001.
  var rateFraction: (numerator: UInt32, denominator: UInt32) {
    let whole = framesPerSecond.rounded()
    if abs(framesPerSecond - whole) < 0.000_1 { return (UInt32(whole), 1) }
    let ceiling = framesPerSecond.rounded(.up)
    if abs(framesPerSecond - ceiling * 1000 / 1001) < 0.005 { return (UInt32(ceiling) * 1000, 1001) }
    return (UInt32((framesPerSecond * 1000).rounded()), 1000)
  }

  /// Throws `EncodingError.setting` for the first value out of its range.
  public func validate() throws(EncodingError) {
    guard I420Layout(width: width, height: height) != nil else {
      throw .setting(name: "size", value: "\(width)x\(height)", allowed: "both sides even and 16 to 8192")
    }
    guard framesPerSecond >= 1, framesPerSecond <= 240 else {
      throw .setting(name: "frame rate", value: "\(framesPerSecond)", allowed: "1 to 240 per second")
    }
    guard (32_000...200_000_000).contains(bitrate) else {
      throw .setting(name: "bitrate", value: "\(bitrate)", allowed: "32,000 to 200,000,000 bits per second")
    }
    guard (bitrate...400_000_000).contains(peakBitrate) else {
      throw .setting(
        name: "peak bitrate", value: "\(peakBitrate)", allowed: "from the bitrate to 400,000,000 bits per second")
    }
    guard (100...10_000).contains(bufferMilliseconds) else {
      throw .setting(name: "rate buffer", value: "\(bufferMilliseconds)", allowed: "100 to 10,000 ms")
    }
    guard gop >= .milliseconds(100), gop <= .seconds(10) else {
      throw .setting(name: "gop", value: "\(gop.inMilliseconds) ms", allowed: "0.1 to 10 s")
    }
    guard (1...16).contains(threads) else {
      throw .setting(name: "encoder threads", value: "\(threads)", allowed: "1 to 16")
    }
  }
}
