public import Evidence
import Glibc
import LinuxIO

/// One open recording on the card: its journal and the segment being written. Blocks as long as the card does; used on
/// the store thread only.
///
/// After an error of kind `segment…` or `seal` call `abandonSegment` and begin a new one; after any other the recording
/// cannot be continued. Keys are wiped with the value.
public struct RecordingWriter: ~Copyable {
  public let id: EvidenceID
  /// The recording's number on this device.
  public let counter: Int64
  private let directory: Directory
  private var journalFile: LineFile
  private var journal: JournalWriter
  private var segment: OpenSegment?
  private let parties: RecordingParties
  private let randomness: HedgedRandomness
  private let sealingMemory: LockedMemory
  private let keepsFree: Int64
  private var durableHead: ChainHead

  /// A class, so that it can be taken out of the optional without being moved.
  private final class OpenSegment {
    var stream: SegmentStream
    let file: FileDescriptor
    let initLength: Int
    let initCommitment: Hash32
    let keepsFree: Int64
    /// Whether the journal names it: from its first checkpoint on.
    var isNamed = false
    var allocated: Int64 = 0
    var writtenBack: Int64 = 0
    var canAllocate = true

    init(
      stream: consuming SegmentStream, file: consuming FileDescriptor, initLength: Int, initCommitment: Hash32,
      keepsFree: Int64
    ) {
      self.stream = stream
      self.file = file
      self.initLength = initLength
      self.initCommitment = initCommitment
      self.keepsFree = keepsFree
    }

    /// Space is reserved in steps of this size, so that a fragment never waits for the allocator.
    static let allocationStep: Int64 = 16 << 20
    /// The card is told to start writing whenever this much has gathered.
    static let writebackStep: Int64 = 1 << 20

    func reserve() {
      guard canAllocate, stream.fileLength + 2 * Self.writebackStep > allocated else { return }
      do throws(LinuxError) {
        // Room that is only set aside must not look like a card that is full: without it there is room to go on.
        guard try FileSystemStatus(of: file).freeBytes - Self.allocationStep >= keepsFree else {
          canAllocate = false
          return
        }
        try file.allocateKeepingSize(offset: allocated, length: Self.allocationStep)
        allocated += Self.allocationStep
      } catch {
        // Not every file system can, and a nearly full card cannot: the plain write then says what it must.
        canAllocate = false
      }
    }

    /// Seals the full chunk and writes it.
    func flushFullChunk() throws(StoreError) {
      do throws(EvidenceError) { try stream.sealFullChunk() } catch { throw StoreError(.seal, error) }
      reserve()
      do throws(LinuxError) {
        try stream.withSealedChunk { bytes throws(LinuxError) in try file.write(bytes) }
        if stream.fileLength - writtenBack >= Self.writebackStep {
          try? file.startWriteback(offset: writtenBack, length: stream.fileLength - writtenBack)
          writtenBack = stream.fileLength
        }
      } catch {
        throw StoreError(.segmentWrite, error)
      }
    }
  }

  /// Steps 2 of the opening order: directory, journal with OPEN, all durable.
  init(
    id: EvidenceID, counter: Int64, recordings: borrowing Directory, parties: RecordingParties, open: OpenFacts,
    randomness: HedgedRandomness, sealingMemory: LockedMemory, keepsFree: Int64
  ) throws(StoreError) {
    var randomness = randomness
    var journal = try sealing(.identity) { () throws(EvidenceError) in
      try JournalWriter(id: id, device: parties.device, randomness: &randomness)
    }
    let line = try sealing(.identity) { () throws(EvidenceError) in try journal.open(open) }
    guard let head = journal.head else { throw StoreError(.journal, "OPEN was made and left no head") }
    let name = EvidenceName.recording(counter: counter, id: id)
    let directory = try onCard(.store) { () throws(LinuxError) in
      try recordings.make(name, mode: 0o750)
      try recordings.sync()
      return try recordings.directory(name)
    }
    let journalFile = try onCard(.store) { () throws(LinuxError) in
      var file = LineFile(
        try directory.open(EvidenceName.journal, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND, mode: 0o640))
      try file.append(line)
      try file.sync()
      try directory.sync()
      return file
    }
    self.id = id
    self.counter = counter
    self.parties = parties
    self.sealingMemory = sealingMemory
    self.keepsFree = keepsFree
    self.randomness = randomness
    self.journal = journal
    self.durableHead = head
    self.directory = directory
    self.journalFile = journalFile
  }

