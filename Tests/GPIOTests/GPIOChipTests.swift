import CLinux
import Glibc
import LinuxIO
import Media
import Testing

@testable import GPIO

/// The error that `body` throws, if it throws one.
func refusal(_ body: () throws(GPIOError) -> Void) -> GPIOError? {
  do throws(GPIOError) {
    try body()
    return nil
  } catch {
    return error
  }
}

@Suite("GPIO chips and lines")
struct GPIOChipTests {
  private func opening(_ chip: String, in devices: FakeDevices) throws -> GPIOError {
    try #require(refusal { () throws(GPIOError) in _ = try GPIOChip.open(chip, devices: devices.path) })
  }

  @Test("a machine without chips says so")
  func none() throws {
    let devices = try FakeDevices()
    #expect(GPIOListing(devices: devices.path, withLines: true).chips == [])
    let error = try opening("gpiochip0", in: devices)
    #expect(error.kind == .notFound)
    #expect(error.hint == "No GPIO chip was found on this machine: check its device tree and `dmesg`.")
    let missing = try opening("\(devices.path)/gpiochip0", in: devices)
    #expect(missing.kind == .notFound)
    #expect(missing.errno == ENOENT)
  }

  @Test("a node that is no chip is refused as that, and is in no listing")
  func foreign() throws {
    let devices = try FakeDevices()
    try devices.file("gpiochip0")
    #expect(GPIOListing(devices: devices.path, withLines: true) == GPIOListing(devices: "/dev/none", withLines: true))
    let error = try opening("\(devices.path)/gpiochip0", in: devices)
    #expect(error.kind == .notFound)
    #expect(error.hint.hasPrefix("\(devices.path)/gpiochip0 is no GPIO chip."))
  }

  @Test("the chips that there are instead are listed")
  func alternatives() {
    let chip = GPIOListing.Chip(path: "/dev/gpiochip0", name: "gpiochip0", label: "lab", lineCount: 8, lines: [])
    #expect(GPIOListing.hint(for: [chip]) == "GPIO chips here: lab (gpiochip0, 8 lines).")
  }

  @Test("a node that may not be opened, one that is gone and one that fails are told apart")
  func opening() {
    func kind(_ code: CInt) -> GPIOError.Kind {
      GPIOError.opening(path: "/dev/null", errno: code, alternatives: "There are others.").kind
    }
    #expect(kind(EACCES) == .permission)
    #expect(kind(ENOENT) == .notFound)
    #expect(kind(EIO) == .kernel)
    #expect(GPIOError.opening(path: "/dev/null", errno: EACCES, alternatives: "").hint.contains("the group root"))
    #expect(GPIOError.opening(path: "/dev/null", errno: ENXIO, alternatives: "Others.").hint == "Others.")
  }

  @Test("a request for an output names one line, its flags and us, and nothing else: the kernel begins inactive")
  func output() {
    let request = GPIOChip.request(offset: 5, flags: 8 | 2)
    let bytes = withUnsafeBytes(of: request) { Array($0) }
    var expected = [UInt8](repeating: 0, count: 592)
    expected[0] = 5
    expected.replaceSubrange(256..<261, with: Array("lapel".utf8))
    expected[288] = 10  // flags
    expected[560] = 1  // the number of lines
    #expect(bytes == expected)
  }

  @Test("a request for edges has the kernel's buffer and its debouncing, in microseconds")
  func edges() {
    let request = GPIOChip.request(offset: 1, flags: 4, bufferedEdges: 64, debounce: .milliseconds(5))
    #expect(request.event_buffer_size == 64)
    #expect(request.config.num_attrs == 1)
    #expect(request.config.attrs.0.attr.id == 3)
    #expect(request.config.attrs.0.attr.debounce_period_us == 5_000)
    #expect(request.config.attrs.0.mask == 1)
    #expect(GPIOChip.request(offset: 1, flags: 4, debounce: Nanoseconds(-1)).config.num_attrs == 0)
  }

  @Test("what is no line can neither be set nor read, and the kernel's answer is kept")
  func noLine() throws {
    let line = RequestedLine(try FileDescriptor.open(path: "/dev/null", flags: O_RDWR))
    let setting = try #require(refusal { () throws(GPIOError) in try line.set(true) })
    #expect(setting == GPIOError(.kernel, operation: "GPIO_V2_LINE_SET_VALUES_IOCTL", errno: ENOTTY))
    let descriptor = RequestedLine(try FileDescriptor.open(path: "/dev/null", flags: O_RDWR)).takeDescriptor()
    let reading = try #require(refusal { () throws(GPIOError) in _ = try RequestedLine.isActive(descriptor) })
    #expect(reading == GPIOError(.kernel, operation: "GPIO_V2_LINE_GET_VALUES_IOCTL", errno: ENOTTY))
  }
}
