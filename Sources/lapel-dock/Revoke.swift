import ArgumentParser
import Evidence
import Glibc
import LinuxIO

struct Revoke: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Takes back the trust in a camera that was stolen, or whose key was.",
    discussion: """
      From then on everything that the camera's key signed is REVOKED, but for what provably is older than the last line that
      you still trust: that of the camera's log as it was when the camera was last in good hands.

      Examples:
        lapel-dock revoke 5f0c… --keys agency --trusted-log docked/card-12/device/log
        lapel-dock revoke 5f0c… --keys agency --nothing     no recording of it is believed any more

      Hand the new agency/public to everyone who verifies: who has the old one cannot know.
      Exit codes: 0 done, 1 failed, 64 wrong arguments.
      """)

  @Argument(
    help: ArgumentHelp("The camera's device id, as enroll and verify print it.", valueName: "device"),
    transform: { text in
      guard let id = EvidenceID(hex: Substring(text)) else {
        throw ValidationError("\"\(text)\" is no device id: 32 lower-case hexadecimal digits")
      }
      return id
    })
  var device: EvidenceID

  @Option(help: ArgumentHelp("The directory that keygen made, with its secret part.", valueName: "dir"))
  var keys: String

  @Option(
    help: ArgumentHelp(
      "A copy of the camera's log directory (STORE/device/log) from before; up to its last line it stays trusted.",
      valueName: "dir"))
  var trustedLog: String?

  @Flag(help: "Nothing that it signed is trusted, however old it is.")
  var nothing = false

  func validate() throws {
    guard (trustedLog != nil) != nothing else {
      throw ValidationError("say up to where the camera is trusted: either --trusted-log or --nothing")
    }
  }

  func run() throws {
    try DockFailure.report { try revoke() }
  }

  private func revoke() throws {
    let agency = try AgencyDirectory.Public(path: "\(keys)/public")
    let signer = try SecretKeyText.signer(ofFile: "\(keys)/secret/\(AgencyDirectory.enrolKey)")
    let roles = try RolesNote(parsing: agency.roles, root: agency.root)
    guard let trust = try agency.trust(in: device, enrolment: nil) else {
      throw DockFailure("\(agency.path)/\(AgencyDirectory.enrolled) has no \(device).note: is the device id right?")
    }
    let last = try trustedLog.map { try head(of: $0, trust.device) }
    let version = (trust.revocation?.version ?? 0) + 1
    let note = try Revocation.make(
      version: version, issued: Clocks.wallMilliseconds(), isDemo: roles.isDemo, device: device, last: last,
      signer: signer)
    _ = try Revocation(parsing: note, roles: roles)

    let directory = "\(agency.path)/\(AgencyDirectory.revoked)"
    try Directory.make(path: directory, allowingExisting: true)
    let path = "\(directory)/\(device)-\(version)\(EvidenceName.noteSuffix)"
    guard access(path, F_OK) != 0 else {
      throw DockFailure("\(path) is there already, and is another camera's or of another version; move it away first")
    }
    try writeFileDurably(path: path, bytes: note.span.bytes, mode: 0o600)
    standardOutput.writeLine(
      """
      \(roles.isDemo ? "DEMO KEY: " : "")Revoked device \(device), version \(version).
        trusted     \(last.map { "up to line \($0.n) of its log" } ?? "nothing, however old it is")
        note        \(path)
      Hand \(agency.path) to everyone who verifies: who has the old one cannot know.
      """)
  }

  /// The last line of a copy of the camera's log.
  private func head(of path: String, _ device: DeviceIdentity) throws -> ChainHead {
    let log = try DeviceLog(files: EvidenceDirectory(path: path), device: device)
    for finding in log.findings {
      standardError.writeLine("lapel-dock: \(PlainText.printable(finding.description)): is it the copy that you trust?")
    }
    guard let head = log.head else {
      throw DockFailure(
        "\(path) holds no line that \(device.id) signed; give the camera's device/log directory, or --nothing")
    }
    guard log.isUnbroken else {
      throw DockFailure(
        "\(path) has holes: lines before its last one are missing, as when the camera wrote on another card in between. Nothing "
          + "on it could be proved to be older than a line behind the hole. Put the log files of all its cards together, or give "
          + "a copy that ends before the hole.")
    }
    return head
  }
}
