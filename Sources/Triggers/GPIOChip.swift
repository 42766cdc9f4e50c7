import CLinux
import Glibc
import LinuxIO
import Media

/// An open GPIO chip: finds a line and asks the kernel for it. One thread.
///
/// Kernel documentation: "GPIO Character Device Userspace API", userspace-api/gpio/chardev (the second version of the API,
/// in Linux since 5.10; the first cannot debounce).
struct GPIOChip: ~Copyable {
  private let descriptor: FileDescriptor
  let path: String
  let name: String
  let label: String
  let lineCount: Int

  /// The name under which the kernel shows who has the line.
  static let consumer = "lapel"
  /// Edges that the kernel keeps while nobody reads; its own choice is 16.
  static let bufferedEdges: UInt32 = 64

  /// Nil for a node that is no GPIO chip (GPIO_GET_CHIPINFO_IOCTL).
  init?(path: String) throws(LinuxError) {
    // Without O_NONBLOCK a FIFO of that name would hold the caller.
    descriptor = try FileDescriptor.open(path: path, flags: O_RDWR | O_NONBLOCK)
    self.path = path
    var info = gpiochip_info()
    guard ioctlRetrying(descriptor.rawValue, GPIO_GET_CHIPINFO_IOCTL, &info) >= 0 else { return nil }
    name = text(of: info.name)
    label = text(of: info.label)
    lineCount = Int(info.lines)
  }

  /// GPIO_V2_GET_LINEINFO_IOCTL of one line; nil when the kernel will not say.
  func line(at offset: Int) -> ButtonListing.Line? {
    guard let info = lineInfo(offset) else { return nil }
    let isUsed = info.flags & UInt64(GPIO_V2_LINE_FLAG_USED.rawValue) != 0
    let consumer = text(of: info.consumer)
    // The kernel marks a line that the chip keeps for itself as used, by nobody.
    return ButtonListing.Line(
      offset: offset, name: text(of: info.name), consumer: isUsed ? (consumer.isEmpty ? "the kernel" : consumer) : nil)
  }

  private func lineInfo(_ offset: Int) -> gpio_v2_line_info? {
    var info = gpio_v2_line_info()
    info.offset = UInt32(clamping: offset)
    return ioctlRetrying(descriptor.rawValue, GPIO_V2_GET_LINEINFO_IOCTL, &info) >= 0 ? info : nil
  }

  /// True where the kernel knows the second version of the API.
  var isCurrent: Bool { lineCount == 0 || lineInfo(0) != nil }

  /// All lines that have a name.
  func namedLines() -> [ButtonListing.Line] {
    (0..<lineCount).compactMap { line(at: $0) }.filter { !$0.name.isEmpty }
  }

  /// The offset of a line that is named by its name or its offset.
  func offset(of line: String, button: String) throws(TriggerError) -> Int {
    guard isCurrent else {
      throw TriggerError(
        .unsupported, button: button, operation: "GPIO_V2_GET_LINEINFO_IOCTL",
        hint: "The kernel is older than 5.10: update it, or let its gpio-keys driver make an input device of the line.")
    }
    let named = namedLines()
    let fitting = named.filter { $0.name == line }
    if fitting.count == 1 { return fitting[0].offset }
    if fitting.count > 1 {
      let offsets = fitting.map { "\($0.offset)" }.joined(separator: ", ")
      throw TriggerError(
        .notOffered, button: button, operation: "find the line",
        hint: "\(fitting.count) lines of \(label) have that name: use one of their offsets, \(offsets).")
    }
    if line.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let offset = Int(line), offset < lineCount {
      return offset
    }
    let names = named.isEmpty ? "None has a name." : "Named: \(few(named.map { "\($0.name) (\($0.offset))" }))."
    throw TriggerError(
      .notOffered, button: button, operation: "find the line",
      hint: "\(label) (\(name)) has the lines 0 to \(lineCount - 1). \(names)")
  }

