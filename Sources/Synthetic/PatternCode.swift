import Media

/// The machine-readable part of a synthetic picture: where its blocks lie and what their bits mean.
///
/// The lowest sixth of the picture holds 3 rows of 32 black or white blocks, most significant bit first: the counter; the
/// low 32 bits of the frame's time in microseconds; 16 more bits of the time, and a CRC-16 over the ten bytes before.
struct PatternCode: Equatable {
  var counter: UInt32
  /// Microseconds since the epoch, 48 bits.
  var microseconds: UInt64

  static let columns = 32
  static let rows = 3
  static let dark: UInt8 = 40
  static let bright: UInt8 = 210

  init(counter: UInt32, microseconds: UInt64) {
    self.counter = counter
    self.microseconds = microseconds & 0xffff_ffff_ffff
  }

  /// Nil when the checksum does not fit.
  init?(words: (UInt32, UInt32, UInt32)) {
    self.init(counter: words.0, microseconds: UInt64(words.2 >> 16) << 32 | UInt64(words.1))
    if words.2 & 0xffff != UInt32(checksum) { return nil }
  }

  /// The three rows.
  var words: (UInt32, UInt32, UInt32) {
    (
      counter, UInt32(truncatingIfNeeded: microseconds),
      UInt32(truncatingIfNeeded: microseconds >> 32) << 16 | UInt32(checksum)
    )
  }

  /// The block of one bit.
  static func block(row: Int, column: Int, width: Int, height: Int) -> Area {
    let x = column * width / columns
    let y = height * (15 + row) / 18
    return Area(
      x: x, y: y, width: (column + 1) * width / columns - x, height: height * (16 + row) / 18 - y)
  }

  /// The patch that is white at each whole second.
  static func flash(width: Int, height: Int) -> Area {
    Area(x: width * 258 / 320, y: height * 12 / 180, width: width * 50 / 320, height: height * 50 / 180)
  }

  /// CRC-16/CCITT-FALSE.
  private var checksum: UInt16 {
    var crc: UInt16 = 0xffff
    func add(_ byte: UInt8) {
      crc ^= UInt16(byte) << 8
      for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
    }
    for byte in 0..<4 { add(UInt8(truncatingIfNeeded: counter >> (24 - 8 * UInt32(byte)))) }
    for byte in 0..<6 { add(UInt8(truncatingIfNeeded: microseconds >> (40 - 8 * UInt64(byte)))) }
    return crc
  }
}
