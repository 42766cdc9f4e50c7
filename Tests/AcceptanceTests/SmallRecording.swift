import Control
import Foundation

/// A recording of half a minute at a low bitrate, in a small ring, that several tests look at. While it is made, a second
/// recorder is started on its store, and its memory is read when the ring has been filled several times over.
final class SmallRecording: Sendable {
  static let shared = Result<SmallRecording, any Error> { try SmallRecording() }

  nonisolated(unsafe) let rig: Rig
  let recording: String
  /// The opened recording, and each segment as stock `age` decrypts it.
  let file: String
  let segments: [String]
  let opened: Dock.Opened
  /// A second `lapel run` with the same configuration, and one with a socket of its own.
  let second: ProgramResult
  let secondSocket: ProgramResult
  /// What the first one said of itself before and after.
  let statesAround: [String]
  let firstProcess: pid_t
  let exitCode: Int32
  /// Bytes, read at the end of the recording.
  let residentBytes: [String: Int]
  let arenaBytes: Int

  private init() throws {
    rig = try Rig(
      """
      camera.width = 640
      camera.height = 360
      video.bitrate_kbps = 350
      video.peak_kbps = 400
      recording.pre_event_s = 5
      recording.edge_to_decision_s = 0
      recording.stall_reserve_s = 2
      recording.segment_s = 10
      """)
    try rig.startReady(preEvent: 5)
    firstProcess = rig.recorder?.identifier ?? -1
    _ = try rig.command("start")
    try rig.wait("recording", seconds: 10) { $0.state == "recording" }
    let other = "\(rig.directory)/other.toml"
    try rig.configurationText(socket: "\(rig.directory)/other.sock")
      .write(toFile: other, atomically: true, encoding: .utf8)
    let before = try rig.status().state
    second = try run([try Rig.lapel.get(), "run", "--config", rig.configuration])
    secondSocket = try run([try Rig.lapel.get(), "run", "--config", other])
    statesAround = [before, try rig.status().state]
    try rig.record(seconds: 32)
    residentBytes = try Self.residentBytes(of: firstProcess)
    arenaBytes = try rig.status().ring?.capacityBytes ?? 0
    try rig.stop()
    exitCode = rig.finish()

    recording = try rig.recordingPath()
    file = "\(rig.directory)/small.mp4"
    opened = try Dock.open(recording, as: file)
    segments = try Stock.segments(of: recording, into: rig.directory)
  }

  /// The `Rss…` lines of /proc/PID/status (proc_pid_status(5)), in bytes.
  private static func residentBytes(of process: pid_t) throws -> [String: Int] {
    let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    var bytes: [String: Int] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("Rss") {
      let words = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
      if words.count >= 2, let kibibytes = Int(words[1]) { bytes[String(words[0])] = kibibytes * 1_024 }
    }
    return bytes
  }
}
