import CLinux
import Glibc

/// An open directory: names in it are looked up through the descriptor, so nobody can swap a parent in between.
///
/// `name` is one name, not a path; names with `/` or `..` are refused with EINVAL.
public struct Directory: ~Copyable, Sendable {
  public let descriptor: FileDescriptor
  public var path: String { descriptor.path }

  /// Opens an existing directory.
  public init(path: String) throws(LinuxError) {
    descriptor = try FileDescriptor.open(path: path, flags: O_RDONLY | O_DIRECTORY)
  }

  private init(owning descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

  /// mkdir(2). Returns false when a directory is there already and `allowingExisting`. Durable only after the parent's
  /// `sync()`. The mode is less the umask.
  @discardableResult
  public static func make(path: String, mode: UInt32 = 0o700, allowingExisting: Bool = false) throws(LinuxError) -> Bool
  {
    try make(at: AT_FDCWD, name: path, path: path, mode: mode, allowingExisting: allowingExisting)
  }

  /// As the static one, in this directory.
  @discardableResult
  public func make(_ name: String, mode: UInt32 = 0o700, allowingExisting: Bool = false) throws(LinuxError) -> Bool {
    let path = try path(of: name, "make the directory")
    return try Directory.make(
      at: descriptor.rawValue, name: name, path: path, mode: mode, allowingExisting: allowingExisting)
  }

  private static func make(
    at directory: CInt, name: String, path: String, mode: UInt32, allowingExisting: Bool
  ) throws(LinuxError) -> Bool {
    if mkdirat(directory, name, mode) == 0 { return true }
    let code = errno
    if code == EEXIST && allowingExisting {
      var status = stat()
      if fstatat(directory, name, &status, 0) == 0 && status.st_mode & S_IFMT == S_IFDIR { return false }
    }
    throw LinuxError("make the directory", path, errno: code)
  }

  /// Opens a directory in this one; a symbolic link is refused.
  public func directory(_ name: String) throws(LinuxError) -> Directory {
    Directory(owning: try open(name, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  /// Opens or creates a file in this directory (openat(2), O_CLOEXEC).
  public func open(_ name: String, flags: CInt, mode: UInt32 = 0o600) throws(LinuxError) -> FileDescriptor {
    _ = try path(of: name, "open")
    return try FileDescriptor.openat(directory: descriptor, name: name, flags: flags, mode: mode)
  }

  /// syncfs(2): makes everything on its file system durable, whoever wrote it.
  public func syncFileSystem() throws(LinuxError) {
    guard clinux_sync_file_system(descriptor.rawValue) == 0 else {
      throw LinuxError("sync the file system of", path, errno: errno)
    }
  }

  /// fsync(2): makes the names in it durable: files created, renamed and removed.
  public func sync() throws(LinuxError) { try descriptor.sync() }

  /// The names in it without `.` and `..`, in no order. Names that are not UTF-8 are left out.
  public func names() throws(LinuxError) -> [String] {
    // A descriptor of its own: reading moves the position, which a duplicate would share.
    let raw = Glibc.openat(descriptor.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard raw >= 0 else { throw LinuxError("list", path, errno: errno) }
    guard let stream = fdopendir(raw) else {
      let code = errno
      _ = Glibc.close(raw)
      throw LinuxError("list", path, errno: code)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = clinux_next_name(stream) {
      guard let name = String(validatingCString: entry), name != ".", name != ".." else { continue }
      names.append(name)
    }
    let code = errno
    if code != 0 { throw LinuxError("list", path, errno: code) }
    return names
  }

  /// What a name stands for, without following a symbolic link; nil when there is no such name.
  public func status(of name: String) throws(LinuxError) -> FileStatus? {
    let path = try path(of: name, "inspect")
    var status = stat()
    if fstatat(descriptor.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileStatus(status) }
    let code = errno
    if code == ENOENT { return nil }
    throw LinuxError("inspect", path, errno: code)
  }

  /// Removes a file's name (unlinkat(2)).
  public func unlink(_ name: String) throws(LinuxError) {
    let path = try path(of: name, "remove")
    if unlinkat(descriptor.rawValue, name, 0) != 0 { throw LinuxError("remove", path, errno: errno) }
  }

  /// Removes an empty directory (unlinkat(2), AT_REMOVEDIR).
  public func remove(directory name: String) throws(LinuxError) {
    let path = try path(of: name, "remove the directory")
    if unlinkat(descriptor.rawValue, name, AT_REMOVEDIR) != 0 {
      throw LinuxError("remove the directory", path, errno: errno)
    }
  }

  /// Renames within this directory, replacing what has the new name (renameat(2)): atomic, durable after `sync()`.
  public func rename(_ name: String, to newName: String) throws(LinuxError) {
    let path = try path(of: name, "rename")
    _ = try self.path(of: newName, "rename to")
    if renameat(descriptor.rawValue, name, descriptor.rawValue, newName) != 0 {
      throw LinuxError("rename", path, errno: errno)
    }
  }

  /// Moves to another directory of the same file system. Durable after `sync()` of both.
  public func rename(_ name: String, to newName: String, in other: borrowing Directory) throws(LinuxError) {
    let path = try path(of: name, "rename")
    _ = try other.path(of: newName, "rename to")
    if renameat(descriptor.rawValue, name, other.descriptor.rawValue, newName) != 0 {
      throw LinuxError("rename", path, errno: errno)
    }
  }

  /// The path of a name for errors, after checking that it is one name.
  private func path(of name: String, _ operation: String) throws(LinuxError) -> String {
    let path = "\(descriptor.path)/\(name)"
    if name.isEmpty || name == "." || name == ".." || name.utf8.contains(UInt8(ascii: "/")) || name.utf8.contains(0) {
      throw LinuxError(operation, path, errno: EINVAL, hint: "A single name is needed here, not a path.")
    }
    return path
  }
}

/// What fstatat(2) says of a name.
public struct FileStatus: Hashable, Sendable {
  public enum Kind: Hashable, Sendable { case file, directory, symbolicLink, other }

  public var kind: Kind
  /// Bytes.
  public var size: Int64
  /// Bytes that it occupies on the card.
  public var allocated: Int64
  /// Permission bits.
  public var mode: UInt32
  /// Wall time of the last change of its content, milliseconds since 1970 UTC.
  public var modifiedMilliseconds: Int64
  /// The file system that it is on (st_dev); two names can be renamed to each other only when these are equal.
  public var deviceID: UInt64
  public var inode: UInt64

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFLNK: .symbolicLink
      default: .other
      }
    size = Int64(status.st_size)
    allocated = Int64(status.st_blocks) * 512
    mode = status.st_mode & 0o7777
    modifiedMilliseconds = Int64(status.st_mtim.tv_sec) * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
    deviceID = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}

/// The names in a directory, without `.` and `..`, in no order.
public func listDirectory(path: String) throws(LinuxError) -> [String] { try Directory(path: path).names() }
