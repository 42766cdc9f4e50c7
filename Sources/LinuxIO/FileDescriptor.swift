import CLinux
import Glibc

/// An open file that is closed exactly once: by `close()`, which reports errors, or when the value goes away.
///
/// Every descriptor made here is close-on-exec. Errors name the path. Any thread; one writer at a time.
public struct FileDescriptor: ~Copyable, Sendable {
  /// The number, for calls not covered here. It is valid while this value lives; never close it.
  public private(set) var rawValue: CInt
  /// What it was opened as; for errors.
  public let path: String

  /// Takes over an open descriptor.
  public init(owning rawValue: CInt, path: String = "a descriptor") {
    self.rawValue = rawValue
    self.path = path
  }

  deinit {
    if rawValue >= 0 { _ = Glibc.close(rawValue) }
  }

  /// open(2) with O_CLOEXEC. `mode` counts only with O_CREAT, less the process's umask.
  public static func open(path: String, flags: CInt, mode: UInt32 = 0o600) throws(LinuxError) -> FileDescriptor {
    try open(at: AT_FDCWD, name: path, path: path, flags: flags, mode: mode)
  }

  /// openat(2) with O_CLOEXEC: `name` is looked up in the open directory, whatever happens to that directory's path.
  public static func openat(
    directory: borrowing FileDescriptor, name: String, flags: CInt, mode: UInt32 = 0o600
  ) throws(LinuxError) -> FileDescriptor {
    try open(at: directory.rawValue, name: name, path: "\(directory.path)/\(name)", flags: flags, mode: mode)
  }

  private static func open(
    at directory: CInt, name: String, path: String, flags: CInt, mode: UInt32
  ) throws(LinuxError) -> FileDescriptor {
    while true {
      let raw = Glibc.openat(directory, name, flags | O_CLOEXEC, mode)
      if raw >= 0 { return FileDescriptor(owning: raw, path: path) }
      let code = errno
      if code != EINTR { throw LinuxError(flags & O_CREAT != 0 ? "create" : "open", path, errno: code) }
    }
  }

  /// close(2), which may report a write that failed earlier. Afterwards the descriptor is closed, error or not.
  public consuming func close() throws(LinuxError) {
    let raw = rawValue
    rawValue = -1
    guard Glibc.close(raw) != 0 else { return }
    let code = errno
    // Linux frees the number before it can be interrupted: closing again could close someone else's file.
    if code != EINTR { throw LinuxError("close", path, errno: code) }
  }

  /// One read(2), repeated only after EINTR. Returns the bytes read, 0 at the end of the file.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(LinuxError) -> Int {
    while true {
      let count = Glibc.read(rawValue, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      let code = errno
      if code != EINTR { throw LinuxError("read", path, errno: code) }
    }
  }

