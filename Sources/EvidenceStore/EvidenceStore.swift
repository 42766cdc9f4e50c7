public import Evidence
import Glibc
import LinuxIO

/// The recordings on a card, opened by one recorder at a time. Everything here blocks as long as the card does and is
/// called on the store thread only.
///
/// ```
/// STORE/device/log/<start counter>.log     STORE/device/{roles,enrol,recipients}.note
/// STORE/recordings/<counter>-<id>/journal.log 0000.mp4.age …
/// ```
public struct EvidenceStore: ~Copyable {
  public let path: String
  let parties: RecordingParties
  private let facts: ProcessFacts
  private let options: Options
  /// Nil after a `reopen` that failed: nothing is written until one succeeds.
  private(set) var lock: InstanceLock?
  let recordings: Directory
  var log: DeviceLogFile
  var counters: InternalStore
  private let startCounter: Int64
  private let boot: EvidenceID
  let sealingMemory: LockedMemory
  /// What this start found of the ones before it.
  public private(set) var recovery: RecoveryReport

  /// Opens the store, counts this start, makes START durable in a new device log and behind it what the starts before left:
  /// CHECK, and for each interrupted recording what is there of it. Reads the device log, the journals that the log does not
  /// know the end of, and what lies behind their last checkpoints; writes to no file that was there before.
  ///
  /// - Parameters:
  ///   - path: the store's directory; made when its parent exists.
  ///   - identityPath: where enrolment put the device key; the counters live beside it, never on the card.
  ///   - isLabStore: accept a file system on which the loss bound was not measured.
  public static func open(
    path: String, identityPath: String, parties: RecordingParties, facts: ProcessFacts, isLabStore: Bool,
    allowSwap: Bool
  ) throws(StoreError) -> EvidenceStore {
    try open(
      path: path, parties: parties, facts: facts,
      options: Options(identityPath: identityPath, isLabStore: isLabStore, allowSwap: allowSwap))
  }

  /// How the store was opened, to open it again.
  private struct Options {
    var identityPath: String
    var isLabStore: Bool
    var allowSwap: Bool
  }

  /// After the card failed: opens the store anew, as a start does, with a new device log that says what the failure left.
  /// The card may be another one by then, or the same on a new mount; a directory without a store is refused, because
  /// that is where a card was.
  ///
  /// No recording of this store may be open. After an error nothing can be written before a `reopen` succeeds.
  public mutating func reopen() throws(StoreError) {
    guard access("\(path)/device/log", F_OK) == 0 else {
      throw StoreError(.store, "there is no store at \(path) any more: put the card back, or restart the recorder")
    }
    lock = nil
    self = try .open(path: path, parties: parties, facts: facts, options: options)
  }

  private static func open(
    path: String, parties: RecordingParties, facts: ProcessFacts, options: Options
  ) throws(StoreError) -> EvidenceStore {
    let (fileSystem, bootID) = try onCard(.store) { () throws(LinuxError) in
      for directory in [path, "\(path)/device", "\(path)/device/log", "\(path)/recordings"] {
        try Directory.make(path: directory, mode: 0o750, allowingExisting: true)
      }
      try Directory(path: path).sync()
      try Directory(path: "\(path)/device").sync()
      // After a crash the kernel may still hold what the process before wrote. What is attested at this start must be on
      // the card before the line that attests it.
      try Directory(path: path).syncFileSystem()
      return (try FileSystemStatus(path: path).typeName, try kernelBootID())
    }
    let lock = try onCard(.store) { () throws(LinuxError) in try InstanceLock(path: "\(path)/device/lock") }
    guard options.isLabStore || measuredFileSystems.contains(fileSystem) else {
      throw StoreError(
        .store,
        "the store \(path) is on \(fileSystem); the loss bound was measured on "
          + "\(measuredFileSystems.joined(separator: " and ")) only. Use such a card, or set "
          + "store.lab_store = true for a lab store.")
    }
    guard let boot = EvidenceID(hex: bootID.filter { $0 != "-" }) else {
      throw StoreError(.store, "the kernel's boot id is not 128 bits; is /proc mounted?")
    }
    let recordings = try onCard(.store) { () throws(LinuxError) in try Directory(path: "\(path)/recordings") }
    let memory = try onCard(.store) { () throws(LinuxError) in
      try LockedMemory(byteCount: SegmentStream.memoryByteCount, allowSwap: options.allowSwap)
    }
    var counters = try InternalStore(directory: options.identityPath)
    let logPath = "\(path)/device/log"
    var warnings: [String] = []
    let earlier = try Self.readLog(logPath, parties.device.identity, counters.record.memory.log, &warnings)
    if let other = try Self.otherOwner(logPath, earlier) {
      guard options.isLabStore else {
        throw StoreError(
          .store,
          "the card at \(path) is that of camera \(other); this one is \(parties.device.identity.id). Give each camera a card of "
            + "its own, or set store.lab_store = true for a lab store.")
      }
      warnings.append("the card holds the log of another camera, \(other)")
    }
    let start = try Self.startLog(
      logPath, parties, &counters, after: earlier, boot: boot, softwareVersion: facts.softwareVersion)
    var store = EvidenceStore(
      path: path, parties: parties, facts: facts, options: options, lock: lock, recordings: recordings, log: start,
      counters: counters,
      startCounter: counters.record.startCounter, boot: boot, sealingMemory: memory)
    try store.recover(earlier)
    do throws(StoreError) { try store.removeTrials() } catch {
      warnings.append("what is left of a trial in \(path)/device cannot be removed: \(error)")
    }
    store.recovery.warnings.insert(contentsOf: warnings, at: 0)
    return store
  }

