import Testing

@testable import Evidence

@Suite("Revoked device keys")
struct RevocationTests {
  /// Two recordings; the key is revoked behind the first one's CLOSED.
  private struct Revoked {
    let agency: Agency
    let camera: TestCamera
    let before: TestRecording
    let last: ChainHead
    let receipt: [UInt8]
    let after: TestRecording

    init() throws {
      agency = try Agency()
      camera = try TestCamera(agency)
      before = try camera.record()
      last = try camera.logHead
      receipt = try agency.receipt(for: before, log: camera.deviceLog())
      after = try camera.record(RecordingPlan(counter: 2))
    }

    func trust(_ last: ChainHead?, version: Int64 = 1, and others: [[UInt8]] = []) throws -> DeviceTrust {
      let note = try Revocation.make(
        version: version, issued: Agency.issued, isDemo: false, device: agency.device.identity.id, last: last,
        signer: agency.clerk)
      return try DeviceTrust(
        root: agency.root.key, roles: agency.roles, enrolment: agency.enrolment, recipients: agency.recipientsNote,
        revocations: [note] + others)
    }
  }

  @Test("A recording behind the last trusted line is REVOKED; an earlier one stays as it is")
  func behind() throws {
    let revoked = try Revoked()
    let trust = try revoked.trust(revoked.last)
    let log = try revoked.camera.deviceLog()
    #expect(try revoked.before.verify(trust, log: log).headline == .verified)
    #expect(try revoked.after.verify(trust, log: log).headline == .integrity(.revoked))
    // OPENED is one line behind what OPEN names: a line of trust that ends there does not cover it.
    let opened = try revoked.trust(ChainHead(n: 0, hash: #require(log.hash(of: 0))))
    #expect(try revoked.before.verify(opened, log: log).headline == .integrity(.revoked))
    #expect(try revoked.before.verify(revoked.trust(nil), log: log).headline == .integrity(.revoked))
  }

  @Test("Without the log or a receipt nothing shows that a recording is older: whoever has the key can name any line")
  func withoutLog() throws {
    let revoked = try Revoked()
    let trust = try revoked.trust(revoked.last)
    #expect(try revoked.before.verify(trust).headline == .integrity(.revoked))
    var records = DockRecords()
    records.add(receipt: revoked.receipt, roles: try revoked.agency.rolesNote)
    #expect(try revoked.before.verify(trust, records: records).headline == .verifiedAlone)
    #expect(try revoked.after.verify(trust, records: records).headline == .integrity(.revoked))
  }

  @Test("A recording that a thief dates back into the trusted part, with a log made for it, is REVOKED")
  func backdated() throws {
    let revoked = try Revoked()
    let trust = try revoked.trust(revoked.last)
    // The same first lines, and another recording under the first one's number.
    let thief = try TestCamera(revoked.agency)
    let forged = try thief.record()
    #expect(try forged.verify(revoked.agency.trust, log: thief.deviceLog()).headline == .verified)
    #expect(try forged.verify(trust, log: thief.deviceLog()).headline == .integrity(.revoked))
    #expect(try forged.verify(trust, log: revoked.camera.deviceLog()).headline == .integrity(.revoked))
    // A log with a hole in it, behind which the genuine lines follow.
    var files = MemoryFiles()
    files.contents["0000000001.log"] = thief.logBytes + Array("LAPEL1 XNONE n=9\n".utf8) + thief.logBytes
    files.contents["0000000002.log"] = revoked.camera.logBytes
    let mixed = try DeviceLog(files: files, device: revoked.agency.device.identity)
    #expect(try forged.verify(trust, log: mixed).integrity >= .revoked)
  }

  @Test("Of several revocations the highest version counts, of two under one version the one that trusts less")
  func versions() throws {
    let revoked = try Revoked()
    let agency = revoked.agency
    func note(_ version: Int64, _ last: ChainHead?, device: EvidenceID? = nil) throws -> [UInt8] {
      try Revocation.make(
        version: version, issued: 1, isDemo: false, device: device ?? agency.device.identity.id, last: last,
        signer: agency.clerk)
    }
    #expect(try revoked.trust(revoked.last, version: 2, and: [note(1, nil)]).revocation?.last == revoked.last)
    #expect(try revoked.trust(revoked.last, version: 1, and: [note(2, nil)]).revocation?.last == nil)
    #expect(try revoked.trust(revoked.last, version: 1, and: [note(1, nil)]).revocation?.last == nil)
    #expect(try revoked.trust(nil, version: 1, and: [note(1, revoked.last)]).revocation?.last == nil)
    let other = try #require(EvidenceID([UInt8](repeating: 1, count: 16)))
    #expect(try revoked.trust(revoked.last, version: 1, and: [note(9, nil, device: other)]).revocation?.version == 1)
  }

  @Test("A revocation that is malformed, or signed by a key that may not enrol, is refused")
  func malformed() throws {
    let revoked = try Revoked()
    let agency = revoked.agency
    let roles = try agency.rolesNote
    let device = agency.device.identity.id
    let good = ["lapel/revoke v1", "version 1", "issued 1", "device \(device)", "last 3 \(revoked.last.hash)"]
    _ = try Revocation(parsing: agency.clerk.sign(good), roles: roles)
    for signer in [agency.dock, try NoteSigner(name: "agency-clerk", seed: randomBytes(32))] {
      #expect(throws: EvidenceError.self) { try Revocation(parsing: signer.sign(good), roles: roles) }
    }
    for (index, line) in [
      (0, "lapel/enrol v1"), (3, "device x"), (4, "last"), (4, "last 3"), (4, "last 03 \(revoked.last.hash)"),
      (4, "last 3 -"), (4, "first 3 \(revoked.last.hash)"),
    ] {
      var lines = good
      lines[index] = line
      #expect(throws: EvidenceError.self, "\(line)") { try Revocation(parsing: agency.clerk.sign(lines), roles: roles) }
    }
  }
}
