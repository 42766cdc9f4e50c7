import Media
import Testing

@testable import Radio

@Suite("Files of groups, and rules as text")
struct RadioGroupFileTests {
  private static let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

  @Test("a line is a group: number, key and emitters; remarks and empty lines say nothing")
  func whole() throws {
    let text = """
      # the groups of the night shift

      7   \(Self.key)   1,2,300-302   # holsters
      65535\t\(Self.key.uppercased())\t0\r
      """
    let groups = try RadioGroupFile.groups(Array(text.utf8))
    #expect(groups.map(\.id) == [7, 65_535])
    #expect(groups.map(\.emitters) == [[1, 2, 300, 301, 302], [0]])
    // The key is the one of the specification's example.
    let said = RadioAdvertisement(group: 7, emitter: 300, event: .holster, counter: 1_000, minute: 43_232)
    #expect(
      Hexadecimal.encode(said.encoded(key: groups[0].key))
        == "1bffffffa1b2a96edb0fc6fd8cd11a8e272f2a69ac3cf1f082800700")
    #expect(try RadioGroupFile.groups([]).isEmpty)
  }

  @Test(
    "what is wrong is named with its line, and the key is never said",
    arguments: [
      ("7 KEY", .words(2)), ("7 KEY 1 2", .words(4)), ("65536 KEY 1", .group), ("-1 KEY 1", .group),
      ("x KEY 1", .group),
      ("7 KEY0 1", .key), ("7 xKEY 1", .key), ("7 KEY ,", .emitters), ("7 KEY 1,", .emitters), ("7 KEY 5-4", .emitters),
      ("7 KEY 1-2-3", .emitters), ("7 KEY 70000", .emitters), ("7 KEY 0-1024", .emitters), ("7 KEY -", .emitters),
      ("6 KEY 1", .twice(6)),
    ] as [(String, RadioGroupFileError.Problem)])
  func wrong(_ line: String, _ problem: RadioGroupFileError.Problem) {
    let text = "6 \(Self.key) 1\n" + line.replacing("KEY", with: Self.key)
    do throws(RadioGroupFileError) {
      _ = try RadioGroupFile.groups(Array(text.utf8))
      Issue.record("taken: \(line)")
    } catch {
      #expect(error == RadioGroupFileError(2, problem))
      #expect(error.description.hasPrefix("line 2: "))
      #expect(!error.description.contains(Self.key.prefix(8)))
    }
  }

  @Test("a rule is company, offset, bytes and event; several are parted by commas")
  func rules() throws {
    let rules = try RadioRule.list("0x004c:0:0215:manual, 65535:3:AB:mark")
    #expect(
      rules == [
        RadioRule(company: 0x4C, offset: 0, pattern: [2, 0x15], event: .manual),
        RadioRule(company: 0xFFFF, offset: 3, pattern: [0xAB], event: .mark),
      ])
    #expect(try RadioRule.list("").isEmpty)
  }

  @Test(
    "what is no rule is named",
    arguments: [
      "1:0:ab", "1:0:ab:manual:x", "70000:0:ab:manual", "1:-1:ab:manual", "1:0::manual", "1:0:abc:manual",
      "1:0:ab:stop",
      "1:251:ab:manual", "0xzz:0:ab:manual", "1:0:ab:other",
    ])
  func wrongRules(_ text: String) {
    do throws(RadioRuleTextError) {
      _ = try RadioRule.list("1:0:ab:manual,\(text)")
      Issue.record("taken: \(text)")
    } catch {
      #expect(error.part == text)
    }
  }
}
