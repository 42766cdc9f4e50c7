/// Where the board's power-fail line is: `gpio:CHIP:LINE`.
///
/// `chip`: the chip's label, which stays, or its name or path. `line`: the line's name, or its offset on the chip. The last colon
/// divides, for labels of chips may hold colons.
public struct PowerFailPlace: Hashable, Sendable, CustomStringConvertible {
  public var chip: String
  public var line: String

  /// From the text form. The error is `.malformed`, and its hint says what is wrong with the text.
  public init(_ text: String) throws(PowerError) {
    let rest = text.dropFirst(5)
    guard text.hasPrefix("gpio:"), !text.utf8.contains(0), let colon = rest.lastIndex(of: ":") else {
      throw PowerError(.malformed, line: text, operation: "read the line's place", hint: "A line is gpio:CHIP:LINE.")
    }
    chip = String(rest[..<colon])
    line = String(rest[rest.index(after: colon)...])
    guard !chip.isEmpty, !line.isEmpty else {
      throw PowerError(
        .malformed, line: text, operation: "read the line's place",
        hint: "\(chip.isEmpty ? "The chip" : "The line") is missing. A line is gpio:CHIP:LINE.")
    }
  }

  /// The text form.
  public var description: String { "gpio:\(chip):\(line)" }
}
