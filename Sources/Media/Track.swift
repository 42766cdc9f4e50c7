/// The H.264 parameter sets of a stream, each one NAL unit without start code or length (ITU-T H.264, 7.3.2).
public struct H264ParameterSets: Hashable, Sendable {
  public var sequence: [UInt8]
  public var picture: [UInt8]

  public init(sequence: [UInt8], picture: [UInt8]) {
    self.sequence = sequence
    self.picture = picture
  }
}

/// How the pictures of a track are coded.
public enum VideoCodec: Hashable, Sendable {
  /// H.264 with these parameter sets; a sample is NAL units with lengths of four bytes.
  case h264(H264ParameterSets)
  /// A sample is one JPEG picture (ITU-T T.81), from its start marker to its end marker.
  case jpeg
}

/// How far a player turns the pictures clockwise; the pixels stay as they are. The raw value is in degrees.
public enum DisplayRotation: Int, CaseIterable, Hashable, Sendable {
  case none = 0
  case quarter = 90
  case half = 180
  case threeQuarters = 270
}

/// What an init segment must say of a video track.
public struct VideoTrack: Hashable, Sendable {
  /// Ticks of its media timeline in a second: 90,000 divides every usual frame rate.
  public static let timescale: Int64 = 90_000

  public var width: Int
  public var height: Int
  public var codec: VideoCodec
  public var rotation: DisplayRotation

  public init(width: Int, height: Int, codec: VideoCodec, rotation: DisplayRotation = .none) {
    self.width = width
    self.height = height
    self.codec = codec
    self.rotation = rotation
  }

  public init(width: Int, height: Int, parameterSets: H264ParameterSets) {
    self.init(width: width, height: height, codec: .h264(parameterSets))
  }
}

/// What an init segment must say of an Opus track (Encapsulation of Opus in ISO Base Media, 4.3.2).
public struct AudioTrack: Hashable, Sendable {
  /// Opus in MP4 always counts at 48 kHz.
  public static let timescale: Int64 = 48_000

  /// 1 or 2.
  public var channels: Int
  /// Samples at the start of the first packet that are encoder delay, not sound: the encoder's lookahead in a segment
  /// whose first packet starts a stream, 0 in every other.
  public var preSkip: Int

  public init(channels: Int, preSkip: Int) {
    self.channels = channels
    self.preSkip = preSkip
  }
}
