import CLinux
import Glibc
public import Media

/// What to wait for on a descriptor, and what happened there (the EPOLL bits of epoll_ctl(2)).
public struct PollEvents: OptionSet, Hashable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let readable = PollEvents(rawValue: 0x1)
  /// V4L2 events, and level changes of sysfs files.
  public static let priority = PollEvents(rawValue: 0x2)
  public static let writable = PollEvents(rawValue: 0x4)
  /// Reported whether asked for or not.
  public static let error = PollEvents(rawValue: 0x8)
  /// Reported whether asked for or not: both ends are closed, or the device is gone.
  public static let hangup = PollEvents(rawValue: 0x10)
  /// The peer sends no more; what it sent may still be waiting.
  public static let peerClosed = PollEvents(rawValue: 0x2000)
}

/// One descriptor that is ready.
public struct PollerEvent: Hashable, Sendable {
  /// What `add` was given.
  public var token: UInt64
  public var events: PollEvents
}

/// Waits for many descriptors at once (epoll(7), level-triggered). One thread; no allocation after `init`.
public struct Poller: ~Copyable, Sendable {
  private let descriptor: FileDescriptor
  private var events: [UInt32]
  private var tokens: [UInt64]

  /// - Parameter capacity: events that one `wait` can report, 1...64; the others come with the next.
  public init(capacity: Int = 16) throws(LinuxError) {
    let raw = clinux_epoll_create()
    guard raw >= 0 else { throw LinuxError("make", "a poller", errno: errno) }
    descriptor = FileDescriptor(owning: raw, path: "a poller")
    let capacity = min(max(capacity, 1), 64)
    events = Array(repeating: 0, count: capacity)
    tokens = Array(repeating: 0, count: capacity)
  }

  /// Begins to watch a descriptor. Remove it before it is closed.
  public func add(_ watched: CInt, for events: PollEvents = .readable, token: UInt64) throws(LinuxError) {
    try control(1, watched, events, token, "watch")
  }

  /// Changes what is waited for; an empty set pauses it, except for errors and hang-up.
  public func modify(_ watched: CInt, for events: PollEvents, token: UInt64) throws(LinuxError) {
    try control(3, watched, events, token, "watch")
  }

  public func remove(_ watched: CInt) throws(LinuxError) { try control(2, watched, [], 0, "stop watching") }

  private func control(
    _ operation: CInt, _ watched: CInt, _ events: PollEvents, _ token: UInt64, _ words: String
  ) throws(LinuxError) {
    if clinux_epoll_control(descriptor.rawValue, operation, watched, events.rawValue, token) != 0 {
      throw LinuxError(words, "descriptor \(watched)", errno: errno)
    }
  }

  /// Waits until something is ready or the time has come; nil waits for ever. Returns how many events `poller[0]`… now
  /// hold; 0 when the time came first. Precise to the nanosecond, unlike epoll_wait's milliseconds.
  public mutating func wait(until deadline: MonotonicTime?) throws(LinuxError) -> Int {
    while true {
      let code = clinux_wait(descriptor.rawValue, Int16(POLLIN), timeout(until: deadline))
      if code == 0 { return 0 }
      if code > 0 {
        let count = clinux_epoll_take(descriptor.rawValue, &events, &tokens, CInt(events.count))
        if count > 0 { return Int(count) }
        // 0: what was ready is not any more, so wait again.
        if count == 0 { continue }
      }
      let failure = errno
      if failure != EINTR { throw LinuxError("wait on", "a poller", errno: failure) }
    }
  }

  /// An event of the last `wait`; `index` is less than what it returned.
  public subscript(index: Int) -> PollerEvent {
    PollerEvent(token: tokens[index], events: PollEvents(rawValue: events[index]))
  }
}
