import CLinux
import Glibc
import LinuxIO
import Media
import Testing

@testable import Radio

/// No kernel without a controller has an adapter, so the socket is tried with a pair of local ones that keep packets apart
/// in the same way; what the kernel itself does is tried in the device lab.
@Suite("HCI sockets")
struct HCISocketTests {
  /// What the tests read and write on in the controller's place, and the socket.
  private static func ends() throws -> (controller: CInt, ours: CInt) {
    var pair: [CInt] = [-1, -1]
    let kind = CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
    return (pair[0], pair[1])
  }

  private func error(_ body: () throws(HCIError) -> Void) -> HCIError? {
    do throws(HCIError) { try body() } catch { return error }
    return nil
  }

  @Test("Commands go out and events come in, one packet each; nothing is there when nothing was sent")
  func packets() throws {
    let ends = try Self.ends()
    let controller = FileDescriptor(owning: ends.controller)
    var ours = HCISocket(owning: FileDescriptor(owning: ends.ours), adapter: "hci0", mode: .exclusive)
    #expect(try ours.next() == nil)
    try ours.send(.reset)
    try ours.send(.readLocalVersion)
    var buffer = [UInt8](repeating: 0, count: 300)
    for command in [HCICommand.reset, .readLocalVersion] {
      let count = try buffer.withUnsafeMutableBytes { try controller.read(into: $0) }
      #expect(Array(buffer[..<count]) == command.packet)
    }
    try controller.write(HCIEventTests.packet(0x0E, [1, 3, 0x0C, 0]).span.bytes)
    try controller.write(HCIEventTests.packet(0x10, [9]).span.bytes)
    #expect(try ours.next() == .complete(.reset, returned: [0], credits: 1))
    #expect(try ours.next() == .hardwareError(9))
    #expect(try ours.next() == nil)
  }

  @Test("What is no event is passed over and counted")
  func malformed() throws {
    let ends = try Self.ends()
    let controller = FileDescriptor(owning: ends.controller)
    var ours = HCISocket(owning: FileDescriptor(owning: ends.ours), adapter: "hci0", mode: .exclusive)
    for packet: [UInt8] in [[2, 0, 0, 4, 0, 1, 2, 3, 4], [4, 0x0E, 9, 1], [4], [UInt8](repeating: 4, count: 2_000)] {
      try controller.write(packet.span.bytes)
    }
    try controller.write(HCIEventTests.packet(0x10, [9]).span.bytes)
    #expect(try ours.next() == .hardwareError(9))
    #expect(ours.malformed == 4)
  }

  @Test("An adapter that goes away is lost, for reading and for sending")
  func lost() throws {
    let ends = try Self.ends()
    try FileDescriptor(owning: ends.controller).close()
    var ours = HCISocket(owning: FileDescriptor(owning: ends.ours), adapter: "hci0", mode: .exclusive)
    let read = error { () throws(HCIError) in _ = try ours.next() }
    #expect(read?.kind == .lost)
    let sent = error { () throws(HCIError) in try ours.send(.reset) }
    #expect(sent?.kind == .lost)
    #expect(sent?.operation == "Reset")
  }

  @Test("An adapter that is not there is named; a kernel without Bluetooth says so")
  func missing() throws {
    for mode in HCIMode.allCases {
      let found = try #require(error { () throws(HCIError) in _ = try HCISocket(adapter: "hci-none", mode: mode) })
      #expect([.noAdapter, .noBluetooth].contains(found.kind))
      #expect(!found.hint.isEmpty)
    }
    let raw = clinux_hci_socket()
    if raw >= 0 { close(raw) }
    // One of the two is so on every machine.
    if raw < 0 {
      #expect(error { () throws(HCIError) in _ = try HCIAdapter.all() }?.kind == .noBluetooth)
    } else {
      #expect(error { () throws(HCIError) in _ = try HCIAdapter.all() } == nil)
    }
    let adapter = HCIAdapter(index: 3, name: "hci3", address: Air.address, isUp: true)
    #expect(
      HCIAdapter.missing("hci9", among: [adapter]).description == "there is no Bluetooth adapter hci9. There are: hci3."
    )
    #expect(HCIAdapter.missing(nil, among: []).hint.hasPrefix("None is there"))
  }

  @Test("What the kernel refuses tells whether to try again, and what to do")
  func errors() {
    func make(_ code: CInt, _ mode: HCIMode) -> HCIError {
      HCIError(adapter: "hci0", operation: "open", errno: code, mode: mode)
    }
    let table: [(CInt, HCIMode, HCIError.Kind, String)] = [
      (EPERM, .exclusive, .permission, "CAP_NET_ADMIN"), (EPERM, .shared, .permission, "CAP_NET_RAW"),
      (EBUSY, .exclusive, .busy, "bluetoothctl power off"), (EBUSY, .exclusive, .busy, "mode to shared"),
      (EUSERS, .exclusive, .busy, "stop that program"), (ENODEV, .exclusive, .noAdapter, "bluetoothctl list"),
      (ENETDOWN, .shared, .down, "bluetoothctl power on"), (ERFKILL, .exclusive, .down, "rfkill unblock"),
      (EPIPE, .shared, .lost, "comes back"), (EBADFD, .exclusive, .lost, "comes back"),
      (EAFNOSUPPORT, .exclusive, .noBluetooth, "RestrictAddressFamilies"), (EIO, .exclusive, .failed, "dmesg"),
    ]
    for (code, mode, kind, word) in table {
      let found = make(code, mode)
      #expect(found.kind == kind, "errno \(code)")
      #expect(found.description.contains(word), "errno \(code)")
      #expect(found.description.contains("errno \(code)"))
    }
  }

  @Test("What the kernel says of an adapter is understood")
  func information() {
    #expect(MemoryLayout<clinux_hci_info>.size == 92)
    #expect(MemoryLayout<clinux_hci_info>.offset(of: \.address) == 10)
    #expect(MemoryLayout<clinux_hci_info>.offset(of: \.flags) == 16)
    var info = clinux_hci_info()
    info.index = 2
    withUnsafeMutableBytes(of: &info.name) { $0.copyBytes(from: "hci2".utf8) }
    withUnsafeMutableBytes(of: &info.address) { $0.copyBytes(from: HCIEventTests.address) }
    info.flags = 0b101
    let adapter = HCIAdapter(info)
    #expect(adapter.name == "hci2" && adapter.index == 2 && adapter.isUp)
    #expect(adapter.address == BluetoothAddress(value: 0x1234_5678_9ABC, isRandom: false))
    info.flags = 0b100
    #expect(!HCIAdapter(info).isUp)
  }
}
