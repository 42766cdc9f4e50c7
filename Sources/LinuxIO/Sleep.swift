import CLinux
import Glibc
public import Media

extension MonotonicTime {
  /// Sleeps until the moment; returns at once when it has passed (clock_nanosleep(2), absolute).
  public static func sleep(until moment: MonotonicTime) {
    guard moment.nanoseconds > 0 else { return }
    var target = timespec(
      tv_sec: Int(moment.nanoseconds / 1_000_000_000), tv_nsec: Int(moment.nanoseconds % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, CInt(TIMER_ABSTIME), &target, nil) == EINTR {}
  }
}
