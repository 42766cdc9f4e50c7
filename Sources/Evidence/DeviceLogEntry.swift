/// What a line of the device log says, START apart: without number, hash and signature. One place for those who write it and
/// those who read it.
public enum DeviceLogEntry: Hashable, Sendable {
  /// The OPEN line of a recording is durable. Late: a start found it so; the process that wrote OPEN did not get there.
  case opened(id: EvidenceID, counter: Int64, openHash: Hash32, isLate: Bool)
  /// The CLOSE line, which is `head`, is durable. Late as for `opened`.
  case closed(id: EvidenceID, counter: Int64, head: ChainHead, isLate: Bool)
  case void(VoidCounter)
  case check(StoreCheck)
  case recover(RecoveredJournal)
  case recoverFile(RecoveredFile)
  /// A recording that was opened is not on the card.
  case lost(id: EvidenceID, counter: Int64)
  case dock(Docking)
  case anchor(LogAnchor)
  case delete(Deletion)
  case audit(AuditEvent)

  public var type: DeviceLogType {
    switch self {
    case .opened: .opened
    case .closed: .closed
    case .void: .void
    case .check: .check
    case .recover: .recover
    case .recoverFile: .recoverFile
    case .lost: .lost
    case .dock: .dock
    case .anchor: .anchor
    case .delete: .delete
    case .audit: .audit
    }
  }

  /// The recording counter that it speaks of.
  var counter: Int64? {
    switch self {
    case .opened(_, let counter, _, _), .closed(_, let counter, _, _), .lost(_, let counter): counter
    case .void(let void): void.counter
    case .check(let check): check.recording?.counter
    case .recover(let journal): journal.counter
    case .anchor(let anchor): anchor.recording?.counter
    case .delete(let deletion): deletion.counter
    case .recoverFile, .dock, .audit: nil
    }
  }
}

/// Some bytes of a file as they were found: the file's size, and the hash of [from, end).
public struct FoundBytes: Hashable, Sendable {
  /// Bytes of the whole file.
  public var size: Int64
  public var from: Int64
  /// `size`, or less where it would take too long to hash all, or the card did not give it; never less than `from`.
  public var end: Int64
  public var hash: Hash32

  public init(size: Int64, from: Int64, end: Int64, hash: Hash32) {
    self.size = size
    self.from = from
    self.end = end
    self.hash = hash
  }

  /// Whether everything behind `from` is covered.
  public var isWhole: Bool { end >= size }
}

/// VOID: a counter that was reserved and whose recording never came to exist.
public struct VoidCounter: Hashable, Sendable {
  public var counter: Int64
  /// The id that was meant; nil in lines of early versions.
  public var id: EvidenceID?
  /// The whole of a journal without a valid OPEN that lies in its directory; nil: there is none.
  public var remains: FoundBytes?

  public init(counter: Int64, id: EvidenceID?, remains: FoundBytes?) {
    self.counter = counter
    self.id = id
    self.remains = remains
  }
}

/// CHECK: what the camera remembers off the card, and how the card compares with it.
public struct StoreCheck: Hashable, Sendable {
  public enum Result: String, CaseIterable, Sendable {
    /// Nothing is remembered.
    case none
    /// The card ends with the line that is remembered.
    case match
    /// The card has that line and goes on: what a cut between the card's write and the camera's own leaves.
    case behindOnly = "behind_only"
    /// The card does not have that line.
    case missingLine = "MISSING_LINE"
    /// The card does not have that recording.
    case missingRecording = "MISSING_RECORDING"
  }

  /// A journal line that was durable.
  public struct Recording: Hashable, Sendable {
    public var id: EvidenceID
    public var counter: Int64
    public var head: ChainHead

    public init(id: EvidenceID, counter: Int64, head: ChainHead) {
      self.id = id
      self.counter = counter
      self.head = head
    }
  }

  public var log: Result
  /// The device-log line that is remembered.
  public var logHead: ChainHead?
  public var journal: Result
  public var recording: Recording?

