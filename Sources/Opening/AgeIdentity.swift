import Crypto
public import Evidence

/// The secret half of an age X25519 recipient: `AGE-SECRET-KEY-1…` (C2SP age.md, "The X25519 recipient type").
///
/// It never describes itself: only `secretText` shows the key.
public struct AgeIdentity: Sendable {
  /// Whom to encrypt to.
  public let recipient: Recipient
  private let key: Curve25519.KeyAgreement.PrivateKey

  /// Bytes of an identity file, at most.
  public static let fileByteLimit = 1 << 20
  private static let prefix = "age-secret-key-"

  /// A new identity, from the system's generator.
  public init() throws(OpeningError) {
    try self.init(key: Curve25519.KeyAgreement.PrivateKey())
  }

  /// - Parameter text: one `AGE-SECRET-KEY-1…`, nothing around it.
  /// - Throws: `.identity`. The error never repeats the text.
  public init(_ text: some StringProtocol) throws(OpeningError) {
    let text = String(text)
    if text.hasPrefix("AGE-SECRET-KEY-PQ-1") {
      throw OpeningError(.identity, "post-quantum identities are not supported yet; use an X25519 identity")
    }
    if text.hasPrefix("AGE-PLUGIN-") {
      throw OpeningError(
        .identity, "identities of age plugins are not supported; open the segments with `age -d -i` and the plugin")
    }
    if text.hasPrefix("age1") {
      throw OpeningError(.identity, "this is a public recipient; the identity file (AGE-SECRET-KEY-1…) is needed")
    }
    guard text.hasPrefix("AGE-SECRET-KEY-1"), let (prefix, bytes) = Bech32.decode(text), prefix == Self.prefix,
      bytes.count == 32, let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
    else {
      throw OpeningError(.identity, "a line that is no age identity (AGE-SECRET-KEY-1… of 74 characters)")
    }
    try self.init(key: key)
  }

  private init(key: Curve25519.KeyAgreement.PrivateKey) throws(OpeningError) {
    self.key = key
    do throws(EvidenceError) {
      recipient = try Recipient(publicKey: Array(key.publicKey.rawRepresentation))
    } catch {
      throw OpeningError(.identity, "the identity has no usable public key: \(error)")
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

  /// The secret, `AGE-SECRET-KEY-1…`: for the file that `age -d -i` and `lapel-dock open` read.
  public var secretText: String {
    Bech32.encode(prefix: Self.prefix, Array(key.rawRepresentation)).uppercased()
  }

  /// The file key, if one of the header's stanzas is for this identity. Nil otherwise.
  /// - Throws: `.header` for an X25519 stanza that is malformed, whomever it is for.
  func unwrap(_ header: AgeHeader) throws(OpeningError) -> SymmetricKey? {
    var found: SymmetricKey?
    for stanza in header.stanzas where stanza.type == "X25519" {
      guard stanza.arguments.count == 2, let share = Base64.decode(stanza.arguments[1].utf8, .raw), share.count == 32,
        stanza.body.count == 32
      else { throw OpeningError(.header, "an X25519 stanza of the age header is malformed") }
      if found == nil { found = try unwrap(share: share, body: stanza.body) }
    }
    return found
  }

  private func unwrap(share: [UInt8], body: [UInt8]) throws(OpeningError) -> SymmetricKey? {
    guard let theirs = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share),
      let secret = try? key.sharedSecretFromKeyAgreement(with: theirs),
      secret.withUnsafeBytes({ $0.reduce(0, |) }) != 0
    else { throw OpeningError(.header, "an X25519 stanza of the age header holds a weak (small-order) share") }
    let wrapKey = secret.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: share + recipient.publicKey, sharedInfo: Array("\(AgeHeader.version)/X25519".utf8),
      outputByteCount: 32)
    let nonce = [UInt8](repeating: 0, count: 12)
    guard let box = try? ChaChaPoly.SealedBox(combined: nonce + body) else { return nil }
    return (try? ChaChaPoly.open(box, using: wrapKey)).map { SymmetricKey(data: $0) }
  }
}
