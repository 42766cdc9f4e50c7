import CLinux
import Glibc
import LinuxIO

/// Device nodes: which there are, and whose.
enum DeviceNode {
  /// The nodes `prefix`0, `prefix`1, … of a directory in the order of their numbers. Empty where there is no directory.
  static func numbered(_ prefix: String, in directory: String) -> [String] {
    let numbers = ((try? listDirectory(path: directory)) ?? []).compactMap { name in
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil
    }
    return numbers.sorted().map { "\(directory)/\(prefix)\($0)" }
  }

  /// Node name (`event3`) to the first of its names in a directory of symbolic links, as udev makes them.
  static func stableNames(in directory: String) -> [String: String] {
    var names: [String: String] = [:]
    for name in ((try? listDirectory(path: directory)) ?? []).sorted() {
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let start = buffer.baseAddress else { return }
        let count = readlink("\(directory)/\(name)", start, buffer.count)
        guard count > 0 else { return }
        let target = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let node = target.split(separator: "/").last { names[String(node)] = names[String(node)] ?? name }
      }
    }
    return names
  }

  /// What to do about a node that this user may not open.
  static func permissionHint(_ path: String) -> String {
    guard let group = owningGroup(of: path) else { return "Check the owner and mode of \(path)." }
    return "\(path) belongs to the group \(group): add the user that runs this to it, and log in again."
  }

  /// The name, or else the number, of the group that a path belongs to.
  private static func owningGroup(of path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard clinux_group_name(status.st_gid, buffer.baseAddress, buffer.count) == 0, let start = buffer.baseAddress
      else { return "\(status.st_gid)" }
      return String(cString: start)
    }
  }
}

/// A string in a fixed field of a kernel structure; it ends at a zero byte or with the field.
func text<Field: BitwiseCopyable>(of field: Field) -> String {
  withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// At most `limit` of these, with how many more there are: `"A", "B" and 3 more`.
func few(_ names: [String], limit: Int = 12) -> String {
  let shown = names.prefix(limit).joined(separator: ", ")
  return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
}
