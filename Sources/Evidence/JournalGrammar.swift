import Crypto

/// The order of a journal's lines, the same for the one who writes and the one who verifies:
/// `OPEN ( SEG (CKPT|EVT)* (ENDSEG|ABANDON) | EVT )* CLOSE`, segments from 0; k, mt and mono never fall.
struct JournalGrammar {
  /// The segment between SEG and its end.
  struct OpenSegment {
    let number: Int64
    let headerLength: Int64
    var chunks: Int64 = 0
    var length: Int64
    var terminator: [UInt8]?
    /// Over the header's hash and the range hashes so far.
    var rangesHash: SHA256
  }

  private(set) var isOpen = false
  private(set) var isClosed = false
  private(set) var segment: OpenSegment?
  /// SEG lines so far.
  private(set) var segments: Int64 = 0
  private(set) var abandoned: Int64 = 0
  private(set) var mediaTime: Int64 = 0
  private(set) var monotonic: Int64 = 0

  private func broken(_ rule: String) -> EvidenceError { EvidenceError(.grammar, rule) }

  /// Nothing is valid before OPEN or after CLOSE.
  func requireRunning() throws(EvidenceError) {
    guard isOpen else { throw broken("the first line is OPEN") }
    guard !isClosed else { throw broken("nothing is valid after CLOSE") }
  }

  private mutating func advance(monotonic now: Int64) throws(EvidenceError) {
    guard now >= monotonic else { throw broken("mono falls from \(monotonic) to \(now)") }
    monotonic = now
  }

  mutating func open(monotonic now: Int64) throws(EvidenceError) {
    guard !isOpen else { throw broken("OPEN stands only in the first line") }
    try advance(monotonic: now)
    isOpen = true
  }

  mutating func segment(_ number: Int64, headerLength: Int64, headerHash: Hash32) throws(EvidenceError) {
    try requireRunning()
    guard segment == nil else { throw broken("SEG before the segment before it has ended") }
    guard number == segments else { throw broken("SEG \(number) where segment \(segments) is next") }
    guard (1...Int64(AgeHeader.byteLimit)).contains(headerLength) else {
      throw broken("a header of \(headerLength) bytes")
    }
    var hash = SHA256()
    hash.update(data: headerHash.bytes)
    segment = OpenSegment(number: number, headerLength: headerLength, length: headerLength, rangesHash: hash)
    segments += 1
  }

  /// - Parameter rangeHash: nil in an idle checkpoint.
  mutating func checkpoint(
    _ number: Int64, chunks: Int64, length: Int64, rangeHash: Hash32?, terminator: [UInt8], mediaTime time: Int64,
    monotonic now: Int64
  ) throws(EvidenceError) {
    try requireRunning()
    guard var open = segment else { throw broken("CKPT outside a segment") }
    guard number == open.number else { throw broken("CKPT of segment \(number) in segment \(open.number)") }
    let (bytes, overflow) = chunks.multipliedReportingOverflow(by: Int64(SegmentStream.sealedByteCount))
    guard !overflow, length - open.headerLength == bytes else { throw broken("len is not H + 65552 k") }
    if let rangeHash {
      guard chunks > open.chunks else { throw broken("k does not rise from \(open.chunks)") }
      open.rangesHash.update(data: rangeHash.bytes)
    } else {
      guard chunks == open.chunks, chunks > 0, terminator == open.terminator else {
        throw broken("an idle CKPT repeats k and term")
      }
    }
    guard time >= mediaTime else { throw broken("mt falls from \(mediaTime) to \(time)") }
    try advance(monotonic: now)
    mediaTime = time
    open.chunks = chunks
    open.length = length
    open.terminator = terminator
    segment = open
  }

  mutating func event(monotonic now: Int64) throws(EvidenceError) {
    try requireRunning()
    try advance(monotonic: now)
  }

  /// SHA-256 over the header's hash and all range hashes of the open segment.
  func rangesHash() -> Hash32? { segment.map { Hash32($0.rangesHash.finalize()) } }

  mutating func endSegment(_ number: Int64, chunks: Int64, length: Int64, hash: Hash32) throws(EvidenceError) {
    try requireRunning()
    guard let open = segment, open.number == number else { throw broken("ENDSEG \(number) outside that segment") }
    guard open.chunks > 0, chunks == open.chunks,
      length - Int64(SegmentStream.terminatorByteCount) == open.length
    else { throw broken("ENDSEG says another length than the last CKPT") }
    guard hash == rangesHash() else { throw broken("ENDSEG has another hash than its ranges") }
    segment = nil
  }

  mutating func abandon(_ number: Int64, chunks: Int64) throws(EvidenceError) {
    try requireRunning()
    guard let open = segment, open.number == number else { throw broken("ABANDON \(number) outside that segment") }
    guard chunks == open.chunks else { throw broken("ABANDON says another k than the last CKPT") }
    segment = nil
    abandoned += 1
  }

  mutating func close(segments count: Int64, monotonic now: Int64) throws(EvidenceError) {
    try requireRunning()
    guard segment == nil else { throw broken("CLOSE inside a segment") }
    guard count == segments else { throw broken("CLOSE counts \(count) segments, there are \(segments)") }
    try advance(monotonic: now)
    isClosed = true
  }
}
