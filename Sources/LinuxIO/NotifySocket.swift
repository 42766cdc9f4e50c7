import CLinux
import Glibc
public import Media

/// Where the service manager wants to hear of this process: the protocol of sd_notify(3), one datagram a message, without
/// libsystemd.
///
/// Each message takes a socket of its own: they are seconds apart, and it goes on when the manager starts anew.
public struct NotifySocket: Hashable, Sendable {
  /// A path, or `@` and a name in the abstract namespace.
  public let address: String

  /// Nil unless it is a local socket's address: nothing else can be sent to.
  public init?(address: String) {
    guard address.utf8.count > 1, address.hasPrefix("/") || address.hasPrefix("@") else { return nil }
    self.address = address
  }

  /// Sends assignments, one a line, such as `READY=1`. Never waits.
  ///
  /// - Returns: false when the manager has too many messages waiting; try again later.
  /// - Throws: when nobody listens there, or this process may not speak to it.
  public func send(_ message: String) throws(LinuxError) -> Bool {
    let raw = clinux_unix_datagram()
    guard raw >= 0 else { throw LinuxError("make", "a socket", errno: errno) }
    let descriptor = FileDescriptor(owning: raw, path: address)
    var message = message
    let count = message.withUTF8 { clinux_send_to(descriptor.rawValue, address, $0.baseAddress, $0.count) }
    if count >= 0 { return true }
    let code = errno
    if code == EAGAIN || code == ENOBUFS { return false }
    throw LinuxError(
      "notify the service manager at", address, errno: code,
      hint: "A service needs Type=notify and RestrictAddressFamilies= with AF_UNIX.")
  }
}

/// What the service manager has asked of this process in its environment (sd_notify(3), sd_watchdog_enabled(3)).
public struct ServiceRequest: Hashable, Sendable {
  /// Nil: it does not want to hear.
  public var socket: NotifySocket?
  /// Unfed for so long, it ends the process; nil: there is no watchdog.
  public var watchdogTimeout: Nanoseconds?

  public init(socket: NotifySocket? = nil, watchdogTimeout: Nanoseconds? = nil) {
    self.socket = socket
    self.watchdogTimeout = watchdogTimeout
  }

  /// From the variables' values: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`. What makes no sense is as if it were not
  /// there; a watchdog that is another process's is not ours to feed.
  public init(notifySocket: String?, watchdogMicroseconds: String?, watchdogProcess: String?, process: Int32) {
    socket = notifySocket.flatMap { NotifySocket(address: $0) }
    guard let text = watchdogMicroseconds, let microseconds = Int64(text), microseconds > 0,
      microseconds <= Int64.max / 1_000
    else { return }
    if let watchdogProcess, Int32(watchdogProcess) != process { return }
    watchdogTimeout = Nanoseconds(microseconds * 1_000)
  }

  /// Of this process.
  public static func ofThisProcess() -> ServiceRequest {
    func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    return ServiceRequest(
      notifySocket: value("NOTIFY_SOCKET"), watchdogMicroseconds: value("WATCHDOG_USEC"),
      watchdogProcess: value("WATCHDOG_PID"), process: getpid())
  }
}
