import Testing

@testable import Evidence

@Suite("The syntax of a journal line")
struct JournalLineTests {
  static let hash = String(repeating: "A", count: 43)
  static let signature = String(repeating: "A", count: 86)

  static func line(
    prefix: String = "LAPEL1", type: String = "EVT", n: String = " n=7", middle: String = " a=b", p: String? = nil,
    d: String = "", s: String? = nil, end: String = "\n"
  ) -> [UInt8] {
    Array("\(prefix) \(type)\(n)\(middle)\(p ?? " p=\(hash)")\(d)\(s ?? " s=\(signature)")\(end)".utf8)
  }

  @Test("A well-formed line is read: type, number, fields, hash, signatures, and what each signature covers")
  func reads() throws {
    let line = try JournalLine(
      parsing: Self.line(type: "XA1", middle: " a=b key12345=%20%0A%25x", d: " d=\(Self.signature)"))
    #expect(line.type == "XA1" && line.n == 7)
    #expect(line.encoded("a") == "b" && line.text("key12345") == " \n%x")
    #expect(line.previous == Hash32([UInt8](repeating: 0, count: 32)))
    #expect(line.signature.count == 64 && line.deviceSignature?.count == 64)
    let device = String(decoding: line.deviceSignedBytes, as: UTF8.self)
    #expect(device.hasSuffix(" p=\(Self.hash)"))
    #expect(String(decoding: line.signedBytes, as: UTF8.self) == device + " d=\(Self.signature)")
  }

  /// Each a valid line but for one thing.
  static let broken: [(String, [UInt8])] = [
    ("no LF", line(end: "")),
    ("two LF", line(end: "\n\n")),
    ("CR LF", line(end: "\r\n")),
    ("another format", line(prefix: "LAPEL2")),
    ("a space in front", line(prefix: " LAPEL1")),
    ("no type", line(type: "")),
    ("a lower-case type", line(type: "Evt")),
    ("a long type", line(type: "ABCDEFGHIJKLM")),
    ("two spaces", line(middle: "  a=b")),
    ("a space at the end", line(end: " \n")),
    ("a tab", line(middle: "\ta=b")),
    ("no n", line(n: "")),
    ("n not first", line(n: " a=b", middle: " n=7")),
    ("a leading zero", line(n: " n=07")),
    ("a sign", line(n: " n=+7")),
    ("a number of 2^63", line(n: " n=9223372036854775808")),
    ("a long number", line(n: " n=99999999999999999999")),
    ("no number", line(n: " n=-")),
    ("a word without =", line(middle: " ab")),
    ("an empty value", line(middle: " a=")),
    ("an empty key", line(middle: " =b")),
    ("an upper-case key", line(middle: " A=b")),
    ("a key that begins with a digit", line(middle: " 1a=b")),
    ("a long key", line(middle: " abcdefghi=b")),
    ("a key twice", line(middle: " a=b a=c")),
    ("n twice", line(middle: " n=8")),
    ("a long value", line(middle: " a=\(String(repeating: "b", count: 97))")),
    ("a second =", line(middle: " a=b=c")),
    ("a character to be encoded", line(middle: " a=b,c")),
    ("a byte above ASCII", line(middle: " a=ä")),
    ("a NUL", line(middle: " a=\u{0}")),
    ("lower-case hex", line(middle: " a=%2c")),
    ("half an escape", line(middle: " a=%2")),
    ("an escaped letter", line(middle: " a=%41")),
    ("escapes that are no UTF-8", line(middle: " a=%FF")),
    ("no p", line(p: "")),
    ("p before a key", line(p: " p=\(hash) z=1")),
    ("p twice", line(middle: " p=\(hash)")),
    ("a short p", line(p: " p=\(hash.dropLast())")),
    ("a padded p", line(p: " p=\(hash)=")),
    ("p with unused bits", line(p: " p=\(hash.dropLast())B")),
    ("p in standard base64", line(p: " p=\(hash.dropLast(2))+A")),
    ("d before p", line(middle: " d=\(signature)")),
    ("a short d", line(d: " d=AAAA")),
    ("no s", line(s: "")),
    ("a short s", line(s: " s=AAAA")),
    ("s with unused bits", line(s: " s=\(signature.dropLast())B")),
    ("s not last", line(s: " s=\(signature) z=1")),
    ("s before d", line(s: " s=\(signature) d=\(signature)")),
    ("a long line", line(middle: (0..<25).map { " k\($0)=\(String(repeating: "b", count: 80))" }.joined())),
    ("nothing", []),
    ("only LF", [10]),
  ]

  @Test("A line with one rule broken is refused", arguments: broken.indices)
  func refuses(_ index: Int) {
    let (rule, bytes) = Self.broken[index]
    #expect(throws: EvidenceError.self, "\(rule)") { try JournalLine(parsing: bytes) }
  }

  /// Fields of exactly so many bytes.
  private func filling(_ count: Int) -> String {
    var text = ""
    while text.utf8.count < count {
      let rest = count - text.utf8.count
      var field = min(rest, 101)
      if (1..<6).contains(rest - field) { field -= 6 }
      text += " k\(10 + text.utf8.count / 50)=" + String(repeating: "b", count: field - 5)
    }
    return text
  }

  @Test("The line that the broken ones are made from is valid; 2,048 bytes are still one, 2,049 are not")
  func accepts() throws {
    _ = try JournalLine(parsing: Self.line())
    let rest = JournalLine.byteLimit - Self.line(middle: "").count
    let longest = Self.line(middle: filling(rest))
    #expect(longest.count == 2_048)
    _ = try JournalLine(parsing: longest)
    #expect(throws: EvidenceError.self) { try JournalLine(parsing: Self.line(middle: filling(rest + 1))) }
  }

  @Test(
    "Text with spaces, LF and a false signature comes back as it was, and long text is cut at a character and marked")
  func text() throws {
    var fields = LineFields()
    let name = "Cam ü\n s=AAAA %41 n=1"
    fields.add("ver", text: name)
    fields.add("name", text: String(repeating: "ä", count: 50))
    fields.add("none", text: "")
    let line = try JournalLine(parsing: Self.line(middle: fields.text))
    #expect(line.text("ver") == name)
    #expect(line.text("name") == String(repeating: "ä", count: 16) && line.encoded("namex") == "1")
    #expect(line.encoded("verx") == nil && line.encoded("none") == "-")
  }

  @Test("Base64 has one spelling for each value in each of its three forms")
  func base64() {
    for count in 0..<70 {
      let bytes = randomBytes(count)
      for spelling in [Base64.Spelling.url, .raw, .padded] {
        let text = Base64.encode(bytes, spelling)
        #expect(Base64.decode(text.utf8, spelling) == bytes)
        #expect(Base64.decode((text + "=").utf8, spelling) == nil)
      }
    }
    #expect(Base64.encode([0xFB, 0xFF], .url) == "-_8" && Base64.encode([0xFB, 0xFF], .padded) == "+/8=")
    for text in ["A", "AB", "AAB", "A===", "AA=", "AAAA====", "A A=", "-_8="] {
      #expect(Base64.decode(text.utf8, .padded) == nil, "\(text)")
    }
  }
}
