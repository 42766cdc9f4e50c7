import GPIO
import Glibc
import LinuxIO
import Media
import Testing

@testable import Triggers

/// A directory in place of /dev, with what a test puts there.
final class FakeDevices {
  let path: String

  init() throws {
    var template = Array("/tmp/lapel-triggers-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw LinuxError("make", "a temporary directory", errno: errno) }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    try Directory.make(path: "\(path)/input")
    try Directory.make(path: "\(path)/input/by-id")
  }

  deinit {
    for folder in ["\(path)/input/by-id", "\(path)/input", path] {
      for name in (try? listDirectory(path: folder)) ?? [] { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }
  }

  func file(_ name: String) throws {
    try FileDescriptor.open(path: "\(path)/\(name)", flags: O_WRONLY | O_CREAT).close()
  }

  func open(_ place: String) throws -> TriggerError {
    let settings = ButtonSettings(place: try ButtonPlace(place), isActiveLow: false, debounce: .milliseconds(5))
    let error = refusal { () throws(TriggerError) in _ = try Button(settings, devices: path) }
    return try #require(error)
  }
}

@Suite("Errors of buttons")
struct TriggerErrorTests {
  @Test("a machine without chips and devices says so")
  func none() throws {
    let devices = try FakeDevices()
    #expect(ButtonListing.all(in: devices.path) == ButtonListing())
    #expect(
      try devices.open("gpio:gpiochip0:1").description
        == "there is no chip or input device for the button gpio:gpiochip0:1. "
        + "No GPIO chip was found on this machine: check its device tree and `dmesg`.")
    #expect(
      try devices.open("key:presenter:KEY_B").description
        == "there is no chip or input device for the button key:presenter:KEY_B. "
        + "No input device with keys was found on this machine: check its cable and `dmesg`.")
    let missing = try devices.open("key:/dev/input/by-id/none:KEY_B")
    #expect(missing.kind == .notFound)
    #expect(missing.errno == ENOENT)
    #expect(missing.operation == "open /dev/input/by-id/none")
  }

  @Test("nodes that are neither chip nor input device are refused as that")
  func foreign() throws {
    let devices = try FakeDevices()
    try devices.file("gpiochip0")
    try devices.file("gpiochip-x")
    try devices.file("input/event0")
    symlink("../event0", "\(devices.path)/input/by-id/usb-presenter-event-kbd")
    #expect(ButtonListing.all(in: devices.path) == ButtonListing())
    let chip = try devices.open("gpio:\(devices.path)/gpiochip0:1")
    #expect(chip.kind == .notFound)
    #expect(chip.hint.contains("\(devices.path)/gpiochip0 is no GPIO chip."))
    let input = try devices.open("key:\(devices.path)/input/by-id/usb-presenter-event-kbd:KEY_B")
    #expect(input.kind == .notFound)
    #expect(input.hint.contains("is no input device."))
  }

  @Test("a device that may not be opened says whose it is")
  func permission() {
    let error = TriggerError.opening(path: "/dev/null", button: "gpio:a:1", errno: EACCES, alternatives: "")
    #expect(error.kind == .permission)
    #expect(error.description.contains("/dev/null belongs to the group root: add the user"))
  }

  @Test("what there is instead is listed")
  func alternatives() {
    let input = ButtonListing.Input(path: "/dev/input/event0", name: "Presenter", stablePath: nil, keys: ["KEY_B"])
    #expect(ButtonListing.hint(for: [input]) == "Input devices here: Presenter (/dev/input/event0).")
  }

  @Test("what a line refuses is told of the button, with what to do instead")
  func lines() {
    let kinds: [(GPIOError.Kind, TriggerError.Kind)] = [
      (.notFound, .notFound), (.notOffered, .notOffered), (.permission, .permission), (.busy, .busy),
      (.unsupported, .unsupported),
    ]
    for (kind, expected) in kinds {
      let error = TriggerError(GPIOError(kind, operation: "ask", errno: EBUSY, hint: "Do this."), button: "gpio:a:1")
      #expect(error == TriggerError(expected, button: "gpio:a:1", operation: "ask", errno: EBUSY, hint: "Do this."))
    }
    let outdated = TriggerError(GPIOError(.outdated, operation: "ask"), button: "gpio:a:1")
    #expect(outdated.kind == .unsupported)
    #expect(outdated.hint.contains("let its gpio-keys driver make an input device of the line."))
    #expect(
      TriggerError(GPIOError(.kernel, operation: "ask", errno: ENODEV), button: "gpio:a:1")
        == TriggerError(button: "gpio:a:1", operation: "ask", errno: ENODEV))
  }

  @Test("kernel errors of an open button tell whether it is gone or has failed")
  func kinds() {
    func kind(_ code: CInt) -> TriggerError.Kind { TriggerError(button: "b", operation: "read", errno: code).kind }
    #expect(kind(ENODEV) == .lost)
    #expect(kind(EIO) == .failed)
    #expect(kind(EACCES) == .permission)
  }
}
