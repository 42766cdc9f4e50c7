import LinuxIO
public import Media

/// An emitter on this machine's adapter: sends one advertisement for some time. For a program that does nothing else; it
/// blocks.
public struct Beacon: ~Copyable {
  private var socket: HCISocket
  private static let interval = Nanoseconds.milliseconds(50)
  /// Within this a command is answered; a Reset may take longer.
  private static let answerTime = Nanoseconds.seconds(5)

  /// - Throws: as `HCISocket`.
  public init(adapter: String?, mode: HCIMode) throws(HCIError) {
    socket = try HCISocket(adapter: adapter, mode: mode)
  }

  init(_ socket: consuming HCISocket) { self.socket = socket }

  /// `hci0`.
  public var adapter: String { socket.adapter }

  /// Sends `data` (at most 31 bytes) every 50 ms from a random address until the time is over or `isEnded` says so, and is
  /// silent behind it, also when it fails.
  ///
  /// - Parameter address: 46 random bits; another for each event.
  /// - Throws: when the controller refuses, does not answer, or is gone.
  public mutating func send(
    _ data: [UInt8], from address: UInt64, for time: Nanoseconds, isEnded: () -> Bool = { false }
  ) throws(HCIError) {
    switch socket.mode {
    case .exclusive: try perform(.reset)
    // Another program's advertising stands in the way of new parameters; one that was not on cannot be ended.
    case .shared: try perform(.advertisingEnable(false), acceptingRefusal: true)
    }
    try perform(.randomAddress(address))
    try perform(.advertisingParameters(interval: Self.interval))
    try perform(.advertisingData(data))
    do throws(HCIError) {
      try perform(.advertisingEnable(true))
      let end = MonotonicTime.now() + time
      while MonotonicTime.now() < end, !isEnded() {
        MonotonicTime.sleep(until: min(end, .now() + .milliseconds(100)))
        // What comes meanwhile is not for us; a controller that is gone is told here.
        var isMore = true
        while isMore { isMore = try socket.next() != nil }
      }
    } catch {
      try? perform(.advertisingEnable(false))
      throw error
    }
    try perform(.advertisingEnable(false))
  }

  private mutating func perform(_ command: HCICommand, acceptingRefusal: Bool = false) throws(HCIError) {
    try socket.send(command)
    let deadline = MonotonicTime.now() + Self.answerTime
    while MonotonicTime.now() < deadline {
      guard let event = try socket.next() else {
        MonotonicTime.sleep(until: .now() + .milliseconds(2))
        continue
      }
      let status: HCIStatus
      switch event {
      case .complete(command.opcode, let returned, _): status = returned.first.map(HCIStatus.init) ?? .unspecified
      case .status(command.opcode, let told, _) where told != .success: status = told
      default: continue
      }
      guard status == .success || acceptingRefusal else {
        throw HCIError(
          .failed, adapter: socket.adapter, operation: "\(command.opcode): \(status)",
          hint: "The controller refused \(command.opcode) (\(status)). "
            + "Stop other programs that advertise, or use exclusive mode.")
      }
      return
    }
    throw HCIError(
      .failed, adapter: socket.adapter, operation: "\(command.opcode)",
      hint: "The controller did not answer: plug it in again.")
  }
}
