import CLinux
import Glibc
public import Media

/// A wake-up that any thread can send and one thread waits for (eventfd(2)). Wake-ups do not queue: they add up.
public final class EventCounter: Sendable {
  private let descriptor: FileDescriptor

  public init() throws(LinuxError) {
    let raw = clinux_eventfd()
    guard raw >= 0 else { throw LinuxError("make", "an event counter", errno: errno) }
    descriptor = FileDescriptor(owning: raw, path: "an event counter")
  }

  /// Readable while a signal is waiting: for a `Poller`. Valid while this object lives.
  public var rawValue: CInt { descriptor.rawValue }

  /// Wakes the waiting thread, now or when it next waits. Never blocks; one system call.
  public func signal() {
    var one: UInt64 = 1
    // EAGAIN means that 2^64 - 2 signals are waiting: the thread will wake.
    while write(descriptor.rawValue, &one, 8) < 0 && errno == EINTR {}
  }

  /// Takes all waiting signals and returns how many they were. Never blocks.
  @discardableResult
  public func drain() -> UInt64 {
    var count: UInt64 = 0
    while true {
      if read(descriptor.rawValue, &count, 8) == 8 { return count }
      if errno != EINTR { return 0 }
    }
  }

  /// Waits for a signal, without taking it. Returns false when the time came first; nil waits for ever.
  @discardableResult
  public func wait(until deadline: MonotonicTime?) -> Bool {
    while true {
      let events = clinux_wait(descriptor.rawValue, Int16(POLLIN), timeout(until: deadline))
      if events > 0 { return true }
      if events == 0 { return false }
      // Only EINTR and a momentary ENOMEM are possible: the descriptor is ours and open.
    }
  }
}
