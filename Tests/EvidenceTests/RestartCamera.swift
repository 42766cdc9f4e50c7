import Testing

@testable import Evidence

/// A camera whose card and memory are values: what a start of it finds and writes, without any file.
struct RestartCamera: EvidenceCard {
  let agency: Agency
  var recordings: [String: MemoryFiles] = [:]
  var others: [String] = []
  var logs = MemoryFiles()
  var memory = CameraMemory(
    startCounter: 0, recordingCounter: 0, state: .none, id: nil, journal: nil, log: nil)
  private(set) var report = RecoveryReport()
  /// What the last start wrote behind START.
  private(set) var entries: [DeviceLogEntry] = []

  init(_ agency: Agency) { self.agency = agency }

  func recordingNames() throws(ReadFailure) -> [String] { Array(recordings.keys) + others }

  func recording(_ name: String) throws(ReadFailure) -> MemoryFiles {
    guard let files = recordings[name] else { throw ReadFailure(file: name, reason: "no such directory") }
    return files
  }

  /// Takes what a camera wrote in its first start, with what it would remember of it.
  mutating func take(_ camera: TestCamera, _ made: [TestRecording], state: CameraMemory.RecordingState) throws {
    logs = camera.logFiles
    for recording in made { recordings[recording.name] = recording.files }
    let last = try #require(made.last)
    memory = CameraMemory(
      startCounter: 1, recordingCounter: last.counter, state: state, id: last.id,
      journal: state == .reserved ? nil : ChainHead(n: 0, hash: Hash32.sha256(of: last.lines[0])),
      log: try camera.logHead)
  }

  /// A start of the recorder, as the store does it. With `entryLimit` it is cut off behind so many lines.
  @discardableResult
  mutating func restart(cutAfter entryLimit: Int? = nil, remembers: Bool = true) throws -> [DeviceLogType] {
    let device = agency.device
    let earlier = try DeviceLog(files: logs, device: device.identity, trusting: memory.log)
    memory.startCounter = max(memory.startCounter, earlier.lastStart) + 1
    var writer = DeviceLogWriter(device: device, after: earlier.predecessor(remembered: memory.log))
    let boot = try #require(EvidenceID([UInt8](repeating: 8, count: 16)))
    let time = clock(1_000 * memory.startCounter)
    var log = try writer.start(
      startCounter: memory.startCounter, boot: boot, clock: time, softwareVersion: "test")
    let recovery = try StartRecovery(memory: memory, log: earlier, card: self)
    entries = recovery.entries
    report = recovery.report
    for entry in entries.prefix(entryLimit ?? .max) { log += try writer.append(entry, clock: time) }
    logs.contents[DeviceLogWriter.fileName(startCounter: memory.startCounter)] = log
    if entryLimit == nil, remembers {
      let head = try found(writer.head)
      memory = recovery.memory
      memory.log = head
    }
    return entries.map(\.type)
  }

  /// What a start would decide now.
  func recovery() throws -> StartRecovery { try StartRecovery(memory: memory, log: deviceLog(), card: self) }

  func deviceLog() throws -> DeviceLog { try DeviceLog(files: logs, device: agency.device.identity) }

  /// Every file of every recording, to see that nothing was touched.
  var contents: [String: [String: [UInt8]]] { recordings.mapValues(\.contents) }

  func verify(_ name: String, present: Bool = true) throws -> Verdict {
    try RecordingVerifier(
      directoryName: name, trust: agency.trust, deviceLog: deviceLog(),
      presentRecordings: present ? Array(recordings.keys) : nil
    ).verify(#require(recordings[name]))
  }

  var check: StoreCheck? {
    for case .check(let check) in entries { return check }
    return nil
  }

  var recovered: [RecoveredJournal] {
    entries.compactMap { if case .recover(let journal) = $0 { journal } else { nil } }
  }

  var recoveredFiles: [RecoveredFile] {
    entries.compactMap { if case .recoverFile(let file) = $0 { file } else { nil } }
  }
}

extension Verdict {
  func has(_ answer: Finding.Answer) -> Bool { findings.contains { $0.answer == answer } }
}
