import CLinux
import Glibc

/// A Unix stream socket that others connect to. Its file is removed when the value goes away.
public struct UnixListener: ~Copyable, Sendable {
  private let descriptor: FileDescriptor
  public let path: String
  private let device: dev_t
  private let inode: ino_t

  /// Binds and listens, non-blocking.
  ///
  /// A socket file left behind by a crash is replaced; one that somebody answers on is not, nor any other kind of file.
  /// Hold the `InstanceLock` while calling this: two processes could otherwise take each other's file for a leftover.
  /// - Parameters:
  ///   - path: at most 107 bytes, in a directory that only this service can write to.
  ///   - mode: who may connect: write permission. It holds from the first moment that a connection is possible.
  ///   - group: name or number of the group of the file; nil leaves that of the process.
  public init(path: String, mode: UInt32 = 0o660, group: String? = nil) throws(LinuxError) {
    let raw = clinux_unix_socket(1)
    guard raw >= 0 else { throw LinuxError("make", "a socket", errno: errno) }
    let descriptor = FileDescriptor(owning: raw, path: path)
    try UnixListener.bind(raw, path)

    var status = stat()
    do throws(LinuxError) {
      // Nobody can connect before `listen`, so there is no moment with a wrong owner or mode.
      if let group { try UnixListener.setGroup(path, group) }
      if chmod(path, mode) != 0 { throw LinuxError("set the mode of", path, errno: errno) }
      if lstat(path, &status) != 0 { throw LinuxError("inspect", path, errno: errno) }
      if listen(raw, 16) != 0 { throw LinuxError("listen on", path, errno: errno) }
    } catch {
      Glibc.unlink(path)
      throw error
    }
    self.descriptor = descriptor
    self.path = path
    device = status.st_dev
    inode = status.st_ino
  }

  deinit {
    // Only our own file: a successor may have put its own there.
    var status = stat()
    if lstat(path, &status) == 0 && status.st_dev == device && status.st_ino == inode { Glibc.unlink(path) }
  }

  /// Readable while somebody waits to be accepted: for a `Poller`.
  public var rawValue: CInt { descriptor.rawValue }

  /// The next waiting connection, non-blocking; nil when there is none. After EMFILE the listener stays readable: stop
  /// watching it for a while.
  public func accept() throws(LinuxError) -> UnixSocket? {
    while true {
      let raw = clinux_accept(descriptor.rawValue)
      if raw >= 0 { return UnixSocket(owning: FileDescriptor(owning: raw, path: path), timeout: nil) }
      let code = errno
      if code == EAGAIN { return nil }
      if code != EINTR && code != ECONNABORTED { throw LinuxError("accept a connection on", path, errno: code) }
    }
  }

  /// The process that listens on this path (unix(7), SO_PEERCRED); nil when nobody answers there.
  public static func process(listeningOn path: String) -> Int32? {
    guard let socket = try? UnixSocket.connect(path: path), let peer = try? socket.peerCredentials() else { return nil }
    return peer.process
  }

  private static func bind(_ raw: CInt, _ path: String) throws(LinuxError) {
    if clinux_unix_bind(raw, path) == 0 { return }
    let code = errno
    guard code == EADDRINUSE else {
      let hint = code == ENOENT ? "Make its directory first (RuntimeDirectory= in the service does)." : nil
      throw LinuxError("make the socket", path, errno: code, hint: hint)
    }
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
      throw LinuxError(
        "make the socket", path, errno: code, hint: "Something that is no socket is there: choose another path.")
    }
    let probe = clinux_unix_socket(1)
    guard probe >= 0 else { throw LinuxError("make", "a socket", errno: errno) }
    let refused = clinux_unix_connect(probe, path) != 0 && errno == ECONNREFUSED
    _ = Glibc.close(probe)
    guard refused else {
      throw LinuxError(
        "make the socket", path, errno: code, hint: "A running program answers there: is this a second recorder?")
    }
    if unlink(path) != 0 { throw LinuxError("remove the old socket", path, errno: errno) }
    if clinux_unix_bind(raw, path) != 0 { throw LinuxError("make the socket", path, errno: errno) }
  }

  private static func setGroup(_ path: String, _ group: String) throws(LinuxError) {
    var number = gid_t()
    if let given = gid_t(group) {
      number = given
    } else if clinux_group_id(group, &number) != 0 {
      throw LinuxError(
        "give \(path) to the group", group, errno: 0, hint: "There is no such group: `sudo groupadd --system \(group)`."
      )
    }
    if chown(path, uid_t.max, number) != 0 {
      let code = errno
      throw LinuxError(
        "give \(path) to the group", group, errno: code,
        hint: "Run this as a member of the group (SupplementaryGroups= in the service).")
    }
  }
}
