import Media
import Testing

@testable import Evidence

@Suite("Deletions, anchors and what docks keep")
struct DeletionTests {
  /// Three recordings, of which the second was deleted against a receipt.
  private struct Card {
    let agency: Agency
    let camera: TestCamera
    let made: [TestRecording]
    let note: [UInt8]
    let deletion: Deletion

    init() throws {
      agency = try Agency()
      camera = try TestCamera(agency)
      var made = [try camera.record(), try camera.record(RecordingPlan(counter: 2))]
      note = try agency.receipt(for: made[1], log: camera.deviceLog(), present: made.map(\.name))
      deletion = Deletion(try Receipt(parsing: note, roles: agency.rolesNote))
      try camera.append(.delete(deletion))
      made.append(try camera.record(RecordingPlan(counter: 3)))
      self.made = made
    }

    func records(_ notes: [[UInt8]]) throws -> DockRecords {
      var records = DockRecords()
      for note in notes { records.add(receipt: note, roles: try agency.rolesNote) }
      return records
    }

    /// The verdicts of the two recordings that are still there.
    func verdicts(_ records: DockRecords) throws -> [Verdict] {
      let left = [made[0], made[2]]
      return try left.map {
        try $0.verify(agency.trust, log: camera.deviceLog(), present: left.map(\.name), records: records)
      }
    }
  }

  @Test("A deleted recording is explained by its receipt: the others are VERIFIED")
  func explained() throws {
    let card = try Card()
    for verdict in try card.verdicts(card.records([card.note])) {
      #expect(verdict.headline == .verified, "\(verdict.findings)")
    }
    // The dock's copy of it, with the log that deletes it.
    let copy = try card.made[1].verify(
      card.agency.trust, log: card.camera.deviceLog(), present: card.made.map(\.name),
      records: card.records([card.note]))
    #expect(copy.headline == .verified && copy.has(.remark(.deleted)))
  }

  @Test("A DELETE with an unknown receipt is MISSING_RECORDING for every other recording, and says what is missing")
  func unknownReceipt() throws {
    let card = try Card()
    for verdict in try card.verdicts(DockRecords()) {
      #expect(verdict.headline == .completeness(.missingRecording))
      #expect(verdict.sentence.contains("\(card.deletion.receipt)"), "\(verdict.sentence)")
    }
    // Also when only the recording itself is looked at.
    let alone = try card.made[0].verify(card.agency.trust, log: card.camera.deviceLog())
    #expect(alone.headline == .completeness(.missingRecording))
  }

  @Test("A receipt that is forged, of another recording or not what DELETE says explains nothing")
  func wrongReceipt() throws {
    let agency = try Agency()
    for kind in ["forged", "other", "last", "key", "open"] {
      let camera = try TestCamera(agency)
      let made = [try camera.record(), try camera.record(RecordingPlan(counter: 2))]
      var note = try agency.receipt(for: made[1])
      if kind == "forged" {
        let thief = try NoteSigner(name: "agency-dock", seed: randomBytes(32))
        note = try thief.sign(Note(parsing: note).lines.map(String.init))
      }
      if kind == "other" { note = try agency.receipt(for: made[0]) }
      if kind == "open" {
        note = try agency.dock.sign(
          Note(parsing: note).lines.map { $0.hasPrefix("open ") ? "open \(Hash32.sha256(of: [1]))" : String($0) })
      }
      let genuine = try Receipt(parsing: agency.receipt(for: made[1]), roles: agency.rolesNote)
      var deletion = Deletion(genuine)
      deletion.receipt = Hash32.sha256(of: note)
      if kind == "last" { deletion.last = ChainHead(n: 3, hash: Hash32.sha256(of: made[1].lines[3])) }
      if kind == "key" { deletion.key = agency.clerk.key.publicKey }
      try camera.append(.delete(deletion))
      var records = DockRecords()
      records.add(receipt: note, roles: try agency.rolesNote)
      let verdict = try made[0].verify(
        agency.trust, log: camera.deviceLog(), present: [made[0].name], records: records)
      #expect(verdict.headline == .completeness(.missingRecording), "\(kind): \(verdict.findings)")
    }
  }

