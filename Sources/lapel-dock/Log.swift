import ArgumentParser
import AuditText
import Evidence
import LinuxIO
import Opening

struct Log: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows a camera's audit log; with an identity also what the wearer did.",
    discussion: """
      STORE is a card or a copy: `device` and `recordings`. Device log and journals are checked with public keys and told as one
      timeline, in the order in which the camera wrote; wall times may jump, and where they do a line says so. Times are UTC.
      With --identity the footage of each recording is verified and opened, and what the wearer did is merged in: the trigger
      with source and gesture, markers with their labels, stealth, stop. Without it nothing of that is shown.
      What the log does not tell, whether segments are as signed and recordings are missing, `lapel-dock verify` says.

      With --since or --last journals and footage of recordings that were over before are not looked at.

      Marks behind the time: ? the clock was never set, ~ it runs on its own since it was set, * from inside the sealed footage.
      Lines of a recording's inside are indented. Lines that this version does not know are shown as they stand.

      Examples:
        lapel-dock log /media/card --agency agency/public
        lapel-dock log /media/card --agency agency/public --identity agency/secret/identity.txt --recording 7
        lapel-dock log /media/card --agency agency/public --since 2026-03-01 --json | jq -r 'select(.event == "wearer")'

      Exit codes: 0 the log is whole, and with --identity so is the footage. 15 TORN_DEVICE_LOG: the log ends in bytes that are no
      whole line. Something is wrong, and what and where is on stderr: 20 to 36 as in `lapel-dock verify`. 40: some footage could
      not be opened, and the timeline says which. 1 failed, 2 the identity fits no recording at all, 64 wrong arguments.
      """)

  @Argument(help: ArgumentHelp("The store.", valueName: "store"))
  var store: String

  @OptionGroup var trust: TrustOptions

  @Option(
    help: ArgumentHelp("Age identity file, AGE-SECRET-KEY-1…; - reads it from standard input.", valueName: "file"))
  var identity: String?

  @Option(help: ArgumentHelp("One recording only: its counter, or its directory.", valueName: "recording"))
  var recording: String?

  @Option(
    help: ArgumentHelp(
      "From this time on: 2026-03-01, 2026-03-01T12:00Z, or 30m, 2h, 7d ago; by the camera's clock.", valueName: "time")
  )
  var since: String?

  @Option(help: ArgumentHelp("The newest entries only.", valueName: "n"))
  var last: Int?

  @Flag(help: "JSON Lines: one object an entry.")
  var json = false

  func validate() throws {
    if let last, !(1...1_000_000).contains(last) { throw ValidationError("--last must be 1 to 1000000") }
    if let since, PointInTime.milliseconds(since, now: 0) == nil {
      throw ValidationError("--since takes 2026-03-01, 2026-03-01T12:00Z, or an age like 30m, 2h, 7d")
    }
    if let recording, Self.recording(recording) == nil {
      throw ValidationError("--recording takes a recording's counter, or its directory")
    }
  }

  func run() throws {
    try DockFailure.report {
      guard case .store = PathKind(store) else {
        throw DockFailure("\(store) is no store: a directory with `recordings` in it, and `device` beside that")
      }
      let trust = try self.trust.load()
      let docks = try self.trust.receipts.map { try DockFiles(path: $0) }
      let card = try Store(path: store, trust: trust, deviceLog: self.trust.deviceLog, docks: docks)
      guard let log = card.log else {
        throw DockFailure(
          "nobody says whose the device log is, or there is none: give --agency, or --device-key with the camera's public key"
        )
      }
      var wearer = try identity.map { identity in
        WearerNotes(
          identities: try AgeIdentity.parse(
            file: readSmallFile(path: identity == "-" ? "/dev/stdin" : identity, limit: AgeIdentity.fileByteLimit)),
          trust: trust, store: card)
      }
      try show(log, of: card, &wearer)
    }
  }

  private func show(_ log: DeviceLog, of store: Store, _ wearer: inout WearerNotes?) throws {
    let reader = AuditLogReader(
      log: log,
      selection: AuditLogReader.Selection(
        since: since.flatMap { PointInTime.milliseconds($0, now: Clocks.wallMilliseconds()) }, last: last,
        recording: recording.flatMap(Self.recording)),
      isLive: false)
    var count = 0
    let report = try reader.read(
      EvidenceDirectory(path: trust.deviceLog ?? "\(store.path)/device/log"),
      card: RecordingDirectories(path: "\(store.path)/recordings"), opensFootage: wearer != nil
    ) { digest, directory in
      guard let (notes, sealed) = wearer?.open(directory.name) else { return RecordingStory(digest) }
      return RecordingStory(digest, notes: notes, sealed: sealed)
    } emit: { entry in
      count += 1
      return standardOutput.offerLine(json ? AuditLine.json(entry) : AuditLine.text(entry))
    }
    ProgressLine.clear()
    for failure in report.unreadable { standardError.writeLine("lapel-dock: \(PlainText.printable("\(failure)"))") }
    let faults = reader.faults(report) + log.findings(seenBy: store.records)
    for finding in faults { standardError.writeLine("lapel-dock: \(PlainText.printable(finding.description))") }
    let code = max(faults.map(\.exitCode).max() ?? 0, wearer?.exitCode ?? 0)
    if let wearer, wearer.openedCount == 0, wearer.strangeCount > 0, code == 40 {
      throw DockFailure(
        "the identity fits no recording: they were sealed for the keys in \(EvidenceName.recipients) of their time",
        code: .wrongIdentity)
    }
    if code != 0 { throw ExitCode(code) }
    if count == 0, let recording { throw DockFailure("the log tells nothing of recording \(lastComponent(recording))") }
    if !report.unreadable.isEmpty { throw ExitCode(1) }
  }

  /// `7`, or a directory's name or path.
  private static func recording(_ text: String) -> TimelineEntry.Recording? {
    if let (counter, id) = EvidenceName.parseRecording(lastComponent(text)) {
      return TimelineEntry.Recording(counter: counter, id: id)
    }
    guard let counter = Int64(text), counter > 0 else { return nil }
    return TimelineEntry.Recording(counter: counter, id: nil)
  }
}

/// The recordings of a store.
private struct RecordingDirectories: EvidenceCard {
  let path: String

  func recordingNames() throws(ReadFailure) -> [String] {
    do throws(LinuxError) { return try listDirectory(path: path) } catch {
      throw ReadFailure(file: path, reason: error.description)
    }
  }

  func recording(_ name: String) throws(ReadFailure) -> EvidenceDirectory {
    do throws(LinuxError) { return try EvidenceDirectory(path: "\(path)/\(name)") } catch {
      throw ReadFailure(file: name, reason: error.description)
    }
  }
}