  /// The device log on the card as it is. A log that cannot be read is said; what the camera remembers goes on all the same.
  private static func readLog(
    _ path: String, _ device: DeviceIdentity, _ remembered: ChainHead?, _ warnings: inout [String]
  ) throws(StoreError) -> DeviceLog {
    let files = CardDirectory(try onCard(.store) { () throws(LinuxError) in try Directory(path: path) })
    do throws(ReadFailure) {
      let log = try DeviceLog(files: files, device: device, trusting: remembered)
      for finding in log.findings where finding.answer != .completeness(.tornDeviceLog) {
        warnings.append("the device log on the card: \(finding)")
      }
      return log
    } catch {
      // Going on without it would contradict it: lines would be given out twice, and bytes that are there denied.
      throw StoreError(
        .store,
        "the device log on the card cannot be read (\(error)), so no recording may be written beside it. Look at the card at a "
          + "dock, or use another one.")
    }
  }

  private static func otherOwner(_ path: String, _ log: DeviceLog) throws(StoreError) -> EvidenceID? {
    let files = CardDirectory(try onCard(.store) { () throws(LinuxError) in try Directory(path: path) })
    do throws(ReadFailure) { return try log.otherOwner(files) } catch {
      throw StoreError(.store, "the device log on the card cannot be read: \(error)")
    }
  }

  /// Counts this start and begins its log. A number whose file is on the card already is passed over.
  private static func startLog(
    _ path: String, _ parties: RecordingParties, _ counters: inout InternalStore, after earlier: DeviceLog,
    boot: EvidenceID, softwareVersion: String
  ) throws(StoreError) -> DeviceLogFile {
    let predecessor = earlier.predecessor(remembered: counters.record.memory.log)
    for _ in 0..<startAttempts {
      try counters.update { $0.startCounter = max($0.startCounter, earlier.lastStart) + 1 }
      let counter = counters.record.startCounter
      let name = DeviceLogWriter.fileName(startCounter: counter)
      guard access("\(path)/\(name)", F_OK) != 0 else { continue }
      return try DeviceLogFile(
        path: path, device: parties.device, startCounter: counter, boot: boot, softwareVersion: softwareVersion,
        after: predecessor)
    }
    throw StoreError(
      .store,
      "\(path) holds logs under the next \(startAttempts) numbers that this camera did not write. Recording would mix with "
        + "them: look at the card at a dock, or use another one.")
  }

  private static let startAttempts = 64

  private init(
    path: String, parties: RecordingParties, facts: ProcessFacts, options: Options, lock: consuming InstanceLock,
    recordings: consuming Directory, log: consuming DeviceLogFile, counters: consuming InternalStore,
    startCounter: Int64, boot: EvidenceID, sealingMemory: LockedMemory
  ) {
    self.path = path
    self.parties = parties
    self.facts = facts
    self.options = options
    self.lock = consume lock
    self.recordings = recordings
    self.log = log
    self.counters = counters
    self.startCounter = startCounter
    self.boot = boot
    self.sealingMemory = sealingMemory
    recovery = RecoveryReport()
  }

  /// File systems on which the loss bound holds by measurement.
  public static let measuredFileSystems = ["ext4", "f2fs"]

  /// Free bytes that this user may take; nil when the card does not answer.
  public func freeBytes() -> Int64? { try? FileSystemStatus(path: path).freeBytes }

  /// Whether the card takes a file and confirms it; asked after a failure, before the store is opened again.
  public func acceptsWrites() -> Bool {
    let probe = [UInt8](repeating: 0, count: 4_096)
    do throws(LinuxError) {
      let device = try Directory(path: "\(path)/device")
      try device.writeFileDurably("probe", bytes: probe.span.bytes)
      try device.unlink("probe")
      return true
    } catch {
      return false
    }
  }

