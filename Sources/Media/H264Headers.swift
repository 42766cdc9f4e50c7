/// What a recorder must know of a sequence parameter set (ITU-T H.264, 7.3.2.1.1).
public struct H264SequenceHeader: Hashable, Sendable {
  public let profile: UInt8
  /// Pixels that are shown, cropping taken off.
  public let width: Int
  public let height: Int
  /// 4:2:0 of 8 bits, as all that plays in browsers is.
  public let isUsual: Bool
  /// Pictures may be coded as two fields.
  public let isInterlaced: Bool
  /// 0: slices carry the order of output; 1: it follows a cycle; 2: it is the order of decoding.
  public let orderType: UInt32
  let frameNumberBits: Int
  let orderBits: Int
  let hasSeparatePlanes: Bool

  /// Nil for what is no sequence parameter set, or ends too early.
  public init?(_ set: [UInt8]) {
    let bytes = set.span.bytes
    guard set.count >= 4, set[0] & 0x1F == AnnexB.UnitType.sequenceParameters else { return nil }
    var reader = BitReader(unit: 0..<set.count, in: bytes)
    profile = UInt8(truncatingIfNeeded: reader.bits(8, bytes))
    _ = reader.bits(16, bytes)
    _ = reader.unsigned(bytes)
    var chroma: UInt32 = 1
    var (isEightBits, separate) = (true, false)
    if [100, 110, 122, 244, 44, 83, 86, 118, 128].contains(profile) {
      chroma = reader.unsigned(bytes)
      if chroma == 3 { separate = reader.flag(bytes) }
      isEightBits = reader.unsigned(bytes) == 0
      isEightBits = reader.unsigned(bytes) == 0 && isEightBits
      _ = reader.flag(bytes)
      if reader.flag(bytes) {
        for list in 0..<(chroma == 3 ? 12 : 8) where reader.flag(bytes) {
          Self.skipScalingList(count: list < 6 ? 16 : 64, &reader, bytes)
        }
      }
    }
    hasSeparatePlanes = separate
    isUsual = chroma == 1 && isEightBits
    // Both are coded less 4, and are at most 12 then; a damaged set may say anything.
    let frameNumberCode = reader.unsigned(bytes)
    orderType = reader.unsigned(bytes)
    var orderCode: UInt32 = 0
    switch orderType {
    case 0: orderCode = reader.unsigned(bytes)
    case 1:
      _ = reader.flag(bytes)
      _ = reader.signed(bytes)
      _ = reader.signed(bytes)
      for _ in 0..<min(255, reader.unsigned(bytes)) { _ = reader.signed(bytes) }
    case 2: break
    default: return nil
    }
    guard frameNumberCode <= 12, orderCode <= 12 else { return nil }
    frameNumberBits = Int(frameNumberCode) + 4
    orderBits = orderType == 0 ? Int(orderCode) + 4 : 0
    _ = reader.unsigned(bytes)
    _ = reader.flag(bytes)
    let columns = Int(reader.unsigned(bytes)) + 1
    let rows = Int(reader.unsigned(bytes)) + 1
    isInterlaced = !reader.flag(bytes)
    if isInterlaced { _ = reader.flag(bytes) }
    _ = reader.flag(bytes)
    var crop = (left: 0, right: 0, top: 0, bottom: 0)
    if reader.flag(bytes) {
      crop.left = Int(reader.unsigned(bytes))
      crop.right = Int(reader.unsigned(bytes))
      crop.top = Int(reader.unsigned(bytes))
      crop.bottom = Int(reader.unsigned(bytes))
    }
    // In units of a chroma sample, and of a frame's two fields.
    let unitX = chroma == 1 || chroma == 2 ? 2 : 1
    let unitY = (chroma == 1 ? 2 : 1) * (isInterlaced ? 2 : 1)
    guard !reader.isExhausted, columns <= 1_024, rows <= 1_024 else { return nil }
    width = columns * 16 - (crop.left + crop.right) * unitX
    height = rows * 16 * (isInterlaced ? 2 : 1) - (crop.top + crop.bottom) * unitY
    guard width > 0, height > 0 else { return nil }
  }

  private static func skipScalingList(count: Int, _ reader: inout BitReader, _ bytes: RawSpan) {
    var (last, next): (Int32, Int32) = (8, 8)
    for _ in 0..<count {
      if next != 0 { next = (last + reader.signed(bytes) % 256 + 256) % 256 }
      if next != 0 { last = next }
    }
  }
}

/// The beginning of a slice, up to where its picture stands in the order of output (ITU-T H.264, 7.3.3).
struct H264SliceHeader: Hashable, Sendable {
  /// 0 in the first slice of a picture.
  let firstMacroblock: UInt32
  /// Where the picture is shown, modulo 2 to the power of `orderBits`; nil where the slice does not carry it.
  let order: UInt32?
  /// Predicted from two directions.
  let isBidirectional: Bool

  /// Nil for a slice that ends in its header.
  init?(unit: Range<Int>, in bytes: RawSpan, sequence: H264SequenceHeader) {
    var reader = BitReader(unit: unit, in: bytes)
    firstMacroblock = reader.unsigned(bytes)
    isBidirectional = reader.unsigned(bytes) % 5 == 1
    _ = reader.unsigned(bytes)
    if sequence.hasSeparatePlanes { _ = reader.bits(2, bytes) }
    _ = reader.bits(sequence.frameNumberBits, bytes)
    if sequence.isInterlaced, reader.flag(bytes) { _ = reader.flag(bytes) }
    if AnnexB.type(of: unit, in: bytes) == AnnexB.UnitType.idrSlice { _ = reader.unsigned(bytes) }
    order = sequence.orderType == 0 ? reader.bits(sequence.orderBits, bytes) : nil
    guard !reader.isExhausted else { return nil }
  }
}
