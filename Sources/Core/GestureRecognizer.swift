public import Media

/// What a thumb can do with one button.
public enum Gesture: String, Hashable, Sendable, CaseIterable {
  case press
  case doublePress = "double"
  case hold
}

/// How long the parts of a gesture may take. All limits belong to the gesture: a press of exactly `longestPress` is one.
public struct GestureTimes: Hashable, Sendable {
  /// From the edge of a press to its release; what is held longer is no press.
  public var longestPress = Nanoseconds.milliseconds(1_000)
  /// From the release of the first press to the edge of the second.
  public var doubleGap = Nanoseconds.milliseconds(500)
  /// From the edge to the moment at which a hold is one, while it is still held. More than `longestPress`.
  public var hold = Nanoseconds.milliseconds(3_000)
  /// A button that is held for this long is stuck, or under something heavy.
  public var stuck = Nanoseconds.seconds(20)
  /// After a change nothing counts as another for this long. For sources without a debouncer of their own.
  public var debounce = Nanoseconds.milliseconds(10)
  /// How late the kernel may tell of an edge: what is decided by nothing happening is decided this much later.
  public var delivery = Nanoseconds.milliseconds(50)

  public init() {}

  /// The longest time from a gesture's first edge to its recognition, the kernel's delay included.
  public func longestDecision(of gesture: Gesture, hasDouble: Bool) -> Nanoseconds {
    switch gesture {
    case .press: longestPress + delivery + (hasDouble ? doubleGap + delivery : .zero)
    case .doublePress: longestPress + doubleGap + delivery
    case .hold: hold + delivery
    }
  }
}

/// Tells gestures from the edges of one button: edges and times in, gestures out; no I/O, no clock.
///
/// Only the kernel's times of the edges count, not when they are told of: a loop that was busy decides the same. A double press is
/// one at its second edge, a hold while it is still held; both then swallow the button until it is released. A press waits for
/// `doubleGap` only where a double press means something.
public struct GestureRecognizer: Sendable {
  public enum Outcome: Hashable, Sendable {
    /// - first: the gesture's first edge: the time of what it causes.
    case gesture(Gesture, first: MonotonicTime)
    /// Held for longer than a press and let go before a hold.
    case unclear(first: MonotonicTime)
    /// Held since then for `GestureTimes.stuck`. Told once; nothing is recognised until it is released.
    case stuck(since: MonotonicTime)
    /// A button that was stuck is released.
    case released
  }

  private enum State: Hashable, Sendable {
    case up
    case down(first: MonotonicTime)
    /// One press is over; a second makes it a double press.
    case between(first: MonotonicTime, released: MonotonicTime)
    /// What it meant has been told, or it was pressed before anybody looked. Means nothing until it is released.
    case swallowed(since: MonotonicTime, isStuck: Bool)
  }

  public let times: GestureTimes
  private let hasDouble: Bool
  private let hasHold: Bool
  private var state: State
  /// The last level that counted, and since when.
  private var level: (isPressed: Bool, time: MonotonicTime)
  /// An edge within the debounce time: it counts at its end, if the level is still another then.
  private var bounce: (isPressed: Bool, time: MonotonicTime)?

  /// - Parameters:
  ///   - gestures: those that mean something.
  ///   - isPressed: the level at `time`. A button that is held when the recorder starts starts nothing.
  public init(times: GestureTimes, gestures: Set<Gesture>, isPressed: Bool, time: MonotonicTime) {
    self.times = times
    hasDouble = gestures.contains(.doublePress)
    hasHold = gestures.contains(.hold)
    state = isPressed ? .swallowed(since: time, isStuck: false) : .up
    // Long ago: its first edge may come at once.
    level = (isPressed, .distantPast)
  }

  /// Whether it is held now, bounces aside.
  public var isPressed: Bool { level.isPressed }

