/// On which line of a TOML text each key is first given: what the parser does not tell.
///
/// Made for text that a parser has accepted (TOML 1.0.0, toml.io/en/v1.0.0). Any other text gives some answer, too,
/// in one pass and with bounded recursion, but not a meaningful one. Keys within arrays are not looked at.
struct TOMLKeyLines {
  /// Lines from 1, by the path of the key or table, decoded: `a."b.c"` is `["a", "b.c"]`.
  private(set) var lines: [[String]: Int] = [:]
  /// The line of the first NUL, as such or as an escape. Parsers in C cut a string or key there without a word.
  private(set) var firstNUL: Int?

  /// Deeper nesting than any configuration has; the parser's own limit is 256.
  private static let deepest = 256

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1

  init(_ text: String) {
    bytes = Array(text.utf8)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    readDocument()
  }

  // MARK: Grammar

  private mutating func readDocument() {
    var table: [String] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
      case UInt8(ascii: "#"): skipComment()
      case UInt8(ascii: "["):
        advance()
        if current == UInt8(ascii: "[") { advance() }
        table = readKey(in: [])
        skipLine()
      default:
        readPair(in: table, depth: 0)
        // Whatever is left of the line is a comment; at least one byte is read each time.
        skipLine()
      }
    }
  }

  /// `key = value`.
  private mutating func readPair(in table: [String], depth: Int) {
    let path = readKey(in: table)
    skipBlanks()
    guard current == UInt8(ascii: "=") else { return }
    advance()
    skipBlanks()
    readValue(of: path, depth: depth)
  }

  /// A bare, quoted or dotted key; notes the line of it and of the tables that it opens.
  private mutating func readKey(in table: [String]) -> [String] {
    var path = table
    while true {
      skipBlanks()
      switch current {
      case UInt8(ascii: "\""): path.append(readBasicString())
      case UInt8(ascii: "'"): path.append(readLiteralString())
      default:
        let start = position
        while let byte = current, Self.isBare(byte) { advance() }
        if start == position { return path }
        path.append(String(decoding: bytes[start..<position], as: UTF8.self))
      }
      if lines[path] == nil { lines[path] = line }
      skipBlanks()
      guard current == UInt8(ascii: ".") else { return path }
      advance()
    }
  }

  private mutating func readValue(of path: [String], depth: Int) {
    switch current {
    case UInt8(ascii: "\""):
      if starts(with: "\"\"\"") { skipMultilineString(UInt8(ascii: "\"")) } else { _ = readBasicString() }
    case UInt8(ascii: "'"):
      if starts(with: "'''") { skipMultilineString(UInt8(ascii: "'")) } else { _ = readLiteralString() }
    case UInt8(ascii: "["): readArray(depth: depth + 1)
    case UInt8(ascii: "{"): readInlineTable(at: path, depth: depth + 1)
    default:
      while let byte = current, !Self.endsScalar(byte) { advance() }
    }
  }

  private mutating func readInlineTable(at path: [String]?, depth: Int) {
    guard depth <= Self.deepest else { return skipToEnd() }
    advance()
    while let byte = current {
      switch byte {
      case UInt8(ascii: "}"): return advance()
      case UInt8(ascii: "#"): skipComment()
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ","): advance()
      default:
        let start = position
        readPair(in: path ?? [], depth: depth)
        if position == start { advance() }
      }
    }
  }

  private mutating func readArray(depth: Int) {
    guard depth <= Self.deepest else { return skipToEnd() }
    advance()
    while let byte = current {
      switch byte {
      case UInt8(ascii: "]"): return advance()
      case UInt8(ascii: "#"): skipComment()
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ","): advance()
      case UInt8(ascii: "{"):
        // Keys of a table in an array have no path of their own.
        let known = lines
        readInlineTable(at: nil, depth: depth + 1)
        lines = known
      default:
        let start = position
        readValue(of: [], depth: depth)
        if position == start { advance() }
      }
    }
  }

  // MARK: Strings

  private mutating func readBasicString() -> String {
    advance()
    var decoded: [UInt8] = []
    while let byte = current, byte != UInt8(ascii: "\"") {
      if byte == UInt8(ascii: "\n") { break }
      advance()
      if byte == UInt8(ascii: "\\") { readEscape(into: &decoded) } else { decoded.append(byte) }
    }
    advance()
    return String(decoding: decoded, as: UTF8.self)
  }

  /// What follows a backslash.
  private mutating func readEscape(into decoded: inout [UInt8]) {
    guard let byte = current else { return }
    advance()
    switch byte {
    case UInt8(ascii: "b"): decoded.append(0x08)
    case UInt8(ascii: "t"): decoded.append(0x09)
    case UInt8(ascii: "n"): decoded.append(0x0a)
    case UInt8(ascii: "f"): decoded.append(0x0c)
    case UInt8(ascii: "r"): decoded.append(0x0d)
    case UInt8(ascii: "e"): decoded.append(0x1b)
    case UInt8(ascii: "u"): readScalar(digits: 4, into: &decoded)
    case UInt8(ascii: "U"): readScalar(digits: 8, into: &decoded)
    default: decoded.append(byte)
    }
  }

  private mutating func readScalar(digits: Int, into decoded: inout [UInt8]) {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return }
      value = value << 4 | UInt32(digit)
      advance()
    }
    if value == 0 { noteNUL() }
    if let scalar = Unicode.Scalar(value) { decoded.append(contentsOf: Array(String(scalar).utf8)) }
  }

  private mutating func readLiteralString() -> String {
    advance()
    let start = position
    while let byte = current, byte != UInt8(ascii: "'"), byte != UInt8(ascii: "\n") { advance() }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    advance()
    return text
  }

  /// Three quotes end it; up to two more directly before them belong to the text.
  private mutating func skipMultilineString(_ quote: UInt8) {
    for _ in 0..<3 { advance() }
    var run = 0
    var ignored: [UInt8] = []
    while let byte = current {
      if byte == quote {
        run += 1
      } else if run >= 3 {
        return
      } else {
        run = 0
      }
      advance()
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        ignored.removeAll(keepingCapacity: true)
        readEscape(into: &ignored)
      }
    }
  }

  // MARK: Bytes

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func advance() {
    guard let byte = current else { return }
    if byte == UInt8(ascii: "\n") { line += 1 }
    if byte == 0 { noteNUL() }
    position += 1
  }

  private mutating func noteNUL() {
    if firstNUL == nil { firstNUL = line }
  }

  private func starts(with text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

  private mutating func skipBlanks() {
    while let byte = current, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
  }

  private mutating func skipComment() {
    while let byte = current, byte != UInt8(ascii: "\n") { advance() }
  }

  private mutating func skipLine() {
    skipComment()
    advance()
  }

  private mutating func skipToEnd() {
    while current != nil { advance() }
  }

  private static func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func endsScalar(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "\n"): true
    default: false
    }
  }
}
