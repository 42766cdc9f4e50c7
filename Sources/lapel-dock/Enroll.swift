import ArgumentParser
import Evidence
import Glibc
import LinuxIO

struct Enroll: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Signs a camera's request to be enrolled.",
    discussion: """
      REQUEST is what `lapel enroll` made on the camera. Compare the device id that this prints with the one on the camera
      before you hand the result over: a request that came another way may be someone else's.

      Examples:
        lapel-dock enroll request.note --keys agency
        lapel-dock enroll request.note --keys agency --place removable -o CARD/device/enrol.note

      Exit codes: 0 done, 1 failed, 64 wrong arguments.
      """)

  @Argument(help: ArgumentHelp("The camera's request.", valueName: "request"))
  var request: String

  @Option(help: ArgumentHelp("The directory that keygen made, with its secret part.", valueName: "dir"))
  var keys: String

  @Option(
    help: "Where the device key lives, if the request says it wrong: removable, internal, tpm, element.",
    transform: { text in
      guard let place = EnrolNote.KeyPlace(rawValue: text) else {
        throw ValidationError(
          "it must be one of \(EnrolNote.KeyPlace.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return place
    })
  var place: EnrolNote.KeyPlace?

  @Option(name: .shortAndLong, help: ArgumentHelp("Also write the note here; never overwrites.", valueName: "file"))
  var output: String?

  func run() throws {
    try DockFailure.report { try enroll() }
  }

  private func enroll() throws {
    let request = try EnrolRequest(parsing: readSmallFile(path: self.request, limit: Note.byteLimit))
    let agency = try AgencyDirectory.Public(path: "\(keys)/public")
    let signer = try SecretKeyText.signer(ofFile: "\(keys)/secret/\(AgencyDirectory.enrolKey)")
    let roles = try RolesNote(parsing: agency.roles, root: agency.root)
    let place = place ?? request.keyPlace

    let path = "\(agency.path)/\(AgencyDirectory.enrolled)/\(request.device.id).note"
    try Directory.make(path: "\(agency.path)/\(AgencyDirectory.enrolled)", allowingExisting: true)
    var version: Int64 = 1
    if access(path, F_OK) == 0 {
      // A camera keeps the highest version it has seen: a renewed note must rise.
      version = try EnrolNote(parsing: readSmallFile(path: path, limit: Note.byteLimit), roles: roles).version + 1
    }
    let note = try EnrolNote.make(
      version: version, issued: Clocks.wallMilliseconds(), isDemo: roles.isDemo, device: request.device,
      keyPlace: place, signer: signer)
    _ = try EnrolNote(parsing: note, roles: roles)
    if let output {
      let file = try FileDescriptor.open(path: output, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
      try file.write(note.span.bytes)
      try file.sync()
    }
    try writeFileDurably(path: path, bytes: note.span.bytes, mode: 0o600)
    standardOutput.writeLine(
      """
      \(roles.isDemo ? "DEMO KEY: " : "")Enrolled device \(request.device.id), version \(version).
        requested   \(PlainText.utc(milliseconds: request.issued)) by the camera's clock
        device key  \(request.device.publicKey), \(Self.words(place))
        note        \(path)\(output.map { "\n        copy        \($0)" } ?? "")
      Compare the device id with the one that the camera shows, then put the note into the camera as \(EvidenceName.enrolment).
      """)
    if place == .removable {
      standardError.writeLine(
        "lapel-dock: the device key is on storage that can be taken out: recordings will never be more than SELF_CONSISTENT"
      )
    }
  }

  private static func words(_ place: EnrolNote.KeyPlace) -> String {
    switch place {
    case .removable: "on removable storage"
    case .internal: "on the camera's own storage"
    case .tpm: "in a TPM"
    case .secureElement: "in a secure element"
    }
  }
}
