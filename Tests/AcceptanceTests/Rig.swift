import Control
import Foundation
import LinuxIO
import Media
import Testing

/// A camera on the desk: keys, a store, a configuration and, once started, the running `lapel run`. Everything lies in a
/// directory that goes away with it.
final class Rig {
  let directory: String
  /// Sections and keys of the configuration beside those of every rig.
  let settings: String
  let store: String
  /// A start takes two seconds longer with it; those that are about other things do without.
  let checksAtStart: Bool
  /// The directory of the agency's keys.
  let agency: String
  private(set) var recorder: Program?
  private var starts = 0

  static let lapel = Result { try RunningProgram.neighbour("lapel") }
  static let dock = Result { try RunningProgram.neighbour("lapel-dock") }

  /// Made once for all: a demonstration agency.
  static let agency = Result {
    let path = "/tmp/lapel-acceptance-agency-\(getpid())"
    try? FileManager.default.removeItem(atPath: path)
    try succeed([try dock.get(), "keygen", path, "--demo"])
    // Static values have no end of their own; the process has.
    atexit { try? FileManager.default.removeItem(atPath: "/tmp/lapel-acceptance-agency-\(getpid())") }
    return path
  }

  /// - Parameters:
  ///   - settings: lines of the configuration file.
  ///   - store: nil for a directory of the rig's own.
  ///   - isEnrolled: false leaves the camera without keys.
  ///   - agency: what `lapel-dock keygen` is told beside the directory; nil for the agency that all share.
  init(
    _ settings: String = "", store: String? = nil, isEnrolled: Bool = true, agency options: [String]? = nil,
    checksAtStart: Bool = false
  ) throws {
    self.checksAtStart = checksAtStart
    directory = "/tmp/lapel-acceptance-\(UUID().uuidString.prefix(8))"
    self.settings = settings
    self.store = store ?? "\(directory)/store"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    if let options {
      agency = "\(directory)/agency"
      try succeed([try Self.dock.get(), "keygen", agency] + options)
    } else {
      agency = try Self.agency.get()
    }
    try configurationText(socket: socket).write(toFile: configuration, atomically: true, encoding: .utf8)
    if isEnrolled { try enroll() }
  }

  deinit {
    recorder = nil
    if ProcessInfo.processInfo.environment["LAPEL_KEEP"] == nil {
      try? FileManager.default.removeItem(atPath: directory)
    }
  }

  var configuration: String { "\(directory)/lapel.toml" }
  var socket: String { "\(directory)/control.sock" }
  var recordings: String { "\(store)/recordings" }

  /// The configuration file of this rig, with another socket if need be.
  func configurationText(socket: String) -> String {
    """
    store.path = "\(store)"
    store.lab_store = true
    identity.path = "\(directory)/identity"
    memory.allow_swap = true
    control.socket = "\(socket)"
    recording.check_at_start = \(checksAtStart)
    power.battery = "none"
    \(settings)

    """
  }

  private func enroll() throws {
    let lapel = try Self.lapel.get()
    try succeed([lapel, "enroll", "--config", configuration, "--agency", "\(agency)/public"])
    try succeed([
      try Self.dock.get(), "enroll", "\(directory)/identity/request.note", "--keys", agency, "-o",
      "\(directory)/enrol.note",
    ])
    try succeed([lapel, "enroll", "--config", configuration, "--note", "\(directory)/enrol.note"])
  }

  // MARK: - The recorder

  /// Starts `lapel run`; does not wait for anything.
  func start() throws {
    starts += 1
    recorder = try Program(
      [try Self.lapel.get(), "run", "--config", configuration], output: "\(directory)/run-\(starts).out",
      errors: log)
  }

  /// The log of the recorder that was started last.
  var log: String { "\(directory)/run-\(starts).log" }
  var logText: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

  /// Starts it and waits until the pre-event is held, also for an edge that is some seconds old.
  func startReady(preEvent: Int, edgeAge: Int = 0) throws {
    try start()
    let ready = try wait("ready with \(preEvent) s held", seconds: preEvent + 20) {
      $0.state == "ready" && $0.ring.map { $0.preEventHeldMs >= preEvent * 1_000 } == true
    }
    guard edgeAge > 0 else { return }
    try wait("\(edgeAge) s more", seconds: edgeAge + 20) { $0.uptimeMs >= ready.uptimeMs + edgeAge * 1_000 }
  }

  /// SIGTERM, and the exit code.
  func finish(_ signal: Int32 = SIGTERM) -> Int32 {
    recorder?.signal(signal)
    return recorder?.wait() ?? -1
  }

  /// A deadline has passed, or the recorder has ended.
  struct NotReached: Error, CustomStringConvertible { var description: String }

