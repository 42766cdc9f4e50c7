public import Media

/// What a recording's journal says in clear, for the audit log: OPEN, events with their times, checkpoints summed up, CLOSE; and
/// what the device log shows to be wrong with it. No byte of the footage is looked at.
///
/// Read once, see `ValidLines`. Memory: up to `eventLimit` events of some 100 bytes, and 32 bytes a checkpoint if asked.
public struct JournalDigest: Sendable {
  /// Events kept; of those beyond only the number.
  public static let eventLimit = 10_000
  /// Gaps of a kind that follow each other within this much footage are told together: µs.
  static let gapDistance: Int64 = 10_000_000
  /// What a recorder shows as recording lags by no more: ms.
  static let caughtUpLag: Int64 = 1_500

  /// A line that says something by itself.
  public struct Event: Hashable, Sendable {
    /// The journal line.
    public let n: Int64
    /// When it was written; where the line does not say, of the line before.
    public let clock: ClockReading
    public fileprivate(set) var what: What
  }

  public enum What: Hashable, Sendable {
    case event(JournalEvent)
    case gaps(GapRun)
    case abandoned(segment: Int64, AbandonReason)
    /// Of a newer version, or of one of its own.
    case unknown(UnknownLine)
  }

  /// How the durable end of the footage went.
  public struct Checkpoints: Hashable, Sendable {
    public internal(set) var count: Int64 = 0
    /// ms; of those from the first on that had caught up with what was in memory when the recording began, if one had.
    public internal(set) var worstLag: Int64 = 0
    /// µs of media, and what was lost until then, as the last one says.
    public internal(set) var mediaTime: Int64 = 0
    public internal(set) var framesLost: Int64 = 0
    public internal(set) var samplesLost: Int64 = 0
  }

  public struct Closing: Hashable, Sendable {
    public let n: Int64
    public let clock: ClockReading
    public let reason: CloseReason
    /// µs of media.
    public let duration: Int64
  }

  /// A pair of media time and clocks.
  private struct Anchor {
    var mediaTime: Int64
    var clock: ClockReading
    var lag: Int64
  }

  public let counter: Int64
  public let id: EvidenceID
  /// Whether there is a journal at all.
  public private(set) var isPresent = false
  /// What OPEN says; nil when it is not valid, of another camera, or of another recording than the directory's name says.
  public private(set) var facts: OpenFacts?
  public private(set) var events: [Event] = []
  /// Events that were not kept.
  public private(set) var eventsOmitted: Int64 = 0
  public private(set) var checkpoints = Checkpoints()
  public private(set) var closing: Closing?
  /// Bytes after the last valid line.
  public private(set) var tailByteCount: Int64 = 0
  /// The clocks of the last line that has them.
  public private(set) var lastClock: ClockReading?
  /// Number of the last valid line.
  public private(set) var lastLine: Int64?
  /// What is wrong with the journal.
  public private(set) var findings: [Finding] = []

  private var anchors: [Anchor] = []

  /// - Parameters:
  ///   - files: the recording's directory.
  ///   - log: the device log that knows of it; whose key signs, and which lines it has seen.
  ///   - keepsAnchors: for `clock(atMedia:)`.
  ///   - isWhole: false: OPEN alone is read.
  public init(
    _ files: borrowing some EvidenceFiles, counter: Int64, id: EvidenceID, log: DeviceLog, keepsAnchors: Bool = false,
    isWhole: Bool = true
  ) throws(ReadFailure) {
    self.counter = counter
    self.id = id
    guard try files.names().contains(EvidenceName.journal) else {
      if log.voids[id] == nil { add(.integrity(.unsigned), "there is no journal") }
      return
    }
    isPresent = true
    guard isWhole else {
      let first = try Self.firstLine(files)
      let empty = Gathered(keepsAnchors: false, wanted: [], device: log.device)
      let (_, gathered) = try ValidLines.read(files, limit: Int64(first.count), gathering: empty) { $0.take($1, $2) }
      if let opening = gathered.opening, isOwn(opening, gathered) { facts = opening.facts }
      return
    }
    let size = try files.size(of: EvidenceName.journal)
    let witnesses = log.witnesses(of: id)
    let empty = Gathered(keepsAnchors: keepsAnchors, wanted: Set(witnesses.map(\.head.n)), device: log.device)
    let (lines, gathered) = try ValidLines.read(files, limit: size, gathering: empty) { $0.take($1, $2) }
    tailByteCount = max(0, size - lines.end)
    check(gathered, lines, witnesses, log)
    if tailByteCount > 0, try Self.hasSignedLine(files, from: lines.end, lines.prefix) {
      findings.append(
        Finding(
          .integrity(.altered), file: path, range: lines.end..<size, line: (lines.prefix.head?.n ?? -1) + 1,
          "signed lines follow bytes that are no valid line"))
    }
    // Of what somebody else's journal says nothing is told.
    guard let opening = gathered.opening, isOwn(opening, gathered) else { return }
    facts = opening.facts
    events = gathered.events
    eventsOmitted = gathered.eventsOmitted
    checkpoints = gathered.checkpoints
    closing = gathered.closing
    lastClock = gathered.lastClock
    lastLine = lines.prefix.head?.n
    anchors = gathered.anchors
  }

