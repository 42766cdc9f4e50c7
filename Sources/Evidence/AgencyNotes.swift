/// What all notes of an agency begin with. Each has `lapel/<kind> v1`, `version <n>`, `issued <ms>`, perhaps `demo`, then its own
/// lines; anything else is refused.
struct NoteHead {
  let version: Int64
  let issued: Int64
  let isDemo: Bool
  /// The lines after the head, as words.
  let rest: [[Substring]]

  /// - Throws: `.note` when the note is of another kind or version, or a head line is malformed.
  init(_ note: Note, kind: String) throws(EvidenceError) {
    var lines = note.lines[...]
    func broken(_ rule: String) -> EvidenceError { EvidenceError(.note, "the \(kind) note: \(rule)") }
    guard lines.popFirst().map(String.init) == "lapel/\(kind) v1" else {
      throw EvidenceError(.note, "this is not a \(kind) note: its first line is not \"lapel/\(kind) v1\"")
    }
    func number(_ key: String) throws(EvidenceError) -> Int64 {
      let words = lines.popFirst()?.split(separator: " ", omittingEmptySubsequences: false) ?? []
      guard words.count == 2, words[0] == key, let value = JournalNumber.parse(words[1]) else {
        throw broken("there is no line \"\(key) <number>\" where it belongs")
      }
      return value
    }
    version = try number("version")
    guard version >= 1 else { throw broken("versions begin at 1") }
    issued = try number("issued")
    isDemo = lines.first == "demo"
    if isDemo { lines.removeFirst() }
    rest = lines.map { $0.split(separator: " ", omittingEmptySubsequences: false) }
  }

  static func lines(kind: String, version: Int64, issued: Int64, isDemo: Bool) -> [String] {
    ["lapel/\(kind) v1", "version \(version)", "issued \(issued)"] + (isDemo ? ["demo"] : [])
  }
}

/// roles.note: which keys may do what. Signed by the agency's offline root alone.
public struct RolesNote: Hashable, Sendable {
  public enum Role: String, CaseIterable, Sendable {
    /// Sign enrol.note.
    case enrol
    /// Sign recipients.note.
    case recipients
    /// Sign receipts.
    case receipt
  }

  /// `grant <role> <verifier key> <not-after, ms since 1970 or ->`
  public struct Grant: Hashable, Sendable {
    public let role: Role
    public let key: VerifierKey
    /// ms since 1970 UTC; notes issued later are refused. Nil: no end.
    public let notAfter: Int64?

    public init(role: Role, key: VerifierKey, notAfter: Int64?) {
      self.role = role
      self.key = key
      self.notAfter = notAfter
    }
  }

  public let version: Int64
  /// ms since 1970 UTC.
  public let issued: Int64
  public let isDemo: Bool
  public let grants: [Grant]
  public let hash: Hash32

  public var reference: NoteReference { NoteReference(version: version, hash: hash) }

  /// - Parameter root: the pinned key of the agency.
  /// - Throws: `.note` when it is malformed or not signed by the root.
  public init(parsing bytes: [UInt8], root: VerifierKey) throws(EvidenceError) {
    let note = try Note(parsing: bytes)
    guard note.isSigned(by: root) else {
      throw EvidenceError(.note, "roles.note is not signed by the agency's root key \(root.name)")
    }
    let head = try NoteHead(note, kind: "roles")
    var grants: [Grant] = []
    for words in head.rest {
      guard words.count == 4, words[0] == "grant", let role = Role(rawValue: String(words[1])) else {
        throw EvidenceError(.note, "roles.note has a line that is not \"grant <role> <key> <not-after>\"")
      }
      let notAfter = words[3] == "-" ? nil : JournalNumber.parse(words[3])
      guard notAfter != nil || words[3] == "-" else {
        throw EvidenceError(.note, "roles.note has a not-after that is neither ms nor -")
      }
      grants.append(Grant(role: role, key: try VerifierKey(String(words[2])), notAfter: notAfter))
    }
    guard !grants.isEmpty else { throw EvidenceError(.note, "roles.note grants nothing") }
    version = head.version
    issued = head.issued
    isDemo = head.isDemo
    self.grants = grants
    hash = note.hash
  }

