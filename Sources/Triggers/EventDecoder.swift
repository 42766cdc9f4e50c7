import CLinux
import Media

/// What one record of the kernel means for the button.
enum DecodedRecord: Hashable {
  /// Nothing: another key, autorepeat, the end of a report.
  case nothing
  case event(ButtonEvent)
  /// Events were lost and the records do not tell the level: ask the device.
  case levelNeeded
}

/// Turns the records of a descriptor, one after the other, into events. Pure.
enum EventDecoder {
  case line(LineDecoder)
  case key(KeyDecoder)

  /// Bytes of a record.
  var recordSize: Int {
    switch self {
    case .line: LineDecoder.recordSize
    case .key: KeyDecoder.recordSize
    }
  }

  /// Takes exactly one record.
  mutating func take(_ record: RawSpan) -> DecodedRecord {
    switch self {
    case .line(var decoder):
      defer { self = .line(decoder) }
      return decoder.take(record)
    case .key(var decoder):
      defer { self = .key(decoder) }
      return decoder.take(record)
    }
  }
}

/// Decodes `struct gpio_v2_line_event` of one line.
struct LineDecoder {
  static let recordSize = MemoryLayout<gpio_v2_line_event>.size

  /// `line_seqno` of the last record; the kernel counts from 1.
  var lastNumber: UInt32 = 0

  /// A gap in `line_seqno` means that the kernel's buffer was full and the oldest edges were thrown away. The record after
  /// the gap still tells the level, so nothing needs to be asked.
  mutating func take(_ record: RawSpan) -> DecodedRecord {
    guard record.byteCount == Self.recordSize else { return .nothing }
    // Right for any bytes: the struct is integers of fixed width without a bit pattern that is not a value, its size was just
    // compared, and the load asks for no alignment.
    let event = record.unsafeLoadUnaligned(as: gpio_v2_line_event.self)
    let hasGap = event.line_seqno != lastNumber &+ 1
    lastNumber = event.line_seqno
    let time = MonotonicTime(nanoseconds: Int64(clamping: event.timestamp_ns))
    // Rising and falling are meant logically: the kernel turns them round for an active-low line.
    let isPressed = event.id == GPIO_V2_LINE_EVENT_RISING_EDGE.rawValue
    guard isPressed || event.id == GPIO_V2_LINE_EVENT_FALLING_EDGE.rawValue else { return .nothing }
    return .event(hasGap ? .resynchronised(isPressed: isPressed, time: time) : .edge(isPressed: isPressed, time: time))
  }
}

/// Decodes `struct input_event` for one key.
struct KeyDecoder {
  static let recordSize = MemoryLayout<input_event>.size

  let key: Key
  /// True from SYN_DROPPED to the SYN_REPORT after it: what comes between is a report without its beginning.
  private var isDropping = false

  init(key: Key) { self.key = key }

  mutating func take(_ record: RawSpan) -> DecodedRecord {
    guard record.byteCount == Self.recordSize else { return .nothing }
    // Right for any bytes, as above.
    let event = record.unsafeLoadUnaligned(as: input_event.self)
    switch (CInt(event.type), CInt(event.code)) {
    case (EV_SYN, SYN_DROPPED):
      isDropping = true
      return .nothing
    case (EV_SYN, SYN_REPORT):
      defer { isDropping = false }
      return isDropping ? .levelNeeded : .nothing
    case (EV_KEY, CInt(key.code)) where !isDropping && (event.value == 0 || event.value == 1):
      // 2 is autorepeat.
      let time = Int64(event.time.tv_sec) &* 1_000_000_000 &+ Int64(event.time.tv_usec) &* 1_000
      return .event(.edge(isPressed: event.value == 1, time: MonotonicTime(nanoseconds: time)))
    default:
      return .nothing
    }
  }
}
