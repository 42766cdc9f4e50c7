/// One line of /proc/self/mountinfo (proc(5)). Pure.
struct MountedFileSystem: Hashable {
  /// Major and minor number of what it is on, `179:2`.
  var device: String
  var mountPoint: String
  var type: String
  var source: String
  var isReadOnly: Bool

  /// All of them, in the kernel's order; lines that are not of its form are left out.
  static func list(_ mountinfo: String) -> [MountedFileSystem] {
    mountinfo.split(separator: "\n").compactMap { line in
      let halves = line.split(separator: " - ", maxSplits: 1)
      guard halves.count == 2 else { return nil }
      let left = halves[0].split(separator: " ")
      let right = halves[1].split(separator: " ")
      guard left.count >= 6, right.count >= 2 else { return nil }
      let options = left[5].split(separator: ",") + (right.count > 2 ? right[2].split(separator: ",") : [])
      return MountedFileSystem(
        device: String(left[2]), mountPoint: unescaped(left[4]), type: String(right[0]), source: unescaped(right[1]),
        isReadOnly: options.contains("ro"))
    }
  }

  /// Space, tab, line end and backslash are written as three octal digits.
  static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let first = rest.first {
      let digits = rest.dropFirst().prefix(3)
      if first == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
        bytes.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
        rest = rest.dropFirst(4)
      } else {
        bytes.append(first)
        rest = rest.dropFirst()
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The file system that a path is on, by names alone: the one with the longest mount point above it, and of several on one
  /// the last, which covers the others.
  static func holding(_ path: String, in all: [MountedFileSystem]) -> MountedFileSystem? {
    var best: MountedFileSystem?
    for candidate in all {
      let point = candidate.mountPoint
      guard point == "/" || path == point || path.hasPrefix(point + "/") else { continue }
      if point.utf8.count >= (best?.mountPoint.utf8.count ?? 0) { best = candidate }
    }
    return best
  }

  /// Those on disks and cards on which something could be kept, each disk once, at its first mount point.
  static func disks(in all: [MountedFileSystem]) -> [MountedFileSystem] {
    let kinds: Set = ["ext4", "ext3", "ext2", "f2fs", "btrfs", "xfs", "vfat", "exfat", "ntfs3", "fuseblk"]
    var seen: Set<String> = []
    return all.filter { mounted in
      // A file that is mounted over a file, as containers do, is no place for a store; nor is what the system starts from.
      kinds.contains(mounted.type) && !mounted.mountPoint.hasPrefix("/boot") && !mounted.mountPoint.hasPrefix("/etc/")
        && seen.insert(mounted.device).inserted
    }
  }
}