  /// As `read`, for a non-blocking descriptor: nil when nothing can be read now.
  public func readIfReady(into buffer: UnsafeMutableRawBufferPointer) throws(LinuxError) -> Int? {
    while true {
      let count = Glibc.read(rawValue, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      let code = errno
      if code == EAGAIN { return nil }
      if code != EINTR { throw LinuxError("read", path, errno: code) }
    }
  }

  /// pread(2) until the buffer is full or the file ends. Returns the bytes read.
  public func pread(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(LinuxError) -> Int {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = Glibc.pread(rawValue, rest.baseAddress, rest.count, off_t(offset) + done)
      if count == 0 { break }
      if count > 0 {
        done += count
        continue
      }
      let code = errno
      if code != EINTR { throw LinuxError("read", path, errno: code) }
    }
    return done
  }

  /// Writes all of it at the file's position, through short writes, interruptions and, on a non-blocking
  /// descriptor, a full pipe. After an error some of it may have been written.
  public func write(_ bytes: RawSpan) throws(LinuxError) {
    try writeAll(bytes) { (rest, _) in Glibc.write(rawValue, rest.baseAddress, rest.count) }
  }

  /// Writes all of it at `offset`; the file's position stays.
  public func pwrite(_ bytes: RawSpan, at offset: Int64) throws(LinuxError) {
    try writeAll(bytes) { (rest, done) in Glibc.pwrite(rawValue, rest.baseAddress, rest.count, off_t(offset) + done) }
  }

  private func writeAll(
    _ bytes: RawSpan, _ body: (_ rest: UnsafeRawBufferPointer, _ done: Int) -> Int
  ) throws(LinuxError) {
    try bytes.withUnsafeBytes { (buffer) throws(LinuxError) in
      var done = 0
      while done < buffer.count {
        let count = body(UnsafeRawBufferPointer(rebasing: buffer[done...]), done)
        if count > 0 {
          done += count
          continue
        }
        let code = count == 0 ? ENOSPC : errno
        if code == EAGAIN {
          _ = clinux_wait(rawValue, Int16(POLLOUT), -1)
        } else if code != EINTR {
          throw LinuxError("write to", path, errno: code)
        }
      }
    }
  }

  /// fdatasync(2): returns when the card says that data and size are durable. After an error nothing is known of what
  /// was written before, and a second call may report success wrongly: start a new file.
  public func dataSync() throws(LinuxError) { try check("sync") { fdatasync(rawValue) } }

  /// fsync(2): as `dataSync`, times and mode included; on a directory, its names.
  public func sync() throws(LinuxError) { try check("sync") { fsync(rawValue) } }

  /// The file's length in bytes.
  public func size() throws(LinuxError) -> Int64 { try Int64(status().st_size) }

  /// Reserves space without changing the size (fallocate(2), FALLOC_FL_KEEP_SIZE). Throws EOPNOTSUPP on file systems
  /// that cannot.
  public func allocateKeepingSize(offset: Int64, length: Int64) throws(LinuxError) {
    try check("reserve space for") { clinux_allocate_keeping_size(rawValue, offset, length) }
  }

  /// Starts writing these bytes to the device and does not wait for it (sync_file_range(2), SYNC_FILE_RANGE_WRITE);
  /// says nothing of durability. May block while the device's queue is full.
  public func startWriteback(offset: Int64, length: Int64) throws(LinuxError) {
    try check("start writing") { clinux_start_writeback(rawValue, offset, length) }
  }

  /// ftruncate(2).
  public func truncate(to size: Int64) throws(LinuxError) { try check("truncate") { ftruncate(rawValue, off_t(size)) } }

  /// Lets the kernel forget what it remembers of the file, so that the next read asks the card (posix_fadvise(2)): whatever was
  /// synced, and only where the kernel wants to.
  public func dropCache() { posix_fadvise(rawValue, 0, 0, CInt(POSIX_FADV_DONTNEED)) }

  /// fchmod(2): the mode whatever the umask is.
  public func setMode(_ mode: UInt32) throws(LinuxError) { try check("set the mode of") { fchmod(rawValue, mode) } }

  /// fstat(2).
  func status() throws(LinuxError) -> stat {
    var status = stat()
    try check("inspect") { fstat(rawValue, &status) }
    return status
  }

  /// An ioctl on this descriptor, repeated after EINTR. `operation` is for the error: `set the format of`.
  @discardableResult
  public func control<Argument: BitwiseCopyable>(
    _ request: UInt, _ argument: inout Argument, operation: String
  ) throws(LinuxError) -> CInt {
    let result = withUnsafeMutablePointer(to: &argument) { ioctlRetrying(rawValue, request, $0) }
    if result < 0 { throw LinuxError(operation, path, errno: -result) }
    return result
  }

  private func check(_ operation: String, _ body: () -> CInt) throws(LinuxError) {
    while body() != 0 {
      let code = errno
      if code != EINTR { throw LinuxError(operation, path, errno: code) }
    }
  }
}

/// ioctl(2), repeated after EINTR. Returns its result (0 or more), or the negative errno. No allocation.
public func ioctlRetrying(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> CInt {
  while true {
    let result = ioctl(descriptor, request, argument)
    if result >= 0 { return result }
    let code = errno
    if code != EINTR { return -code }
  }
}
