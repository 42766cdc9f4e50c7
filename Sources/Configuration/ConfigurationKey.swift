/// A value as it stands in TOML; the three kinds that any key has.
public enum ConfigurationValue: Hashable, Sendable {
  case boolean(Bool)
  case integer(Int)
  case text(String)

  /// As TOML writes it; for integers, booleans and printable text JSON's spelling is the same.
  public var literal: String {
    switch self {
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .text(let value): value.quoted
    }
  }
}

/// One setting: its name, what it may be, what it means, and where it lives in `RecorderConfiguration`.
public struct ConfigurationKey: Sendable {
  /// What a value may be.
  public enum Allowed: Hashable, Sendable {
    case boolean
    case integer(ClosedRange<Int>, multipleOf: Int = 1)
    case choice([String])
    /// At most 4,096 bytes (PATH_MAX) of printable text.
    case text
    /// An absolute path without `..`, of at most so many bytes.
    case path(maximumByteCount: Int)
  }

  public let section: String
  public let name: String
  /// Of an integer; nil for counts and everything without one.
  public let unit: String?
  public let allowed: Allowed
  /// One sentence.
  public let meaning: String
  let read: @Sendable (RecorderConfiguration) -> ConfigurationValue
  /// Does nothing for a value that `refusal(of:)` refuses.
  let write: @Sendable (inout RecorderConfiguration, ConfigurationValue) -> Void

  /// `section.name`.
  public var path: String { "\(section).\(name)" }

  /// The built-in value.
  public var defaultValue: ConfigurationValue { read(RecorderConfiguration()) }

  /// What is allowed, in words.
  public var allowedText: String {
    switch allowed {
    case .boolean: "true or false"
    case .integer(let range, let step):
      "\(range.lowerBound) to \(range.upperBound)" + (unit.map { " \($0)" } ?? "")
        + (step == 1 ? "" : ", a multiple of \(step)")
    case .choice(let names): names.map(\.quoted).joined(separator: ", ")
    case .text: "text without control characters, at most 4096 bytes"
    case .path(let maximum): "an absolute path without \"..\", at most \(maximum) bytes"
    }
  }

  /// Why a value cannot be this key's, without the allowed values; nil if it can.
  public func refusal(of value: ConfigurationValue) -> String? {
    switch (allowed, value) {
    case (.boolean, .boolean): nil
    case (.integer(let range, let step), .integer(let number)):
      if !range.contains(number) {
        "\(number) is out of range"
      } else if number % step != 0 {
        "\(number) is not a multiple of \(step)"
      } else {
        nil
      }
    case (.choice(let names), .text(let text)): names.contains(text) ? nil : "\(text.excerpt) is not one of them"
    case (.text, .text(let text)): Self.refusal(ofText: text, maximumByteCount: 4096)
    case (.path(let maximum), .text(let text)): Self.refusal(ofPath: text, maximumByteCount: maximum)
    default: "\(value.excerpt) is \(value.kindText), not \(expectedKindText)"
    }
  }

  /// What TOML calls the kind of value that this key takes, with its article.
  var expectedKindText: String {
    switch allowed {
    case .boolean: "a boolean"
    case .integer: "an integer"
    case .choice, .text, .path: "a string"
    }
  }

  private static func refusal(ofText text: String, maximumByteCount: Int) -> String? {
    if text.utf8.count > maximumByteCount { return "\(text.utf8.count) bytes are too long" }
    if text.unicodeScalars.contains(where: \.isControl) { return "\(text.excerpt) holds a control character" }
    return nil
  }

  private static func refusal(ofPath path: String, maximumByteCount: Int) -> String? {
    if let reason = refusal(ofText: path, maximumByteCount: maximumByteCount) { return reason }
    if !path.utf8.starts(with: "/".utf8) { return "\(path.excerpt) is not an absolute path" }
    if path.split(separator: "/").contains("..") { return "\(path.excerpt) holds \"..\"" }
    return nil
  }
}

extension ConfigurationValue {
  var kindText: String {
    switch self {
    case .boolean: "a boolean"
    case .integer: "an integer"
    case .text: "a string"
    }
  }

  var excerpt: String {
    if case .text(let text) = self { text.excerpt } else { literal }
  }
}

extension Unicode.Scalar {
  /// The control characters of ASCII and Latin-1 (Unicode category Cc) and the two line separators.
  var isControl: Bool { value < 0x20 || (0x7f..<0xa0).contains(value) || value == 0x2028 || value == 0x2029 }
}

extension String {
  /// In double quotes, escaped as both a TOML basic string and a JSON string read it.
  var quoted: String {
    var result = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.isControl:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Quoted, and cut after 60 characters: for messages.
  var excerpt: String { count > 60 ? (prefix(60) + "…").quoted : quoted }
}

extension Substring {
  fileprivate var quoted: String { String(self).quoted }
}
