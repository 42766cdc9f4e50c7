/// Reads the bits of an H.264 NAL unit, its emulation prevention bytes left out (ITU-T H.264, 7.3.1 and 9.1).
///
/// Behind the end every bit is 0, and `isExhausted` says that it was passed: one check at the end is enough.
struct BitReader {
  private var byteOffset: Int
  private var bit = 0
  private var zeros = 0
  private let end: Int
  private(set) var isExhausted = false

  /// - Parameter unit: the unit in `bytes`; reading begins behind its header byte.
  init(unit: Range<Int>, in bytes: RawSpan) {
    byteOffset = unit.lowerBound + 1
    end = min(unit.upperBound, bytes.byteCount)
  }

  mutating func flag(_ bytes: RawSpan) -> Bool { bits(1, bytes) == 1 }

  /// - Parameter count: 0 to 32.
  mutating func bits(_ count: Int, _ bytes: RawSpan) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count { value = value << 1 | next(bytes) }
    return value
  }

  /// `ue(v)`: an Exp-Golomb code.
  mutating func unsigned(_ bytes: RawSpan) -> UInt32 {
    var length = 0
    while next(bytes) == 0 {
      length += 1
      guard length < 32, !isExhausted else {
        isExhausted = true
        return 0
      }
    }
    return (1 << UInt32(length)) - 1 + bits(length, bytes)
  }

  /// `se(v)`.
  mutating func signed(_ bytes: RawSpan) -> Int32 {
    let code = Int64(unsigned(bytes))
    return Int32(truncatingIfNeeded: code & 1 == 1 ? (code + 1) / 2 : -(code / 2))
  }

  private mutating func next(_ bytes: RawSpan) -> UInt32 {
    if bit == 0, byteOffset < end, zeros >= 2, byte(bytes) == 3 {
      byteOffset += 1
      zeros = 0
    }
    guard byteOffset < end else {
      isExhausted = true
      return 0
    }
    let value = byte(bytes)
    let result = UInt32(value >> UInt8(7 - bit)) & 1
    bit += 1
    if bit == 8 {
      bit = 0
      byteOffset += 1
      zeros = value == 0 ? zeros + 1 : 0
    }
    return result
  }

  /// Inside: `byteOffset` is below `end`, which is no more than there are; a byte has every value.
  private func byte(_ bytes: RawSpan) -> UInt8 { bytes.unsafeLoad(fromByteOffset: byteOffset, as: UInt8.self) }
}
