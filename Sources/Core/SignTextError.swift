/// A text of the configuration that is no pattern, or no entry of the table of signs.
public struct SignTextError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text, or the part of it that is wrong.
  public var text: String
  /// What is wrong with it and what is allowed; whole sentences.
  public var hint: String

  public init(_ text: String, hint: String) {
    self.text = text
    self.hint = hint
  }

  /// One line.
  public var description: String { "\"\(text)\" is no sign. \(hint)" }
}
