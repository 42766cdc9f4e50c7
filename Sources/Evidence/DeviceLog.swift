import Crypto

/// A camera's device log, read and checked: chain, signatures, and what it says of recordings.
///
/// Memory grows with the number of lines (about 100 bytes each).
public struct DeviceLog: Sendable {
  /// One OPENED line.
  public struct Opening: Hashable, Sendable {
    public let id: EvidenceID
    public let openHash: Hash32
    /// The device-log line.
    public let n: Int64
  }

  /// n of the first line at hand; 0 when the log reaches back to the device's first start.
  public private(set) var firstNumber: Int64 = 0
  /// The last valid line.
  public private(set) var head: ChainHead?
  /// OPENED lines by recording counter; more than one for a counter is an equivocation.
  public private(set) var openings: [Int64: [Opening]] = [:]
  /// The journal line that CLOSED names, by recording.
  public private(set) var closings: [EvidenceID: ChainHead] = [:]
  /// Counters that never became a recording.
  public private(set) var voided: Set<Int64> = []
  /// What is wrong with the log itself.
  public private(set) var findings: [Finding] = []

  private var hashes: [Hash32] = []
  private let device: DeviceIdentity
  private var tail = SHA256()
  private var tailCount: Int64 = 0
  private var isBroken = false

  /// Reads every `<10 digits>.log` of the directory in order.
  /// - Throws: only when a file cannot be read; what is wrong with the log is in `findings`.
  public init(files: borrowing some EvidenceFiles, device: DeviceIdentity) throws(ReadFailure) {
    self.device = device
    let names = try files.names().filter { Self.startCounter($0) != nil }.sorted()
    for name in names where !isBroken { try read(name, files) }
    if tailCount > 0, let last = names.last {
      findings.append(
        Finding(
          .completeness(.tornDeviceLog), file: Self.path(last), line: head.map { $0.n + 1 },
          "\(tailCount) bytes follow the last valid line"))
    }
  }

  /// Whether the log has line `head.n`, and with which hash.
  func hash(of n: Int64) -> Hash32? {
    let index = n - firstNumber
    return hashes.indices.contains(Int(index)) ? hashes[Int(index)] : nil
  }

  static func startCounter(_ name: String) -> Int64? {
    guard name.hasSuffix(".log") else { return nil }
    let digits = name.dropLast(4)
    return digits.utf8.count == 10 ? EvidenceName.number(digits) : nil
  }

  private static func path(_ name: String) -> String { "device/log/\(name)" }

  // MARK: Reading

  private mutating func read(_ name: String, _ files: borrowing some EvidenceFiles) throws(ReadFailure) {
    var reader = LineReader(name)
    var isFirst = true
    while let raw = try reader.next(from: files) {
      guard let line = valid(raw.bytes), line.deviceSignature == nil else {
        try takeTail(name, from: raw.offset, files)
        return
      }
      do throws(EvidenceError) {
        if isFirst { try start(line, name) } else { try follow(line) }
      } catch {
        fail(name, line.n, raw, error.description)
        return
      }
      isFirst = false
      head = ChainHead(n: line.n, hash: line.hash)
      hashes.append(line.hash)
    }
  }

  private mutating func fail(_ name: String, _ n: Int64?, _ raw: LineReader.Line, _ detail: String) {
    let range = raw.offset..<(raw.offset + Int64(raw.bytes.count))
    findings.append(
      Finding(.integrity(.altered), file: Self.path(name), range: range, line: n, "the device log: \(detail)"))
    isBroken = true
  }

  /// A well-formed line that the device key signed.
  private func valid(_ bytes: [UInt8]) -> JournalLine? {
    guard let line = try? JournalLine(parsing: bytes) else { return nil }
    let message = JournalChain.Domain.deviceLog.message(id: device.id, line.signedBytes)
    return device.publicKey.verifies(line.signature, over: message) ? line : nil
  }

  /// Bytes after the last valid line; a signed line among them is no torn write.
  private mutating func takeTail(
    _ name: String, from offset: Int64, _ files: borrowing some EvidenceFiles
  ) throws(ReadFailure) {
    var reader = LineReader(name, from: offset)
    while let raw = try reader.next(from: files) {
      tail.update(data: raw.bytes)
      tailCount += Int64(raw.bytes.count)
      if let line = valid(raw.bytes) {
        return fail(name, line.n, raw, "a signed line follows bytes that are no valid line")
      }
    }
  }

  private mutating func start(_ line: JournalLine, _ name: String) throws(EvidenceError) {
    func broken(_ rule: String) -> EvidenceError { EvidenceError(.grammar, rule) }
    guard line.type == DeviceLogType.start.rawValue else { throw broken("a log begins with START") }
    let keys = Keys(line)
    guard try keys.identifier(Key.device) == device.id, try keys.number(Key.startCounter) == Self.startCounter(name)
    else { throw broken("START names another device or start than the file") }
    if line.n == 0 {
      guard head == nil, line.previous == JournalChain.genesis(device.id), line.encoded(Key.lastNumber) == nil else {
        throw broken("line 0 is not a first line")
      }
    } else {
      let last = ChainHead(n: try keys.number(Key.lastNumber), hash: try keys.hash(Key.lastHash))
      let tailLength = try keys.number(Key.tail)
      let tailDigest = try keys.hash(Key.tailHash)
      guard last.n == line.n - 1, last.hash == line.previous else {
        throw broken("START does not follow what it names")
      }
      if let head {
        guard last == head else {
          throw broken("START follows line \(last.n), but the log before it ends with line \(head.n) or differs there")
        }
        guard tailLength == tailCount, tailDigest == Hash32(tail.finalize()) else {
          throw broken("the bytes before START are not those that it attests")
        }
      }
    }
    if head == nil { firstNumber = line.n }
    tail = SHA256()
    tailCount = 0
  }

  private mutating func follow(_ line: JournalLine) throws(EvidenceError) {
    func broken(_ rule: String) -> EvidenceError { EvidenceError(.grammar, rule) }
    guard let head, line.n - 1 == head.n, line.previous == head.hash else {
      throw broken("line \(line.n) does not follow the one before it")
    }
    let keys = Keys(line)
    switch DeviceLogType(rawValue: line.type) {
    case .opened:
      let opening = Opening(id: try keys.identifier(Key.id), openHash: try keys.hash(Key.hash), n: line.n)
      openings[try keys.number(Key.recordingCounter), default: []].append(opening)
    case .closed:
      closings[try keys.identifier(Key.id)] = ChainHead(
        n: try keys.number(Key.line), hash: try keys.hash(Key.lineHash))
    case .void: voided.insert(try keys.number(Key.recordingCounter))
    case .start: throw broken("START in the middle of a log")
    case .recover, .recoverFile, .lost, .dock, .anchor, .delete, .check, .audit, nil:
      if line.type.hasPrefix("X") { return }
      findings.append(
        Finding(
          .integrity(.unsupported), file: "device/log", line: line.n,
          "a device-log line of type \(line.type), which this version does not understand"))
    }
  }
}
