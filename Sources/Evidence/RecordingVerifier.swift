import Crypto
import Media

/// Verifies one recording with no secret: the journal line by line, and every byte of the segments against it.
///
/// Reads each file once in pieces of 64 KiB; memory does not grow with the recording. Cost: one SHA-256 pass over the
/// files and one Ed25519 verification a line.
public struct RecordingVerifier {
  /// The name of the recording's directory, whose counter and id must be OPEN's; nil: not compared.
  public var directoryName: String?
  /// What is known of the device from outside; nil: the headline is UNKNOWN_DEVICE.
  public var trust: DeviceTrust?
  /// The camera's device log; nil: completeness is not checked.
  public var deviceLog: DeviceLog?
  /// The directories of all recordings at hand, compared with the device log; nil: not compared.
  public var presentRecordings: [String]?
  /// Receipts and anchors that docks keep.
  public var records: DockRecords

  public init(
    directoryName: String? = nil, trust: DeviceTrust?, deviceLog: DeviceLog? = nil, presentRecordings: [String]? = nil,
    records: DockRecords = DockRecords()
  ) {
    self.directoryName = directoryName
    self.trust = trust
    self.deviceLog = deviceLog
    self.presentRecordings = presentRecordings
    self.records = records
  }

  /// - Parameters:
  ///   - files: the recording's directory.
  ///   - observe: told what the journal attests of each segment, in order.
  /// - Throws: only when a file cannot be read; that says nothing about the evidence.
  public func verify(
    _ files: borrowing some EvidenceFiles, observe: (Attested) -> Void = { _ in }
  ) throws(ReadFailure) -> Verdict {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)
    defer { buffer.deallocate() }
    var run = VerificationRun(verifier: self, names: Set(try files.names()), buffer: buffer)
    if try run.isVoid(files) {
      run.reportVoid()
      return run.verdict
    }
    try run.readJournal(files, observe)
    try run.finish(files, observe)
    return run.verdict
  }
}

/// One verification under way.
struct VerificationRun {
  let verifier: RecordingVerifier
  let names: Set<String>
  let buffer: UnsafeMutableRawBufferPointer
  var verdict = Verdict()

  private var prefix = JournalPrefix()
  var head: ChainHead? { prefix.head }
  /// Offset in the journal behind the last valid line.
  private(set) var validEnd: Int64 = 0
  /// Hashes of the lines that the device log speaks of.
  private var witnessed: [Int64: Hash32] = [:]
  private var wanted: Set<Int64> = []
  var segmentCount: Int64 { grammar.segments }
  private var grammar = JournalGrammar()
  private(set) var isFromKnownDevice = false
  /// A signed line made no sense; later ones are counted, not interpreted.
  private var isLost = false
  private var open: SegmentCheck?
  private var lastEnd: Hash32?

  init(verifier: RecordingVerifier, names: Set<String>, buffer: UnsafeMutableRawBufferPointer) {
    self.verifier = verifier
    self.names = names
    self.buffer = buffer
    verdict.hasDemoTrust = verifier.trust?.isDemo ?? false
    if verifier.trust?.keyPlace == .removable {
      verdict.add(
        Finding(.remark(.keyOnRemovableStorage), "enrol.note says that the device key is on removable storage"))
    }
  }

  // MARK: The journal

  mutating func readJournal(
    _ files: borrowing some EvidenceFiles, _ observe: (Attested) -> Void
  ) throws(ReadFailure) {
    guard names.contains(EvidenceName.journal) else {
      verdict.add(Finding(.integrity(.unsigned), file: EvidenceName.journal, "there is no journal"))
      return
    }
    var reader = LineReader(EvidenceName.journal)
    while let raw = try reader.next(from: files) {
      if grammar.isClosed {
        let end = try files.size(of: EvidenceName.journal)
        verdict.add(
          Finding(
            .integrity(.altered), file: EvidenceName.journal, range: raw.offset..<max(raw.offset, end),
            "bytes follow CLOSE"))
        return
      }
      guard let line = prefix.accept(raw.bytes) else {
        try examineTail(from: raw.offset, files)
        return
      }
      note(line, end: raw.offset + Int64(raw.bytes.count))
      verdict.lines += 1
      if isLost { continue }
      try interpret(line, files, observe)
    }
    if prefix.author == nil {
      verdict.add(Finding(.integrity(.unsigned), file: EvidenceName.journal, "the journal is empty"))
    }
  }

