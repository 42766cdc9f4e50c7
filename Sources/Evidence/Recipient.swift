import Crypto

/// One public key that segments are sealed for: an age X25519 recipient, `age1…` (C2SP age.md, "The X25519 recipient type").
public struct Recipient: Hashable, Sendable, CustomStringConvertible {
  /// The 32-byte Curve25519 u-coordinate.
  public let publicKey: [UInt8]

  /// - Throws: `.recipient` with the reason; `.postQuantumRecipient` for `age1pq1…`.
  public init(_ text: String) throws(EvidenceError) {
    if text.hasPrefix("age1pq1") {
      throw EvidenceError(
        .postQuantumRecipient,
        "\(text.prefix(14))… is a post-quantum recipient, which is not supported yet; use an X25519 recipient (age1…)")
    }
    if text.hasPrefix("AGE-SECRET-KEY-") {
      throw EvidenceError(
        .recipient, "this is a secret key; the camera takes only the public recipient (age1…, from `age-keygen -y`)")
    }
    guard let (prefix, bytes) = Bech32.decode(text), prefix == "age", bytes.count == 32, text.hasPrefix("age1") else {
      throw EvidenceError(.recipient, "\"\(text.prefix(80))\" is not an age recipient (age1… of 62 characters)")
    }
    try self.init(publicKey: bytes)
  }

  /// - Throws: `.recipient` unless there are 32 bytes that are the canonical coordinate of a point that keeps a secret.
  public init(publicKey: [UInt8]) throws(EvidenceError) {
    guard publicKey.count == 32, FieldElement.isCanonical(publicKey) else {
      throw EvidenceError(.recipient, "the recipient is not a canonical Curve25519 coordinate")
    }
    self.publicKey = publicKey
    // Every small-order point gives an all-zero secret with every private key, so one trial finds them all.
    let trial = [UInt8](repeating: 0x5A, count: 32)
    _ = try sharedSecret(with: SymmetricKey(data: trial))
  }

  public var description: String { Bech32.encode(prefix: "age", publicKey) }

  /// X25519 (RFC 7748) with a private key of 32 bytes, and that key's public part.
  func sharedSecret(
    with privateKey: SymmetricKey
  ) throws(EvidenceError) -> (share: [UInt8], secret: SharedSecret) {
    do {
      let ours = try privateKey.withUnsafeBytes { try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0) }
      let theirs = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: publicKey)
      let secret = try ours.sharedSecretFromKeyAgreement(with: theirs)
      // RFC 7748, 6.1: the check for the all-zero value must not depend on the library doing it.
      guard secret.withUnsafeBytes({ $0.reduce(0, |) }) != 0 else { throw CryptoKitError.incorrectParameterSize }
      return (Array(ours.publicKey.rawRepresentation), secret)
    } catch {
      throw EvidenceError(.recipient, "the recipient \(description) is a weak (small-order) key; make a new one")
    }
  }
}

/// The 1 to 16 recipients of a segment, in the order of recipients.note and all of one class.
public struct RecipientList: Hashable, Sendable {
  public static let limit = 16

  public let recipients: [Recipient]

  /// - Throws: `.recipient` for none, more than 16, or the same one twice.
  public init(_ recipients: [Recipient]) throws(EvidenceError) {
    guard (1...Self.limit).contains(recipients.count) else {
      throw EvidenceError(.recipient, "\(recipients.count) recipients; a segment is sealed for 1 to \(Self.limit)")
    }
    guard Set(recipients).count == recipients.count else {
      throw EvidenceError(.recipient, "the same recipient is listed twice")
    }
    self.recipients = recipients
  }
}

/// Numbers modulo p = 2^255 − 19 in 32 little-endian bytes; bit 255 is not part of the number.
enum FieldElement {
  /// Whether the 255-bit number is below p, with bit 255 clear.
  static func isCanonical(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == 32, bytes[31] & 0x80 == 0 else { return false }
    return isBelowPrime(bytes)
  }

  /// Whether the low 255 bits are below p.
  static func isBelowPrime(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == 32 else { return false }
    if bytes[31] & 0x7F != 0x7F || bytes[1...30].contains(where: { $0 != 0xFF }) { return true }
    return bytes[0] < 0xED
  }
}
