import Media

/// Keeps account of samples that a device never delivered, by the times of those it did. Pure.
struct SoundTimeline: Sendable {
  /// A block that begins this much later than the one before it ended lost the samples between, even if nobody said so:
  /// far above the jitter of a sound card's timestamps (a few milliseconds).
  static let silentJump = Nanoseconds.milliseconds(150)

  /// Samples a second.
  let rate: Int64
  /// When the sample after the last one delivered was, or would have been, captured.
  private(set) var next: MonotonicTime?

  init(rate: Int64) { self.rate = rate }

  /// Takes in a block; returns the samples lost right before it.
  /// - Parameter afterBreak: the stream was interrupted since the last block (overrun, suspend).
  mutating func take(frames: Int, firstTime: MonotonicTime, afterBreak: Bool) -> Int64 {
    let gap = next.map { firstTime - $0 } ?? .zero
    next = firstTime + span(of: Int64(frames))
    guard gap > .zero, afterBreak || gap >= Self.silentJump else { return 0 }
    return samples(in: gap)
  }

  /// The time that samples take.
  func span(of samples: Int64) -> Nanoseconds {
    // Whole seconds apart, so that no count overflows.
    Nanoseconds(samples / rate * 1_000_000_000 + samples % rate * 1_000_000_000 / rate)
  }

  /// The samples of a span, rounded to the nearest.
  func samples(in span: Nanoseconds) -> Int64 {
    span.count / 1_000_000_000 * rate + (span.count % 1_000_000_000 * rate + 500_000_000) / 1_000_000_000
  }
}
