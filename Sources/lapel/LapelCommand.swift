import ArgumentParser

/// The command on the camera.
@main
struct LapelCommand: ParsableCommand {
  /// Stated in every recording.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "lapel",
    abstract: "The recorder of a body camera: pre-event memory, triggers, sealed evidence.",
    discussion: """
      Examples:
        lapel demo                               see it work without any hardware
        lapel devices                            what this machine has, and a configuration for it
        lapel enroll --agency agency/public      make this camera's key, take the agency's notes
        lapel run --config /etc/lapel/lapel.toml the recorder itself
        lapel start; lapel mark; lapel stop      speak to the running recorder
        lapel log --last 20                      what happened on this camera

      Exit codes: 0 done, 1 failed, 64 wrong arguments, 69 a device is missing or does not offer what was asked,
      71 the system refused, 73 the card or store cannot be used, 75 refused now (nothing is being recorded, the card is
      full), 77 keys or notes are missing, 78 the configuration is wrong.
      """,
    version: version,
    subcommands: [
      DemoCommand.self, DevicesCommand.self, RunCommand.self, StartCommand.self, StopCommand.self, MarkCommand.self,
      MuteCommand.self,
      StealthCommand.self,
      CheckCommand.self, StatusCommand.self, LogCommand.self,
      EnrollCommand.self, ConfigCommand.self, BeaconCommand.self,
    ])
}
