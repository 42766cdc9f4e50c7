/// The recordings on a card as a start looks at them. Implemented where the I/O is.
public protocol EvidenceCard {
  associatedtype Files: EvidenceFiles
  /// The names of everything beside the recordings, in any order.
  func recordingNames() throws(ReadFailure) -> [String]
  /// A recording's directory.
  func recording(_ name: String) throws(ReadFailure) -> Files
}

/// What the camera remembers off the card of its counters and of its newest recording.
public struct CameraMemory: Hashable, Sendable {
  public enum RecordingState: String, Sendable {
    /// Nothing was ever opened, or nothing is left to be settled.
    case none
    /// The counter is given out; whether the recording came to exist is not known.
    case reserved
    case opened, closed
  }

  public var startCounter: Int64
  public var recordingCounter: Int64
  public var state: RecordingState
  /// Of the recording that has `recordingCounter`.
  public var id: EvidenceID?
  /// The newest of its lines, and of the device log's, that were known to be durable.
  public var journal: ChainHead?
  public var log: ChainHead?

  public init(
    startCounter: Int64, recordingCounter: Int64, state: RecordingState, id: EvidenceID?, journal: ChainHead?,
    log: ChainHead?
  ) {
    self.startCounter = startCounter
    self.recordingCounter = recordingCounter
    self.state = state
    self.id = id
    self.journal = journal
    self.log = log
  }

  /// The newest recording was deleted: its counter stays, and nothing of it is looked for any more.
  public mutating func forgetRecording() {
    state = .none
    id = nil
    journal = nil
  }
}

/// What a start found, for people.
public struct RecoveryReport: Hashable, Sendable {
  public struct Interrupted: Hashable, Sendable {
    public var id: EvidenceID
    public var counter: Int64
    public var segments: Int
    /// µs of media up to the last checkpoint.
    public var mediaTime: Int64
    /// It was recovered before, and is not as it was.
    public var isChanged: Bool

    public init(id: EvidenceID, counter: Int64, segments: Int, mediaTime: Int64, isChanged: Bool) {
      self.id = id
      self.counter = counter
      self.segments = segments
      self.mediaTime = mediaTime
      self.isChanged = isChanged
    }

    /// `found interrupted recording 7: 3 segments, attested to 0:02:41, recovered`
    public var words: String {
      let seconds = mediaTime / 1_000_000
      let time =
        "\(seconds / 3_600):\(EvidenceName.padded(seconds / 60 % 60, 2)):\(EvidenceName.padded(seconds % 60, 2))"
      return "found interrupted recording \(counter): \(segments) segment\(segments == 1 ? "" : "s"), "
        + (mediaTime > 0 ? "attested to \(time), " : "nothing attested, ")
        + (isChanged ? "changed since it was recovered, recovered again" : "recovered")
    }
  }

  /// Recovered now, in the order of their counters.
  public var interrupted: [Interrupted] = []
  /// What is as it should be and worth a line.
  public var notes: [String] = []
  /// What is missing, foreign or cannot be read, one line each.
  public var warnings: [String] = []

  public init() {}
}

/// What a start of the camera writes into its new device log, given what it finds on the card: CHECK, then for each recording
/// that the log does not know the end of, what became of it. Decides and writes nothing itself.
public struct StartRecovery: Sendable {
  /// In the order in which they are written, directly after START.
  public private(set) var entries: [DeviceLogEntry] = []
  public private(set) var report = RecoveryReport()
  /// Directories of recordings that a DELETE line names and that are still there, wholly or in part: what was cut off is to
  /// be finished.
  public private(set) var unfinishedDeletions: [String] = []
  /// What to remember once the entries are durable; `log` is the caller's to set.
  public private(set) var memory: CameraMemory

  private let log: DeviceLog
  private var check: StoreCheck
  /// The remembered recording is there and could not be looked at: it stays to be settled.
  private var isUnsettled = false
  /// Entries by recording counter.
  private var byCounter: [(counter: Int64, entries: [DeviceLogEntry])] = []

