import Evidence
import Glibc
import LinuxIO
import Testing

@testable import EvidenceStore

@Suite("CameraIdentity")
struct CameraIdentityTests {
  @Test("enrolment leaves a key that nobody else can read, and what it loads is what was enrolled")
  func enrolment() throws {
    let camera = try TestCamera(isEnrolled: false)
    let device = try camera.enroll()
    let parties = try camera.load()
    #expect(parties.device.identity == device)
    #expect(parties.recipientsNote.version == 5 && parties.rolesNote.version == 3 && !parties.isDemo)
    for name in ["device.key", "hedge.key"] {
      let status = try Directory(path: camera.identityPath).status(of: name)
      #expect(status?.mode == 0o600)
    }
    #expect(try Directory(path: camera.path).status(of: "identity")?.mode == 0o700)
    // No byte of the secrets is on the card.
    let names = try camera.names("card/device")
    #expect(names == ["recipients.note", "roles.note"])
  }

  @Test("a camera that has a key is not enrolled again over it")
  func twice() throws {
    let camera = try TestCamera()
    let before = try camera.read("identity/device.key")
    let error = failure { () throws(StoreError) in _ = try camera.enroll() }
    #expect(error?.kind == .identity)
    #expect(try camera.read("identity/device.key") == before)
  }

  @Test("notes that the agency did not sign enrol nothing and leave nothing behind", arguments: ["roles", "recipients"])
  func foreignNotes(_ kind: String) throws {
    let camera = try TestCamera(isEnrolled: false)
    let other = try NoteSigner(name: "root", seed: Randomness.bytes(32))
    let note = kind == "roles" ? try camera.roles(version: 9, root: other) : try camera.recipients(version: 9, signer: other)
    try camera.write("agency/\(kind).note", note)
    let error = failure { () throws(StoreError) in _ = try camera.enroll() }
    #expect(error?.kind == .identity)
    #expect(access(camera.identityPath, F_OK) != 0 && access(camera.storePath, F_OK) != 0)
  }

  @Test("without a key the error says how to get one")
  func notEnrolled() throws {
    let camera = try TestCamera(isEnrolled: false)
    let error = failure { () throws(StoreError) in _ = try camera.load() }
    #expect(error?.kind == .identity)
    #expect(error?.description.contains("lapel enroll --agency") == true)
  }

  @Test("a note older than one that was seen is refused, also after a newer one came and went")
  func oldNotes() throws {
    let camera = try TestCamera()
    _ = try camera.load()
    try camera.write("card/device/recipients.note", camera.recipients(version: 8))
    #expect(try camera.load().recipientsNote.version == 8)
    try camera.write("card/device/recipients.note", camera.recipients(version: 7))
    var error = failure { () throws(StoreError) in _ = try camera.load() }
    #expect(error?.kind == .identity && error?.description.contains("7 < 8") == true)
    try camera.write("card/device/recipients.note", camera.recipients(version: 8))
    _ = try camera.load()
    try camera.write("card/device/roles.note", camera.roles(version: 2))
    error = failure { () throws(StoreError) in _ = try camera.load() }
    #expect(error?.kind == .identity)
  }

  @Test("another agency's notes on the card are refused")
  func otherAgency() throws {
    let camera = try TestCamera()
    let other = try TestCamera()
    for name in ["roles.note", "recipients.note"] {
      let own = try camera.read("card/device/\(name)")
      try camera.write("card/device/\(name)", try other.read("card/device/\(name)"))
      let error = failure { () throws(StoreError) in _ = try camera.load() }
      #expect(error?.kind == .identity, "\(name)")
      try camera.write("card/device/\(name)", own)
    }
    _ = try camera.load()
  }

  @Test("a damaged key or a damaged memory of note versions stops the start")
  func damage() throws {
    for (name, bytes) in [
      ("device.key", "short\n"), ("device.key", ""), ("hedge.key", "====\n"), ("versions", "3\n"), ("versions", ""),
    ] {
      let camera = try TestCamera()
      _ = try camera.load()
      try camera.write("identity/\(name)", Array(bytes.utf8))
      let error = failure { () throws(StoreError) in _ = try camera.load() }
      #expect(error?.kind == .identity, "\(name): \(bytes)")
    }
  }

  @Test("only the enrolment of this very camera is installed")
  func install() throws {
    let camera = try TestCamera()
    let device = try camera.load().device.identity
    try camera.write("enrol.note", try camera.enrolment(device))
    let installed = try CameraIdentity.install(
      enrolmentPath: "\(camera.path)/enrol.note", identityPath: camera.identityPath, storePath: camera.storePath)
    #expect(installed == device)
    #expect(try camera.read("card/device/enrol.note") == camera.read("enrol.note"))
    let stranger = try DeviceSigner(seed: Randomness.bytes(32)).identity
    try camera.write("enrol.note", try camera.enrolment(stranger))
    let error = failure { () throws(StoreError) in
      _ = try CameraIdentity.install(
        enrolmentPath: "\(camera.path)/enrol.note", identityPath: camera.identityPath, storePath: camera.storePath)
    }
    #expect(error?.kind == .identity)
  }
}
