import Crypto

/// What wraps a file key for a `mlkem768x25519` recipient (C2SP age.md): HPKE's base mode (RFC 9180) with X-Wing as its KEM
/// (draft-connolly-cfrg-xwing-kem, id 0x647a), HKDF-SHA256 and ChaCha20-Poly1305.
///
/// The library's HPKE would draw all randomness itself. Here the X25519 half comes from `HedgedRandomness`, so that footage
/// stays sealed when the system's generator is known or broken, and only ML-KEM's half relies on that generator. The opening
/// side uses the library's HPKE.
struct HybridWrap {
  private static let latticeKeyByteCount = 1184
  static let publicKeyByteCount = latticeKeyByteCount + 32

  /// ML-KEM-768's ciphertext ‖ the X25519 share: 1,120 bytes.
  let encapsulated: [UInt8]
  private let sharedSecret: SymmetricKey

  /// X-Wing's Encapsulate, its X25519 half given.
  /// - Parameters:
  ///   - publicKey: 1,216 bytes, of which the last 32 are X25519's.
  ///   - share: the ephemeral public key of X25519.
  ///   - secret: what X25519 makes of it and the recipient.
  /// - Throws: `.recipient` for a key that ML-KEM refuses (FIPS 203, 7.2).
  init(publicKey: [UInt8], share: [UInt8], secret: SharedSecret) throws(EvidenceError) {
    let lattice: KEM.EncapsulationResult
    do {
      lattice = try MLKEM768.PublicKey(rawRepresentation: publicKey.prefix(Self.latticeKeyByteCount)).encapsulate()
    } catch {
      throw EvidenceError(.recipient, "the post-quantum recipient holds no ML-KEM-768 key; ask for it again")
    }
    encapsulated = Array(lattice.encapsulated) + share
    var combiner = SHA3_256()
    lattice.sharedSecret.withUnsafeBytes { combiner.update(bufferPointer: $0) }
    secret.withUnsafeBytes { combiner.update(bufferPointer: $0) }
    combiner.update(data: share)
    combiner.update(data: publicKey.suffix(32))
    combiner.update(data: Array(#"\.//^\"#.utf8))
    var digest = combiner.finalize()
    sharedSecret = SymmetricKey(data: digest)
    SecretBytes.wipe(&digest)
  }

  /// RFC 9180, 6.1, SealBase with age's info and no associated data: the body of the stanza, 16 bytes more than the file key.
  func seal(_ fileKey: SymmetricKey) throws(EvidenceError) -> [UInt8] {
    // RFC 9180, 5.1: mode 0, no pre-shared key.
    let info = "age-encryption.org/\(Recipient.Kind.mlkem768x25519.rawValue)"
    let context =
      [0] + Array(Self.extract(salt: nil, label: "psk_id_hash"))
      + Array(Self.extract(salt: nil, label: "info_hash", info))
    var secret = Self.extract(salt: sharedSecret, label: "secret")
    defer { SecretBytes.wipe(&secret) }
    let key = Self.expand(secret, label: "key", context: context, byteCount: 32)
    // The first message's nonce is the base nonce itself.
    let nonce = Self.expand(secret, label: "base_nonce", context: context, byteCount: 12).withUnsafeBytes { Array($0) }
    return try fileKey.withBytes { bytes throws(EvidenceError) in
      try ChunkCipher.seal(bytes, key: key, nonce: nonce)
    }
  }

  /// "HPKE" ‖ KEM X-Wing ‖ KDF HKDF-SHA256 ‖ AEAD ChaCha20-Poly1305 (RFC 9180, 5.1 and 7).
  private static let suite = Array("HPKE".utf8) + [0x64, 0x7A, 0x00, 0x01, 0x00, 0x03]

  /// LabeledExtract (RFC 9180, 4). HKDF-Extract is HMAC with the salt as its key, and no salt is as many zeros as the hash has
  /// bytes (RFC 5869, 2.2).
  private static func extract(salt: SymmetricKey?, label: String, _ input: String = "") -> HMAC<SHA256>.MAC {
    HMAC<SHA256>.authenticationCode(
      for: Array("HPKE-v1".utf8) + suite + Array(label.utf8) + Array(input.utf8),
      using: salt ?? SymmetricKey(data: [UInt8](repeating: 0, count: 32)))
  }

  /// LabeledExpand (RFC 9180, 4).
  private static func expand(
    _ secret: HMAC<SHA256>.MAC, label: String, context: [UInt8], byteCount: UInt8
  ) -> SymmetricKey {
    HKDF<SHA256>.expand(
      pseudoRandomKey: secret, info: [0, byteCount] + Array("HPKE-v1".utf8) + suite + Array(label.utf8) + context,
      outputByteCount: Int(byteCount))
  }
}
