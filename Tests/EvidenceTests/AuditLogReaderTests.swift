import Testing

@testable import Evidence

@Suite("Reading the audit log off a card")
struct AuditLogReaderTests {
  /// A card with two closed recordings, one that was cut off, and three starts.
  private func card() throws -> (RestartCamera, [TestRecording]) {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    var made = [try camera.record(RecordingPlan(segments: [[1, 1]]))]
    try camera.append(.audit(.event(.battery(.low, percent: 18))))
    made.append(try camera.record(RecordingPlan(counter: 2, segments: [[1]])))
    made.append(try camera.record(RecordingPlan(counter: 3, segments: [[1], [1]], isClosed: false)))
    var card = RestartCamera(agency)
    try card.take(camera, made, state: .opened)
    try card.restart()
    try card.restart()
    return (card, made)
  }

  private func read(
    _ card: RestartCamera, _ selection: AuditLogReader.Selection = AuditLogReader.Selection(), isLive: Bool = false
  ) throws -> (entries: [TimelineEntry], report: AuditLogReader.Report, faults: [Finding]) {
    var entries: [TimelineEntry] = []
    let reader = AuditLogReader(log: try card.deviceLog(), selection: selection, isLive: isLive)
    let report = try reader.read(card.logs, card: card) { entry in
      entries.append(entry)
      return true
    }
    return (entries, report, reader.faults(report))
  }

  private func counters(_ entries: [TimelineEntry], _ matches: (TimelineEvent) -> Bool) -> [Int64?] {
    entries.filter { matches($0.event) }.map { $0.recording?.counter }
  }

  private func isOpened(_ event: TimelineEvent) -> Bool { if case .opened(_, false) = event { true } else { false } }
  private func isCutOff(_ event: TimelineEvent) -> Bool { if case .unclosed(_, false) = event { true } else { false } }
  private func isNotHere(_ event: TimelineEvent) -> Bool { if case .notAtHand = event { true } else { false } }

  @Test("Every line of the device log is told once, in the order of their numbers, with the recordings in between")
  func whole() throws {
    let (card, _) = try card()
    let (entries, report, faults) = try read(card)
    #expect(faults.isEmpty && report == AuditLogReader.Report())
    let numbers = entries.compactMap { if case .deviceLog(let n) = $0.place { n } else { nil } }
    let head = try #require(try card.deviceLog().head).n
    #expect(numbers == Array(0...head))
    #expect(counters(entries, isOpened) == [1, 2, 3] && counters(entries, isCutOff) == [3])
    let cut = try #require(entries.firstIndex { isCutOff($0.event) })
    guard case .start(let start) = entries[cut + 1].event else {
      Issue.record("a start follows")
      return
    }
    #expect(start.counter == 2)
    // Of the segment's line that a start wrote it is known whose it is.
    let files = entries.filter { if case .logged(.recoverFile) = $0.event { true } else { false } }
    #expect(files.map(\.recording?.counter) == [3])
  }

  @Test("The newest entries are the end of all of them, however many; so are those since a time, and one recording's")
  func selections() throws {
    let (card, made) = try card()
    let all = try read(card).entries
    for last in 1...all.count + 2 {
      #expect(try read(card, .init(last: last)).entries == Array(all.suffix(last)), "\(last)")
    }
    for wall in Set(all.compactMap { $0.clock?.wall }) {
      let since = try read(card, .init(since: wall)).entries
      #expect(since == all.filter { $0.clock?.wall ?? 0 >= wall }, "\(wall)")
    }
    // A recording told alone says its software, too.
    func isOther(_ entry: TimelineEntry) -> Bool { if case .software = entry.event { false } else { true } }
    for recording in made {
      for id in [nil, recording.id] {
        let own = try read(card, .init(recording: .init(counter: recording.counter, id: id))).entries
        #expect(own.filter(isOther) == all.filter { $0.recording?.counter == recording.counter }.filter(isOther))
        #expect(own.count { !isOther($0) } == 1)
      }
    }
    #expect(try read(card, .init(recording: .init(counter: 2, id: made[0].id))).entries.isEmpty)
  }

  @Test("Who wants no more is given no more")
  func stop() throws {
    let (card, _) = try card()
    var count = 0
    _ = try AuditLogReader(log: try card.deviceLog(), isLive: false).read(card.logs, card: card) { _ in
      count += 1
      return count < 3
    }
    #expect(count == 3)
  }

