/// What a NAL unit is, as far as we treat it differently (ITU-T H.264, table 7-1).
enum NALUnitKind: Hashable, Sendable {
  /// A coded slice; an IDR picture has only slices of the second kind.
  case slice, idrSlice
  case sequenceParameterSet, pictureParameterSet
  /// Access unit delimiters, supplemental information, filler and ends of sequence or stream: decoders need none of them.
  case dispensable
  /// Data partitions, scalable and multiview parts, auxiliary pictures, and what is reserved.
  case other

  init(_ unit: UnsafeRawBufferPointer) {
    switch unit.first.map({ $0 & 0x1F }) {
    case 1: self = .slice
    case 5: self = .idrSlice
    case 6, 9, 10, 11, 12: self = .dispensable
    case 7: self = .sequenceParameterSet
    case 8: self = .pictureParameterSet
    default: self = .other
    }
  }
}

/// The first fields of a slice (ITU-T H.264, 7.3.3).
struct SliceStart: Hashable, Sendable {
  var firstMacroblock: Int
  /// B slices refer to pictures that are shown later: pictures would not come out in the order in which they went in.
  var isBidirectional: Bool

  /// Nil when there are too few bytes.
  init?(_ unit: UnsafeRawBufferPointer) {
    var bits = BitReader(Array(unit.dropFirst().prefix(12)))
    guard let first = bits.unsigned(), let type = bits.unsigned() else { return nil }
    firstMacroblock = first
    isBidirectional = type % 5 == 1
  }
}

/// Reads fields of a NAL unit bit by bit (ITU-T H.264, 7.2 and 9.1); nil behind the end.
struct BitReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func bit() -> Int? {
    guard position / 8 < bytes.count else { return nil }
    defer { position += 1 }
    return Int(bytes[position / 8] >> UInt8(7 - position % 8)) & 1
  }

  mutating func bits(_ count: Int) -> Int? {
    var value = 0
    for _ in 0..<count {
      guard let bit = bit() else { return nil }
      value = value << 1 | bit
    }
    return value
  }

  /// ue(v), at most 32 bits.
  mutating func unsigned() -> Int? {
    var zeros = 0
    while true {
      guard let bit = bit() else { return nil }
      if bit == 1 { break }
      zeros += 1
      guard zeros <= 31 else { return nil }
    }
    guard let rest = bits(zeros) else { return nil }
    return (1 << zeros) - 1 + rest
  }

  /// se(v).
  mutating func signed() -> Int? { unsigned().map { $0 % 2 == 1 ? ($0 + 1) / 2 : -($0 / 2) } }
}
