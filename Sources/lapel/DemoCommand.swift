import ArgumentParser
import Control
import Glibc
import LinuxIO
import Media

/// Shows the whole way of footage on made-up devices, with the real programs: keys, recorder, trigger, card, verification,
/// opening. The recorder is `lapel run`, the dock is the installed `lapel-dock`; nothing is done differently for the demo.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Records, verifies and opens a few seconds of a synthetic camera. No hardware needed.",
    discussion: """
      Makes a new directory with demonstration keys, a store and a playable file. Takes about half a minute.

      Examples:
        lapel demo
        lapel demo --directory /tmp/try --seconds 20 --pre-event 10
      """)

  @Option(help: ArgumentHelp("Where everything goes; numbered when it exists.", valueName: "dir"))
  var directory = "lapel-demo"

  @Option(help: ArgumentHelp("Length of the recording after the trigger, 2 to 600.", valueName: "s"))
  var seconds = 10

  @Option(help: ArgumentHelp("Length of the pre-event, 0 to 120.", valueName: "s"))
  var preEvent = 5

  func validate() throws {
    guard (2...600).contains(seconds) else { throw ValidationError("--seconds must be 2 to 600") }
    guard (0...120).contains(preEvent) else { throw ValidationError("--pre-event must be 0 to 120") }
  }

  func run() throws {
    try CommandFailure.report {
      let demo = try Demonstration(directory: freeDirectory(), seconds: seconds, preEvent: preEvent)
      try demo.run()
    }
  }

  private func freeDirectory() -> String {
    var candidate = directory
    var number = 2
    while access(candidate, F_OK) == 0 {
      candidate = "\(directory)-\(number)"
      number += 1
    }
    return candidate
  }
}

/// One run of the demo.
struct Demonstration {
  let directory: String
  let seconds: Int
  let preEvent: Int
  private let lapel: String
  private let dock: String
  private let client: RecorderClient

  init(directory: String, seconds: Int, preEvent: Int) throws {
    self.directory = directory
    self.seconds = seconds
    self.preEvent = preEvent
    lapel = try RunningProgram.path()
    dock = try RunningProgram.neighbour("lapel-dock")
    try Directory.make(path: directory, mode: 0o755)
    // A socket's path has at most 107 bytes, and the directory may be deep.
    client = RecorderClient(path: "/tmp/lapel-demo-\(getpid()).sock")
  }

  private var agency: String { "\(directory)/agency" }
  private var configuration: String { "\(directory)/lapel.toml" }
  private var playable: String { "\(directory)/demo.mp4" }

  func run() throws {
    try writeConfiguration()
    say("1. Keys: a demonstration agency, and a camera that is enrolled with it")
    try tool(dock, ["keygen", agency, "--demo"])
    try tool(lapel, ["enroll", "--config", configuration, "--agency", "\(agency)/public"])
    try tool(
      dock, ["enroll", "\(directory)/identity/request.note", "--keys", agency, "-o", "\(directory)/enrol.note"])
    try tool(lapel, ["enroll", "--config", configuration, "--note", "\(directory)/enrol.note"])

    say("2. The recorder fills its memory: nothing is on the card yet")
    let recorder = try ChildProcess(
      lapel, ["run", "--config", configuration], output: .file("\(directory)/recorder.log"))
    let recording: (id: String, counter: Int64)
    do {
      recording = try record(recorder)
    } catch {
      recorder.signal(SIGTERM)
      _ = recorder.wait()
      throw error
    }
    recorder.signal(SIGTERM)
    let code = recorder.wait()
    guard code == 0 else { throw failed("the recorder ended with exit code \(code)") }

    say("4. Verified with public keys only: nobody needs to watch it to know that it is whole")
    let store = "\(directory)/store"
    try tool(dock, ["verify", store, "--agency", "\(agency)/public"], prints: true)

    say("5. Opened with the agency's secret key, which the camera never had")
    let name =
      String(repeating: "0", count: max(0, 10 - "\(recording.counter)".count)) + "\(recording.counter)-\(recording.id)"
    try tool(
      dock,
      [
        "open", "\(store)/recordings/\(name)", "--identity", "\(agency)/secret/identity.txt", "--agency",
        "\(agency)/public", "-o", playable,
      ], prints: true)
    var isCounted = false
    if Self.hasProgram("ffmpeg"), Self.hasProgram("ffprobe") {
      say("6. Counted in the opened picture and sound: each frame carries its number, each second a flash and a beep")
      try tool(dock, ["avsync", playable], prints: true)
      isCounted = true
    }
    standardOutput.writeLine(
      """

      Done. What this showed:
        - the recording begins \(preEvent) s before the trigger, with sound from the trigger on only;
        - the camera holds no key that could open it; the signed journal covers every byte on the card;
      \(isCounted ? "  - every frame is there once, and sound and picture fit, read from the file itself;" : "  - (with ffmpeg installed, the demo also counts every frame in the opened file;)")
        - any tool opens it: age -d -i \(agency)/secret/identity.txt \(store)/recordings/*/0000.mp4.age > segment.mp4

      Play it:  \(playable)
      """)
  }

  // MARK: - Recording

