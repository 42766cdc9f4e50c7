/// Which track a packet belongs to; the raw value is also the `track_ID` in the MP4 (ISO/IEC 14496-12, 8.3.2).
public struct TrackID: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let video = TrackID(rawValue: 1)
  public static let audio = TrackID(rawValue: 2)
}

/// What is true of one packet beyond its bytes.
public struct PacketFlags: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Decoding can begin here: an H.264 IDR picture, every JPEG. Every audio packet is one, and does not say so.
  public static let keyframe = PacketFlags(rawValue: 1)
  /// The first packet after an encoder was started or reset; its first `preSkip` decoded samples are not sound.
  public static let streamStart = PacketFlags(rawValue: 2)
}

/// One encoded packet without its bytes. Video bytes are one picture as `VideoCodec` says, H.264 without parameter sets;
/// audio bytes are one Opus packet.
public struct PacketHeader: Hashable, Sendable {
  public var track: TrackID
  public var flags: PacketFlags
  /// Bytes of payload.
  public var length: Int
  /// Video: the start of exposure. Audio: the first sample that it decodes to, encoder delay taken off.
  public var time: MonotonicTime
  /// Video: the source's own frame number; a jump is that many lost frames. Audio: the index, at the track's sample
  /// rate and without gaps, of the first sample that it decodes to; negative in the encoder delay before sample 0.
  public var position: Int64

  public init(track: TrackID, flags: PacketFlags, length: Int, time: MonotonicTime, position: Int64) {
    self.track = track
    self.flags = flags
    self.length = length
    self.time = time
    self.position = position
  }

  public var isKeyframe: Bool { flags.contains(.keyframe) }
}
