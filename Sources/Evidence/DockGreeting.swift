/// What a dock says to a camera when it is put in: who it is, what time it has, and a number that nobody could know before.
///
///     lapel/dock v1
///     version 1
///     issued <ms: the dock's time>
///     dock <verifier key>
///     device <id>
///     nonce <base64url of 32 bytes>
///
/// Signed by that key, which roles.note grants `receipt`.
public struct DockGreeting: Hashable, Sendable {
  /// The dock's time, ms since 1970 UTC.
  public let issued: Int64
  public let dock: VerifierKey
  public let device: EvidenceID
  public let nonce: Hash32
  /// SHA-256 of the whole note.
  public let hash: Hash32

  private static let kind = "dock"

  /// - Throws: `.note` when it is malformed, for another camera, or not signed by a key that may sign receipts.
  public init(parsing bytes: [UInt8], roles: RolesNote, device: EvidenceID) throws(EvidenceError) {
    let note = try Note(parsing: bytes)
    let head = try NoteHead(note, kind: Self.kind)
    guard head.rest.count == 3, head.rest[0].count == 2, head.rest[0][0] == "dock", head.rest[1].count == 2,
      head.rest[1][0] == "device", let id = EvidenceID(hex: head.rest[1][1]), head.rest[2].count == 2,
      head.rest[2][0] == "nonce", let nonce = Hash32(base64URL: head.rest[2][1])
    else {
      throw EvidenceError(.note, "the dock's greeting has not the lines \"dock\", \"device\" and \"nonce\"")
    }
    let dock = try VerifierKey(String(head.rest[0][1]))
    guard note.isSigned(by: dock), roles.allows(.receipt, note, by: dock, issued: head.issued) else {
      throw EvidenceError(
        .note, "the greeting is not signed by \(dock.name) as a key that roles.note lets sign receipts")
    }
    guard id == device else { throw EvidenceError(.note, "the dock greets camera \(id), not this one") }
    issued = head.issued
    self.dock = dock
    self.device = id
    self.nonce = nonce
    hash = note.hash
  }

  /// - Parameters:
  ///   - issued: the dock's time, ms since 1970 UTC.
  ///   - nonce: 32 random bytes, never used before.
  public static func make(
    issued: Int64, isDemo: Bool, device: EvidenceID, nonce: Hash32, signer: NoteSigner
  ) throws(EvidenceError) -> [UInt8] {
    try signer.sign(
      NoteHead.lines(kind: kind, version: 1, issued: issued, isDemo: isDemo)
        + ["dock \(signer.key)", "device \(device)", "nonce \(nonce)"])
  }
}
