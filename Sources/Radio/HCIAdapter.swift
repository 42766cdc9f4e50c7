import CLinux
import Glibc
import LinuxIO

/// A Bluetooth adapter that the kernel knows.
public struct HCIAdapter: Hashable, Sendable {
  /// The number in its name.
  public var index: UInt16
  /// `hci0`.
  public var name: String
  public var address: BluetoothAddress
  /// Switched on, for example by bluetoothd: then it can be shared, not had exclusively.
  public var isUp: Bool

  /// All of them by their numbers; none is no error. Needs no capability.
  public static func all() throws(HCIError) -> [HCIAdapter] {
    let socket = try unbound()
    var indices = [UInt16](repeating: 0, count: 64)
    let count = clinux_hci_list(socket.rawValue, &indices, CInt(indices.count))
    guard count >= 0 else {
      throw HCIError(adapter: "Bluetooth", operation: "HCIGETDEVLIST", errno: errno, mode: nil)
    }
    return indices.prefix(Int(count)).sorted().compactMap { index in
      var info = clinux_hci_info()
      info.index = index
      // One that went away in between.
      guard clinux_hci_read_info(socket.rawValue, &info) >= 0 else { return nil }
      return HCIAdapter(info)
    }
  }

  /// True for `hci0`, and for its address, which stays its own when numbers change.
  public func isNamed(_ name: String) -> Bool {
    self.name == name || hasAddress && address.description == name.uppercased()
  }

  /// False until a controller was switched on once: before, the kernel shows zeros.
  public var hasAddress: Bool { address.value != 0 }

  /// The adapter of this name or address, or the first one.
  public static func find(_ name: String?) throws(HCIError) -> HCIAdapter {
    let all = try all()
    if let found = name == nil ? all.first : all.first(where: { $0.isNamed(name ?? "") }) { return found }
    throw missing(name, among: all)
  }

  /// Switches it off, so that it can be had exclusively; bluetoothd lets go of it when it is opened then. CAP_NET_ADMIN.
  public func switchOff() throws(HCIError) {
    let socket = try Self.unbound()
    if clinux_hci_down(socket.rawValue, index) >= 0 { return }
    let code = errno
    throw HCIError(adapter: name, operation: "HCIDEVDOWN", errno: code, mode: .exclusive)
  }

  public init(index: UInt16, name: String, address: BluetoothAddress, isUp: Bool) {
    self.index = index
    self.name = name
    self.address = address
    self.isUp = isUp
  }

  init(_ info: clinux_hci_info) {
    let bytes = withUnsafeBytes(of: info.address) { Array($0) }
    self.init(
      index: info.index,
      name: withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) },
      address: BluetoothAddress(value: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }, isRandom: false),
      isUp: info.flags & CLINUX_HCI_FLAG_UP != 0)
  }

  static func missing(_ name: String?, among all: [HCIAdapter]) -> HCIError {
    let names = all.map(\.name).joined(separator: ", ")
    let there = all.isEmpty ? "None is there: check its cable and `dmesg`." : "There are: \(names)."
    return HCIError(.noAdapter, adapter: name ?? "", operation: "find the adapter", hint: there)
  }

  static func unbound() throws(HCIError) -> FileDescriptor {
    let raw = clinux_hci_socket()
    guard raw >= 0 else { throw HCIError(adapter: "Bluetooth", operation: "socket", errno: errno, mode: nil) }
    return FileDescriptor(owning: raw, path: "a Bluetooth socket")
  }
}