  @Test("A camera that is trusted by its key alone has no agency whose receipts could explain a deletion")
  func noAgency() throws {
    let card = try Card()
    var records = DockRecords()
    records.add(receipt: card.note, roles: nil)
    #expect(try card.verdicts(records).allSatisfy { $0.headline == .completeness(.missingRecording) })
  }

  @Test("A deleted recording's copy that was cut below the line that DELETE names is TRUNCATED")
  func cutCopy() throws {
    let card = try Card()
    var copy = card.made[1]
    copy.lines.removeLast()
    let verdict = try copy.verify(card.agency.trust, log: card.camera.deviceLog(), records: card.records([card.note]))
    #expect(verdict.end == .truncated)
    // The receipt alone says so, too.
    let alone = try copy.verify(card.agency.trust, records: card.records([card.note]))
    #expect(alone.headline == .truncated, "\(alone.findings)")
  }

  @Test("A deleted recording that LOST names as well is explained by its receipt, and by nothing else")
  func lostAndDeleted() throws {
    let card = try Card()
    try card.camera.append(.lost(id: card.made[1].id, counter: 2))
    #expect(try card.verdicts(card.records([card.note])).allSatisfy { $0.headline == .verified })
    #expect(try card.verdicts(DockRecords()).allSatisfy { $0.headline == .completeness(.missingRecording) })
  }

  @Test(
    "DOCK, ANCHOR, DELETE and AUDIT lines are read back as they were written; one with a value missing is UNSUPPORTED")
  func lines() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    let receipt = try Receipt(parsing: agency.receipt(for: made), roles: agency.rolesNote)
    let nonce = Hash32.sha256(of: [9])
    let greeting = try DockGreeting(
      parsing: DockGreeting.make(
        issued: 5, isDemo: false, device: agency.device.identity.id, nonce: nonce, signer: agency.dock),
      roles: agency.rolesNote, device: agency.device.identity.id)
    let head = ChainHead(n: 4, hash: Hash32.sha256(of: try #require(made.lines.last)))
    let entries: [DeviceLogEntry] = [
      .dock(Docking(greeting)), .anchor(LogAnchor(nonce: nonce, recording: nil)),
      .anchor(LogAnchor(nonce: nonce, recording: .init(id: made.id, counter: 1, head: head))),
      .delete(Deletion(receipt)), .audit(.configuration(nonce, software: nil)), .audit(.clockState(.dock, .held)),
      .audit(.armed), .audit(.check(CheckOutcome(result: .passed, cause: nil))),
      .audit(.source(SourceHealth(source: "button", state: .stuck))),
      .audit(.radio(RadioRefusals(cause: "bad_mac", count: 3))),
      .audit(.event(.storage(.low, freeMegabytes: 12))), .audit(.event(.battery(.critical, percent: 4))),
      .audit(.event(.power(.good, edge: 5))),
      .audit(.event(.clockStep(was: 7))), .audit(.event(.deviceLost(track: TrackID(rawValue: 1)))),
      .audit(.event(.deviceFound(track: TrackID(rawValue: 2)))), .audit(.event(.error(.memory))),
    ]
    for entry in entries {
      let line = try JournalLine(parsing: camera.append(entry))
      #expect(try DeviceLogEntry(line) == entry)
      for field in line.fields where !["w", "mono"].contains(field.key) {
        // Without `line` an ANCHOR speaks of no recording; all else must be there.
        if entry.type == .anchor, ["line", "id", "rec"].contains(field.key) { continue }
        let text = String(decoding: line.bytes, as: UTF8.self)
        let without = try JournalLine(parsing: Array(text.replacing(" \(field.key)=\(field.encoded)", with: "").utf8))
        #expect((try? DeviceLogEntry(without)) == nil, "\(entry.type) without \(field.key)")
      }
    }
    #expect(try camera.deviceLog().findings.isEmpty)
    #expect(throws: EvidenceError.self) {
      try camera.append(.audit(.event(.gap(track: TrackID(rawValue: 1), from: 0, to: 1, cause: .suspend))))
    }
  }

