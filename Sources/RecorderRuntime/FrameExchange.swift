import LinuxIO
import Media
import Synchronization

/// The few raw pictures between a camera thread and its encoder thread, allocated once in locked memory.
///
/// The camera takes a free one, fills it and hands it over; the encoder gives it back. With none free the camera leaves
/// its frames in the driver's own queue, and what the driver then drops shows as a jump of its sequence numbers.
final class FrameExchange: Sendable {
  /// A picture that waits to be encoded.
  struct Ready: Hashable, Sendable {
    fileprivate var slot: Int
    var time: MonotonicTime
    var position: Int64
  }

  /// Pictures in flight: one being filled, one waiting, one being encoded.
  static let slotCount = 3

  private struct State {
    var free: [Int]
    var ready: [Ready] = []
  }

  let layout: I420Layout
  private let memory: LockedMemory
  private let state: Mutex<State>
  private let filled: EventCounter
  private let freed: EventCounter

  init(layout: I420Layout, allowSwap: Bool) throws(LinuxError) {
    self.layout = layout
    memory = try LockedMemory(byteCount: layout.byteCount * Self.slotCount, allowSwap: allowSwap)
    filled = try EventCounter()
    freed = try EventCounter()
    var initial = State(free: Array(0..<Self.slotCount))
    initial.ready.reserveCapacity(Self.slotCount)
    state = Mutex(initial)
  }

  private func picture(_ slot: Int) -> UnsafeMutableRawBufferPointer {
    let start = slot * layout.byteCount
    return UnsafeMutableRawBufferPointer(rebasing: memory.bytes[start..<start + layout.byteCount])
  }

  /// Whether no picture is free.
  var isFull: Bool { state.withLock { $0.free.isEmpty } }

  /// Camera thread: waits until a picture is free. False at the deadline.
  func waitForFree(until deadline: MonotonicTime) -> Bool {
    while true {
      if state.withLock({ !$0.free.isEmpty }) { return true }
      guard MonotonicTime.now() < deadline else { return false }
      freed.wait(until: deadline)
      freed.drain()
    }
  }

  /// Camera thread: lets `body` fill a free picture, and hands it over when `body` says what it is; nil discards it.
  /// False when no picture was free, and `body` was not called.
  @discardableResult
  func fill(_ body: (UnsafeMutableRawBufferPointer) -> (time: MonotonicTime, position: Int64)?) -> Bool {
    guard let slot = state.withLock({ $0.free.popLast() }) else { return false }
    let facts = body(picture(slot))
    state.withLock { state in
      if let facts {
        state.ready.append(Ready(slot: slot, time: facts.time, position: facts.position))
      } else {
        state.free.append(slot)
      }
    }
    if facts != nil { filled.signal() }
    return true
  }

  /// Encoder thread: the oldest picture that waits; nil at the deadline.
  func next(until deadline: MonotonicTime) -> Ready? {
    while true {
      if let ready = state.withLock({ $0.ready.isEmpty ? nil : $0.ready.removeFirst() }) { return ready }
      guard MonotonicTime.now() < deadline else { return nil }
      filled.wait(until: deadline)
      filled.drain()
    }
  }

  /// Encoder thread: reads a picture and gives it back afterwards.
  func consume<Failure: Error>(_ ready: Ready, _ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
    defer {
      state.withLock { $0.free.append(ready.slot) }
      freed.signal()
    }
    try body(UnsafeRawBufferPointer(picture(ready.slot)).bytes)
  }

  /// Camera thread: overwrites the pictures that are free, so that the last ones of a camera that is gone do not stay.
  func wipeFree() {
    let slots = state.withLock { state in
      let slots = state.free
      state.free.removeAll(keepingCapacity: true)
      return slots
    }
    for slot in slots { memory.wipe(slot * layout.byteCount..<(slot + 1) * layout.byteCount) }
    state.withLock { $0.free += slots }
    if !slots.isEmpty { freed.signal() }
  }

  /// Pictures that wait to be encoded.
  var backlog: Int { state.withLock { $0.ready.count } }
}
