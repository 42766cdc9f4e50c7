/// The type of a box: four characters (ISO/IEC 14496-12, 4.2).
public struct BoxType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The four bytes, the first in the highest bits.
  public var rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// - Parameter name: four ASCII characters.
  public init(_ name: StaticString) {
    precondition(name.utf8CodeUnitCount == 4)
    rawValue = name.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt32($1) } }
  }

  /// The characters, or the number where one of them is not printable.
  public var description: String {
    let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: rawValue >> $0) }
    guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return "0x" + String(rawValue, radix: 16) }
    return String(decoding: bytes, as: UTF8.self)
  }

  public static let fileType = BoxType("ftyp")
  public static let movie = BoxType("moov")
  public static let movieFragment = BoxType("moof")
  public static let mediaData = BoxType("mdat")
  public static let eventMessage = BoxType("emsg")
  public static let free = BoxType("free")
  public static let extended = BoxType("uuid")
  public static let userData = BoxType("udta")
}

/// The first bytes of a box: its type and how long it is.
public struct BoxHeader: Hashable, Sendable {
  /// Bytes of the longest header: with a 64-bit size. The 16-byte type of a `uuid` box counts as content.
  public static let byteLimit = 16

  public var type: BoxType
  /// Bytes of the header: 8, or 16 with a 64-bit size.
  public var headerLength: Int
  /// Bytes of the whole box, never less than `headerLength`.
  public var length: Int64

  public init(type: BoxType, headerLength: Int, length: Int64) {
    self.type = type
    self.headerLength = headerLength
    self.length = length
  }

  public var contentLength: Int64 { length - Int64(headerLength) }

  /// Reads the header at the start of `bytes`. Nil: the header is longer than `bytes`.
  /// - Parameter offset: where `bytes` begin; for the error only.
  /// - Throws: `.openEnded` for size 0 (a box up to the end of the file: no length can be checked), `.size` for a size
  ///   smaller than the header or above 2^63.
  public static func parse(_ bytes: RawSpan, at offset: Int64 = 0) throws(BoxError) -> BoxHeader? {
    guard bytes.byteCount >= 8 else { return nil }
    let short = bigEndian32(bytes, 0)
    let type = BoxType(rawValue: bigEndian32(bytes, 4))
    switch short {
    case 0: throw BoxError(.openEnded, type: type, offset: offset)
    case 1:
      guard bytes.byteCount >= 16 else { return nil }
      let long = UInt64(bigEndian32(bytes, 8)) << 32 | UInt64(bigEndian32(bytes, 12))
      guard long >= 16, let length = Int64(exactly: long) else { throw BoxError(.size, type: type, offset: offset) }
      return BoxHeader(type: type, headerLength: 16, length: length)
    case 2..<8: throw BoxError(.size, type: type, offset: offset)
    default: return BoxHeader(type: type, headerLength: 8, length: Int64(short))
    }
  }

  private static func bigEndian32(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
    UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

/// A box, or a field of one, that is not what the format says.
public struct BoxError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Rule: String, Hashable, Sendable {
    /// The box or field goes on behind the end of what holds it.
    case truncated = "is cut off"
    /// A size of 0: the box would go on to the end of the file.
    case openEnded = "has no length"
    /// A size smaller than the header, or absurdly large.
    case size = "has an impossible size"
    /// A field with a value that it must not have.
    case value = "has a wrong value"
    /// A box that must be there is missing.
    case missing = "is missing"
    /// A box at a place where it must not be.
    case order = "is not allowed here"
  }

  public var rule: Rule
  public var type: BoxType?
  /// Where the box begins, in the bytes that were read.
  public var offset: Int64

  public init(_ rule: Rule, type: BoxType?, offset: Int64) {
    self.rule = rule
    self.type = type
    self.offset = offset
  }

  public var description: String {
    "the \(type.map { "box \($0)" } ?? "box") at byte \(offset) \(rule.rawValue)"
  }
}

/// Walks the boxes that follow each other in a range of bytes (ISO/IEC 14496-12, 4.2). Checks every length against the
/// range; no input traps. Copies nothing.
public struct BoxReader: Sendable {
  /// One box: where it lies in the bytes that were given.
  public struct Box: Hashable, Sendable {
    public var type: BoxType
    /// All of it.
    public var range: Range<Int>
    /// Without its header.
    public var content: Range<Int>
  }

