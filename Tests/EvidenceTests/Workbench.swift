import Media
import Foundation
import Testing

@testable import Evidence

/// A directory in memory.
struct MemoryFiles: EvidenceFiles {
  var contents: [String: [UInt8]] = [:]

  func names() throws(ReadFailure) -> [String] { Array(contents.keys) }

  func size(of name: String) throws(ReadFailure) -> Int64 { Int64(try file(name).count) }

  func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
    let bytes = try file(name)
    guard offset < bytes.count else { return 0 }
    let count = min(buffer.count, bytes.count - Int(offset))
    bytes[Int(offset)..<(Int(offset) + count)].withUnsafeBytes { buffer.copyMemory(from: $0) }
    return count
  }

  private func file(_ name: String) throws(ReadFailure) -> [UInt8] {
    guard let bytes = contents[name] else { throw ReadFailure(file: name, reason: "no such file") }
    return bytes
  }
}

/// `#require` for a property of a value that cannot be copied.
func found<Value>(_ value: Value?) throws -> Value { try #require(value) }

func systemRandom(_ buffer: UnsafeMutableRawBufferPointer) {
  var generator = SystemRandomNumberGenerator()
  for index in buffer.indices { buffer[index] = UInt8.random(in: 0...255, using: &generator) }
}

func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

/// A command's output; fails the test when it exits with anything but 0.
@discardableResult
func run(_ command: [String], input: [UInt8]? = nil) throws -> [UInt8] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = command
  let output = Pipe()
  let errors = Pipe()
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
  let message = errors.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw CommandFailure(command: command, message: String(decoding: message, as: UTF8.self))
  }
  return bytes
}

struct CommandFailure: Error {
  let command: [String]
  let message: String
}

/// A directory on disk that is removed with the value.
final class ScratchDirectory {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    return path(name)
  }
}

/// An agency and one camera, with keys made for the test.
struct Agency {
  let root: NoteSigner
  let clerk: NoteSigner
  /// Signs receipts.
  let dock: NoteSigner
  let device: DeviceSigner
  let roles: [UInt8]
  let enrolment: [UInt8]
  let recipientsNote: [UInt8]
  let recipients: RecipientList

  static let issued: Int64 = 1_700_000_000_000

  init(
    recipients: [Recipient] = [], isDemo: Bool = false, keyPlace: EnrolNote.KeyPlace = .internal,
    notAfter: Int64? = nil, hasDock: Bool = true, random: (Int) -> [UInt8] = randomBytes
  ) throws {
    root = try NoteSigner(name: "agency-root", seed: random(32))
    let clerk = try NoteSigner(name: "agency-clerk", seed: random(32))
    self.clerk = clerk
    device = try DeviceSigner(seed: random(32))
    let fallback = try Recipient("age1qrcczfdzw94mq3yxfhk5c0aavvx5l4h2ex8cl353nyxtxl93u9zsx7r77n")
    self.recipients = try RecipientList(recipients.isEmpty ? [fallback] : recipients)
    dock = try NoteSigner(name: "agency-dock", seed: random(32))
    var grants = [RolesNote.Role.enrol, .recipients].map {
      RolesNote.Grant(role: $0, key: clerk.key, notAfter: notAfter)
    }
    if hasDock { grants.append(RolesNote.Grant(role: .receipt, key: dock.key, notAfter: notAfter)) }
    roles = try RolesNote.make(version: 1, issued: Self.issued, isDemo: isDemo, grants: grants, root: root)
    enrolment = try EnrolNote.make(
      version: 1, issued: Self.issued, isDemo: false, device: device.identity, keyPlace: keyPlace, signer: clerk)
    recipientsNote = try RecipientsNote.make(
      version: 3, issued: Self.issued, isDemo: false, recipients: self.recipients, signer: clerk)
  }

  var rolesNote: RolesNote {
    get throws { try RolesNote(parsing: roles, root: root.key) }
  }

