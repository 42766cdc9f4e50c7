import CLinux
import GPIO
import Glibc
import LinuxIO
public import Media

/// The line with which a board says that its supply is failing, open and watched. One thread. No allocation after `init`.
///
/// Watch `rawValue` for reading, level-triggered (epoll(7)), and call `take()`. **Call it once a second even when nothing is
/// readable**: a kernel such as 6.1 does not wake who waits on a line when its chip goes away.
public struct PowerFailLine: ~Copyable {
  /// What the line did since the last time.
  public struct Change: Hashable, Sendable {
    /// The first moment at which it was active; nil: it was not.
    public var failed: MonotonicTime?
    /// As it is now.
    public var isActive: Bool
  }

  private let descriptor: FileDescriptor
  private let name: String
  private var isActive: Bool
  /// It was active when it was opened: no edge says so.
  private var isFirst = true
  private var events = [gpio_v2_line_event](repeating: gpio_v2_line_event(), count: 16)
  /// True when a pull was asked for, the chip refused it, and the line was opened without.
  public let wasPullRefused: Bool

  public var rawValue: CInt { descriptor.rawValue }

  /// Opens it: GPIO_V2_GET_LINE_IOCTL with both edges, without debouncing: the first edge counts.
  /// - Parameters:
  ///   - isActiveLow: the line is low while the supply fails.
  ///   - setsPull: asks the chip to pull the line to where it rests.
  ///   - devices: where the device nodes are, /dev but in tests.
  public init(
    _ place: PowerFailPlace, isActiveLow: Bool, setsPull: Bool, devices: String = "/dev"
  ) throws(PowerError) {
    let line = try Self.request(place, isActiveLow: isActiveLow, setsPull: setsPull, devices: devices)
    let isActive = try Self.level(line.descriptor, place.description)
    name = place.description
    self.isActive = isActive
    wasPullRefused = line.wasPullRefused
    descriptor = line.takeDescriptor()
  }

  private static func request(
    _ place: PowerFailPlace, isActiveLow: Bool, setsPull: Bool, devices: String
  ) throws(PowerError) -> RequestedLine {
    do throws(GPIOError) {
      let chip = try GPIOChip.open(place.chip, devices: devices)
      return try chip.requestEdges(
        offset: try chip.offset(of: place.line), isActiveLow: isActiveLow, debounce: .zero, setsPull: setsPull)
    } catch {
      throw PowerError(error, line: place.description)
    }
  }

  private static func level(_ descriptor: borrowing FileDescriptor, _ name: String) throws(PowerError) -> Bool {
    do throws(GPIOError) { return try RequestedLine.isActive(descriptor) } catch { throw PowerError(error, line: name) }
  }

  /// A line whose kernel is a test's.
  init(_ descriptor: consuming FileDescriptor, isActive: Bool) {
    self.descriptor = descriptor
    self.isActive = isActive
    name = "gpio:a:1"
    wasPullRefused = false
  }

  /// What happened until now. Never blocks. `.lost` when the chip is gone: stop watching `rawValue`, drop this value and open
  /// a new one when it is back.
  public mutating func take() throws(PowerError) -> Change {
    var failed: MonotonicTime? = isFirst && isActive ? .now() : nil
    isFirst = false
    while true {
      let count = try fill()
      for event in events.prefix(count) {
        isActive = event.id == GPIO_V2_LINE_EVENT_RISING_EDGE.rawValue
        if isActive { failed = failed ?? MonotonicTime(nanoseconds: Int64(clamping: event.timestamp_ns)) }
      }
      // Full: there may be more. With edges lost the last one still says what the line is.
      if count < events.count { return Change(failed: failed, isActive: isActive) }
    }
  }

  /// Reads more events, and returns how many.
  private mutating func fill() throws(PowerError) -> Int {
    let (raw, size) = (descriptor.rawValue, MemoryLayout<gpio_v2_line_event>.stride)
    let count = events.withUnsafeMutableBytes { bytes in
      while true {
        let count = read(raw, bytes.baseAddress, bytes.count)
        if count >= 0 { return count }
        if errno != EINTR { return -Int(errno) }
      }
    }
    if count == -Int(EAGAIN) {
      // A kernel may say that a chip is gone to poll(2) alone.
      let state = CInt(clinux_wait(raw, Int16(POLLIN), 0))
      if state > 0 && state & CInt(POLLIN) == 0 && state & CInt(POLLERR | POLLHUP | POLLNVAL) != 0 {
        throw PowerError(line: name, operation: "poll", errno: ENODEV)
      }
      return 0
    }
    if count <= 0 { throw PowerError(line: name, operation: "read", errno: count < 0 ? CInt(-count) : ENODEV) }
    return count / size
  }
}
