import Evidence
import EvidenceStore
import LinuxIO
import RecorderRuntime

/// A camera with keys made for one measurement. Its recipient's secret is nobody's: the public key is 32 random bytes.
struct EnrolledCamera {
  let storePath: String
  let identityPath: String
  private let parties: RecordingParties
  private let facts = ProcessFacts(
    camera: .synthetic, microphone: .synthetic, softwareVersion: "benchmark", softwareHash: Hash32.sha256(of: [1]),
    configurationHash: Hash32.sha256(of: [2]))

  /// - Parameters:
  ///   - directory: takes the agency's notes, and the camera's keys and counters; must exist.
  ///   - storePath: the card; its parent must exist.
  init(directory: String, storePath: String) throws {
    self.storePath = storePath
    identityPath = "\(directory)/identity"
    let root = try NoteSigner(name: "benchmark-root", seed: Randomness.bytes(32))
    let clerk = try NoteSigner(name: "benchmark-clerk", seed: Randomness.bytes(32))
    var coordinate = try Randomness.bytes(32)
    // Below 2^254 it is canonical; every such coordinate is a point of the curve or of its twist.
    coordinate[31] &= 0x3F
    let agency = "\(directory)/agency"
    try Directory.make(path: agency)
    let roles = try RolesNote.make(
      version: 1, issued: 1, isDemo: true,
      grants: [
        .init(role: .enrol, key: clerk.key, notAfter: nil), .init(role: .recipients, key: clerk.key, notAfter: nil),
      ], root: root)
    let recipients = try RecipientsNote.make(
      version: 1, issued: 1, isDemo: true, recipients: RecipientList([Recipient(publicKey: coordinate)]), signer: clerk)
    for (name, bytes) in [
      ("root.key", Array("\(root.key)\n".utf8)), ("roles.note", roles), ("recipients.note", recipients),
    ] { try writeFileDurably(path: "\(agency)/\(name)", bytes: bytes.span.bytes) }
    _ = try CameraIdentity.enroll(
      agencyPath: agency, identityPath: identityPath, storePath: storePath, keyPlace: .internal, wallMilliseconds: 1)
    parties = try CameraIdentity.load(identityPath: identityPath, storePath: storePath)
  }

  /// What the store thread needs to open the store.
  var opening: StoreOpening {
    StoreOpening(
      path: storePath, identityPath: identityPath, parties: parties, facts: facts, isLabStore: true, allowSwap: true)
  }

  /// The store, opened on this thread.
  func openStore() throws(StoreError) -> EvidenceStore {
    try EvidenceStore.open(
      path: storePath, identityPath: identityPath, parties: parties, facts: facts, isLabStore: true, allowSwap: true)
  }
}
