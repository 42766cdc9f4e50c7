/// The AD structures of an advertisement: length, type, content (Bluetooth Core, Vol 3, Part C, 11).
public enum AdvertisingData {
  /// Types of AD structures (Bluetooth Assigned Numbers, "Common Data Types").
  public static let flagsType: UInt8 = 0x01
  public static let manufacturerType: UInt8 = 0xFF

  /// One structure, as offsets into the data.
  public struct Structure: Hashable, Sendable {
    public var type: UInt8
    /// Behind length and type.
    public var content: Range<Int>
    /// The data end before the structure does: `content` is what is there of it.
    public var isCut: Bool
  }

  /// All structures in their order. A length of 0 ends them, as the specification has it; any bytes are taken.
  public static func structures(of data: Span<UInt8>) -> [Structure] {
    var found: [Structure] = []
    var position = 0
    while position < data.count, data[position] > 0 {
      let end = position + 1 + Int(data[position])
      guard position + 1 < data.count else { break }
      let content = (position + 2)..<max(position + 2, min(end, data.count))
      found.append(Structure(type: data[position + 1], content: content, isCut: end > data.count))
      position = end
    }
    return found
  }
}

/// Little-endian integers, as everything in Bluetooth has them. Nil where the bytes end before.
extension Span<UInt8> {
  func byte(_ offset: Int) -> UInt8? { offset >= 0 && offset < count ? self[offset] : nil }

  func integer16(_ offset: Int) -> UInt16? {
    guard offset >= 0, offset <= count - 2 else { return nil }
    return UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
  }

  func integer32(_ offset: Int) -> UInt32? {
    guard offset >= 0, offset <= count - 4 else { return nil }
    return (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << (8 * UInt32($1)) }
  }

  /// A copy of the bytes of a range; nil where they are not all there.
  func bytes(_ range: Range<Int>) -> [UInt8]? {
    guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
    return range.map { self[$0] }
  }
}

extension FixedWidthInteger {
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
