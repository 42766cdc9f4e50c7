import Testing

@testable import Evidence

@Suite("Receipts, and what they let a camera delete")
struct ReceiptTests {
  /// A camera with one closed recording and a dock's receipt for it.
  private struct Docked {
    let agency: Agency
    let camera: TestCamera
    let made: TestRecording
    let note: [UInt8]
    let receipt: Receipt

    init() throws {
      agency = try Agency()
      camera = try TestCamera(agency)
      made = try camera.record(RecordingPlan(segments: [[100], [200, 300]]))
      note = try agency.receipt(for: made, log: camera.deviceLog(), present: [made.name])
      receipt = try Receipt(parsing: note, roles: agency.rolesNote)
    }

    func refusal(of receipt: Receipt? = nil, _ stored: StoredRecording? = nil, device: EvidenceID? = nil) throws
      -> ReceiptRefusal?
    {
      do {
        try (receipt ?? self.receipt).requirePermission(
          toDelete: stored ?? made.stored(agency.device.identity), of: device ?? agency.device.identity.id)
        return nil
      } catch let refusal as ReceiptRefusal {
        return refusal
      }
    }
  }

  private func refusal(_ note: [UInt8], _ roles: RolesNote) -> ReceiptRefusal? {
    do throws(ReceiptRefusal) {
      _ = try Receipt(parsing: note, roles: roles)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "A receipt says what the dock verified and holds: every file's name, size and hash, sorted, and the camera agrees")
  func roundTrip() throws {
    let docked = try Docked()
    let receipt = docked.receipt
    #expect(receipt.files.map(\.name) == ["0000.mp4.age", "0001.mp4.age", "journal.log"])
    for file in receipt.files {
      let bytes = try #require(docked.made.files.contents[file.name])
      #expect(file.size == bytes.count && file.hash == Hash32.sha256(of: bytes))
    }
    #expect(receipt.id == docked.made.id && receipt.counter == 1 && receipt.device == docked.agency.device.identity.id)
    #expect(receipt.openHash == Hash32.sha256(of: docked.made.lines[0]))
    #expect(receipt.last.hash == Hash32.sha256(of: try #require(docked.made.lines.last)))
    #expect(receipt.last.n == Int64(docked.made.lines.count) - 1)
    #expect((receipt.integrity, receipt.end, receipt.completeness) == (.intact, .closed, .continuous))
    let head = try docked.camera.logHead
    #expect(receipt.log == Receipt.LogHead(head: head, lastCounter: 1) && receipt.dock == docked.agency.dock.key)
    #expect(try docked.refusal() == nil)
  }

  @Test("A receipt with any byte changed, or cut off after any byte, is refused")
  func changed() throws {
    let docked = try Docked()
    let roles = try docked.agency.rolesNote
    for index in docked.note.indices {
      var note = docked.note
      note[index] ^= 2
      #expect(refusal(note, roles) != nil, "byte \(index)")
      #expect(refusal(Array(docked.note.prefix(index)), roles) != nil, "cut at \(index)")
    }
    guard case .malformed = try #require(refusal(Array(docked.note.dropLast(3)), roles)) else {
      Issue.record("a truncated receipt is malformed")
      return
    }
  }

  @Test(
    "A receipt by a key without the role, in another dock's name, or after the grant's end has a refusal of its own")
  func forged() throws {
    let docked = try Docked()
    let agency = docked.agency
    let lines = try Note(parsing: docked.note).lines.map(String.init)
    let roles = try agency.rolesNote
    // The clerk may enrol and name recipients, and no more.
    let clerk = lines.map { $0.hasPrefix("dock ") ? "dock \(agency.clerk.key)" : $0 }
    #expect(refusal(try agency.clerk.sign(clerk), roles) == .forged("agency-clerk"))
    #expect(refusal(try agency.clerk.sign(lines), roles) == .forged("agency-dock"))
    // A thief with a key of the same name.
    let thief = try NoteSigner(name: "agency-dock", seed: randomBytes(32))
    #expect(refusal(try thief.sign(lines), roles) == .forged("agency-dock"))
    let own = lines.map { $0.hasPrefix("dock ") ? "dock \(thief.key)" : $0 }
    #expect(refusal(try thief.sign(own), roles) == .forged("agency-dock"))
    // Two docks: one may not speak for the other, although both may sign receipts.
    let second = try NoteSigner(name: "second-dock", seed: randomBytes(32))
    func grants(_ notAfter: Int64?) throws -> RolesNote {
      try RolesNote(
        parsing: RolesNote.make(
          version: 2, issued: 1, isDemo: false,
          grants: [
            .init(role: .receipt, key: agency.dock.key, notAfter: notAfter),
            .init(role: .receipt, key: second.key, notAfter: nil),
          ], root: agency.root), root: agency.root.key)
    }
    #expect(refusal(try second.sign(lines), try grants(nil)) == .forged("agency-dock"))
    #expect(refusal(docked.note, try grants(Agency.issued)) == nil)
    #expect(refusal(docked.note, try grants(Agency.issued - 1)) == .expired("agency-dock"))
  }

