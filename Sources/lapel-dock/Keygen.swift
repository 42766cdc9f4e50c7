import ArgumentParser
import Evidence
import Glibc
import LinuxIO
import Opening

struct Keygen: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes all keys of an agency in one step.",
    discussion: """
      DIR/public goes to cameras and to whoever verifies; DIR/secret is to be locked away, as the command then says.
      Nothing is ever overwritten.

      Examples:
        lapel-dock keygen agency
        lapel-dock keygen agency --name springfield-pd
        lapel-dock keygen agency --recipient age1qyq… --recipient age1lw8…   footage for existing identities
        lapel-dock keygen agency --post-quantum                              footage that quantum computers cannot open
        lapel-dock keygen demo --demo                                        marked DEMO KEY in every verification

      Exit codes: 0 done, 1 failed (nothing usable was made), 64 wrong arguments.
      """)

  @Argument(help: ArgumentHelp("Directory to make; it must not exist, or be empty.", valueName: "dir"))
  var directory: String

  @Flag(help: "Mark the keys as a demonstration's: never for real evidence.")
  var demo = false

  @Flag(
    help: ArgumentHelp(
      "Make a post-quantum identity (ML-KEM-768 with X25519).",
      discussion: "Footage that is kept for long stays closed also to whoever copies it now and has a quantum computer "
        + "later. Stock age opens it from version 1.3 on. All recipients of an agency are of one type."))
  var postQuantum = false

  @Option(help: ArgumentHelp("Name of the agency in its keys: no spaces, no +.", valueName: "name"))
  var name = "agency"

  @Option(
    help: ArgumentHelp(
      "Encrypt footage to this age recipient (may be repeated); then no identity is made.", valueName: "age1…"))
  var recipient: [String] = []

  func validate() throws {
    guard recipient.isEmpty || !postQuantum else {
      throw ValidationError(
        "--post-quantum makes an identity, and --recipient names one you have: give only one of them")
    }
  }

  func run() throws {
    try DockFailure.report { try make() }
  }

  private func make() throws {
    let issued = Clocks.wallMilliseconds()
    let root = try signer("root")
    let enrol = try signer("enrol")
    let receipt = try signer("receipt")
    let identity = recipient.isEmpty ? try AgeIdentity(kind: postQuantum ? .mlkem768x25519 : .x25519) : nil
    let recipients = try RecipientList(identity.map { [$0.recipient] } ?? recipient.map { try Recipient($0) })
    let roles = try RolesNote.make(
      version: 1, issued: issued, isDemo: demo,
      grants: [
        .init(role: .enrol, key: enrol.signer.key, notAfter: nil),
        .init(role: .recipients, key: enrol.signer.key, notAfter: nil),
        .init(role: .receipt, key: receipt.signer.key, notAfter: nil),
      ], root: root.signer)
    let recipientsNote = try RecipientsNote.make(
      version: 1, issued: issued, isDemo: demo, recipients: recipients, signer: enrol.signer)
    // A camera will read them: refuse now what it would refuse later.
    _ = try RecipientsNote(parsing: recipientsNote, roles: RolesNote(parsing: roles, root: root.signer.key))

    let path = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    try Directory.make(path: path, mode: 0o700, allowingExisting: true)
    guard try Directory(path: path).names().isEmpty else {
      throw DockFailure("\(path) is not empty; keys are never overwritten: give another directory")
    }
    for part in ["public", "public/\(AgencyDirectory.enrolled)", "secret"] {
      try Directory.make(path: "\(path)/\(part)")
    }
    try write("\(path)/public/\(AgencyDirectory.rootKey)", "\(root.signer.key)\n")
    try write("\(path)/public/\(EvidenceName.roles)", roles)
    try write("\(path)/public/\(EvidenceName.recipients)", recipientsNote)
    for (file, key) in [
      (AgencyDirectory.rootKey, root), (AgencyDirectory.enrolKey, enrol), (AgencyDirectory.receiptKey, receipt),
    ] { try write("\(path)/secret/\(file)", "\(key.text)\n") }
    if let identity {
      let created = PlainText.utc(milliseconds: issued)
      try write(
        "\(path)/secret/\(AgencyDirectory.identity)",
        "# created: \(created)\n# public key: \(identity.recipient)\n\(identity.secretText)\n")
    }
    explain(path, root.signer.key, recipients, hasIdentity: identity != nil)
  }

  private func signer(_ use: String) throws -> (signer: NoteSigner, text: String) {
    let seed = try Randomness.bytes(32)
    let name = "\(name)-\(use)"
    return (try NoteSigner(name: name, seed: seed), try SecretKeyText.make(name: name, seed: seed))
  }

  private func write(_ path: String, _ text: String) throws { try write(path, Array(text.utf8)) }

  private func write(_ path: String, _ bytes: [UInt8]) throws {
    try writeFileDurably(path: path, bytes: bytes.span.bytes, mode: 0o600)
  }

  private func explain(_ path: String, _ root: VerifierKey, _ recipients: RecipientList, hasIdentity: Bool) {
    let identity =
      hasIdentity
      ? """
          identity.txt  opens all footage. Keep it with whoever may see footage, and a copy in a safe: without it nothing
                        can ever be opened. Stock age\(postQuantum ? " (1.3 or newer)" : "") reads it too: age -d -i identity.txt SEGMENT
      """
      : """
          (no identity) footage is encrypted to the \(PlainText.count(recipients.recipients.count, "recipient")) you named; keep their identities:
                        without one of them nothing can ever be opened
      """
    standardOutput.writeLine(
      """
      \(demo ? "DEMO KEYS: for trying things out only; every verification will say DEMO KEY.\n" : "")\
      Made the keys of \(name) in \(path).

      \(path)/public: give it to cameras and to everyone who verifies. Nothing in it is secret, but it must arrive unchanged:
          root.key       the key that everything else is trusted by; compare it when you hand it over:
                         \(root)
          roles.note, recipients.note, enrolled/

      \(path)/secret: move it off this machine now.
          root.key      signs roles.note only. Lock it away offline (a safe, two people); it is needed once in years
          enrol.key     enrols cameras and names recipients. On the machine that enrols, nowhere else
          receipt.key   signs receipts. On the docks
      \(identity)

      Next: lapel enroll … on the camera, then lapel-dock enroll REQUEST --keys \(path)
      """)
  }
}
