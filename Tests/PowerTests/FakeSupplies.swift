import Glibc
import LinuxIO

/// A directory in place of /sys/class/power_supply, with what a test puts there.
final class FakeSupplies {
  let path: String
  private var made: [String] = []

  init() throws {
    var template = Array("/tmp/lapel-power-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw LinuxError("make", "a temporary directory", errno: errno) }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for path in made.reversed() where unlink(path) != 0 { rmdir(path) }
    rmdir(path)
  }

  /// A supply with these attributes, or these of one that is there.
  func supply(_ name: String, _ attributes: [String: String]) throws {
    if !made.contains("\(path)/\(name)") {
      try Directory.make(path: "\(path)/\(name)")
      made.append("\(path)/\(name)")
    }
    for (attribute, value) in attributes {
      let file = try FileDescriptor.open(path: "\(path)/\(name)/\(attribute)", flags: O_WRONLY | O_CREAT | O_TRUNC)
      try file.write(Array("\(value)\n".utf8).span.bytes)
      if !made.contains(file.path) { made.append(file.path) }
    }
  }
}
