import CLinux
import Glibc
import LinuxIO

/// An open adapter: commands to its controller, events from it. Non-blocking; one thread.
///
/// The kernel drops events that nobody fetches in time: take them until `next` gives nil, and bound that by a count.
public struct HCISocket: ~Copyable {
  /// As long as a packet can be on an HCI socket (HCI_MAX_FRAME_SIZE of the kernel, with the type before it).
  private static let packetLimit = 1_029

  private let descriptor: FileDescriptor
  private var buffer: [UInt8]
  public let mode: HCIMode
  /// `hci0`.
  public let adapter: String
  /// Packets that were no event, or not as long as they say. They are passed over.
  public private(set) var malformed = 0

  /// Opens the adapter of this name, or the first one. In `exclusive` mode this switches it on, which takes as long as
  /// its driver needs: some ms, seconds for one that loads firmware first.
  ///
  /// - Throws: an error whose kind says whether to try again.
  public init(adapter name: String?, mode: HCIMode) throws(HCIError) {
    let found = try HCIAdapter.find(name)
    let descriptor = try HCIAdapter.unbound()
    if mode == .shared {
      // Before it is bound, so that nothing else comes in between. Command Complete and Status, Hardware Error, LE Meta.
      let events = UInt64(1) << 0x0E | 1 << 0x0F | 1 << 0x10 | 1 << 0x3E
      if clinux_hci_filter(descriptor.rawValue, events) != 0 {
        throw HCIError(adapter: found.name, operation: "HCI_FILTER", errno: errno, mode: mode)
      }
      // A raw channel can be bound to one that is off; it would be as good as deaf.
      guard found.isUp else { throw HCIError(adapter: found.name, operation: "open", errno: ENETDOWN, mode: mode) }
    }
    let channel = mode == .exclusive ? CLINUX_HCI_CHANNEL_USER : CLINUX_HCI_CHANNEL_RAW
    while clinux_hci_bind(descriptor.rawValue, found.index, channel) != 0 {
      let code = errno
      if code != EINTR { throw HCIError(adapter: found.name, operation: "open", errno: code, mode: mode) }
    }
    self.init(owning: descriptor, adapter: found.name, mode: mode)
  }

  init(owning descriptor: consuming FileDescriptor, adapter: String, mode: HCIMode) {
    self.descriptor = descriptor
    self.adapter = adapter
    self.mode = mode
    buffer = [UInt8](repeating: 0, count: Self.packetLimit)
  }

  /// Readable while there is something to take: for a `Poller`.
  public var rawValue: CInt { descriptor.rawValue }

  /// The next event; nil when there is nothing more now. `.lost` when the adapter is gone: stop watching `rawValue`, drop
  /// this value and open a new one when the adapter is back.
  public mutating func next() throws(HCIError) -> HCIEvent? {
    let raw = descriptor.rawValue
    while true {
      let count = buffer.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN { return nil }
        throw HCIError(adapter: adapter, operation: "read", errno: code, mode: mode)
      }
      if count == 0 { throw HCIError(adapter: adapter, operation: "read", errno: EPIPE, mode: mode) }
      if let event = HCIEvent(packet: buffer.span.extracting(..<count)) { return event }
      malformed += 1
    }
  }

  /// Hands a command to the kernel, which sends it when it can.
  public func send(_ command: HCICommand) throws(HCIError) {
    let packet = command.packet
    while true {
      let count = packet.withUnsafeBytes { clinux_send(descriptor.rawValue, $0.baseAddress, $0.count) }
      if count >= 0 { return }
      let code = errno
      if code != EINTR {
        throw HCIError(adapter: adapter, operation: "\(command.opcode)", errno: code, mode: mode)
      }
    }
  }
}
