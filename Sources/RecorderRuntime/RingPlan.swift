import Configuration
import Core
import Encoding
import Media

/// How large the ring must be, from the settings; a pure calculation.
struct RingPlan: Hashable, Sendable {
  var arenaBytes: Int
  var otherTracksShare: Int
  var packetCapacity: Int

  /// Bytes that the encoder may exceed its peak by, in percent; 0 for an encoder whose VBV is a hard bound.
  static func margin(_ kind: VideoEncoderKind) -> Int { kind.guaranteesPeak ? 0 : 25 }

  /// Peak × (pre-event + edge to decision + 2 GOP + stall reserve), one VBV buffer, and the share of sound.
  init(_ configuration: RecorderConfiguration, encoder: VideoEncoderSettings, kind: VideoEncoderKind, hasSound: Bool) {
    self.init(
      configuration, span: configuration.ringDuration,
      bytesPerSecond: encoder.peakBitrate / 8 * (100 + Self.margin(kind)) / 100, reserve: encoder.bufferBytes,
      framesPerSecond: encoder.framesPerSecond, hasSound: hasSound)
  }

  /// The same with what was measured; in place of a VBV buffer stand two of the largest pictures.
  init(_ configuration: RecorderConfiguration, passThrough stream: PassThroughStream, hasSound: Bool) {
    var measured = configuration
    measured.video.groupOfPictures = stream.group
    self.init(
      configuration, span: measured.ringDuration, bytesPerSecond: stream.peakBitsPerSecond / 8,
      reserve: stream.measured.largestPicture * 2, framesPerSecond: stream.framesPerSecond, hasSound: hasSound)
  }

  private init(
    _ configuration: RecorderConfiguration, span: Nanoseconds, bytesPerSecond: Int, reserve: Int,
    framesPerSecond: Double, hasSound: Bool
  ) {
    let milliseconds = Int(span.inMilliseconds)
    let video = bytesPerSecond * milliseconds / 1_000 + reserve
    // Constrained VBR of Opus stays below twice its mean over a second; packets of 20 ms.
    otherTracksShare = hasSound ? configuration.audio.bitsPerSecond / 8 * milliseconds / 1_000 * 2 + 4_096 : 0
    arenaBytes = video + otherTracksShare
    let frames = Int((framesPerSecond * Double(milliseconds) / 1_000).rounded(.up))
    packetCapacity = frames * 5 / 4 + (hasSound ? milliseconds / 20 * 5 / 4 : 0) + 64
  }

  /// The longest pre-event, in whole seconds, with which the ring would fit into `bytes`; nil when none does.
  /// - Parameter plan: the ring of a configuration.
  static func preEventThatFits(
    _ configuration: RecorderConfiguration, bytes: Int, plan: (RecorderConfiguration) -> RingPlan
  ) -> Int? {
    var smaller = configuration
    for seconds in stride(from: configuration.recording.preEvent.count / 1_000_000_000, through: 0, by: -1) {
      smaller.recording.preEvent = .seconds(seconds)
      if plan(smaller).arenaBytes <= bytes { return Int(seconds) }
    }
    return nil
  }
}
