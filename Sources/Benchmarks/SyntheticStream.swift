import Media

/// Packets of a made-up camera and microphone that have exactly the bitrate asked, in order of their arrival. Pure.
///
/// Video of 30 frames a second in GOPs of one second: the keyframe has five times the bytes of a mean P frame, P frames vary
/// by a quarter, and each GOP has exactly its share. Sound in packets of 20 ms with 80 bytes each, as Opus at 32 kbit/s.
struct SyntheticStream {
  struct Packet: Hashable {
    var header: PacketHeader
    /// When it comes into the ring: capture and encoder have taken their time.
    var arrival: MonotonicTime
  }

  static let framesPerSecond: Int64 = 30
  static let soundBitrate = 32_000
  static let soundByteCount = 80
  static let frameInterval = Nanoseconds(1_000_000_000 / framesPerSecond)
  /// From the start of exposure to the packet's arrival: a frame of capture and most of another for the encoder.
  static let videoDelay = Nanoseconds.milliseconds(60)
  /// From the first sample to the packet's arrival: 20 ms of sound and the encoder.
  static let soundDelay = Nanoseconds.milliseconds(25)
  /// Samples that the Opus encoder looks ahead.
  static let lookahead = 312
  /// What the init segment says of the video: High profile, level 3.1. Nobody decodes it.
  static let video = VideoTrack(
    width: 1_280, height: 720,
    parameterSets: H264ParameterSets(
      sequence: [0x67, 0x64, 0x00, 0x1F, 0xAC, 0xD9, 0x40, 0x50, 0x05, 0xBA, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10],
      picture: [0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0]))

  let epoch: MonotonicTime
  /// Bytes of video in each GOP.
  private let gopByteCount: Int
  private var frame: Int64 = 0
  private var block: Int64 = 0

  /// - Parameter bitrate: bits a second of both tracks together; above that of the sound.
  init(bitrate: Int, epoch: MonotonicTime) {
    self.epoch = epoch
    gopByteCount = max(0, bitrate - Self.soundBitrate) / 8
  }

  /// The next packet to arrive; endless.
  mutating func next() -> Packet {
    let (video, sound) = (videoPacket(frame), Self.soundPacket(block, epoch: epoch))
    if video.arrival <= sound.arrival {
      frame += 1
      return video
    }
    block += 1
    return sound
  }

  private func videoPacket(_ frame: Int64) -> Packet {
    let (gop, index) = frame.quotientAndRemainder(dividingBy: Self.framesPerSecond)
    let time = epoch + Nanoseconds(frame * 1_000_000_000 / Self.framesPerSecond)
    let header = PacketHeader(
      track: .video, flags: frame == 0 ? [.keyframe, .streamStart] : index == 0 ? .keyframe : [],
      length: length(gop: gop, index: index), time: time, position: frame)
    return Packet(header: header, arrival: time + Self.videoDelay)
  }

  /// Packet `block` of a sound that began at `epoch`.
  static func soundPacket(_ block: Int64, epoch: MonotonicTime) -> Packet {
    let time = epoch + .milliseconds(20) * block
    let header = PacketHeader(
      track: .audio, flags: block == 0 ? .streamStart : [], length: soundByteCount, time: time, position: block * 960)
    return Packet(header: header, arrival: time + soundDelay)
  }

  /// Differences of a rising sum that ends at the GOP's bytes: no rounding is lost.
  private func length(gop: Int64, index: Int64) -> Int {
    let whole = Self.weight(gop: gop, before: Self.framesPerSecond)
    let before = gopByteCount * Self.weight(gop: gop, before: index) / whole
    let after = gopByteCount * Self.weight(gop: gop, before: index + 1) / whole
    return after - before
  }

  /// Thousandths of a mean P frame in the frames before `index`.
  private static func weight(gop: Int64, before index: Int64) -> Int {
    guard index > 0 else { return 0 }
    return (1..<index).reduce(5_000) { sum, index in
      // A fixed scramble of the frame's number (SplitMix64's), 750...1250.
      var value = UInt64(bitPattern: gop &* framesPerSecond &+ index) &+ 0x9E37_79B9_7F4A_7C15
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return sum + 750 + Int((value ^ (value >> 31)) % 501)
    }
  }
}
