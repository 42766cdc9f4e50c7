public import Media

/// The `uuid` box inside the `moov` of every init segment (ISO/IEC 14496-12, 11.1): which recording and segment this is, the
/// init's salt, when it began; and in segment 0 the trigger and the pre-event. Encrypted with the footage.
///
///     be32 size | 'uuid' | 16-byte type | version 1 | 3 zero bytes | recording id (16) | be32 segment | init salt (32)
///     be64 wall ms | be64 monotonic ns | [ source (1) | be64 trigger ns | be32 asked ms | be32 held ms | why (1) ]
public struct SegmentFacts: Hashable, Sendable {
  /// The box's extended type: the ASCII bytes "LAPEL1 segment\0\0".
  public static let extendedType: [UInt8] = Array("LAPEL1 segment".utf8) + [0, 0]

  /// What set the recording off.
  public enum TriggerSource: UInt8, CaseIterable, Sendable {
    case command = 1
    case button = 2
    case bluetooth = 3
    case automatic = 4
  }

  /// Why less of the pre-event is held than was asked for.
  public enum PreEventLimit: UInt8, CaseIterable, Sendable {
    /// Nothing is missing.
    case none = 0
    /// The recorder had not been running for that long.
    case started = 1
    /// A recording ended in that time; it has the footage.
    case previousRecording = 2
    /// The ring had refused packets.
    case ringFull = 3
    /// The camera was not there.
    case deviceLost = 4
  }

  public struct Trigger: Hashable, Sendable {
    public var source: TriggerSource
    /// The kernel's time of the first edge (CLOCK_MONOTONIC).
    public var time: MonotonicTime
    /// ms of pre-event asked for, and held.
    public var asked: UInt32
    public var held: UInt32
    public var limit: PreEventLimit

    public init(source: TriggerSource, time: MonotonicTime, asked: UInt32, held: UInt32, limit: PreEventLimit) {
      self.source = source
      self.time = time
      self.asked = asked
      self.held = held
      self.limit = limit
    }
  }

  public var recording: EvidenceID
  public var segment: UInt32
  /// 32 bytes: `SegmentStream.initSalt`.
  public var initSalt: [UInt8]
  /// Start of the segment's media: ms since 1970 UTC and ns of CLOCK_BOOTTIME.
  public var start: ClockReading
  /// In segment 0 only.
  public var trigger: Trigger?

  public init(recording: EvidenceID, segment: UInt32, initSalt: [UInt8], start: ClockReading, trigger: Trigger?) {
    self.recording = recording
    self.segment = segment
    self.initSalt = initSalt
    self.start = start
    self.trigger = trigger
  }

  /// The whole box, to be put at the end of `moov`: 96 bytes, 114 with a trigger.
  public var box: [UInt8] {
    var body: [UInt8] = [1, 0, 0, 0] + recording.bytes + segment.bigEndianBytes + initSalt
    body += start.wall.bigEndianBytes + start.monotonic.bigEndianBytes
    if let trigger {
      body += [trigger.source.rawValue] + trigger.time.nanoseconds.bigEndianBytes
      body += trigger.asked.bigEndianBytes + trigger.held.bigEndianBytes + [trigger.limit.rawValue]
    }
    let size = UInt32(8 + 16 + body.count)
    return size.bigEndianBytes + Array("uuid".utf8) + Self.extendedType + body
  }

  /// Reads a whole box.
  /// - Throws: `.box` for another box, version, length or code.
  public init(parsing box: [UInt8]) throws(EvidenceError) {
    var reader = BoxReader(box)
    guard let size = reader.integer(UInt32.self), Int(size) == box.count, reader.bytes(4) == Array("uuid".utf8),
      reader.bytes(16) == Self.extendedType
    else { throw EvidenceError(.box, "not the segment's uuid box") }
    guard reader.bytes(4) == [1, 0, 0, 0] else { throw EvidenceError(.box, "a uuid box of another version") }
    guard let id = reader.bytes(16).flatMap({ EvidenceID($0) }), let segment = reader.integer(UInt32.self),
      let salt = reader.bytes(32), let wall = reader.integer(Int64.self), let monotonic = reader.integer(Int64.self)
    else { throw EvidenceError(.box, "a uuid box that is too short") }
    var trigger: Trigger?
    if !reader.isAtEnd {
      guard let source = reader.integer(UInt8.self).flatMap(TriggerSource.init),
        let time = reader.integer(Int64.self), let asked = reader.integer(UInt32.self),
        let held = reader.integer(UInt32.self), let limit = reader.integer(UInt8.self).flatMap(PreEventLimit.init),
        reader.isAtEnd
      else { throw EvidenceError(.box, "a uuid box with a malformed trigger") }
      trigger = Trigger(
        source: source, time: MonotonicTime(nanoseconds: time), asked: asked, held: held, limit: limit)
    }
    self.init(
      recording: id, segment: segment, initSalt: salt, start: ClockReading(wall: wall, monotonic: monotonic),
      trigger: trigger)
  }

  /// The facts of an init segment (`ftyp` `moov`): the first such box inside `moov`.
  /// - Throws: `.box` when there is none.
  public init(inInit bytes: [UInt8]) throws(EvidenceError) {
    guard let movie = BoxReader.child("moov", of: bytes[...]) else {
      throw EvidenceError(.box, "the init segment has no moov box")
    }
    var rest = movie
    while let (type, content, whole, after) = BoxReader.next(rest) {
      if type == Array("uuid".utf8), content.starts(with: Self.extendedType) {
        try self.init(parsing: Array(whole))
        return
      }
      rest = after
    }
    throw EvidenceError(.box, "the init segment has no uuid box of this format")
  }
}

/// Reads big-endian fields and walks boxes, never past the end.
struct BoxReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func bytes(_ count: Int) -> [UInt8]? {
    guard rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func integer<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
    bytes(Value.bitWidth / 8).map { $0.reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) } }
  }

  typealias Box = (type: [UInt8], content: ArraySlice<UInt8>, whole: ArraySlice<UInt8>, after: ArraySlice<UInt8>)

  /// The first box of `bytes`; only 32-bit sizes, as this recorder writes them.
  static func next(_ bytes: ArraySlice<UInt8>) -> Box? {
    guard bytes.count >= 8 else { return nil }
    let size = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    guard size >= 8, size <= bytes.count else { return nil }
    let whole = bytes.prefix(size)
    return (Array(whole.dropFirst(4).prefix(4)), whole.dropFirst(8), whole, bytes.dropFirst(size))
  }

  /// The content of the first box of that type at the top level of `bytes`.
  static func child(_ type: String, of bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var rest = bytes
    while let box = next(rest) {
      if box.type == Array(type.utf8) { return box.content }
      rest = box.after
    }
    return nil
  }
}
