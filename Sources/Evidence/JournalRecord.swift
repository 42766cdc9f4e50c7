/// A journal line with its meaning: every key that its type must have, in its type.
enum JournalRecord {
  struct Open {
    let id: EvidenceID
    let device: EvidenceID
    let publicKey: SigningPublicKey
    let facts: OpenFacts
  }

  struct Segment {
    let number: Int64
    let headerLength: Int64
    let headerHash: Hash32
    let initLength: Int64
    let commitment: Hash32
    /// Nil: `-`.
    let previousEnd: Hash32?
  }

  struct Checkpoint {
    let number: Int64
    let chunks: Int64
    let length: Int64
    let rangeHash: Hash32?
    let commitment: Hash32?
    let terminator: [UInt8]
    let facts: CheckpointFacts
  }

  struct EndSegment {
    let number: Int64
    let chunks: Int64
    let length: Int64
    let hash: Hash32
  }

  case open(Open)
  case segment(Segment)
  case checkpoint(Checkpoint)
  case endSegment(EndSegment)
  case abandon(number: Int64, chunks: Int64, AbandonReason)
  case event(JournalEvent, monotonic: Int64)
  case close(segments: Int64, duration: Int64, CloseReason, monotonic: Int64)
  /// A type that begins with X: counted and ignored.
  case experiment

  /// - Throws: `.journalLine` for an unknown type, or a key that is missing or has a value that this version does not know.
  init(_ line: JournalLine) throws(EvidenceError) {
    let keys = Keys(line)
    switch line.type {
    case "OPEN": self = .open(try Open(keys))
    case "SEG":
      let number = try keys.segment()
      let previous = try keys.code(Key.previousEnd)
      let previousEnd = previous == "-" ? nil : try keys.hash(Key.previousEnd)
      self = .segment(
        Segment(
          number: number, headerLength: try keys.number(Key.headerLength), headerHash: try keys.hash(Key.hash),
          initLength: try keys.number(Key.initLength), commitment: try keys.hash(Key.commitment),
          previousEnd: previousEnd))
    case "CKPT": self = .checkpoint(try Checkpoint(keys))
    case "ENDSEG":
      self = .endSegment(
        EndSegment(
          number: try keys.segment(), chunks: try keys.number(Key.chunks), length: try keys.number(Key.length),
          hash: try keys.hash(Key.hash)))
    case "ABANDON":
      self = .abandon(
        number: try keys.segment(), chunks: try keys.number(Key.chunks), try keys.value(Key.reason))
    case "EVT":
      guard let event = JournalEvent(line) else {
        throw EvidenceError(.journalLine, "an event that this version does not know (\(line.encoded(Key.code) ?? "-"))")
      }
      _ = try keys.number(Key.wall)
      self = .event(event, monotonic: try keys.number(Key.monotonic))
    case "CLOSE":
      _ = try keys.number(Key.wall)
      self = .close(
        segments: try keys.number(Key.segments), duration: try keys.number(Key.duration),
        try keys.value(Key.reason), monotonic: try keys.number(Key.monotonic))
    default:
      guard line.type.hasPrefix("X") else {
        throw EvidenceError(.journalLine, "a line of type \(line.type), which this version does not know")
      }
      self = .experiment
    }
  }
}

extension JournalRecord.Open {
  init(_ keys: Keys) throws(EvidenceError) {
    id = try keys.identifier(Key.id)
    device = try keys.identifier(Key.device)
    guard let key = keys.line.bytes(Key.publicKey) else { throw keys.missing(Key.publicKey) }
    publicKey = try SigningPublicKey(key)
    let demo = keys.line.encoded(Key.demo)
    guard demo == nil || demo == "1" else { throw keys.missing(Key.demo) }
    facts = OpenFacts(
      recordingCounter: try keys.number(Key.recordingCounter), startCounter: try keys.number(Key.startCounter),
      boot: try keys.identifier(Key.boot),
      deviceLog: ChainHead(n: try keys.number(Key.logNumber), hash: try keys.hash(Key.logHash)),
      recipients: NoteReference(
        version: try keys.number(Key.recipientsVersion), hash: try keys.hash(Key.recipientsHash)),
      roles: NoteReference(version: try keys.number(Key.rolesVersion), hash: try keys.hash(Key.rolesHash)),
      isDemo: demo != nil, camera: try keys.value(Key.camera), microphone: try keys.value(Key.microphone),
      clock: try keys.clock(), clockSource: try keys.value(Key.wallSource),
      clockTrust: try keys.value(Key.wallTrust), softwareVersion: keys.line.text(Key.version) ?? "",
      softwareHash: try keys.hash(Key.softwareHash), configurationHash: try keys.hash(Key.configurationHash),
      start: try StartFacts(keys))
  }
}

extension JournalRecord.Checkpoint {
  init(_ keys: Keys) throws(EvidenceError) {
    number = try keys.segment()
    chunks = try keys.number(Key.chunks)
    length = try keys.number(Key.length)
    let idle = keys.line.encoded(Key.idle)
    guard idle == nil || idle == "1" else { throw keys.missing(Key.idle) }
    rangeHash = idle == nil ? try keys.hash(Key.hash) : nil
    commitment = idle == nil ? try keys.hash(Key.commitment) : nil
    guard let terminator = keys.line.bytes(Key.terminator),
      terminator.count == SegmentStream.terminatorByteCount
    else { throw keys.missing(Key.terminator) }
    self.terminator = terminator
    facts = CheckpointFacts(
      mediaTime: try keys.number(Key.mediaTime),
      firstIDR: keys.line.encoded(Key.firstIDR) == nil ? nil : try keys.number(Key.firstIDR),
      clock: try keys.clock(), lag: try keys.number(Key.lag), framesLost: try keys.number(Key.framesLost),
      samplesLost: try keys.number(Key.samplesLost))
  }
}

/// Reads the keys that a line must have.
struct Keys {
  let line: JournalLine

  init(_ line: JournalLine) { self.line = line }

  func missing(_ key: String) -> EvidenceError {
    EvidenceError(.journalLine, "\(line.type) has no \(key) that this version understands")
  }

  func number(_ key: String) throws(EvidenceError) -> Int64 {
    guard let value = line.number(key) else { throw missing(key) }
    return value
  }

  func hash(_ key: String) throws(EvidenceError) -> Hash32 {
    guard let value = line.hash(key) else { throw missing(key) }
    return value
  }

  func identifier(_ key: String) throws(EvidenceError) -> EvidenceID {
    guard let value = line.encoded(key).flatMap({ EvidenceID(hex: $0) }) else { throw missing(key) }
    return value
  }

  func code(_ key: String) throws(EvidenceError) -> String {
    guard let value = line.encoded(key) else { throw missing(key) }
    return value
  }

  /// One of a closed list.
  func value<Value: RawRepresentable<String>>(_ key: String) throws(EvidenceError) -> Value {
    guard let value = line.encoded(key).flatMap(Value.init) else { throw missing(key) }
    return value
  }

  func clock() throws(EvidenceError) -> ClockReading {
    ClockReading(wall: try number(Key.wall), monotonic: try number(Key.monotonic))
  }

  /// The segment's number, of stream 0: this version knows no other.
  func segment() throws(EvidenceError) -> Int64 {
    let stream = try number(Key.stream)
    guard stream == 0 else { throw missing(Key.stream) }
    let number = try number(Key.segment)
    guard number <= 9999 else { throw missing(Key.segment) }
    return number
  }
}
