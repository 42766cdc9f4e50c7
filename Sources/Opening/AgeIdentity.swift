import Crypto
public import Evidence
import FoundationEssentials

/// The secret half of an age recipient (C2SP age.md): `AGE-SECRET-KEY-1…` of X25519, or `AGE-SECRET-KEY-PQ-1…` of X-Wing.
///
/// It never describes itself: only `secretText` shows the key.
public struct AgeIdentity: Sendable {
  private enum Key: Sendable {
    case x25519(Curve25519.KeyAgreement.PrivateKey)
    case mlkem768x25519(XWingMLKEM768X25519.PrivateKey)
  }

  /// Whom to encrypt to.
  public let recipient: Recipient
  private let key: Key

  /// Bytes of an identity file, at most.
  public static let fileByteLimit = 1 << 20
  /// Bytes of the secret of either type: a scalar of X25519, or the seed of X-Wing.
  private static let secretByteCount = 32
  /// Of HPKE, as age has it; the encapsulated key is ML-KEM-768's 1,088 bytes and X25519's 32.
  private static let hybridSuite = HPKE.Ciphersuite(kem: .XWingMLKEM768X25519, kdf: .HKDF_SHA256, aead: .chaChaPoly)
  private static let encapsulatedByteCount = 1120

  /// A new identity, from the system's generator.
  public init(kind: Recipient.Kind = .x25519) throws(OpeningError) {
    switch kind {
    case .x25519: try self.init(.x25519(Curve25519.KeyAgreement.PrivateKey()))
    case .mlkem768x25519:
      guard let key = try? XWingMLKEM768X25519.PrivateKey() else {
        throw OpeningError(.identity, "the system could not make a post-quantum identity")
      }
      try self.init(.mlkem768x25519(key))
    }
  }

  /// - Parameter text: one `AGE-SECRET-KEY-…`, nothing around it.
  /// - Throws: `.identity`. The error never repeats the text.
  public init(_ text: some StringProtocol) throws(OpeningError) {
    let text = String(text)
    if text.hasPrefix("AGE-PLUGIN-") {
      throw OpeningError(
        .identity, "identities of age plugins are not supported; open the segments with `age -d -i` and the plugin")
    }
    if text.hasPrefix("age1") {
      throw OpeningError(.identity, "this is a public recipient; the identity file (AGE-SECRET-KEY-1…) is needed")
    }
    guard text.hasPrefix("AGE-SECRET-KEY-"), let (prefix, bytes) = Bech32.decode(text),
      let kind = Recipient.Kind.allCases.first(where: { Self.prefix($0) == prefix }),
      bytes.count == Self.secretByteCount, let key = Self.key(kind, bytes)
    else {
      throw OpeningError(
        .identity, "a line that is no age identity (AGE-SECRET-KEY-1… or AGE-SECRET-KEY-PQ-1…, whole and unchanged)")
    }
    try self.init(key)
  }

  private init(_ key: Key) throws(OpeningError) {
    self.key = key
    let (kind, publicKey): (Recipient.Kind, [UInt8]) =
      switch key {
      case .x25519(let key): (.x25519, Array(key.publicKey.rawRepresentation))
      case .mlkem768x25519(let key): (.mlkem768x25519, Array(key.publicKey.rawRepresentation))
      }
    do throws(EvidenceError) {
      recipient = try Recipient(kind: kind, publicKey: publicKey)
    } catch {
      throw OpeningError(.identity, "the identity has no usable public key: \(error)")
    }
  }