  /// The last line of the device log that a journal's first line names, not verified: where the recording belongs when the
  /// log does not have its OPENED in place.
  static func deviceLogLine(namedIn files: borrowing some EvidenceFiles) throws(ReadFailure) -> Int64? {
    guard try files.names().contains(EvidenceName.journal) else { return nil }
    let first = try firstLine(files)
    return (try? JournalLine(parsing: first))?.number(Key.logNumber)
  }

  /// Empty when there is none.
  private static func firstLine(_ files: borrowing some EvidenceFiles) throws(ReadFailure) -> [UInt8] {
    var reader = LineReader(EvidenceName.journal)
    return try reader.next(from: files)?.bytes ?? []
  }

  /// By the camera's clocks, at µs of media, from the checkpoint that covered it. Nil without a checkpoint.
  public func clock(atMedia time: Int64) -> ClockReading? {
    var low = 0
    var high = anchors.count
    while low < high {
      let middle = (low + high) / 2
      if anchors[middle].mediaTime < time { low = middle + 1 } else { high = middle }
    }
    guard let anchor = anchors.isEmpty ? nil : anchors[min(low, anchors.count - 1)] else { return nil }
    // Numbers of a hostile journal wrap; they must not end the process.
    let back = anchor.lag &* 1_000 &+ (anchor.mediaTime &- time)
    return ClockReading(
      wall: max(0, anchor.clock.wall &- back / 1_000), monotonic: max(0, anchor.clock.monotonic &- back &* 1_000))
  }

  // MARK: - Checks

  private var path: String { "\(EvidenceName.recording(counter: counter, id: id))/\(EvidenceName.journal)" }

  private mutating func add(_ answer: Finding.Answer, line: Int64? = nil, _ detail: String) {
    findings.append(Finding(answer, file: path, line: line, detail))
  }

  private func isOwn(_ opening: JournalRecord.Open, _ gathered: Gathered) -> Bool {
    gathered.isOpenedByDevice && opening.device == gathered.device.id && opening.id == id
      && opening.facts.recordingCounter == counter
  }

  private mutating func check(
    _ gathered: Gathered, _ lines: ValidLines, _ witnesses: [DeviceLog.Witness], _ log: DeviceLog
  ) {
    guard let opening = gathered.opening, let openHash = gathered.openHash else {
      if log.voids[id] == nil { add(.integrity(.unsigned), line: 0, "the OPEN line is not valid") }
      return
    }
    guard isOwn(opening, gathered) else {
      return opening.device == log.device.id && opening.id == id && opening.facts.recordingCounter == counter
        ? add(.integrity(.unsigned), line: 0, "the device key did not sign OPEN")
        : add(.integrity(.unknownDevice), line: 0, "OPEN is of device \(opening.device), recording \(opening.id)")
    }
    if let own = log.openings[counter], !own.contains(where: { $0.id == id && $0.openHash == openHash }) {
      add(
        .completeness(.equivocation), line: 0, "the device log has another recording under counter \(counter)")
    }
    guard let head = lines.prefix.head else { return }
    var verdict = Verdict()
    DeviceLog.check(witnesses, head: head, hashes: gathered.witnessed, saidBy: "the device log", into: &verdict)
    for var finding in verdict.findings {
      finding.file = path
      findings.append(finding)
    }
  }

  /// Whether a line that the recording's key signed stands behind the valid ones: no torn write leaves that.
  private static func hasSignedLine(
    _ files: borrowing some EvidenceFiles, from offset: Int64, _ prefix: JournalPrefix
  ) throws(ReadFailure) -> Bool {
    var prefix = prefix
    var reader = LineReader(EvidenceName.journal, from: offset)
    var count = 0
    // The first thousand tell; a journal is not verified here.
    while count < 1_000, let raw = try reader.next(from: files) {
      count += 1
      if prefix.signed(raw.bytes) != nil { return true }
    }
    return false
  }

  // MARK: - Reading

  private struct Gathered {
    let keepsAnchors: Bool
    let wanted: Set<Int64>
    let device: DeviceIdentity
    var opening: JournalRecord.Open?
    var openHash: Hash32?
    var isOpenedByDevice = false
    var events: [Event] = []
    var eventsOmitted: Int64 = 0
    var checkpoints = Checkpoints()
    var hasCaughtUp = false
    var closing: Closing?
    var lastClock: ClockReading?
    var anchors: [Anchor] = []
    var witnessed: [Int64: Hash32] = [:]
    /// Where the last gaps of a kind stand in `events`.
    var lastGaps: [GapKind: Int] = [:]

