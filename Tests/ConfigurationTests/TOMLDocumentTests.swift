import Testing

@testable import Configuration

@Suite("TOML documents")
struct TOMLDocumentTests {
  private static let everyForm = #"""
    # [comment.section]
    top = 1
    [plain] # not [this]
    a = "# not a comment" # b = 2

      indented = 'C:\' # a literal string does not escape
    dotted.inner.deep = 3
    "quoted key" = -4
    'literal.key' = 0x5
    "esc\u0061ped" = true
    [ "other" . 'table' ]
    text = """
    [plain.fake]
    key = "no"
    \""" quotes ""
    """
    [kinds]
    list = [ # comment ]
      1, [ "]" , 2 ],
      { hidden = 1 },
    ]
    inline = { x = 1, y.z = "}", "q" = { deep = [1, 2] } }
    moment = 1979-05-27 07:32:00Z
    day = 1979-05-27
    hour = 07:32:00
    number = 6.626e-34
    [[array]]
    item = 1
    [[array]]
    item = 2
    """#

  @Test("Every way of writing a key is found with its line and value, and what only looks like one is not")
  func forms() throws {
    typealias Entry = TOMLDocument.Entry
    let entries = try TOMLDocument(Self.everyForm).entries.sorted {
      ($0.line, $0.section, $0.key ?? "") < ($1.line, $1.section, $1.key ?? "")
    }
    #expect(
      entries == [
        Entry(section: "top", line: 2, value: .integer(1)),
        Entry(section: "plain", line: 3, value: .table),
        Entry(section: "plain", key: "a", line: 4, value: .text("# not a comment")),
        Entry(section: "plain", key: "indented", line: 6, value: .text(#"C:\"#)),
        Entry(section: "plain", key: "dotted", line: 7, value: .table),
        Entry(section: "plain", key: "quoted key", line: 8, value: .integer(-4)),
        Entry(section: "plain", key: "literal.key", line: 9, value: .integer(5)),
        Entry(section: "plain", key: "escaped", line: 10, value: .boolean(true)),
        Entry(section: "other", line: 11, value: .table),
        Entry(section: "other", key: "table", line: 11, value: .table),
        Entry(section: "kinds", line: 17, value: .table),
        Entry(section: "kinds", key: "list", line: 18, value: .other("an array")),
        Entry(section: "kinds", key: "inline", line: 22, value: .table),
        Entry(section: "kinds", key: "moment", line: 23, value: .other("a date with a time")),
        Entry(section: "kinds", key: "day", line: 24, value: .other("a date")),
        Entry(section: "kinds", key: "hour", line: 25, value: .other("a time")),
        Entry(section: "kinds", key: "number", line: 26, value: .other("a floating-point number")),
        Entry(section: "array", line: 27, value: .other("an array")),
      ])
  }

  @Test("A section directly precedes its keys")
  func order() throws {
    let entries = try TOMLDocument("[b]\ny = 1\nx = 2\n[a]\nz = 3").entries
    #expect(entries.map { "\($0.section).\($0.key ?? "")" } == ["a.", "a.z", "b.", "b.x", "b.y"])
  }

  @Test(
    "Line ends and a byte order mark do not shift lines",
    arguments: [
      "[a]\r\nb = 1\r\n\r\nc = 2\r\n", "\u{feff}[a]\nb = 1\n\nc = 2", "[a]\nb = \"\"\"\\\n\"\"\"\nc = 2",
    ])
  func lineEnds(text: String) throws {
    #expect(try TOMLDocument(text).entries.map(\.line) == [1, 2, 4])
  }

  @Test("A NUL cuts no text: it is in the value")
  func nul() throws {
    #expect(try TOMLDocument("[a]\nb = \"x\\u0000y\"").entries.last?.value == .text("x\0y"))
    #expect(throws: TOMLDocument.SyntaxError.self) { try TOMLDocument("[a]\nb = \"x\0y\"") }
  }

  @Test("What is not TOML is an error with its place", arguments: ["[a]\nb = ", "[a]\nb = 1\nb = 2", "[a]\n b 1"])
  func syntax(text: String) {
    let error = #expect(throws: TOMLDocument.SyntaxError.self) { try TOMLDocument(text) }
    #expect((2...3).contains(error?.line ?? 0))
    #expect(error?.reason.isEmpty == false && error?.reason.contains("\n") == false)
  }

  @Test("Text cut or changed anywhere gives a document or an error, with lines that the text has")
  func anyText() {
    let bytes = Array(Self.everyForm.utf8)
    let last = Self.everyForm.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    var accepted = 0
    func read(_ bytes: [UInt8]) {
      do throws(TOMLDocument.SyntaxError) {
        let document = try TOMLDocument(String(decoding: bytes, as: UTF8.self))
        accepted += 1
        #expect(document.entries.allSatisfy { (1...last).contains($0.line) })
      } catch {
        #expect((1...last + 1).contains(error.line) && error.column >= 1)
      }
    }
    for cut in bytes.indices {
      read(Array(bytes[..<cut]))
      for byte in Array("\"'[]{}=.#\\\n\0".utf8) {
        var changed = bytes
        changed[cut] = byte
        read(changed)
      }
    }
    #expect(accepted > 100)
    for opening in ["[", "{b=", "b."] {
      read(Array(("a = " + String(repeating: opening, count: 100_000)).utf8))
      read(Array((String(repeating: opening, count: 100_000) + "a = 1").utf8))
    }
  }
}
