import CLinux
import Glibc
import LinuxIO
import Media
import Testing

@testable import Power

/// A line whose kernel is a pipe.
private final class PipeLine {
  var line: PowerFailLine
  private var writer: FileDescriptor?

  init(isActive: Bool = false) throws {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
      throw LinuxError("make", "a pipe", errno: errno)
    }
    line = PowerFailLine(FileDescriptor(owning: ends[0]), isActive: isActive)
    writer = FileDescriptor(owning: ends[1])
  }

  func edge(_ isActive: Bool, _ time: UInt64) throws {
    var event = gpio_v2_line_event()
    event.timestamp_ns = time
    event.id =
      isActive ? GPIO_V2_LINE_EVENT_RISING_EDGE.rawValue : GPIO_V2_LINE_EVENT_FALLING_EDGE.rawValue
    let bytes = withUnsafeBytes(of: event) { Array($0) }
    try writer?.write(bytes.span.bytes)
  }

  func hangUp() { writer = nil }

  func take() throws(PowerError) -> PowerFailLine.Change { try line.take() }
}

@Suite("The power-fail line")
struct PowerFailLineTests {
  private func time(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

  @Test("the first edge counts, with the kernel's time, however short it was and however many follow")
  func edges() throws {
    let line = try PipeLine()
    #expect(try line.take() == .init(failed: nil, isActive: false))
    try line.edge(true, 7)
    #expect(try line.take() == .init(failed: time(7), isActive: true))
    #expect(try line.take() == .init(failed: nil, isActive: true), "it is told once")
    try line.edge(false, 8)
    #expect(try line.take() == .init(failed: nil, isActive: false))
    // More than one read takes.
    for number in 10..<50 as Range<UInt64> { try line.edge(number % 2 == 0, number) }
    #expect(try line.take() == .init(failed: time(10), isActive: false))
  }

  @Test("a supply that fails already when the line is opened is told")
  func atStart() throws {
    let before = MonotonicTime.now()
    let line = try PipeLine(isActive: true)
    let change = try line.take()
    #expect(change.isActive && change.failed.map { $0 >= before } == true)
    #expect(try line.take() == .init(failed: nil, isActive: true))
  }

  @Test("a chip that is gone is an error that says so, and no failing supply")
  func gone() throws {
    let line = try PipeLine()
    line.hangUp()
    let error = #expect(throws: PowerError.self) { _ = try line.take() }
    #expect(error?.kind == .lost)
    #expect(error?.description.contains("is gone") == true && error?.description.contains("dmesg") == true)
  }

  @Test("a place is gpio:CHIP:LINE; what is none says what is wrong with it")
  func places() throws {
    let place = try PowerFailPlace("gpio:INT33FC:00:PFO")
    #expect(place.chip == "INT33FC:00" && place.line == "PFO" && place.description == "gpio:INT33FC:00:PFO")
    for text in ["", "gpio:", "gpio:a", "gpio::1", "gpio:a:", "key:a:KEY_POWER", "led:a", "gpio:a:\0"] {
      let error = #expect(throws: PowerError.self, "\(text)") { try PowerFailPlace(text) }
      #expect(error?.kind == .malformed && error?.hint.contains("gpio:CHIP:LINE") == true, "\(text)")
    }
  }

  @Test("a chip that is not there may come: the error says which there are")
  func missing() throws {
    let error = #expect(throws: PowerError.self) {
      _ = try PowerFailLine(
        PowerFailPlace("gpio:none:1"), isActiveLow: true, setsPull: true, devices: "/nonexistent")
    }
    #expect(error?.kind == .notFound && error?.description.contains("gpio:none:1") == true)
  }
}
