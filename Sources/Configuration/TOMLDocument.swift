import CTOML

/// A TOML text (TOML 1.0.0, toml.io/en/v1.0.0) as far as a configuration goes: its tables, and the keys in them.
///
/// A value, copied out of the parser at once. Costs one pass over the text; no more than a few times its size.
struct TOMLDocument {
  enum Value: Equatable {
    case boolean(Bool)
    case integer(Int)
    case text(String)
    case table
    /// Kinds that no setting has, by their name with its article.
    case other(String)

    /// The kind in words, with its article.
    var article: String {
      switch self {
      case .boolean: "a boolean"
      case .integer: "an integer"
      case .text: "a string"
      case .table: "a table"
      case .other(let name): name
      }
    }
  }

  /// A key at the top of the text, or one in such a table.
  struct Entry: Equatable {
    var section: String
    /// Nil: the section itself.
    var key: String?
    /// Where the key is first written, from 1.
    var line: Int
    var value: Value
  }

  /// Why the text is not TOML.
  struct SyntaxError: Error, Equatable {
    /// From 1.
    var line: Int
    /// From 1, in characters.
    var column: Int
    /// The parser's words, on one line.
    var reason: String
  }

  /// Each section directly before its keys; otherwise in no order that means anything.
  let entries: [Entry]

  /// Each dot of a key is a table in a table, and the parser takes its tree down by recursion: with no bound a text of
  /// 200 kB could use up a stack. Its own limit of 256 is for brackets and braces only. No setting's key has two dots.
  private static let dotLimit = 1_000

  init(_ text: String) throws(SyntaxError) {
    var text = text
    var dots = 0
    for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
    where line.first(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) != UInt8(ascii: "#") {
      dots += line.count { $0 == UInt8(ascii: ".") }
      if dots > Self.dotLimit {
        throw SyntaxError(line: index + 1, column: 1, reason: "more than \(Self.dotLimit) dots: nested too deeply")
      }
    }
    // SAFETY: the parser copies what it needs of the bytes before it returns.
    let parsed = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { ctoml_parse($0.baseAddress, $0.count) }
    }
    guard let parsed else { throw SyntaxError(line: 1, column: 1, reason: "no memory left to read it") }
    defer { ctoml_free(parsed) }

    var line: UInt32 = 0
    var column: UInt32 = 0
    let error = ctoml_error(parsed, &line, &column)
    guard error.length == 0 else {
      throw SyntaxError(
        line: max(1, Int(line)), column: max(1, Int(column)),
        reason: String(error).split(whereSeparator: \.isNewline).joined(separator: " "))
    }
    // SAFETY: every text is copied here, before the document is freed.
    entries = (0..<ctoml_count(parsed)).map { Entry(ctoml_entry_at(parsed, $0)) }
  }
}

extension TOMLDocument.Entry {
  fileprivate init(_ entry: ctoml_entry) {
    let value: TOMLDocument.Value =
      switch entry.kind {
      case ctoml_boolean: .boolean(entry.integer != 0)
      case ctoml_integer: .integer(Int(entry.integer))
      case ctoml_string: .text(String(entry.string))
      case ctoml_table: .table
      case ctoml_array: .other("an array")
      case ctoml_float: .other("a floating-point number")
      case ctoml_date: .other("a date")
      case ctoml_time: .other("a time")
      default: .other("a date with a time")
      }
    self.init(
      section: String(entry.section), key: entry.is_section == 0 ? String(entry.key) : nil,
      line: max(1, Int(entry.line)),
      value: value)
  }
}

extension String {
  fileprivate init(_ text: ctoml_text) {
    // SAFETY: `bytes` holds `length` bytes as long as the document they come from, which outlives this call.
    let bytes = UnsafeRawBufferPointer(start: text.bytes, count: text.length)
    self.init(decoding: bytes, as: UTF8.self)
  }
}
