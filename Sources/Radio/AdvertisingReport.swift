import Media

/// A device address as advertisements carry it. It can be made up by anyone: never a proof of who sent something.
public struct BluetoothAddress: Hashable, Sendable, CustomStringConvertible {
  /// 48 bits; the first two digits of the written form are the highest byte.
  public var value: UInt64
  /// Random addresses change, public ones belong to the hardware.
  public var isRandom: Bool

  public init(value: UInt64, isRandom: Bool) {
    self.value = value & 0xFFFF_FFFF_FFFF
    self.isRandom = isRandom
  }

  /// `01:23:45:67:89:AB`.
  public var description: String {
    (0..<6).reversed().map { Hexadecimal.encode([UInt8(truncatingIfNeeded: value >> (8 * $0))]).uppercased() }
      .joined(separator: ":")
  }
}

/// One advertisement as the controller heard it.
public struct AdvertisingReport: Hashable, Sendable {
  public var address: BluetoothAddress
  /// dBm; nil when the controller does not know.
  public var rssi: Int8?
  /// The AD structures; up to 31 bytes of a legacy advertisement, 229 of an extended one in each report.
  public var data: [UInt8]

  public init(address: BluetoothAddress, rssi: Int8?, data: [UInt8]) {
    self.address = address
    self.rssi = rssi
    self.data = data
  }

  /// The parameters of LE Advertising Report behind its subevent code (Core, Vol 4, Part E, 7.7.65.2): all reports that are
  /// whole. The fields of one report stand together, then come those of the next (5.2, and the kernel's hci_event.c).
  static func legacy(_ bytes: Span<UInt8>) -> [AdvertisingReport] {
    // Event type, address type, address, length: 9 bytes; then the data and RSSI.
    reports(bytes) { offset in
      guard let length = bytes.byte(offset + 8), let rssi = bytes.byte(offset + 9 + Int(length)) else { return nil }
      let report = AdvertisingReport(bytes, address: offset + 1, rssi: rssi, data: offset + 9, count: Int(length))
      return (report, offset + 10 + Int(length))
    }
  }

  /// LE Extended Advertising Report likewise (7.7.65.13). A chain of reports is not put together: what we look for fits
  /// into a legacy advertisement, which always comes in one.
  static func extended(_ bytes: Span<UInt8>) -> [AdvertisingReport] {
    // Event type (2), address type, address (6), primary and secondary PHY, SID, TX power, RSSI, interval (2), direct
    // address type and address (7), length: 24 bytes; then the data.
    reports(bytes) { offset in
      guard let rssi = bytes.byte(offset + 13), let length = bytes.byte(offset + 23) else { return nil }
      let report = AdvertisingReport(bytes, address: offset + 2, rssi: rssi, data: offset + 24, count: Int(length))
      return (report, offset + 24 + Int(length))
    }
  }

  private static func reports(
    _ bytes: Span<UInt8>, _ next: (_ offset: Int) -> (report: AdvertisingReport?, end: Int)?
  ) -> [AdvertisingReport] {
    var found: [AdvertisingReport] = []
    var offset = 1
    // At most 25 reports in one event; the length of the event bounds the loop whatever the first byte says.
    for _ in 0..<(bytes.byte(0) ?? 0) {
      guard let (report, end) = next(offset), let report else { break }
      found.append(report)
      offset = end
    }
    return found
  }

  /// - Parameter address: the offset of the address type.
  private init?(_ bytes: Span<UInt8>, address: Int, rssi: UInt8, data: Int, count: Int) {
    guard let data = bytes.bytes(data..<(data + count)), let type = bytes.byte(address),
      let low = bytes.integer32(address + 1), let high = bytes.integer16(address + 5)
    else { return nil }
    // 0 public and 1 random; 2 and 3 are those after the controller resolved them.
    self.address = BluetoothAddress(value: UInt64(high) << 32 | UInt64(low), isRandom: type & 1 == 1)
    // 127: not available.
    self.rssi = rssi == 127 ? nil : Int8(bitPattern: rssi)
    self.data = data
  }
}
