/// Walks the NAL units of an H.264 byte stream (ITU-T H.264, annex B) without copying or allocating.
///
/// A start code is `00 00 01`; zeros before it, and behind the last unit, belong to nothing. What stands before the first
/// start code is passed over: a stream that is cut into at any point is read from its next unit on.
///
///     var walk = AnnexB()
///     while let unit = walk.next(in: bytes) { … }
public struct AnnexB: Sendable {
  /// What the five low bits of a unit's first byte say (table 7-1); those that a recorder looks at.
  public enum UnitType {
    public static let slice: UInt8 = 1
    public static let idrSlice: UInt8 = 5
    public static let supplement: UInt8 = 6
    public static let sequenceParameters: UInt8 = 7
    public static let pictureParameters: UInt8 = 8
    public static let delimiter: UInt8 = 9
    public static let filler: UInt8 = 12
  }

  /// Where the next search begins: at a start code, or before one.
  private var offset = 0

  public init() {}

  /// Where the next unit lies, without its start code: from its header byte to its last. Nil behind the last one.
  /// - Parameter bytes: the same in every call.
  public mutating func next(in bytes: RawSpan) -> Range<Int>? {
    while let code = Self.startCode(in: bytes, from: offset) {
      let start = code + 3
      let following = Self.startCode(in: bytes, from: start) ?? bytes.byteCount
      offset = following
      var end = following
      // A unit ends with a stop bit, so zeros at its end are none of its own.
      while end > start, Self.byte(bytes, end - 1) == 0 { end -= 1 }
      if end > start { return start..<end }
    }
    return nil
  }

  /// Whether nothing but zeros stands before the first start code; false where there is none: units with lengths, say.
  public static func isFramed(_ bytes: RawSpan) -> Bool {
    guard let code = startCode(in: bytes, from: 0) else { return false }
    for index in 0..<code where byte(bytes, index) != 0 { return false }
    return true
  }

  /// The five low bits of the unit's first byte.
  public static func type(of unit: Range<Int>, in bytes: RawSpan) -> UInt8 { byte(bytes, unit.lowerBound) & 0x1F }

  /// The first `00 00 01` at or after `from`.
  private static func startCode(in bytes: RawSpan, from: Int) -> Int? {
    var index = from
    // The third byte decides for three places at once: above 1 it is part of none.
    while index + 2 < bytes.byteCount {
      switch byte(bytes, index + 2) {
      case 0: index += 1
      case 1 where byte(bytes, index) == 0 && byte(bytes, index + 1) == 0: return index
      default: index += 3
      }
    }
    return nil
  }

  /// Every caller's index is inside, and a byte has every value.
  private static func byte(_ bytes: RawSpan, _ index: Int) -> UInt8 {
    precondition(index >= 0 && index < bytes.byteCount)
    return bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
  }
}
