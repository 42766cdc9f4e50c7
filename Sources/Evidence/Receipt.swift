/// receipt.note: a dock's signed word that it holds a whole copy of a recording, with every file's hash, and what it verified
/// of it. With it, and with nothing else, a camera deletes the recording.
///
///     lapel/receipt v1
///     version <num>
///     issued <ms>
///     dock <verifier key>
///     device <id>
///     recording <counter> <id>
///     open <hash of the OPEN line>
///     last <n> <hash>                       the journal's last valid line
///     log <n> <hash> <highest counter>      the device log's last line as the dock saw it, or: log -
///     answers <INTEGRITY> <END> <COMPLETENESS>
///     acknowledged <ANSWER> …               only when an answer needs it
///     file <name> <size> <hash>             each file of the recording, sorted by name
public struct Receipt: Hashable, Sendable {
  /// Bytes of a receipt, at most: room for every segment that a recording can have.
  public static let byteLimit = 1 << 20

  /// One file of a recording.
  public struct File: Hashable, Sendable {
    public let name: String
    /// Bytes.
    public let size: Int64
    /// SHA-256 of the whole file.
    public let hash: Hash32

    public init(name: String, size: Int64, hash: Hash32) {
      self.name = name
      self.size = size
      self.hash = hash
    }
  }

  /// The device log as a dock saw it.
  public struct LogHead: Hashable, Sendable {
    public let head: ChainHead
    /// The highest recording counter that any of its lines has; 0: none.
    public let lastCounter: Int64

    public init(head: ChainHead, lastCounter: Int64) {
      self.head = head
      self.lastCounter = lastCounter
    }
  }

  /// Receipts of one recording are numbered by the dock, from 1.
  public let version: Int64
  /// The dock's time, ms since 1970 UTC.
  public let issued: Int64
  public let isDemo: Bool
  /// The key that signed it.
  public let dock: VerifierKey
  public let device: EvidenceID
  public let counter: Int64
  public let id: EvidenceID
  public let openHash: Hash32
  public let last: ChainHead
  /// Nil: the dock saw no device log.
  public let log: LogHead?
  public let integrity: Integrity
  public let end: RecordingEnd
  public let completeness: Completeness
  /// The answers that somebody looked at before the receipt was signed.
  public let acknowledged: [String]
  public let files: [File]
  /// SHA-256 of the whole note.
  public let hash: Hash32

  private static let kind = "receipt"

  /// - Parameter roles: the roles.note in force.
  /// - Throws: why it is no receipt: `.malformed`, `.forged`, `.expired` or `.notPermitted`.
  public init(parsing bytes: [UInt8], roles: RolesNote) throws(ReceiptRefusal) {
    let note: Note
    let head: NoteHead
    do throws(EvidenceError) {
      note = try Note(parsing: bytes, limit: Self.byteLimit)
      head = try NoteHead(note, kind: Self.kind)
    } catch {
      throw .malformed(error.description)
    }
    var lines = Lines(head.rest[...])
    let dockText = try lines.words("dock", 1)[0]
    guard let dock = try? VerifierKey(String(dockText)) else { throw .malformed("its dock is no verifier key") }
    device = try lines.identifier(lines.words("device", 1)[0])
    let recording = try lines.words("recording", 2)
    counter = try lines.number(recording[0])
    id = try lines.identifier(recording[1])
    openHash = try lines.hash(lines.words("open", 1)[0])
    let last = try lines.words("last", 2)
    self.last = ChainHead(n: try lines.number(last[0]), hash: try lines.hash(last[1]))
    log = try lines.log()
    let answers = try lines.words("answers", 3).map(String.init)
    guard let integrity = Integrity(rawValue: answers[0]), let end = RecordingEnd(rawValue: answers[1]),
      let completeness = Completeness(rawValue: answers[2])
    else { throw .malformed("it has an answer that this version does not know") }
    acknowledged = lines.acknowledged().map(String.init)
    files = try lines.files()
    version = head.version
    issued = head.issued
    isDemo = head.isDemo
    self.dock = dock
    self.integrity = integrity
    self.end = end
    self.completeness = completeness
    hash = note.hash

    guard note.isSigned(by: dock), roles.grants.contains(where: { $0.role == .receipt && $0.key == dock }) else {
      throw .forged(dock.name)
    }
    guard roles.allows(.receipt, note, by: dock, issued: issued) else { throw .expired(dock.name) }
    switch DeletionPermission(integrity, end, completeness) {
    case .permitted: guard acknowledged.isEmpty else { throw .notPermitted(acknowledged) }
    case .acknowledged(let needed): guard acknowledged == needed else { throw .notPermitted(needed) }
    case .never(let answer): throw .notPermitted([answer])
    }
  }

