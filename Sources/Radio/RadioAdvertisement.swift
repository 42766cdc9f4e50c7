/// What one emitter says: our own advertisement, opened. <doc:Advertisement> has it byte by byte.
public struct RadioAdvertisement: Hashable, Sendable {
  /// The company id that is set aside for tests (Bluetooth Assigned Numbers, "Company Identifiers"). Whoever has an id of
  /// their own uses that; emitters and cameras must agree.
  public static let testCompany: UInt16 = 0xFFFF
  /// Bytes of the AD structure with its length: 3 are left of the 31 of a legacy advertisement, for Flags where they must be.
  public static let byteCount = 28

  /// Whose key it is under.
  public var group: UInt16
  /// Who sent it; unique in its group.
  public var emitter: UInt16
  public var event: RadioEvent
  /// Rises with each event of the emitter, is never used twice and does not wrap.
  public var counter: UInt32
  /// When the event happened by the emitter's clock: minutes since 1970 UTC modulo 65,536.
  public var minute: UInt16

  public init(group: UInt16, emitter: UInt16, event: RadioEvent, counter: UInt32, minute: UInt16) {
    self.group = group
    self.emitter = emitter
    self.event = event
    self.counter = counter
    self.minute = minute
  }

  /// The minute of a time in ms since 1970 UTC, modulo 65,536.
  public static func minute(ofWall milliseconds: Int64) -> UInt16 {
    // Floored, so that a clock before 1970 has a minute, too.
    let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 60_000)
    let minutes = rest < 0 ? whole - 1 : whole
    return UInt16(truncatingIfNeeded: minutes)
  }

  /// The whole AD structure, `byteCount` bytes, to be sent as it is. The same values give the same bytes.
  public func encoded(key: RadioKey, company: UInt16 = testCompany) -> [UInt8] {
    let front = company.littleEndianBytes + [SealedAdvertisement.marker]
    let open = front + group.littleEndianBytes
    let fields =
      [event.rawValue] + emitter.littleEndianBytes + counter.littleEndianBytes + minute.littleEndianBytes
    let tag = SealedAdvertisement.tag(key, open: open, fields: fields)
    let masked = SealedAdvertisement.masked(fields, key, open: open, tag: tag)
    let header = [UInt8(Self.byteCount - 1), AdvertisingData.manufacturerType]
    return header + front + masked + tag + group.littleEndianBytes
  }
}

/// Our own advertisement as it was received: nothing of it is believed before it was opened with the group's key.
public struct SealedAdvertisement: Hashable, Sendable {
  /// The upper half is the magic, the lower the version.
  static let marker: UInt8 = 0xA1
  static let frontCount = 3
  static let fieldCount = 9
  static let tagCount = 12

  /// Company id, marker, group: readable by everyone.
  private let open: [UInt8]
  private let masked: [UInt8]
  /// Names this advertisement: two with the same tag are the same.
  let tag: [UInt8]

  public let group: UInt16

  /// What the data of a report hold of ours.
  public enum Finding: Hashable, Sendable {
    /// Nothing: somebody else's.
    case foreign
    /// Company id and magic are ours; the length or the version is not, or the end is missing.
    case malformed
    case sealed(SealedAdvertisement)
  }

  /// Looks for our AD structure, among any others and in any order. The first one decides.
  public static func find(in data: Span<UInt8>, company: UInt16 = RadioAdvertisement.testCompany) -> Finding {
    for structure in AdvertisingData.structures(of: data) where structure.type == AdvertisingData.manufacturerType {
      let start = structure.content.lowerBound
      guard start + 2 < structure.content.upperBound, data.integer16(start) == company,
        data[start + 2] & 0xF0 == marker & 0xF0
      else { continue }
      guard data[start + 2] == marker, !structure.isCut, let content = data.bytes(structure.content),
        let sealed = SealedAdvertisement(content)
      else { return .malformed }
      return .sealed(sealed)
    }
    return .foreign
  }

  private init?(_ content: [UInt8]) {
    guard content.count == RadioAdvertisement.byteCount - 2 else { return nil }
    let tagStart = Self.frontCount + Self.fieldCount
    // The group is behind everything: so few bytes in a row are the same in two events.
    let groupStart = tagStart + Self.tagCount
    open = Array(content[..<Self.frontCount] + content[groupStart...])
    masked = Array(content[Self.frontCount..<tagStart])
    tag = Array(content[tagStart..<groupStart])
    group = UInt16(content[groupStart]) | UInt16(content[groupStart + 1]) << 8
  }

  /// What it says; nil unless it was made with this key and nothing was changed. Takes the same time for every tag that is
  /// wrong. Cost: two HMACs, some µs.
  public func opened(with key: RadioKey) -> RadioAdvertisement? {
    let fields = Self.masked(masked, key, open: open, tag: tag)
    let right = Self.tag(key, open: open, fields: fields)
    var difference: UInt8 = 0
    for (a, b) in zip(right, tag) { difference |= a ^ b }
    guard difference == 0 else { return nil }
    return RadioAdvertisement(
      group: group,
      emitter: UInt16(fields[1]) | UInt16(fields[2]) << 8,
      event: RadioEvent(rawValue: fields[0]),
      counter: (0..<4).reduce(0) { $0 | UInt32(fields[3 + $1]) << (8 * UInt32($1)) },
      minute: UInt16(fields[7]) | UInt16(fields[8]) << 8)
  }

  /// The MAC over everything that is said, cut to what fits.
  static func tag(_ key: RadioKey, open: [UInt8], fields: [UInt8]) -> [UInt8] {
    Array(key.code("LAPEL radio1 tag\n", open + fields).prefix(tagCount))
  }

  /// Hides the fields, or shows them again: the tag, which looks random and is another one for each event, is the nonce of
  /// what they are XORed with, made by the same key (the construction of RFC 5297, with HMAC in both places).
  static func masked(_ fields: [UInt8], _ key: RadioKey, open: [UInt8], tag: [UInt8]) -> [UInt8] {
    zip(fields, key.code("LAPEL radio1 mask\n", open + tag)).map { $0 ^ $1 }
  }
}