  public let bytes: [UInt8]
  private var position: Int
  private let end: Int

  /// - Parameter range: clamped to the bytes; nil: all of them.
  public init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
    let range = (range ?? bytes.indices).clamped(to: bytes.indices)
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next box; nil at the end of the range.
  /// - Throws: `.truncated`, `.openEnded`, `.size`. The reader stays before that box.
  public mutating func next() throws(BoxError) -> Box? {
    guard position < end else { return nil }
    let start = position
    let header = try BoxHeader.parse(bytes.span.bytes.extracting(start..<end), at: Int64(start))
    guard let header, let length = Int(exactly: header.length), length <= end - start else {
      throw BoxError(.truncated, type: header?.type, offset: Int64(start))
    }
    position = start + length
    return Box(type: header.type, range: start..<position, content: (start + header.headerLength)..<position)
  }

  /// All boxes of a range.
  public static func boxes(_ bytes: [UInt8], in range: Range<Int>? = nil) throws(BoxError) -> [Box] {
    var reader = BoxReader(bytes, in: range)
    var boxes: [Box] = []
    while let box = try reader.next() { boxes.append(box) }
    return boxes
  }

  /// The content of the first box of this type in a range.
  /// - Throws: `.missing` when there is none; what `next` throws.
  public static func content(
    of type: BoxType, _ bytes: [UInt8], in range: Range<Int>? = nil
  ) throws(BoxError) -> Range<Int> {
    var reader = BoxReader(bytes, in: range)
    while let box = try reader.next() {
      if box.type == type { return box.content }
    }
    throw BoxError(.missing, type: type, offset: Int64(range?.lowerBound ?? 0))
  }
}

/// Reads the fields inside a box, big-endian and in order; every read is checked against the range.
public struct BoxFields: Sendable {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  /// The box that errors name.
  private let type: BoxType

  /// - Parameter range: a box's content, clamped to the bytes.
  public init(_ bytes: [UInt8], in range: Range<Int>, of type: BoxType) {
    let range = range.clamped(to: bytes.indices)
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
    self.type = type
  }

  public var remaining: Int { end - position }
  /// Where the next field lies.
  public var offset: Int { position }

  public mutating func u8() throws(BoxError) -> UInt8 { UInt8(truncatingIfNeeded: try integer(1)) }
  public mutating func u16() throws(BoxError) -> UInt16 { UInt16(truncatingIfNeeded: try integer(2)) }
  public mutating func u32() throws(BoxError) -> UInt32 { UInt32(truncatingIfNeeded: try integer(4)) }
  public mutating func u64() throws(BoxError) -> UInt64 { try integer(8) }

  public mutating func skip(_ count: Int) throws(BoxError) {
    guard count >= 0, count <= remaining else { throw BoxError(.truncated, type: type, offset: Int64(position)) }
    position += count
  }

  public mutating func bytes(_ count: Int) throws(BoxError) -> [UInt8] {
    let start = position
    try skip(count)
    return Array(bytes[start..<position])
  }

  /// A string up to its zero byte; other than UTF-8 is repaired.
  public mutating func cString() throws(BoxError) -> String {
    guard let zero = bytes[position..<end].firstIndex(of: 0) else {
      throw BoxError(.truncated, type: type, offset: Int64(position))
    }
    defer { position = zero + 1 }
    return String(decoding: bytes[position..<zero], as: UTF8.self)
  }

  private mutating func integer(_ count: Int) throws(BoxError) -> UInt64 {
    let start = position
    try skip(count)
    return bytes[start..<position].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