  /// Asks for the status until it is as wanted.
  @discardableResult
  func wait(
    _ what: String, seconds: Int, every milliseconds: Int64 = 50, _ isReached: (Status) throws -> Bool
  ) throws -> Status {
    let deadline = MonotonicTime.now() + .seconds(Int64(seconds))
    var last = "no answer"
    repeat {
      if let code = recorder?.exitCode { throw NotReached(description: "lapel run ended with \(code): \(logText)") }
      if let line = try? ask(.status(format: .json)).body.first {
        last = line
        let status = try Status(json: line)
        if try isReached(status) { return status }
      }
      MonotonicTime.sleep(until: .now() + .milliseconds(milliseconds))
    } while MonotonicTime.now() < deadline
    throw NotReached(description: "\(what): not reached in \(seconds) s; \(last)\n\(logText)")
  }

  /// One question over the socket, as the commands ask it.
  func ask(_ request: ControlRequest) throws -> ControlReply {
    let connection = try UnixSocket.connect(path: socket)
    let line = try request.serialised()
    try connection.writeAll(line.span.bytes)
    try connection.finishSending()
    let bytes = try connection.readToEnd(limit: ControlReply.maximumLength)
    guard let (reply, _) = try ControlReply.parse(bytes) else { throw NotReached(description: "the recorder hung up") }
    return reply
  }

  /// One question as soon as the socket is there: while the recorder starts.
  func askEarly(_ request: ControlRequest) throws -> ControlReply {
    let deadline = MonotonicTime.now() + .seconds(20)
    while true {
      do { return try ask(request) } catch {
        guard MonotonicTime.now() < deadline, recorder?.exitCode == nil else { throw error }
        MonotonicTime.sleep(until: .now() + .milliseconds(1))
      }
    }
  }

  /// Runs `lapel` with this rig's configuration.
  func command(_ words: String...) throws -> ProgramResult {
    try run([try Self.lapel.get()] + words + ["--config", configuration])
  }

  func status() throws -> Status {
    let result = try command("status", "--json")
    guard result.code == 0 else { throw ProgramFailure(description: "lapel status: \(result.errors)") }
    return try Status(json: result.text)
  }

  /// Lets the recording go on until its footage, the pre-event included, has this length.
  func record(seconds: Int) throws {
    try wait("\(seconds) s of footage", seconds: seconds + 30) {
      ($0.recording?.durationMs ?? 0) >= seconds * 1_000
    }
  }

  /// `stop` at once, and the close waited for. Returns the moments around the stop.
  @discardableResult
  func stop() throws -> ClosedRange<MonotonicTime> {
    let before = MonotonicTime.now()
    let result = try command("stop")
    let after = MonotonicTime.now()
    guard result.code == 0 else { throw ProgramFailure(description: "lapel stop: \(result.errors)") }
    try wait("closed", seconds: 20) { $0.state == "ready" }
    return before...after
  }

  // MARK: - The files

  /// Paths of the recordings' directories, the oldest first.
  func recordingPaths() throws -> [String] {
    guard FileManager.default.fileExists(atPath: recordings) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: recordings).sorted().map { "\(recordings)/\($0)" }
  }

  /// The only recording.
  func recordingPath() throws -> String {
    let paths = try recordingPaths()
    guard let path = paths.first, paths.count == 1 else {
      throw NotReached(description: "one recording is expected, there are \(paths.count)")
    }
    return path
  }

  /// Everything that the recorder says it lost, for the message of an assertion on the footage.
  func losses() -> Comment {
    let lines = logText.split(separator: "\n").filter { $0.contains("lost") || $0.contains("refused") }
    return "what the recorder itself says it lost: \(lines.isEmpty ? "nothing" : lines.joined(separator: "; "))"
  }
}

/// The recorder's status as its JSON has it.
struct Status: Decodable {
  struct Recording: Decodable {
    var id: String
    var counter: Int
    var durationMs: Int
  }

  struct Ring: Decodable {
    var preEventHeldMs: Int
    var usedBytes: Int
    var capacityBytes: Int
  }

  struct Video: Decodable {
    var framesCaptured: Int
    var framesDropped: Int
    var framesRefused: Int
  }

  struct Interrupted: Decodable {
    var counter: Int
    var segments: Int
    var attestedMs: Int
  }

  struct Power: Decodable {
    var level: String?
    var percent: Int?
    var failing: Bool
  }

  var state: String
  var reason: String?
  var recording: Recording?
  var power: Power?
  var ring: Ring?
  var video: Video?
  var lagMs: Int?
  var uptimeMs: Int
  var interrupted: [Interrupted]?

  init(json: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(Status.self, from: Data(json.utf8))
  }
}
