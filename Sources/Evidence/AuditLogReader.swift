/// Reads the audit log off a card: the device log, and the journals of the recordings at hand, as one timeline. Writes nothing
/// and takes no lock; a recorder may go on writing.
///
/// Memory: the checked device log (see `DeviceLog`), the names of the recordings, and what is told of one recording.
public struct AuditLogReader {
  /// What is wanted of it.
  public struct Selection: Hashable, Sendable {
    /// Entries whose wall time is this or later: ms since 1970 UTC.
    public var since: Int64?
    /// So many of the newest.
    public var last: Int?
    /// Those of one recording.
    public var recording: TimelineEntry.Recording?

    public init(since: Int64? = nil, last: Int? = nil, recording: TimelineEntry.Recording? = nil) {
      self.since = since
      self.last = last
      self.recording = recording
    }

    func contains(_ other: TimelineEntry.Recording?) -> Bool {
      guard let recording else { return true }
      guard let other, other.counter == recording.counter else { return false }
      return recording.id == nil || other.id == nil || recording.id == other.id
    }

    func contains(_ entry: TimelineEntry) -> Bool {
      contains(entry.recording) && (since.map { entry.clock?.wall ?? .max >= $0 } ?? true)
    }
  }

  /// What was wrong on the way, the device log's own findings apart.
  public struct Report: Hashable, Sendable {
    /// With journals.
    public fileprivate(set) var findings: [Finding] = []
    /// Recordings that could not be read.
    public fileprivate(set) var unreadable: [ReadFailure] = []
  }

  /// A recording's directory.
  public struct RecordingDirectory: Hashable, Sendable {
    public let name: String
    public let counter: Int64
    public let id: EvidenceID
  }

  /// What is wrong with log and journals. A line of a newer version is no fault.
  public func faults(_ report: Report) -> [Finding] {
    (log.findings + report.findings).filter { $0.exitCode != 0 && $0.answer != .integrity(.unsupported) }
  }

  public let log: DeviceLog
  public var selection: Selection
  /// A recorder may be writing: the newest recording may be going on.
  public var isLive: Bool
  /// Of these recordings nothing but the opening is wanted: the rest was told before.
  public var finished: Set<EvidenceID> = []

  public init(log: DeviceLog, selection: Selection = Selection(), isLive: Bool) {
    self.log = log
    self.selection = selection
    self.isLive = isLive
  }

  /// - Parameters:
  ///   - logFiles: the directory that `log` was read from.
  ///   - opensFootage: whether `story` wants times of media.
  ///   - story: tells a recording; here what was opened of its footage comes in.
  ///   - emit: gets the entries in order, and says whether it wants more.
  /// - Throws: when the log or the list of recordings cannot be read. A recording that cannot be is told as such.
  public func read(
    _ logFiles: borrowing some EvidenceFiles, card: some EvidenceCard, opensFootage: Bool = false,
    story: (JournalDigest, RecordingDirectory) -> RecordingStory = { digest, _ in RecordingStory(digest) },
    emit: (TimelineEntry) -> Bool
  ) throws(ReadFailure) -> Report {
    var report = Report()
    let places = try Places(log: log, card: card)
    let passed = try endedBefore(logFiles).union(finished)
    var told: Set<EvidenceID> = []
    func tell(_ directory: RecordingDirectory) -> RecordingStory? {
      let recording = TimelineEntry.Recording(counter: directory.counter, id: directory.id)
      guard selection.contains(recording), told.insert(directory.id).inserted else { return nil }
      do throws(ReadFailure) {
        let files = try card.recording(directory.name)
        let isWhole = !passed.contains(directory.id)
        let digest = try JournalDigest(
          files, counter: directory.counter, id: directory.id, log: log, keepsAnchors: opensFootage, isWhole: isWhole)
        guard isWhole else { return RecordingStory(openingOf: digest) }
        report.findings += digest.findings
        return story(digest, directory)
      } catch {
        report.unreadable.append(error)
        return RecordingStory(notAtHand: "\(error)", counter: directory.counter, id: directory.id)
      }
    }

    var newest: [TimelineEntry] = []
    var isWanted = true
    func take(_ entry: TimelineEntry) {
      guard isWanted, selection.contains(entry) else { return }
      guard let last = selection.last else {
        isWanted = emit(entry)
        return
      }
      newest.append(entry)
      if newest.count >= 2 * max(1, last) { newest.removeFirst(newest.count - last) }
    }

    var timeline = Timeline()
    try log.forEachLine(of: logFiles, fromStart: firstStart) { line in
      guard isWanted else { return }
      var opened: RecordingStory?
      if case .entry(.opened(let id, let counter, _, _)) = line.content, !places.elsewhere.contains(id) {
        if let directory = places.byID[id] {
          opened = tell(directory)
        } else if log.deletions[id] == nil {
          opened = RecordingStory(notAtHand: "not here", counter: counter, id: id)
        }
      }
      timeline.add(line, story: opened) { take($0) }
      for directory in places.behindLine[line.n] ?? [] {
        if let story = tell(directory) { timeline.add(story) { take($0) } }
      }
    }
    timeline.finish(mayRun: isLive) { take($0) }
    for directory in places.unknown where isWanted {
      if let story = tell(directory) { timeline.add(story) { take($0) } }
    }
    timeline.finish(mayRun: false) { take($0) }
    if let last = selection.last {
      for entry in newest.suffix(last) where isWanted { isWanted = emit(entry) }
    }
    return report
  }

