public import Media

/// What is known of a frame beyond its pixels.
public struct FrameInfo: Hashable, Sendable {
  /// Why the driver's timestamp was not used.
  public enum TimeFault: Hashable, Sendable {
    /// The driver's clock is not CLOCK_MONOTONIC, or its value makes no sense.
    case foreignClock
    /// Later than the moment at which the frame was taken from the driver.
    case future
    /// Not later than the frame before.
    case backwards
  }

  /// The start of exposure: the driver's timestamp, less one interval when it marks the end of the frame. With a
  /// `timeFault` an estimate: one interval before the frame was taken from the driver.
  public var time: MonotonicTime
  public var timeFault: TimeFault?
  /// What the driver said, unchanged; nil when it could not be represented.
  public var reportedTime: MonotonicTime?
  /// The driver's frame number, widened: it does not wrap. It counts frames that were lost.
  public var position: Int64
  /// Frames that the driver numbered and never delivered, between the one before and this one.
  public var lostBefore: Int64
  /// The driver's number did not rise, or by more frames than there was time for. `position` went on by one.
  public var hasSequenceFault: Bool
  /// The driver marks the content as damaged (V4L2_BUF_FLAG_ERROR), or there is none.
  public var isDamaged: Bool
}

/// Turns what a driver says of each frame into positions and times that can be relied on. Pure.
struct FrameTimeline: Sendable {
  /// The time of one frame.
  let interval: Nanoseconds
  private var last: (sequence: UInt32, position: Int64, time: MonotonicTime)?

  init(interval: Nanoseconds) { self.interval = interval }

  /// - Parameters:
  ///   - sequence: the driver's number of 32 bits, which wraps.
  ///   - stamp: the driver's timestamp on CLOCK_MONOTONIC; nil when its clock is another.
  ///   - marksEnd: true when it marks the end of the frame rather than the start of exposure.
  ///   - arrival: when the frame was taken from the driver.
  mutating func take(
    sequence: UInt32, stamp: MonotonicTime?, marksEnd: Bool, arrival: MonotonicTime, isDamaged: Bool
  ) -> FrameInfo {
    var info = FrameInfo(
      time: arrival - interval, timeFault: nil, reportedTime: stamp, position: Int64(sequence), lostBefore: 0,
      hasSequenceFault: false, isDamaged: isDamaged)
    if let stamp {
      let start = marksEnd ? stamp - interval : stamp
      // USB cameras compute their stamps and may be early by less than a frame.
      if stamp > arrival + interval {
        info.timeFault = .future
      } else if let last, start <= last.time {
        info.timeFault = .backwards
      } else {
        info.time = start
      }
    } else {
      info.timeFault = .foreignClock
    }
    if let last, info.timeFault != nil {
      // An estimate must not go back either.
      info.time = max(info.time, last.time + .milliseconds(1))
    }
    if let last {
      // Read as a signed distance, a wrap is a step of one like any other.
      let step = Int64(Int32(truncatingIfNeeded: sequence &- last.sequence))
      // A camera may run faster than its nominal rate, but not many times: then the number leaped, not the camera.
      let most = max(0, (info.time - last.time).count) / max(1, interval.count / 4) + 8
      info.hasSequenceFault = step <= 0 || step > most
      info.position = last.position + (info.hasSequenceFault ? 1 : step)
      info.lostBefore = info.hasSequenceFault ? 0 : step - 1
    }
    last = (sequence, info.position, info.time)
    return info
  }
}
