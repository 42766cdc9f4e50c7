/// What went wrong in this target: which rule, where, and what to do about it.
public struct EvidenceError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable {
    /// The source of random bytes failed; nothing may be sealed without it.
    case randomness
    /// A recipient, or a list of them, that this recorder cannot seal for.
    case recipient
    /// A segment stream was used against its rules, or a cipher failed; the segment must be abandoned.
    case sealing
    /// The stream's keys are gone: it was abandoned after an error.
    case abandoned
    /// Bytes that are not a journal line.
    case journalLine
    /// A journal line that the grammar does not allow at this place.
    case grammar
    /// A signature that does not verify, or a key that may not be used.
    case signature
    /// A note that is malformed, of another kind, or not signed by a key that may sign it.
    case note
    /// An age header that cannot be read.
    case ageHeader
    /// A box of the footage that is not what the format says.
    case box
  }

  public let code: Code
  /// What happened and what to do next, in one or two sentences.
  public let description: String

  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
