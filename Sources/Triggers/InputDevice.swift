import CLinux
import Glibc
import LinuxIO

/// An open input device (evdev): its name, its keys, and one key to watch. One thread.
///
/// The device is not grabbed (EVIOCGRAB): its keys still reach the console or desktop that they reached before, and a
/// program that grabs it leaves us without events. Kernel documentation: input/input, "evdev".
struct InputDevice: ~Copyable {
  let descriptor: FileDescriptor
  let name: String
  let keys: KeySet

  var path: String { descriptor.path }

  /// Nil for a node that is no input device (EVIOCGNAME).
  init?(path: String) throws(LinuxError) {
    let descriptor = try FileDescriptor.open(path: path, flags: O_RDONLY | O_NONBLOCK)
    let raw = descriptor.rawValue
    // As long as EVIOCGNAME_256 says; the kernel ends it with a zero byte.
    var name = [UInt8](repeating: 0, count: 256)
    let result = name.withUnsafeMutableBytes { buffer in
      buffer.baseAddress.map { ioctlRetrying(raw, EVIOCGNAME_256, $0) } ?? -EFAULT
    }
    guard result >= 0 else { return nil }
    self.name = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
    // A device without keys answers with zeros.
    keys = (try? Self.keySet(descriptor, EVIOCGBIT_KEYS, "EVIOCGBIT")) ?? KeySet()
    self.descriptor = descriptor
  }

  private static func keySet(
    _ descriptor: borrowing FileDescriptor, _ request: UInt, _ operation: String
  ) throws(LinuxError) -> KeySet {
    var set = KeySet()
    // The set is KEY_CNT / 8 bytes, the length in both request codes.
    let result = set.bytes.withUnsafeMutableBytes { buffer in
      buffer.baseAddress.map { ioctlRetrying(descriptor.rawValue, request, $0) } ?? -EFAULT
    }
    if result < 0 { throw LinuxError(operation, descriptor.path, errno: -result) }
    return set
  }

  /// Makes the events' times those of CLOCK_MONOTONIC (EVIOCSCLOCKID) and lets only this key's through (EVIOCSMASK, Linux
  /// 4.4): no pointer's movement wakes the reader, and what else is typed never enters this process.
  func watch(_ key: Key, button: String) throws(TriggerError) {
    var clock = CLOCK_MONOTONIC
    let result = ioctlRetrying(descriptor.rawValue, EVIOCSCLOCKID, &clock)
    guard result >= 0 else { throw TriggerError(button: button, operation: "EVIOCSCLOCKID", errno: -result) }
    var wanted = KeySet()
    wanted.insert(key)
    mask(EV_KEY, wanted.bytes)
    // Longer than the bits of any other kind of event; the kernel takes what it knows of it.
    for kind in [EV_REL, EV_ABS, EV_MSC, EV_SW, EV_LED, EV_SND, EV_REP, EV_FF] {
      mask(kind, [UInt8](repeating: 0, count: 16))
    }
  }

  /// A kernel that refuses lets all events through; the decoder passes over them.
  private func mask(_ kind: CInt, _ bits: [UInt8]) {
    bits.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return }
      // The kernel copies `codes_size` bytes from the address during the call, and the array lives as long.
      var mask = input_mask(
        type: UInt32(kind), codes_size: UInt32(buffer.count), codes_ptr: UInt64(UInt(bitPattern: start)))
      _ = ioctlRetrying(descriptor.rawValue, EVIOCSMASK, &mask)
    }
  }

  /// True while the key is down (EVIOCGKEY). The kernel drops this reader's key events that are older.
  static func isDown(_ key: Key, _ descriptor: borrowing FileDescriptor, button: String) throws(TriggerError) -> Bool {
    do throws(LinuxError) {
      return try keySet(descriptor, EVIOCGKEY_KEYS, "EVIOCGKEY").contains(key)
    } catch {
      throw TriggerError(button: button, operation: "EVIOCGKEY", errno: error.errno)
    }
  }
}
