import Media

/// How a command ended (Bluetooth Core, Vol 1, Part F, 1.3).
public struct HCIStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let success = HCIStatus(rawValue: 0x00)
  public static let unknownCommand = HCIStatus(rawValue: 0x01)
  public static let hardwareFailure = HCIStatus(rawValue: 0x03)
  public static let commandDisallowed = HCIStatus(rawValue: 0x0C)
  public static let unsupported = HCIStatus(rawValue: 0x11)
  public static let invalidParameters = HCIStatus(rawValue: 0x12)
  public static let unspecified = HCIStatus(rawValue: 0x1F)

  private static let names: [HCIStatus: String] = [
    .success: "Success", .unknownCommand: "Unknown HCI Command", .hardwareFailure: "Hardware Failure",
    .commandDisallowed: "Command Disallowed", .unsupported: "Unsupported Feature or Parameter Value",
    .invalidParameters: "Invalid HCI Command Parameters", .unspecified: "Unspecified Error",
  ]

  /// The specification's name with its number.
  public var description: String {
    let number = "0x\(Hexadecimal.encode([rawValue]))"
    return Self.names[self].map { "\($0) (\(number))" } ?? "error \(number)"
  }
}

/// What a controller tells (Vol 4, Part E, 7.7). Parsing never traps; of a list of reports it gives those that are whole.
public enum HCIEvent: Hashable, Sendable {
  /// - credits: how many commands may be sent now.
  /// - returned: the return parameters, which begin with the status for every command that is used here.
  case complete(HCIOpcode, returned: [UInt8], credits: Int)
  /// A command that was refused, or that ends later.
  case status(HCIOpcode, HCIStatus, credits: Int)
  case advertising([AdvertisingReport])
  /// The code is the manufacturer's own.
  case hardwareError(UInt8)
  /// Something that does not matter here.
  case other(code: UInt8)

  /// Nil: no event packet, or one that is shorter or longer than it says.
  /// - Parameter packet: as a socket gives it: packet type 4, event code, number of bytes, bytes.
  public init?(packet: Span<UInt8>) {
    guard packet.count >= 3, packet[0] == 0x04, packet.count == 3 + Int(packet[2]) else { return nil }
    let code = packet[1]
    let bytes = packet.extracting(3...)
    switch code {
    case 0x0E:
      guard let credits = bytes.byte(0), let opcode = bytes.integer16(1), let rest = bytes.bytes(3..<bytes.count)
      else { return nil }
      self = .complete(HCIOpcode(rawValue: opcode), returned: rest, credits: Int(credits))
    case 0x0F:
      guard let status = bytes.byte(0), let credits = bytes.byte(1), let opcode = bytes.integer16(2) else { return nil }
      self = .status(HCIOpcode(rawValue: opcode), HCIStatus(rawValue: status), credits: Int(credits))
    case 0x10:
      guard let code = bytes.byte(0) else { return nil }
      self = .hardwareError(code)
    case 0x3E:
      guard let subevent = bytes.byte(0) else { return nil }
      switch subevent {
      case 0x02: self = .advertising(AdvertisingReport.legacy(bytes.extracting(1...)))
      case 0x0D: self = .advertising(AdvertisingReport.extended(bytes.extracting(1...)))
      default: self = .other(code: code)
      }
    default: self = .other(code: code)
    }
  }
}

/// What a controller can do, from what it returned.
enum ControllerAbility {
  /// Read Local Supported Commands: octet 37, bits 5 and 6, as the kernel decides it, too. Nil: refused, or cut off.
  static func scanKind(_ returned: [UInt8]) -> ScanKind? {
    guard returned.count >= 65, returned[0] == 0 else { return nil }
    return returned[1 + 37] & 0x60 == 0x60 ? .extended : .legacy
  }

  /// Read Local Supported Features: LE (byte 4, bit 6), and no "BR/EDR Not Supported" (byte 4, bit 5; Vol 2, Part C, 3.3).
  static func radios(_ returned: [UInt8]) -> (hasLE: Bool, hasClassic: Bool)? {
    guard returned.count >= 9, returned[0] == 0 else { return nil }
    return (returned[1 + 4] & 0x40 != 0, returned[1 + 4] & 0x20 == 0)
  }
}
