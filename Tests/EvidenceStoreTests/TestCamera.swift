import Evidence
import Glibc
import LinuxIO
import Testing

@testable import EvidenceStore

/// An agency and one camera's card and internal storage, in a directory that goes away with the value.
final class TestCamera {
  let root: NoteSigner
  let clerk: NoteSigner
  /// Signs receipts.
  let dock: NoteSigner
  let path: String
  private let recipient: Recipient

  var agencyPath: String { "\(path)/agency" }
  var storePath: String { "\(path)/card" }
  var identityPath: String { "\(path)/identity" }

  /// - Parameter isEnrolled: false: only the agency's notes are there.
  init(isEnrolled: Bool = true) throws {
    var template = Array("/tmp/lapel-store-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = template.withUnsafeBufferPointer { buffer in
      String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    root = try NoteSigner(name: "root", seed: Randomness.bytes(32))
    clerk = try NoteSigner(name: "clerk", seed: Randomness.bytes(32))
    dock = try NoteSigner(name: "dock", seed: Randomness.bytes(32))
    // Whose secret nobody has: nothing is opened here.
    recipient = try Recipient(publicKey: [9] + [UInt8](repeating: 0, count: 31))
    try Directory.make(path: agencyPath)
    try write("agency/root.key", Array("# pinned\n\(root.key)\n".utf8))
    try write("agency/roles.note", roles(version: 3))
    try write("agency/recipients.note", recipients(version: 5))
    if isEnrolled { _ = try enroll() }
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    for name in (try? listDirectory(path: path)) ?? [] {
      let child = "\(path)/\(name)"
      if unlink(child) != 0 { remove(child) }
    }
    rmdir(path)
  }

  func roles(version: Int64, root: NoteSigner? = nil) throws -> [UInt8] {
    try RolesNote.make(
      version: version, issued: 1, isDemo: false,
      grants: [
        .init(role: .enrol, key: clerk.key, notAfter: nil), .init(role: .recipients, key: clerk.key, notAfter: nil),
        .init(role: .receipt, key: dock.key, notAfter: nil),
      ], root: root ?? self.root)
  }

  func recipients(version: Int64, signer: NoteSigner? = nil) throws -> [UInt8] {
    try RecipientsNote.make(
      version: version, issued: 1, isDemo: false, recipients: RecipientList([recipient]), signer: signer ?? clerk)
  }

  func enrolment(_ device: DeviceIdentity) throws -> [UInt8] {
    try EnrolNote.make(
      version: 1, issued: 1, isDemo: false, device: device, keyPlace: .internal, signer: clerk)
  }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    try writeFileDurably(path: "\(path)/\(name)", bytes: bytes.span.bytes, mode: 0o600)
  }

  func read(_ name: String) throws -> [UInt8] { try readSmallFile(path: "\(path)/\(name)", limit: 1 << 24) }
  func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }
  func names(_ name: String) throws -> [String] { try listDirectory(path: "\(path)/\(name)").sorted() }

  func enroll() throws(StoreError) -> DeviceIdentity {
    try CameraIdentity.enroll(
      agencyPath: agencyPath, identityPath: identityPath, storePath: storePath, keyPlace: .internal, wallMilliseconds: 1
    )
  }

  func load() throws(StoreError) -> RecordingParties {
    try CameraIdentity.load(identityPath: identityPath, storePath: storePath)
  }

  func open(isLabStore: Bool = true) throws(StoreError) -> EvidenceStore {
    try EvidenceStore.open(
      path: storePath, identityPath: identityPath, parties: load(),
      facts: ProcessFacts(
        camera: .synthetic, microphone: .none, softwareVersion: "test", softwareHash: Hash32.sha256(of: [1]),
        configurationHash: Hash32.sha256(of: [2])), isLabStore: isLabStore, allowSwap: true)
  }

  /// The device log as a verifier reads it, without a finding.
  func deviceLog() throws -> DeviceLog {
    let log = try DeviceLog(files: CardFiles(path: "\(storePath)/device/log"), device: load().device.identity)
    #expect(log.findings.isEmpty, "\(log.findings)")
    return log
  }

  /// What a dock says of a recording, with the device log at hand, which has no finding of its own.
  func verify(_ name: String) throws -> Verdict {
    _ = try deviceLog()
    return try verifyAnyLog(name)
  }

  var rolesNote: RolesNote {
    get throws { try RolesNote(parsing: read("card/device/roles.note"), root: root.key) }
  }

  /// What a dock signs for a recording as it lies on the card.
  func receipt(for name: String, isAcknowledged: Bool = false) throws -> [UInt8] {
    try Receipt.make(
      version: 1, issued: 1, isDemo: false, verdict: verify(name),
      files: Receipt.files(of: CardFiles(path: "\(storePath)/recordings/\(name)")), log: deviceLog().receiptHead,
      isAcknowledged: isAcknowledged, roles: rolesNote, signer: dock)
  }

  func verifyAnyLog(_ name: String, receipts: [[UInt8]] = []) throws -> Verdict {
    let device = try load().device.identity
    let trust = try DeviceTrust(
      root: root.key, roles: read("card/device/roles.note"), enrolment: enrolment(device),
      recipients: read("card/device/recipients.note"))
    var records = DockRecords()
    for receipt in receipts { records.add(receipt: receipt, roles: try rolesNote) }
    return try RecordingVerifier(
      directoryName: name, trust: trust,
      deviceLog: DeviceLog(files: CardFiles(path: "\(storePath)/device/log"), device: device),
      presentRecordings: names("card/recordings"), records: records
    ).verify(CardFiles(path: "\(storePath)/recordings/\(name)"))
  }

  /// The types of a journal's or a device log's lines, in order.
  func types(_ name: String) throws -> [String] {
    try read(name).split(separator: UInt8(ascii: "\n")).map {
      try JournalLine(parsing: Array($0) + [UInt8(ascii: "\n")]).type
    }
  }
}

/// A directory on disk.
struct CardFiles: EvidenceFiles {
  let path: String

  func names() throws(ReadFailure) -> [String] {
    do throws(LinuxError) { return try listDirectory(path: path) } catch {
      throw ReadFailure(file: path, reason: "\(error)")
    }
  }

  func size(of name: String) throws(ReadFailure) -> Int64 { Int64(try bytes(name).count) }

  func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
    let bytes = try bytes(name)
    guard offset < bytes.count else { return 0 }
    let count = min(buffer.count, bytes.count - Int(offset))
    bytes[Int(offset)..<(Int(offset) + count)].withUnsafeBytes { buffer.copyMemory(from: $0) }
    return count
  }

  private func bytes(_ name: String) throws(ReadFailure) -> [UInt8] {
    do throws(LinuxError) { return try readSmallFile(path: "\(path)/\(name)", limit: 1 << 26) } catch {
      throw ReadFailure(file: name, reason: "\(error)")
    }
  }
}

/// The error that `body` throws, if it throws one.
func failure(_ body: () throws(StoreError) -> Void) -> StoreError? {
  do throws(StoreError) {
    try body()
    return nil
  } catch {
    return error
  }
}

extension RecordingWriter {
  /// One segment with a checkpoint, then CLOSE.
  mutating func recordSomething() throws {
    try beginSegment { salt, index in salt + [UInt8(index)] }
    let bytes = [UInt8](repeating: 7, count: 100_000)
    try write(bytes.span.bytes)
    try checkpoint(endsSegment: true) {
      CheckpointFacts(
        mediaTime: 1_000, firstIDR: nil, clock: .reading(), lag: 1, framesLost: 0, samplesLost: 0)
    }
    try close(.stop, duration: 1_000)
  }
}
