import Foundation
import Testing

@testable import Evidence

/// One change to a store in memory, as in a vector's `edits.json`; offsets count from the start of the file.
struct Edit: Codable, Hashable {
  struct Source: Codable, Hashable {
    var file: String
    var offset: Int
    var count: Int
  }

  var rename: String?
  var to: String?
  var delete: String?
  var file: String?
  var offset: Int?
  var remove: Int?
  /// Hexadecimal.
  var insert: String?
  /// Bytes of the store as it was before all edits.
  var from: Source?

  static func rename(_ path: String, to: String) -> Edit { Edit(rename: path, to: to) }
  static func delete(_ path: String) -> Edit { Edit(delete: path) }

  static func replace(_ file: String, _ range: Range<Int>, with bytes: [UInt8] = []) -> Edit {
    Edit(
      file: file, offset: range.lowerBound, remove: range.count,
      insert: bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
  }

  static func replace(_ file: String, _ range: Range<Int>, from source: String, _ other: Range<Int>) -> Edit {
    Edit(
      file: file, offset: range.lowerBound, remove: range.count,
      from: Source(file: source, offset: other.lowerBound, count: other.count))
  }
}

/// What both readers are asked: a recording of a store after edits.
struct VectorCase: Codable, Hashable {
  /// One line for people.
  var what: String
  var store: String
  var recording: String
  /// Whether the store's device log and its other recordings are looked at.
  var deviceLog: Bool
  var edits: [Edit]
}

struct ExpectedAnswers: Codable, Hashable {
  var integrity: String
  var end: String
  var completeness: String
  var headline: String

  init(_ integrity: Integrity, _ end: RecordingEnd, _ completeness: Completeness, _ headline: String) {
    self.integrity = integrity.rawValue
    self.end = end.rawValue
    self.completeness = completeness.rawValue
    self.headline = headline
  }

  init(_ verdict: Verdict) {
    self.init(verdict.integrity, verdict.end, verdict.completeness, verdict.headline.word)
  }
}

/// A store with its agency's notes, in memory: path to bytes.
struct VectorStore {
  var files: [String: [UInt8]]

  func below(_ folder: String) -> MemoryFiles {
    var result = MemoryFiles()
    for (path, bytes) in files where path.hasPrefix(folder + "/") {
      result.contents[String(path.dropFirst(folder.count + 1))] = bytes
    }
    return result
  }

  func edited(_ edits: [Edit]) throws -> VectorStore {
    var store = self
    for edit in edits {
      if let old = edit.rename, let new = edit.to {
        for path in store.files.keys where path == old || path.hasPrefix(old + "/") {
          store.files[new + path.dropFirst(old.count)] = store.files.removeValue(forKey: path)
        }
      } else if let old = edit.delete {
        for path in store.files.keys where path == old || path.hasPrefix(old + "/") { store.files[path] = nil }
      } else if let file = edit.file {
        var bytes = store.files[file] ?? []
        let start = min(edit.offset ?? 0, bytes.count)
        let end = min(start + (edit.remove ?? 0), bytes.count)
        var insert = try edit.insert.map(Self.hex) ?? []
        if let from = edit.from {
          insert = Array((files[from.file] ?? []).dropFirst(from.offset).prefix(from.count))
        }
        bytes.replaceSubrange(start..<end, with: insert)
        store.files[file] = bytes
      }
    }
    return store
  }

  private static func hex(_ text: String) throws -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count.isMultiple(of: 2) else { throw BadVector(what: "hex: \(text)") }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  struct BadVector: Error { let what: String }

  func trust() throws -> DeviceTrust {
    func file(_ path: String) throws -> [UInt8] {
      guard let bytes = files[path] else { throw BadVector(what: path) }
      return bytes
    }
    let root = try String(decoding: file("agency/root.key"), as: UTF8.self)
    return try DeviceTrust(
      root: VerifierKey(root.trimmingCharacters(in: .newlines)), roles: file("agency/roles.note"),
      enrolment: file("device/enrol.note"), recipients: file("agency/recipients.note"),
      revocations: Array(below("agency/revoked").contents.values))
  }

  /// What docks keep. What is none of it counts for nothing.
  func records(_ trust: DeviceTrust) throws -> DockRecords {
    var records = DockRecords()
    let root = try VerifierKey(
      String(decoding: files["agency/root.key"] ?? [], as: UTF8.self).trimmingCharacters(in: .newlines))
    let roles = try RolesNote(parsing: files["agency/roles.note"] ?? [], root: root)
    for (name, bytes) in below("agency/receipts").contents.sorted(by: { $0.key < $1.key }) {
      if name.hasSuffix(EvidenceName.noteSuffix) { records.add(receipt: bytes, roles: roles) }
      if name.hasSuffix(EvidenceName.anchorSuffix) { try? records.add(anchor: bytes, device: trust.device) }
    }
    return records
  }

  func verdict(_ one: VectorCase) throws -> Verdict {
    let store = try edited(one.edits)
    let trust = try store.trust()
    var log: DeviceLog?
    var present: [String]?
    if one.deviceLog {
      log = try DeviceLog(files: store.below("device/log"), device: trust.device)
      let names = store.below("recordings").contents.keys.compactMap { $0.split(separator: "/").first.map(String.init) }
      present = Array(Set(names))
    }
    return try RecordingVerifier(
      directoryName: one.recording, trust: trust, deviceLog: log, presentRecordings: present,
      records: store.records(trust)
    ).verify(store.below("recordings/" + one.recording))
  }

  // MARK: Made

