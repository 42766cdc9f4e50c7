/// revoke.note: a device key that is not to be believed any more, and up to where it was: signed by a key granted `enrol`, as
/// that which gave the key its word can take it back, at once and without the root in its safe.
///
///     lapel/revoke v1
///     version <num>
///     issued <ms>
///     device <id>
///     last <n> <hash>     the last device-log line that is trusted, or: last -
public struct Revocation: Hashable, Sendable {
  /// Counts the revocations of one device; of several the highest is in force.
  public let version: Int64
  /// ms since 1970 UTC.
  public let issued: Int64
  public let isDemo: Bool
  public let device: EvidenceID
  /// Nil: nothing of it is trusted.
  public let last: ChainHead?

  private static let kind = "revoke"

  /// - Throws: `.note` when it is malformed or not signed by a key that may enrol.
  public init(parsing bytes: [UInt8], roles: RolesNote) throws(EvidenceError) {
    let note = try Note(parsing: bytes)
    let head = try NoteHead(note, kind: Self.kind)
    guard roles.allows(.enrol, note, issued: head.issued) else {
      throw EvidenceError(.note, "the revocation is not signed by a key that roles.note lets enrol devices")
    }
    guard head.rest.count == 2, head.rest[0].count == 2, head.rest[0][0] == "device",
      let device = EvidenceID(hex: head.rest[0][1])
    else { throw EvidenceError(.note, "the revocation has not the lines \"device\" and \"last\"") }
    if head.rest[1] == ["last", "-"] {
      last = nil
    } else {
      guard head.rest[1].count == 3, head.rest[1][0] == "last", let n = JournalNumber.parse(head.rest[1][1]),
        let hash = Hash32(base64URL: head.rest[1][2])
      else { throw EvidenceError(.note, "the revocation's line \"last\" names no line of a device log") }
      last = ChainHead(n: n, hash: hash)
    }
    version = head.version
    issued = head.issued
    isDemo = head.isDemo
    self.device = device
  }

  public static func make(
    version: Int64, issued: Int64, isDemo: Bool, device: EvidenceID, last: ChainHead?, signer: NoteSigner
  ) throws(EvidenceError) -> [UInt8] {
    try signer.sign(
      NoteHead.lines(kind: kind, version: version, issued: issued, isDemo: isDemo)
        + ["device \(device)", last.map { "last \($0.n) \($0.hash)" } ?? "last -"])
  }
}
