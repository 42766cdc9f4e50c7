import Evidence
import Glibc
import LinuxIO

/// The camera's own memory of its counters, away from the evidence card: two slots, written alternately and synced, so
/// that a power cut in the middle of a write leaves the other one.
///
/// It is what tells a card that was put back, or swapped, from the one that was written last.
struct InternalStore: ~Copyable {
  /// What a slot holds.
  struct Record: Hashable, Sendable {
    typealias RecordingState = CameraMemory.RecordingState

    /// Rises with each write; the valid slot with the higher one counts.
    var sequence: Int64 = 0
    var startCounter: Int64 = 0
    var recordingCounter: Int64 = 0
    var recordingState = RecordingState.none
    var recordingID = "-"
    /// Number and hash of the newest journal line that is known to be durable; −1 and `-` before the first.
    var journalNumber: Int64 = -1
    var journalHash = "-"
    /// The same for the device log.
    var logNumber: Int64 = -1
    var logHash = "-"

    /// The same in types. An id or hash that is none is as if there were none.
    var memory: CameraMemory {
      func head(_ n: Int64, _ hash: String) -> ChainHead? {
        n >= 0 ? Hash32(base64URL: hash).map { ChainHead(n: n, hash: $0) } : nil
      }
      return CameraMemory(
        startCounter: startCounter, recordingCounter: recordingCounter, state: recordingState,
        id: EvidenceID(hex: recordingID), journal: head(journalNumber, journalHash), log: head(logNumber, logHash))
    }

    mutating func remember(_ memory: CameraMemory) {
      startCounter = memory.startCounter
      recordingCounter = memory.recordingCounter
      recordingState = memory.state
      recordingID = memory.id?.description ?? "-"
      remember(journal: memory.journal)
      remember(log: memory.log)
    }

    mutating func remember(journal head: ChainHead?) {
      journalNumber = head?.n ?? -1
      journalHash = head?.hash.description ?? "-"
    }

    mutating func remember(log head: ChainHead?) {
      logNumber = head?.n ?? -1
      logHash = head?.hash.description ?? "-"
    }
  }

  private let directory: String
  private let slots: [String]
  private(set) var record: Record

  private static let limit = 4_096

  /// Makes the first slot of a camera that has never recorded; part of enrolment.
  static func create(directory: String) throws(StoreError) {
    let bytes = text(Record())
    try onCard(.identity) { () throws(LinuxError) in
      try writeFileDurably(path: "\(directory)/counters.0", bytes: bytes.span.bytes, mode: 0o600)
    }
  }

  /// Reads both slots of `directory`; an enrolled camera has at least one that is whole.
  init(directory: String) throws(StoreError) {
    slots = ["\(directory)/counters.0", "\(directory)/counters.1"]
    var best: Record?
    var found = 0
    for path in slots {
      let bytes: [UInt8]
      do throws(LinuxError) { bytes = try readSmallFile(path: path, limit: Self.limit) } catch {
        if error.errno == ENOENT { continue }
        throw StoreError(.store, error)
      }
      found += 1
      if let record = Self.parse(bytes), record.sequence > best?.sequence ?? -1 { best = record }
    }
    guard best != nil else {
      throw StoreError(
        .store,
        "the camera's counters in \(directory) (counters.0, counters.1) are \(found == 0 ? "missing" : "unreadable"). "
          + "Recording would repeat counter numbers, which looks like forgery. Move \(directory) away and enrol the "
          + "camera again with `lapel enroll`.")
    }
    record = best ?? Record()
    self.directory = directory
  }

  /// Changes the record and makes it durable in the slot that does not hold the newest one.
  mutating func update(_ change: (inout Record) -> Void) throws(StoreError) {
    var next = record
    change(&next)
    next.sequence += 1
    let bytes = Self.text(next)
    let slot = slots[Int(next.sequence % 2)]
    do throws(LinuxError) {
      let isNew = access(slot, F_OK) != 0
      let file = try FileDescriptor.open(path: slot, flags: O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600)
      try file.pwrite(bytes.span.bytes, at: 0)
      try file.truncate(to: Int64(bytes.count))
      try file.sync()
      try file.close()
      if isNew { try Directory(path: directory).sync() }
    } catch {
      throw StoreError(.store, error)
    }
    record = next
  }

  private static func text(_ record: Record) -> [UInt8] {
    let body =
      "LAPEL1 counters\nsequence=\(record.sequence)\nstart=\(record.startCounter)\n"
      + "recording=\(record.recordingCounter)\nstate=\(record.recordingState.rawValue)\nid=\(record.recordingID)\n"
      + "journal=\(record.journalNumber)\njournalhash=\(record.journalHash)\n"
      + "log=\(record.logNumber)\nloghash=\(record.logHash)\n"
    return Array("\(body)sum=\(Hash32.sha256(of: Array(body.utf8)))\n".utf8)
  }

  /// Nil for anything that is not exactly what `text` makes.
  private static func parse(_ bytes: [UInt8]) -> Record? {
    let text = String(decoding: bytes, as: UTF8.self)
    var fields: [Substring: Substring] = [:]
    for line in text.split(separator: "\n").dropFirst() {
      guard let equals = line.firstIndex(of: "=") else { return nil }
      fields[line[..<equals]] = line[line.index(after: equals)...]
    }
    func number(_ key: Substring) -> Int64? { fields[key].flatMap { Int64($0) } }
    guard let sequence = number("sequence"), let start = number("start"), let recording = number("recording"),
      let state = fields["state"].flatMap({ Record.RecordingState(rawValue: String($0)) }), let id = fields["id"],
      let journal = number("journal"), let journalHash = fields["journalhash"], let log = number("log"),
      let logHash = fields["loghash"]
    else { return nil }
    let record = Record(
      sequence: sequence, startCounter: start, recordingCounter: recording, recordingState: state,
      recordingID: String(id), journalNumber: journal, journalHash: String(journalHash), logNumber: log,
      logHash: String(logHash))
    return Self.text(record) == bytes ? record : nil
  }
}