  /// The clean store of Tests/Vectors: fixed keys, fixed randomness, the same bytes every time.
  ///
  /// Recording 1 is closed and has two segments; 2 was interrupted, and the device log behind it torn; 3 was made by the next
  /// start of the recorder.
  static func make() throws -> (store: VectorStore, recordings: [TestRecording]) {
    let agency = try agency(seed: 0)
    let first = try TestCamera(agency, source: source, footage: footage)
    let closed = try first.record(RecordingPlan(segments: [[100, 0, 300], [200]]))
    let cut = try first.record(RecordingPlan(counter: 2, segments: [[50, 0]], isClosed: false))
    let tail = Array("LAPEL1 CLOSED n=4 id=".utf8)
    let second = try TestCamera(
      agency, startCounter: 2, after: DeviceLogWriter.Predecessor(head: first.logHead, tail: tail), source: source,
      footage: footage)
    let last = try second.record(RecordingPlan(counter: 3))
    var files = notes(agency)
    for (name, bytes) in first.logFiles.contents { files["device/log/" + name] = bytes + tail }
    for (name, bytes) in second.logFiles.contents { files["device/log/" + name] = bytes }
    for recording in [closed, cut, last] {
      for (name, bytes) in recording.files.contents { files["recordings/\(recording.name)/\(name)"] = bytes }
    }
    return (VectorStore(files: files), [closed, cut, last])
  }

  /// The store of a camera that was cut off three times, with what its starts wrote of it.
  ///
  /// Recording 1 is closed; one start did not find it. 2 was interrupted with a tail in its segment and a torn line, and
  /// recovered. 3 is closed, and a later start had to say so. 4 was cut off in OPEN and is void.
  static func makeRestarted() throws -> (store: VectorStore, recordings: [TestRecording]) {
    let agency = try agency(seed: 100)
    let first = try TestCamera(agency, source: source, footage: footage)
    let closed = try first.record()
    var cut = try first.record(RecordingPlan(counter: 2, segments: [[50], [60, 70]], isClosed: false))
    cut.segments[EvidenceName.segment(1)]? += footage(300)
    cut.lines.append(Array("LAPEL1 CKPT n=7 seg=".utf8))
    var card = RestartCamera(agency)
    try card.take(first, [closed, cut], state: .opened)
    try card.restart()

    func next() throws -> TestCamera {
      card.memory.startCounter += 1
      let camera = try TestCamera(
        agency, startCounter: card.memory.startCounter,
        after: DeviceLogWriter.Predecessor(head: found(card.deviceLog().head), tail: []), source: source,
        footage: footage)
      card.memory.log = try camera.logHead
      card.logs.contents.merge(camera.logFiles.contents) { $1 }
      return camera
    }
    func remember(_ made: TestRecording, _ state: CameraMemory.RecordingState) {
      card.memory.recordingCounter = made.counter
      card.memory.id = made.id
      card.memory.state = state
      card.memory.journal = state == .opened ? ChainHead(n: 0, hash: Hash32.sha256(of: made.lines[0])) : nil
    }
    let late = try next().record(RecordingPlan(counter: 3, isLogged: false))
    remember(late, .opened)
    card.recordings[late.name] = late.files
    card.recordings[closed.name] = nil
    #expect(try card.restart() == [.check, .lost, .opened, .closed])
    card.recordings[closed.name] = closed.files

    var void = try next().record(RecordingPlan(counter: 4, segments: [], isLogged: false))
    void.lines = [Array(void.lines[0].prefix(120))]
    void.segments = [:]
    remember(void, .reserved)
    card.recordings[void.name] = void.files
    #expect(try card.restart() == [.check, .void])

    var files = notes(agency)
    for (name, bytes) in card.logs.contents { files["device/log/" + name] = bytes }
    for (recording, contents) in card.contents {
      for (name, bytes) in contents { files["recordings/\(recording)/\(name)"] = bytes }
    }
    return (VectorStore(files: files), [closed, cut, late, void])
  }

  /// Two recordings of a camera whose agency chose a post-quantum recipient; the second is sealed for another type than
  /// the note names. The segments are different each time: half of an X-Wing encapsulation comes from the system's generator.
  static func makePostQuantum(_ recipient: Recipient) throws -> (store: VectorStore, recordings: [TestRecording]) {
    let agency = try agency(seed: 0xC0, recipients: [recipient])
    let camera = try TestCamera(agency, source: source, footage: footage)
    let made = try [
      camera.record(),
      camera.record(RecordingPlan(counter: 2, recipients: Agency(random: randomBytes).recipients)),
    ]
    var files = notes(agency)
    for (name, bytes) in camera.logFiles.contents { files["device/log/" + name] = bytes }
    for one in made {
      for (name, bytes) in one.files.contents { files["recordings/\(one.name)/\(name)"] = bytes }
    }
    return (VectorStore(files: files), made)
  }

  static func agency(seed first: UInt8, hasDock: Bool = false, recipients: [Recipient] = []) throws -> Agency {
    var seed = first
    return try Agency(
      recipients: recipients, hasDock: hasDock,
      random: { count in
        seed += 1
        return [UInt8](repeating: seed, count: count)
      })
  }

  /// The draws of HedgedRandomness are told apart by their number and use.
  static let source: HedgedRandomness.Source = { buffer in
    for index in buffer.indices { buffer[index] = 0x5A }
  }

  static func footage(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

  static func notes(_ agency: Agency) -> [String: [UInt8]] {
    [
      "agency/root.key": Array("\(agency.root.key)\n".utf8), "agency/roles.note": agency.roles,
      "agency/recipients.note": agency.recipientsNote, "device/enrol.note": agency.enrolment,
    ]
  }
}
