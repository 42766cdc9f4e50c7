import CLinux
import Glibc
package import LinuxIO
package import Media

/// An open GPIO chip: finds a line and asks the kernel for it. One thread.
///
/// Kernel documentation: "GPIO Character Device Userspace API", userspace-api/gpio/chardev (the second version of the API,
/// in Linux since 5.10; the first cannot debounce).
package struct GPIOChip: ~Copyable {
  private let descriptor: FileDescriptor
  package let path: String
  package let name: String
  package let label: String
  package let lineCount: Int

  /// The name under which the kernel shows who has the line.
  static let consumer = "lapel"
  /// Edges that the kernel keeps while nobody reads; its own choice is 16.
  static let bufferedEdges: UInt32 = 64

  /// Nil for a node that is no GPIO chip (GPIO_GET_CHIPINFO_IOCTL).
  package init?(path: String) throws(LinuxError) {
    // Without O_NONBLOCK a FIFO of that name would hold the caller.
    descriptor = try FileDescriptor.open(path: path, flags: O_RDWR | O_NONBLOCK)
    self.path = path
    var info = gpiochip_info()
    guard ioctlRetrying(descriptor.rawValue, GPIO_GET_CHIPINFO_IOCTL, &info) >= 0 else { return nil }
    name = text(of: info.name)
    label = text(of: info.label)
    lineCount = Int(info.lines)
  }

  /// Opens the chip of this label, name or path.
  /// - Parameter devices: where the device nodes are, /dev but in tests.
  package static func open(_ name: String, devices: String) throws(GPIOError) -> GPIOChip {
    let listing = GPIOListing(devices: devices, withLines: false)
    var path = name
    if !name.hasPrefix("/") {
      let fitting = listing.chips.filter { $0.label == name || $0.name == name }
      if fitting.count > 1 {
        let names = fitting.map(\.name).joined(separator: " and ")
        throw GPIOError(
          .notFound, operation: "find the chip", hint: "The label fits \(names): name one of them instead.")
      }
      if fitting.isEmpty, let path = listing.refused.first {
        throw GPIOError.opening(path: path, errno: EACCES, alternatives: "")
      }
      guard let found = fitting.first else {
        throw GPIOError(.notFound, operation: "find the chip", hint: GPIOListing.hint(for: listing.chips))
      }
      path = found.path
    }
    do throws(LinuxError) {
      if let chip = try GPIOChip(path: path) { return chip }
    } catch {
      throw GPIOError.opening(path: path, errno: error.errno, alternatives: GPIOListing.hint(for: listing.chips))
    }
    throw GPIOError(
      .notFound, operation: "GPIO_GET_CHIPINFO_IOCTL",
      hint: "\(path) is no GPIO chip. \(GPIOListing.hint(for: listing.chips))")
  }

  // MARK: - Lines

  /// GPIO_V2_GET_LINEINFO_IOCTL of one line; nil when the kernel will not say.
  func line(at offset: Int) -> GPIOListing.Line? {
    guard let info = lineInfo(offset) else { return nil }
    let isUsed = info.flags & UInt64(GPIO_V2_LINE_FLAG_USED.rawValue) != 0
    let consumer = text(of: info.consumer)
    // The kernel marks a line that the chip keeps for itself as used, by nobody.
    return GPIOListing.Line(
      offset: offset, name: text(of: info.name), consumer: isUsed ? (consumer.isEmpty ? "the kernel" : consumer) : nil)
  }

  private func lineInfo(_ offset: Int) -> gpio_v2_line_info? {
    var info = gpio_v2_line_info()
    info.offset = UInt32(clamping: offset)
    return ioctlRetrying(descriptor.rawValue, GPIO_V2_GET_LINEINFO_IOCTL, &info) >= 0 ? info : nil
  }

  /// True where the kernel knows the second version of the API.
  private var isCurrent: Bool { lineCount == 0 || lineInfo(0) != nil }

  /// All lines that have a name.
  func namedLines() -> [GPIOListing.Line] {
    (0..<lineCount).compactMap { line(at: $0) }.filter { !$0.name.isEmpty }
  }

  /// The offset of a line that is named by its name or its offset.
  package func offset(of line: String) throws(GPIOError) -> Int {
    guard isCurrent else { throw GPIOError(.outdated, operation: "GPIO_V2_GET_LINEINFO_IOCTL") }
    let named = namedLines()
    let fitting = named.filter { $0.name == line }
    if fitting.count == 1 { return fitting[0].offset }
    if fitting.count > 1 {
      let offsets = fitting.map { "\($0.offset)" }.joined(separator: ", ")
      throw GPIOError(
        .notOffered, operation: "find the line",
        hint: "\(fitting.count) lines of \(label) have that name: use one of their offsets, \(offsets).")
    }
    if line.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let offset = Int(line), offset < lineCount {
      return offset
    }
    let names = named.isEmpty ? "None has a name." : "Named: \(few(named.map { "\($0.name) (\($0.offset))" }))."
    throw GPIOError(
      .notOffered, operation: "find the line",
      hint: "\(label) (\(name)) has the lines 0 to \(lineCount - 1). \(names)")
  }

  // MARK: - Requests

  /// Asks for both edges of a line (GPIO_V2_GET_LINE_IOCTL). The descriptor stays good when the chip's is closed; its
  /// times are of CLOCK_MONOTONIC, the API's own choice.
  /// - Parameters:
  ///   - isActiveLow: a low line counts as active.
  ///   - debounce: how long the line must be quiet before an edge counts; zero or less: every edge does.
  ///   - setsPull: asks the chip to pull the line to inactive; without it where the chip refuses.
  package func requestEdges(
    offset: Int, isActiveLow: Bool, debounce: Nanoseconds, setsPull: Bool
  ) throws(GPIOError) -> RequestedLine {
    let edges = GPIO_V2_LINE_FLAG_EDGE_RISING.rawValue | GPIO_V2_LINE_FLAG_EDGE_FALLING.rawValue
    var flags = UInt64(GPIO_V2_LINE_FLAG_INPUT.rawValue | edges)
    if isActiveLow { flags |= UInt64(GPIO_V2_LINE_FLAG_ACTIVE_LOW.rawValue) }
    let pull = isActiveLow ? GPIO_V2_LINE_FLAG_BIAS_PULL_UP : GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN

    var request = Self.request(
      offset: offset, flags: setsPull ? flags | UInt64(pull.rawValue) : flags, bufferedEdges: Self.bufferedEdges,
      debounce: debounce)
    var result = ask(request)
    var wasPullRefused = false
    // What drivers answer that cannot pull; 524 is the kernel's own ENOTSUPP, which libc does not know.
    if setsPull, [-EINVAL, -EOPNOTSUPP, -524].contains(result) {
      request.config.flags = flags
      result = ask(request)
      wasPullRefused = result >= 0
    }
    guard result >= 0 else {
      throw refusal(
        offset, errno: -result,
        unsupported:
          "\(label) (\(path)) cannot report the edges of line \(offset): choose a line that can interrupt, or let the "
          + "kernel's gpio-keys-polled driver make an input device of it.")
    }
    let descriptor = FileDescriptor(owning: result, path: "\(path) line \(offset)")
    // The line's descriptor does not inherit this from the chip's.
    guard fcntl(result, F_SETFL, O_NONBLOCK) == 0 else {
      throw GPIOError(.kernel, operation: "make the line non-blocking", errno: errno)
    }
    return RequestedLine(descriptor, wasPullRefused: wasPullRefused)
  }

  /// Asks for a line as an output that is inactive (GPIO_V2_GET_LINE_IOCTL): the kernel's choice where a request names no
  /// values. The descriptor stays good when the chip's is closed.
  /// - Parameter isActiveLow: the line is low while it is active: something that is wired to the supply.
  package func requestOutput(offset: Int, isActiveLow: Bool) throws(GPIOError) -> RequestedLine {
    var flags = UInt64(GPIO_V2_LINE_FLAG_OUTPUT.rawValue)
    if isActiveLow { flags |= UInt64(GPIO_V2_LINE_FLAG_ACTIVE_LOW.rawValue) }
    let result = ask(Self.request(offset: offset, flags: flags))
    guard result >= 0 else {
      throw refusal(
        offset, errno: -result,
        unsupported: "\(label) (\(path)) cannot drive line \(offset): choose a line that can be an output.")
    }
    return RequestedLine(FileDescriptor(owning: result, path: "\(path) line \(offset)"))
  }

  /// A request for one line. `debounce` zero or less: none.
  static func request(
    offset: Int, flags: UInt64, bufferedEdges: UInt32 = 0, debounce: Nanoseconds = .zero
  ) -> gpio_v2_line_request {
    // Zeroed by its initialiser, as the kernel wants all padding.
    var request = gpio_v2_line_request()
    request.offsets.0 = UInt32(clamping: offset)
    request.num_lines = 1
    request.event_buffer_size = bufferedEdges
    // The field has 32 bytes; the name is shorter, so a zero byte stays behind it.
    withUnsafeMutableBytes(of: &request.consumer) { $0.copyBytes(from: consumer.utf8) }
    request.config.flags = flags
    let microseconds = UInt32(clamping: debounce.inMicroseconds)
    if microseconds > 0 {
      request.config.num_attrs = 1
      request.config.attrs.0.attr.id = UInt32(GPIO_V2_LINE_ATTR_ID_DEBOUNCE.rawValue)
      request.config.attrs.0.attr.debounce_period_us = microseconds
      request.config.attrs.0.mask = 1
    }
    return request
  }

  /// The line's descriptor, or the negative errno.
  private func ask(_ request: gpio_v2_line_request) -> CInt {
    var request = request
    let result = ioctlRetrying(descriptor.rawValue, GPIO_V2_GET_LINE_IOCTL, &request)
    return result < 0 ? result : request.fd
  }

  private func refusal(_ offset: Int, errno code: CInt, unsupported hint: String) -> GPIOError {
    let operation = "GPIO_V2_GET_LINE_IOCTL"
    switch code {
    case EBUSY, EPERM:
      // EPERM: the chip keeps the line for itself.
      let consumer = line(at: offset)?.consumer ?? "something"
      return GPIOError(
        .busy, operation: operation, errno: code,
        hint: "Line \(offset) of \(label) is taken by \(consumer): stop that, or take it out of the device tree.")
    case ENXIO, EINVAL, EOPNOTSUPP, ENOTTY, 524:
      return GPIOError(.unsupported, operation: operation, errno: code, hint: hint)
    default:
      return GPIOError(.kernel, operation: operation, errno: code)
    }
  }
}