  /// A new roles.note. `times` are ms since 1970 UTC.
  public static func make(
    version: Int64, issued: Int64, isDemo: Bool, grants: [Grant], root: NoteSigner
  ) throws(EvidenceError) -> [UInt8] {
    let lines = grants.map { "grant \($0.role.rawValue) \($0.key) \($0.notAfter.map { String($0) } ?? "-")" }
    let bytes = try root.sign(
      NoteHead.lines(kind: "roles", version: version, issued: issued, isDemo: isDemo) + lines)
    _ = try RolesNote(parsing: bytes, root: root.key)
    return bytes
  }

  /// Whether a key with that role signed a note issued at that time.
  func allows(_ role: Role, _ note: Note, issued: Int64) -> Bool {
    grants.contains { allows(role, note, by: $0.key, issued: issued) }
  }

  /// Whether that key has the role at that time, and signed the note.
  func allows(_ role: Role, _ note: Note, by key: VerifierKey, issued: Int64) -> Bool {
    grants.contains { $0.role == role && $0.key == key && ($0.notAfter.map { issued <= $0 } ?? true) }
      && note.isSigned(by: key)
  }
}

/// recipients.note: whom every segment is sealed for, one `recipient age1…` a line.
public struct RecipientsNote: Hashable, Sendable {
  public let version: Int64
  /// ms since 1970 UTC.
  public let issued: Int64
  public let isDemo: Bool
  public let recipients: RecipientList
  public let hash: Hash32

  public var reference: NoteReference { NoteReference(version: version, hash: hash) }

  /// - Throws: `.note` when it is malformed or signed by no key that may; `.recipient` for a bad recipient.
  public init(parsing bytes: [UInt8], roles: RolesNote) throws(EvidenceError) {
    let note = try Note(parsing: bytes)
    let head = try NoteHead(note, kind: "recipients")
    guard roles.allows(.recipients, note, issued: head.issued) else {
      throw EvidenceError(.note, "recipients.note is not signed by a key that roles.note lets name recipients")
    }
    var recipients: [Recipient] = []
    for words in head.rest {
      guard words.count == 2, words[0] == "recipient" else {
        throw EvidenceError(.note, "recipients.note has a line that is not \"recipient age1…\"")
      }
      recipients.append(try Recipient(String(words[1])))
    }
    version = head.version
    issued = head.issued
    isDemo = head.isDemo
    self.recipients = try RecipientList(recipients)
    hash = note.hash
  }

  public static func make(
    version: Int64, issued: Int64, isDemo: Bool, recipients: RecipientList, signer: NoteSigner
  ) throws(EvidenceError) -> [UInt8] {
    try signer.sign(
      NoteHead.lines(kind: "recipients", version: version, issued: issued, isDemo: isDemo)
        + recipients.recipients.map { "recipient \($0)" })
  }
}

/// enrol.note: one device, its key, and where that key lives.
public struct EnrolNote: Hashable, Sendable {
  /// Where the device key lives.
  public enum KeyPlace: String, CaseIterable, Sendable {
    /// On storage that can be taken out: a copy may exist, and the headline says so.
    case removable
    /// On storage soldered to the device.
    case `internal`
    case tpm
    case secureElement = "element"
  }

  public let version: Int64
  /// ms since 1970 UTC.
  public let issued: Int64
  public let isDemo: Bool
  public let device: DeviceIdentity
  public let keyPlace: KeyPlace
  public let hash: Hash32