  /// When to call `pass` next, if nothing happens; nil: when there is an edge.
  public var deadline: MonotonicTime? {
    let decision: MonotonicTime? =
      switch state {
      case .up: nil
      case .down(let first): first + (hasHold ? times.hold : times.stuck) + times.delivery
      // A second press at the gap's last moment still counts.
      case .between(_, let released): released + times.doubleGap + times.delivery + Nanoseconds(1)
      case .swallowed(let since, let isStuck): isStuck ? nil : since + times.stuck + times.delivery
      }
    guard let bounce else { return decision }
    let settled = bounce.time + times.debounce + times.delivery
    return bounce.isPressed == level.isPressed ? decision : min(decision ?? settled, settled)
  }

  /// Takes an edge in. O(1).
  /// - Parameter time: the kernel's time of the edge, not before the one of the edge before.
  public mutating func edge(isPressed: Bool, time: MonotonicTime) -> [Outcome] {
    var outcomes = settle(until: time)
    // From the last edge on, not from the change: a contact may chatter for longer than that.
    let last = max(level.time, bounce?.time ?? .distantPast)
    if last > .distantPast, time < last + times.debounce {
      bounce = (isPressed, time)
      return outcomes
    }
    bounce = nil
    change(to: isPressed, at: time, &outcomes)
    return outcomes
  }

  /// Edges were lost: what was going on is not a gesture that anyone can tell. A button that is up can begin a new one.
  public mutating func resynchronise(isPressed: Bool, time: MonotonicTime) -> [Outcome] {
    var outcomes: [Outcome] = []
    if case .swallowed(_, true) = state, !isPressed { outcomes.append(.released) }
    bounce = nil
    level = (isPressed, time)
    switch state {
    case .swallowed where isPressed: break
    case .up, .down, .between, .swallowed: state = isPressed ? .swallowed(since: time, isStuck: false) : .up
    }
    return outcomes
  }

  /// Time passes. All edges that the kernel has told of were taken in before.
  public mutating func pass(now: MonotonicTime) -> [Outcome] { settle(until: now - times.delivery) }

  // MARK: - Inside

  /// What nothing happening decides until `time`: a bounce that has settled counts, and what was waited for is over.
  private mutating func settle(until time: MonotonicTime) -> [Outcome] {
    var outcomes: [Outcome] = []
    if let held = bounce, time >= held.time + times.debounce {
      bounce = nil
      if held.isPressed != level.isPressed {
        lapse(until: held.time, &outcomes)
        change(to: held.isPressed, at: held.time, &outcomes)
      }
    }
    lapse(until: time, &outcomes)
    return outcomes
  }

  private mutating func lapse(until time: MonotonicTime, _ outcomes: inout [Outcome]) {
    switch state {
    case .down(let first) where hasHold && time >= first + times.hold:
      outcomes.append(.gesture(.hold, first: first))
      state = .swallowed(since: first, isStuck: false)
      lapse(until: time, &outcomes)
    case .down(let first) where time >= first + times.stuck:
      outcomes.append(.stuck(since: first))
      state = .swallowed(since: first, isStuck: true)
    case .between(let first, let released) where time > released + times.doubleGap:
      outcomes.append(.gesture(.press, first: first))
      state = .up
    case .swallowed(let since, false) where time >= since + times.stuck:
      outcomes.append(.stuck(since: since))
      state = .swallowed(since: since, isStuck: true)
    case .up, .down, .between, .swallowed: break
    }
  }

  private mutating func change(to isPressed: Bool, at time: MonotonicTime, _ outcomes: inout [Outcome]) {
    guard isPressed != level.isPressed else { return }
    level = (isPressed, time)
    switch (state, isPressed) {
    case (.up, true): state = .down(first: time)
    case (.between(let first, _), true):
      outcomes.append(.gesture(.doublePress, first: first))
      state = .swallowed(since: time, isStuck: false)
    case (.down(let first), false):
      if time > first + times.longestPress {
        outcomes.append(.unclear(first: first))
        state = .up
      } else if hasDouble {
        state = .between(first: first, released: time)
      } else {
        outcomes.append(.gesture(.press, first: first))
        state = .up
      }
    case (.swallowed(_, let isStuck), false):
      if isStuck { outcomes.append(.released) }
      state = .up
    case (.down, true), (.swallowed, true), (.up, false), (.between, false): break
    }
  }
}
