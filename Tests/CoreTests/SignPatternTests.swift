import Media
import Testing

@testable import Core

/// SplitMix64 (Steele, Lea, Flood, 2014): the same numbers for the same seed.
struct SignRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// A pattern in its text form, of at most `turns` turns of at most `milliseconds` each.
  mutating func pattern(turns: Int, milliseconds: Int, mayEnd: Bool = true, mustEnd: Bool = false) -> String {
    if !mustEnd && Int.random(in: 0..<8, using: &self) == 0 { return Bool.random(using: &self) ? "on" : "off" }
    let count = 2 * Int.random(in: 1...turns / 2, using: &self)
    let text = (0..<count).map { _ in "\(Int.random(in: 1...milliseconds, using: &self))" }.joined(separator: "/")
    guard mustEnd || mayEnd && Bool.random(using: &self) else { return text }
    return "\(text)x\(Int.random(in: 1...3, using: &self))"
  }
}

/// The error that `body` throws, if it throws one.
func signRefusal(_ body: () throws(SignTextError) -> Void) -> SignTextError? {
  do throws(SignTextError) {
    try body()
    return nil
  } catch {
    return error
  }
}

@Suite("SignPattern")
struct SignPatternTests {
  @Test("every pattern's text gives the pattern, and the pattern gives the text")
  func roundTrip() throws {
    var random = SignRandom(state: 1)
    for _ in 0..<2_000 {
      let text = random.pattern(turns: 16, milliseconds: 60_000)
      #expect(try SignPattern(text).description == text)
    }
    for text in ["on", "off", "1/60000", "100/900", "60/140/60/740", "200/100x3", "1/1x100"] {
      #expect(try SignPattern(text).description == text)
    }
  }

  @Test(
    "what is no pattern is refused, and the message says what is wrong and what is allowed",
    arguments: [
      ("", "\"\" is no number of milliseconds from 1 to 60000."),
      ("ON", "\"ON\" is no number of milliseconds"),
      ("100", "the time off behind it is missing"),
      ("100x3", "the time off behind it is missing"),
      ("100/200/300", "the time off behind it is missing"),
      ("0/100", "\"0\" is no number of milliseconds from 1 to 60000."),
      ("100/60001", "\"60001\" is no number"),
      ("100/", "\"\" is no number"),
      ("-1/100", "\"-1\" is no number"),
      ("+1/100", "\"+1\" is no number"),
      ("1 /100", "\"1 \" is no number"),
      ("99999999999999999999/1", "\"99999999999999999999\" is no number"),
      ("1/1x0", "how often it is shown, 1 to 100."),
      ("1/1x101", "how often it is shown, 1 to 100."),
      ("1/1x", "how often it is shown, 1 to 100."),
      ("1/1x2x3", "more than one x"),
      ("onx3", "\"on\" is no number"),
      ("1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1", "It has 18 times, more than 16."),
    ])
  func refused(text: String, why: String) throws {
    let error = try #require(signRefusal { () throws(SignTextError) in _ = try SignPattern(text) })
    #expect(error.text == text)
    #expect(error.description.hasPrefix("\"\(text)\" is no sign. "))
    #expect(error.hint.contains(why))
    #expect(error.hint.contains("100/900 goes on for ever, 200/100x3 is shown three times."))
  }

  /// The level in each millisecond from `first` on.
  private func levels(_ text: String, from first: Int64 = 0, count: Int64) throws -> String {
    let pattern = try SignPattern(text)
    return (first..<first + count).map { pattern.isOn(after: .milliseconds($0)) ? "#" : "." }.joined()
  }

  @Test("turns are on and off as long as they say, and start over or end")
  func turns() throws {
    #expect(try levels("2/3", count: 12) == "##...##...##")
    #expect(try levels("1/2/3/4", count: 13) == "#..###....#..")
    #expect(try levels("2/1x3", count: 12) == "##.##.##....")
    #expect(try levels("on", count: 3) == "###")
    #expect(try levels("off", count: 3) == "...")
  }

