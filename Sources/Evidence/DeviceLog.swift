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
    /// A later start wrote it.
    public let isLate: Bool
    /// Nothing before it was left unread.
    let isUnbroken: Bool
  }

  /// One file of the log, as far as it was read: a start of the recorder and what it wrote.
  public struct Start: Hashable, Sendable {
    /// The name of its file.
    public let file: String
    public let counter: Int64
    /// The kernel's boot id, as START has it.
    public let boot: String
    /// Its lines.
    public fileprivate(set) var lines: ClosedRange<Int64>
    /// The latest wall time that one of its lines has: ms since 1970 UTC.
    public fileprivate(set) var latestWall: Int64
  }

  /// When a VOID was written.
  public struct VoidTime: Hashable, Sendable {
    /// The kernel's boot id then, as START has it.
    public let boot: String
    /// ns of CLOCK_BOOTTIME.
    public let monotonic: Int64
  }

  /// A line of the log about a trigger.
  public struct LoggedTrigger: Hashable, Sendable {
    public let fate: TriggerFate
    /// The recorder's start that wrote it.
    public let startCounter: Int64
    /// Number of the line.
    public let n: Int64
  }

  /// One RECOVER line with its RFILE lines.
  public struct Recovery: Hashable, Sendable {
    public let journal: RecoveredJournal
    /// By segment.
    public internal(set) var files: [Int64: RecoveredFile] = [:]
    /// The start that wrote it.
    public let startCounter: Int64
    /// The device-log line.
    public let n: Int64

    /// Whether the start got to its end; otherwise the next one repeats it.
    public var isComplete: Bool { files.count >= journal.files }
  }

  /// A line of a recording's journal that was seen to be there.
  struct Witness {
    let head: ChainHead
    /// Who says so, for people.
    let words: String
  }

  /// n of the first line at hand; 0 when the log reaches back to the device's first start.
  public private(set) var firstNumber: Int64 = 0
  /// The last valid line.
  public private(set) var head: ChainHead?
  /// OPENED lines by recording counter; more than one recording for a counter is an equivocation.
  public private(set) var openings: [Int64: [Opening]] = [:]
  /// The journal line that CLOSED names, by recording.
  public private(set) var closings: [EvidenceID: ChainHead] = [:]
  /// Counters that never became a recording, and, where the id is known, what is left of them.
  public private(set) var voided: Set<Int64> = []
  public private(set) var voids: [EvidenceID: VoidCounter] = [:]
  /// RECOVER lines by recording, in the order of the log.
  public private(set) var recoveries: [EvidenceID: [Recovery]] = [:]
  /// In the order of the files.
  public private(set) var starts: [Start] = []
  /// Counters of recordings that a start did not find.
  public private(set) var lost: [EvidenceID: Int64] = [:]
  /// DELETE lines by recording, without repetitions.
  public private(set) var deletions: [EvidenceID: [Deletion]] = [:]
  /// The last DOCK before each line that opened a recording, by recording counter.
  public private(set) var dockings: [Int64: Docking] = [:]
  /// The highest start counter that a valid START has.
  public private(set) var lastStart: Int64 = 0
  /// Triggers and presses that are no recording's beginning, in the order in which they were written.
  public private(set) var triggers: [LoggedTrigger] = []
  /// By counter.
  public private(set) var voidTimes: [Int64: VoidTime] = [:]
  /// Of the last START.
  private var boot = ""
  /// The highest recording counter that any line has.
  public private(set) var lastCounter: Int64 = 0
  /// What is wrong with the log itself.
  public private(set) var findings: [Finding] = []

  let device: DeviceIdentity
  private var hashes: [Int64: Hash32] = [:]
  private var witnesses: [EvidenceID: [Int64: Witness]] = [:]
  private var tail = SHA256()
  private var tailCount: Int64 = 0
  private var lastRecovered: EvidenceID?
  private var lastDocking: Docking?
  /// The line before the first one, as the first START names it.
  private(set) var before: ChainHead?
  /// The file before this one made no sense: the next START begins anew.
  private var isBroken = false
  /// Numbers of the lines behind which lines were not read; -1: before the first.
  private var holes: [Int64] = []
  /// The last line before the first hole.
  private var unbrokenEnd: Int64 = -1
  /// No line is missing, from the first to `head`: only so a revocation can trust what lies before its line.
  public var isUnbroken: Bool { head.map { $0.n <= unbrokenEnd } ?? false }
  /// The first line that explains a recording counter: OPENED, VOID or LOST.
  private(set) var explanations: [Int64: Int64] = [:]
  /// Lines below this one need no look at their own signature when it proves to be in the chain.
  private var trusted: ChainHead?
  private var isTrustProven = false

  /// A log without a line.
  public init(device: DeviceIdentity) { self.device = device }

  /// Reads every `<10 digits>.log` of the directory in order.
  /// - Parameter trusted: a line that is known from elsewhere to be this log's: the signatures of those before it are then
  ///   covered by its hash and not looked at.
  /// - Throws: only when a file cannot be read; what is wrong with the log is in `findings`.
  public init(
    files: borrowing some EvidenceFiles, device: DeviceIdentity, trusting trusted: ChainHead? = nil
  ) throws(ReadFailure) {
    self.init(device: device)
    self.trusted = trusted
    let names = try files.names().filter { Self.startCounter($0) != nil }.sorted()
    for name in names { try read(name, files) }
    if trusted != nil, !isTrustProven {
      self = try DeviceLog(files: files, device: device)
      return
    }
    if tailCount > 0, let last = names.last { reportTail(last) }
  }

  /// Another camera that a log without a line of this one names: whose card it may be. Read from each file's first line and
  /// not verified, since its key is not known here.
  /// - Throws: when a file cannot be read.
  public func otherOwner(_ files: borrowing some EvidenceFiles) throws(ReadFailure) -> EvidenceID? {
    guard head == nil else { return nil }
    for name in try files.names().filter({ Self.startCounter($0) != nil }).sorted() {
      var reader = LineReader(name)
      guard let raw = try reader.next(from: files), let line = try? JournalLine(parsing: raw.bytes),
        line.type == DeviceLogType.start.rawValue,
        let id = line.encoded(Key.device).flatMap({ EvidenceID(hex: $0) }), id != device.id
      else { continue }
      return id
    }
    return nil
  }

  private mutating func reportTail(_ name: String) {
    findings.append(
      Finding(
        .completeness(.tornDeviceLog), file: Self.path(name), line: head.flatMap { $0.n == .max ? nil : $0.n + 1 },
        "\(tailCount) bytes follow the last valid line"))
  }

  /// The hash of line `n`; nil when the log at hand does not have it.
  func hash(of n: Int64) -> Hash32? { hashes[n] }

  /// Whether nothing between two of its lines was left unread.
  func isWhole(from first: Int64, to last: Int64) -> Bool { !holes.contains { first <= $0 && $0 < last } }

  /// Whether bytes at the log's end that could not be read may have been line `n`.
  func mayHaveHeld(_ n: Int64) -> Bool {
    guard !isBroken, let head else { return true }
    return n - head.n <= tailCount / Int64(JournalLine.leastByteCount)
  }

  /// What a receipt says of the log; nil before its first line.
  public var receiptHead: Receipt.LogHead? { head.map { Receipt.LogHead(head: $0, lastCounter: lastCounter) } }

  /// Whether the log has this line, or follows it.
  func reaches(_ line: ChainHead) -> Bool { hashes[line.n] == line.hash || before == line }

  /// Whether OPENED of this recording stands at or before a line that is trusted, in one chain with it.
  func hasOpened(_ id: EvidenceID, _ openHash: Hash32, counter: Int64, upTo trusted: ChainHead) -> Bool {
    guard trusted.n <= unbrokenEnd, hashes[trusted.n] == trusted.hash else { return false }
    return openings[counter]?.contains {
      $0.id == id && $0.openHash == openHash && $0.isUnbroken && $0.n <= trusted.n
    } == true
  }

  /// Nothing at all is there: neither a line nor anything that may have been one.
  var isEmpty: Bool { head == nil && tailCount == 0 && !isBroken }

  /// The lines of a recording's journal that the log speaks of.
  func witnesses(of id: EvidenceID) -> [Witness] {
    (witnesses[id] ?? [:]).values.sorted { $0.head.n < $1.head.n }
  }

  /// What a new log goes on from: the last valid line and what lies behind it. `remembered` is the newest line that the
  /// camera knows of: when the card has lost it the chain goes on from there all the same, so that no number is ever used
  /// for two lines.
  public func predecessor(remembered: ChainHead?) -> DeviceLogWriter.Predecessor? {
    guard let last = [head, remembered].compactMap({ $0 }).max(by: { $0.n < $1.n }) else { return nil }
    let known = head.flatMap { $0.n == last.n ? $0 : nil } ?? last
    return DeviceLogWriter.Predecessor(
      head: known, tailByteCount: tailCount, tailHash: Hash32(tail.finalize()))
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
      guard let line = valid(raw.bytes, mayTrust: true), line.deviceSignature == nil else {
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
      let hash = line.hash
      head = ChainHead(n: line.n, hash: hash)
      note(line, name)
      // Of two lines for one number the first counts: what was read before anything was left unread.
      if hashes[line.n] == nil { hashes[line.n] = hash }
      if holes.isEmpty { unbrokenEnd = line.n }
      if head == trusted, !isBroken { isTrustProven = true }
    }
  }

  private mutating func note(_ line: JournalLine, _ name: String) {
    let wall = line.number(Key.wall) ?? 0
    if let index = starts.indices.last, starts[index].file == name {
      starts[index].lines = starts[index].lines.lowerBound...max(starts[index].lines.lowerBound, line.n)
      starts[index].latestWall = max(starts[index].latestWall, wall)
    } else {
      starts.append(
        Start(
          file: name, counter: Self.startCounter(name) ?? lastStart, boot: boot, lines: line.n...line.n,
          latestWall: wall))
    }
  }

  private mutating func fail(_ name: String, _ n: Int64?, _ raw: LineReader.Line, _ detail: String) {
    let range = raw.offset..<(raw.offset + Int64(raw.bytes.count))
    findings.append(
      Finding(.integrity(.altered), file: Self.path(name), range: range, line: n, "the device log: \(detail)"))
    breakChain()
  }

  /// What follows is not hashed into what came before.
  private mutating func breakChain() {
    isBroken = true
    holes.append(head?.n ?? -1)
    trusted = trusted.map { _ in ChainHead(n: -1, hash: JournalChain.genesis(device.id)) }
  }

  /// A well-formed line that the device key signed.
  func valid(_ bytes: [UInt8], mayTrust: Bool) -> JournalLine? {
    guard let line = try? JournalLine(parsing: bytes) else { return nil }
    if mayTrust, let trusted, line.n < trusted.n { return line }
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
      if let line = valid(raw.bytes, mayTrust: false) {
        return fail(name, line.n, raw, "a signed line follows bytes that are no valid line")
      }
    }
  }

  private mutating func start(_ line: JournalLine, _ name: String) throws(EvidenceError) {
    func broken(_ rule: String) -> EvidenceError { EvidenceError(.grammar, rule) }
    guard line.type == DeviceLogType.start.rawValue else { throw broken("a log begins with START") }
    let wasBroken = isBroken
    let keys = Keys(line)
    let counter = try keys.number(Key.startCounter)
    guard try keys.identifier(Key.device) == device.id, counter == Self.startCounter(name) else {
      throw broken("START names another device or start than the file")
    }
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
      if let head, !isBroken {
        guard last == head || last.n > head.n else {
          throw broken("START follows line \(last.n), but the log before it ends with line \(head.n) or differs there")
        }
        guard tailLength == tailCount, tailDigest == Hash32(tail.finalize()) else {
          throw broken("the bytes before START are not those that it attests")
        }
        if last.n > head.n {
          findings.append(
            Finding(
              .completeness(.rollback), file: Self.path(name), line: line.n,
              "the log before START ends with line \(head.n); the camera had written up to line \(last.n), on this card "
                + "or on another"))
          breakChain()
        }
      }
    }
    // Nobody attests what lies before this START.
    if wasBroken, tailCount > 0 { reportTail(name) }
    if head == nil {
      firstNumber = line.n
      before = line.n > 0 ? ChainHead(n: line.n - 1, hash: line.previous) : nil
    }
    lastStart = max(lastStart, counter)
    boot = line.encoded(Key.boot) ?? ""
    isBroken = false
    tail = SHA256()
    tailCount = 0
    lastRecovered = nil
  }

  private mutating func follow(_ line: JournalLine) throws(EvidenceError) {
    func broken(_ rule: String) -> EvidenceError { EvidenceError(.grammar, rule) }
    guard let head, line.n - 1 == head.n, line.previous == head.hash else {
      throw broken("line \(line.n) does not follow the one before it")
    }
    guard line.type != DeviceLogType.start.rawValue else { throw broken("START in the middle of a log") }
    if line.type.hasPrefix("X") { return }
    let entry: DeviceLogEntry?
    do throws(EvidenceError) { entry = try DeviceLogEntry(line) } catch { entry = nil }
    guard let entry else {
      findings.append(
        Finding(
          .integrity(.unsupported), file: "device/log", line: line.n,
          "a device-log line of type \(line.type) that this version does not understand"))
      return
    }
    if case .void(let void) = entry, let monotonic = line.number(Key.monotonic) {
      voidTimes[void.counter] = VoidTime(boot: boot, monotonic: monotonic)
    }
    try take(entry, line.n)
  }

  private mutating func take(_ entry: DeviceLogEntry, _ n: Int64) throws(EvidenceError) {
    var recovered: EvidenceID?
    lastCounter = max(lastCounter, entry.counter ?? 0)
    switch entry {
    case .opened(let id, let counter, let openHash, let isLate):
      explain(counter, n)
      // The same recording once more is the same statement: a start that did not see the first one made it.
      if openings[counter]?.contains(where: { $0.id == id && $0.openHash == openHash }) != true {
        openings[counter, default: []].append(
          Opening(id: id, openHash: openHash, n: n, isLate: isLate, isUnbroken: holes.isEmpty))
      }
      if dockings[counter] == nil { dockings[counter] = lastDocking }
    case .closed(let id, _, let head, _):
      closings[id] = head
      witness(id, head, "the device log says that the recording was closed by line \(head.n)")
    case .void(let void):
      explain(void.counter, n)
      voided.insert(void.counter)
      if let id = void.id { voids[id] = void }
    case .check(let check):
      if let recording = check.recording {
        witness(
          recording.id, recording.head,
          "the camera remembered line \(recording.head.n) of the journal (device-log line \(n))")
      }
    case .recover(let journal):
      recoveries[journal.id, default: []].append(Recovery(journal: journal, startCounter: lastStart, n: n))
      if let head = journal.head {
        witness(journal.id, head, "the camera found line \(head.n) at its start \(lastStart)")
      }
      recovered = journal.id
    case .recoverFile(let file):
      guard lastRecovered == file.id, let last = recoveries[file.id]?.indices.last else {
        throw EvidenceError(.grammar, "RFILE without RECOVER before it")
      }
      recoveries[file.id]?[last].files[file.segment] = file
      recovered = file.id
    case .lost(let id, let counter):
      explain(counter, n)
      lost[id] = counter
    case .dock(let docking): lastDocking = docking
    case .anchor(let anchor):
      if let recording = anchor.recording {
        witness(
          recording.id, recording.head,
          "the camera signed line \(recording.head.n) of the journal for a dock (device-log line \(n))")
      }
    case .delete(let deletion):
      explain(deletion.counter, n)
      if deletions[deletion.id]?.contains(deletion) != true { deletions[deletion.id, default: []].append(deletion) }
      witness(
        deletion.id, deletion.last, "the recording ended with line \(deletion.last.n) when it was deleted")
    case .audit(.trigger(let fate)): triggers.append(LoggedTrigger(fate: fate, startCounter: lastStart, n: n))
    case .audit: break
    }
    lastRecovered = recovered
  }

  private mutating func explain(_ counter: Int64, _ n: Int64) {
    if explanations[counter] == nil { explanations[counter] = n }
  }

  private mutating func witness(_ id: EvidenceID, _ head: ChainHead, _ words: String) {
    guard let other = witnesses[id]?[head.n], other.head != head else {
      witnesses[id, default: [:]][head.n] = Witness(head: head, words: words)
      return
    }
    findings.append(
      Finding(
        .completeness(.equivocation), file: "device/log",
        "the device log names two different lines \(head.n) of recording \(id)"))
  }
}
