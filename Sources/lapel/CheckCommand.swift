import ArgumentParser
import Control
import LinuxIO
import Media

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Has the running recorder record two seconds, verify them without a secret, and remove them.",
    discussion: """
      Every part that footage passes answers for itself: camera, microphone, encoder, card, keys; then what starts a
      recording, and the clock. A start does the same before it shows ready (recording.check_at_start). A trigger that
      comes meanwhile is recorded at once.

      Examples:
        lapel check
        lapel check --json | jq -r '.parts[] | select(.state != "ok") | .text'

      Exit codes: 0 what is triggered is recorded (parts may have warnings); 1 a part failed, nothing can be recorded, or
      no recorder runs; 75 refused or interrupted, because something is being recorded.
      """)

  @OptionGroup var socket: SocketOptions

  @Flag(help: "One JSON object, for machines.")
  var json = false

  /// A trial takes two seconds and some flushes, and is given up after ten seconds.
  private static let patience = Nanoseconds.seconds(20)

  func run() throws {
    try CommandFailure.report {
      let number: Int
      switch try socket.ask(.check()).outcome {
      case .success(let message):
        guard let said = Int(message) else {
          throw CommandFailure("the recorder did not say which check it began", exitCode: 1)
        }
        number = said
      case .failure(.busy, let message): throw CommandFailure(message, exitCode: 75)
      case .failure(_, let message): throw CommandFailure(message, exitCode: 1)
      }
      if !json { standardError.writeLine("lapel: recording two seconds") }
      let end = MonotonicTime.now() + Self.patience
      while true {
        MonotonicTime.sleep(until: .now() + .milliseconds(200))
        let reply = try socket.ask(.check(number: number, format: json ? .json : .text))
        if case .failure(.busy, _) = reply.outcome, MonotonicTime.now() < end { continue }
        guard case .success(let result) = reply.outcome else {
          throw CommandFailure("the check did not come to an end; see the recorder's log", exitCode: 1)
        }
        for line in reply.body { standardOutput.writeLine(line) }
        switch result {
        case RecorderStatus.Check.Result.passed.rawValue: return
        case RecorderStatus.Check.Result.interrupted.rawValue:
          throw CommandFailure("interrupted: something was triggered, and is being recorded", exitCode: 75)
        default: throw ExitCode(1)
        }
      }
    }
  }
}
