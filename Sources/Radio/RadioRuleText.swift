import Media

extension RadioRule {
  /// Rules as one line of text: `COMPANY:OFFSET:BYTES:EVENT`, several parted by commas, as in `0x004c:0:0215:manual`. Empty: none.
  ///
  /// - Throws: the first part that is no rule.
  public static func list(_ text: String) throws(RadioRuleTextError) -> [RadioRule] {
    var rules: [RadioRule] = []
    for part in text.split(separator: ",") {
      let words = part.split(separator: ":", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
      guard words.count == 4, let company = number(words[0]), let offset = Int(words[1]),
        let pattern = Hexadecimal.decode(words[2].lowercased()), let event = RadioEvent(name: words[3]),
        (1...29).contains(pattern.count), (0...RadioGateSettings.contentLimit - pattern.count).contains(offset)
      else { throw RadioRuleTextError(part: String(part)) }
      rules.append(RadioRule(company: company, offset: offset, pattern: pattern, event: event))
    }
    return rules
  }

  private static func number(_ text: String) -> UInt16? {
    text.hasPrefix("0x") ? UInt16(text.dropFirst(2), radix: 16) : UInt16(text)
  }
}

/// A text that is no rule.
public struct RadioRuleTextError: Error, Hashable, Sendable, CustomStringConvertible {
  public var part: String

  public var description: String {
    let events = RadioEvent.named.map(\.name).joined(separator: ", ")
    return "\"\(part)\" is no rule: it must be COMPANY:OFFSET:BYTES:EVENT, as 0x004c:0:0215:manual, with 1 to 29 bytes "
      + "in hexadecimal, and an event of \(events)."
  }
}