  private mutating func note(_ line: JournalLine, end: Int64) {
    validEnd = end
    verdict.head = prefix.head
    if line.n == 0, let author = prefix.author {
      wanted = Set((verifier.deviceLog?.witnesses(of: author.id) ?? []).map(\.head.n))
      if let device = verifier.trust?.device.id {
        wanted.formUnion(verifier.records.journalWitnesses(of: author.id, device: device).map(\.head.n))
      }
    }
    if wanted.contains(line.n) { witnessed[line.n] = line.hash }
  }

  /// What the bytes after the last valid line are: another order, an alteration, a torn line, or damage.
  private mutating func examineTail(from offset: Int64, _ files: borrowing some EvidenceFiles) throws(ReadFailure) {
    var reader = LineReader(EvidenceName.journal, from: offset)
    var found: [Int64: Hash32] = [:]
    var isTwofold = false
    var count = 0
    var byteCount: Int64 = 0
    var lastByte: UInt8 = 0
    var isPrintable = true
    while let raw = try reader.next(from: files) {
      byteCount += Int64(raw.bytes.count)
      lastByte = raw.bytes.last ?? 0
      isPrintable = isPrintable && raw.bytes.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x0A }
      // Bounded: a tail of ten thousand signed lines is no accident, whatever their order.
      guard count < 10_000, let line = prefix.signed(raw.bytes) else { continue }
      count += 1
      if let other = found[line.n], other != line.hash { isTwofold = true }
      found[line.n] = line.hash
    }
    let next = (head?.n ?? -1) + 1
    let range = offset..<(offset + byteCount)
    guard count > 0 else {
      if head == nil {
        let isOther = prefix.author == nil && isPrintable
        verdict.add(
          Finding(
            .integrity(.unsigned), file: EvidenceName.journal, range: range, line: 0,
            isOther ? "the first line is no valid OPEN of format LAPEL1" : "the OPEN line is not valid"))
      } else {
        let isTorn = byteCount <= Int64(JournalLine.byteLimit) && (lastByte != 0x0A || !isPrintable)
        verdict.add(
          Finding(
            .remark(isTorn ? .tornJournal : .damagedTail), file: EvidenceName.journal, range: range, line: next,
            "\(byteCount) bytes after the last valid line are no valid line"))
      }
      return
    }
    let isContradicted = try contradictsPrefix(found, before: offset, files)
    if isTwofold || isContradicted {
      verdict.add(
        Finding(
          .completeness(.equivocation), file: EvidenceName.journal, range: range, line: next,
          "the camera signed two different lines for one number"))
    }
    let later = found.keys.filter { $0 >= next }
    let isPermuted = later.max().map { $0 - next == Int64(later.count) - 1 } ?? true
    verdict.add(
      Finding(
        .integrity(isPermuted && head != nil ? .reordered : .altered), file: EvidenceName.journal, range: range,
        line: next,
        isPermuted && head != nil
          ? "signed lines stand in another order than they were written, or twice"
          : "line \(next) is not valid or missing, and signed lines follow it"))
  }

  /// Whether a line of the valid part has the number of one behind it and is another one.
  private func contradictsPrefix(
    _ found: [Int64: Hash32], before offset: Int64, _ files: borrowing some EvidenceFiles
  ) throws(ReadFailure) -> Bool {
    guard found.keys.contains(where: { $0 <= head?.n ?? -1 }) else { return false }
    var reader = LineReader(EvidenceName.journal)
    var n: Int64 = 0
    while let raw = try reader.next(from: files), raw.offset < offset {
      if let hash = found[n], hash != Hash32.sha256(of: raw.bytes) { return true }
      n += 1
    }
    return false
  }

  // MARK: Lines

  private mutating func interpret(
    _ line: JournalLine, _ files: borrowing some EvidenceFiles, _ observe: (Attested) -> Void
  ) throws(ReadFailure) {
    let record: JournalRecord
    do throws(EvidenceError) {
      if line.type == "OPEN" { checkDevice(line) }
      record = try JournalRecord(line)
    } catch {
      verdict.add(Finding(.integrity(.unsupported), file: EvidenceName.journal, line: line.n, "\(error)"))
      // A line that only reports can be passed over; one that carries the structure cannot.
      isLost = ["OPEN", "SEG", "CKPT", "ENDSEG", "ABANDON", "CLOSE"].contains(line.type)
      return
    }
    do throws(EvidenceError) {
      try advance(record, line)
    } catch {
      verdict.add(
        Finding(
          .integrity(.altered), file: EvidenceName.journal, line: line.n, "signed, but against the grammar: \(error)"))
      isLost = true
      return
    }
    try compare(record, line, files, observe)
  }

  /// The device key certifies OPEN, and with it the recording's key.
  private mutating func checkDevice(_ line: JournalLine) {
    func unsigned(_ answer: Integrity, _ detail: String) {
      verdict.add(Finding(.integrity(answer), file: EvidenceName.journal, line: line.n, detail))
    }
    let named = line.encoded(Key.device) ?? "-"
    guard let trust = verifier.trust else {
      return unsigned(.unknownDevice, "nothing is known of device \(named); give the agency's root key and notes")
    }
    guard named == trust.device.id.description else {
      return unsigned(.unknownDevice, "the recording is of device \(named), the enrolment of \(trust.device.id)")
    }
    guard prefix.isSigned(line, by: trust.device) else {
      return unsigned(.unsigned, "the device key did not sign OPEN")
    }
    isFromKnownDevice = true
  }

  private mutating func advance(_ record: JournalRecord, _ line: JournalLine) throws(EvidenceError) {
    switch record {
    case .open(let open): try grammar.open(monotonic: open.facts.clock.monotonic)
    case .segment(let segment):
      try grammar.segment(segment.number, headerLength: segment.headerLength, headerHash: segment.headerHash)
      guard segment.previousEnd == lastEnd else { throw EvidenceError(.grammar, "SEG names another ENDSEG") }
    case .checkpoint(let checkpoint):
      try grammar.checkpoint(
        checkpoint.number, chunks: checkpoint.chunks, length: checkpoint.length, rangeHash: checkpoint.rangeHash,
        terminator: checkpoint.terminator, mediaTime: checkpoint.facts.mediaTime,
        monotonic: checkpoint.facts.clock.monotonic)
    case .endSegment(let end):
      try grammar.endSegment(end.number, chunks: end.chunks, length: end.length, hash: end.hash)
      lastEnd = line.hash
    case .abandon(let number, let chunks, _): try grammar.abandon(number, chunks: chunks)
    case .event(_, let monotonic): try grammar.event(monotonic: monotonic)
    case .close(let segments, _, _, let monotonic): try grammar.close(segments: segments, monotonic: monotonic)
    case .experiment: try grammar.requireRunning()
    }
  }

  /// Compares what the line says with the files, and counts.
  private mutating func compare(
    _ record: JournalRecord, _ line: JournalLine, _ files: borrowing some EvidenceFiles,
    _ observe: (Attested) -> Void
  ) throws(ReadFailure) {
    switch record {
    case .open(let record): checkOpen(record, line)
    case .segment(let record):
      let trust = verifier.trust
      let isSameNote = trust?.recipients != nil && trust?.recipients == verdict.opening?.facts.recipients
      let check = try SegmentCheck(
        record, line: line.n, files: files, names: names, recipients: isSameNote ? trust?.recipientList : nil,
        buffer: buffer, &verdict)
      open = check
      verdict.segments += 1
      observe(
        .segment(
          Attested.Segment(
            number: Int(record.number), fileName: check.name, headerLength: record.headerLength,
            initLength: record.initLength, initCommitment: record.commitment, isIntact: check.isIntact)))
    case .checkpoint(let record): try compare(record, line, files, observe)
    case .endSegment(let record):
      let recovered = recoveredFiles(record.number)
      try open?.end(
        length: record.length, line: line.n, files: files, recovered: recovered, buffer: buffer, &verdict)
      open = nil
      observe(.segmentEnd(number: Int(record.number), isComplete: true))
    case .abandon(let number, _, let reason):
      verdict.abandonedSegments += 1
      verdict.add(
        Finding(
          .remark(.abandoned), file: EvidenceName.segment(Int(number)), line: line.n,
          "the camera gave this segment up (\(reason.rawValue)); it holds up to its last checkpoint"))
      let recovered = recoveredFiles(number)
      try open?.endOpen(files: files, recovered: recovered, buffer: buffer, &verdict)
      open = nil
      observe(.segmentEnd(number: Int(number), isComplete: false))
    case .event(.gap(let track, let from, let to, let cause), _):
      verdict.gaps += 1
      verdict.missing[cause, default: .init()].add(from..<max(from, to), isVideo: track == .video)
    case .event, .experiment: break
    case .close(_, _, let reason, _):
      verdict.closeReason = reason
      if isFromKnownDevice, let trust = verifier.trust, !prefix.isSigned(line, by: trust.device) {
        verdict.add(
          Finding(.integrity(.unsigned), file: EvidenceName.journal, line: line.n, "the device key did not sign CLOSE"))
      }
      verdict.markClosed()
    }
  }

  private mutating func compare(
    _ record: JournalRecord.Checkpoint, _ line: JournalLine, _ files: borrowing some EvidenceFiles,
    _ observe: (Attested) -> Void
  ) throws(ReadFailure) {
    verdict.checkpoints += 1
    if verdict.firstDurable == nil, record.rangeHash != nil { verdict.firstDurable = record.facts.clock.monotonic }
    verdict.mediaTime = record.facts.mediaTime
    verdict.wall = record.facts.clock.wall
    verdict.framesLost = record.facts.framesLost
    verdict.samplesLost = record.facts.samplesLost
    guard var check = open else { return }
    let before = check.chunks
    let isIntact = try check.checkpoint(record, line: line.n, files: files, buffer: buffer, &verdict)
    open = check
    guard let commitment = record.commitment else { return }
    let chunk = Int64(SegmentStream.chunkByteCount)
    observe(
      .range(
        Attested.Range(
          segment: Int(record.number), fileName: check.name, line: line.n, chunks: before..<record.chunks,
          plaintext: (before * chunk)..<(record.chunks * chunk), commitment: commitment,
          mediaTime: record.facts.mediaTime, firstIDR: record.facts.firstIDR, isIntact: isIntact)))
  }

  private mutating func checkOpen(_ record: JournalRecord.Open, _ line: JournalLine) {
    verdict.opening = Verdict.Opening(id: record.id, device: record.device, hash: line.hash, facts: record.facts)
    if let name = verifier.directoryName, let (counter, id) = EvidenceName.parseRecording(name),
      id != record.id || counter != record.facts.recordingCounter
    {
      verdict.add(
        Finding(
          .integrity(.foreign), file: EvidenceName.journal, line: line.n,
          "the journal is of recording \(record.facts.recordingCounter)-\(record.id), the directory of another"))
    }
    // Notes of another device's agency say nothing.
    guard isFromKnownDevice else { return }
    compareNote(EvidenceName.roles, verifier.trust?.roles, record.facts.roles, line.n)
    compareNote(EvidenceName.recipients, verifier.trust?.recipients, record.facts.recipients, line.n)
  }

  private mutating func compareNote(_ name: String, _ held: NoteReference?, _ named: NoteReference, _ line: Int64) {
    guard let held, held != named else { return }
    if held.version == named.version {
      verdict.add(
        Finding(
          .integrity(.foreign), file: EvidenceName.journal, line: line,
          "the camera used another \(name) with version \(named.version) than the one at hand"))
    } else {
      verdict.add(
        Finding(
          .remark(.otherNote), file: EvidenceName.journal, line: line,
          "the camera used version \(named.version) of \(name); version \(held.version) is at hand"))
    }
  }

  // MARK: The end

  mutating func reportVoid() {
    for finding in verifier.deviceLog?.findings ?? [] { verdict.add(finding) }
    verdict.add(
      Finding(
        .remark(.void), "the device log says that this counter never became a recording; nothing of it is footage"))
  }

  mutating func finish(
    _ files: borrowing some EvidenceFiles, _ observe: (Attested) -> Void
  ) throws(ReadFailure) {
    if var check = open {
      try check.endOpen(files: files, recovered: recoveredFiles(check.number), buffer: buffer, &verdict)
      observe(.segmentEnd(number: Int(check.number), isComplete: false))
    }
    try checkNames(files)
    try checkRecoveredJournal(files)
    guard let opening = verdict.opening, let head, isFromKnownDevice else { return }
    checkRevocation(opening)
    DeviceLog.check(
      verifier.records.journalWitnesses(of: opening.id, device: opening.device), head: head, hashes: witnessed,
      saidBy: "a dock", into: &verdict)
    verifier.deviceLog?.check(
      opening, head: head, hashes: witnessed, isClosed: grammar.isClosed, present: verifier.presentRecordings,
      records: verifier.records, into: &verdict)
  }

  /// Whoever has a stolen key can sign an OPEN that names any line of the log that was ever seen. Of a revoked device only
  /// what the trusted lines of its log, or a dock, know of is believed.
  private mutating func checkRevocation(_ opening: Verdict.Opening) {
    guard let trust = verifier.trust, let revocation = trust.revocation, revocation.device == trust.device.id else {
      return
    }
    let upTo = revocation.last.map { "behind line \($0.n) of its device log" } ?? "altogether"
    if let last = revocation.last {
      let counter = opening.facts.recordingCounter
      let isLogged = verifier.deviceLog?.hasOpened(opening.id, opening.hash, counter: counter, upTo: last) == true
      if isLogged || verifier.records.hasReceipt(for: opening, upTo: last.n) { return }
    }
    verdict.add(
      Finding(
        .integrity(.revoked), file: EvidenceName.journal, line: 0,
        "the agency revoked the device's key \(upTo), and nothing at hand shows that this recording is older"))
  }

  /// Every file belongs to the recording. Of an interrupted one the next segment may exist without its SEG line.
  private mutating func checkNames(_ files: borrowing some EvidenceFiles) throws(ReadFailure) {
    for name in names.sorted() where name != EvidenceName.journal && name != EvidenceName.receipt {
      let number = EvidenceName.parseSegment(name).map(Int64.init)
      if let number, number < grammar.segments { continue }
      if isLost && number != nil { continue }
      if let number, number == grammar.segments, !grammar.isClosed, grammar.isOpen {
        let size = try files.size(of: name)
        let recovered = recoveredFiles(number)
        let seen = try RecoveredFile.compare(
          recovered, with: name, size: size, files: files, buffer: buffer, &verdict)
        let isSeen = seen >= size && size > 0
        verdict.add(
          Finding(
            .remark(isSeen ? .cameraSeen : .unattestedTail), file: name, "the journal does not name this segment"))
      } else if number != nil, grammar.isOpen, !grammar.isClosed {
        verdict.add(
          Finding(
            .end(.truncated), file: name, "the journal ends before this segment; only the next one could be unnamed"))
      } else {
        verdict.add(Finding(.integrity(.foreign), file: name, "the journal knows no such file"))
      }
    }
  }
}
