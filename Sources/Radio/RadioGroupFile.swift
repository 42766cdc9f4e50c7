import Media

/// The groups that a camera listens to, or an emitter belongs to, as text: a line for each group, which holds its number, its
/// key and its emitters.
///
/// ```
/// # group  key (32 bytes in hexadecimal)                                             emitters
/// 7        000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f          1,2,300-310
/// ```
///
/// Whoever can read it can start every camera of its groups.
public enum RadioGroupFile {
  /// Longer than any that makes sense.
  public static let byteLimit = 64 << 10

  /// Empty lines, and what follows a `#`, say nothing.
  /// - Throws: with the number of the first line that is wrong, and never a word of a key.
  public static func groups(_ bytes: [UInt8]) throws(RadioGroupFileError) -> [RadioGroup] {
    var groups: [RadioGroup] = []
    let text = String(decoding: bytes, as: UTF8.self)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      if words.isEmpty { continue }
      let number = index + 1
      guard words.count == 3 else { throw RadioGroupFileError(number, .words(words.count)) }
      guard let id = UInt16(words[0]) else { throw RadioGroupFileError(number, .group) }
      guard let key = RadioKey(hex: words[1]) else { throw RadioGroupFileError(number, .key) }
      guard !groups.contains(where: { $0.id == id }) else { throw RadioGroupFileError(number, .twice(id)) }
      guard let emitters = emitters(words[2]) else { throw RadioGroupFileError(number, .emitters) }
      groups.append(RadioGroup(id: id, key: key, emitters: emitters))
    }
    return groups
  }

  /// `1,2,300-310`; nil for anything else, and for more than a gate can have.
  private static func emitters(_ text: Substring) -> Set<UInt16>? {
    var emitters: Set<UInt16> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { UInt16($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last,
        Int(last) - Int(first) < RadioGateSettings.emitterLimit
      else { return nil }
      emitters.formUnion(first...last)
    }
    return emitters.count <= RadioGateSettings.emitterLimit ? emitters : nil
  }
}

/// What is wrong in a file of radio groups, and where.
public struct RadioGroupFileError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Problem: Hashable, Sendable {
    /// How many words there are.
    case words(Int)
    case group
    case key
    case twice(UInt16)
    case emitters
  }

  /// Counted from 1.
  public var line: Int
  public var problem: Problem

  init(_ line: Int, _ problem: Problem) {
    self.line = line
    self.problem = problem
  }

  public var description: String {
    let what =
      switch problem {
      case .words(let count): "it has \(count) word\(count == 1 ? "" : "s") and not three: group, key, emitters"
      case .group: "its first word is no group: a number from 0 to 65535"
      case .key: "its second word is no key: 64 hexadecimal digits, as of `openssl rand -hex 32`"
      case .twice(let id): "group \(id) is there already: give each group one line and a key of its own"
      case .emitters:
        "its third word is no list of emitters: numbers from 0 to 65535 and ranges, as in 1,2,300-310, at most "
          + "\(RadioGateSettings.emitterLimit)"
      }
    return "line \(line): \(what)"
  }
}
