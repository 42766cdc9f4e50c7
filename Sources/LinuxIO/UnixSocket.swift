import CLinux
import Glibc

/// Who is at the other end of a Unix socket, as the kernel knows it from the time of `connect` (unix(7), SO_PEERCRED).
public struct PeerCredentials: Hashable, Sendable {
  public var process: Int32
  public var user: UInt32
  public var group: UInt32

  public init(process: Int32, user: UInt32, group: UInt32) {
    self.process = process
    self.user = user
    self.group = group
  }
}

/// A connected Unix stream socket: what `UnixListener.accept()` gives (non-blocking) or `connect` (blocking, timeouts).
public struct UnixSocket: ~Copyable, Sendable {
  /// What a read brought.
  public enum ReadResult: Hashable, Sendable {
    case bytes(Int)
    /// Nothing now: wait until it is readable. On a blocking socket: the timeout has passed.
    case nothingYet
    /// The peer sends no more.
    case closed
  }

  private let descriptor: FileDescriptor
  /// Milliseconds; nil on a non-blocking socket.
  private let timeout: Int?

  init(owning descriptor: consuming FileDescriptor, timeout: Int?) {
    self.descriptor = descriptor
    self.timeout = timeout
  }

  /// For a `Poller`.
  public var rawValue: CInt { descriptor.rawValue }

  /// Connects, for a command: each connect, read and write waits at most `timeoutMilliseconds`.
  ///
  /// - Throws: an error whose hint says whether nothing runs, or which group one must be in.
  public static func connect(path: String, timeoutMilliseconds: Int = 5_000) throws(LinuxError) -> UnixSocket {
    let raw = clinux_unix_socket(0)
    guard raw >= 0 else { throw LinuxError("make", "a socket", errno: errno) }
    let descriptor = FileDescriptor(owning: raw, path: path)
    let timeout = max(1, timeoutMilliseconds)
    if clinux_socket_timeouts(raw, Int64(timeout)) != 0 { throw LinuxError("set timeouts on", path, errno: errno) }
    while clinux_unix_connect(raw, path) != 0 {
      let code = errno
      if code != EINTR { throw LinuxError("connect to", path, errno: code, hint: hint(code, path, timeout)) }
    }
    return UnixSocket(owning: descriptor, timeout: timeout)
  }

  private static func hint(_ code: CInt, _ path: String, _ timeout: Int) -> String? {
    switch code {
    case ENOENT: "Is `lapel run` running, and is this the socket path in its configuration?"
    case ECONNREFUSED: "Nobody answers there any more: is `lapel run` running?"
    case EAGAIN: silentHint(timeout)
    case EACCES: permissionHint(path)
    default: nil
    }
  }

  fileprivate static func silentHint(_ timeout: Int) -> String {
    "The recorder did not answer within \(timeout) ms: look at its log."
  }

  private static func permissionHint(_ path: String) -> String {
    var status = stat()
    guard lstat(path, &status) == 0 else { return "This user may not enter the socket's directory." }
    let group = groupName(status.st_gid)
    return
      "The socket belongs to the group \(group): add your user to it (`sudo usermod -aG \(group) $USER`) and log in "
      + "again, or use sudo."
  }

  /// Who is at the other end.
  public func peerCredentials() throws(LinuxError) -> PeerCredentials {
    var peer = PeerCredentials(process: 0, user: 0, group: 0)
    if clinux_peer_credentials(descriptor.rawValue, &peer.process, &peer.user, &peer.group) != 0 {
      throw LinuxError("identify the peer of", descriptor.path, errno: errno)
    }
    return peer
  }

  /// Reads what is there, up to the buffer's size (more than 0).
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(LinuxError) -> ReadResult {
    while true {
      let count = Glibc.read(descriptor.rawValue, buffer.baseAddress, buffer.count)
      if count > 0 { return .bytes(count) }
      if count == 0 { return .closed }
      let code = errno
      if code == EAGAIN { return .nothingYet }
      if code == ECONNRESET { return .closed }
      if code != EINTR { throw LinuxError("read from", descriptor.path, errno: code) }
    }
  }

  /// Writes what fits now and returns how many bytes that were; 0 when nothing fits: wait until it is writable. A peer
  /// that has closed is EPIPE, never a signal.
  public func write(_ bytes: RawSpan) throws(LinuxError) -> Int {
    if bytes.byteCount == 0 { return 0 }
    return try bytes.withUnsafeBytes { (buffer) throws(LinuxError) in
      while true {
        let count = clinux_send(descriptor.rawValue, buffer.baseAddress, buffer.count)
        if count >= 0 { return count }
        let code = errno
        if code == EAGAIN { return 0 }
        if code != EINTR { throw LinuxError("write to", descriptor.path, errno: code) }
      }
    }
  }

  /// Writes all of it; for a blocking socket. Throws EAGAIN when the peer takes nothing within the timeout.
  public func writeAll(_ bytes: RawSpan) throws(LinuxError) {
    var done = 0
    while done < bytes.byteCount {
      let count = try write(bytes.extracting(droppingFirst: done))
      if count == 0 { throw silent("write to") }
      done += count
    }
  }

  /// Says that no more will be sent (shutdown(2), SHUT_WR); reading goes on.
  public func finishSending() throws(LinuxError) {
    if shutdown(descriptor.rawValue, CInt(SHUT_WR)) != 0 { throw LinuxError("finish", descriptor.path, errno: errno) }
  }

  /// Reads until the peer closes; for a blocking socket. Throws EAGAIN when it says nothing for the timeout, EFBIG beyond
  /// `limit` bytes.
  public func readToEnd(limit: Int) throws(LinuxError) -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      var result = ReadResult.closed
      var failure: LinuxError?
      chunk.withUnsafeMutableBytes { buffer in
        do throws(LinuxError) { result = try read(into: buffer) } catch { failure = error }
      }
      if let failure { throw failure }
      switch result {
      case .closed: return all
      case .nothingYet: throw silent("read from")
      case .bytes(let count): all.append(contentsOf: chunk[..<count])
      }
      if all.count > limit { throw LinuxError("read from", descriptor.path, errno: EFBIG) }
    }
  }

  private func silent(_ operation: String) -> LinuxError {
    LinuxError(operation, descriptor.path, errno: EAGAIN, hint: timeout.map(UnixSocket.silentHint))
  }
}

/// A group's name, or its number where it has none.
func groupName(_ group: gid_t) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    guard let base = buffer.baseAddress, clinux_group_name(group, base, buffer.count) == 0 else { return "\(group)" }
    return String(cString: base)
  }
}