  /// The newest journal line that is durable: what may be named outside the journal.
  public var head: ChainHead { durableHead }
  /// The number of the open segment or, between two, of the next.
  public var segmentIndex: Int { segment?.stream.segment ?? journal.nextSegment }
  /// Whether the journal names the open segment: from its first checkpoint on.
  public var isSegmentNamed: Bool { segment?.isNamed ?? false }
  /// Segments that the journal names so far.
  public var segmentCount: Int { journal.nextSegment }
  /// Plaintext bytes taken into the open segment.
  public var position: Int64 { segment?.stream.position ?? 0 }

  /// Begins the next segment; `makeInit` gets the salt that its `uuid` box must hold and returns the init segment, which
  /// becomes the first plaintext and may hold some sound: it is wiped. Nothing is synced: the first checkpoint makes the file and its
  /// name durable and writes SEG with its own line, so that a rotation does not wait for the card.
  public mutating func beginSegment(_ makeInit: (_ salt: [UInt8], _ index: Int) -> [UInt8]) throws(StoreError) {
    let index = journal.nextSegment
    let stream = try sealing(.seal) { () throws(EvidenceError) in
      try SegmentStream(
        segment: index, recipients: parties.recipients, randomness: randomness, memory: sealingMemory.bytes,
        owner: sealingMemory)
    }
    var initSegment = makeInit(stream.initSalt, index)
    defer {
      initSegment.withUnsafeMutableBytes { bytes in
        if let base = bytes.baseAddress { explicit_bzero(base, bytes.count) }
      }
    }
    let name = EvidenceName.segment(index)
    let file: FileDescriptor
    do throws(StoreError) {
      file = try onCard(.segmentWrite) { () throws(LinuxError) in
        let file = try directory.open(name, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o640)
        try file.write(stream.header.span.bytes)
        return file
      }
    } catch {
      // No line names it yet: a second attempt needs the name.
      try? directory.unlink(name)
      throw error
    }
    let commitment = Commitment.ofInit(initSegment, salt: stream.initSalt, segment: index)
    segment = OpenSegment(
      stream: stream, file: file, initLength: initSegment.count, initCommitment: commitment, keepsFree: keepsFree)
    try write(initSegment.span.bytes)
  }

  /// Takes plaintext: whole fragments and events. Full chunks are sealed and written as they fill.
  public mutating func write(_ bytes: RawSpan) throws(StoreError) {
    var done = 0
    guard let segment else { throw Self.noSegment }
    while done < bytes.byteCount {
      done += segment.stream.append(bytes.extracting(done..<bytes.byteCount))
      if segment.stream.isFull { try segment.flushFullChunk() }
    }
  }

  /// Takes `count` bytes of plaintext from `source`, which copies as many as fit, from an offset on, straight into the
  /// chunk and says how many they were; 0 means that they are gone.
  public mutating func write(
    count: Int, from source: (_ offset: Int, _ into: UnsafeMutableRawBufferPointer) -> Int
  ) throws(StoreError) {
    var done = 0
    guard let segment else { throw Self.noSegment }
    while done < count {
      var copied = 0
      segment.stream.fill { space in
        let limit = min(space.count, count - done)
        copied = source(done, UnsafeMutableRawBufferPointer(rebasing: space[..<limit]))
        return copied
      }
      guard copied > 0 else {
        throw StoreError(.packetGone, "a packet was overwritten in memory before it was written")
      }
      done += copied
      if segment.stream.isFull { try segment.flushFullChunk() }
    }
  }

