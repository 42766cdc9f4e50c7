import ArgumentParser
import Configuration
import Control
import Core
import LinuxIO
import Media

/// How a client finds the recorder's socket, and speaks to it.
struct SocketOptions: ParsableArguments {
  @OptionGroup var options: ConfigurationOptions

  @Option(
    help: ArgumentHelp("The recorder's socket (default: control.socket of the configuration).", valueName: "path"))
  var socket: String?

  func ask(_ request: ControlRequest) throws -> ControlReply {
    try RecorderClient(path: try socket ?? options.load().values.control.socket).ask(request)
  }

  /// Asks; a refusal becomes exit code 75.
  func asked(_ request: ControlRequest) throws -> ControlReply {
    let reply = try ask(request)
    if case .failure(let code, let message) = reply.outcome {
      throw CommandFailure(message, exitCode: code == .badRequest ? 64 : 75)
    }
    return reply
  }

  /// Asks and prints the answer's message.
  func tell(_ request: ControlRequest) throws {
    if case .success(let message) = try asked(request).outcome, !message.isEmpty { standardOutput.writeLine(message) }
  }
}

/// One question and its answer over the recorder's socket.
struct RecorderClient {
  let path: String

  func ask(_ request: ControlRequest) throws -> ControlReply {
    let socket = try UnixSocket.connect(path: path)
    let line = try request.serialised()
    try socket.writeAll(line.span.bytes)
    try socket.finishSending()
    let bytes = try socket.readToEnd(limit: ControlReply.maximumLength)
    guard let (reply, _) = try ControlReply.parse(bytes) else {
      throw CommandFailure("the recorder hung up before it had answered; see its log", exitCode: 1)
    }
    return reply
  }
}

struct StartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Triggers a recording.",
    discussion: """
      The answer comes at once: heard, being saved. The pre-event counts from the trigger's edge, which a sensor that took
      time to decide may say to be a little earlier (at most recording.edge_to_decision_s).

      Examples:
        lapel start
        lapel start --edge-age-ms 2000
        lapel start --source schedule --reason test
      """)

  @OptionGroup var socket: SocketOptions

  @Option(help: ArgumentHelp("How long ago the first edge was.", valueName: "ms"))
  var edgeAgeMs: Int = 0

  @Option(help: ArgumentHelp("What triggered: button, socket, demo, schedule, radio.", valueName: "word"))
  var source: String?

  @Option(
    help: ArgumentHelp(
      "What happened: \(Trigger.Reason.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "word"))
  var reason: String?

  func run() throws {
    try CommandFailure.report {
      try socket.tell(.start(edgeAge: .milliseconds(Int64(edgeAgeMs)), source: source, reason: reason))
    }
  }
}

struct StopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stops the recording, after the configured post-event time; a second stop at once.")

  @OptionGroup var socket: SocketOptions

  func run() throws { try CommandFailure.report { try socket.tell(.stop) } }
}

struct MarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mark", abstract: "Puts a marker into the footage at this moment.",
    discussion:
      "The marker and its label are inside the encrypted footage.\n\nExample:\n  lapel mark --label \"blue car\"")

  @OptionGroup var socket: SocketOptions

  @Option(help: ArgumentHelp("At most 128 bytes of text.", valueName: "text"))
  var label: String?

  func run() throws { try CommandFailure.report { try socket.tell(.mark(label: label)) } }
}

struct MuteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mute", abstract: "Leaves sound out of the recording that runs, or records it again.",
    discussion: """
      Where mute.allowed says so. What was recorded before keeps its sound; the silence ends at mute.longest_s, and with
      the recording. When it began and ended, and who asked, is inside the encrypted footage.

      Examples:
        lapel mute on
        lapel mute off
      """)

  @OptionGroup var socket: SocketOptions
  @Argument(help: ArgumentHelp("Whether no sound is recorded.", valueName: "on|off")) var isOn: StealthCommand.Switch

  func run() throws { try CommandFailure.report { try socket.tell(.mute(isOn == .on)) } }
}

struct StealthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stealth", abstract: "Silences every light, tone and vibration, or lets them speak again.",
    discussion: """
      Recording goes on as before, with its sound. When it began and ended is inside the encrypted footage.

      Examples:
        lapel stealth on
        lapel stealth off
      """)

  enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

  @OptionGroup var socket: SocketOptions
  @Argument(help: ArgumentHelp("Whether they are silent.", valueName: "on|off")) var isOn: Switch

  func run() throws { try CommandFailure.report { try socket.tell(.stealth(isOn == .on)) } }
}

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows what the running recorder does.",
    discussion: "Examples:\n  lapel status\n  lapel status --json | jq .state")

  @OptionGroup var socket: SocketOptions

  @Flag(help: "One JSON object, for machines.")
  var json = false

  func run() throws {
    try CommandFailure.report {
      let reply = try socket.ask(.status(format: json ? .json : .text))
      guard case .success = reply.outcome else { throw CommandFailure("the recorder did not say its status") }
      for line in reply.body { standardOutput.writeLine(line) }
    }
  }
}
