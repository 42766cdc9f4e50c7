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
  private let parties: RecordingParties
  private let facts: ProcessFacts
  private let lock: InstanceLock
  private let recordings: Directory
  private var log: DeviceLogFile
  private var counters: InternalStore
  private let startCounter: Int64
  private let boot: EvidenceID
  private let sealingMemory: LockedMemory

  /// Opens the store, counts this start and makes START durable in a new device log.
  ///
  /// - Parameters:
  ///   - path: the store's directory; made when its parent exists.
  ///   - identityPath: where enrolment put the device key; the counters live beside it, never on the card.
  ///   - isLabStore: accept a file system on which the loss bound was not measured.
  public static func open(
    path: String, identityPath: String, parties: RecordingParties, facts: ProcessFacts, isLabStore: Bool,
    allowSwap: Bool
  ) throws(StoreError) -> EvidenceStore {
    let (fileSystem, bootID) = try onCard(.store) { () throws(LinuxError) in
      for directory in [path, "\(path)/device", "\(path)/device/log", "\(path)/recordings"] {
        try Directory.make(path: directory, mode: 0o750, allowingExisting: true)
      }
      try Directory(path: path).sync()
      try Directory(path: "\(path)/device").sync()
      return (try FileSystemStatus(path: path).typeName, try kernelBootID())
    }
    let lock = try onCard(.store) { () throws(LinuxError) in try InstanceLock(path: "\(path)/device/lock") }
    guard isLabStore || measuredFileSystems.contains(fileSystem) else {
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
      try LockedMemory(byteCount: SegmentStream.memoryByteCount, allowSwap: allowSwap)
    }
    var counters = try InternalStore(directory: identityPath)
    let interrupted = counters.record
    try counters.update { $0.startCounter += 1 }
    let startCounter = counters.record.startCounter
    let log = try DeviceLogFile(
      path: "\(path)/device/log", device: parties.device, startCounter: startCounter, boot: boot,
      softwareVersion: facts.softwareVersion)
    var store = EvidenceStore(
      path: path, parties: parties, facts: facts, lock: lock, recordings: recordings, log: log, counters: counters,
      startCounter: startCounter, boot: boot, sealingMemory: memory)
    try store.settle(interrupted)
    return store
  }

  private init(
    path: String, parties: RecordingParties, facts: ProcessFacts, lock: consuming InstanceLock,
    recordings: consuming Directory, log: consuming DeviceLogFile, counters: consuming InternalStore,
    startCounter: Int64, boot: EvidenceID, sealingMemory: LockedMemory
  ) {
    self.path = path
    self.parties = parties
    self.facts = facts
    self.lock = lock
    self.recordings = recordings
    self.log = log
    self.counters = counters
    self.startCounter = startCounter
    self.boot = boot
    self.sealingMemory = sealingMemory
  }

  /// File systems on which the loss bound holds by measurement.
  public static let measuredFileSystems = ["ext4", "f2fs"]

  /// Free bytes that this user may take; nil when the card does not answer.
  public func freeBytes() -> Int64? { try? FileSystemStatus(path: path).freeBytes }

  /// Whether the card takes a file and confirms it; asked after a failure, before recording is offered again.
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
  public mutating func openRecording() throws(StoreError) -> RecordingWriter {
    if counters.record.recordingState == .reserved { try voidIfNeverOpened(counters.record) }
    let counter = counters.record.recordingCounter + 1
    let source: HedgedRandomness.Source = { try Randomness.fill($0) }
    var naming = HedgedRandomness(source: source, deviceSecret: parties.hedgeSecret, id: nil, counter: counter)
    let id = try sealing(.seal) { () throws(EvidenceError) in try EvidenceID.random(from: &naming) }
    try counters.update {
      $0.recordingCounter = counter
      $0.recordingState = .reserved
      $0.recordingID = id.description
      $0.journalNumber = -1
      $0.journalHash = "-"
    }
    let open = try openFacts(counter: counter)
    let writer = try RecordingWriter(
      id: id, counter: counter, recordings: recordings, parties: parties, open: open,
      randomness: HedgedRandomness(source: source, deviceSecret: parties.hedgeSecret, id: id, counter: counter),
      sealingMemory: sealingMemory)
    try log.opened(id: id, counter: counter, openHash: writer.head.hash)
    let head = writer.head
    let logHead = log.head
    try counters.update {
      $0.recordingState = .opened
      $0.journalNumber = head.n
      $0.journalHash = head.hash.description
      $0.logNumber = logHead?.n ?? -1
      $0.logHash = logHead?.hash.description ?? "-"
    }
    return writer
  }

  /// Remembers off the card that this journal line is durable.
  public mutating func anchor(_ head: ChainHead) throws(StoreError) {
    try counters.update {
      $0.journalNumber = head.n
      $0.journalHash = head.hash.description
    }
  }

  /// After CLOSE is durable: the device log says so, and the counters.
  public mutating func didClose(id: EvidenceID, counter: Int64, head: ChainHead) throws(StoreError) {
    try log.closed(id: id, counter: counter, head: head)
    let logHead = log.head
    try counters.update {
      $0.recordingState = .closed
      $0.journalNumber = head.n
      $0.journalHash = head.hash.description
      $0.logNumber = logHead?.n ?? -1
      $0.logHash = logHead?.hash.description ?? "-"
    }
  }

  private func openFacts(counter: Int64) throws(StoreError) -> OpenFacts {
    guard let logHead = log.head else { throw StoreError(.store, "the device log has no line yet") }
    let wall = Clocks.wallClockState()
    return OpenFacts(
      recordingCounter: counter, startCounter: startCounter, boot: boot, deviceLog: logHead,
      recipients: parties.recipientsNote, roles: parties.rolesNote, isDemo: parties.isDemo, camera: facts.camera,
      microphone: facts.microphone, clock: .reading(), clockSource: wall.isSynchronised ? .ntp : .unknown,
      clockTrust: wall.isSynchronised ? .synchronized : .held, softwareVersion: facts.softwareVersion,
      softwareHash: facts.softwareHash, configurationHash: facts.configurationHash)
  }

  /// After the start: explains what the process before left, and remembers the new log.
  private mutating func settle(_ interrupted: InternalStore.Record) throws(StoreError) {
    if interrupted.recordingState == .reserved { try voidIfNeverOpened(interrupted) }
    try noteLogHead()
  }

  /// A counter that was reserved and whose recording never came to exist is explained, so that no dock looks for it.
  private mutating func voidIfNeverOpened(_ record: InternalStore.Record) throws(StoreError) {
    guard let id = EvidenceID(hex: record.recordingID) else { return }
    let name = EvidenceName.recording(counter: record.recordingCounter, id: id)
    let journal = try? readSmallFile(path: "\(path)/recordings/\(name)/\(EvidenceName.journal)", limit: 1 << 26)
    let isOpen = journal?.firstIndex(of: UInt8(ascii: "\n")) != nil
    if !isOpen { try log.void(counter: record.recordingCounter) }
    let head = log.head
    try counters.update {
      $0.recordingState = .none
      $0.logNumber = head?.n ?? -1
      $0.logHash = head?.hash.description ?? "-"
    }
  }

  private mutating func noteLogHead() throws(StoreError) {
    let head = log.head
    try counters.update {
      $0.logNumber = head?.n ?? -1
      $0.logHash = head?.hash.description ?? "-"
    }
  }
}