  /// - Throws: `.note` when it is malformed or signed by no key that may enrol; `.signature` for a bad key.
  public init(parsing bytes: [UInt8], roles: RolesNote) throws(EvidenceError) {
    let note = try Note(parsing: bytes)
    let head = try NoteHead(note, kind: "enrol")
    guard roles.allows(.enrol, note, issued: head.issued) else {
      throw EvidenceError(.note, "enrol.note is not signed by a key that roles.note lets enrol devices")
    }
    guard head.rest.count == 3, head.rest[0].count == 2, head.rest[0][0] == "device", head.rest[1].count == 3,
      head.rest[1][0] == "key", head.rest[1][1] == "ed25519",
      let key = Base64.decode(head.rest[1][2].utf8, .padded), head.rest[2].count == 2, head.rest[2][0] == "place",
      let place = KeyPlace(rawValue: String(head.rest[2][1]))
    else {
      throw EvidenceError(.note, "enrol.note has not the lines \"device\", \"key ed25519\" and \"place\"")
    }
    let device = try DeviceIdentity(publicKeyBytes: key)
    guard device.id.description == head.rest[0][1] else {
      throw EvidenceError(.note, "enrol.note names device \(head.rest[0][1]), but its key belongs to \(device.id)")
    }
    version = head.version
    issued = head.issued
    isDemo = head.isDemo
    self.device = device
    keyPlace = place
    hash = note.hash
  }

  public static func make(
    version: Int64, issued: Int64, isDemo: Bool, device: DeviceIdentity, keyPlace: KeyPlace, signer: NoteSigner
  ) throws(EvidenceError) -> [UInt8] {
    try signer.sign(
      NoteHead.lines(kind: "enrol", version: version, issued: issued, isDemo: isDemo)
        + [
          "device \(device.id)", "key ed25519 \(Base64.encode(device.publicKey.bytes, .padded))",
          "place \(keyPlace.rawValue)",
        ])
  }
}

/// What a verifier knows of a device from outside the recording.
public struct DeviceTrust: Hashable, Sendable {
  public var device: DeviceIdentity
  public var keyPlace: EnrolNote.KeyPlace
  /// Whether any of the notes says that the agency's keys are for demonstration.
  public var isDemo: Bool
  /// The notes, for comparison with what OPEN says; nil when not at hand.
  public var roles: NoteReference?
  public var recipients: NoteReference?
  /// Whom every segment is sealed for, a stanza each and in this order, when OPEN names exactly that recipients.note.
  public var recipientList: RecipientList?
  /// The device's revocation, if it was revoked.
  public var revocation: Revocation?

  /// Trust in one key that was pinned by hand.
  public init(device: DeviceIdentity, keyPlace: EnrolNote.KeyPlace) {
    self.device = device
    self.keyPlace = keyPlace
    isDemo = false
  }

  /// Trust that begins at the agency's pinned root: root → roles.note → enrol.note, recipients.note.
  /// - Parameters:
  ///   - recipients: the note's bytes; nil when not at hand.
  ///   - revocations: every revoke.note at hand; those of other devices are left aside, the highest version counts.
  /// - Throws: what is wrong with the first bad note.
  public init(
    root: VerifierKey, roles: [UInt8], enrolment: [UInt8], recipients: [UInt8]?, revocations: [[UInt8]] = []
  ) throws(EvidenceError) {
    let rolesNote = try RolesNote(parsing: roles, root: root)
    let enrolNote = try EnrolNote(parsing: enrolment, roles: rolesNote)
    self.init(device: enrolNote.device, keyPlace: enrolNote.keyPlace)
    isDemo = rolesNote.isDemo || enrolNote.isDemo
    self.roles = rolesNote.reference
    if let recipients {
      let note = try RecipientsNote(parsing: recipients, roles: rolesNote)
      self.recipients = note.reference
      recipientList = note.recipients
      isDemo = isDemo || note.isDemo
    }
    for bytes in revocations {
      let note = try Revocation(parsing: bytes, roles: rolesNote)
      guard note.device == device.id else { continue }
      // Of two under one version the one that trusts less.
      if let held = revocation, (held.version, -(held.last?.n ?? -1)) >= (note.version, -(note.last?.n ?? -1)) {
        continue
      }
      revocation = note
    }
  }
}