  /// Makes everything taken so far durable and says so in the journal: pad, seal, write, sync the segment, CKPT, sync the
  /// journal. Two flushes; a segment's first has one more, for the file's name, and SEG before its line. `facts` is asked when
  /// the segment is synced, so that the lag it states is the true one.
  /// - Parameter endsSegment: the segment ends here: the terminator is written with the rest; ENDSEG comes behind CKPT and is
  ///   durable with the next checkpoint, or with CLOSE.
  public mutating func checkpoint(endsSegment: Bool = false, _ facts: () -> CheckpointFacts) throws(StoreError) {
    guard let segment else { throw Self.noSegment }
    if segment.stream.hasNewBytes {
      while segment.stream.pad() { try segment.flushFullChunk() }
    }
    let seal: CheckpointSeal
    do throws(EvidenceError) { seal = try segment.stream.finishCheckpoint() } catch { throw StoreError(.seal, error) }
    do throws(LinuxError) {
      if endsSegment {
        try segment.file.write(seal.terminator.span.bytes)
        // Space that was reserved and not used goes back.
        try segment.file.truncate(to: segment.stream.fileLength + Int64(SegmentStream.terminatorByteCount))
        try segment.file.setMode(0o440)
      }
      try segment.file.dataSync()
      if !segment.isNamed { try directory.sync() }
    } catch {
      throw StoreError(.segmentSync, error)
    }
    if !segment.isNamed {
      try appendLine { journal throws(EvidenceError) in
        try journal.segment(segment.stream, initLength: segment.initLength, commitment: segment.initCommitment)
      }
      segment.isNamed = true
    }
    let facts = facts()
    try appendLine { journal throws(EvidenceError) in try journal.checkpoint(seal, facts) }
    try syncJournal()
    guard endsSegment else { return }
    segment.stream.abandon()
    self.segment = nil
    try appendLine { journal throws(EvidenceError) in try journal.endSegment() }
  }

  /// Gives the open segment up at its last checkpoint and wipes its key. A new segment may be begun. One that had no checkpoint
  /// yet holds nothing that was promised, and goes.
  public mutating func abandonSegment(_ error: StoreError) throws(StoreError) {
    guard let segment else { return }
    segment.stream.abandon()
    guard segment.isNamed else {
      self.segment = nil
      try? directory.unlink(EvidenceName.segment(segment.stream.segment))
      return
    }
    // Space that was reserved and not used goes back; the file keeps every byte that was written.
    if let size = try? segment.file.size() { try? segment.file.truncate(to: size) }
    self.segment = nil
    try appendLine { journal throws(EvidenceError) in try journal.abandon(error.abandonReason) }
  }

  /// Gives everything up without a word: for a recording that is removed. Wipes its key.
  public mutating func discard() {
    segment?.stream.abandon()
    segment = nil
  }

  /// Notes a fact of health; durable with the next checkpoint.
  public mutating func event(_ event: JournalEvent) throws(StoreError) {
    try appendLine { journal throws(EvidenceError) in try journal.event(event, .reading()) }
  }

  /// CLOSE, durable. Nothing can follow.
  /// - Parameter duration: µs of media.
  public mutating func close(_ reason: CloseReason, duration: Int64) throws(StoreError) {
    try appendLine { journal throws(EvidenceError) in try journal.close(reason, duration: duration, .reading()) }
    try syncJournal()
    try? journalFile.setMode(0o440)
  }

  private static let noSegment = StoreError(.seal, "no segment is open")

  private mutating func appendLine(
    _ make: (inout JournalWriter) throws(EvidenceError) -> [UInt8]
  ) throws(StoreError) {
    if journalFile.mustSync { try syncJournal() }
    let line: [UInt8]
    do throws(EvidenceError) { line = try make(&journal) } catch { throw StoreError(.journal, error) }
    do throws(LinuxError) { try journalFile.append(line) } catch { throw StoreError(.journal, error) }
  }

  private mutating func syncJournal() throws(StoreError) {
    do throws(LinuxError) { try journalFile.sync() } catch { throw StoreError(.journal, error) }
    if let head = journal.head { durableHead = head }
  }
}
