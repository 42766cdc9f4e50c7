import Glibc
import LinuxIO
import Testing

@testable import GPIO

/// A directory in place of /dev, with what a test puts there.
final class FakeDevices {
  let path: String

  init() throws {
    var template = Array("/tmp/lapel-gpio-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw LinuxError("make", "a temporary directory", errno: errno) }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in (try? listDirectory(path: path)) ?? [] { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  func file(_ name: String) throws {
    try FileDescriptor.open(path: "\(path)/\(name)", flags: O_WRONLY | O_CREAT).close()
  }
}

@Suite("Device nodes")
struct DeviceNodeTests {
  @Test("nodes go by their numbers")
  func numbered() throws {
    let devices = try FakeDevices()
    for name in ["gpiochip10", "gpiochip2", "gpiochip", "gpiochip-x", "gpio"] { try devices.file(name) }
    #expect(
      DeviceNode.numbered("gpiochip", in: devices.path) == ["\(devices.path)/gpiochip2", "\(devices.path)/gpiochip10"])
    #expect(DeviceNode.numbered("gpiochip", in: "\(devices.path)/none") == [])
  }

  @Test("names that stay are those of the links; of several the first by the alphabet")
  func links() throws {
    let devices = try FakeDevices()
    try devices.file("event3")
    symlink("../event3", "\(devices.path)/usb-b")
    symlink("../event3", "\(devices.path)/usb-a")
    symlink("../../devices/platform/lab.pwm", "\(devices.path)/device")
    #expect(DeviceNode.stableNames(in: devices.path) == ["event3": "usb-a", "lab.pwm": "device"])
    #expect(DeviceNode.linkedName("\(devices.path)/device") == "lab.pwm")
    #expect(DeviceNode.linkedName("\(devices.path)/event3") == nil)
    #expect(DeviceNode.linkedName("\(devices.path)/none") == nil)
  }

  @Test("a node that may not be opened says whose it is")
  func permission() {
    #expect(
      DeviceNode.permissionHint("/dev/null")
        == "/dev/null belongs to the group root: add the user that runs this to it, and log in again.")
    #expect(DeviceNode.permissionHint("/dev/none") == "Check the owner and mode of /dev/none.")
  }

  @Test("long lists are cut")
  func cut() {
    #expect(few(["a", "b"]) == "a, b")
    #expect(few(["a", "b", "c"], limit: 2) == "a, b and 1 more")
  }
}
