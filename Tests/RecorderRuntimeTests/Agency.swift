import Evidence
import EvidenceStore
import Opening

/// An agency that enrolled one camera, with keys made for the test.
struct Agency {
  let identity: AgeIdentity
  let trust: DeviceTrust
  let identityPath: String
  let storePath: String

  /// Enrols a camera whose card is `storePath` and whose keys lie in `scratch`.
  init(_ scratch: Scratch, storePath: String) throws {
    let root = try NoteSigner(name: "test-root", seed: randomBytes(32))
    let clerk = try NoteSigner(name: "test-clerk", seed: randomBytes(32))
    identity = try AgeIdentity()
    let roles = try RolesNote.make(
      version: 1, issued: 1, isDemo: false,
      grants: [
        .init(role: .enrol, key: clerk.key, notAfter: nil), .init(role: .recipients, key: clerk.key, notAfter: nil),
      ], root: root)
    let recipients = try RecipientsNote.make(
      version: 1, issued: 1, isDemo: false, recipients: RecipientList([identity.recipient]), signer: clerk)
    try scratch.write("agency/root.key", Array("\(root.key)\n".utf8))
    try scratch.write("agency/roles.note", roles)
    try scratch.write("agency/recipients.note", recipients)
    try scratch.write("agency/identity.txt", Array("\(identity.secretText)\n".utf8))
    identityPath = scratch.path("identity")
    self.storePath = storePath
    let device = try CameraIdentity.enroll(
      agencyPath: scratch.path("agency"), identityPath: identityPath, storePath: storePath, keyPlace: .internal,
      wallMilliseconds: 1)
    let enrolment = try EnrolNote.make(
      version: 1, issued: 1, isDemo: false, device: device, keyPlace: .internal, signer: clerk)
    trust = try DeviceTrust(root: root.key, roles: roles, enrolment: enrolment, recipients: recipients)
  }

  /// The same with its camera's card and keys at other places.
  func moved(card: String, identity: String) -> Agency {
    Agency(self, storePath: card, identityPath: identity)
  }

  private init(_ other: Agency, storePath: String, identityPath: String) {
    identity = other.identity
    trust = other.trust
    self.storePath = storePath
    self.identityPath = identityPath
  }

  func openStore() throws -> EvidenceStore {
    try EvidenceStore.open(
      path: storePath, identityPath: identityPath,
      parties: CameraIdentity.load(identityPath: identityPath, storePath: storePath),
      facts: ProcessFacts(
        camera: .synthetic, microphone: .synthetic, softwareVersion: "test", softwareHash: Hash32.sha256(of: [1]),
        configurationHash: Hash32.sha256(of: [2])), isLabStore: true, allowSwap: true)
  }
}
