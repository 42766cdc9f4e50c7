import Glibc
import LinuxIO
import Media
import Testing

@testable import Triggers

/// A button whose kernel is a pipe.
final class PipeButton {
  private var button: Button
  private var writer: FileDescriptor?

  init(_ decoder: EventDecoder, isPressed: Bool = false) throws {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
      throw LinuxError("make", "a pipe", errno: errno)
    }
    button = Button(
      FileDescriptor(owning: ends[0]), decoder: decoder, isPressed: isPressed, wasPullRefused: false, name: "gpio:a:1")
    writer = FileDescriptor(owning: ends[1])
  }

  func write(_ bytes: [UInt8]) throws { try writer?.write(bytes.span.bytes) }

  func hangUp() { writer = nil }

  var isPressedAtStart: Bool { button.isPressedAtStart }

  func next() throws(TriggerError) -> ButtonEvent? { try button.next() }

  func refusal() -> TriggerError? {
    do throws(TriggerError) {
      _ = try button.next()
      return nil
    } catch {
      return error
    }
  }
}

@Suite("A button")
struct ButtonTests {
  func edge(_ isPressed: Bool, _ time: Int64) -> ButtonEvent {
    .edge(isPressed: isPressed, time: MonotonicTime(nanoseconds: time))
  }

  @Test("all that waits is given in order, then nil, without blocking")
  func order() throws {
    let button = try PipeButton(.line(LineDecoder()))
    #expect(try button.next() == nil)
    // More than one read takes.
    var records: [UInt8] = []
    for number in 1...70 as ClosedRange<UInt32> {
      records += lineRecord(time: UInt64(number), id: number % 2 == 1 ? 1 : 2, number: number)
    }
    try button.write(records)
    for number in 1...70 as ClosedRange<Int64> { #expect(try button.next() == edge(number % 2 == 1, number)) }
    #expect(try button.next() == nil)
    #expect(try button.next() == nil)
  }

  @Test("two edges in a row never say the same")
  func repeated() throws {
    let button = try PipeButton(.line(LineDecoder()), isPressed: true)
    #expect(button.isPressedAtStart)
    // The edge that was on its way when the level was read.
    try button.write(lineRecord(time: 1, id: 1, number: 1))
    #expect(try button.next() == nil)
    try button.write(lineRecord(time: 2, id: 2, number: 2) + lineRecord(time: 3, id: 2, number: 3))
    #expect(try button.next() == edge(false, 2))
    #expect(try button.next() == nil)
    #expect(button.isPressedAtStart)
  }

  @Test("lost edges are told even when the level is what it was")
  func lost() throws {
    let button = try PipeButton(.line(LineDecoder()))
    try button.write(lineRecord(time: 7, id: 2, number: 9) + lineRecord(time: 8, id: 1, number: 10))
    #expect(try button.next() == .resynchronised(isPressed: false, time: MonotonicTime(nanoseconds: 7)))
    #expect(try button.next() == edge(true, 8))
  }

  @Test("a key's press and release, autorepeat between them")
  func key() throws {
    let button = try PipeButton(.key(KeyDecoder(key: try #require(Key("KEY_RECORD")))))
    let held = (0..<5).flatMap { _ in inputRecord(type: 1, code: 167, value: 2) + report }
    try button.write(inputRecord(seconds: 1, type: 1, code: 167, value: 1) + report + held)
    try button.write(inputRecord(seconds: 2, type: 1, code: 167, value: 0) + report)
    #expect(try button.next() == edge(true, 1_000_000_000))
    #expect(try button.next() == edge(false, 2_000_000_000))
    #expect(try button.next() == nil)
  }

  @Test("after lost keys the device is asked for the level; what cannot tell it has failed")
  func level() throws {
    let button = try PipeButton(.key(KeyDecoder(key: try #require(Key("KEY_RECORD")))))
    try button.write(dropped + inputRecord(type: 1, code: 167, value: 1) + report)
    let error = try #require(button.refusal())
    #expect(error.kind == .failed)
    #expect(error.operation == "EVIOCGKEY")
    #expect(error.errno == ENOTTY)
  }

  @Test("a part of a record is a failure, and what comes later is read again")
  func short() throws {
    let button = try PipeButton(.line(LineDecoder()))
    try button.write(Array(lineRecord(time: 1, id: 1, number: 1)[..<47]))
    let error = try #require(button.refusal())
    #expect(error.kind == .failed)
    #expect(error.hint == "Its driver gave 47 bytes, which is no number of whole events of 48.")
    try button.write(lineRecord(time: 1, id: 1, number: 1))
    #expect(try button.next() == edge(true, 1))
  }

  @Test("a device that is gone is said to be lost, after the last of its events")
  func gone() throws {
    let button = try PipeButton(.line(LineDecoder()))
    try button.write(lineRecord(time: 1, id: 1, number: 1))
    button.hangUp()
    #expect(try button.next() == edge(true, 1))
    let error = try #require(button.refusal())
    #expect(error.kind == .lost)
    #expect(error.description.hasPrefix("the button gpio:a:1 is gone (read: No such device, errno 19). "))
  }
}
