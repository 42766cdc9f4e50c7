import Crypto

/// Makes a recording's journal lines: the per-recording key, the chain and the grammar.
///
/// Each function returns the bytes of one line with its LF; the caller writes them in one piece and syncs before anything
/// else. A line that was returned counts as written: after a failed write the journal must not be continued. The key
/// exists in this value only. Not for more than one thread. Cost: one Ed25519 signature (tens of µs).
public struct JournalWriter: ~Copyable {
  public let id: EvidenceID
  private let key: Curve25519.Signing.PrivateKey
  private let device: DeviceSigner
  private var chain: JournalChain
  private(set) var grammar = JournalGrammar()
  private var lastEnd: Hash32?

  /// Makes the per-recording key.
  public init(
    id: EvidenceID, device: DeviceSigner, randomness: inout HedgedRandomness
  ) throws(EvidenceError) {
    let seed = try randomness.key(32, for: .journalKey, segment: nil)
    let key = seed.withUnsafeBytes { try? Curve25519.Signing.PrivateKey(rawRepresentation: $0) }
    guard let key else { throw EvidenceError(.signature, "no per-recording key could be made") }
    _ = try SigningPublicKey(Array(key.publicKey.rawRepresentation))
    self.id = id
    self.key = key
    self.device = device
    self.chain = JournalChain(id: id)
  }

  /// The last line made; nil before OPEN. The device log and the internal store name it.
  public var head: ChainHead? { chain.head }
  /// The number of the next segment.
  public var nextSegment: Int { Int(grammar.segments) }
  public var isClosed: Bool { grammar.isClosed }

  // MARK: Lines

  /// OPEN, the first line: signed by the device key, and by the per-recording key it introduces.
  public mutating func open(_ facts: OpenFacts) throws(EvidenceError) -> [UInt8] {
    guard facts.recordingCounter >= 1, facts.startCounter >= 1, facts.deviceLog.n >= 0, facts.clock.wall >= 0,
      facts.recipients.version >= 1, facts.roles.version >= 1, facts.start?.isValid ?? true
    else { throw Self.negative("OPEN") }
    var grammar = grammar
    try grammar.open(monotonic: facts.clock.monotonic)
    var fields = LineFields()
    fields.add(Key.id, id)
    fields.add(Key.device, device.identity.id)
    fields.add(Key.publicKey, bytes: Array(key.publicKey.rawRepresentation))
    fields.add(Key.recordingCounter, facts.recordingCounter)
    fields.add(Key.startCounter, facts.startCounter)
    fields.add(Key.boot, facts.boot)
    fields.add(Key.logNumber, facts.deviceLog.n)
    fields.add(Key.logHash, facts.deviceLog.hash)
    fields.add(Key.recipientsVersion, facts.recipients.version)
    fields.add(Key.recipientsHash, facts.recipients.hash)
    fields.add(Key.rolesVersion, facts.roles.version)
    fields.add(Key.rolesHash, facts.roles.hash)
    if facts.isDemo { fields.add(Key.demo, 1) }
    fields.add(Key.camera, code: facts.camera.rawValue)
    fields.add(Key.microphone, code: facts.microphone.rawValue)
    fields.add(Key.wall, facts.clock.wall)
    fields.add(Key.wallSource, code: facts.clockSource.rawValue)
    fields.add(Key.wallTrust, code: facts.clockTrust.rawValue)
    fields.add(Key.monotonic, facts.clock.monotonic)
    fields.add(Key.version, text: facts.softwareVersion)
    fields.add(Key.softwareHash, facts.softwareHash)
    fields.add(Key.configurationHash, facts.configurationHash)
    facts.start?.add(to: &fields)
    return try append("OPEN", fields, grammar, deviceSigned: true)
  }

  /// SEG, after the segment's header is durable.
  /// - Parameters:
  ///   - initSegment: the plaintext of `ftyp` and `moov`, the first bytes that go into the stream.
  public mutating func segment(
    _ stream: borrowing SegmentStream, initSegment: [UInt8]
  ) throws(EvidenceError) -> [UInt8] {
    try segment(
      stream, initLength: initSegment.count,
      commitment: Commitment.ofInit(initSegment, salt: stream.initSalt, segment: stream.segment))
  }

  /// As above, for an init segment that is in the stream already.
  /// - Parameters:
  ///   - initLength: its bytes.
  ///   - commitment: `Commitment.ofInit` of it.
  public mutating func segment(
    _ stream: borrowing SegmentStream, initLength: Int, commitment: Hash32
  ) throws(EvidenceError) -> [UInt8] {
    var grammar = grammar
    let headerLength = Int64(stream.header.count)
    try grammar.segment(Int64(stream.segment), headerLength: headerLength, headerHash: stream.headerHash)
    guard initLength > 0 else { throw EvidenceError(.grammar, "a segment begins with its init segment") }
    var fields = LineFields()
    fields.add(Key.segment, Int64(stream.segment))
    fields.add(Key.stream, 0)
    fields.add(Key.headerLength, headerLength)
    fields.add(Key.hash, stream.headerHash)
    fields.add(Key.initLength, Int64(initLength))
    fields.add(Key.commitment, commitment)
    if let lastEnd { fields.add(Key.previousEnd, lastEnd) } else { fields.add(Key.previousEnd, code: "-") }
    return try append("SEG", fields, grammar)
  }