  private static func key(_ kind: Recipient.Kind, _ secret: [UInt8]) -> Key? {
    switch kind {
    case .x25519: (try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: secret)).map { .x25519($0) }
    case .mlkem768x25519:
      (try? XWingMLKEM768X25519.PrivateKey(seedRepresentation: secret, publicKey: nil)).map { .mlkem768x25519($0) }
    }
  }

  /// Bech32's human-readable part, as it is decoded.
  private static func prefix(_ kind: Recipient.Kind) -> String {
    switch kind {
    case .x25519: "age-secret-key-"
    case .mlkem768x25519: "age-secret-key-pq-"
    }
  }

  /// The identities of a file as `age-keygen` writes it: one a line, `#` begins a comment.
  /// - Throws: `.identity` naming the line, also when the file holds none.
  public static func parse(file bytes: [UInt8]) throws(OpeningError) -> [AgeIdentity] {
    if bytes.starts(with: "age-encryption.org/".utf8) || bytes.starts(with: "-----BEGIN AGE".utf8) {
      throw OpeningError(
        .identity, "the identity file is itself encrypted; decrypt it first: age -d FILE > identity.txt")
    }
    var identities: [AgeIdentity] = []
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      if text.isEmpty || text.hasPrefix("#") { continue }
      do throws(OpeningError) {
        identities.append(try AgeIdentity(text))
      } catch {
        throw OpeningError(.identity, "line \(index + 1) of the identity file: \(error)")
      }
    }
    guard !identities.isEmpty else { throw OpeningError(.identity, "the identity file holds no identity") }
    return identities
  }

  /// The secret, `AGE-SECRET-KEY-…`: for the file that `age -d -i` and `lapel-dock open` read.
  public var secretText: String {
    let secret =
      switch key {
      case .x25519(let key): Array(key.rawRepresentation)
      case .mlkem768x25519(let key): Array(key.seedRepresentation)
      }
    return Bech32.encode(prefix: Self.prefix(recipient.kind), secret).uppercased()
  }

  /// The file key, if one of the header's stanzas is for this identity. Nil otherwise.
  /// - Throws: `.header` for a stanza of this identity's type that is malformed, whomever it is for.
  func unwrap(_ header: AgeHeader) throws(OpeningError) -> SymmetricKey? {
    let type = recipient.kind.rawValue
    var found: SymmetricKey?
    for stanza in header.stanzas where stanza.type == type {
      guard stanza.arguments.count == 2, let share = Base64.decode(stanza.arguments[1].utf8, .raw),
        stanza.body.count == 32
      else { throw OpeningError(.header, "a stanza (\(type)) of the age header is malformed") }
      let unwrapped =
        switch key {
        case .x25519(let key): try unwrap(with: key, share: share, body: stanza.body)
        case .mlkem768x25519(let key): try unwrap(with: key, encapsulated: share, body: stanza.body)
        }
      found = found ?? unwrapped
    }
    return found
  }

  private func unwrap(
    with key: Curve25519.KeyAgreement.PrivateKey, share: [UInt8], body: [UInt8]
  ) throws(OpeningError) -> SymmetricKey? {
    guard let theirs = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share),
      let secret = try? key.sharedSecretFromKeyAgreement(with: theirs),
      secret.withUnsafeBytes({ $0.reduce(0, |) }) != 0
    else { throw OpeningError(.header, "an X25519 stanza of the age header holds a weak share, or none") }
    let wrapKey = secret.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: share + recipient.publicKey, sharedInfo: Array("\(AgeHeader.version)/X25519".utf8),
      outputByteCount: 32)
    let nonce = [UInt8](repeating: 0, count: 12)
    guard let box = try? ChaChaPoly.SealedBox(combined: nonce + body) else { return nil }
    return (try? ChaChaPoly.open(box, using: wrapKey)).map { SymmetricKey(data: $0) }
  }

  private func unwrap(
    with key: XWingMLKEM768X25519.PrivateKey, encapsulated: [UInt8], body: [UInt8]
  ) throws(OpeningError) -> SymmetricKey? {
    guard encapsulated.count == Self.encapsulatedByteCount,
      var opener = try? HPKE.Recipient(
        privateKey: key, ciphersuite: Self.hybridSuite,
        info: Data("age-encryption.org/\(Recipient.Kind.mlkem768x25519.rawValue)".utf8),
        encapsulatedKey: Data(encapsulated))
    else { throw OpeningError(.header, "a post-quantum stanza of the age header holds no encapsulated key") }
    return (try? opener.open(body)).map { SymmetricKey(data: $0) }
  }
}
