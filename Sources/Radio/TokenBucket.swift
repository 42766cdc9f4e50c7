public import Media

/// How often something may happen.
public struct RateLimit: Hashable, Sendable {
  /// How many times at once, after a long rest.
  public var burst: Int
  /// After how long there is one more.
  public var interval: Nanoseconds

  public init(burst: Int, interval: Nanoseconds) {
    self.burst = burst
    self.interval = interval
  }
}

/// Counts what a `RateLimit` still allows (a token bucket). Pure; time never goes back in it.
struct TokenBucket: Hashable, Sendable {
  let limit: RateLimit
  /// Tokens as the time that they took to come; whole ones are multiples of the interval.
  private var filled: Nanoseconds
  private var last: MonotonicTime?

  /// Full. The limit is one that `RadioGateSettings` accepts.
  init(_ limit: RateLimit) {
    self.limit = limit
    filled = limit.interval * Int64(limit.burst)
  }

  /// True if there is a token at `now`.
  mutating func isOpen(at now: MonotonicTime) -> Bool {
    let full = limit.interval * Int64(limit.burst)
    if let last, now > last { filled = min(full, filled + min(now - last, full)) }
    last = max(last ?? now, now)
    return filled >= limit.interval
  }

  /// Takes a token, which `isOpen` just said is there.
  mutating func take() { filled -= limit.interval }
}
