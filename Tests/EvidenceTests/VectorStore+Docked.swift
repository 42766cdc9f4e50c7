import Testing

@testable import Evidence

extension VectorStore {
  /// The store of a camera that was docked, with what its dock kept in `agency/receipts`, and in `aside` what vectors put in
  /// the place of something else.
  ///
  /// Recordings 1 and 3 are closed; 2 was deleted against a receipt between them; 4 was interrupted, and an ANCHOR names its
  /// last line; 5 is closed and in the second log. The clone has the counter of 3.
  static func makeDocked() throws -> (store: VectorStore, recordings: [TestRecording]) {
    let agency = try agency(seed: 200, hasDock: true)
    var files = notes(agency)
    let stranger = try Self.agency(seed: 230, hasDock: true)
    let thief = try NoteSigner(name: agency.dock.key.name, seed: [UInt8](repeating: 250, count: 32))

    /// A camera up to the deletion of its second recording.
    func camera(
      _ receipt: (TestRecording, DeviceLog) throws -> [UInt8]
    ) throws -> (TestCamera, first: TestRecording, note: [UInt8]) {
      let camera = try TestCamera(agency, source: source, footage: footage)
      let first = try camera.record()
      let second = try camera.record(RecordingPlan(counter: 2))
      let log = try camera.deviceLog()
      let genuine = try Receipt(
        parsing: agency.receipt(for: second, log: log, present: [first.name, second.name]), roles: agency.rolesNote)
      let note = try receipt(second, log)
      var deletion = Deletion(genuine)
      deletion.receipt = Hash32.sha256(of: note)
      try camera.append(.delete(deletion))
      return (camera, first, note)
    }
    func genuine(_ made: TestRecording, _ log: DeviceLog) throws -> [UInt8] {
      try agency.receipt(for: made, log: log, present: nil)
    }

    let device = agency.device.identity.id
    let (first, kept, note) = try camera(genuine)
    let head = try first.logHead
    let nonce = Hash32.sha256(of: [1])
    try first.append(
      .dock(
        Docking(
          DockGreeting(
            parsing: DockGreeting.make(
              issued: Agency.issued + 5, isDemo: false, device: device, nonce: nonce, signer: agency.dock),
            roles: agency.rolesNote, device: device))))
    let later = try first.record(RecordingPlan(counter: 3))
    let open = try first.record(RecordingPlan(counter: 4, segments: [[50, 60]], isClosed: false))
    let last = ChainHead(n: Int64(open.lines.count) - 1, hash: Hash32.sha256(of: try #require(open.lines.last)))
    files["agency/receipts/0000000001.anchor"] = try first.append(
      .anchor(LogAnchor(nonce: nonce, recording: .init(id: open.id, counter: 4, head: last))))
    files["agency/receipts/0000000002.note"] = note
    var records = DockRecords()
    records.add(receipt: note, roles: try agency.rolesNote)
    files["aside/since.note"] = try agency.receipt(
      for: later, log: first.deviceLog(), present: [kept, later, open].map(\.name), records: records)
    let second = try TestCamera(
      agency, startCounter: 2, after: DeviceLogWriter.Predecessor(head: first.logHead, tail: []), source: source,
      footage: footage)
    let press = TriggerFacts(source: "button", reason: "double", edge: 1_500_000_000, decided: 1_800_000_000)
    let newest = try second.record(
      RecordingPlan(
        counter: 5,
        start: StartFacts(trigger: press, preEventAsked: 30_000, preEventHeld: 1_400, shortfall: "just_started")))
    let socket = TriggerFacts(source: "socket", reason: nil, edge: 7, decided: 7)
    for fate in [
      TriggerFate(trigger: socket, result: .continued, recording: 5, count: 12),
      TriggerFate(trigger: press, result: .refused, cause: "store_full"), TriggerFate(trigger: press, result: .idle),
    ] { try second.append(.audit(.trigger(fate))) }
    for event in [JournalEvent.battery(.low, percent: 20), .power(.fail, edge: 9_000_000_000), .power(.good, edge: 9)] {
      try second.append(.audit(.event(event)))
    }
    for (name, bytes) in first.logFiles.contents { files["device/log/" + name] = bytes }
    for (name, bytes) in second.logFiles.contents { files["device/log/" + name] = bytes }

    // What a careless or hostile camera would have accepted.
    let variants: [String: (TestRecording, DeviceLog) throws -> [UInt8]] = [
      "forged": { made, log in try thief.sign(Note(parsing: genuine(made, log)).lines.map(String.init)) },
      "stale": { made, log in
        var early = made
        early.lines.removeLast()
        return try agency.receipt(for: early)
      },
      "stranger": { _, _ in
        try stranger.receipt(for: TestCamera(stranger, source: source, footage: footage).record())
      },
    ]
    for (name, receipt) in variants {
      let (camera, same, note) = try camera(receipt)
      #expect(same.lines == kept.lines)
      files["aside/\(name).log"] = camera.logBytes
      files["aside/\(name).note"] = note
    }
    files["aside/revoke.note"] = try Revocation.make(
      version: 1, issued: Agency.issued, isDemo: false, device: device, last: head, signer: agency.clerk)

    // A copy of the card and of the camera's memory goes on under the same number.
    let other = try TestCamera(
      agency, startCounter: 2, after: DeviceLogWriter.Predecessor(head: head, tail: []),
      source: { buffer in for index in buffer.indices { buffer[index] = 0x33 } }, footage: footage)
    let cloned = try other.record(RecordingPlan(counter: 3))
    for (name, bytes) in cloned.files.contents { files["aside/\(cloned.name)/\(name)"] = bytes }
    let recordings = [kept, later, open, newest]
    for recording in recordings {
      for (name, bytes) in recording.files.contents { files["recordings/\(recording.name)/\(name)"] = bytes }
    }
    return (VectorStore(files: files), recordings + [cloned])
  }
}