  /// Opens a recording, each step durable before the next: counter reserved, directory, OPEN, device log, counters.
  /// Six flushes. When it returns, the recording exists and nothing of it is lost any more without a trace.
  ///
  /// - Parameters:
  ///   - keepsFree: bytes of the card that no room set aside for a segment may take.
  ///   - start: what began it, for OPEN.
  public mutating func openRecording(
    keepsFree: Int64 = 0, start: StartFacts? = nil
  ) throws(StoreError) -> RecordingWriter {
    guard lock != nil else { throw StoreError(.store, "the store at \(path) is not open since the card failed") }
    try log.requireUsable()
    if counters.record.recordingState == .reserved { try settleFailedOpening() }
    let counter = counters.record.recordingCounter + 1
    let source: HedgedRandomness.Source = { try Randomness.fill($0) }
    var naming = HedgedRandomness(source: source, deviceSecret: parties.hedgeSecret, id: nil, counter: counter)
    let id = try sealing(.seal) { () throws(EvidenceError) in try EvidenceID.random(from: &naming) }
    try counters.update {
      $0.recordingCounter = counter
      $0.recordingState = .reserved
      $0.recordingID = id.description
      $0.remember(journal: nil)
    }
    let open = try openFacts(counter: counter, start: start)
    let writer = try RecordingWriter(
      id: id, counter: counter, recordings: recordings, parties: parties, open: open,
      randomness: HedgedRandomness(source: source, deviceSecret: parties.hedgeSecret, id: id, counter: counter),
      sealingMemory: sealingMemory, keepsFree: keepsFree)
    try log.append(.opened(id: id, counter: counter, openHash: writer.head.hash, isLate: false))
    let head = writer.head
    let logHead = log.head
    try counters.update {
      $0.recordingState = .opened
      $0.remember(journal: head)
      $0.remember(log: logHead)
    }
    return writer
  }

  /// Remembers off the card that this journal line is durable.
  public mutating func anchor(_ head: ChainHead) throws(StoreError) {
    try counters.update { $0.remember(journal: head) }
  }

  /// After CLOSE is durable: the device log says so, and the counters.
  public mutating func didClose(id: EvidenceID, counter: Int64, head: ChainHead) throws(StoreError) {
    try log.append(.closed(id: id, counter: counter, head: head, isLate: false))
    let logHead = log.head
    try counters.update {
      $0.recordingState = .closed
      $0.remember(journal: head)
      $0.remember(log: logHead)
    }
  }

  func openFacts(counter: Int64, start: StartFacts?) throws(StoreError) -> OpenFacts {
    guard let logHead = log.head else { throw StoreError(.store, "the device log has no line yet") }
    let clock = Evidence.ClockReading.reading()
    let state = ClockState.now()
    return OpenFacts(
      recordingCounter: counter, startCounter: startCounter, boot: boot, deviceLog: logHead,
      recipients: parties.recipientsNote, roles: parties.rolesNote, isDemo: parties.isDemo, camera: facts.camera,
      microphone: facts.microphone, clock: clock, clockSource: state.source, clockTrust: state.trust,
      softwareVersion: facts.softwareVersion,
      softwareHash: facts.softwareHash, configurationHash: facts.configurationHash, start: start)
  }

  /// Writes behind START what the starts before left, then remembers it.
  private mutating func recover(_ earlier: DeviceLog) throws(StoreError) {
    let found = try startRecovery(earlier)
    try log.append(found.entries)
    try remember(found.memory)
    recovery = found.report
    for name in found.unfinishedDeletions {
      do throws(StoreError) { try removeDeleted(name) } catch {
        recovery.warnings.append("\(name) was deleted against a receipt and could not be removed: \(error)")
      }
    }
  }

  /// A recording of this process failed while it was opened: what became of it is said before its number's successor is used.
  private mutating func settleFailedOpening() throws(StoreError) {
    var warnings: [String] = []
    let now = try Self.readLog("\(path)/device/log", parties.device.identity, log.head, &warnings)
    let found = try startRecovery(now)
    try log.append(found.entries.filter { $0.type != .check })
    try remember(found.memory)
  }

  private func startRecovery(_ earlier: DeviceLog) throws(StoreError) -> StartRecovery {
    do throws(ReadFailure) {
      return try StartRecovery(
        memory: counters.record.memory, log: earlier, card: RecordingsOnCard(path: "\(path)/recordings"))
    } catch {
      throw StoreError(
        .store, "the recordings on the card cannot be listed, so nothing may be recorded beside them: \(error)")
    }
  }

  private mutating func remember(_ memory: CameraMemory) throws(StoreError) {
    let head = log.head
    try counters.update {
      $0.remember(memory)
      $0.remember(log: head)
    }
  }
}
