import CLinux
public import Glibc

/// Signals as something to read (signalfd(2)), so that no code runs in a signal handler.
///
/// Make it in the main thread before any other thread starts: the signals are blocked in the calling thread and in those
/// started by it later. SIGPIPE is ignored from then on; a closed peer is an error of `write`.
public struct SignalDescriptor: ~Copyable, Sendable {
  private let descriptor: FileDescriptor

  public init(_ signals: [CInt] = [SIGINT, SIGTERM, SIGHUP]) throws(LinuxError) {
    let raw = clinux_signalfd(signals, CInt(signals.count))
    guard raw >= 0 else { throw LinuxError("receive", "signals", errno: errno) }
    descriptor = FileDescriptor(owning: raw, path: "signals")
    clinux_ignore_broken_pipe()
  }

  /// Readable while a signal is waiting: for a `Poller`.
  public var rawValue: CInt { descriptor.rawValue }

  /// The next waiting signal's number; nil when there is none. Never blocks.
  public func next() throws(LinuxError) -> CInt? {
    let signal = clinux_next_signal(descriptor.rawValue)
    if signal < 0 { throw LinuxError("receive", "signals", errno: errno) }
    return signal == 0 ? nil : signal
  }
}