  private func record(_ recorder: borrowing ChildProcess) throws -> (id: String, counter: Int64) {
    try wait(recorder, upTo: 30) { status in
      let held = Double(Self.number("pre_event_held_ms", in: status) ?? 0) / 1_000
      progress("pre-event memory \(Self.tenths(min(held, Double(preEvent)))) of \(preEvent) s")
      return Self.text("state", in: status) == "ready" && held >= Double(preEvent) - 0.05
    }
    finishProgress()
    say("3. Trigger: heard at once, shown as recording when the footage is on the card")
    let pressed = MonotonicTime.now()
    try expectSuccess(client.ask(.start(source: "demo")))
    var id = ""
    var counter: Int64 = 0
    try wait(recorder, upTo: 20) { status in
      id = Self.text("id", in: status) ?? id
      counter = Self.number("counter", in: status) ?? counter
      return Self.text("state", in: status) == "recording"
    }
    let shown = MonotonicTime.now() - pressed
    standardOutput.writeLine("   recording was shown \(shown.inMilliseconds) ms after the trigger")
    let end = pressed + .seconds(Int64(seconds))
    var isMarked = false
    try wait(recorder, upTo: seconds + 10) { _ in
      let left = max(0, (end - .now()).inSeconds)
      progress("recording, \(Self.tenths(left)) s to go")
      if !isMarked, left < Double(seconds) / 2 {
        isMarked = true
        try expectSuccess(client.ask(.mark(label: "half way")))
      }
      return left == 0
    }
    finishProgress()
    try expectSuccess(client.ask(.stop))
    try wait(recorder, upTo: 20) { Self.text("state", in: $0) == "ready" }
    standardOutput.writeLine("   stopped and closed")
    return (id, counter)
  }

  /// Asks for the status five times a second until `isDone` says so.
  private func wait(
    _ recorder: borrowing ChildProcess, upTo limit: Int, _ isDone: (String) throws -> Bool
  ) throws {
    let deadline = MonotonicTime.now() + .seconds(Int64(limit + preEvent))
    while MonotonicTime.now() < deadline {
      if let code = recorder.exitCodeIfEnded() { throw failed("the recorder ended early with exit code \(code)") }
      if let reply = try? client.ask(.status(format: .json)), let line = reply.body.first, try isDone(line) { return }
      MonotonicTime.sleep(until: .now() + .milliseconds(100))
    }
    throw failed("the recorder did not get there within \(limit + preEvent) s; is this machine very busy?")
  }

  private func expectSuccess(_ reply: ControlReply) throws {
    if case .failure(_, let message) = reply.outcome { throw failed("the recorder refused: \(message)") }
  }

  // MARK: - Parts

  private func writeConfiguration() throws {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard directory.hasPrefix("/") || getcwd(&buffer, buffer.count) != nil else {
      throw LinuxError("find", "the current directory", errno: errno)
    }
    let current = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let absolute = directory.hasPrefix("/") ? directory : "\(current)/\(directory)"
    let text = """
      # Made by `lapel demo`: synthetic camera and microphone, demonstration keys.
      store.path = "\(absolute)/store"
      store.lab_store = true
      identity.path = "\(absolute)/identity"
      recording.pre_event_s = \(preEvent)
      memory.allow_swap = true
      control.socket = "\(client.path)"
      power.battery = "none"

      """
    let bytes = Array(text.utf8)
    try writeFileDurably(path: configuration, bytes: bytes.span.bytes, mode: 0o644)
  }

  /// Runs a program to its end; what it prints is shown, or kept in the log and shown when it fails.
  private func tool(_ program: String, _ arguments: [String], prints: Bool = false) throws {
    let log = "\(directory)/tools.log"
    let child = try ChildProcess(program, arguments, output: prints ? .inherited : .file(log))
    let code = child.wait()
    guard code == 0 else {
      let name = program.split(separator: "/").last ?? "a tool"
      throw CommandFailure(
        "\(name) \(arguments.first ?? "") ended with exit code \(code)" + (prints ? "" : "; see \(log)"))
    }
  }

  private func failed(_ what: String) -> CommandFailure { CommandFailure("\(what); see \(directory)/recorder.log") }

  private func say(_ line: String) { standardOutput.writeLine("\n\(line)") }

  private func progress(_ line: String) {
    if standardError.isTerminal { standardError.write("\r   \(line)\u{1B}[K") }
  }

  private func finishProgress() {
    if standardError.isTerminal { standardError.write("\r\u{1B}[K") }
  }

  private static func tenths(_ seconds: Double) -> String {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func hasProgram(_ name: String) -> Bool {
    guard let path = getenv("PATH") else { return false }
    return String(cString: path).split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
  }

  /// The first value of a key in the status' JSON, which is our own and flat enough for this.
  private static func text(_ key: String, in json: String) -> String? {
    guard let value = value(key, in: json), value.first == "\"" else { return nil }
    return String(value.dropFirst().prefix { $0 != "\"" })
  }

  private static func number(_ key: String, in json: String) -> Int64? {
    value(key, in: json).flatMap { Int64($0.prefix { $0 == "-" || $0.isNumber }) }
  }

  private static func value(_ key: String, in json: String) -> Substring? {
    let needle = "\"\(key)\":"
    var rest = Substring(json)
    while let first = rest.first {
      if rest.hasPrefix(needle) { return rest.dropFirst(needle.count).drop { $0 == " " } }
      rest = rest.dropFirst()
      _ = first
    }
    return nil
  }
}
