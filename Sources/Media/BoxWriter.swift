/// Builds ISO base media file format boxes (ISO/IEC 14496-12) in a buffer that is kept between uses.
public struct BoxWriter {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  public init(reservingCapacity capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  public var count: Int { bytes.count }

  /// Empties the buffer and keeps its memory.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Writes a box: its size is filled in after `content`.
  public mutating func box(_ type: StaticString, _ content: (inout BoxWriter) -> Void) {
    let start = bytes.count
    u32(0)
    fourCC(type)
    content(&self)
    patch(UInt32(truncatingIfNeeded: bytes.count - start), at: start)
  }

  /// Writes a full box: version and flags come first (ISO/IEC 14496-12, 4.2).
  public mutating func fullBox(
    _ type: StaticString, version: UInt8 = 0, flags: UInt32 = 0, _ content: (inout BoxWriter) -> Void
  ) {
    box(type) { writer in
      writer.u32(UInt32(version) << 24 | flags)
      content(&writer)
    }
  }

  public mutating func u8(_ value: UInt8) { bytes.append(value) }
  public mutating func u16(_ value: UInt16) {
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
  public mutating func u32(_ value: UInt32) {
    u16(UInt16(truncatingIfNeeded: value >> 16))
    u16(UInt16(truncatingIfNeeded: value))
  }
  public mutating func u64(_ value: UInt64) {
    u32(UInt32(truncatingIfNeeded: value >> 32))
    u32(UInt32(truncatingIfNeeded: value))
  }
  public mutating func zeros(_ count: Int) { for _ in 0..<count { bytes.append(0) } }
  public mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

  /// Four ASCII characters.
  public mutating func fourCC(_ type: StaticString) {
    precondition(type.utf8CodeUnitCount == 4)
    type.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// A string that ends with a zero byte.
  public mutating func cString(_ value: String) {
    raw(value.utf8)
    u8(0)
  }

  /// Overwrites four bytes that were written before.
  public mutating func patch(_ value: UInt32, at offset: Int) {
    bytes[offset] = UInt8(truncatingIfNeeded: value >> 24)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value >> 16)
    bytes[offset + 2] = UInt8(truncatingIfNeeded: value >> 8)
    bytes[offset + 3] = UInt8(truncatingIfNeeded: value)
  }
}