  public init(log: Result, logHead: ChainHead?, journal: Result, recording: Recording?) {
    self.log = log
    self.logHead = logHead
    self.journal = journal
    self.recording = recording
  }
}

/// RECOVER: an interrupted recording's journal as a start found it.
public struct RecoveredJournal: Hashable, Sendable {
  public var id: EvidenceID
  public var counter: Int64
  /// The last valid line; nil: there is none.
  public var head: ChainHead?
  /// The journal's size, and the bytes after the last valid line.
  public var tail: FoundBytes
  /// RFILE lines that follow.
  public var files: Int64
  /// It was recovered before, and is not as it was.
  public var isChanged: Bool

  public init(id: EvidenceID, counter: Int64, head: ChainHead?, tail: FoundBytes, files: Int64, isChanged: Bool) {
    self.id = id
    self.counter = counter
    self.head = head
    self.tail = tail
    self.files = files
    self.isChanged = isChanged
  }
}

/// RFILE: a segment of it without ENDSEG, of another size than ENDSEG says, or that the journal does not name.
public struct RecoveredFile: Hashable, Sendable {
  public var id: EvidenceID
  public var segment: Int64
  /// Of the last CKPT line; 0 before the first.
  public var chunks: Int64
  /// Bytes from the last CKPT's `len` on (H before the first; 0 in a segment without SEG).
  public var tail: FoundBytes

  public init(id: EvidenceID, segment: Int64, chunks: Int64, tail: FoundBytes) {
    self.id = id
    self.segment = segment
    self.chunks = chunks
    self.tail = tail
  }
}

// MARK: - Writing

extension DeviceLogEntry {
  var fields: LineFields {
    var fields = LineFields()
    switch self {
    case .opened(let id, let counter, let openHash, let isLate):
      fields.add(Key.id, id)
      fields.add(Key.recordingCounter, counter)
      fields.add(Key.hash, openHash)
      if isLate { fields.add(Key.late, 1) }
    case .closed(let id, let counter, let head, let isLate):
      fields.add(Key.id, id)
      fields.add(Key.recordingCounter, counter)
      fields.add(Key.line, head.n)
      fields.add(Key.lineHash, head.hash)
      if isLate { fields.add(Key.late, 1) }
    case .void(let void):
      fields.add(Key.recordingCounter, void.counter)
      if let id = void.id { fields.add(Key.id, id) }
      if let remains = void.remains {
        fields.add(Key.size, remains.size)
        fields.add(Key.hash, remains.hash)
        if !remains.isWhole { fields.add(Key.upTo, remains.end) }
      }
    case .check(let check):
      fields.add(Key.log, code: check.log.rawValue)
      if let head = check.logHead {
        fields.add(Key.logNumber, head.n)
        fields.add(Key.logHash, head.hash)
      }
      fields.add(Key.journal, code: check.journal.rawValue)
      if let recording = check.recording {
        fields.add(Key.id, recording.id)
        fields.add(Key.recordingCounter, recording.counter)
        fields.add(Key.line, recording.head.n)
        fields.add(Key.lineHash, recording.head.hash)
      }
    case .recover(let journal):
      fields.add(Key.id, journal.id)
      fields.add(Key.recordingCounter, journal.counter)
      if let head = journal.head {
        fields.add(Key.line, head.n)
        fields.add(Key.lineHash, head.hash)
      }
      fields.add(Key.size, journal.tail.size)
      fields.add(Key.tail, journal.tail.size - journal.tail.from)
      fields.add(Key.tailHash, journal.tail.hash)
      if !journal.tail.isWhole { fields.add(Key.upTo, journal.tail.end) }
      fields.add(Key.files, journal.files)
      if journal.isChanged { fields.add(Key.changed, 1) }
    case .recoverFile(let file):
      fields.add(Key.id, file.id)
      fields.add(Key.segment, file.segment)
      fields.add(Key.stream, 0)
      fields.add(Key.size, file.tail.size)
      fields.add(Key.chunks, file.chunks)
      fields.add(Key.length, file.tail.from)
      fields.add(Key.hash, file.tail.hash)
      if !file.tail.isWhole { fields.add(Key.upTo, file.tail.end) }
    case .lost(let id, let counter):
      fields.add(Key.id, id)
      fields.add(Key.recordingCounter, counter)
    case .dock(let docking): docking.add(to: &fields)
    case .anchor(let anchor): anchor.add(to: &fields)
    case .delete(let deletion): deletion.add(to: &fields)
    case .audit(let event): event.add(to: &fields)
    }
    return fields
  }
}

