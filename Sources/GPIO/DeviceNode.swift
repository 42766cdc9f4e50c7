import CLinux
import Glibc
package import LinuxIO

/// Device nodes: which there are, and whose.
package enum DeviceNode {
  /// The nodes `prefix`0, `prefix`1, … of a directory in the order of their numbers. Empty where there is no directory.
  package static func numbered(_ prefix: String, in directory: String) -> [String] {
    let numbers = ((try? listDirectory(path: directory)) ?? []).compactMap { name in
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil
    }
    return numbers.sorted().map { "\(directory)/\(prefix)\($0)" }
  }

  /// Node name (`event3`) to the first of its names in a directory of symbolic links, as udev makes them.
  package static func stableNames(in directory: String) -> [String: String] {
    var names: [String: String] = [:]
    for name in ((try? listDirectory(path: directory)) ?? []).sorted() {
      if let node = linkedName("\(directory)/\(name)") { names[node] = names[node] ?? name }
    }
    return names
  }

  /// The last name of what a symbolic link leads to (readlink(2)); nil when it is none. Targets of 256 bytes and more are cut.
  package static func linkedName(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(path, start, buffer.count)
      guard count > 0 else { return nil }
      let target = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return target.split(separator: "/").last.map(String.init)
    }
  }

  /// What to do about a node that this user may not open.
  package static func permissionHint(_ path: String) -> String {
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
package func few(_ names: [String], limit: Int = 12) -> String {
  let shown = names.prefix(limit).joined(separator: ", ")
  return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
}

extension LinuxError {
  /// Whether this user was kept from it.
  package var isPermission: Bool { errno == EACCES || errno == EPERM }
}