  /// Asks for both edges of a line (GPIO_V2_GET_LINE_IOCTL). The descriptor stays good when the chip's is closed; its
  /// times are of CLOCK_MONOTONIC, the API's own choice.
  func request(offset: Int, _ settings: ButtonSettings) throws(TriggerError) -> RequestedLine {
    let edges = GPIO_V2_LINE_FLAG_EDGE_RISING.rawValue | GPIO_V2_LINE_FLAG_EDGE_FALLING.rawValue
    var flags = UInt64(GPIO_V2_LINE_FLAG_INPUT.rawValue | edges)
    if settings.isActiveLow { flags |= UInt64(GPIO_V2_LINE_FLAG_ACTIVE_LOW.rawValue) }
    let pull = settings.isActiveLow ? GPIO_V2_LINE_FLAG_BIAS_PULL_UP : GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN

    var result = ask(offset, settings.setsPull ? flags | UInt64(pull.rawValue) : flags, settings.debounce)
    var wasPullRefused = false
    // What drivers answer that cannot pull; 524 is the kernel's own ENOTSUPP, which libc does not know.
    if settings.setsPull, [-EINVAL, -EOPNOTSUPP, -524].contains(result) {
      result = ask(offset, flags, settings.debounce)
      wasPullRefused = result >= 0
    }
    guard result >= 0 else { throw refusal(offset, errno: -result, button: settings.place.description) }
    let descriptor = FileDescriptor(owning: result, path: "\(path) line \(offset)")
    // The line's descriptor does not inherit this from the chip's.
    guard fcntl(result, F_SETFL, O_NONBLOCK) == 0 else {
      throw TriggerError(button: settings.place.description, operation: "make the line non-blocking", errno: errno)
    }
    return RequestedLine(descriptor: descriptor, wasPullRefused: wasPullRefused)
  }

  /// The line's descriptor, or the negative errno.
  private func ask(_ offset: Int, _ flags: UInt64, _ debounce: Nanoseconds) -> CInt {
    // Zeroed by its initialiser, as the kernel wants all padding.
    var request = gpio_v2_line_request()
    request.offsets.0 = UInt32(clamping: offset)
    request.num_lines = 1
    request.event_buffer_size = Self.bufferedEdges
    // The field has 32 bytes; the name is shorter, so a zero byte stays behind it.
    withUnsafeMutableBytes(of: &request.consumer) { $0.copyBytes(from: Self.consumer.utf8) }
    request.config.flags = flags
    let microseconds = UInt32(clamping: debounce.inMicroseconds)
    if microseconds > 0 {
      request.config.num_attrs = 1
      request.config.attrs.0.attr.id = UInt32(GPIO_V2_LINE_ATTR_ID_DEBOUNCE.rawValue)
      request.config.attrs.0.attr.debounce_period_us = microseconds
      request.config.attrs.0.mask = 1
    }
    let result = ioctlRetrying(descriptor.rawValue, GPIO_V2_GET_LINE_IOCTL, &request)
    return result < 0 ? result : request.fd
  }

  private func refusal(_ offset: Int, errno code: CInt, button: String) -> TriggerError {
    let operation = "GPIO_V2_GET_LINE_IOCTL"
    switch code {
    case EBUSY, EPERM:
      // EPERM: the chip keeps the line for itself.
      let consumer = line(at: offset)?.consumer ?? "something"
      return TriggerError(
        .busy, button: button, operation: operation, errno: code,
        hint: "Line \(offset) of \(label) is taken by \(consumer): stop that, or take it out of the device tree.")
    case ENXIO, EINVAL, EOPNOTSUPP, ENOTTY, 524:
      return TriggerError(
        .unsupported, button: button, operation: operation, errno: code,
        hint:
          "\(label) (\(path)) cannot report the edges of line \(offset): choose a line that can interrupt, or let the "
          + "kernel's gpio-keys-polled driver make an input device of it.")
    default:
      return TriggerError(button: button, operation: operation, errno: code)
    }
  }

  /// True while the button of a requested line is pressed (GPIO_V2_LINE_GET_VALUES_IOCTL; debounced, logical).
  static func isPressed(_ line: borrowing FileDescriptor, button: String) throws(TriggerError) -> Bool {
    var values = gpio_v2_line_values(bits: 0, mask: 1)
    let result = ioctlRetrying(line.rawValue, GPIO_V2_LINE_GET_VALUES_IOCTL, &values)
    guard result >= 0 else {
      throw TriggerError(button: button, operation: "GPIO_V2_LINE_GET_VALUES_IOCTL", errno: -result)
    }
    return values.bits & 1 != 0
  }
}

/// A line that is ours until its descriptor is closed.
struct RequestedLine: ~Copyable {
  let descriptor: FileDescriptor
  let wasPullRefused: Bool
}
