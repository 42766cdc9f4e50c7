import ArgumentParser
import Configuration
import Evidence
import EvidenceStore
import Glibc
import LinuxIO
import RecorderRuntime

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "The recorder: captures, keeps the pre-event, records on a trigger.",
    discussion: """
      On a terminal it keeps a status line; otherwise it writes plain log lines. Ctrl-C or SIGTERM closes an open
      recording and ends it; SIGPWR says that the power fails, and the footage is made durable at once. Log lines and
      status go to stderr.

      Examples:
        lapel run --config config/lapel.toml
        lapel run --set camera.source=v4l2 --set camera.device=/dev/video0 --set microphone.source=none
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    try CommandFailure.report {
      let loaded = try options.load()
      let values = loaded.values
      do {
        try Recorder.protectMemory(allowsSwap: values.memory.allowsSwap)
        let startupText = StartupText()
        let parties = try CameraIdentity.load(identityPath: values.identity.path, storePath: values.store.path)
        if parties.isDemo {
          standardError.writeLine(
            "lapel: DEMO KEY: everybody can open what is recorded now. Never use it in the field.")
        }
        let recorder = try Recorder(
          configuration: values, parties: parties, softwareVersion: LapelCommand.version,
          softwareHash: try Self.softwareHash(),
          configurationHash: Hash32.sha256(of: Array(values.canonicalText.utf8)), startupText: startupText)
        try recorder.run(service: .ofThisProcess())
      } catch let error as StoreError {
        throw CommandFailure("\(error)", exitCode: RecorderError(error).exitCode)
      } catch let error as RecorderError {
        throw CommandFailure("\(error)", exitCode: error.exitCode)
      }
    }
  }

  /// Of the running program, so that every recording names the software that made it.
  private static func softwareHash() throws -> Hash32 {
    let file = try FileDescriptor.open(path: "/proc/self/exe", flags: O_RDONLY)
    return try Hash32.sha256 { piece throws(LinuxError) in try file.read(into: piece) }
  }
}
