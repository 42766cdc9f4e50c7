/// What one sign or cue does: a pattern for each output that it uses.
///
/// In the configuration: `red on, tone 200/100x3`. An empty text uses nothing.
public struct SignEntry: Hashable, Sendable, CustomStringConvertible {
  private var patterns: [SignOutput: SignPattern]

  public init(_ patterns: [SignOutput: SignPattern] = [:]) { self.patterns = patterns }

  /// From the text form. The error says what is wrong and what is allowed.
  public init(_ text: String) throws(SignTextError) {
    self.init()
    guard text.contains(where: { $0 != " " }) else { return }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: " ")
      guard words.count == 2 else {
        throw SignTextError(
          text, hint: "Between commas stand an output and its pattern, as in \"red on, tone 200/100x3\".")
      }
      guard let output = SignOutput(rawValue: String(words[0])) else {
        let names = SignOutput.allCases.map(\.rawValue).joined(separator: ", ")
        throw SignTextError(text, hint: "\"\(words[0])\" is no output: there are \(names).")
      }
      guard patterns[output] == nil else {
        throw SignTextError(text, hint: "It says twice what \(output.rawValue) does: name each output once.")
      }
      patterns[output] = try SignPattern(String(words[1]))
    }
  }

  /// What the output does; nil when this sign leaves it to others.
  public subscript(output: SignOutput) -> SignPattern? {
    get { patterns[output] }
    set { patterns[output] = newValue }
  }

  /// True when it uses nothing.
  public var isEmpty: Bool { patterns.isEmpty }

  /// The text form, in the order of the outputs.
  public var description: String {
    SignOutput.allCases.compactMap { output in patterns[output].map { "\(output.rawValue) \($0)" } }
      .joined(separator: ", ")
  }
}
