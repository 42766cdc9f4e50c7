public import Media

/// One request to a running recorder.
///
/// The protocol, version 1: a Unix stream socket. A request is one line, at most 512 bytes with its line feed: a command,
/// then arguments `name=value`, separated by spaces, all printable ASCII; other characters in a value, spaces and `%` are
/// written as % and two hex digits. Each request is answered by one `ControlReply`, in order; a connection may carry many.
/// ```
/// start                                   begin a recording, or extend the one that runs
/// start edge_age_ms=2000 source=button    the gesture began 2 s ago: the pre-event counts from there
/// start source=schedule reason=test       what asked for it, and why, are stored with the recording
/// stop                                    end it, after the configured post-event time
/// mark    mark label=front%20door         note this moment in the recording
/// stealth on=1    stealth on=0            silence lights, tones and vibration; let them speak again
/// mute on=1       mute on=0               leave sound out from now on; record it again
/// check                                   record, verify and remove two seconds; the answer is the check's number
/// check number=3  check number=3 format=json      its result; an error `busy` while it is under way
/// status  status format=json
/// ```
public enum ControlRequest: Hashable, Sendable {
  public enum StatusFormat: String, Hashable, Sendable, CaseIterable { case text, json }

  /// `edgeAge`: how long before this request the gesture began, 0...60 s in whole milliseconds. `source`: what to store as
  /// the trigger's source, 1...32 of a-z, 0-9, `_`; nil for the socket itself. `reason`: what happened, in the same form.
  case start(edgeAge: Nanoseconds = .zero, source: String? = nil, reason: String? = nil)
  case stop
  /// `label`: at most 128 bytes of UTF-8 without control characters.
  case mark(label: String? = nil)
  /// Silences every light, tone and vibration, or lets them speak again.
  case stealth(Bool)
  /// Leaves sound out of the recording that runs, or records it again.
  case mute(Bool)
  /// Tries the whole path out, or asks what came of it. `number`: of a check that was begun, 1 or more.
  case check(number: Int? = nil, format: StatusFormat = .text)
  case status(format: StatusFormat = .text)

  /// Bytes of a request line, with its line feed.
  public static let maximumLength = 512
  public static let maximumEdgeAge = Nanoseconds.seconds(60)
  /// Bytes of UTF-8.
  public static let maximumLabelLength = 128

  static let commands = "start, stop, mark, mute, stealth, check, status"

  /// Parses a line without its line feed. Defined for all bytes: a request, or an error that says what is wrong.
  public init(line: some Collection<UInt8>) throws(ControlError) {
    if line.count >= ControlRequest.maximumLength { throw .tooLong(limit: ControlRequest.maximumLength) }
    for (offset, byte) in line.enumerated() where !(0x20...0x7E).contains(byte) { throw .notText(offset: offset) }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ")
    guard let command = words.first else { throw .emptyLine }
    let arguments = try Arguments(command: String(command), words: words.dropFirst())
    switch command {
    case "start":
      try arguments.allow("edge_age_ms", "source", "reason")
      self = try .start(
        edgeAge: arguments.edgeAge(), source: arguments.word("source"), reason: arguments.word("reason"))
    case "stop":
      try arguments.allow()
      self = .stop
    case "mark":
      try arguments.allow("label")
      self = try .mark(label: arguments.label())
    case "stealth":
      try arguments.allow("on")
      self = try .stealth(arguments.isOn())
    case "mute":
      try arguments.allow("on")
      self = try .mute(arguments.isOn())
    case "check":
      try arguments.allow("number", "format")
      self = try .check(number: arguments.number(), format: arguments.format())
    case "status":
      try arguments.allow("format")
      self = try .status(format: arguments.format())
    default: throw .unknownCommand(String(command))
    }
  }

  /// Checks a label before it is sent.
  public static func isValidLabel(_ label: String) -> Bool {
    !label.isEmpty && label.utf8.count <= maximumLabelLength && label.unicodeScalars.allSatisfy(\.isShowable)
  }

