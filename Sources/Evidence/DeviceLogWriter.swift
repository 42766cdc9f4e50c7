/// The types of device-log lines.
public enum DeviceLogType: String, CaseIterable, Sendable {
  case start = "START"
  case opened = "OPENED"
  case closed = "CLOSED"
  case void = "VOID"
  case recover = "RECOVER"
  case recoverFile = "RFILE"
  case lost = "LOST"
  case dock = "DOCK"
  case anchor = "ANCHOR"
  case delete = "DELETE"
  case check = "CHECK"
  case audit = "AUDIT"
}

/// Makes the lines of one process's device log. Numbers and hashes run on through all logs of the device, so that a line
/// number names one line for ever.
///
/// As with `JournalWriter`: one line a call, written and synced before anything else, never continued after an error.
public struct DeviceLogWriter: ~Copyable {
  /// What the log before this one ended with.
  public struct Predecessor: Hashable, Sendable {
    /// The last valid line.
    public var head: ChainHead
    /// Bytes after it, 0 after a clean end, and their SHA-256.
    public var tailByteCount: Int64
    public var tailHash: Hash32

    public init(head: ChainHead, tail: [UInt8]) {
      self.init(head: head, tailByteCount: Int64(tail.count), tailHash: Hash32.sha256(of: tail))
    }

    public init(head: ChainHead, tailByteCount: Int64, tailHash: Hash32) {
      self.head = head
      self.tailByteCount = tailByteCount
      self.tailHash = tailHash
    }
  }

  private let device: DeviceSigner
  private var chain: JournalChain
  private let predecessor: Predecessor?
  private var hasStarted = false

  /// - Parameter predecessor: nil for the device's very first log.
  public init(device: DeviceSigner, after predecessor: Predecessor?) {
    self.device = device
    self.predecessor = predecessor
    if let predecessor {
      chain = JournalChain(id: device.identity.id, after: predecessor.head)
    } else {
      chain = JournalChain(id: device.identity.id)
    }
  }

  /// The last line made or, before START, the predecessor's.
  public var head: ChainHead? { chain.head }

  /// The name of the log's file: the start counter in 10 digits.
  public static func fileName(startCounter: Int64) -> String { EvidenceName.padded(startCounter, 10) + ".log" }

  /// START, the first line of every log.
  /// - Parameter startCounter: from 1.
  public mutating func start(
    startCounter: Int64, boot: EvidenceID, clock: ClockReading, softwareVersion: String
  ) throws(EvidenceError) -> [UInt8] {
    guard !hasStarted else { throw EvidenceError(.grammar, "START stands only in the first line of a log") }
    var fields = LineFields()
    fields.add(Key.device, device.identity.id)
    fields.add(Key.startCounter, startCounter)
    fields.add(Key.boot, boot)
    if let predecessor {
      fields.add(Key.lastNumber, predecessor.head.n)
      fields.add(Key.lastHash, predecessor.head.hash)
      fields.add(Key.tail, predecessor.tailByteCount)
      fields.add(Key.tailHash, predecessor.tailHash)
    }
    Self.add(clock, to: &fields)
    fields.add(Key.version, text: softwareVersion)
    return try append(.start, fields)
  }

  /// Any line but START.
  public mutating func append(_ entry: DeviceLogEntry, clock: ClockReading) throws(EvidenceError) -> [UInt8] {
    if case .audit(let event) = entry { try event.requireValid() }
    var fields = entry.fields
    Self.add(clock, to: &fields)
    return try append(entry.type, fields)
  }

  /// OPENED, after the recording's OPEN line is durable.
  /// - Parameter openHash: the OPEN line's hash.
  public mutating func opened(
    id: EvidenceID, recordingCounter: Int64, openHash: Hash32, clock: ClockReading
  ) throws(EvidenceError) -> [UInt8] {
    try append(.opened(id: id, counter: recordingCounter, openHash: openHash, isLate: false), clock: clock)
  }

  /// CLOSED, after the recording's CLOSE line is durable.
  /// - Parameter head: the number and hash of the CLOSE line.
  public mutating func closed(
    id: EvidenceID, recordingCounter: Int64, head: ChainHead, clock: ClockReading
  ) throws(EvidenceError) -> [UInt8] {
    try append(.closed(id: id, counter: recordingCounter, head: head, isLate: false), clock: clock)
  }

  /// VOID: a counter that was reserved and never became a recording.
  public mutating func void(recordingCounter: Int64, clock: ClockReading) throws(EvidenceError) -> [UInt8] {
    try append(.void(VoidCounter(counter: recordingCounter, id: nil, remains: nil)), clock: clock)
  }

  private static func add(_ clock: ClockReading, to fields: inout LineFields) {
    fields.add(Key.wall, clock.wall)
    fields.add(Key.monotonic, clock.monotonic)
  }

  private mutating func append(_ type: DeviceLogType, _ fields: LineFields) throws(EvidenceError) -> [UInt8] {
    guard hasStarted || type == .start else { throw EvidenceError(.grammar, "a device log begins with START") }
    let device = device
    let line = try chain.line(
      type.rawValue, fields, sign: { message throws(EvidenceError) in try device.signature(over: message) },
      signDomain: .deviceLog)
    hasStarted = true
    return line
  }
}
