import Glibc
import LinuxIO

/// A file of sysfs that is a setting of a device: a value is one write, and has its effect when that returns. Kernel
/// documentation: filesystems/sysfs.
struct Attribute: ~Copyable {
  private let descriptor: FileDescriptor

  /// Opens it for writing.
  init(path: String) throws(LinuxError) {
    // Without O_NONBLOCK a FIFO of that name would hold the caller.
    descriptor = try FileDescriptor.open(path: path, flags: O_WRONLY | O_NONBLOCK)
  }

  /// Sets it. No allocation. Blocks as long as the device's driver does.
  func set(_ value: borrowing [UInt8]) throws(LinuxError) {
    while true {
      let count = value.withUnsafeBytes { pwrite(descriptor.rawValue, $0.baseAddress, $0.count, 0) }
      if count == value.count { return }
      let code = count < 0 ? errno : EIO
      if code != EINTR { throw LinuxError("write to", descriptor.path, errno: code) }
    }
  }

  /// Sets one that is not kept open.
  static func set(path: String, to value: String) throws(LinuxError) { try Attribute(path: path).set(bytes(value)) }

  /// The value of one, without its line's end.
  static func value(path: String) throws(LinuxError) -> String {
    let bytes = try readSmallFile(path: path, limit: 4_096)
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// The value of one that is a number.
  static func number(path: String) throws(LinuxError) -> Int {
    let text = try value(path: path)
    guard let number = Int(text) else { throw LinuxError("read a number from", path, errno: EIO) }
    return number
  }

  /// As it is written.
  static func bytes(_ value: String) -> [UInt8] { Array("\(value)\n".utf8) }
}