  /// CKPT, after the segment file is synced: the commit point of everything up to here.
  public mutating func checkpoint(
    _ seal: CheckpointSeal, _ facts: CheckpointFacts
  ) throws(EvidenceError) -> [UInt8] {
    guard facts.clock.wall >= 0, facts.lag >= 0, facts.framesLost >= 0, facts.samplesLost >= 0,
      facts.firstIDR.map({ $0 >= 0 }) ?? true, facts.mediaTime >= 0
    else { throw Self.negative("CKPT") }
    var grammar = grammar
    try grammar.checkpoint(
      Int64(seal.segment), chunks: seal.chunks, length: seal.length, rangeHash: seal.rangeHash,
      terminator: seal.terminator, mediaTime: facts.mediaTime, monotonic: facts.clock.monotonic)
    var fields = LineFields()
    fields.add(Key.segment, Int64(seal.segment))
    fields.add(Key.stream, 0)
    fields.add(Key.chunks, seal.chunks)
    fields.add(Key.length, seal.length)
    if let rangeHash = seal.rangeHash, let commitment = seal.commitment {
      fields.add(Key.hash, rangeHash)
      fields.add(Key.commitment, commitment)
    }
    fields.add(Key.terminator, bytes: seal.terminator)
    fields.add(Key.mediaTime, facts.mediaTime)
    if let offset = facts.firstIDR, !seal.isIdle { fields.add(Key.firstIDR, offset) }
    fields.add(Key.wall, facts.clock.wall)
    fields.add(Key.monotonic, facts.clock.monotonic)
    fields.add(Key.lag, facts.lag)
    fields.add(Key.framesLost, facts.framesLost)
    fields.add(Key.samplesLost, facts.samplesLost)
    if seal.isIdle { fields.add(Key.idle, 1) }
    return try append("CKPT", fields, grammar)
  }

  /// ENDSEG, after the last checkpoint's terminator is written and the file synced.
  public mutating func endSegment() throws(EvidenceError) -> [UInt8] {
    var grammar = grammar
    guard let open = grammar.segment, let hash = grammar.rangesHash() else {
      throw EvidenceError(.grammar, "ENDSEG outside a segment")
    }
    let length = open.length + Int64(SegmentStream.terminatorByteCount)
    try grammar.endSegment(open.number, chunks: open.chunks, length: length, hash: hash)
    var fields = LineFields()
    fields.add(Key.segment, open.number)
    fields.add(Key.stream, 0)
    fields.add(Key.chunks, open.chunks)
    fields.add(Key.length, length)
    fields.add(Key.hash, hash)
    let line = try append("ENDSEG", fields, grammar)
    lastEnd = chain.previous
    return line
  }

  /// ABANDON: the open segment ends at its last checkpoint; a new segment may follow.
  public mutating func abandon(_ reason: AbandonReason) throws(EvidenceError) -> [UInt8] {
    var grammar = grammar
    guard let open = grammar.segment else { throw EvidenceError(.grammar, "ABANDON outside a segment") }
    try grammar.abandon(open.number, chunks: open.chunks)
    var fields = LineFields()
    fields.add(Key.segment, open.number)
    fields.add(Key.stream, 0)
    fields.add(Key.chunks, open.chunks)
    fields.add(Key.reason, code: reason.rawValue)
    return try append("ABANDON", fields, grammar)
  }

  /// EVT, anywhere between OPEN and CLOSE.
  public mutating func event(_ event: JournalEvent, _ clock: ClockReading) throws(EvidenceError) -> [UInt8] {
    guard event.isValid, clock.wall >= 0 else { throw Self.negative("EVT") }
    var grammar = grammar
    try grammar.event(monotonic: clock.monotonic)
    var fields = LineFields()
    event.add(to: &fields)
    fields.add(Key.wall, clock.wall)
    fields.add(Key.monotonic, clock.monotonic)
    return try append("EVT", fields, grammar)
  }

  /// CLOSE, the last line: signed by the device key too.
  /// - Parameter duration: µs of media in the recording.
  public mutating func close(
    _ reason: CloseReason, duration: Int64, _ clock: ClockReading
  ) throws(EvidenceError) -> [UInt8] {
    guard duration >= 0, clock.wall >= 0 else { throw Self.negative("CLOSE") }
    var grammar = grammar
    try grammar.close(segments: grammar.segments, monotonic: clock.monotonic)
    var fields = LineFields()
    fields.add(Key.segments, grammar.segments)
    fields.add(Key.duration, duration)
    fields.add(Key.reason, code: reason.rawValue)
    fields.add(Key.wall, clock.wall)
    fields.add(Key.monotonic, clock.monotonic)
    return try append("CLOSE", fields, grammar, deviceSigned: true)
  }

  /// Makes a line; the state moves on only when that succeeded. Internal, for tests of what a verifier must refuse.
  mutating func append(
    _ type: String, _ fields: LineFields, _ next: JournalGrammar, deviceSigned: Bool = false
  ) throws(EvidenceError) -> [UInt8] {
    let device = device
    let key = key
    let deviceSign = { (message: [UInt8]) throws(EvidenceError) in try device.signature(over: message) }
    let line = try chain.line(
      type, fields, device: deviceSigned ? deviceSign : nil,
      sign: { message throws(EvidenceError) in
        do { return Array(try key.signature(for: message)) } catch {
          throw EvidenceError(.signature, "the per-recording key could not sign (\(error))")
        }
      }, signDomain: .journal)
    grammar = next
    return line
  }

  private static func negative(_ type: String) -> EvidenceError {
    EvidenceError(.grammar, "\(type) was given a number out of range; times and counts are 0 or more")
  }
}
