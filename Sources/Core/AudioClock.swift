public import Media

/// The microphone's clock seen by the system clock: gives each sample a smooth monotonic time.
///
/// A sound card's timestamps jitter by a period or more; its rate is steady but not quite what it says (±200 ppm is
/// usual for USB). This is a second-order loop: each measured pair moves the phase by a fraction and the rate by a
/// smaller one. Samples themselves are evidence and are never resampled.
public struct AudioClock: Sendable {
  /// Largest rate error believed, in parts per million; a worse clock is followed by its phase alone.
  public static let rateLimitPPM = 1_000.0
  /// A measurement this far from the prediction is no jitter: the clock starts anew there.
  public static let jumpLimit = Nanoseconds.milliseconds(100)

  /// Samples a second, by name.
  public let nominalRate: Int64
  private var anchorPosition: Int64 = 0
  private var anchorTime: MonotonicTime?
  private var rateError = 0.0

  public init(nominalRate: Int64) { self.nominalRate = nominalRate }

  /// Measured deviation of the microphone's rate: positive when its samples take longer than they should.
  public var ratePPM: Double { rateError * 1e6 }

  /// The time of a sample. Before the first measurement: nil.
  public func time(of position: Int64) -> MonotonicTime? {
    guard let anchorTime else { return nil }
    let nominal = Double(position - anchorPosition) * 1e9 / Double(nominalRate)
    return anchorTime + Nanoseconds(Int64((nominal * (1 + rateError)).rounded()))
  }

  /// Takes in that sample `position` was captured at `time`; positions rise. Returns false when the measurement was
  /// so far off that the clock started anew.
  @discardableResult
  public mutating func measure(position: Int64, time: MonotonicTime) -> Bool {
    guard let predicted = self.time(of: position), let previous = anchorTime else {
      anchorPosition = position
      anchorTime = time
      return true
    }
    let error = time - predicted
    guard abs(error.count) <= Self.jumpLimit.count else {
      anchorPosition = position
      anchorTime = time
      rateError = 0
      return false
    }
    // Phase gain 1/50 and rate gain 1/10,000 a measurement: with one each 20 ms a settling time of about 4 s and
    // a damping near 1.
    let elapsed = max((predicted - previous).inSeconds, 1e-3)
    anchorPosition = position
    anchorTime = predicted + error / 50
    let limit = Self.rateLimitPPM / 1e6
    rateError = min(max(rateError + error.inSeconds / 10_000 / elapsed, -limit), limit)
    return true
  }
}
