import ArgumentParser
import AuditText
import Configuration
import Evidence
import EvidenceStore
import LinuxIO
import Media
import RecorderRuntime

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Shows the audit log: what happened on this camera, in order.",
    discussion: """
      Reads the device log in store.path, and what the journals of the recordings say in clear, beside a running recorder or
      without one. Chain and signatures are checked with the camera's public key. The order is that in which the camera wrote;
      wall times may jump, and where they do a line says so. Times are UTC. What the wearer did while recording is sealed inside
      the footage: `lapel-dock log --identity` opens it.

      With --follow it goes on: new entries as they are written, also those of a recorder that is started again, until Ctrl-C.
      What sums up a recording comes when it is over.

      With --since or --last journals of recordings that were over before are not looked at.

      Marks behind the time: ? the clock was never set, ~ it runs on its own since it was set. Lines of a recording's inside
      are indented. Lines that this version does not know are shown as they stand.

      Examples:
        lapel log --last 20
        lapel log --last 5 --follow
        lapel log --since 2h
        lapel log --since 2026-03-01T06:00Z --json | jq -r 'select(.event == "battery") | .text'

      Exit codes: 0 the log is whole. 15 TORN_DEVICE_LOG: it ends in bytes that are no whole line. Something is wrong, and what
      and where is on stderr: 20 TRUNCATED, 23 ROLLBACK, 24 EQUIVOCATION, 30 UNKNOWN_DEVICE, 35 ALTERED, 36 UNSIGNED, as in
      `lapel-dock verify`. 1 a recording could not be read, 64 wrong arguments, 73 the card holds no log of this camera,
      77 the camera is not enrolled, 78 the configuration is wrong.
      """)

  @OptionGroup var options: ConfigurationOptions

  @Option(
    help: ArgumentHelp(
      "From this time on: 2026-03-01, 2026-03-01T12:00Z, or 30m, 2h, 7d ago; by the camera's clock.", valueName: "time")
  )
  var since: String?

  @Option(help: ArgumentHelp("The newest entries only.", valueName: "n"))
  var last: Int?

  @Flag(help: "JSON Lines: one object an entry.")
  var json = false

  @Flag(name: .shortAndLong, help: "Goes on with new entries as they come, until Ctrl-C.")
  var follow = false

  func validate() throws {
    if let last, !(1...1_000_000).contains(last) { throw ValidationError("--last must be 1 to 1000000") }
    if let since, PointInTime.milliseconds(since, now: 0) == nil {
      throw ValidationError("--since takes 2026-03-01, 2026-03-01T12:00Z, or an age like 30m, 2h, 7d")
    }
  }

  func run() throws {
    try CommandFailure.report {
      let values = try options.load().values
      do {
        let place = LogPlace(storePath: values.store.path, identityPath: values.identity.path)
        if follow { try followLog(at: place) } else { try end(show(place.stored())) }
      } catch let error as StoreError {
        throw CommandFailure("\(error)", exitCode: RecorderError(error).exitCode)
      }
    }
  }

  /// What there is.
  /// - Parameter tail: learns what was shown.
  private func show(_ stored: StoredEvidence, tail: inout TimelineTail) throws -> LogOutcome {
    var log = try stored.deviceLog()
    if log.findings.contains(where: { $0.answer == .completeness(.tornDeviceLog) }) {
      // A line that is being written at this moment is whole a moment later.
      MonotonicTime.sleep(until: .now() + .milliseconds(200))
      log = try stored.deviceLog()
    }
    var outcome = LogOutcome()
    if follow {
      // Also what is not shown now is not new later. First, so that what is written meanwhile is not lost.
      _ = try LogFollowing.newest(of: log, stored) { tail.skip($0) }
    }
    let reader = AuditLogReader(
      log: log,
      selection: AuditLogReader.Selection(
        since: since.flatMap { PointInTime.milliseconds($0, now: Clocks.wallMilliseconds()) }, last: last),
      isLive: true)
    let report = try reader.read(stored.logFiles, card: stored.recordings) { entry in
      if follow { tail.skip(entry) }
      outcome.isRead = offer(entry)
      return outcome.isRead
    }
    outcome.take(reader.faults(report), report.unreadable)
    return outcome
  }

  private func show(_ stored: StoredEvidence) throws -> LogOutcome {
    var tail = TimelineTail()
    return try show(stored, tail: &tail)
  }

  private func followLog(at place: LogPlace) throws {
    // Before anything is read: Ctrl-C ends it behind a whole line, and without a word.
    let signals = try SignalDescriptor()
    var tail = TimelineTail()
    var outcome = try show(place.stored(), tail: &tail)
    var following = LogFollowing(place, tail, outcome)
    if outcome.isRead { outcome = try following.run(until: signals, offer) }
    try end(outcome)
  }

  /// False when nobody reads it any more.
  private func offer(_ entry: TimelineEntry) -> Bool {
    standardOutput.offerLine(json ? AuditLine.json(entry) : AuditLine.text(entry))
  }

  private func end(_ outcome: LogOutcome) throws {
    if outcome.code != 0 { throw ExitCode(outcome.code) }
  }
}
