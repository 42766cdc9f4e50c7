/// One line of a journal or of a device log, with every rule of its syntax checked.
///
///     LAPEL1 <TYPE> n=<num> *( <key>=<value>) p=<b64> [d=<b64>] s=<b64> LF
public struct JournalLine: Hashable, Sendable {
  /// Bytes of a line with its LF, at most.
  public static let byteLimit = 2_048
  /// Bytes of the shortest line: a type of one letter, n=0, p and s.
  static let leastByteCount = 148
  /// Bytes of an encoded value, at most.
  public static let valueByteLimit = 96
  public static let prefix = "LAPEL1"

  /// One `key=value`; the value as it stands in the line, still percent-encoded.
  public struct Field: Hashable, Sendable {
    public let key: String
    public let encoded: String

    init(key: String, encoded: String) {
      self.key = key
      self.encoded = encoded
    }
  }

  /// 1 to 12 of A-Z and 0-9.
  public let type: String
  /// The line's number in its chain.
  public let n: Int64
  /// What lies between `n` and `p`, in order.
  public let fields: [Field]
  /// `p`: the hash of the line before.
  public let previous: Hash32
  /// `d`: the device key's signature.
  public let deviceSignature: [UInt8]?
  /// `s`.
  public let signature: [UInt8]
  /// The whole line with its LF.
  public let bytes: [UInt8]

  private let deviceSignedCount: Int
  private let signedCount: Int

  /// SHA-256 of the whole line.
  public var hash: Hash32 { Hash32.sha256(of: bytes) }
  /// What `s` covers: all bytes before " s=".
  public var signedBytes: ArraySlice<UInt8> { bytes[..<signedCount] }
  /// What `d` covers: all bytes before " d=".
  public var deviceSignedBytes: ArraySlice<UInt8> { bytes[..<deviceSignedCount] }

  /// Reads one line with its LF.
  /// - Throws: `.journalLine` naming the rule that is broken.
  public init(parsing bytes: some Collection<UInt8>) throws(EvidenceError) {
    let bytes = Array(bytes)
    func broken(_ rule: String) -> EvidenceError { EvidenceError(.journalLine, rule) }
    guard bytes.count <= Self.byteLimit else { throw broken("a line has at most \(Self.byteLimit) bytes") }
    guard bytes.last == UInt8(ascii: "\n") else { throw broken("a line ends with LF") }
    let text = bytes.dropLast()
    guard text.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw broken("a byte that is not printable ASCII") }
    let words = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard words.count >= 5 else { throw broken("too few words") }
    guard words[0].elementsEqual(Self.prefix.utf8) else { throw broken("a line begins with \(Self.prefix)") }
    let type = words[1]
    guard (1...12).contains(type.count), type.allSatisfy(Self.isTypeCharacter) else {
      throw broken("a type has 1 to 12 of A-Z and 0-9")
    }

    var fields: [Field] = []
    var keys: Set<String> = []
    for word in words[2...] {
      guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { throw broken("a word without =") }
      let key = word[..<equals]
      let value = word[(equals + 1)...]
      guard (1...8).contains(key.count), let first = key.first, Self.isLower(first),
        key.dropFirst().allSatisfy({ Self.isLower($0) || Self.isDigit($0) })
      else { throw broken("a key has a-z, then up to 7 of a-z and 0-9") }
      let name = String(decoding: key, as: UTF8.self)
      guard keys.insert(name).inserted else { throw broken("the key \(name) stands twice") }
      guard (1...Self.valueByteLimit).contains(value.count) else {
        throw broken("the value of \(name) has not 1 to \(Self.valueByteLimit) bytes")
      }
      guard PercentCoding.decode(value) != nil else {
        throw broken("the value of \(name) is not encoded as it must be")
      }
      fields.append(Field(key: name, encoded: String(decoding: value, as: UTF8.self)))
    }

