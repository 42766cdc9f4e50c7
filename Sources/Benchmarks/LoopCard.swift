import Glibc
import LinuxIO

/// A file system on a loop device of its own, mounted: a card whose every byte is counted.
///
/// It lives in this process's mount namespace and on this process's descriptor: whatever ends the process, the kernel takes
/// mount, device and image away.
final class LoopCard: Sendable {
  enum FileSystem: String, CaseIterable, Sendable {
    case ext4, f2fs

    var package: String { self == .ext4 ? "e2fsprogs" : "f2fs-tools" }
    /// As a card comes from mkfs, but finished: ext4 would otherwise write its inode tables in the background for minutes,
    /// into the middle of what is counted.
    var mkfsArguments: [String] {
      self == .ext4 ? ["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"] : ["-q"]
    }
  }

  /// The programs that make a card.
  struct Tools {
    let losetup: ExternalTool
    let mkfs: ExternalTool
    let mount: ExternalTool

    /// - Parameter log: a file that may be written, for what they say.
    init(_ fileSystem: FileSystem, log: String) throws {
      losetup = try ExternalTool("losetup", package: "mount")
      mkfs = try ExternalTool("mkfs.\(fileSystem)", package: fileSystem.package)
      mount = try ExternalTool("mount", package: "mount")
      guard access("/dev/loop-control", F_OK) == 0 else {
        throw BenchmarkFailure(
          "this kernel offers no loop devices (/dev/loop-control): modprobe loop", exitCode: BenchmarkFailure.missing)
      }
      if try !Self.isKnown(fileSystem), let modprobe = try? ExternalTool("modprobe", package: "kmod") {
        _ = try? modprobe.run(["\(fileSystem)"], log: log)
      }
      guard try Self.isKnown(fileSystem) else {
        throw BenchmarkFailure("this kernel has no \(fileSystem)", exitCode: BenchmarkFailure.missing)
      }
    }

    private static func isKnown(_ fileSystem: FileSystem) throws -> Bool {
      String(decoding: try readSmallFile(path: "/proc/filesystems", limit: 1 << 16), as: UTF8.self)
        .split(whereSeparator: \.isWhitespace).contains { $0 == "\(fileSystem)" }
    }
  }

  static let mountOptions = "noatime"
  /// The card's size; the image is sparse. Above 512 MB, mkfs.ext4 chooses what it chooses for real cards: blocks of 4 KiB.
  static let byteCount: Int64 = 4 << 30

  /// The loop device's name without `/dev/`.
  let name: String
  let mountPoint: String
  private let device: FileDescriptor

  /// - Parameter directory: must exist; takes the image and the mount point.
  init(_ fileSystem: FileSystem, mkfs arguments: [String], tools: Tools, directory: String) throws {
    let (image, log) = ("\(directory)/card.img", "\(directory)/tool.log")
    try FileDescriptor.open(path: image, flags: O_WRONLY | O_CREAT | O_EXCL).truncate(to: Self.byteCount)
    let path: String
    do {
      path = try tools.losetup.run(["--find", "--show", image], log: log)
    } catch let failure as BenchmarkFailure {
      throw BenchmarkFailure("no loop device can be set up: \(failure)", exitCode: BenchmarkFailure.missing)
    }
    device = try FileDescriptor.open(path: path, flags: O_RDONLY)
    // It is open, so the kernel detaches it when the last user has gone.
    try tools.losetup.run(["--detach", path], log: log)
    name = String(path.split(separator: "/").last ?? "")
    mountPoint = "\(directory)/card"
    try tools.mkfs.run(arguments + [path], log: log)
    try Directory.make(path: mountPoint)
    try tools.mount.run(["-t", "\(fileSystem)", "-o", Self.mountOptions, path, mountPoint], log: log)
  }

  /// Everything that any file of it holds is on the device when it returns.
  func sync() throws(LinuxError) { try Directory(path: mountPoint).syncFileSystem() }

  func statistics() throws -> BlockStatistics { try BlockStatistics(device: name) }

  /// Nil for a file system without jbd2.
  func journalStatistics() -> JournalStatistics? { JournalStatistics(device: name) }
}
