import ArgumentParser
import Evidence
import Glibc
import LinuxIO
import Opening

struct Open: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decrypts a recording into one playable file, and says what was proved.",
    discussion: """
      Verifies first. Only ranges that are exactly what the camera's signed journal commits to go into the file, in their
      original bytes; what fails is left out and named. What follows the last signed checkpoint of an interrupted recording
      and still opens goes into a file of its own, NAME.unattested-0000.mp4. Nothing is ever overwritten.

      Examples:
        lapel-dock open CARD/recordings/0000000007-5f0c… --agency agency/public \\
          --identity agency/secret/identity.txt -o incident.mp4
        lapel-dock open 0000000007-5f0c… --device-key uKq3… --identity identity.txt -o incident.mp4 --json

      Exit codes: 0 opened, and nothing contradicts the recording (VERIFIED, VERIFIED_ALONE, SELF_CONSISTENT, …); 1 failed, 2 the
      identity fits no segment, 64 wrong arguments. Opened as far as it is attested, but something is wrong: the exit code of
      `lapel-dock verify` (20 to 36; 30 also when neither --agency nor --device-key was given), 34 when a range is not what was
      committed to, 40 when one could not be opened.
      """)

  @Argument(help: ArgumentHelp("The recording's directory.", valueName: "recording"))
  var recording: String

  @Option(
    help: ArgumentHelp("Age identity file, AGE-SECRET-KEY-1…; - reads it from standard input.", valueName: "file"))
  var identity: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to make.", valueName: "out.mp4"))
  var output: String?

  @OptionGroup var trust: TrustOptions

  @Flag(help: "One JSON object on standard output instead of text.")
  var json = false

  func run() throws {
    try DockFailure.report {
      guard let output else {
        throw DockFailure(
          "say where the footage is to go, for example: -o \(lastComponent(recording).prefix(10)).mp4", code: .usage)
      }
      guard access(output, F_OK) != 0 else {
        throw DockFailure("\(output) is there already and is never overwritten; give another name")
      }
      switch PathKind(recording) {
      case .recording: break
      case .store:
        throw DockFailure("\(recording) is a store; give one recording, a directory in \(recording)/recordings")
      case .missing: throw DockFailure("\(recording) does not exist, or may not be read")
      case .file, .otherDirectory:
        throw DockFailure("\(recording) is no recording: there is no \(EvidenceName.journal) in it")
      }
      let identities = try AgeIdentity.parse(
        file: readSmallFile(path: identity == "-" ? "/dev/stdin" : identity, limit: AgeIdentity.fileByteLimit))
      try open(identities, output)
    }
  }

  private func open(_ identities: [AgeIdentity], _ output: String) throws {
    let disk = try RecordingOnDisk(
      path: recording, trust: trust.load(), deviceLog: trust.deviceLog,
      docks: trust.receipts.map { try DockFiles(path: $0) })
    var (verdict, attested) = try verified(disk)
    guard let opening = verdict.opening else {
      throw DockFailure(
        "\(verdict.sentence)\n  Nothing is attested, so there is nothing to open with its proof. "
          + "`age -d -i IDENTITY SEGMENT` may still decrypt single segments.")
    }
    let plan = try RecordingPlan(recording: opening.id, attested: attested)
    var files = FootageFiles(path: output)
    let opened: OpenedRecording
    do {
      opened = try self.opened(plan, identities, disk.files, &files)
      try files.finish()
    } catch {
      files.discard()
      throw error
    }
    for finding in Self.findings(opened, plan) { verdict.add(finding) }

    let paths = opened.files.compactMap { files.paths[$0.file] }
    if json {
      standardOutput.writeLine(opened.json(verdict: verdict, path: recording, paths: paths).description)
    } else {
      standardOutput.writeLine(opened.text(verdict: verdict, paths: paths))
    }
    let code = Self.exitCode(verdict, opened)
    if code != 0 {
      standardError.writeLine(
        "lapel-dock: WARNING: this recording is NOT as the camera signed it, or it cannot be shown that it is; see above"
      )
      throw ExitCode(code)
    }
  }

  private func verified(_ disk: RecordingOnDisk) throws -> (verdict: Verdict, attested: [Attested]) {
    var progress = ProgressLine("verifying")
    return try disk.verify { progress.update($0) }
  }

  private func opened(
    _ plan: RecordingPlan, _ identities: [AgeIdentity], _ evidence: EvidenceDirectory, _ files: inout FootageFiles
  ) throws -> OpenedRecording {
    var progress = ProgressLine("opening")
    return try RecordingOpener(plan: plan, identities: identities)
      .open(evidence, into: &files) { progress.update($0) }
  }

  /// What only the one who decrypts can see: ciphertext as signed, plaintext not as committed to.
  static func findings(_ opened: OpenedRecording, _ plan: RecordingPlan) -> [Finding] {
    opened.problems.compactMap { problem in
      let segment = plan.segments.first { $0.number == problem.segment }
      let range = segment?.ranges.first { $0.chunks == problem.chunks }
      guard problem.error.code == .commitment || (problem.error.code == .payload && range?.isIntact ?? false) else {
        return nil
      }
      return Finding(
        .integrity(.commitmentMismatch), file: segment?.fileName, line: range?.line, problem.error.description)
    }
  }

  static func exitCode(_ verdict: Verdict, _ opened: OpenedRecording) -> Int32 {
    if verdict.headline.exitCode >= 20 { return verdict.headline.exitCode }
    return opened.isWhole ? 0 : 40
  }
}
