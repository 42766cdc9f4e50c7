import ArgumentParser

/// The command at the dock and on a desk: keys, enrolment, verification, opening.
@main
struct LapelDock: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lapel-dock",
    abstract: "Makes an agency's keys; enrols cameras; verifies, opens and repairs their recordings.",
    discussion: """
      A typical order:
        lapel-dock keygen agency                     once; lock agency/secret away
        lapel-dock enroll request.note --keys agency for each camera
        lapel-dock verify CARD --agency agency/public
        lapel-dock open CARD/recordings/NAME --agency agency/public \\
          --identity agency/secret/identity.txt -o incident.mp4
      """,
    subcommands: [
      Keygen.self, Enroll.self, Revoke.self, Verify.self, Account.self, Log.self, Open.self, Repair.self, AVSync.self,
    ])
}
