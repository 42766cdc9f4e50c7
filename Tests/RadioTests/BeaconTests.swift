import Glibc
import LinuxIO
import Media
import Synchronization
import Testing

@testable import Radio

/// A controller of nothing behind a pair of sockets, on a thread of its own.
private final class ControllerThread: Sendable {
  let sent = Mutex<[HCICommand]>([])
  private let isEnding = Mutex(false)
  private let thread = Mutex<NamedThread?>(nil)
  let ours: CInt

  init(refusing refused: HCIOpcode? = nil) throws {
    var pair: [CInt] = [-1, -1]
    let kind = CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
    ours = pair[0]
    let raw = pair[1]
    let made = try NamedThread("controller") { [self] in serve(FileDescriptor(owning: raw), refused) }
    thread.withLock { $0 = made }
  }

  private func serve(_ end: consuming FileDescriptor, _ refused: HCIOpcode?) {
    var buffer = [UInt8](repeating: 0, count: 300)
    while !isEnding.withLock({ $0 }) {
      let count = buffer.withUnsafeMutableBytes { read(end.rawValue, $0.baseAddress, $0.count) }
      guard count >= 4 else {
        MonotonicTime.sleep(until: .now() + .milliseconds(1))
        continue
      }
      let opcode = HCIOpcode(rawValue: UInt16(buffer[1]) | UInt16(buffer[2]) << 8)
      sent.withLock { $0.append(HCICommand(opcode, Array(buffer[4..<count]))) }
      let status: UInt8 = opcode == refused ? 0x0C : 0
      // Something that is not for us comes before each answer.
      try? end.write(HCIEventTests.packet(0x3E, [0x7F]).span.bytes)
      try? end.write(HCIEventTests.packet(0x0E, [1, buffer[1], buffer[2], status]).span.bytes)
    }
  }

  /// What was sent, after the controller has ended.
  func end() -> [HCICommand] {
    isEnding.withLock { $0 = true }
    thread.withLock { $0?.join() }
    return sent.withLock { $0 }
  }
}

@Suite("A beacon")
struct BeaconTests {
  private static let data = [UInt8](1...28)

  private func commands(_ mode: HCIMode, refusing: HCIOpcode? = nil) throws -> (sent: [HCICommand], error: HCIError?) {
    let controller = try ControllerThread(refusing: refusing)
    var beacon = Beacon(
      HCISocket(owning: FileDescriptor(owning: controller.ours), adapter: "hci0", mode: mode))
    var failure: HCIError?
    do throws(HCIError) { try beacon.send(Self.data, from: .max, for: .milliseconds(1)) } catch { failure = error }
    return (controller.end(), failure)
  }

  @Test("resets an adapter that is its own, sends the bytes from a non-resolvable address, and is silent behind it")
  func exclusive() throws {
    let (sent, error) = try commands(.exclusive)
    #expect(error == nil)
    #expect(
      sent == [
        .reset, .randomAddress(.max), .advertisingParameters(interval: .milliseconds(50)), .advertisingData(Self.data),
        .advertisingEnable(true), .advertisingEnable(false),
      ])
    let address = try #require(sent.first { $0.opcode == .leSetRandomAddress })
    #expect(address.parameters.last.map { $0 & 0xC0 } == 0)
  }

  @Test("resets nothing that others use, and is not stopped by advertising that was not on")
  func shared() throws {
    let (sent, error) = try commands(.shared)
    #expect(error == nil)
    #expect(sent.first == .advertisingEnable(false) && !sent.contains(.reset))
    #expect(sent.last == .advertisingEnable(false))
  }

  @Test("says which command a controller refuses")
  func refused() throws {
    let (sent, error) = try commands(.exclusive, refusing: .leSetAdvertisingParameters)
    #expect(error?.kind == .failed)
    #expect(error?.description.contains("LE Set Advertising Parameters") == true)
    #expect(!sent.contains(.advertisingEnable(true)))
  }

  @Test("ends early when it is told to")
  func early() throws {
    let controller = try ControllerThread()
    var beacon = Beacon(
      HCISocket(owning: FileDescriptor(owning: controller.ours), adapter: "hci0", mode: .exclusive))
    try beacon.send(Self.data, from: 1, for: .seconds(3_600)) { true }
    #expect(controller.end().last == .advertisingEnable(false))
  }
}
