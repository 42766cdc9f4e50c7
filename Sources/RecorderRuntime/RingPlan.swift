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
    let span = configuration.ringDuration
    let milliseconds = Int(span.inMilliseconds)
    let video = encoder.peakBitrate / 8 * milliseconds / 1_000 * (100 + Self.margin(kind)) / 100 + encoder.bufferBytes
    // Constrained VBR of Opus stays below twice its mean over a second; packets of 20 ms.
    otherTracksShare = hasSound ? configuration.audio.bitsPerSecond / 8 * milliseconds / 1_000 * 2 + 4_096 : 0
    arenaBytes = video + otherTracksShare
    let frames = Int((encoder.framesPerSecond * Double(milliseconds) / 1_000).rounded(.up))
    packetCapacity = frames * 5 / 4 + (hasSound ? milliseconds / 20 * 5 / 4 : 0) + 64
  }

  /// The longest pre-event, in whole seconds, with which the ring would fit into `bytes`; nil when none does.
  static func preEventThatFits(
    _ configuration: RecorderConfiguration, bytes: Int, encoder: VideoEncoderSettings, kind: VideoEncoderKind,
    hasSound: Bool
  ) -> Int? {
    var smaller = configuration
    for seconds in stride(from: configuration.recording.preEvent.count / 1_000_000_000, through: 0, by: -1) {
      smaller.recording.preEvent = .seconds(seconds)
      let plan = RingPlan(smaller, encoder: encoder, kind: kind, hasSound: hasSound)
      if plan.arenaBytes <= bytes { return Int(seconds) }
    }
    return nil
  }
}