  /// - Parameters:
  ///   - memory: as the start before left it; its start counter is that of the START line.
  ///   - log: the device log on the card before this start.
  /// - Throws: when the list of recordings cannot be read. A recording that cannot be is a warning.
  public init(
    memory: CameraMemory, log: DeviceLog, card: borrowing some EvidenceCard,
    budget: RecordingScan.Budget = RecordingScan.Budget()
  ) throws(ReadFailure) {
    self.memory = memory
    self.log = log
    if let id = memory.id, log.deletions[id] != nil { self.memory.forgetRecording() }
    var budget = budget
    let names = try card.recordingNames()
    var directories: [(name: String, counter: Int64, id: EvidenceID)] = []
    for name in names.sorted() {
      if let (counter, id) = EvidenceName.parseRecording(name) {
        if let deletions = log.deletions[id], deletions.contains(where: { $0.counter == counter }) {
          unfinishedDeletions.append(name)
          report.notes.append(
            "recording \(counter) was deleted against a receipt; what is left of it goes now")
          continue
        }
        directories.append((name, counter, id))
      } else {
        report.warnings.append("\(Self.printable(name)) among the recordings is none; it was not looked at")
      }
    }
    let present = Set(directories.map(\.id))
    let isKnownLog = memory.log.map { log.hash(of: $0.n) == $0.hash } ?? true
    check = StoreCheck(
      log: memory.log.map { head in
        !isKnownLog ? .missingLine : log.head?.n == head.n ? .match : .behindOnly
      } ?? .none, logHead: memory.log, journal: .none, recording: nil)
    if let id = self.memory.id, let head = self.memory.journal {
      check.recording = StoreCheck.Recording(id: id, counter: memory.recordingCounter, head: head)
      check.journal = present.contains(id) ? .missingLine : .missingRecording
    }
    var postponed = 0
    // The newest first: should there be more to read than a start has time for, it is the old ones that wait.
    for (name, counter, id) in directories.reversed() {
      let anchor = check.recording?.id == id ? check.recording?.head : nil
      do throws(ReadFailure) {
        let files = try card.recording(name)
        if let known = try Self.settled(id, log, files) {
          if let anchor { check.journal = known.head.map { Self.compare(anchor, with: $0) } ?? .missingLine }
          continue
        }
        guard budget.journals > 0 else {
          postponed += 1
          isUnsettled = isUnsettled || memory.id == id
          continue
        }
        let scan = try RecordingScan(
          files, id: id, counter: counter, device: log.device, anchor: anchor, budget: &budget)
        if let anchor, scan.hasAnchor { check.journal = scan.head == anchor ? .match : .behindOnly }
        byCounter.append((counter, entries(for: scan)))
      } catch {
        isUnsettled = isUnsettled || memory.id == id
        report.warnings.append("recording \(counter) could not be read and was left as it is: \(error)")
      }
    }
    if postponed > 0 {
      report.warnings.append("\(postponed) recordings were not looked at yet: there was too much to read at one start")
    }
    explainMissing(present)
    arrange()
    raiseCounters()
    settleMemory()
    sayCheck()
  }

  // MARK: Recordings

  private static func compare(_ anchor: ChainHead, with head: ChainHead) -> StoreCheck.Result {
    head == anchor ? .match : head.n > anchor.n ? .behindOnly : .missingLine
  }

  /// Whether an earlier log says how the recording ended and it still has the sizes that this speaks of; with the last line
  /// that it names.
  private static func settled(
    _ id: EvidenceID, _ log: DeviceLog, _ files: borrowing some EvidenceFiles
  ) throws(ReadFailure) -> (head: ChainHead?, isClosed: Bool)? {
    if let closing = log.closings[id] { return (closing, true) }
    if log.voids[id] != nil { return (nil, false) }
    guard let last = log.recoveries[id]?.last, last.isComplete else { return nil }
    let names = Set(try files.names())
    let size = names.contains(EvidenceName.journal) ? try files.size(of: EvidenceName.journal) : 0
    guard size == last.journal.tail.size else { return nil }
    for (number, file) in last.files {
      let name = EvidenceName.segment(Int(number))
      guard names.contains(name), try files.size(of: name) == file.tail.size else { return nil }
    }
    return (last.journal.head, false)
  }

