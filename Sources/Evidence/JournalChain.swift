import Crypto

/// What the lines of one chain have in common: whose they are, their numbers, and the hash of the one before.
struct JournalChain {
  /// Where a signature belongs, so that no signature of one place is valid in another.
  enum Domain: String {
    case journal = "LAPEL1 journal\n"
    case deviceKey = "LAPEL1 device-key\n"
    case deviceLog = "LAPEL1 device-log\n"

    /// domain ‖ id ‖ LF ‖ bytes
    func message(id: EvidenceID, _ bytes: some Sequence<UInt8>) -> [UInt8] {
      Array(rawValue.utf8) + Array("\(id)\n".utf8) + bytes
    }
  }

  /// `p` of line 0.
  static func genesis(_ id: EvidenceID) -> Hash32 {
    Hash32.sha256(of: Array("LAPEL1 genesis\n\(id)".utf8))
  }

  let id: EvidenceID
  private(set) var n: Int64
  private(set) var previous: Hash32

  /// The first line is 0.
  init(id: EvidenceID) {
    self.id = id
    n = 0
    previous = Self.genesis(id)
  }

  /// Goes on after a line that another process wrote.
  init(id: EvidenceID, after head: ChainHead) {
    self.id = id
    n = head.n + 1
    previous = head.hash
  }

  /// The last line made; nil before line 0.
  var head: ChainHead? { n > 0 ? ChainHead(n: n - 1, hash: previous) : nil }

  /// Builds, signs and counts one line.
  mutating func line(
    _ type: String, _ fields: LineFields, device: (([UInt8]) throws(EvidenceError) -> [UInt8])? = nil,
    sign: ([UInt8]) throws(EvidenceError) -> [UInt8], signDomain: Domain
  ) throws(EvidenceError) -> [UInt8] {
    var bytes = Array("\(JournalLine.prefix) \(type) n=\(n)\(fields.text) p=\(previous)".utf8)
    if let device {
      let signature = try device(Domain.deviceKey.message(id: id, bytes))
      bytes += Array(" d=\(Base64.encode(signature, .url))".utf8)
    }
    let signature = try sign(signDomain.message(id: id, bytes))
    bytes += Array(" s=\(Base64.encode(signature, .url))\n".utf8)
    // Reading back what was made is the cheapest proof that a verifier will accept it.
    let line = try JournalLine(parsing: bytes)
    n += 1
    previous = line.hash
    return bytes
  }
}

/// The number and hash of a chain's last line.
public struct ChainHead: Hashable, Sendable {
  public let n: Int64
  public let hash: Hash32

  public init(n: Int64, hash: Hash32) {
    self.n = n
    self.hash = hash
  }
}

/// The `key=value` words of a line that is being made.
struct LineFields {
  private(set) var text = ""

  mutating func add(_ key: String, _ value: Int64) { text += " \(key)=\(value)" }
  mutating func add(_ key: String, _ value: Hash32) { text += " \(key)=\(value)" }
  mutating func add(_ key: String, _ value: EvidenceID) { text += " \(key)=\(value)" }
  mutating func add(_ key: String, code: String) { text += " \(key)=\(code)" }
  mutating func add(_ key: String, bytes: [UInt8]) { text += " \(key)=\(Base64.encode(bytes, .url))" }

  /// Free text, percent-encoded; what does not fit is cut and marked `<key>x=1`. Empty text is written `-`.
  mutating func add(_ key: String, text value: String) {
    let (encoded, isCut) = PercentCoding.encode(value, limit: JournalLine.valueByteLimit)
    text += " \(key)=\(encoded.isEmpty ? "-" : encoded)"
    if isCut { text += " \(key)x=1" }
  }
}