  /// What a dock signs for a recording as it verifies it.
  func receipt(
    for made: TestRecording, log: DeviceLog? = nil, present: [String]? = nil, records: DockRecords = DockRecords(),
    version: Int64 = 1, isAcknowledged: Bool = false, issued: Int64 = Agency.issued, signer: NoteSigner? = nil
  ) throws -> [UInt8] {
    try Receipt.make(
      version: version, issued: issued, isDemo: false,
      verdict: made.verify(trust, log: log, present: present, records: records),
      files: Receipt.files(of: made.files), log: log?.receiptHead, isAcknowledged: isAcknowledged, roles: rolesNote,
      signer: signer ?? dock)
  }

  var trust: DeviceTrust {
    get throws { try DeviceTrust(root: root.key, roles: roles, enrolment: enrolment, recipients: recipientsNote) }
  }
}

func clock(_ second: Int64) -> ClockReading {
  ClockReading(wall: 1_700_000_000_000 + second * 1_000, monotonic: 5_000_000_000 + second * 1_000_000_000)
}

/// A camera that writes into memory.
final class TestCamera {
  let agency: Agency
  private var log: DeviceLogWriter
  private(set) var logFiles = MemoryFiles()
  private let logName: String
  private let startCounter: Int64
  private let source: HedgedRandomness.Source
  private let footage: (Int) -> [UInt8]
  private var second: Int64 = 0

  init(
    _ agency: Agency, startCounter: Int64 = 1, after: DeviceLogWriter.Predecessor? = nil,
    source: @escaping HedgedRandomness.Source = { systemRandom($0) },
    footage: @escaping (Int) -> [UInt8] = randomBytes
  ) throws {
    self.agency = agency
    self.startCounter = startCounter
    self.source = source
    self.footage = footage
    log = DeviceLogWriter(device: agency.device, after: after)
    logName = DeviceLogWriter.fileName(startCounter: startCounter)
    let boot = try #require(EvidenceID([UInt8](repeating: 7, count: 16)))
    logFiles.contents[logName] = try log.start(
      startCounter: startCounter, boot: boot, clock: clock(0), softwareVersion: "test")
  }

  var logBytes: [UInt8] {
    get { logFiles.contents[logName] ?? [] }
    set { logFiles.contents[logName] = newValue }
  }

  var logHead: ChainHead { get throws { try found(log.head) } }

  /// Any line; returned as a dock would keep it.
  @discardableResult
  func append(_ entry: DeviceLogEntry) throws -> [UInt8] {
    let line = try log.append(entry, clock: clock(second))
    logBytes += line
    return line
  }

  func void(_ counter: Int64) throws { logBytes += try log.void(recordingCounter: counter, clock: clock(second)) }

  func facts(_ plan: RecordingPlan) throws -> OpenFacts {
    let trust = try agency.trust
    return OpenFacts(
      recordingCounter: plan.counter, startCounter: startCounter,
      boot: try #require(EvidenceID([UInt8](repeating: 7, count: 16))), deviceLog: try logHead,
      recipients: try #require(trust.recipients), roles: try #require(trust.roles), isDemo: plan.isDemo,
      camera: plan.camera, microphone: .none, clock: clock(second), clockSource: .ntp, clockTrust: .synchronized,
      softwareVersion: plan.version, softwareHash: Hash32.sha256(of: [1]), configurationHash: Hash32.sha256(of: [2]),
      start: plan.start)
  }