  /// What is to be written about one recording, and the words for it.
  private mutating func entries(for scan: RecordingScan) -> [DeviceLogEntry] {
    let (id, counter) = (scan.id, scan.counter)
    let opening = log.openings[counter]?.first { $0.id == id }
    for other in scan.others {
      report.warnings.append("\(Self.printable(other)) in recording \(counter) does not belong there; left as it is")
    }
    for missing in scan.missing { report.warnings.append("recording \(counter) has lost its segment \(missing)") }
    var entries: [DeviceLogEntry] = []
    switch scan.origin {
    case .foreign:
      report.warnings.append("recording \(counter) (\(id)) is not this camera's; left as it is")
      return []
    case .unknown where opening == nil:
      guard memory.state == .reserved, memory.id == id, memory.recordingCounter == counter else {
        report.warnings.append("recording \(counter) (\(id)) has no valid first line; left as it is")
        return []
      }
      report.notes.append("recording \(counter) was cut off before it existed; its number stays unused")
      return [.void(VoidCounter(counter: counter, id: id, remains: scan.tail))]
    case .unknown: break
    case .own(let openHash, let seen):
      if opening == nil {
        if log.openings[counter] == nil, !log.voided.contains(counter),
          log.hash(of: seen.n) == seen.hash || memory.id == id
        {
          // OPEN became durable, and OPENED did not.
          entries.append(.opened(id: id, counter: counter, openHash: openHash, isLate: true))
        } else {
          report.warnings.append("recording \(counter) (\(id)) is not in this card's device log")
        }
      }
      if scan.isClosed, let head = scan.head {
        entries.append(.closed(id: id, counter: counter, head: head, isLate: true))
        report.notes.append("recording \(counter) was closed; the device log now says so")
        return entries
      }
    }
    let isChanged = log.recoveries[id]?.contains { $0.isComplete } == true
    let empty = FoundBytes(size: 0, from: 0, end: 0, hash: Hash32.sha256(of: []))
    entries.append(
      .recover(
        RecoveredJournal(
          id: id, counter: counter, head: scan.head, tail: scan.tail ?? empty, files: Int64(scan.files.count),
          isChanged: isChanged)))
    entries += scan.files.map { .recoverFile($0) }
    report.interrupted.append(
      .init(
        id: id, counter: counter, segments: scan.segments, mediaTime: scan.mediaTime ?? 0, isChanged: isChanged))
    if memory.id == id, let head = scan.head, head.n >= memory.journal?.n ?? -1 { memory.journal = head }
    return entries
  }

  /// LOST for what was opened and is not here, VOID for the counter of which nothing is.
  private mutating func explainMissing(_ present: Set<EvidenceID>) {
    var gone: [EvidenceID: Int64] = [:]
    for (counter, openings) in log.openings {
      for opening in openings where !present.contains(opening.id) && log.deletions[opening.id] == nil {
        gone[opening.id] = counter
      }
    }
    if let id = memory.id, !present.contains(id) {
      let counter = memory.recordingCounter
      if memory.state == .opened { gone[id] = counter }
      if memory.state == .reserved, log.voids[id] == nil {
        // On another card than the one that was written last nothing says that the recording never was.
        if check.log == .missingLine {
          gone[id] = counter
        } else {
          byCounter.append((counter, [.void(VoidCounter(counter: counter, id: id, remains: nil))]))
          report.notes.append("recording \(counter) was cut off before it existed; its number stays unused")
        }
      }
    }
    for (id, counter) in gone where log.lost[id] == nil {
      byCounter.append((counter, [.lost(id: id, counter: counter)]))
      report.warnings.append("recording \(counter) (\(id)) was opened and is not on the card")
    }
  }

  private mutating func arrange() {
    report.interrupted.sort { ($0.counter, "\($0.id)") < ($1.counter, "\($1.id)") }
    byCounter.sort { $0.counter < $1.counter }
    entries = [.check(check)] + byCounter.flatMap(\.entries)
  }

  // MARK: Memory

  /// A memory that is older than the card must not give a number out twice. Only numbers that the camera signed count.
  private mutating func raiseCounters() {
    let highest = entries.compactMap(\.counter).reduce(log.lastCounter) { max($0, $1) }
    guard highest > memory.recordingCounter else { return }
    report.warnings.append(
      "the camera's own counters were older than the card: the next recording has number \(highest + 1)")
    memory.recordingCounter = highest
    memory.id = nil
    memory.journal = nil
    memory.state = .none
  }

  private mutating func settleMemory() {
    guard !isUnsettled else { return }
    switch memory.state {
    case .none, .closed: break
    case .opened: memory.state = .closed
    case .reserved:
      // What was found of it is in the log now, and there only.
      memory.state = memory.journal == nil ? .none : .closed
    }
  }

  private mutating func sayCheck() {
    if check.log == .missingLine, let head = check.logHead {
      report.warnings.append(
        "the device log on the card does not have line \(head.n), which the camera wrote: this is another card, an older "
          + "state of it, or a card that lost what it had confirmed")
    }
    switch check.journal {
    case .missingLine:
      report.warnings.append(
        "recording \(check.recording?.counter ?? 0) ends before line \(check.recording?.head.n ?? 0) of its journal, which "
          + "the card had confirmed")
    case .missingRecording where memory.state != .none && !isSaid(check.recording?.id):
      report.warnings.append("the camera's last recording, \(check.recording?.counter ?? 0), is not on this card")
    case .none, .match, .behindOnly, .missingRecording: break
    }
  }

  private func isSaid(_ id: EvidenceID?) -> Bool {
    entries.contains { if case .lost(let lost, _) = $0 { lost == id } else { false } }
  }

  /// Names on a card can hold anything; log lines and terminals must not.
  private static func printable(_ name: String) -> String {
    let text = name.unicodeScalars.prefix(80).map { (0x20...0x7E).contains($0.value) ? String($0) : "?" }.joined()
    return "\"\(text)\""
  }
}
