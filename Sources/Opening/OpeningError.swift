/// Why footage could not be opened: which rule, where, and what to do about it.
public struct OpeningError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable {
    /// Text that is no age identity, or one of a kind that is not supported.
    case identity
    /// None of the identities is a recipient of this file.
    case noIdentityMatches
    /// The age header is malformed, or its MAC says that it was changed.
    case header
    /// A chunk does not open: it was changed, moved or cut off.
    case payload
    /// The footage is not a sequence of boxes as the recorder writes them.
    case footage
    /// The footage opens but is not what the journal commits to.
    case commitment
    /// The journal's lines do not say what is needed.
    case journal
    /// Reading failed.
    case input
    /// Writing failed.
    case output
  }

  public let code: Code
  /// What happened and what to do next, in one or two sentences.
  public let description: String

  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
