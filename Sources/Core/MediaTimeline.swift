public import Media

/// Maps monotonic time to the media time of one recording, so that video follows the microphone's clock.
///
/// Audio packets are placed by counting samples, exactly; the mapping's slope is then turned, by at most 500 ppm, so
/// that it passes through where the audio is, and video frames are placed by the mapping. Without a microphone the
/// slope is 1. New anchors are set at fragment edges only: two frames of one fragment are always mapped by one line,
/// and a fragment that is written again after a failed sync is mapped as it was the first time.
public struct MediaTimeline: Sendable {
  /// Largest change of the video's speed against the system clock.
  public static let slewLimit = 500e-6
  /// How long the correction of an offset may take.
  public static let correctionSpan = Nanoseconds.seconds(10)

  private struct Anchor {
    var time: MonotonicTime
    var media: Nanoseconds
    var slope: Double
  }

  /// Enough for a minute of fragments: longer than any stall that the ring can bridge.
  private static let anchorCount = 256
  private var anchors: [Anchor]
  private var firstAudio: (position: Int64, media: Nanoseconds)?

  /// Media time 0 is `start`.
  public init(start: MonotonicTime) {
    anchors = []
    anchors.reserveCapacity(Self.anchorCount)
    anchors.append(Anchor(time: start, media: .zero, slope: 1))
  }

  /// The media time of a moment; rises strictly with it within one fragment and from fragment to fragment.
  public func media(at time: MonotonicTime) -> Nanoseconds {
    var index = anchors.count - 1
    while index > 0, anchors[index].time > time { index -= 1 }
    let anchor = anchors[index]
    let elapsed = (time - anchor.time).count
    guard anchor.slope != 1 else { return anchor.media + Nanoseconds(elapsed) }
    // The correction is at most 500 ppm of the elapsed time: exact in Double for years.
    return anchor.media + Nanoseconds(elapsed + Int64((Double(elapsed) * (anchor.slope - 1)).rounded()))
  }

  /// Ticks of 1/90,000 s for a video packet; computed from the absolute time, never summed.
  public func videoTicks(at time: MonotonicTime) -> Int64 {
    let media = media(at: time).count
    // 90,000 / 10^9 = 9 / 100,000.
    return (media * 9 + 50_000) / 100_000
  }

  /// Ticks of 1/48,000 s for an audio packet: its place by counted samples from the recording's first audio packet.
  public mutating func audioTicks(of packet: PacketHeader) -> Int64 {
    let first: (position: Int64, media: Nanoseconds)
    if let known = firstAudio {
      first = known
    } else {
      first = (packet.position, media(at: packet.time))
      firstAudio = first
    }
    let base = (first.media.count * 6 + 62_500) / 125_000  // 48,000 / 10^9 = 6 / 125,000.
    return base + packet.position - first.position
  }

  /// How far the audio, counted by samples, is ahead of the mapping at this packet: what is still to be absorbed.
  public func audioOffset(at packet: PacketHeader) -> Nanoseconds {
    guard let first = firstAudio else { return .zero }
    let counted = first.media + Nanoseconds((packet.position - first.position) * 125_000 / 6)
    return counted - media(at: packet.time)
  }

  /// At a fragment's edge: turns the slope for what comes after it, by the last audio packet of the fragment.
  public mutating func turn(at edge: MonotonicTime, lastAudio: PacketHeader) {
    guard firstAudio != nil, let last = anchors.last, edge > last.time else { return }
    let needed = audioOffset(at: lastAudio).inSeconds / Self.correctionSpan.inSeconds
    let slope = 1 + min(max(needed, -Self.slewLimit), Self.slewLimit)
    let anchor = Anchor(time: edge, media: media(at: edge), slope: slope)
    if anchors.count == Self.anchorCount { anchors.removeFirst(Self.anchorCount / 2) }
    anchors.append(anchor)
  }
}
