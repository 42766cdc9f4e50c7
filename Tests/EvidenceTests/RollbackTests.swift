import Testing

@testable import Evidence

@Suite("A start and what the camera remembers off the card")
struct RollbackTests {
  /// A camera that made one whole recording, and was cut off while it opened a second one.
  private struct Opening {
    let agency: Agency
    let first: TestRecording
    let second: TestRecording
    /// With recording 1 only.
    let before: RestartCamera
    /// The log's OPENED line of recording 2.
    let opened: [UInt8]

    init() throws {
      agency = try Agency()
      let camera = try TestCamera(agency)
      first = try camera.record()
      var card = RestartCamera(agency)
      try card.take(camera, [first], state: .closed)
      card.memory.journal = ChainHead(
        n: Int64(first.lines.count) - 1, hash: Hash32.sha256(of: try #require(first.lines.last)))
      before = card
      let count = camera.logBytes.count
      second = try camera.record(RecordingPlan(counter: 2, segments: [], isClosed: false))
      opened = Array(camera.logBytes.dropFirst(count))
    }

    /// The card as it was when `step` was the last thing to become durable.
    func cut(_ step: Step, tearing count: Int = 0, remembers: Bool) throws -> RestartCamera {
      var card = before
      if remembers {
        card.memory.recordingCounter = 2
        card.memory.id = second.id
        card.memory.journal = nil
        card.memory.state = .reserved
      }
      if step >= .directory { card.recordings[second.name] = MemoryFiles() }
      if step == .journal {
        card.recordings[second.name]?.contents[EvidenceName.journal] = Array(second.lines[0].prefix(count))
      }
      if step >= .open { card.recordings[second.name] = second.files }
      let log = DeviceLogWriter.fileName(startCounter: 1)
      if step == .logging { card.logs.contents[log]? += opened.prefix(count) }
      if step >= .opened { card.logs.contents[log]? += opened }
      if step == .remembered, remembers {
        card.memory.state = .opened
        card.memory.journal = ChainHead(n: 0, hash: Hash32.sha256(of: second.lines[0]))
      }
      return card
    }
  }

  enum Step: Int, CaseIterable, Comparable {
    case reserved, directory, journal, open, logging, opened, remembered
    static func < (left: Step, right: Step) -> Bool { left.rawValue < right.rawValue }
  }

  /// Makes one more whole recording, with the number that the camera would give it.
  private func recordNext(_ card: inout RestartCamera) throws -> TestRecording {
    let head = try #require(try card.deviceLog().head)
    let camera = try TestCamera(
      card.agency, startCounter: card.memory.startCounter + 1, after: DeviceLogWriter.Predecessor(head: head, tail: []))
    let made = try camera.record(RecordingPlan(counter: card.memory.recordingCounter + 1))
    card.logs.contents.merge(camera.logFiles.contents) { $1 }
    card.recordings[made.name] = made.files
    return made
  }

  @Test(
    "cut at each step of opening, with the camera's memory ahead of the card or behind it: nothing is called missing or twofold",
    arguments: Step.allCases, [true, false])
  func openingCut(_ step: Step, remembers: Bool) throws {
    let opening = try Opening()
    let length = step == .journal ? opening.second.lines[0].count : opening.opened.count
    let tears = [.journal, .logging].contains(step) ? [0, 1, 100, length - 2, length - 1] : [0]
    for tear in tears {
      var card = try opening.cut(step, tearing: tear, remembers: remembers)
      let before = card.contents
      let types = try card.restart()
      let hasOpen = step >= .open
      switch step {
      case .reserved, .directory, .journal: #expect(types == (remembers ? [.check, .void] : [.check]))
      case .open, .logging: #expect(types == [.check, .opened, .recover])
      case .opened, .remembered: #expect(types == [.check, .recover])
      }
      #expect(card.memory.recordingCounter == (remembers || hasOpen ? 2 : 1))
      #expect(try card.restart() == [.check])
      #expect(card.contents == before)
      let third = try recordNext(&card)
      for made in [opening.first, third] {
        let verdict = try card.verify(made.name)
        #expect(verdict.headline == .verified, "\(step) \(tear): \(verdict.findings)")
      }
      guard step >= .directory else { continue }
      let verdict = try card.verify(opening.second.name)
      if hasOpen {
        #expect(verdict.headline == .verifiedTo && verdict.isRecovered, "\(verdict.findings)")
        #expect(verdict.completeness == .continuous && verdict.opening != nil)
      } else if remembers {
        #expect(verdict.headline == .verifiedTo && verdict.isVoid, "\(verdict.findings)")
        // Anything else in that place is no cut-off opening.
        card.recordings[opening.second.name]?.contents[EvidenceName.journal, default: []].append(0x41)
        #expect(try card.verify(opening.second.name).headline == .integrity(.unsigned))
        card.recordings[opening.second.name] = opening.second.files
        #expect(try card.verify(opening.second.name).headline == .completeness(.equivocation))
      } else {
        #expect(verdict.headline == .integrity(.unsigned))
      }
    }
  }

  @Test("a CLOSE that became durable without CLOSED is CLOSED by the next start, and the recording is VERIFIED")
  func lateClosed() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    var card = RestartCamera(agency)
    try card.take(camera, [made], state: .opened)
    let log = DeviceLogWriter.fileName(startCounter: 1)
    let bytes = camera.logBytes
    let last = try #require(bytes.dropLast().lastIndex(of: 10))
    for end in [last + 1, last + 2, bytes.count - 1] {
      var cut = card
      cut.logs.contents[log] = Array(bytes.prefix(end))
      let opened = try #require(bytes.prefix(last + 1).dropLast().lastIndex(of: 10))
      cut.memory.log = ChainHead(n: 1, hash: Hash32.sha256(of: Array(bytes[(opened + 1)...last])))
      #expect(try cut.restart() == [.check, .closed])
      #expect(try cut.restart() == [.check])
      let verdict = try cut.verify(made.name)
      #expect(verdict.headline == .verified, "\(verdict.findings)")
    }
  }