    guard let first = fields.first, first.key == "n", let n = JournalNumber.parse(first.encoded) else {
      throw broken("the first key is n, a number")
    }
    guard let last = fields.last, last.key == "s", let signature = Base64.decode(last.encoded.utf8, .url),
      signature.count == 64
    else { throw broken("the last key is s, a signature") }
    fields.removeFirst()
    fields.removeLast()
    var deviceSignature: [UInt8]?
    var deviceSignedCount = bytes.count
    let signedCount = words[words.count - 1].startIndex - 1
    if let field = fields.last, field.key == "d" {
      guard let value = Base64.decode(field.encoded.utf8, .url), value.count == 64 else {
        throw broken("d is a signature")
      }
      deviceSignature = value
      deviceSignedCount = words[words.count - 2].startIndex - 1
      fields.removeLast()
    }
    guard let field = fields.last, field.key == "p", let previous = Hash32(base64URL: field.encoded) else {
      throw broken("before the signatures stands p, a hash")
    }
    fields.removeLast()
    guard !fields.contains(where: { ["p", "d"].contains($0.key) }) else { throw broken("p, d and s stand at the end") }

    self.type = String(decoding: type, as: UTF8.self)
    self.n = n
    self.fields = fields
    self.previous = previous
    self.deviceSignature = deviceSignature
    self.signature = signature
    self.bytes = bytes
    self.deviceSignedCount = deviceSignedCount
    self.signedCount = signedCount
  }

  // MARK: Values

  /// The value as it stands in the line.
  public func encoded(_ key: String) -> String? { fields.first { $0.key == key }?.encoded }
  /// The value as text, decoded.
  public func text(_ key: String) -> String? { encoded(key).flatMap { PercentCoding.decode($0.utf8) } }
  /// The value as a number of 0 ..< 2^63; nil also for anything else.
  public func number(_ key: String) -> Int64? { encoded(key).flatMap { JournalNumber.parse($0) } }
  /// The value as 32 bytes of base64url.
  public func hash(_ key: String) -> Hash32? { encoded(key).flatMap { Hash32(base64URL: $0) } }
  /// The value as bytes of base64url.
  public func bytes(_ key: String) -> [UInt8]? { encoded(key).flatMap { Base64.decode($0.utf8, .url) } }

  private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isTypeCharacter(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }
}

/// Decimal without sign and leading zeros, below 2^63.
enum JournalNumber {
  static func parse(_ text: some StringProtocol) -> Int64? {
    let digits = Array(text.utf8)
    guard (1...19).contains(digits.count), digits.count == 1 || digits[0] != UInt8(ascii: "0") else { return nil }
    var value: Int64 = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      let (product, tooMany) = value.multipliedReportingOverflow(by: 10)
      let (sum, tooLarge) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
      guard !tooMany, !tooLarge else { return nil }
      value = sum
    }
    return value
  }
}

/// The spelling of text in a value: `A-Za-z0-9._:/+-` as they are, every other byte of UTF-8 as %XX in upper case.
enum PercentCoding {
  static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "._:/+-".utf8.contains(byte)
    }
  }

  /// The longest start of `text`, in whole Unicode scalars, that fits in `limit` bytes, and whether anything was cut.
  static func encode(_ text: String, limit: Int) -> (encoded: String, isCut: Bool) {
    var result: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for scalar in text.unicodeScalars {
      var piece: [UInt8] = []
      for byte in String(scalar).utf8 {
        if isPlain(byte) {
          piece.append(byte)
        } else {
          piece += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
      }
      guard result.count + piece.count <= limit else { return (String(decoding: result, as: UTF8.self), true) }
      result += piece
    }
    return (String(decoding: result, as: UTF8.self), false)
  }

  /// Nil unless the bytes are the one valid spelling of some text.
  static func decode(_ bytes: some Sequence<UInt8>) -> String? {
    var result: [UInt8] = []
    var iterator = bytes.makeIterator()
    while let byte = iterator.next() {
      if isPlain(byte) {
        result.append(byte)
        continue
      }
      guard byte == UInt8(ascii: "%"), let high = iterator.next().flatMap(digit),
        let low = iterator.next().flatMap(digit)
      else { return nil }
      let value = high << 4 | low
      guard !isPlain(value) else { return nil }
      result.append(value)
    }
    return String(validating: result, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