    struct GapKind: Hashable {
      var track: TrackID
      var cause: JournalEvent.GapCause
    }

    init(keepsAnchors: Bool, wanted: Set<Int64>, device: DeviceIdentity) {
      self.keepsAnchors = keepsAnchors
      self.wanted = wanted
      self.device = device
    }

    mutating func take(_ line: JournalLine, _ prefix: JournalPrefix) {
      if wanted.contains(line.n) { witnessed[line.n] = line.hash }
      if let clock = line.clock { lastClock = clock }
      switch try? JournalRecord(line) {
      case .open(let open):
        opening = open
        openHash = line.hash
        isOpenedByDevice = prefix.isSigned(line, by: device)
      case .checkpoint(let record): take(record.facts)
      case .event(.gap(let track, let from, let to, let cause), _):
        takeGap(GapRun(track: track, cause: cause, from: from, to: to), line.n)
      case .event(let event, _): add(.event(event), line.n)
      case .abandon(let segment, _, let reason): add(.abandoned(segment: segment, reason), line.n)
      case .close(_, let duration, let reason, _):
        if let clock = lastClock { closing = Closing(n: line.n, clock: clock, reason: reason, duration: duration) }
      case .segment, .endSegment: break
      case .experiment, nil: add(.unknown(UnknownLine(line)), line.n)
      }
    }

    private mutating func take(_ facts: CheckpointFacts) {
      checkpoints.count += 1
      if !hasCaughtUp, facts.lag <= JournalDigest.caughtUpLag {
        hasCaughtUp = true
        checkpoints.worstLag = 0
      }
      checkpoints.worstLag = max(checkpoints.worstLag, facts.lag)
      checkpoints.mediaTime = facts.mediaTime
      checkpoints.framesLost = facts.framesLost
      checkpoints.samplesLost = facts.samplesLost
      if keepsAnchors {
        anchors.append(Anchor(mediaTime: facts.mediaTime, clock: facts.clock, lag: facts.lag))
      }
    }

    private mutating func takeGap(_ gap: GapRun, _ n: Int64) {
      let kind = GapKind(track: gap.track, cause: gap.cause)
      if let index = lastGaps[kind], case .gaps(var run) = events[index].what, run.reaches(gap) {
        run.add(gap)
        events[index].what = .gaps(run)
        return
      }
      if add(.gaps(gap), n) { lastGaps[kind] = events.count - 1 }
    }

    /// Whether there was room.
    @discardableResult
    private mutating func add(_ what: What, _ n: Int64) -> Bool {
      guard events.count < JournalDigest.eventLimit else {
        eventsOmitted += 1
        return false
      }
      events.append(Event(n: n, clock: lastClock ?? ClockReading(wall: 0, monotonic: 0), what: what))
      return true
    }
  }
}

/// Gaps of one track and one cause, close to each other. A single one is a run, too.
public struct GapRun: Hashable, Sendable {
  public let track: TrackID
  public let cause: JournalEvent.GapCause
  /// µs of media: the start of the first, the end of the last.
  public let from: Int64
  public private(set) var to: Int64
  public private(set) var count: Int64 = 1
  /// µs that are missing.
  public private(set) var missing: Int64

  /// - Parameters: 0 ≤ from ≤ to.
  public init(track: TrackID, cause: JournalEvent.GapCause, from: Int64, to: Int64) {
    self.track = track
    self.cause = cause
    self.from = from
    self.to = to
    missing = max(0, to &- from)
  }

  func reaches(_ gap: GapRun) -> Bool { gap.from >= from && gap.from &- to <= JournalDigest.gapDistance }

  mutating func add(_ gap: GapRun) {
    to = max(to, gap.to)
    count += gap.count
    // Sums stop at the largest number: the journal may be a hostile one.
    missing = missing > Int64.max - gap.missing ? Int64.max : missing + gap.missing
  }
}

/// A valid line that this version does not know, as it stands.
public struct UnknownLine: Hashable, Sendable {
  public let type: String
  /// Its `key=value` words, without number, clocks, hash and signature: ASCII without control characters.
  public let words: [String]

  init(_ line: JournalLine) {
    type = line.type
    words = line.fields.filter { $0.key != Key.wall && $0.key != Key.monotonic }.map { "\($0.key)=\($0.encoded)" }
  }
}

extension JournalLine {
  /// `w` and `mono`; nil where one of them is missing.
  var clock: ClockReading? {
    guard let wall = number(Key.wall), let monotonic = number(Key.monotonic) else { return nil }
    return ClockReading(wall: wall, monotonic: monotonic)
  }
}
