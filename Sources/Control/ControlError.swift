/// Why bytes on the control socket are no request, or no reply.
public enum ControlError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No line end within the limit.
  case tooLong(limit: Int)
  /// A byte that is not printable ASCII, at this offset of the line.
  case notText(offset: Int)
  case emptyLine
  case unknownCommand(String)
  case unknownArgument(String, command: String, allowed: [String])
  case repeatedArgument(String)
  /// `expected` says which values there are.
  case badValue(String, argument: String, expected: String)
  /// The first line of a reply is neither `OK` nor `ERR`.
  case badReply(String)

  /// One line: what is wrong and what would be right.
  public var description: String {
    switch self {
    case .tooLong(let limit): "the line is longer than \(limit) bytes"
    case .notText(let offset):
      "byte \(offset + 1) of the line is not printable ASCII; write other characters of values as % and two hex digits"
    case .emptyLine: "the line is empty; commands are \(ControlRequest.commands)"
    case .unknownCommand(let word): "there is no command \(quoted(word)); commands are \(ControlRequest.commands)"
    case .unknownArgument(let word, let command, let allowed):
      allowed.isEmpty
        ? "\(command) takes no arguments, \(quoted(word)) was given"
        : "\(command) takes \(allowed.map { "\($0)=…" }.joined(separator: " and ")), not \(quoted(word))"
    case .repeatedArgument(let name): "\(name) is given twice"
    case .badValue(let value, let argument, let expected): "\(argument) is \(quoted(value)), expected \(expected)"
    case .badReply(let line): "\(quoted(line)) is no answer of a recorder; is this its socket?"
    }
  }

  /// What somebody sent, fit to show: short, and nothing that moves a cursor.
  private func quoted(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(40) { shown.unicodeScalars.append(scalar.isShowable ? scalar : "?") }
    return text.unicodeScalars.count > 40 ? "\"\(shown)…\"" : "\"\(shown)\""
  }
}

extension Unicode.Scalar {
  /// False for characters that could forge a line or reorder its text: controls, line ends, direction overrides.
  var isShowable: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: false
    default: !(0x202A...0x202E).contains(value) && !(0x2066...0x2069).contains(value)
    }
  }
}
