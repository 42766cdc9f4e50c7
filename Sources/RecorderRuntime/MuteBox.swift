import Core
import LinuxIO
import Media
import Synchronization

/// The way of a mute from the control loop to the microphone thread.
final class MuteBox: Sendable {
  private let schedule = Mutex(MuteSchedule())
  private let lead: Nanoseconds

  /// - Parameter offset: what is added to every sound's time.
  init(offset: Nanoseconds = .zero) {
    // A wish counts from so much later on: the microphone's clock is smoothed, and no sample that is later than that has been
    // read yet. So the silence begins and ends at exactly the sample that the footage says.
    lead = .milliseconds(50) + max(.zero, offset)
  }

  /// From when on there is no sound, or sound again.
  func set(_ isOn: Bool) -> MonotonicTime {
    schedule.withLock { schedule in
      let time = MonotonicTime.now() + lead
      schedule.set(isOn, from: time)
      return time
    }
  }

  /// The samples of a block that was just read which are to be silence. Allocates nothing while there is no mute.
  func muted(from time: MonotonicTime, count: Int, rate: Int64) -> [Range<Int>] {
    schedule.withLock { $0.isActive ? $0.muted(from: time, count: count, rate: rate) : [] }
  }
}
