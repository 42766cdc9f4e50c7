import CLinux
import Glibc
public import Media

extension MonotonicTime {
  /// The present on CLOCK_MONOTONIC (clock_gettime(2)). About 30 ns, no system call on usual kernels; any thread.
  public static func now() -> MonotonicTime { MonotonicTime(nanoseconds: Clocks.nanoseconds(CLOCK_MONOTONIC)) }
}

/// Readings of the kernel's clocks.
public enum Clocks {
  /// Nanoseconds since boot, time in suspend included (CLOCK_BOOTTIME).
  public static func boottimeNanoseconds() -> Int64 { nanoseconds(CLOCK_BOOTTIME) }

  /// Milliseconds since 1970-01-01 UTC (CLOCK_REALTIME). May step in either direction at any time.
  public static func wallMilliseconds() -> Int64 { nanoseconds(CLOCK_REALTIME) / 1_000_000 }

  /// True while something (NTP, PTP, GPS) disciplines the wall clock: adjtimex(2) without STA_UNSYNC.
  /// Kernels keep this for hours after the source was lost; `wallClockState()` has the bound on the error.
  public static var clockSynchronised: Bool { wallClockState().isSynchronised }

  /// The kernel's own judgement of the wall clock (adjtimex(2), reading only). One system call.
  public static func wallClockState() -> WallClockState {
    var maximumError: Int64 = 0
    let code = clinux_clock_state(&maximumError)
    guard code >= 0 else { return WallClockState(isSynchronised: false, maximumErrorMicroseconds: nil) }
    return WallClockState(isSynchronised: code == 1, maximumErrorMicroseconds: maximumError)
  }

  fileprivate static func nanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// How far the wall clock can be trusted.
public struct WallClockState: Hashable, Sendable {
  /// False for a time from before this software: the clock was never set since its battery failed.
  public static func isPlausible(_ wallMilliseconds: Int64) -> Bool { wallMilliseconds >= 1_767_225_600_000 }

  public var isSynchronised: Bool
  /// The kernel's bound on the error; it grows by 500 µs a second while no source is heard. Nil if it would not say.
  public var maximumErrorMicroseconds: Int64?

  public init(isSynchronised: Bool, maximumErrorMicroseconds: Int64?) {
    self.isSynchronised = isSynchronised
    self.maximumErrorMicroseconds = maximumErrorMicroseconds
  }
}

/// The three clocks read together, within a microsecond unless the thread is interrupted.
public struct ClockReading: Hashable, Sendable {
  public var monotonic: MonotonicTime
  /// CLOCK_BOOTTIME; a growing distance to `monotonic` is time spent in suspend.
  public var boottimeNanoseconds: Int64
  /// CLOCK_REALTIME, milliseconds since 1970-01-01 UTC.
  public var wallMilliseconds: Int64

  public static func now() -> ClockReading {
    ClockReading(
      monotonic: .now(), boottimeNanoseconds: Clocks.boottimeNanoseconds(), wallMilliseconds: Clocks.wallMilliseconds())
  }
}

/// Nanoseconds until `deadline` as `clinux_wait` wants it: negative for no deadline, 0 when it has passed.
func timeout(until deadline: MonotonicTime?) -> Int64 {
  guard let deadline else { return -1 }
  return max(0, (deadline - MonotonicTime.now()).count)
}
