import Media
import Testing

@testable import Triggers

/// `struct gpio_v2_line_event` as the kernel writes it, without the compiler's help.
func lineRecord(time: UInt64, id: UInt32, number: UInt32) -> [UInt8] {
  bytes(time) + bytes(id) + bytes(UInt32(4)) + bytes(number) + bytes(number) + [UInt8](repeating: 0, count: 24)
}

/// `struct input_event` of 64-bit Linux.
func inputRecord(seconds: Int64 = 0, microseconds: Int64 = 0, type: UInt16, code: UInt16, value: Int32) -> [UInt8] {
  bytes(seconds) + bytes(microseconds) + bytes(type) + bytes(code) + bytes(value)
}

func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

let report = inputRecord(type: 0, code: 0, value: 0)
let dropped = inputRecord(type: 0, code: 3, value: 0)

@Suite("Records of the kernel")
struct EventDecoderTests {
  func edge(_ isPressed: Bool, _ time: Int64) -> DecodedRecord {
    .event(.edge(isPressed: isPressed, time: MonotonicTime(nanoseconds: time)))
  }

  @Test("edges of a line, with the kernel's time")
  func line() {
    var decoder = LineDecoder()
    #expect(
      decoder.take(lineRecord(time: 1_234_567_890_123, id: 1, number: 1).span.bytes) == edge(true, 1_234_567_890_123))
    #expect(
      decoder.take(lineRecord(time: 1_234_567_890_999, id: 2, number: 2).span.bytes) == edge(false, 1_234_567_890_999))
  }

  @Test("a gap in the numbers is told once, with the level after it")
  func gap() {
    var decoder = LineDecoder()
    #expect(decoder.take(lineRecord(time: 1, id: 1, number: 1).span.bytes) == edge(true, 1))
    let lost = decoder.take(lineRecord(time: 9, id: 2, number: 40).span.bytes)
    #expect(lost == .event(.resynchronised(isPressed: false, time: MonotonicTime(nanoseconds: 9))))
    #expect(decoder.take(lineRecord(time: 10, id: 1, number: 41).span.bytes) == edge(true, 10))
  }

  @Test("a first record that is not number 1 follows a gap, and the numbers go round")
  func numbers() {
    var decoder = LineDecoder()
    #expect(
      decoder.take(lineRecord(time: 5, id: 1, number: 3).span.bytes)
        == .event(.resynchronised(isPressed: true, time: MonotonicTime(nanoseconds: 5))))
    decoder.lastNumber = .max
    #expect(decoder.take(lineRecord(time: 6, id: 2, number: 0).span.bytes) == edge(false, 6))
  }

  @Test("a line's record of a kind that is not known, and one that is no record, mean nothing")
  func foreignLine() {
    var decoder = LineDecoder()
    #expect(decoder.take(lineRecord(time: 5, id: 7, number: 1).span.bytes) == .nothing)
    #expect(decoder.take(lineRecord(time: 6, id: 1, number: 2).span.bytes) == edge(true, 6))
    for count in [0, 1, 47] {
      #expect(decoder.take([UInt8](repeating: 1, count: count).span.bytes) == .nothing)
    }
    // Any bytes are taken for what they are.
    #expect(decoder.take([UInt8](repeating: 0xFF, count: 48).span.bytes) == .nothing)
  }

  @Test("presses of the key; autorepeat, other keys and other events mean nothing")
  func key() throws {
    var decoder = KeyDecoder(key: try #require(Key("KEY_RECORD")))
    let press = inputRecord(seconds: 12, microseconds: 345_678, type: 1, code: 167, value: 1)
    #expect(decoder.take(press.span.bytes) == edge(true, 12_345_678_000))
    #expect(decoder.take(report.span.bytes) == .nothing)
    #expect(decoder.take(inputRecord(seconds: 13, type: 1, code: 167, value: 2).span.bytes) == .nothing)
    #expect(decoder.take(inputRecord(seconds: 13, type: 1, code: 168, value: 1).span.bytes) == .nothing)
    #expect(decoder.take(inputRecord(seconds: 13, type: 4, code: 167, value: 1).span.bytes) == .nothing)
    #expect(
      decoder.take(inputRecord(seconds: 14, type: 1, code: 167, value: 0).span.bytes) == edge(false, 14_000_000_000))
    #expect(decoder.take([UInt8](repeating: 0, count: 23).span.bytes) == .nothing)
    #expect(decoder.take([UInt8](repeating: 0xFF, count: 24).span.bytes) == .nothing)
  }

  @Test("after SYN_DROPPED the rest of the report is passed over and the level is asked for once")
  func lostKeys() throws {
    var decoder = KeyDecoder(key: try #require(Key("KEY_RECORD")))
    #expect(decoder.take(dropped.span.bytes) == .nothing)
    #expect(decoder.take(inputRecord(type: 1, code: 167, value: 1).span.bytes) == .nothing)
    #expect(decoder.take(report.span.bytes) == .levelNeeded)
    #expect(decoder.take(report.span.bytes) == .nothing)
    #expect(decoder.take(inputRecord(type: 1, code: 167, value: 1).span.bytes) == edge(true, 0))
  }
}
