public import Media
import Synchronization

/// A queue of fixed capacity from any number of threads to one. When it is full the new element is refused and counted.
///
/// No allocation after `init`, apart from what an element owns. A push or pop holds a lock for some 10 ns.
public final class BoundedQueue<Element: Sendable>: Sendable {
  public let capacity: Int
  /// Signalled when the queue stops being empty: watch its `rawValue`, `drain()` it, then `pop` until nil.
  public let ready: EventCounter

  private struct State {
    /// nil wherever no element waits.
    var slots: [Element?]
    var first = 0
    var count = 0
    var refused = 0
    var highWater = 0
  }

  private let state: Mutex<State>

  /// - Parameter capacity: at least 1.
  public init(capacity: Int) throws(LinuxError) {
    self.capacity = max(1, capacity)
    ready = try EventCounter()
    state = Mutex(State(slots: Array(repeating: nil, count: self.capacity)))
  }

  /// Appends, and wakes the consumer if the queue was empty. False when it was full: the element is dropped and counted.
  @discardableResult
  public func push(_ element: Element) -> Bool {
    let (accepted, wasEmpty) = state.withLock { state in
      guard state.count < state.slots.count else {
        state.refused += 1
        return (false, false)
      }
      var index = state.first + state.count
      if index >= state.slots.count { index -= state.slots.count }
      state.slots[index] = element
      state.count += 1
      state.highWater = max(state.highWater, state.count)
      return (true, state.count == 1)
    }
    if wasEmpty { ready.signal() }
    return accepted
  }

  /// Takes the oldest element; nil when there is none. Never blocks.
  public func pop() -> Element? {
    state.withLock { state in
      guard state.count > 0 else { return nil }
      let element = state.slots[state.first].take()
      state.first = state.first + 1 == state.slots.count ? 0 : state.first + 1
      state.count -= 1
      return element
    }
  }

  /// Takes the oldest element, waiting for one until `deadline`; nil waits for ever. For a consumer that waits for nothing
  /// else.
  public func pop(until deadline: MonotonicTime?) -> Element? {
    while true {
      // Drained before looking: a push after the look signals again.
      ready.drain()
      if let element = pop() { return element }
      if !ready.wait(until: deadline) { return pop() }
    }
  }

  /// Elements waiting now.
  public var count: Int { state.withLock { $0.count } }
  /// Elements refused since the start.
  public var refused: Int { state.withLock { $0.refused } }
  /// The most elements that ever waited.
  public var highWater: Int { state.withLock { $0.highWater } }
}