// MARK: - Reading

extension DeviceLogEntry {
  /// Nil for START, and for a type that this version does not know.
  /// - Throws: `.journalLine` when a key is missing or has a value that this version does not know.
  init?(_ line: JournalLine) throws(EvidenceError) {
    let keys = Keys(line)
    func flag(_ key: String) throws(EvidenceError) -> Bool {
      let value = line.encoded(key)
      guard value == nil || value == "1" else { throw keys.missing(key) }
      return value != nil
    }
    func found(from: Int64, _ hash: String) throws(EvidenceError) -> FoundBytes {
      let size = try keys.number(Key.size)
      let end = line.encoded(Key.upTo) == nil ? max(size, from) : try keys.number(Key.upTo)
      guard (from...max(size, from)).contains(end) else { throw keys.missing(Key.upTo) }
      return FoundBytes(size: size, from: from, end: end, hash: try keys.hash(hash))
    }
    func head(_ number: String, _ hash: String) throws(EvidenceError) -> ChainHead? {
      guard line.encoded(number) != nil else { return nil }
      return ChainHead(n: try keys.number(number), hash: try keys.hash(hash))
    }
    switch DeviceLogType(rawValue: line.type) {
    case .opened:
      self = .opened(
        id: try keys.identifier(Key.id), counter: try keys.number(Key.recordingCounter),
        openHash: try keys.hash(Key.hash), isLate: try flag(Key.late))
    case .closed:
      self = .closed(
        id: try keys.identifier(Key.id), counter: try keys.number(Key.recordingCounter),
        head: ChainHead(n: try keys.number(Key.line), hash: try keys.hash(Key.lineHash)), isLate: try flag(Key.late))
    case .void:
      self = .void(
        VoidCounter(
          counter: try keys.number(Key.recordingCounter),
          id: line.encoded(Key.id) == nil ? nil : try keys.identifier(Key.id),
          remains: line.encoded(Key.size) == nil ? nil : try found(from: 0, Key.hash)))
    case .check:
      var recording: StoreCheck.Recording?
      if let head = try head(Key.line, Key.lineHash) {
        recording = StoreCheck.Recording(
          id: try keys.identifier(Key.id), counter: try keys.number(Key.recordingCounter), head: head)
      }
      self = .check(
        StoreCheck(
          log: try keys.value(Key.log), logHead: try head(Key.logNumber, Key.logHash),
          journal: try keys.value(Key.journal), recording: recording))
    case .recover:
      let tail = try keys.number(Key.tail)
      let size = try keys.number(Key.size)
      guard tail <= size else { throw keys.missing(Key.tail) }
      self = .recover(
        RecoveredJournal(
          id: try keys.identifier(Key.id), counter: try keys.number(Key.recordingCounter),
          head: try head(Key.line, Key.lineHash), tail: try found(from: size - tail, Key.tailHash),
          files: try keys.number(Key.files), isChanged: try flag(Key.changed)))
    case .recoverFile:
      self = .recoverFile(
        RecoveredFile(
          id: try keys.identifier(Key.id), segment: try keys.segment(), chunks: try keys.number(Key.chunks),
          tail: try found(from: try keys.number(Key.length), Key.hash)))
    case .lost:
      self = .lost(id: try keys.identifier(Key.id), counter: try keys.number(Key.recordingCounter))
    case .dock: self = .dock(try Docking(keys))
    case .anchor: self = .anchor(try LogAnchor(keys))
    case .delete: self = .delete(try Deletion(keys))
    case .audit: self = .audit(try AuditEvent(keys))
    case .start, nil: return nil
    }
  }
}
