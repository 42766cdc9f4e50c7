import Crypto
import Media

/// A text with signatures (C2SP signed-note): text lines, a blank line, then `— name base64(4-byte key id ‖ signature)`.
///
/// This recorder's notes begin, under the signature, with a line that names their kind, so that a note of one kind can never
/// be taken for another.
public struct Note: Hashable, Sendable {
  /// Bytes of a note, at most.
  public static let byteLimit = 65_536
  /// Signatures on a note, at most.
  public static let signatureLimit = 16

  public struct Signature: Hashable, Sendable {
    public let name: String
    /// 4 bytes that tell keys of one name apart.
    public let keyID: [UInt8]
    /// Of an Ed25519 key: 64 bytes. Other algorithms' are carried, never trusted.
    public let signature: [UInt8]
  }

  /// The signed text with its final LF.
  public let text: String
  public let signatures: [Signature]
  /// SHA-256 of the whole file.
  public let hash: Hash32

  /// The text's lines without LF.
  public var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() }

  /// - Parameter limit: bytes that the note may have.
  /// - Throws: `.note` naming the rule that is broken.
  public init(parsing bytes: [UInt8], limit: Int = Note.byteLimit) throws(EvidenceError) {
    guard bytes.count <= limit else { throw EvidenceError(.note, "such a note has at most \(limit >> 10) KiB") }
    guard let whole = String(validating: bytes, as: UTF8.self), bytes.allSatisfy({ $0 >= 0x20 || $0 == 0x0A }),
      bytes.last == 0x0A
    else { throw EvidenceError(.note, "a note is UTF-8 lines without control characters") }
    // The last blank line divides; the text keeps the LF before it.
    guard let blank = bytes.indices.dropLast().last(where: { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }) else {
      throw EvidenceError(.note, "a note has a blank line between text and signatures")
    }
    let prefix = Array("— ".utf8)
    var signatures: [Signature] = []
    for line in bytes[(blank + 2)...].dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
      guard line.starts(with: prefix) else { throw EvidenceError(.note, "a signature line begins with \"— \"") }
      let words = line.dropFirst(prefix.count).split(separator: 0x20, omittingEmptySubsequences: false)
      guard words.count == 2, let value = Base64.decode(words[1], .padded), value.count >= 5,
        let name = String(validating: words[0], as: UTF8.self), VerifierKey.isName(name)
      else { throw EvidenceError(.note, "a signature line is malformed") }
      signatures.append(Signature(name: name, keyID: Array(value.prefix(4)), signature: Array(value.dropFirst(4))))
    }
    guard (1...Self.signatureLimit).contains(signatures.count) else {
      throw EvidenceError(.note, "a note has 1 to \(Self.signatureLimit) signatures")
    }
    self.text = String(decoding: whole.utf8.prefix(blank + 1), as: UTF8.self)
    self.signatures = signatures
    self.hash = Hash32.sha256(of: bytes)
  }

  /// Whether this key signed the text. A line of its name and id that does not verify makes the note worthless: false.
  public func isSigned(by key: VerifierKey) -> Bool {
    let own = signatures.filter { $0.name == key.name && $0.keyID == key.keyID }
    return !own.isEmpty && own.allSatisfy { key.publicKey.verifies($0.signature, over: Array(text.utf8)) }
  }
}

/// A public key with a name, in the spelling of C2SP signed-note: `name+hex(key id)+base64(0x01 ‖ Ed25519 key)`.
public struct VerifierKey: Hashable, Sendable, CustomStringConvertible {
  /// 1 to 64 bytes without spaces, control characters and `+`.
  public let name: String
  public let publicKey: SigningPublicKey
  /// The first 4 bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ public key).
  public let keyID: [UInt8]

  /// - Throws: `.note` for a name that a note cannot carry.
  public init(name: String, publicKey: SigningPublicKey) throws(EvidenceError) {
    guard Self.isName(name) else {
      throw EvidenceError(.note, "a key's name has 1 to 64 bytes, no spaces and no plus sign")
    }
    self.name = name
    self.publicKey = publicKey
    self.keyID = Array(Hash32.sha256(of: Array("\(name)\n".utf8) + [1] + publicKey.bytes).bytes.prefix(4))
  }

  /// - Throws: `.note` for another spelling, `.signature` for a key that may not be used.
  public init(_ text: String) throws(EvidenceError) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let bytes = Base64.decode(parts[2].utf8, .padded), bytes.count == 33, bytes[0] == 1 else {
      throw EvidenceError(.note, "\"\(text.prefix(80))\" is not a verifier key (name+id+base64)")
    }
    try self.init(name: String(parts[0]), publicKey: SigningPublicKey(Array(bytes.dropFirst())))
    guard Hexadecimal.decode(parts[1]) == keyID else {
      throw EvidenceError(.note, "the verifier key \(name) has another id than its name and key give")
    }
  }

  public var description: String {
    "\(name)+\(Hexadecimal.encode(keyID))+\(Base64.encode([1] + publicKey.bytes, .padded))"
  }

  static func isName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count) && !name.contains("+")
      && name.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.value >= 0x20 && $0.value != 0x7F }
  }
}

/// Signs notes: a named Ed25519 key in memory. For the agency's tools; never on a camera.
public struct NoteSigner: Sendable {
  public let key: VerifierKey
  private let signer: DeviceSigner

  /// - Parameter seed: the 32-byte private key of RFC 8032.
  public init(name: String, seed: [UInt8]) throws(EvidenceError) {
    signer = try DeviceSigner(seed: seed)
    key = try VerifierKey(name: name, publicKey: signer.identity.publicKey)
  }

  /// The whole note, signed.
  /// - Parameters:
  ///   - lines: of the text, without LF; none of them empty.
  ///   - limit: bytes that the note may have.
  public func sign(_ lines: [String], limit: Int = Note.byteLimit) throws(EvidenceError) -> [UInt8] {
    let text = lines.map { $0 + "\n" }.joined()
    let signature = try signer.signature(over: Array(text.utf8))
    let note = Array("\(text)\n— \(key.name) \(Base64.encode(key.keyID + signature, .padded))\n".utf8)
    guard try Note(parsing: note, limit: limit).isSigned(by: key) else {
      throw EvidenceError(.note, "the note cannot be read back as it was written; is a line empty?")
    }
    return note
  }
}
