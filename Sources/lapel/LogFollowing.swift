import Evidence
import EvidenceStore
import LinuxIO
import Media

/// Where the audit log of this camera is.
struct LogPlace {
  let storePath: String
  let identityPath: String

  func stored() throws(StoreError) -> StoredEvidence {
    try StoredEvidence(storePath: storePath, identityPath: identityPath)
  }
}

/// What was wrong with a log that was shown; told on stderr, once.
struct LogOutcome {
  /// The command's exit code so far.
  private(set) var code: Int32 = 0
  /// Somebody still reads it.
  var isRead = true
  private var told: Set<String> = []

  mutating func take(_ faults: [Finding], _ unreadable: [ReadFailure]) {
    for failure in unreadable { tell("\(failure)") }
    for finding in faults { tell("\(finding)") }
    code = max(code, faults.map(\.exitCode).max() ?? 0, unreadable.isEmpty ? 0 : 1)
  }

  mutating func tell(_ words: String) {
    if told.insert(words).inserted { standardError.writeLine("lapel: \(words)") }
  }
}

/// `lapel log --follow`: the entries that come behind those that were shown. Looks once a second whether something was written; the
/// log is read again only then, and of the recordings only what was not told.
struct LogFollowing {
  private static let interval = Nanoseconds.seconds(1)
  /// Entries that may come within an interval beside those that are lines of the device log.
  private static let others = 256

  private let place: LogPlace
  private var tail: TimelineTail
  private var outcome: LogOutcome
  private var seen: Extent?

  /// How far log and journals reach. What is written changes it.
  private struct Extent: Hashable {
    var starts: Int
    var logBytes: Int64
    var recording: String?
    var journalBytes: Int64

    init(_ stored: StoredEvidence) throws(ReadFailure) {
      let names = try stored.logFiles.names().sorted()
      starts = names.count
      logBytes = try names.last.map { name throws(ReadFailure) in try stored.logFiles.size(of: name) } ?? 0
      recording = try stored.recordings.recordingNames().max()
      journalBytes = 0
      if let recording {
        // It may have no journal yet.
        journalBytes = (try? stored.recordings.recording(recording).size(of: EvidenceName.journal)) ?? 0
      }
    }
  }

  /// - Parameter tail: knows what was shown.
  init(_ place: LogPlace, _ tail: TimelineTail, _ outcome: LogOutcome) {
    self.place = place
    self.tail = tail
    self.outcome = outcome
  }

  /// Until a signal comes or nobody reads it.
  mutating func run(
    until signals: borrowing SignalDescriptor, _ offer: (TimelineEntry) -> Bool
  ) throws -> LogOutcome {
    var poller = try Poller(capacity: 1)
    try poller.add(signals.rawValue, token: 0)
    while outcome.isRead, try poller.wait(until: .now() + Self.interval) == 0 {
      // A card that is taken out, or a log that cannot be read just now: it goes on when it is back.
      do { try look(offer) } catch { outcome.tell("\(error)") }
    }
    return outcome
  }

  private mutating func look(_ offer: (TimelineEntry) -> Bool) throws {
    let stored = try place.stored()
    // Before it is read: what is written meanwhile is looked at once more.
    let extent = try Extent(stored)
    guard extent != seen || tail.isWaiting else { return }
    let log = try stored.deviceLog()
    var entries: [TimelineEntry] = []
    let lines = min(max(0, (log.head?.n ?? 0) - tail.lastLine), 1_000_000)
    let (faults, unreadable) = try Self.newest(Int(lines) + Self.others, of: log, stored, but: tail.finished) {
      entries.append($0)
    }
    for entry in tail.take(entries) where outcome.isRead { outcome.isRead = offer(entry) }
    // A line that is being written is no fault.
    outcome.take(faults.filter { $0.answer != .completeness(.tornDeviceLog) }, unreadable)
    seen = extent
  }

  /// The newest entries; of the recordings `finished` only what the device log tells.
  static func newest(
    _ count: Int = others, of log: DeviceLog, _ stored: StoredEvidence, but finished: Set<EvidenceID> = [],
    emit: (TimelineEntry) -> Void
  ) throws -> (faults: [Finding], unreadable: [ReadFailure]) {
    var reader = AuditLogReader(log: log, selection: AuditLogReader.Selection(last: count), isLive: true)
    reader.finished = finished
    let report = try reader.read(stored.logFiles, card: stored.recordings) { entry in
      emit(entry)
      return true
    }
    return (reader.faults(report), report.unreadable)
  }
}
