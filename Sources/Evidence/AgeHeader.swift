import Crypto

/// The textual header of an age v1 file (C2SP age.md, "Header"), as far as it can be read without a secret.
public struct AgeHeader: Hashable, Sendable {
  /// One recipient's wrapped file key.
  public struct Stanza: Hashable, Sendable {
    /// The type, for the recipients of this recorder a `Recipient.Kind`, and what follows it.
    public let arguments: [String]
    public let body: [UInt8]

    public var type: String { arguments.first ?? "" }
  }

  public let stanzas: [Stanza]
  /// HMAC-SHA256 under a key that only a recipient can derive, over `authenticated`.
  public let mac: [UInt8]
  /// Everything up to and including `---`.
  public let authenticated: [UInt8]
  /// Bytes of the header without the payload nonce.
  public let byteCount: Int

  public static let version = "age-encryption.org/v1"
  /// Bytes of the payload nonce that follows the header.
  public static let nonceByteCount = 16
  /// More than any header this recorder writes: 16 recipients of 1.6 kB.
  public static let byteLimit = 65_536

  /// Reads the header at the start of `bytes`, which may hold more.
  /// - Throws: `.ageHeader` with the line that is wrong.
  public init(parsing bytes: [UInt8]) throws(EvidenceError) {
    var cursor = 0
    func line() throws(EvidenceError) -> ArraySlice<UInt8> {
      let rest = bytes[cursor...]
      guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
        throw EvidenceError(.ageHeader, "the age header ends in the middle of a line at byte \(cursor)")
      }
      cursor = end + 1
      return rest[..<end]
    }
    guard try Array(line()) == Array(Self.version.utf8) else {
      throw EvidenceError(.ageHeader, "the file does not begin with \(Self.version)")
    }
    var stanzas: [Stanza] = []
    while true {
      let start = cursor
      let first = try line()
      if first.starts(with: "--- ".utf8) {
        guard let mac = Base64.decode(first.dropFirst(4), .raw), mac.count == 32, !stanzas.isEmpty else {
          throw EvidenceError(.ageHeader, "the age header's last line, at byte \(start), is malformed")
        }
        self.stanzas = stanzas
        self.mac = mac
        self.authenticated = Array(bytes[..<(start + 3)])
        self.byteCount = cursor
        return
      }
      guard first.starts(with: "-> ".utf8) else {
        throw EvidenceError(.ageHeader, "the age header has no stanza at byte \(start)")
      }
      let words = first.dropFirst(3).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard words.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (33...126).contains($0) } }) else {
        throw EvidenceError(.ageHeader, "the stanza at byte \(start) of the age header is malformed")
      }
      var body: [UInt8] = []
      while true {
        let text = try line()
        guard text.count <= 64, let part = Base64.decode(text, .raw) else {
          throw EvidenceError(.ageHeader, "the stanza at byte \(start) of the age header has a malformed body")
        }
        body += part
        if text.count < 64 { break }
      }
      stanzas.append(Stanza(arguments: words.map { String(decoding: $0, as: UTF8.self) }, body: body))
    }
  }

  /// A new header for `fileKey`: one stanza for each recipient in order, then the MAC. Ends with LF.
  static func seal(
    fileKey: SymmetricKey, for list: RecipientList, segment: Int, randomness: inout HedgedRandomness
  ) throws(EvidenceError) -> [UInt8] {
    var text = version + "\n"
    for recipient in list.recipients {
      let ephemeral = try randomness.key(32, for: .ephemeral, segment: segment)
      text += try recipient.stanza(wrapping: fileKey, ephemeral: ephemeral)
    }
    text += "---"
    let macKey = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: fileKey, info: Array("header".utf8), outputByteCount: 32)
    let mac = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: macKey)
    text += " \(Base64.encode(mac, .raw))\n"
    return Array(text.utf8)
  }
}
