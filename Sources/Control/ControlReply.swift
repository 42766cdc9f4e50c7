/// The answer to one `ControlRequest`.
///
/// On the wire, UTF-8: the first line is `OK`, or `OK` and a message, or `ERR`, a code and a message. Then come the body's
/// lines, each with one space in front, and an empty line ends it. The space makes an empty line of the body different
/// from the end.
/// ```
/// OK recording 42 begun              ERR not_recording nothing is being recorded
///                                    ⏎
/// OK
///  State      ready
///  Pre-event  30.0 s held
/// ⏎
/// ```
public struct ControlReply: Hashable, Sendable {
  /// Machine-readable reason of an error: 1...32 of a-z, 0-9 and `_`. More may follow; treat unknown ones as an error.
  public struct ErrorCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The request was not understood.
    public static let badRequest = ErrorCode(rawValue: "bad_request")
    /// The peer is not allowed to ask for this.
    public static let forbidden = ErrorCode(rawValue: "forbidden")
    /// Nothing can be recorded now; the message has the reason.
    public static let cannotRecord = ErrorCode(rawValue: "cannot_record")
    /// `stop` or `mark` without a recording.
    public static let notRecording = ErrorCode(rawValue: "not_recording")
    /// The recorder is ending.
    public static let stopping = ErrorCode(rawValue: "stopping")
    /// Too many requests wait already: try again.
    public static let busy = ErrorCode(rawValue: "busy")
  }

  public enum Outcome: Hashable, Sendable {
    /// The message may be empty.
    case success(String)
    case failure(ErrorCode, String)
  }

  public var outcome: Outcome
  /// Lines without line feeds.
  public var body: [String]

  /// Bytes of a whole reply.
  public static let maximumLength = 64 * 1024

  public init(_ outcome: Outcome, body: [String] = []) {
    self.outcome = outcome
    self.body = body
  }

  public static func success(_ message: String = "", body: [String] = []) -> ControlReply {
    ControlReply(.success(message), body: body)
  }

  public static func failure(_ code: ErrorCode, _ message: String) -> ControlReply {
    ControlReply(.failure(code, message))
  }

  /// The answer to bytes that are no request.
  public init(_ error: ControlError) { self.init(.failure(.badRequest, error.description)) }

  /// The reply as it is sent. Characters that could be taken for a line end or move a cursor become spaces.
  public func serialised() -> [UInt8] {
    var text = ""
    switch outcome {
    case .success(let message): text += message.isEmpty ? "OK" : "OK " + ControlReply.oneLine(message)
    case .failure(let code, let message):
      text += "ERR \(code.rawValue)"
      if !message.isEmpty { text += " " + ControlReply.oneLine(message) }
    }
    text += "\n"
    for line in body { text += " " + ControlReply.oneLine(line) + "\n" }
    text += "\n"
    return Array(text.utf8)
  }

  /// The first reply in `bytes` and how many bytes it takes; nil when more bytes are needed.
  public static func parse(_ bytes: some Collection<UInt8>) throws(ControlError) -> (reply: ControlReply, length: Int)?
  {
    var lines: [String] = []
    var line: [UInt8] = []
    var length = 0
    for byte in bytes {
      length += 1
      if length > maximumLength { throw .tooLong(limit: maximumLength) }
      guard byte == UInt8(ascii: "\n") else {
        line.append(byte)
        continue
      }
      guard let text = String(validating: line, as: UTF8.self) else {
        throw .badReply(String(decoding: line, as: UTF8.self))
      }
      line.removeAll(keepingCapacity: true)
      if lines.isEmpty {
        _ = try outcome(of: text)
      } else if text.isEmpty {
        return (ControlReply(try outcome(of: lines[0]), body: Array(lines[1...])), length)
      } else if !text.hasPrefix(" ") {
        throw .badReply(text)
      }
      lines.append(lines.isEmpty ? text : String(text.dropFirst()))
    }
    return nil
  }

  private static func outcome(of line: String) throws(ControlError) -> Outcome {
    let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let rest = words.count > 1 ? words[1] : ""
    switch words.first {
    case "OK": return .success(String(rest))
    case "ERR":
      let parts = rest.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard let code = parts.first, !code.isEmpty else { throw .badReply(line) }
      return .failure(ErrorCode(rawValue: String(code)), parts.count > 1 ? String(parts[1]) : "")
    default: throw .badReply(line)
    }
  }

  private static func oneLine(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars { line.unicodeScalars.append(scalar.isShowable ? scalar : " ") }
    return line
  }
}
