public import Media

/// Names a command: group in the upper 6 bits, command in the lower 10 (Bluetooth Core, Vol 4, Part E, 5.4.1).
public struct HCIOpcode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// In answers: only the number of commands that may be sent.
  public static let none = HCIOpcode(rawValue: 0x0000)
  public static let setEventMask = HCIOpcode(rawValue: 0x0C01)
  public static let reset = HCIOpcode(rawValue: 0x0C03)
  public static let writeLEHostSupport = HCIOpcode(rawValue: 0x0C6D)
  public static let readLocalVersion = HCIOpcode(rawValue: 0x1001)
  public static let readLocalCommands = HCIOpcode(rawValue: 0x1002)
  public static let readLocalFeatures = HCIOpcode(rawValue: 0x1003)
  public static let leSetEventMask = HCIOpcode(rawValue: 0x2001)
  public static let leSetRandomAddress = HCIOpcode(rawValue: 0x2005)
  public static let leSetAdvertisingParameters = HCIOpcode(rawValue: 0x2006)
  public static let leSetAdvertisingData = HCIOpcode(rawValue: 0x2008)
  public static let leSetAdvertisingEnable = HCIOpcode(rawValue: 0x200A)
  public static let leSetScanParameters = HCIOpcode(rawValue: 0x200B)
  public static let leSetScanEnable = HCIOpcode(rawValue: 0x200C)
  public static let leSetExtendedScanParameters = HCIOpcode(rawValue: 0x2041)
  public static let leSetExtendedScanEnable = HCIOpcode(rawValue: 0x2042)

  private static let names: [HCIOpcode: String] = [
    .setEventMask: "Set Event Mask", .reset: "Reset", .writeLEHostSupport: "Write LE Host Support",
    .readLocalVersion: "Read Local Version Information", .readLocalCommands: "Read Local Supported Commands",
    .readLocalFeatures: "Read Local Supported Features", .leSetEventMask: "LE Set Event Mask",
    .leSetRandomAddress: "LE Set Random Address", .leSetAdvertisingParameters: "LE Set Advertising Parameters",
    .leSetAdvertisingData: "LE Set Advertising Data", .leSetAdvertisingEnable: "LE Set Advertising Enable",
    .leSetScanParameters: "LE Set Scan Parameters", .leSetScanEnable: "LE Set Scan Enable",
    .leSetExtendedScanParameters: "LE Set Extended Scan Parameters",
    .leSetExtendedScanEnable: "LE Set Extended Scan Enable",
  ]

  /// The specification's name, or the number.
  public var description: String {
    Self.names[self] ?? "command 0x\(Hexadecimal.encode([UInt8(rawValue >> 8), UInt8(rawValue & 0xFF)]))"
  }
}

/// A command for the controller. Scanning is passive throughout: nothing here makes the controller transmit, but the three
/// that begin with `advertising`.
public struct HCICommand: Hashable, Sendable {
  public var opcode: HCIOpcode
  /// At most 255 bytes.
  public var parameters: [UInt8]

  init(_ opcode: HCIOpcode, _ parameters: [UInt8] = []) {
    self.opcode = opcode
    self.parameters = parameters
  }

  /// As a socket takes it: the packet type, the opcode, the number of bytes and the bytes (Vol 4, Part E, 5.4.1; Part A, 2).
  public var packet: [UInt8] {
    [0x01] + opcode.rawValue.littleEndianBytes + [UInt8(truncatingIfNeeded: parameters.count)] + parameters
  }

  // MARK: Bring-up (7.3 and 7.4)

  public static let reset = HCICommand(.reset)
  /// Changes nothing: used to ask whether the controller is still there.
  public static let readLocalVersion = HCICommand(.readLocalVersion)
  public static let readLocalCommands = HCICommand(.readLocalCommands)
  public static let readLocalFeatures = HCICommand(.readLocalFeatures)
  /// Only what is needed: Hardware Error (bit 15) and LE Meta (bit 61). Answers to commands come always.
  public static let setEventMask = HCICommand(.setEventMask, ((1 << 15 | 1 << 61) as UInt64).littleEndianBytes)
  /// Tells a controller that also does BR/EDR that its host does LE.
  public static let writeLEHostSupport = HCICommand(.writeLEHostSupport, [1, 0])