  @Test(
    "A signed receipt whose text breaks a rule is refused as none",
    arguments: [
      ("lapel/receipt v1", "lapel/receipt v2"), ("version 1", "version 0"), ("recording 1 ", "recording 01 "),
      ("log ", "log x "), ("answers INTACT", "answers intact"), ("answers INTACT", "answers FINE"),
      ("file 0001.mp4.age", "file 0000.mp4.age"), ("file 0000.mp4.age", "file 0002.mp4.age"),
      ("file journal.log", "file receipt.note"), ("file 0000.mp4.age", "file ../0000.mp4.age"),
      ("file 0000.mp4.age ", "file 0000.mp4.age 1 "), ("open ", "opened "),
    ])
  func rules(_ old: String, _ new: String) throws {
    let docked = try Docked()
    let lines = try Note(parsing: docked.note).lines.map { line in
      line.hasPrefix(old) ? new + line.dropFirst(old.utf8.count) : String(line)
    }
    #expect(try Note(parsing: docked.note).lines.contains { $0.hasPrefix(old) })
    guard case .malformed = refusal(try docked.agency.dock.sign(lines), try docked.agency.rolesNote) else {
      Issue.record("\(new) was taken")
      return
    }
  }

  @Test("A receipt without the journal, or without one of the recording's segments, deletes nothing")
  func incomplete() throws {
    let docked = try Docked()
    let roles = try docked.agency.rolesNote
    let lines = try Note(parsing: docked.note).lines.map(String.init)
    guard
      case .malformed = refusal(
        try docked.agency.dock.sign(lines.filter { !$0.hasPrefix("file journal") }), roles)
    else {
      Issue.record("a receipt without the journal was taken")
      return
    }
    let less = try Receipt(
      parsing: docked.agency.dock.sign(lines.filter { !$0.hasPrefix("file 0001") }), roles: roles)
    #expect(try docked.refusal(of: less) == .notCopied("0001.mp4.age"))
  }

  @Test("Another camera's receipt, and one replayed for another recording, delete nothing")
  func replayed() throws {
    let docked = try Docked()
    let device = docked.agency.device.identity.id
    let stranger = try Docked()
    #expect(try docked.refusal(of: stranger.receipt) == .otherCamera(stranger.agency.device.identity.id))
    let second = try docked.camera.record(RecordingPlan(counter: 2))
    let stored = try second.stored(docked.agency.device.identity)
    #expect(try docked.refusal(stored) == .otherRecording(counter: 1, id: docked.made.id))
    // The same id and counter, and another OPEN: a recording made by a clone.
    let own = try docked.made.stored(docked.agency.device.identity)
    let clone = StoredRecording(
      id: own.id, counter: own.counter, openHash: Hash32.sha256(of: [1]), last: own.last, files: own.files, others: [])
    #expect(try docked.refusal(clone, device: device) == .otherRecording(counter: 1, id: own.id))
    let nothing = StoredRecording(
      id: own.id, counter: own.counter, openHash: nil, last: nil, files: own.files, others: [])
    #expect(try docked.refusal(nothing) == .otherRecording(counter: 1, id: own.id))
  }