  @Test(
    "A recording whose opening a later start wrote is told in its place; one that the log never knew at its place, too")
  func elsewhere() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record(RecordingPlan(segments: [[1]]))
    let second = try camera.record(RecordingPlan(counter: 2, segments: [[1]], isLogged: false))
    var card = RestartCamera(agency)
    try card.take(camera, [first, second], state: .opened)
    #expect(try card.restart().contains(.opened))
    var entries = try read(card).entries
    let opened = try #require(entries.firstIndex { isOpened($0.event) && $0.recording?.counter == 2 })
    let start = try #require(entries.lastIndex { if case .start = $0.event { true } else { false } })
    #expect(opened < start && entries[opened].place == .journal(0))
    #expect(
      entries[start...].contains { if case .opened(nil, true) = $0.event { true } else { false } })
    // The same without that start's log: nothing but the journal tells of it.
    card.logs.contents[DeviceLogWriter.fileName(startCounter: 2)] = nil
    entries = try read(card).entries
    #expect(counters(entries, isOpened) == [1, 2])
    // And without any line that its journal names.
    card.logs.contents = [:]
    let alone = try read(card)
    #expect(counters(alone.entries, isOpened) == [1, 2] && alone.entries.count > 4)
  }

  @Test("A recording that is not here, or cannot be read, is told as such; one that was deleted is not missed")
  func absent() throws {
    let (whole, made) = try card()
    var card = whole
    card.recordings[made[0].name] = nil
    #expect(counters(try read(card).entries, isNotHere) == [1])
    struct Unreadable: EvidenceFiles {
      func names() throws(ReadFailure) -> [String] { throw ReadFailure(file: "x", reason: "the card fails") }
      func size(of name: String) throws(ReadFailure) -> Int64 { 0 }
      func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int { 0 }
    }
    struct FailingCard: EvidenceCard {
      let names: [String]
      func recordingNames() -> [String] { names }
      func recording(_ name: String) -> Unreadable { Unreadable() }
    }
    var entries: [TimelineEntry] = []
    let report = try AuditLogReader(log: try card.deviceLog(), isLive: false)
      .read(card.logs, card: FailingCard(names: made.map(\.name))) { entry in
        entries.append(entry)
        return true
      }
    #expect(report.unreadable.count == 3 && counters(entries, isNotHere) == [1, 2, 3])
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let gone = try camera.record()
    let receipt = try Receipt(
      parsing: agency.receipt(for: gone, log: camera.deviceLog(), present: [gone.name]), roles: agency.rolesNote)
    try camera.append(.delete(Deletion(receipt)))
    var empty = RestartCamera(agency)
    empty.logs = camera.logFiles
    #expect(counters(try read(empty).entries, isNotHere) == [])
  }

  @Test("A directory that the log voids is told by that line alone")
  func void() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let id = try #require(EvidenceID(randomBytes(16)))
    try camera.append(.void(VoidCounter(counter: 1, id: id, remains: nil)))
    var card = RestartCamera(agency)
    card.logs = camera.logFiles
    card.recordings[EvidenceName.recording(counter: 1, id: id)] = MemoryFiles()
    let (entries, _, faults) = try read(card)
    #expect(entries.count == 2 && faults.isEmpty)
  }

  @Test("Whatever byte of the log is changed, it is a fault with its place, and what is told was signed")
  func changes() throws {
    let (card, _) = try card()
    let all = Set(try read(card).entries.filter { if case .deviceLog = $0.place { true } else { false } }.map(\.event))
    for (name, bytes) in card.logs.contents.sorted(by: { $0.key < $1.key }) {
      for index in stride(from: 0, to: bytes.count, by: 17) {
        var changed = card
        changed.logs.contents[name]?[index] ^= 1
        let (entries, _, faults) = try read(changed)
        #expect(!faults.isEmpty && faults.allSatisfy { $0.exitCode >= 15 && $0.file != nil }, "\(name) \(index)")
        for entry in entries {
          guard case .deviceLog = entry.place else { continue }
          if case .closed = entry.event { continue }
          if case .opened = entry.event { continue }
          #expect(all.contains(entry.event), "\(name) \(index)")
        }
      }
    }
  }

  @Test("A line of a newer version is told as it stands and is no fault")
  func unknown() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    var chain = JournalChain(id: agency.device.identity.id, after: try camera.logHead)
    for (type, code) in [("AUDIT", "quake"), ("FUTURE", "x"), ("XTRY", "y")] {
      var fields = LineFields()
      fields.add("code", code: code)
      fields.add("w", 1)
      fields.add("mono", 2)
      camera.logBytes += try chain.line(
        type, fields, sign: { message throws(EvidenceError) in try agency.device.signature(over: message) },
        signDomain: .deviceLog)
    }
    var card = RestartCamera(agency)
    card.logs = camera.logFiles
    let (entries, _, faults) = try read(card)
    let lines = entries.compactMap { if case .unknown(let line) = $0.event { line } else { nil } }
    #expect(
      lines.map(\.type) == ["AUDIT", "FUTURE", "XTRY"]
        && lines.map(\.words) == [["code=quake"], ["code=x"], ["code=y"]])
    #expect(faults.isEmpty)
  }

  @Test("The newest recording may be going on beside a reader; bytes that were appended since are left out")
  func live() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record(RecordingPlan(segments: [[1]], isClosed: false))
    var card = RestartCamera(agency)
    card.recordings[made.name] = made.files
    card.logs = camera.logFiles
    let log = try card.deviceLog()
    try camera.append(.audit(.event(.battery(.low, percent: 1))))
    card.logs = camera.logFiles
    var entries: [TimelineEntry] = []
    _ = try AuditLogReader(log: log, isLive: true).read(card.logs, card: card) { entry in
      entries.append(entry)
      return true
    }
    guard case .unclosed(_, mayRun: true)? = entries.last?.event else {
      Issue.record("\(entries)")
      return
    }
  }
}