  /// Only the reports of this kind of scan: LE Advertising Report (bit 1) or LE Extended Advertising Report (bit 12). A bit that
  /// an old controller does not know can make it refuse the mask.
  public static func leSetEventMask(_ kind: ScanKind) -> HCICommand {
    HCICommand(.leSetEventMask, ((kind == .extended ? 1 << 12 : 1 << 1) as UInt64).littleEndianBytes)
  }

  // MARK: Scanning (7.8.10, 7.8.11, 7.8.64, 7.8.65)

  /// Passive, the window as long as the interval: the receiver is always on. All advertisers; on LE 1M, where legacy
  /// advertisements are.
  /// - Parameter interval: how long it stays on one of the three channels; 2.5 ms to 10.24 s, in steps of 0.625 ms.
  public static func scanParameters(_ kind: ScanKind, interval: Nanoseconds) -> HCICommand {
    let steps = UInt16(clamping: min(max(interval.inMicroseconds / 625, 0x0004), 0x4000)).littleEndianBytes
    // Passive: 0. Own address public: 0; nothing is sent from it. Filter policy 0: everybody.
    switch kind {
    case .legacy: return HCICommand(.leSetScanParameters, [0] + steps + steps + [0, 0])
    case .extended: return HCICommand(.leSetExtendedScanParameters, [0, 0, 0x01] + [0] + steps + steps)
    }
  }

  /// Without a duplicate filter, which would hide the next event of the same address, and without an end.
  public static func scanEnable(_ kind: ScanKind, _ isOn: Bool) -> HCICommand {
    switch kind {
    case .legacy: HCICommand(.leSetScanEnable, [isOn ? 1 : 0, 0])
    case .extended: HCICommand(.leSetExtendedScanEnable, [isOn ? 1 : 0, 0, 0, 0, 0, 0])
    }
  }

  // MARK: Advertising, for an emitter (7.8.4, 7.8.5, 7.8.7, 7.8.9)

  /// A random address for the next advertisement: non-resolvable, the upper two bits are made 0 (Vol 6, Part B, 1.3.2.2).
  public static func randomAddress(_ random: UInt64) -> HCICommand {
    let address = random & 0x3FFF_FFFF_FFFF
    return HCICommand(.leSetRandomAddress, Array(address.littleEndianBytes.prefix(6)))
  }

  /// Non-connectable, not scannable (ADV_NONCONN_IND), from the random address, on all three channels.
  /// - Parameter interval: 20 ms to 10.24 s (100 ms or more before Bluetooth 5.0), in steps of 0.625 ms.
  public static func advertisingParameters(interval: Nanoseconds) -> HCICommand {
    let steps = UInt16(clamping: min(max(interval.inMicroseconds / 625, 0x0020), 0x4000)).littleEndianBytes
    return HCICommand(
      .leSetAdvertisingParameters, steps + steps + [0x03, 0x01, 0x00] + [UInt8](repeating: 0, count: 6) + [0x07, 0x00])
  }

  /// What is sent: at most 31 bytes, the rest of `data` is left out.
  public static func advertisingData(_ data: [UInt8]) -> HCICommand {
    let data = Array(data.prefix(31))
    return HCICommand(
      .leSetAdvertisingData, [UInt8(data.count)] + data + [UInt8](repeating: 0, count: 31 - data.count))
  }

  public static func advertisingEnable(_ isOn: Bool) -> HCICommand {
    HCICommand(.leSetAdvertisingEnable, [isOn ? 1 : 0])
  }
}

/// Which of the two families of scan commands is used. A controller refuses one after it was given the other (Vol 4, Part E,
/// 3.1.1), so it is chosen once, when the controller is set up.
public enum ScanKind: Hashable, Sendable {
  case legacy
  case extended
}
