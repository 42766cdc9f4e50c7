import Crypto

/// One public key that segments are sealed for: an age recipient of a native type (C2SP age.md), `age1…` or `age1pq1…`.
public struct Recipient: Hashable, Sendable, CustomStringConvertible {
  /// The types that a segment may be sealed for; the raw value is the type of the stanza in the age header.
  public enum Kind: String, CaseIterable, Sendable {
    /// Curve25519; every version of age opens it.
    case x25519 = "X25519"
    /// X-Wing, ML-KEM-768 with X25519: safe also from whoever keeps footage until there are quantum computers. age 1.3 and
    /// newer open it.
    case mlkem768x25519

    /// Bech32's human-readable part.
    var prefix: String {
      switch self {
      case .x25519: "age"
      case .mlkem768x25519: "age1pq"
      }
    }

    /// Bytes of the public key.
    var publicKeyByteCount: Int {
      switch self {
      case .x25519: 32
      case .mlkem768x25519: HybridWrap.publicKeyByteCount
      }
    }
  }

  public let kind: Kind
  /// The 32-byte Curve25519 u-coordinate; for `mlkem768x25519` that of X-Wing behind ML-KEM-768's 1,184 bytes.
  public let publicKey: [UInt8]

  /// - Throws: `.recipient` with the reason.
  public init(_ text: String) throws(EvidenceError) {
    // However it is spelled: the other message would print it.
    if text.drop(while: \.isWhitespace).prefix(15).uppercased() == "AGE-SECRET-KEY-" {
      throw EvidenceError(
        .recipient, "this is a secret key; the camera takes only the public recipient (age1…, from `age-keygen -y`)")
    }
    guard let (prefix, bytes) = Bech32.decode(text), text.hasPrefix("age1"),
      let kind = Kind.allCases.first(where: { $0.prefix == prefix && $0.publicKeyByteCount == bytes.count })
    else {
      throw EvidenceError(
        .recipient,
        "\"\(text.prefix(80))\" is not an age recipient (age1… of 62 characters, or age1pq1… of 1,959 characters)")
    }
    try self.init(kind: kind, publicKey: bytes)
  }

  /// - Throws: `.recipient` unless the bytes are the canonical public key of that type and keep a secret.
  public init(kind: Kind = .x25519, publicKey: [UInt8]) throws(EvidenceError) {
    guard publicKey.count == kind.publicKeyByteCount else {
      throw EvidenceError(
        .recipient, "the recipient has \(publicKey.count) bytes; \(kind.rawValue) has \(kind.publicKeyByteCount)")
    }
    self.kind = kind
    self.publicKey = publicKey
    guard FieldElement.isCanonical(Array(publicKey.suffix(32))) else {
      throw EvidenceError(.recipient, "the recipient is not a canonical Curve25519 coordinate")
    }
    // Every small-order point gives an all-zero secret with every private key, so one trial finds them all.
    let trial = SymmetricKey(data: [UInt8](repeating: 0x5A, count: 32))
    switch kind {
    case .x25519: _ = try sharedSecret(with: trial)
    case .mlkem768x25519: _ = try wrapHybrid(SymmetricKey(size: .bits128), ephemeral: trial)
    }
  }

  public var description: String { Bech32.encode(prefix: kind.prefix, publicKey) }

  /// The stanza that gives `fileKey` to this recipient, with its LF, as age v1 has it for the type.
  /// - Parameter ephemeral: 32 bytes that are used for nothing else.
  func stanza(wrapping fileKey: SymmetricKey, ephemeral: SymmetricKey) throws(EvidenceError) -> String {
    let wrapped =
      switch kind {
      case .x25519: try wrapX25519(fileKey, ephemeral: ephemeral)
      case .mlkem768x25519: try wrapHybrid(fileKey, ephemeral: ephemeral)
      }
    return "-> \(kind.rawValue) \(Base64.encode(wrapped.share, .raw))\n\(Base64.encode(wrapped.body, .raw))\n"
  }

  /// C2SP age.md, "X25519 recipient stanza".
  private func wrapX25519(
    _ fileKey: SymmetricKey, ephemeral: SymmetricKey
  ) throws(EvidenceError) -> (share: [UInt8], body: [UInt8]) {
    let (share, secret) = try sharedSecret(with: ephemeral)
    let wrapKey = secret.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: share + publicKey, sharedInfo: Array("\(AgeHeader.version)/X25519".utf8),
      outputByteCount: 32)
    let body = try fileKey.withBytes { bytes throws(EvidenceError) in
      try ChunkCipher.seal(bytes, key: wrapKey, nonce: [UInt8](repeating: 0, count: 12))
    }
    return (share, body)
  }

  private func wrapHybrid(
    _ fileKey: SymmetricKey, ephemeral: SymmetricKey
  ) throws(EvidenceError) -> (share: [UInt8], body: [UInt8]) {
    let (share, secret) = try sharedSecret(with: ephemeral)
    let wrap = try HybridWrap(publicKey: publicKey, share: share, secret: secret)
    return (wrap.encapsulated, try wrap.seal(fileKey))
  }

  /// X25519 (RFC 7748) of the key's last 32 bytes with a private key of 32 bytes, and that key's public part.
  private func sharedSecret(
    with privateKey: SymmetricKey
  ) throws(EvidenceError) -> (share: [UInt8], secret: SharedSecret) {
    do {
      let ours = try privateKey.withUnsafeBytes { try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0) }
      let theirs = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: publicKey.suffix(32))
      let secret = try ours.sharedSecretFromKeyAgreement(with: theirs)
      // RFC 7748, 6.1: the check for the all-zero value must not depend on the library doing it.
      guard secret.withUnsafeBytes({ $0.reduce(0, |) }) != 0 else { throw CryptoKitError.incorrectParameterSize }
      return (Array(ours.publicKey.rawRepresentation), secret)
    } catch {
      throw EvidenceError(
        .recipient, "the recipient \(description.prefix(80)) is a weak (small-order) key; make a new one")
    }
  }
}

/// The 1 to 16 recipients of a segment, in the order of recipients.note and all of one class.
public struct RecipientList: Hashable, Sendable {
  public static let limit = 16

  public let recipients: [Recipient]

  /// - Throws: `.recipient` for none, more than 16, the same one twice, or types that are mixed: a file is as safe as the
  ///   weakest of its recipients, so one X25519 among them would undo what the others are for.
  public init(_ recipients: [Recipient]) throws(EvidenceError) {
    guard (1...Self.limit).contains(recipients.count) else {
      throw EvidenceError(.recipient, "\(recipients.count) recipients; a segment is sealed for 1 to \(Self.limit)")
    }
    guard Set(recipients).count == recipients.count else {
      throw EvidenceError(.recipient, "the same recipient is listed twice")
    }
    guard Set(recipients.map(\.kind)).count == 1 else {
      throw EvidenceError(
        .recipient,
        "post-quantum recipients (age1pq1…) and others (age1…) are mixed; footage would be as weak as the weakest: name "
          + "only one type")
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
