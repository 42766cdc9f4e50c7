import Crypto

/// Compares one segment's file with the lines that speak of it, range by range, with constant memory.
struct SegmentCheck {
  let number: Int64
  let name: String
  let headerLength: Int64
  /// Nil: the file is not there.
  let size: Int64?
  /// Whether every byte so far is as signed.
  private(set) var isIntact: Bool
  /// Chunks and bytes that CKPT lines have covered.
  private(set) var chunks: Int64 = 0
  private(set) var length: Int64
  private(set) var terminator: [UInt8]?
  private(set) var repair: RepairPlan?
  private var isShort = false

  init(
    _ record: JournalRecord.Segment, line: Int64, files: borrowing some EvidenceFiles, names: Set<String>,
    recipients: RecipientList?, buffer: UnsafeMutableRawBufferPointer, _ verdict: inout Verdict
  ) throws(ReadFailure) {
    number = record.number
    name = EvidenceName.segment(Int(record.number))
    headerLength = record.headerLength
    length = record.headerLength
    isIntact = true
    guard names.contains(name) else {
      size = nil
      isIntact = false
      verdict.add(
        Finding(
          .completeness(.missingSegment), file: name, line: line, "the journal names this segment, and it is not here"))
      return
    }
    let size = try files.size(of: name)
    self.size = size
    guard size >= headerLength else {
      reportShort(promised: headerLength, line, &verdict)
      return
    }
    let header = try files.bytes(of: name, from: 0, to: headerLength)
    guard Hash32.sha256(of: header) == record.headerHash else {
      isIntact = false
      verdict.add(
        Finding(
          .integrity(.altered), file: name, range: 0..<headerLength, line: line, "the header is not the one signed"))
      return
    }
    guard let parsed = try? AgeHeader(parsing: header), parsed.byteCount + AgeHeader.nonceByteCount == header.count
    else {
      verdict.add(Finding(.integrity(.unsupported), file: name, line: line, "the header is not an age v1 header"))
      return
    }
    if let recipients, parsed.stanzas.map(\.type) != recipients.recipients.map(\.kind.rawValue) {
      verdict.add(
        Finding(
          .integrity(.foreign), file: name, range: 0..<headerLength, line: line,
          "the segment is sealed for \(Self.describe(parsed.stanzas.map(\.type))); recipients.note names "
            + Self.describe(recipients.recipients.map(\.kind.rawValue))))
    }
  }

  /// As "2 recipients (X25519)".
  private static func describe(_ types: [String]) -> String {
    var kinds: [String] = []
    for type in types.map({ String($0.prefix(40)) }) where !kinds.contains(type) { kinds.append(type) }
    return "\(types.count) \(types.count == 1 ? "recipient" : "recipients") (\(kinds.joined(separator: ", ")))"
  }

  private mutating func reportShort(promised: Int64, _ line: Int64, _ verdict: inout Verdict) {
    isIntact = false
    guard !isShort, let size else { return }
    isShort = true
    verdict.add(
      Finding(
        .end(.truncated), file: name, range: size..<promised, line: line,
        "the file has \(size) bytes; line \(line) promises \(promised)"))
  }

  /// The range of one CKPT; returns whether its bytes are as signed.
  mutating func checkpoint(
    _ record: JournalRecord.Checkpoint, line: Int64, files: borrowing some EvidenceFiles,
    buffer: UnsafeMutableRawBufferPointer, _ verdict: inout Verdict
  ) throws(ReadFailure) -> Bool {
    defer {
      chunks = record.chunks
      length = record.length
      terminator = record.terminator
    }
    guard let size else { return false }
    var isRangeIntact = true
    if let expected = record.rangeHash {
      if size < record.length {
        reportShort(promised: record.length, line, &verdict)
        return false
      }
      var hash = SHA256()
      let isWhole = try files.forEachPiece(of: name, from: length, to: record.length, buffer: buffer) {
        hash.update(bufferPointer: $0)
      }
      isRangeIntact = isWhole && Hash32(hash.finalize()) == expected
      if !isRangeIntact {
        isIntact = false
        verdict.add(
          Finding(
            .integrity(.altered), file: name, range: length..<record.length, line: line,
            "the bytes are not those that line \(line) signs"))
      }
    }
    if isIntact {
      repair = RepairPlan(
        segment: Int(number), fileName: name, length: record.length, terminator: record.terminator,
        mediaTime: record.facts.mediaTime)
    }
    return isRangeIntact
  }

  /// The file's end after ENDSEG: the terminator, and nothing behind it.
  mutating func end(
    length total: Int64, line: Int64, files: borrowing some EvidenceFiles, recovered: [RecoveredFile],
    buffer: UnsafeMutableRawBufferPointer, _ verdict: inout Verdict
  ) throws(ReadFailure) {
    guard let size else { return }
    _ = try RecoveredFile.compare(recovered, with: name, size: size, files: files, buffer: buffer, &verdict)
    if size < total {
      reportShort(promised: total, line, &verdict)
    } else if size > total {
      isIntact = false
      verdict.add(
        Finding(
          .integrity(.altered), file: name, range: total..<size, line: line, "bytes were added behind the segment's end"
        ))
    }
    let last = size >= total ? try files.bytes(of: name, from: length, to: total) : terminator
    if last != terminator {
      isIntact = false
      verdict.add(
        Finding(
          .integrity(.altered), file: name, range: length..<total, line: line, "the terminator is not the one signed"))
    }
    if !isIntact, let repair { verdict.repairs.append(repair) }
  }

  /// What lies behind the last checkpoint of a segment without ENDSEG.
  mutating func endOpen(
    files: borrowing some EvidenceFiles, recovered: [RecoveredFile], buffer: UnsafeMutableRawBufferPointer,
    _ verdict: inout Verdict
  ) throws(ReadFailure) {
    guard let size else { return }
    let seen = try RecoveredFile.compare(recovered, with: name, size: size, files: files, buffer: buffer, &verdict)
    if size > length {
      let end = length + Int64(SegmentStream.terminatorByteCount)
      let isRepaired = size == end ? try files.bytes(of: name, from: length, to: end) == terminator : false
      if isRepaired {
        verdict.add(
          Finding(
            .remark(.repaired), file: name, range: length..<size, "the file ends with the last checkpoint's terminator")
        )
        return
      }
      if seen > length {
        verdict.add(
          Finding(
            .remark(.cameraSeen), file: name, range: length..<seen,
            "behind the last checkpoint; the camera found these bytes when it started again"))
      }
      if seen < size {
        verdict.add(
          Finding(
            .remark(.unattestedTail), file: name, range: max(seen, length)..<size,
            "nothing signed speaks of these bytes"))
      }
    }
    if let repair { verdict.repairs.append(repair) }
  }
}