  /// Makes a whole recording and its device-log lines.
  func record(_ plan: RecordingPlan = RecordingPlan()) throws -> TestRecording {
    var unborn = HedgedRandomness(source: source, deviceSecret: [1, 2, 3], id: nil, counter: plan.counter)
    let id = try EvidenceID.random(from: &unborn)
    var randomness = HedgedRandomness(source: source, deviceSecret: [1, 2, 3], id: id, counter: plan.counter)
    var journal = try JournalWriter(id: id, device: agency.device, randomness: &randomness)
    var made = TestRecording(id: id, counter: plan.counter)
    made.lines.append(try journal.open(facts(plan)))
    let openHash = try found(journal.head).hash
    if plan.isLogged {
      logBytes += try log.opened(id: id, recordingCounter: plan.counter, openHash: openHash, clock: clock(second))
    }
    for (number, ranges) in plan.segments.enumerated() {
      var stream = try SegmentStream(
        segment: number, recipients: plan.recipients ?? agency.recipients, randomness: randomness)
      var file = stream.header
      var plaintext = InitSegment(
        video: nil, audio: nil, salt: stream.initSalt, facts: [("recording", "\(id)"), ("segment", "\(number)")]
      ).bytes()
      made.lines.append(try journal.segment(stream, initSegment: plaintext))
      var start = 0
      for size in ranges {
        plaintext += size > 0 ? footage(size) : []
        while start < plaintext.count {
          start += plaintext[start...].withUnsafeBytes { stream.append($0.bytes) }
          if stream.isFull {
            try stream.sealFullChunk()
            stream.withSealedChunk { sealed in sealed.withUnsafeBytes { file += $0 } }
          }
        }
        let padding = stream.hasNewBytes ? stream.paddingByteCount : 0
        let seal = try stream.checkpoint { sealed in sealed.withUnsafeBytes { file += $0 } }
        plaintext += [UInt8](repeating: 0, count: padding)
        start = plaintext.count
        second += 1
        made.lines.append(
          try journal.checkpoint(
            seal,
            CheckpointFacts(
              mediaTime: second * 1_000_000, firstIDR: nil, clock: clock(second),
              lag: plan.lags[made.seals.count] ?? 200, framesLost: 0, samplesLost: 0)))
        made.seals.append(seal)
        for event in plan.events[made.seals.count - 1] ?? [] {
          made.lines.append(try journal.event(event, clock(second)))
        }
        #expect(Int64(file.count) == seal.length)
      }
      let name = EvidenceName.segment(number)
      if plan.abandoned == number {
        made.lines.append(try journal.abandon(.sync))
      } else if plan.isClosed || number < plan.segments.count - 1 {
        file += try #require(made.seals.last).terminator
        made.lines.append(try journal.endSegment())
      }
      made.segments[name] = file
      made.plaintextCounts[name] = plaintext.count
    }
    if plan.isClosed {
      made.lines.append(try journal.close(.stop, duration: second * 1_000_000, clock(second)))
      if plan.isLogged {
        let head = try found(journal.head)
        logBytes += try log.closed(id: id, recordingCounter: plan.counter, head: head, clock: clock(second))
      }
    }
    return made
  }
}

struct RecordingPlan {
  var counter: Int64 = 1
  /// Bytes of footage in each range of each segment; 0 makes an idle checkpoint.
  var segments: [[Int]] = [[100]]
  var abandoned: Int?
  var isClosed = true
  var isLogged = true
  var isDemo = false
  var camera = CameraKind.v4l2
  var version = "test"
  /// Whom the segments are sealed for, if not for those of the agency's recipients.note.
  var recipients: RecipientList?
  var start: StartFacts?
  /// ms, by the number of the checkpoint; 200 where there is none.
  var lags: [Int: Int64] = [:]
  /// EVT lines behind the checkpoints, by the number of the checkpoint.
  var events: [Int: [JournalEvent]] = [:]
}

struct TestRecording {
  let id: EvidenceID
  let counter: Int64
  var lines: [[UInt8]] = []
  var segments: [String: [UInt8]] = [:]
  var plaintextCounts: [String: Int] = [:]
  var seals: [CheckpointSeal] = []

  init(id: EvidenceID, counter: Int64) {
    self.id = id
    self.counter = counter
  }

  var name: String { EvidenceName.recording(counter: counter, id: id) }

  var files: MemoryFiles {
    var contents = segments
    contents[EvidenceName.journal] = lines.flatMap { $0 }
    return MemoryFiles(contents: contents)
  }

  func verify(
    _ trust: DeviceTrust?, log: DeviceLog? = nil, present: [String]? = nil, records: DockRecords = DockRecords()
  ) throws -> Verdict {
    try RecordingVerifier(
      directoryName: name, trust: trust, deviceLog: log, presentRecordings: present, records: records
    ).verify(files)
  }

  /// As a camera finds it before it deletes it.
  func stored(_ device: DeviceIdentity) throws -> StoredRecording {
    try StoredRecording(files, id: id, counter: counter, device: device)
  }
}

extension TestCamera {
  func deviceLog() throws -> DeviceLog { try DeviceLog(files: logFiles, device: agency.device.identity) }
}