  /// A new receipt for what a verification found and for the copy whose files were hashed.
  /// - Parameters:
  ///   - issued: ms since 1970 UTC.
  ///   - files: of the copy that was verified, in any order.
  ///   - log: the device log that was at hand.
  ///   - isAcknowledged: somebody has seen the answers that do not permit deletion by themselves.
  /// - Throws: `.notPermitted` when the answers allow no receipt; `.malformed` for a recording that none can name.
  public static func make(
    version: Int64, issued: Int64, isDemo: Bool, verdict: Verdict, files: [File], log: LogHead?,
    isAcknowledged: Bool, roles: RolesNote, signer: NoteSigner
  ) throws(ReceiptRefusal) -> [UInt8] {
    guard let opening = verdict.opening, let last = verdict.head else {
      throw .notPermitted([Integrity.unsigned.rawValue])
    }
    var lines = NoteHead.lines(kind: kind, version: version, issued: issued, isDemo: isDemo)
    lines += [
      "dock \(signer.key)", "device \(opening.device)",
      "recording \(opening.facts.recordingCounter) \(opening.id)", "open \(opening.hash)",
      "last \(last.n) \(last.hash)",
      log.map { "log \($0.head.n) \($0.head.hash) \($0.lastCounter)" } ?? "log -",
      "answers \(verdict.integrity.rawValue) \(verdict.end.rawValue) \(verdict.completeness.rawValue)",
    ]
    switch DeletionPermission(verdict.integrity, verdict.end, verdict.completeness) {
    case .permitted: break
    case .acknowledged(let needed):
      guard isAcknowledged else { throw .notPermitted(needed) }
      lines.append("acknowledged \(needed.joined(separator: " "))")
    case .never(let answer): throw .notPermitted([answer])
    }
    for file in files.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
      lines.append("file \(file.name) \(file.size) \(file.hash)")
    }
    let bytes: [UInt8]
    do throws(EvidenceError) { bytes = try signer.sign(lines, limit: byteLimit) } catch {
      throw .malformed(error.description)
    }
    // A camera will read it: refuse now what it would refuse later.
    _ = try Receipt(parsing: bytes, roles: roles)
    return bytes
  }

  /// What a receipt covers: journal and segments. The receipt itself is no file of the recording.
  public static func isCovered(_ name: String) -> Bool {
    name == EvidenceName.journal || EvidenceName.parseSegment(name) != nil
  }

  /// The lines behind the head, one after the other.
  private struct Lines {
    private var rest: ArraySlice<[Substring]>

    init(_ rest: ArraySlice<[Substring]>) { self.rest = rest }

    mutating func words(_ key: String, _ count: Int) throws(ReceiptRefusal) -> [Substring] {
      guard let line = rest.popFirst(), line.count == count + 1, line[0] == key else {
        throw .malformed("there is no line \"\(key)\" where it belongs")
      }
      return Array(line.dropFirst())
    }

    func number(_ word: Substring) throws(ReceiptRefusal) -> Int64 {
      guard let value = JournalNumber.parse(word) else { throw .malformed("\"\(word.prefix(40))\" is no number") }
      return value
    }

    func hash(_ word: Substring) throws(ReceiptRefusal) -> Hash32 {
      guard let value = Hash32(base64URL: word) else { throw .malformed("\"\(word.prefix(60))\" is no hash") }
      return value
    }

    func identifier(_ word: Substring) throws(ReceiptRefusal) -> EvidenceID {
      guard let value = EvidenceID(hex: word) else { throw .malformed("\"\(word.prefix(40))\" is no id") }
      return value
    }

    mutating func log() throws(ReceiptRefusal) -> LogHead? {
      if rest.first == ["log", "-"] {
        rest.removeFirst()
        return nil
      }
      let words = try words("log", 3)
      return LogHead(
        head: ChainHead(n: try number(words[0]), hash: try hash(words[1])), lastCounter: try number(words[2]))
    }

    mutating func acknowledged() -> [Substring] {
      guard let line = rest.first, line.count > 1, line[0] == "acknowledged" else { return [] }
      rest.removeFirst()
      return Array(line.dropFirst())
    }

    /// All that is left, which is a journal and segments, sorted.
    mutating func files() throws(ReceiptRefusal) -> [File] {
      var files: [File] = []
      while !rest.isEmpty {
        let words = try words("file", 3)
        let name = String(words[0])
        guard Receipt.isCovered(name) else { throw .malformed("\"\(name.prefix(40))\" is no file of a recording") }
        if let last = files.last, !last.name.utf8.lexicographicallyPrecedes(name.utf8) {
          throw .malformed("its files are not sorted, or one stands twice")
        }
        files.append(File(name: name, size: try number(words[1]), hash: try hash(words[2])))
      }
      guard files.contains(where: { $0.name == EvidenceName.journal }) else {
        throw .malformed("it does not name the journal")
      }
      return files
    }
  }
}

/// Whether a recording may be deleted once a dock holds a copy of which it gave these answers.
///
/// What is wrong with the recording itself needs a person's acknowledgement, named in the receipt answer by answer: the card
/// may hold more than the copy shows. What is wrong around it (another recording missing, a log torn or rolled back) is no
/// reason to keep this one: the device log, which says so, is never deleted. A cut-off recording is whole as far as it goes.
public enum DeletionPermission: Hashable, Sendable {
  case permitted
  /// Only when a receipt acknowledges exactly these answers.
  case acknowledged([String])
  /// The answer for which no receipt is made: whose recording it is, or what it says, is not known to the dock.
  case never(String)

  public init(_ integrity: Integrity, _ end: RecordingEnd, _ completeness: Completeness) {
    var needed: [String] = []
    switch integrity {
    case .intact: break
    case .unsupported, .unknownDevice, .unsigned:
      self = .never(integrity.rawValue)
      return
    case .revoked, .foreign, .reordered, .commitmentMismatch, .altered: needed.append(integrity.rawValue)
    }
    switch end {
    case .closed, .interrupted: break
    case .truncated: needed.append(end.rawValue)
    }
    switch completeness {
    case .continuous, .notChecked, .tornDeviceLog, .missingRecording, .rollback: break
    case .missingSegment, .equivocation: needed.append(completeness.rawValue)
    }
    self = needed.isEmpty ? .permitted : .acknowledged(needed)
  }
}