  /// The start of the recorder from which on everything that is wanted is read. A recording never outlives its start, so that
  /// nothing before can have an entry behind it.
  private var firstStart: Int {
    // A recording may be told of anywhere: in receipts' deletions, and by starts that found it.
    guard selection.recording == nil else { return 0 }
    var first = 0
    if let since = selection.since {
      // One more: what its last recording tells may be later than its last line.
      first = max(0, (log.starts.firstIndex { $0.latestWall >= since } ?? log.starts.count) - 1)
    }
    if let last = selection.last {
      // Each line is told by an entry at least.
      var lines = 0
      var index = log.starts.count
      while index > first, lines < last {
        index -= 1
        lines += log.starts[index].lines.count
      }
      first = max(first, index)
    }
    return first
  }

  /// Recordings of which nothing but the opening is needed, for they were over before what is wanted.
  private func endedBefore(_ logFiles: borrowing some EvidenceFiles) throws(ReadFailure) -> Set<EvidenceID> {
    guard selection.since != nil || selection.last != nil else { return [] }
    var ends: [EvidenceID: (line: Int, wall: Int64)] = [:]
    var open: EvidenceID?
    var line = 0
    try log.forEachLine(of: logFiles, fromStart: firstStart) { logged in
      line += 1
      var ended: EvidenceID?
      switch logged.content {
      case .start:
        ended = open
        open = nil
      case .entry(.opened(let id, _, _, false)):
        ended = open
        open = id
      case .entry(.closed(let id, _, _, false)):
        ended = id
        if open == id { open = nil }
      case .entry, .unknown: break
      }
      if let ended { ends[ended] = (line, logged.clock?.wall ?? .max) }
    }
    return Set(
      ends.filter { _, end in
        // Each line behind its end is told by an entry at least.
        selection.last.map { line - end.line >= $0 } ?? false || selection.since.map { end.wall < $0 } ?? false
      }.keys)
  }

  /// Where the recordings at hand are told.
  private struct Places {
    var byID: [EvidenceID: RecordingDirectory] = [:]
    /// Behind the line of the device log that their OPEN names: those whose OPENED a later start wrote, or nobody.
    var behindLine: [Int64: [RecordingDirectory]] = [:]
    var elsewhere: Set<EvidenceID> = []
    /// No line at hand has anything to do with them.
    var unknown: [RecordingDirectory] = []

    init(log: DeviceLog, card: some EvidenceCard) throws(ReadFailure) {
      for name in try card.recordingNames().sorted() {
        guard let (counter, id) = EvidenceName.parseRecording(name), log.voids[id] == nil else { continue }
        let directory = RecordingDirectory(name: name, counter: counter, id: id)
        byID[id] = directory
        let opening = log.openings[counter]?.first { $0.id == id }
        if let opening, !opening.isLate { continue }
        if let line = Self.line(directory, card), log.hash(of: line) != nil {
          behindLine[line, default: []].append(directory)
          elsewhere.insert(id)
        } else if opening == nil {
          unknown.append(directory)
        }
      }
    }

    /// What cannot be read now is told as such in its turn.
    private static func line(_ directory: RecordingDirectory, _ card: some EvidenceCard) -> Int64? {
      do throws(ReadFailure) {
        return try JournalDigest.deviceLogLine(namedIn: card.recording(directory.name))
      } catch {
        return nil
      }
    }
  }
}