  /// The request as a line with its line feed. Throws for values that a recorder would refuse.
  public func serialised() throws(ControlError) -> [UInt8] {
    var line = ""
    switch self {
    case .start(let edgeAge, let source, let reason):
      line = "start"
      if edgeAge != .zero { line += " edge_age_ms=\(edgeAge.inMilliseconds)" }
      if let source { line += " source=\(PercentEncoding.encode(source))" }
      if let reason { line += " reason=\(PercentEncoding.encode(reason))" }
    case .stop: line = "stop"
    case .mark(let label):
      line = "mark"
      if let label { line += " label=\(PercentEncoding.encode(label))" }
    case .stealth(let isOn): line = "stealth on=\(isOn ? 1 : 0)"
    case .mute(let isOn): line = "mute on=\(isOn ? 1 : 0)"
    case .check(let number, let format):
      line = "check"
      if let number { line += " number=\(number)" }
      if format != .text { line += " format=\(format.rawValue)" }
    case .status(let format):
      line = "status"
      if format != .text { line += " format=\(format.rawValue)" }
    }
    // One rule for both ends: what does not parse is not sent.
    _ = try ControlRequest(line: Array(line.utf8))
    return Array(line.utf8) + [UInt8(ascii: "\n")]
  }
}

/// The `name=value` words of a request.
private struct Arguments {
  let command: String
  private var values: [(name: String, value: String)] = []

  init(command: String, words: ArraySlice<Substring>) throws(ControlError) {
    self.command = command
    for word in words {
      // A bare name is a name with an empty value, which no argument allows.
      let name = String(word.prefix { $0 != "=" })
      let raw = word.dropFirst(name.count + 1)
      guard let value = PercentEncoding.decode(raw) else {
        throw .badValue(String(raw), argument: name, expected: "UTF-8 with each % followed by two hex digits")
      }
      if values.contains(where: { $0.name == name }) { throw .repeatedArgument(name) }
      values.append((name, value))
    }
  }

  func allow(_ names: String...) throws(ControlError) {
    for (name, _) in values where !names.contains(name) {
      throw .unknownArgument(name, command: command, allowed: names)
    }
  }

  private func value(_ name: String) -> String? { values.first { $0.name == name }?.value }

  func edgeAge() throws(ControlError) -> Nanoseconds {
    guard let text = value("edge_age_ms") else { return .zero }
    let limit = ControlRequest.maximumEdgeAge.inMilliseconds
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let age = Int64(text), age <= limit else {
      throw .badValue(text, argument: "edge_age_ms", expected: "whole milliseconds, 0 to \(limit)")
    }
    return .milliseconds(age)
  }

  func number() throws(ControlError) -> Int? {
    guard let text = value("number") else { return nil }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), number >= 1 else {
      throw .badValue(text, argument: "number", expected: "a whole number from 1 on")
    }
    return number
  }

  func word(_ name: String) throws(ControlError) -> String? {
    guard let text = value(name) else { return nil }
    let isWord = text.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }
    guard isWord, (1...32).contains(text.utf8.count) else {
      throw .badValue(text, argument: name, expected: "1 to 32 of a-z, 0-9 and _")
    }
    return text
  }

  func label() throws(ControlError) -> String? {
    guard let text = value("label") else { return nil }
    guard ControlRequest.isValidLabel(text) else {
      throw .badValue(
        text, argument: "label",
        expected: "1 to \(ControlRequest.maximumLabelLength) bytes of text without control characters")
    }
    return text
  }

  func isOn() throws(ControlError) -> Bool {
    switch value("on") {
    case "1": return true
    case "0": return false
    case let other: throw .badValue(other ?? "", argument: "on", expected: "0 or 1")
    }
  }

  func format() throws(ControlError) -> ControlRequest.StatusFormat {
    guard let text = value("format") else { return .text }
    guard let format = ControlRequest.StatusFormat(rawValue: text) else {
      throw .badValue(text, argument: "format", expected: "text or json")
    }
    return format
  }
}
