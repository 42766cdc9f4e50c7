public import Media

/// How often each thread that captures has gone around its loop. Each does so several times a second, whether its device
/// delivers or not.
public struct CaptureTurns: Hashable, Sendable {
  public var camera: Int
  /// Nil: the camera's own pictures pass through.
  public var encoder: Int?
  /// Nil: there is no microphone.
  public var microphone: Int?

  public init(camera: Int, encoder: Int?, microphone: Int?) {
    self.camera = camera
    self.encoder = encoder
    self.microphone = microphone
  }

  /// The first thread that has not turned since an earlier reading; nil when all have.
  func standing(since earlier: CaptureTurns) -> CaptureThread? {
    if camera == earlier.camera { return .camera }
    if let encoder, encoder == earlier.encoder { return .encoder }
    if let microphone, microphone == earlier.microphone { return .microphone }
    return nil
  }
}

/// A thread that captures, by its name.
public enum CaptureThread: String, Hashable, Sendable {
  case camera, encoder, microphone
}

/// Decides when the watchdog of the service is fed: readings in, a decision out; no I/O, no clock.
///
/// It is fed by the control loop while every thread that captures turns. Turns count, not pictures: a camera that is unplugged
/// or stands still is noticed by its own thread within seconds, which says so and opens it again for as long as it takes; a
/// restart would bring it back no sooner, and would cost the pre-event and the sound. A thread that does not turn is stuck in a
/// driver or a codec and can do none of this: there a new process is all that helps. The store thread is not asked at all:
/// while a card stands still the footage is in this process's memory and nowhere else.
public struct WatchdogFeed: Sendable {
  public enum Decision: Hashable, Sendable {
    case notDue
    case feed
    /// It is due, and this thread has not turned since it was fed last.
    case withhold(CaptureThread)
  }

  /// From one feed to the next.
  public let interval: Nanoseconds
  private var last: MonotonicTime
  private var turns: CaptureTurns

  /// - Parameters:
  ///   - timeout: unfed for so long, the process is ended.
  ///   - now: the watchdog runs from then on.
  public init(timeout: Nanoseconds, now: MonotonicTime, turns: CaptureTurns) {
    interval = timeout / 4
    last = now
    self.turns = turns
  }

  /// Looks at the threads; `.feed` counts as done.
  public mutating func look(at turns: CaptureTurns, now: MonotonicTime) -> Decision {
    guard now - last >= interval else { return .notDue }
    if let thread = turns.standing(since: self.turns) { return .withhold(thread) }
    last = now
    self.turns = turns
    return .feed
  }
}
