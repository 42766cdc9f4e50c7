/// Where a stateful encoder is, by the state machine of the kernel's specification ("State Machine" in dev-encoder;
/// our `ready` is its Initialization, `drained` its Stopped; its Reset has no duration here).
///
/// Pure and total: an event gives the steps that the device has to go through, or nil where it means a mistake.
public struct CodecMachine: Hashable, Sendable {
  public enum State: Hashable, Sendable, CaseIterable {
    /// Formats are set and buffers are there; nothing streams.
    case ready
    case encoding
    /// V4L2_ENC_CMD_STOP was given; the last coded buffer has not come yet.
    case draining
    /// It came: nothing is encoded before a reset.
    case drained
    /// The device failed. Only closing it helps.
    case failed
  }

  public enum Event: Hashable, Sendable, CaseIterable {
    case start
    case drain
    /// A coded buffer with V4L2_BUF_FLAG_LAST, or -EPIPE in its place.
    case last
    /// What follows is to be a stream of its own, beginning with a keyframe.
    case reset
    case stop
    case failure
  }

  /// What the device has to do, in this order.
  public enum Step: Hashable, Sendable {
    /// VIDIOC_STREAMOFF on both queues: what was in them is given up.
    case streamOff
    /// All coded buffers to the driver, then VIDIOC_STREAMON on both queues.
    case streamOn
    /// V4L2_ENC_CMD_STOP.
    case stopCommand
  }

  public private(set) var state = State.ready

  public init() {}

  /// For tests: a machine in any state.
  init(_ state: State) { self.state = state }

  /// Takes an event. Nil: it must not happen in this state, which stays.
  public mutating func handle(_ event: Event) -> [Step]? {
    let (next, steps): (State, [Step])
    switch (state, event) {
    case (.failed, .failure), (.failed, .stop): (next, steps) = (.failed, [])
    case (.failed, _): return nil
    case (_, .failure): (next, steps) = (.failed, [])
    case (.ready, .start): (next, steps) = (.encoding, [.streamOn])
    case (.ready, .stop): (next, steps) = (.ready, [])
    case (.ready, .drain), (.ready, .last), (.ready, .reset): return nil
    case (.encoding, .drain): (next, steps) = (.draining, [.stopCommand])
    case (.draining, .last): (next, steps) = (.drained, [])
    case (.encoding, .reset), (.draining, .reset), (.drained, .reset):
      (next, steps) = (.encoding, [.streamOff, .streamOn])
    case (.encoding, .stop), (.draining, .stop), (.drained, .stop): (next, steps) = (.ready, [.streamOff])
    case (.encoding, .start), (.encoding, .last), (.draining, .start), (.draining, .drain), (.drained, .start),
      (.drained, .drain), (.drained, .last):
      return nil
    }
    state = next
    return steps
  }
}
