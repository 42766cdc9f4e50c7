import CLinux
import Glibc

/// Space and kind of a mounted file system (statvfs(3), statfs(2)). Two system calls; may wait for a slow card.
public struct FileSystemStatus: Hashable, Sendable {
  /// Bytes that this process's user may still write; root's reserve is not in it.
  public var freeBytes: Int64
  public var totalBytes: Int64
  /// Files that may still be created; `Int64.max` where the file system sets no limit.
  public var freeFiles: Int64
  /// `ext4`, `f2fs`, `tmpfs`, `overlay`, `vfat`, `exfat`…, or the kernel's number as `0x…`. ext2 and ext3 are `ext4` too.
  public var typeName: String
  public var isReadOnly: Bool
  /// Tells file systems apart (st_dev).
  public var deviceID: UInt64

  /// Of the file system that a directory or a regular file is on.
  public init(path: String) throws(LinuxError) {
    try self.init(of: FileDescriptor.open(path: path, flags: O_RDONLY | O_NONBLOCK))
  }

  public init(of descriptor: borrowing FileDescriptor) throws(LinuxError) {
    var status = statvfs()
    while fstatvfs(descriptor.rawValue, &status) != 0 {
      let code = errno
      if code != EINTR { throw LinuxError("read the free space of", descriptor.path, errno: code) }
    }
    func bytes(_ blocks: fsblkcnt_t) -> Int64 {
      let (product, overflow) = UInt64(blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize))
      return overflow ? .max : Int64(clamping: product)
    }
    freeBytes = bytes(status.f_bavail)
    totalBytes = bytes(status.f_blocks)
    freeFiles = status.f_files == 0 ? .max : Int64(clamping: status.f_favail)
    isReadOnly = status.f_flag & 1 != 0  // ST_RDONLY
    typeName = FileSystemStatus.name(ofType: clinux_file_system_type(descriptor.rawValue))
    deviceID = try UInt64(descriptor.status().st_dev)
  }

  /// Numbers from linux/magic.h and statfs(2).
  static func name(ofType type: Int64) -> String {
    switch type {
    case 0xEF53: "ext4"
    case 0xF2F5_2010: "f2fs"
    case 0x0102_1994: "tmpfs"
    case 0x8584_58F6: "ramfs"
    case 0x794C_7630: "overlay"
    case 0x4D44: "vfat"
    case 0x2011_BAB0: "exfat"
    case 0x7366_746E: "ntfs3"
    case 0x9123_683E: "btrfs"
    case 0x5846_5342: "xfs"
    case 0x6969: "nfs"
    case 0x6573_5546: "fuse"
    case 0x7371_7368: "squashfs"
    case 0x0102_1997: "9p"
    case ..<0: "unknown"
    default: "0x" + String(type, radix: 16)
    }
  }
}
