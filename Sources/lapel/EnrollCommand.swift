import ArgumentParser
import Configuration
import Evidence
import EvidenceStore
import LinuxIO

struct EnrollCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enroll",
    abstract: "Makes this camera's key and takes the agency's notes; then the agency's signature.",
    discussion: """
      First with --agency: makes the device key in identity.path, pins the agency's root key and writes a request. The
      agency signs it with `lapel-dock enroll`; bring the signed note back with --note.

      Examples:
        lapel enroll --agency agency/public
        lapel-dock enroll /var/lib/lapel/identity/request.note --keys agency -o enrol.note
        lapel enroll --note enrol.note
      """)

  @OptionGroup var options: ConfigurationOptions

  @Option(help: ArgumentHelp("The agency's public directory, made by `lapel-dock keygen`.", valueName: "dir"))
  var agency: String?

  @Option(help: ArgumentHelp("The enrolment that the agency signed.", valueName: "file"))
  var note: String?

  @Flag(help: "identity.path is on storage that can be taken out; every verification will say so.")
  var removable = false

  func validate() throws {
    guard (agency == nil) != (note == nil) else {
      throw ValidationError("give either --agency DIR, to begin, or --note FILE, to finish")
    }
  }

  func run() throws {
    try CommandFailure.report {
      let values = try options.load().values
      do {
        if let agency {
          let device = try CameraIdentity.enroll(
            agencyPath: agency, identityPath: values.identity.path, storePath: values.store.path,
            keyPlace: removable ? .removable : .internal, wallMilliseconds: Clocks.wallMilliseconds())
          standardOutput.writeLine(
            """
            This camera is device \(device.id).
            Its key is in \(values.identity.path). Have the agency sign the request:
              lapel-dock enroll \(values.identity.path)/request.note --keys AGENCY -o enrol.note
            """)
        } else if let note {
          let device = try CameraIdentity.install(
            enrolmentPath: note, identityPath: values.identity.path, storePath: values.store.path)
          standardOutput.writeLine("Enrolled: device \(device.id).")
        }
      } catch let error as StoreError {
        throw CommandFailure("\(error)", exitCode: 77)
      }
    }
  }
}
