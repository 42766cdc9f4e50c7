/// What a sequence parameter set says of the pictures (ITU-T H.264, 7.3.2.1.1). Pure.
struct SequenceParameterSet: Hashable, Sendable {
  var profile: Int
  /// Ten times the level.
  var level: Int
  /// Pixels as they are shown: the cropping is taken off.
  var width: Int
  var height: Int
  var isProgressive: Bool

  /// Nil for what is no sequence parameter set of 4:2:0 with 8 bits, or broken.
  init?(_ unit: [UInt8]) {
    guard let first = unit.first, first & 0x1F == 7 else { return nil }
    var bits = BitReader(Self.withoutEmulationPrevention(unit.dropFirst()))
    guard let profile = bits.bits(8), bits.bits(8) != nil, let level = bits.bits(8), bits.unsigned() != nil else {
      return nil
    }
    if Self.profilesWithFormat.contains(profile) {
      // chroma_format_idc, bit depths, lossless flag, scaling matrix.
      guard bits.unsigned() == 1, bits.unsigned() == 0, bits.unsigned() == 0, bits.bit() != nil, let scales = bits.bit()
      else { return nil }
      if scales == 1 {
        for list in 0..<8 { guard Self.skipScalingList(&bits, size: list < 6 ? 16 : 64) else { return nil } }
      }
    }
    guard bits.unsigned() != nil, let order = bits.unsigned(), Self.skipOrderCount(&bits, type: order),
      bits.unsigned() != nil, bits.bit() != nil, let columns = bits.unsigned(), let rows = bits.unsigned(),
      let frameOnly = bits.bit()
    else { return nil }
    if frameOnly == 0, bits.bit() == nil { return nil }
    guard bits.bit() != nil, let isCropped = bits.bit(), columns < 1_024, rows < 1_024 else { return nil }
    var crop = [0, 0, 0, 0]
    if isCropped == 1 {
      for edge in crop.indices {
        guard let value = bits.unsigned(), value < 8_192 else { return nil }
        crop[edge] = value
      }
    }
    // Offsets count in samples of chroma, and in pairs of rows where pictures may be fields.
    let step = frameOnly == 1 ? 2 : 4
    self.profile = profile
    self.level = level
    width = (columns + 1) * 16 - 2 * (crop[0] + crop[1])
    height = (rows + 1) * 16 * (2 - frameOnly) - step * (crop[2] + crop[3])
    isProgressive = frameOnly == 1
  }

  private static let profilesWithFormat: Set<Int> = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

  private static func skipOrderCount(_ bits: inout BitReader, type: Int) -> Bool {
    switch type {
    case 0: return bits.unsigned() != nil
    case 1:
      guard bits.bit() != nil, bits.signed() != nil, bits.signed() != nil, let count = bits.unsigned(), count < 256
      else {
        return false
      }
      return (0..<count).allSatisfy { _ in bits.signed() != nil }
    case 2: return true
    default: return false
    }
  }

  private static func skipScalingList(_ bits: inout BitReader, size: Int) -> Bool {
    guard let isPresent = bits.bit() else { return false }
    var (last, next) = (8, 8)
    for _ in 0..<(isPresent == 1 ? size : 0) {
      if next != 0 {
        guard let delta = bits.signed() else { return false }
        next = (last + delta + 256) % 256
      }
      last = next == 0 ? last : next
    }
    return true
  }

  /// Without the 3 of each 0 0 3 (7.4.1).
  private static func withoutEmulationPrevention(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var payload: [UInt8] = []
    payload.reserveCapacity(bytes.count)
    var zeros = 0
    for byte in bytes {
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      payload.append(byte)
    }
    return payload
  }
}

/// Levels by what a decoder of them must manage (ITU-T H.264, table A-1).
enum H264Level {
  /// Ten times the level, macroblocks a second, macroblocks a picture.
  private static let table = [
    (30, 40_500, 1_620), (31, 108_000, 3_600), (32, 216_000, 5_120), (40, 245_760, 8_192), (42, 522_240, 8_704),
    (50, 589_824, 22_080), (51, 983_040, 36_864), (52, 2_073_600, 36_864),
  ]

  /// Ten times the lowest level, 3 at least, that holds such pictures; the highest where none does.
  static func least(width: Int, height: Int, framesPerSecond: Double) -> Int {
    let picture = (width + 15) / 16 * ((height + 15) / 16)
    let rate = Double(picture) * framesPerSecond
    return table.first { rate <= Double($0.1) && picture <= $0.2 }?.0 ?? 52
  }
}