  @Test("A receipt that is older than the recording is stale: a later line, a longer file; another byte is a change")
  func stale() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    var made = try camera.record(RecordingPlan(segments: [[100]], isClosed: false))
    let whole = try camera.record(RecordingPlan(counter: 2))
    let receipt = try Receipt(parsing: agency.receipt(for: made), roles: agency.rolesNote)
    func refusal(_ made: TestRecording) throws -> ReceiptRefusal? {
      do {
        try receipt.requirePermission(toDelete: made.stored(agency.device.identity), of: agency.device.identity.id)
        return nil
      } catch let refusal as ReceiptRefusal {
        return refusal
      }
    }
    #expect(try refusal(made) == nil)
    let before = made
    made.segments["0000.mp4.age"]?.append(7)
    guard case .stale = try refusal(made) else {
      Issue.record("a longer file was taken")
      return
    }
    made = before
    made.lines.append(Array("LAPEL1 torn".utf8))
    guard case .stale = try refusal(made) else {
      Issue.record("a longer journal was taken")
      return
    }
    made = before
    made.segments["0001.mp4.age"] = []
    #expect(try refusal(made) == .notCopied("0001.mp4.age"))
    made = before
    made.segments["0000.mp4.age"]?[300] ^= 1
    #expect(try refusal(made) == .changed("0000.mp4.age"))
    made = before
    made.segments["0000.mp4.age"]?.removeLast()
    #expect(try refusal(made) == .changed("0000.mp4.age"))
    made = before
    made.segments["0000.mp4.age"] = nil
    #expect(try refusal(made) == .gone("0000.mp4.age"))
    made = before
    made.segments["notes.txt"] = [1]
    #expect(try refusal(made) == .notCopied("notes.txt"))
    made = before
    made.segments[EvidenceName.receipt] = [1]
    #expect(try refusal(made) == nil)
    // A recording that was closed after the dock had copied it.
    var plan = whole
    plan.lines.removeLast()
    let early = try Receipt(parsing: agency.receipt(for: plan), roles: agency.rolesNote)
    #expect {
      try early.requirePermission(toDelete: whole.stored(agency.device.identity), of: agency.device.identity.id)
    } throws: { error in
      if case .stale = error as? ReceiptRefusal { true } else { false }
    }
  }

  @Test(
    "Which answers permit deletion: a whole or cut-off recording; what is wrong with it itself must be acknowledged")
  func permission() {
    for end in [RecordingEnd.closed, .interrupted] {
      for completeness in [
        Completeness.continuous, .notChecked, .tornDeviceLog, .missingRecording, .rollback,
      ] { #expect(DeletionPermission(.intact, end, completeness) == .permitted) }
    }
    #expect(DeletionPermission(.altered, .closed, .continuous) == .acknowledged(["ALTERED"]))
    #expect(
      DeletionPermission(.revoked, .truncated, .missingSegment)
        == .acknowledged(["REVOKED", "TRUNCATED", "MISSING_SEGMENT"]))
    #expect(DeletionPermission(.intact, .closed, .equivocation) == .acknowledged(["EQUIVOCATION"]))
    for integrity in [Integrity.unsupported, .unknownDevice, .unsigned] {
      #expect(DeletionPermission(integrity, .closed, .continuous) == .never(integrity.rawValue))
    }
  }

  @Test("ALTERED is deleted only against a receipt that names it as acknowledged, exactly")
  func acknowledged() throws {
    let agency = try Agency()
    var made = try TestCamera(agency).record()
    made.segments["0000.mp4.age"]?[300] ^= 1
    #expect { try agency.receipt(for: made) } throws: { $0 as? ReceiptRefusal == .notPermitted(["ALTERED"]) }
    let note = try agency.receipt(for: made, isAcknowledged: true)
    let receipt = try Receipt(parsing: note, roles: agency.rolesNote)
    #expect(receipt.acknowledged == ["ALTERED"])
    try receipt.requirePermission(toDelete: made.stored(agency.device.identity), of: agency.device.identity.id)
    // A dock that signs the answer without the acknowledgement, or with another one.
    let lines = try Note(parsing: note).lines.map(String.init)
    for line in ["", "acknowledged TRUNCATED", "acknowledged ALTERED TRUNCATED"] {
      let changed = lines.compactMap { $0.hasPrefix("acknowledged") ? (line.isEmpty ? nil : line) : $0 }
      #expect(refusal(try agency.dock.sign(changed), try agency.rolesNote) == .notPermitted(["ALTERED"]))
    }
    // And one that acknowledges where nothing is to be acknowledged, or signs for what is none of its recordings.
    let clean = try Note(parsing: agency.receipt(for: TestCamera(agency).record())).lines.map(String.init)
    let needless = clean.flatMap { $0.hasPrefix("answers") ? [$0, "acknowledged ALTERED"] : [$0] }
    #expect(refusal(try agency.dock.sign(needless), try agency.rolesNote) == .notPermitted(["ALTERED"]))
    let unknown = clean.map { $0.hasPrefix("answers") ? "answers UNKNOWN_DEVICE CLOSED CONTINUOUS" : $0 }
    #expect(refusal(try agency.dock.sign(unknown), try agency.rolesNote) == .notPermitted(["UNKNOWN_DEVICE"]))
  }

  @Test("A receipt has room for every segment that a recording can have, and a note of another kind has not")
  func room() throws {
    let docked = try Docked()
    var lines = try Note(parsing: docked.note).lines.map(String.init).filter { !$0.hasPrefix("file") }
    let hash = Hash32.sha256(of: [])
    for number in 0...9999 { lines.append("file \(EvidenceName.segment(number)) 4503599627370496 \(hash)") }
    lines.append("file journal.log 1 \(hash)")
    let note = try docked.agency.dock.sign(lines, limit: Receipt.byteLimit)
    #expect(try Receipt(parsing: note, roles: docked.agency.rolesNote).files.count == 10_001)
    #expect(throws: EvidenceError.self) { try Note(parsing: note) }
  }
}
