import Glibc

/// One process at a time: an exclusive flock(2) on a file, which also holds the process id of its owner.
///
/// The kernel lets go of it when the process ends, however it ends. The file stays: removing it would let two
/// processes lock two files of one name.
public struct InstanceLock: ~Copyable, Sendable {
  private let file: FileDescriptor

  /// Does not wait. When it is taken the error has EWOULDBLOCK and names the owner's process id.
  public init(path: String) throws(LinuxError) {
    let file = try FileDescriptor.open(path: path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
    while flock(file.rawValue, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      guard code == EWOULDBLOCK else { throw LinuxError("lock", path, errno: code) }
      let owner = InstanceLock.owner(in: file).map { "process \($0)" } ?? "another process"
      throw LinuxError(
        "lock", path, errno: code,
        hint: "A recorder is running already (\(owner)): stop it first, or give this one another store.")
    }
    try file.truncate(to: 0)
    let line = Array("\(getpid())\n".utf8)
    try file.pwrite(line.span.bytes, at: 0)
    self.file = file
  }

  /// Lets go now, not at the end of the value's life.
  public consuming func release() throws(LinuxError) { try file.close() }

  private static func owner(in file: borrowing FileDescriptor) -> Int? {
    withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer in
      guard let count = try? file.pread(into: buffer, at: 0) else { return nil }
      let digits = buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }
      return Int(String(decoding: digits, as: UTF8.self))
    }
  }
}