  @Test("A dock's greeting is taken only from a key that may sign receipts, and for this camera")
  func greeting() throws {
    let agency = try Agency()
    let device = agency.device.identity.id
    let nonce = Hash32.sha256(of: [9])
    func read(_ signer: NoteSigner, _ id: EvidenceID) throws -> DockGreeting {
      try DockGreeting(
        parsing: DockGreeting.make(issued: 5, isDemo: false, device: id, nonce: nonce, signer: signer),
        roles: agency.rolesNote, device: device)
    }
    let greeting = try read(agency.dock, device)
    #expect(greeting.nonce == nonce && greeting.issued == 5 && greeting.dock == agency.dock.key)
    #expect(throws: EvidenceError.self) { try read(agency.clerk, device) }
    #expect(throws: EvidenceError.self) { try read(NoteSigner(name: "agency-dock", seed: randomBytes(32)), device) }
    let other = try #require(EvidenceID([UInt8](repeating: 1, count: 16)))
    #expect(throws: EvidenceError.self) { try read(agency.dock, other) }
    // A receipt is no greeting.
    let receipt = try agency.receipt(for: TestCamera(agency).record())
    #expect(throws: EvidenceError.self) {
      try DockGreeting(parsing: receipt, roles: agency.rolesNote, device: device)
    }
  }

  @Test("DOCK bounds every later recording from below, and none before it")
  func dockTime() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let before = try camera.record()
    let device = agency.device.identity.id
    try camera.append(
      .dock(
        Docking(
          DockGreeting(
            parsing: DockGreeting.make(
              issued: 77, isDemo: false, device: device, nonce: Hash32.sha256(of: [1]), signer: agency.dock),
            roles: agency.rolesNote, device: device))))
    let after = try camera.record(RecordingPlan(counter: 2))
    let log = try camera.deviceLog()
    #expect(try before.verify(agency.trust, log: log).docking == nil)
    let docking = try #require(try after.verify(agency.trust, log: log).docking)
    #expect(docking.wall == 77 && docking.name == "agency-dock")
  }

  /// A log with an anchor in it, as the dock keeps it, and what came after.
  private struct Anchored {
    let agency: Agency
    let camera: TestCamera
    let made: [TestRecording]
    let anchor: [UInt8]
    let cut: DeviceLog
    var records = DockRecords()

    init(isClosed: Bool = true) throws {
      agency = try Agency()
      camera = try TestCamera(agency)
      let first = try camera.record(RecordingPlan(isClosed: isClosed))
      let end = camera.logBytes.count
      let head = ChainHead(n: Int64(first.lines.count) - 1, hash: Hash32.sha256(of: try #require(first.lines.last)))
      anchor = try camera.append(
        .anchor(
          LogAnchor(nonce: Hash32.sha256(of: [1]), recording: .init(id: first.id, counter: 1, head: head))))
      made = [first, try camera.record(RecordingPlan(counter: 2))]
      let name = DeviceLogWriter.fileName(startCounter: 1)
      cut = try DeviceLog(
        files: MemoryFiles(contents: [name: Array(camera.logBytes.prefix(end))]), device: agency.device.identity)
      try records.add(anchor: anchor, device: agency.device.identity)
    }
  }

  @Test("A log cut before an anchor that a dock holds is ROLLBACK; with the anchor in it that is said")
  func anchored() throws {
    let anchored = try Anchored()
    let (agency, first) = (anchored.agency, anchored.made[0])
    #expect(try first.verify(agency.trust, log: anchored.cut).headline == .verified)
    let verdict = try first.verify(agency.trust, log: anchored.cut, records: anchored.records)
    #expect(verdict.headline == .completeness(.rollback), "\(verdict.findings)")
    let whole = try first.verify(agency.trust, log: anchored.camera.deviceLog(), records: anchored.records)
    #expect(whole.headline == .verified && whole.has(.remark(.anchored)))
    // Nothing of the log at all.
    let empty = try DeviceLog(files: MemoryFiles(), device: agency.device.identity)
    #expect(try first.verify(agency.trust, log: empty).headline == .verifiedAlone)
    #expect(try first.verify(agency.trust, log: empty, records: anchored.records).headline == .completeness(.rollback))
  }

  @Test("A log that has another line in the anchor's place is EQUIVOCATION")
  func otherLine() throws {
    let anchored = try Anchored()
    let agency = anchored.agency
    let name = DeviceLogWriter.fileName(startCounter: 1)
    let head = try #require(anchored.cut.head)
    var chain = JournalChain(id: agency.device.identity.id, after: head)
    let forged = try chain.line(
      "XOTHER", LineFields(), sign: { message throws(EvidenceError) in try agency.device.signature(over: message) },
      signDomain: .deviceLog)
    let end = anchored.camera.logBytes.firstRange(of: anchored.anchor)?.lowerBound ?? 0
    let files = MemoryFiles(contents: [name: Array(anchored.camera.logBytes.prefix(end)) + forged])
    let log = try DeviceLog(files: files, device: agency.device.identity)
    #expect(try anchored.made[0].verify(agency.trust, log: log).headline == .verified)
    let verdict = try anchored.made[0].verify(agency.trust, log: log, records: anchored.records)
    #expect(verdict.headline == .completeness(.equivocation))
  }

  @Test("An interrupted journal cut below the line that an anchor names is TRUNCATED, with the log and without it")
  func cutAfterAnchor() throws {
    let anchored = try Anchored(isClosed: false)
    let agency = anchored.agency
    var cut = anchored.made[0]
    #expect(try cut.verify(agency.trust, records: anchored.records).headline == .verifiedTo)
    cut.lines.removeLast()
    cut.segments["0000.mp4.age"] = Array((cut.segments["0000.mp4.age"] ?? []).prefix(184))
    #expect(try cut.verify(agency.trust).headline == .verifiedTo)
    #expect(try cut.verify(agency.trust, records: anchored.records).headline == .truncated)
    #expect(try cut.verify(agency.trust, log: anchored.camera.deviceLog()).headline == .truncated)
  }

  @Test("An anchor is one ANCHOR line that the device signed: any other byte, another type or device is refused")
  func badAnchors() throws {
    let anchored = try Anchored()
    let device = anchored.agency.device.identity
    for index in anchored.anchor.indices {
      var changed = anchored.anchor
      changed[index] ^= 1
      #expect(throws: EvidenceError.self, "byte \(index)") { try Anchor(parsing: changed, device: device) }
    }
    let other = try Agency().device.identity
    #expect(throws: EvidenceError.self) { try Anchor(parsing: anchored.anchor, device: other) }
    let line = Array(anchored.camera.logBytes.prefix { $0 != 10 }) + [10]
    #expect(throws: EvidenceError.self) { try Anchor(parsing: line, device: device) }
  }

  @Test("A receipt bounds the log as an anchor does: one cut below the line that it names is ROLLBACK")
  func receiptBounds() throws {
    let card = try Card()
    let name = DeviceLogWriter.fileName(startCounter: 1)
    let line = try #require(card.camera.logBytes.split(separator: 10, omittingEmptySubsequences: false).first)
    let early = try DeviceLog(
      files: MemoryFiles(contents: [name: line + [10]]), device: card.agency.device.identity)
    let verdict = try card.made[0].verify(card.agency.trust, log: early, records: card.records([card.note]))
    #expect(verdict.headline == .completeness(.rollback))
  }

  @Test("CONTINUOUS since a receipt: a log that begins on another card goes on from what the receipt found continuous")
  func sinceReceipt() throws {
    let agency = try Agency()
    let first = try TestCamera(agency)
    let old = try first.record()
    let log = try first.deviceLog()
    let note = try agency.receipt(for: old, log: log, present: [old.name])
    let alone = try agency.receipt(for: old, log: nil)
    func next(_ counter: Int64) throws -> (TestRecording, DeviceLog) {
      let camera = try TestCamera(
        agency, startCounter: 2, after: DeviceLogWriter.Predecessor(head: first.logHead, tail: []))
      let made = try camera.record(RecordingPlan(counter: counter))
      return (made, try camera.deviceLog())
    }
    func verdict(_ counter: Int64, _ notes: [[UInt8]]) throws -> Verdict {
      let (made, log) = try next(counter)
      var records = DockRecords()
      for note in notes { records.add(receipt: note, roles: try agency.rolesNote) }
      return try made.verify(agency.trust, log: log, present: [made.name], records: records)
    }
    #expect(try verdict(2, []).headline == .verifiedAlone)
    let since = try verdict(2, [note])
    #expect(since.headline == .verified && since.has(.remark(.sinceReceipt)), "\(since.findings)")
    // A receipt that saw no log, or found something missing, vouches for nothing.
    #expect(try verdict(2, [alone]).headline == .verifiedAlone)
    // A counter between the receipt and the new card's first is missing.
    #expect(try verdict(3, []).headline == .verifiedAlone)
    #expect(try verdict(3, [note]).headline == .completeness(.missingRecording))
    // A log that goes on from another line than the receipt's.
    let stranger = try TestCamera(
      agency, startCounter: 2,
      after: DeviceLogWriter.Predecessor(
        head: ChainHead(n: first.logHead.n, hash: Hash32.sha256(of: [1])), tail: []))
    let made = try stranger.record(RecordingPlan(counter: 2))
    var records = DockRecords()
    records.add(receipt: note, roles: try agency.rolesNote)
    #expect(
      try made.verify(agency.trust, log: stranger.deviceLog(), records: records).headline
        == .completeness(.equivocation))
  }

  @Test("One counter from a cloned card is EQUIVOCATION with either log, and with both receipts at hand")
  func clonedCard() throws {
    let agency = try Agency()
    let original = try TestCamera(agency)
    let one = try original.record()
    // The same card and the same memory in a second camera: it goes on from the same start.
    let clone = try TestCamera(agency)
    let two = try clone.record()
    for (made, log) in [(one, try clone.deviceLog()), (two, try original.deviceLog())] {
      #expect(try made.verify(agency.trust, log: log).headline == .completeness(.equivocation))
    }
    // Each with its own log is consistent in itself; the receipt that a dock gave for the other shows the second line 1.
    #expect(try one.verify(agency.trust, log: original.deviceLog()).headline == .verified)
    var records = DockRecords()
    records.add(receipt: try agency.receipt(for: two, log: clone.deviceLog()), roles: try agency.rolesNote)
    let verdict = try one.verify(agency.trust, log: original.deviceLog(), records: records)
    #expect(verdict.headline == .completeness(.equivocation), "\(verdict.findings)")
  }

  // MARK: Starts

  @Test("A start finishes what a cut left of a deletion, calls nothing of it LOST, and forgets the recording")
  func restart() throws {
    let card = try Card()
    var restarted = RestartCamera(card.agency)
    try restarted.take(card.camera, card.made, state: .closed)
    #expect(try restarted.restart() == [.check])
    #expect(restarted.check?.journal == .behindOnly || restarted.check?.journal == .match)
    let name = card.made[1].name
    #expect(try restarted.recovery().unfinishedDeletions == [name])
    // Partly gone: whatever is left of it, nothing is recovered and nothing said in the log.
    for keep in [["0000.mp4.age"], ["journal.log"], [], ["receipt.note", "journal.log"]] {
      restarted.recordings[name]?.contents = card.made[1].files.contents.filter { keep.contains($0.key) }
      #expect(try restarted.restart() == [.check])
      #expect(try restarted.recovery().unfinishedDeletions == [name])
    }
    restarted.recordings[name] = nil
    #expect(try restarted.restart() == [.check])
    #expect(try restarted.recovery().unfinishedDeletions.isEmpty && restarted.report.warnings.isEmpty)
  }

  @Test("A cut between DELETE and the camera's own memory: the recording that it still remembers is not missed")
  func remembered() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    let before = try camera.logHead
    try camera.append(
      .delete(Deletion(Receipt(parsing: agency.receipt(for: made), roles: agency.rolesNote))))
    for state in [CameraMemory.RecordingState.closed, .opened] {
      var card = RestartCamera(agency)
      try card.take(camera, [made], state: state)
      card.memory.log = before
      card.recordings[made.name] = nil
      #expect(try card.restart() == [.check])
      #expect(
        card.check?.log == .behindOnly && card.check?.journal == StoreCheck.Result.none && card.report.warnings.isEmpty)
      #expect(card.memory.recordingCounter == 1 && card.memory.id == nil && card.memory.state == .none)
      #expect(try card.restart() == [.check])
    }
  }
}
