/// A span of time in whole nanoseconds; may be negative. Range: ±292 years.
///
/// 64 bits and plain integer arithmetic, because it is computed for every packet; `Swift.Duration` is 128 bits wide.
public struct Nanoseconds: Comparable, Hashable, Sendable, AdditiveArithmetic {
  /// The number of nanoseconds.
  public var count: Int64

  public init(_ count: Int64) { self.count = count }

  public static let zero = Nanoseconds(0)

  public static func microseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000) }
  public static func milliseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000) }
  public static func seconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000_000) }

  /// The same span in seconds, for people and ratios, never for bookkeeping.
  public var inSeconds: Double { Double(count) / 1e9 }
  /// The same span in whole milliseconds, rounded towards zero.
  public var inMilliseconds: Int64 { count / 1_000_000 }
  /// The same span in whole microseconds, rounded towards zero.
  public var inMicroseconds: Int64 { count / 1_000 }

  public static func < (left: Nanoseconds, right: Nanoseconds) -> Bool { left.count < right.count }
  public static func + (left: Nanoseconds, right: Nanoseconds) -> Nanoseconds { Nanoseconds(left.count + right.count) }
  public static func - (left: Nanoseconds, right: Nanoseconds) -> Nanoseconds { Nanoseconds(left.count - right.count) }
  public static func * (left: Nanoseconds, right: Int64) -> Nanoseconds { Nanoseconds(left.count * right) }
  public static func / (left: Nanoseconds, right: Int64) -> Nanoseconds { Nanoseconds(left.count / right) }
  public static prefix func - (value: Nanoseconds) -> Nanoseconds { Nanoseconds(-value.count) }
}

/// A moment on the kernel's CLOCK_MONOTONIC, the clock that V4L2, ALSA and GPIO timestamps share (clock_gettime(2)).
///
/// It does not advance in suspend and never steps. Wall time is recorded beside it, never computed from it.
public struct MonotonicTime: Comparable, Hashable, Sendable {
  /// Nanoseconds since the clock's start (boot).
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Earlier and later than every time that occurs; arithmetic on them is not defined.
  public static let distantPast = MonotonicTime(nanoseconds: .min / 4)
  public static let distantFuture = MonotonicTime(nanoseconds: .max / 4)

  public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }
  public static func + (left: MonotonicTime, right: Nanoseconds) -> MonotonicTime {
    MonotonicTime(nanoseconds: left.nanoseconds + right.count)
  }
  public static func - (left: MonotonicTime, right: Nanoseconds) -> MonotonicTime {
    MonotonicTime(nanoseconds: left.nanoseconds - right.count)
  }
  public static func - (left: MonotonicTime, right: MonotonicTime) -> Nanoseconds {
    Nanoseconds(left.nanoseconds - right.nanoseconds)
  }
  public static func += (left: inout MonotonicTime, right: Nanoseconds) { left = left + right }
}