  @Test("nothing is on before its beginning")
  func before() throws {
    #expect(try levels("on", from: -2, count: 4) == "..##")
    #expect(try levels("2/1", from: -3, count: 6) == "...##.")
    #expect(try SignPattern("2/1").nextTurn(after: .milliseconds(-3)) == .zero)
  }

  @Test("a turn begins to the nanosecond")
  func exact() throws {
    let pattern = try SignPattern("2/3x1")
    #expect(pattern.isOn(after: Nanoseconds(1_999_999)))
    #expect(!pattern.isOn(after: Nanoseconds(2_000_000)))
    #expect(pattern.nextTurn(after: Nanoseconds(1_999_999)) == .milliseconds(2))
    #expect(pattern.nextTurn(after: .milliseconds(2)) == .milliseconds(5))
    #expect(pattern.nextTurn(after: .milliseconds(5)) == nil)
    #expect(pattern.duration == .milliseconds(5))
    #expect(try SignPattern("2/3").duration == nil)
    #expect(try SignPattern("2/3").nextTurn(after: .milliseconds(5)) == .milliseconds(7))
    #expect(SignPattern.on.nextTurn(after: .zero) == nil)
  }

  @Test(
    "two patterns look alike when their turns are the same, wherever they begin",
    arguments: [
      ("100/900", "100/900/100/900", true),
      ("60/140/60/740", "60/740/60/140", true),
      ("100/200/300/400", "300/400/100/200", true),
      ("100/200/300/400", "300/200/100/400", false),
      ("100/900", "100/901", false),
      ("on", "on", true),
      ("on", "off", false),
      ("on", "60000/1", false),
      ("off", "1/60000", false),
      ("200/100x3", "off", true),
      ("200/100x3", "200/100", false),
    ])
  func likeness(one: String, other: String, isLike: Bool) throws {
    #expect(try SignPattern(one).looksLike(SignPattern(other)) == isLike)
    #expect(try SignPattern(other).looksLike(SignPattern(one)) == isLike)
  }

  @Test(
    "patterns agree for as long as the longest stretch that both can show",
    arguments: [
      ("on", "500/100", Int64(500)),
      ("off", "500/100", 100),
      ("100/900", "100/800", 1_700),  // 800 off, 100 on, 800 off
      ("300/700", "200/700", 1_100),  // 200 on, 700 off, 200 on
      ("1000/1000", "100/900", 1_000),
      ("60/140/60/740", "60/140/60/800", 1_740),
      ("300/100x1", "on", 300),
      ("400/700", "300/100x1", 700),  // off, when the other is over
    ])
  func agreement(one: String, other: String, longest: Int64) throws {
    let (one, other) = (try SignPattern(one), try SignPattern(other))
    #expect(one.agrees(with: other, for: .milliseconds(longest)))
    #expect(other.agrees(with: one, for: .milliseconds(longest)))
    #expect(!one.agrees(with: other, for: .milliseconds(longest + 1)))
    #expect(!other.agrees(with: one, for: .milliseconds(longest + 1)))
  }

  @Test("agreement is what comparing every two stretches, millisecond by millisecond, finds")
  func agreementByComparison() throws {
    var random = SignRandom(state: 2)
    var found = [0, 0]
    for _ in 0..<400 {
      let texts = (0..<2).map { _ in random.pattern(turns: 4, milliseconds: 5, mayEnd: false) }
      let patterns = try texts.map { try SignPattern($0) }
      let span = Int64.random(in: 1...12, using: &random)
      // Each repeats after 20 ms at most.
      let samples = patterns.map { pattern in (0..<40).map { pattern.isOn(after: .milliseconds($0)) } }
      let isFound = (0..<20).contains { one in
        (0..<20).contains { other in (0..<Int(span)).allSatisfy { samples[0][one + $0] == samples[1][other + $0] } }
      }
      found[isFound ? 1 : 0] += 1
      #expect(patterns[0].agrees(with: patterns[1], for: .milliseconds(span)) == isFound, "\(texts) \(span)")
    }
    #expect(found.allSatisfy { $0 > 50 })
  }
}