  @Test(
    "an older state of the card put back is seen at the next start and is ROLLBACK; the missing logs close the hole")
  func oldCard() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record()
    let old = camera.logFiles
    let second = try camera.record(RecordingPlan(counter: 2))
    var card = RestartCamera(agency)
    try card.take(camera, [first, second], state: .closed)
    let recent = card.logs
    card.logs = old
    card.recordings[second.name] = nil
    #expect(try card.restart() == [.check])
    #expect(card.check?.log == .missingLine && card.check?.journal == .missingRecording)
    #expect(card.report.warnings.count == 2)
    let log = try card.deviceLog()
    #expect(try log.head?.n == camera.logHead.n + 2)
    #expect(try card.verify(first.name).headline == .completeness(.rollback))
    // The camera goes on: what is recorded now says the same of what came before it.
    let third = try recordNext(&card)
    #expect(try card.verify(third.name).headline == .completeness(.rollback))
    // With what was on the card before, nothing is missing, and no number was used twice.
    card.logs.contents.merge(recent.contents) { $1 }
    card.recordings[second.name] = second.files
    for made in [first, second, third] {
      let verdict = try card.verify(made.name)
      #expect(verdict.headline == .verified, "\(verdict.findings)")
    }
  }

  @Test("an open recording that is gone with the card's newer state is LOST, and its number is not given out again")
  func oldCardWhileOpen() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record()
    let old = camera.logFiles
    let second = try camera.record(RecordingPlan(counter: 2, isClosed: false))
    for state in [CameraMemory.RecordingState.reserved, .opened] {
      var card = RestartCamera(agency)
      try card.take(camera, [first, second], state: state)
      card.logs = old
      card.recordings[second.name] = nil
      #expect(try card.restart() == [.check, .lost], "\(state)")
      #expect(card.memory.recordingCounter == 2)
      #expect(try card.restart() == [.check])
      #expect(try card.verify(first.name).headline == .completeness(.rollback))
    }
  }

  @Test("a fresh card goes on with the device's numbers and claims no completeness")
  func freshCard() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record()
    var card = RestartCamera(agency)
    try card.take(camera, [first], state: .closed)
    card.logs = MemoryFiles()
    card.recordings = [:]
    #expect(try card.restart() == [.check])
    let made = try recordNext(&card)
    #expect(made.counter == 2)
    let log = try card.deviceLog()
    #expect(try log.findings.isEmpty && log.firstNumber == camera.logHead.n + 1)
    #expect(try card.verify(made.name).headline == .verifiedAlone)
    // What is on the other card is not contradicted by this one's log.
    #expect(try first.verify(agency.trust, log: log).headline == .verifiedAlone)
    // Both cards together.
    card.logs.contents.merge(camera.logFiles.contents) { $1 }
    card.recordings[first.name] = first.files
    for made in [first, made] { #expect(try card.verify(made.name).headline == .verified) }
  }

  @Test(
    "a journal cut below the line that the camera remembers is MISSING_LINE at the next start and TRUNCATED for good")
  func cutJournal() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record(RecordingPlan(segments: [[10, 20, 30]], isClosed: false))
    var card = RestartCamera(agency)
    try card.take(camera, [made], state: .opened)
    for line in 1..<made.lines.count {
      card.memory.journal = ChainHead(n: Int64(line), hash: Hash32.sha256(of: made.lines[line]))
      for kept in 1...made.lines.count {
        var cut = card
        cut.recordings[made.name]?.contents[EvidenceName.journal] = made.lines.prefix(kept).flatMap { $0 }
        try cut.restart()
        let isMissing = kept <= line
        #expect(cut.check?.journal == (isMissing ? .missingLine : kept == line + 1 ? .match : .behindOnly))
        #expect(cut.report.warnings.isEmpty != isMissing)
        let verdict = try cut.verify(made.name)
        #expect(
          verdict.headline == (isMissing ? .truncated : .verifiedTo), "line \(line) of \(kept): \(verdict.findings)")
        // The memory stays: the next start says the same, and asks for nothing more.
        #expect(try cut.restart() == [.check])
        #expect(cut.check?.journal == (isMissing ? .missingLine : .match))
      }
    }
  }

  @Test("a memory that is older than the card never gives a number out twice")
  func oldMemory() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record()
    let second = try camera.record(RecordingPlan(counter: 2, isClosed: false))
    var card = RestartCamera(agency)
    try card.take(camera, [first, second], state: .opened)
    card.memory = CameraMemory(startCounter: 0, recordingCounter: 0, state: .none, id: nil, journal: nil, log: nil)
    #expect(try card.restart() == [.check, .recover, .recoverFile])
    #expect(card.memory.startCounter == 2 && card.memory.recordingCounter == 2)
    #expect(card.report.warnings.count == 1)
    let third = try recordNext(&card)
    #expect(third.counter == 3)
    for made in [first, third] { #expect(try card.verify(made.name).headline == .verified) }
  }

  @Test("a damaged device log is gone on from with a number that was never used, and stays ALTERED")
  func damagedLog() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    var card = RestartCamera(agency)
    try card.take(camera, [made], state: .closed)
    try card.restart()
    let head = try #require(try card.deviceLog().head)
    card.logs.contents["0000000001.log"]?[200] ^= 1
    try card.restart()
    let log = try card.deviceLog()
    // What the damaged log said of the recording is said again: OPENED and CLOSED behind START and CHECK.
    #expect(log.head?.n == head.n + 4)
    #expect(try card.verify(made.name).headline == .integrity(.altered))
  }

  @Test("trusting a remembered line finds the same log as looking at every signature, whatever byte was changed")
  func trusting() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    _ = try camera.record()
    _ = try camera.record(RecordingPlan(counter: 2))
    let head = try camera.logHead
    let name = DeviceLogWriter.fileName(startCounter: 1)
    let whole = try DeviceLog(files: camera.logFiles, device: agency.device.identity, trusting: head)
    #expect(whole.head == head && whole.closings.count == 2 && whole.findings.isEmpty)
    for index in stride(from: 0, to: camera.logBytes.count, by: 7) {
      var files = camera.logFiles
      files.contents[name]?[index] ^= 4
      let slow = try DeviceLog(files: files, device: agency.device.identity)
      let quick = try DeviceLog(files: files, device: agency.device.identity, trusting: head)
      #expect(slow.head == quick.head && slow.findings == quick.findings && slow.openings == quick.openings)
    }
  }
}
