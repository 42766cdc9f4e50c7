import ArgumentParser
import Evidence
import LinuxIO

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verifies recordings; needs no secret.",
    discussion: """
      PATH is a recording's directory, or a store (a card: `device` and `recordings`). Of a store every recording is verified,
      and the device log says whether one is missing. The first line is the result in words; then integrity, end and
      completeness; then details.

      Examples:
        lapel-dock verify /media/card --agency agency/public
        lapel-dock verify 0000000007-5f0c… --agency agency/public
        lapel-dock verify 0000000007-5f0c… --agency agency/public --device-log /media/card/device/log
        lapel-dock verify /media/card --agency agency/public --receipts receipts   with deletions explained
        lapel-dock verify 0000000007-5f0c… --device-key uKq3…   without an agency, one camera trusted by hand

      Exit codes: 0 VERIFIED (nothing else). Nothing contradicts it, but less is proved: 10 VERIFIED_ALONE (completeness not
      checked), 11 SELF_CONSISTENT, 12 VERIFIED_WITH_GAPS, 13 VERIFIED_TO (interrupted), 14 UNSUPPORTED, 15
      TORN_DEVICE_LOG. Something is wrong: 20 TRUNCATED, 21 MISSING_SEGMENT, 22 MISSING_RECORDING, 23 ROLLBACK, 24
      EQUIVOCATION, 30 UNKNOWN_DEVICE, 31 REVOKED, 32 FOREIGN, 33 REORDERED, 34 COMMITMENT_MISMATCH, 35 ALTERED, 36
      UNSIGNED. Of several recordings the worst counts. 1: a file could not be read; 64: wrong arguments.
      """)

  @Argument(help: ArgumentHelp("Recordings or stores.", valueName: "path"))
  var paths: [String]

  @OptionGroup var trust: TrustOptions

  @Flag(help: "One JSON array on standard output instead of text.")
  var json = false

  func run() throws {
    try DockFailure.report {
      let trust = try self.trust.load()
      let docks = try self.trust.receipts.map { try DockFiles(path: $0) }
      var worst: Int32 = 0
      var results: [JSON] = []
      var isFirst = true
      for path in paths {
        for recording in try recordings(at: path, trust, docks) {
          let verdict = try verdict(of: recording)
          worst = max(worst, verdict.headline.exitCode)
          if json {
            results.append(verdict.json(path: recording.path))
          } else {
            standardOutput.writeLine((isFirst ? "" : "\n") + verdict.text(path: recording.path))
          }
          isFirst = false
        }
      }
      if json { standardOutput.writeLine(JSON.array(results).description) }
      if worst != 0 { throw ExitCode(worst) }
    }
  }

  private func verdict(of recording: RecordingOnDisk) throws -> Verdict {
    var progress = ProgressLine("verifying \(lastComponent(recording.path))")
    return try recording.verify { progress.update($0) }.verdict
  }

  private func recordings(at path: String, _ trust: Trust, _ docks: DockFiles?) throws -> [RecordingOnDisk] {
    switch PathKind(path) {
    case .store:
      let store = try Store(path: path, trust: trust, deviceLog: self.trust.deviceLog, docks: docks)
      for name in store.others {
        standardError.writeLine(
          "lapel-dock: \(PlainText.printable(name)) in \(path)/recordings is no recording's name; it was not looked at")
      }
      guard !store.recordings.isEmpty else { throw DockFailure("there is no recording in \(path)/recordings") }
      return try store.recordings.map {
        try RecordingOnDisk(path: "\(path)/recordings/\($0)", trust: trust, store: store)
      }
    case .recording, .otherDirectory:
      return [try RecordingOnDisk(path: path, trust: trust, deviceLog: self.trust.deviceLog, docks: docks)]
    case .file:
      throw DockFailure("\(path) is a file; give the recording's directory, with its \(EvidenceName.journal)")
    case .missing: throw DockFailure("\(path) does not exist, or may not be read")
    }
  }
}
