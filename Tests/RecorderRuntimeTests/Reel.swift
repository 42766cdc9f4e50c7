import Encoding
import Media
import Synthetic
import Testing

/// Some time of the synthetic camera and microphone, really encoded, each packet with the moment of its arrival.
struct Reel: Sendable {
  struct Packet: Sendable {
    var header: PacketHeader
    var bytes: [UInt8]
    var arrival: MonotonicTime
  }

  static let epoch = MonotonicTime(nanoseconds: 98_765_432_109_876)
  static let width = 320
  static let height = 180
  static let frameInterval = Nanoseconds(33_333_333)
  /// From the exposure to the packet's arrival in the ring: capture and encoder.
  static let videoDelay = Nanoseconds.milliseconds(60)

  static func at(_ milliseconds: Int64) -> MonotonicTime { epoch + .milliseconds(milliseconds) }

  let video: VideoTrack
  private(set) var lookahead: Int
  /// In order of arrival.
  private(set) var packets: [Packet] = []

  /// 76 seconds of both, without a loss.
  static let plain = Result { try Reel(seconds: 76) }

  /// - Parameter silentCamera: no frame is captured in this time, ms.
  init(seconds: Int, silentCamera: Range<Int64> = 0..<0) throws {
    let settings = VideoEncoderSettings(
      width: Self.width, height: Self.height, framesPerSecond: 30, bitrate: 300_000, peakBitrate: 400_000, threads: 1)
    let encoder = try VideoEncoderKind.x264.open(settings)
    video = VideoTrack(width: Self.width, height: Self.height, parameterSets: encoder.parameterSets)
    let layout = try #require(I420Layout(width: Self.width, height: Self.height))
    let camera = SyntheticCamera(layout: layout, frameInterval: Self.frameInterval)
    var cadence = KeyframeCadence(gop: settings.gop, frameInterval: Self.frameInterval)
    var picture = [UInt8](repeating: 0, count: layout.byteCount)
    var packets: [Packet] = []
    for frame in 0..<Int64(seconds * 30) {
      let since = Self.frameInterval * frame
      if silentCamera.contains(since.inMilliseconds) { continue }
      picture.withUnsafeMutableBytes { _ = camera.draw(frame: UInt32(frame), time: since, into: $0) }
      let time = Self.epoch + since
      try encoder.encode(
        picture: picture.span.bytes, layout: layout, time: time, position: frame,
        forceKeyframe: cadence.wantsKeyframe(at: time)
      ) { header, bytes in
        packets.append(
          Packet(header: header, bytes: bytes.withUnsafeBytes { [UInt8]($0) }, arrival: time + Self.videoDelay))
      }
    }
    let stream = try OpusStream(channels: 1, bitrate: 32_000)
    lookahead = stream.lookahead
    stream.start(atSample: 0)
    let microphone = SyntheticMicrophone()
    var pcm = [Int16](repeating: 0, count: 960)
    for block in 0..<Int64(seconds * 50) {
      var span = pcm.mutableSpan
      microphone.fill(&span, from: block * 960)
      let time = Self.at(block * 20)
      _ = try stream.append(pcm.span, position: block * 960, time: time) { header, bytes in
        packets.append(
          Packet(
            header: header, bytes: bytes.withUnsafeBytes { [UInt8]($0) }, arrival: time + .milliseconds(25)))
      }
    }
    self.packets = packets.sorted { $0.arrival < $1.arrival }
  }

  /// The same pictures with other sound.
  func with(sound: [Packet], lookahead: Int) -> Reel {
    var reel = self
    reel.packets = (packets.filter { $0.header.track == .video } + sound).sorted { $0.arrival < $1.arrival }
    reel.lookahead = lookahead
    return reel
  }

  func packets(of track: TrackID, from: MonotonicTime, to: MonotonicTime) -> [PacketHeader] {
    packets.lazy.map(\.header).filter { $0.track == track && $0.time >= from && $0.time < to }
  }
}
