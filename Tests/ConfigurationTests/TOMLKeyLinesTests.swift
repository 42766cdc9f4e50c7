import TOMLKit
import Testing

@testable import Configuration

@Suite("Lines of TOML keys")
struct TOMLKeyLinesTests {
  private static let everyForm = #"""
    # [comment.section]
    top = 1
    [plain] # not [this]
    a = "# not a comment" # b = 2

      indented = 'C:\' # a literal string does not escape
    dotted.inner.deep = 3
    "quoted key" = 4
    'literal.key' = 5
    "esc\u0061ped" = 6
    [ "other" . 'table' ]
    text = """
    [plain.fake]
    key = "no"
    \""" quotes ""
    """
    raw = '''
    fake = 1
    '''
    edge = """two quotes at the end"""""
    list = [ # comment ]
      1, [ "]" , 2 ],
      { hidden = 1 },
    ]
    inline = { x = 1, y.z = "}", "q" = { deep = [1, 2] } }
    time = 1979-05-27 07:32:00Z
    float = 6.626e-34
    [[array]]
    item = 1
    [[array]]
    item = 2
    """#

  @Test("Every way of writing a key is found on its line, and what only looks like one is not")
  func forms() {
    let lines = TOMLKeyLines(Self.everyForm).lines
    let expected: [[String]: Int] = [
      ["top"]: 2, ["plain"]: 3, ["plain", "a"]: 4, ["plain", "indented"]: 6, ["plain", "dotted"]: 7,
      ["plain", "dotted", "inner"]: 7, ["plain", "dotted", "inner", "deep"]: 7, ["plain", "quoted key"]: 8,
      ["plain", "literal.key"]: 9, ["plain", "escaped"]: 10, ["other"]: 11, ["other", "table"]: 11,
      ["other", "table", "text"]: 12, ["other", "table", "raw"]: 17, ["other", "table", "edge"]: 20,
      ["other", "table", "list"]: 21, ["other", "table", "inline"]: 25, ["other", "table", "inline", "x"]: 25,
      ["other", "table", "inline", "y"]: 25, ["other", "table", "inline", "y", "z"]: 25,
      ["other", "table", "inline", "q"]: 25, ["other", "table", "inline", "q", "deep"]: 25,
      ["other", "table", "time"]: 26, ["other", "table", "float"]: 27, ["array"]: 28, ["array", "item"]: 29,
    ]
    #expect(lines == expected)
  }

  @Test(
    "Line ends and a byte order mark do not shift lines",
    arguments: [
      "[a]\r\nb = 1\r\n\r\nc = 2\r\n", "\u{feff}[a]\nb = 1\n\nc = 2", "[a]\nb = \"\"\"\\\n\"\"\"\nc = 2",
    ])
  func lineEnds(text: String) {
    let lines = TOMLKeyLines(text).lines
    #expect(lines[["a"]] == 1 && lines[["a", "b"]] == 2 && lines[["a", "c"]] == 4)
  }

  @Test("Every table and key that the parser sees has a line")
  func agreesWithParser() throws {
    func paths(_ table: TOMLTable, below prefix: [String]) -> [[String]] {
      table.keys.flatMap { key -> [[String]] in
        [prefix + [key]] + (table[key]?.table.map { paths($0, below: prefix + [key]) } ?? [])
      }
    }
    let lines = TOMLKeyLines(Self.everyForm).lines
    let seen = paths(try TOMLTable(string: Self.everyForm), below: [])
    #expect(seen.count > 20)
    for path in seen { #expect(lines[path] != nil, "\(path)") }
  }

  @Test("Text that is not TOML, cut or changed anywhere, is read to its end without a trap")
  func anyText() {
    let bytes = Array(Self.everyForm.utf8)
    let last = Self.everyForm.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    for cut in bytes.indices {
      let lines = TOMLKeyLines(String(decoding: bytes[..<cut], as: UTF8.self)).lines
      #expect(lines.values.allSatisfy { (1...last).contains($0) })
      for byte in Array("\"'[]{}=.#\\\n".utf8) {
        var changed = bytes
        changed[cut] = byte
        #expect(TOMLKeyLines(String(decoding: changed, as: UTF8.self)).lines.values.allSatisfy { $0 >= 1 })
      }
    }
    #expect(TOMLKeyLines("a = " + String(repeating: "[", count: 100_000)).lines == [["a"]: 1])
    #expect(TOMLKeyLines("a = " + String(repeating: "{b=", count: 100_000)).lines[["a"]] == 1)
  }

  @Test("A NUL is found, as such and as an escape")
  func nul() {
    #expect(TOMLKeyLines("a = 1\nb = \"x\0y\"").firstNUL == 2)
    #expect(TOMLKeyLines("a = 1\nb = \"x\\u0000y\"").firstNUL == 2)
    #expect(TOMLKeyLines("a = 1\n\"x\\U00000000\" = 1").firstNUL == 2)
    #expect(TOMLKeyLines("a = \"\"\"\n\\u0000\"\"\"").firstNUL == 2)
    #expect(TOMLKeyLines("a = 'x\\u0000'").firstNUL == nil)
  }
}
