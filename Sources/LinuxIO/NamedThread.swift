import CLinux
import Glibc
import Synchronization

/// A POSIX thread of its own, for work that blocks in the kernel.
///
/// All asynchronous signals are blocked in it, so that they reach the `SignalDescriptor` only.
public final class NamedThread: Sendable {
  /// At most 15 bytes, the kernel's limit; seen in `top -H` and in crash reports.
  public let name: String
  /// Why SCHED_FIFO was refused, if it was asked for; the thread then runs at normal priority.
  public let priorityError: LinuxError?

  private let thread: pthread_t
  private let isJoined = Mutex(false)

  /// Starts `body` at once.
  ///
  /// - Parameters:
  ///   - stackSize: bytes; rounded up to the system's least. 256 KiB do for our optimised code; debug builds and
  ///     libraries with large frames may need more.
  ///   - fifoPriority: 1...99 for SCHED_FIFO, 0 for normal. Needs CAP_SYS_NICE or RLIMIT_RTPRIO; being refused is no error.
  public init(
    _ name: String, stackSize: Int = 256 * 1024, fifoPriority: Int = 0, _ body: @escaping @Sendable () -> Void
  ) throws(LinuxError) {
    self.name = NamedThread.shortened(name)
    let start = Unmanaged.passRetained(ThreadStart(name: self.name, body: body))
    var thread = pthread_t()
    var refusal: LinuxError?
    var code = NamedThread.create(&thread, stackSize, fifoPriority, start)
    if code != 0 && fifoPriority != 0 {
      refusal = LinuxError(
        "run at real-time priority \(fifoPriority) the thread", name, errno: code,
        hint: "Give the service LimitRTPRIO=\(fifoPriority) or CAP_SYS_NICE; it runs at normal priority now.")
      code = NamedThread.create(&thread, stackSize, 0, start)
    }
    guard code == 0 else {
      start.release()
      throw LinuxError("start the thread", name, errno: code, hint: "Raise the limit of threads, or free memory.")
    }
    self.thread = thread
    self.priorityError = refusal
  }

  deinit {
    if !isJoined.withLock({ $0 }) { pthread_detach(thread) }
  }

  /// Waits until `body` has returned. May be called again and from several threads, but not from the thread itself,
  /// where it returns at once.
  public func join() {
    isJoined.withLock { isJoined in
      if !isJoined && pthread_equal(pthread_self(), thread) == 0 { isJoined = pthread_join(thread, nil) == 0 }
    }
  }

  /// The name of the calling thread.
  public static var currentName: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { buffer in
      guard let base = buffer.baseAddress, clinux_thread_name(base, buffer.count) == 0 else { return "" }
      return String(cString: base)
    }
  }

  private static func create(
    _ thread: inout pthread_t, _ stackSize: Int, _ priority: Int, _ start: Unmanaged<ThreadStart>
  ) -> CInt {
    clinux_thread_create(
      &thread, max(0, stackSize), CInt(clamping: priority),
      { argument in
        // The reference that `init` retained; this thread is the only one to take it.
        guard let argument else { return nil }
        let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
        _ = clinux_thread_set_name(start.name)
        start.body()
        return nil
      }, start.toOpaque())
  }

  /// At most 15 bytes of UTF-8, whole characters.
  private static func shortened(_ name: String) -> String {
    var name = name
    while name.utf8.count > 15 { name.removeLast() }
    return name
  }
}

private final class ThreadStart: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}
