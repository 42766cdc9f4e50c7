import Evidence
import Foundation
import Media
import Synthetic
import Testing

@testable import Opening

@Suite("lapel-dock keygen and enroll")
struct DockKeyTests {
  @Test("keygen makes keys that stock age and a verifier accept, and says what to lock away")
  func keygen() throws {
    let scratch = try Scratch()
    let result = try dock("keygen", scratch.path("agency"), "--name", "test-pd")
    #expect(result.status == 0, "\(result.message)")
    #expect(result.text.contains("Lock it away offline"))
    let path = "agency/secret/identity.txt"
    let recipient = try succeed(["age-keygen", "-y", scratch.path(path)])
    let sealed = try succeed(
      ["age", "-r", String(decoding: recipient.dropLast(), as: UTF8.self)], input: Array("footage".utf8))
    #expect(try succeed(["age", "-d", "-i", scratch.path(path)], input: sealed) == Array("footage".utf8))

    let rootText = String(decoding: try scratch.read("agency/public/root.key").dropLast(), as: UTF8.self)
    let roles = try RolesNote(parsing: scratch.read("agency/public/roles.note"), root: VerifierKey(rootText))
    let recipients = try RecipientsNote(parsing: scratch.read("agency/public/recipients.note"), roles: roles)
    #expect(recipients.recipients.recipients.map { "\($0)\n" } == [String(decoding: recipient, as: UTF8.self)])
    #expect(!roles.isDemo && !recipients.isDemo)
    #expect(Set(roles.grants.map(\.role)) == Set(RolesNote.Role.allCases))

    for name in try scratch.names("agency/secret") {
      let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path("agency/secret/\(name)"))
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    }
    // No secret is in what is given away or shown.
    let secrets = try scratch.names("agency/secret").map { try scratch.read("agency/secret/\($0)") }
      .compactMap { String(decoding: $0, as: UTF8.self).split(separator: "\n").last.map(String.init) }
    #expect(secrets.count == 4)
    for secret in secrets { #expect(!result.text.contains(secret.suffix(40))) }
  }

  @Test("keygen --post-quantum makes an identity that opens what is sealed for recipients.note, and says what opens it")
  func postQuantum() throws {
    let scratch = try Scratch()
    let result = try dock("keygen", scratch.path("agency"), "--post-quantum")
    #expect(result.status == 0, "\(result.message)")
    #expect(result.text.contains("age (1.3 or newer)"))
    let identity = try #require(AgeIdentity.parse(file: scratch.read("agency/secret/identity.txt")).first)
    let note = String(decoding: try scratch.read("agency/public/recipients.note"), as: UTF8.self)
    #expect(note.contains("\nrecipient \(identity.recipient)\n") && identity.recipient.kind == .mlkem768x25519)

    let mixed = try dock(
      "keygen", scratch.path("mixed"), "--recipient", "\(identity.recipient)", "--recipient",
      "\(try AgeIdentity().recipient)")
    #expect(mixed.status == 1 && mixed.message.contains("are mixed"))
    #expect(!scratch.exists("mixed"))
    let both = try dock("keygen", scratch.path("both"), "--post-quantum", "--recipient", "\(identity.recipient)")
    #expect(both.status == 64)
  }

  @Test("keygen never overwrites, and leaves nothing for wrong recipients")
  func refusals() throws {
    let scratch = try Scratch()
    #expect(try dock("keygen", scratch.path("agency")).status == 0)
    let before = try scratch.read("agency/secret/root.key")
    let again = try dock("keygen", scratch.path("agency"))
    #expect(again.status == 1)
    #expect(again.message.contains("never overwritten"))
    #expect(try scratch.read("agency/secret/root.key") == before)
    #expect(try dock("keygen", scratch.path("other"), "--recipient", "age1nonsense").status == 1)
    #expect(!scratch.exists("other"))
    #expect(try dock("keygen").status == 64)
  }

  @Test("keygen for existing recipients makes no identity")
  func recipients() throws {
    let scratch = try Scratch()
    let first = try AgeIdentity()
    let second = try AgeIdentity()
    let result = try dock(
      "keygen", scratch.path("agency"), "--demo", "--recipient", "\(first.recipient)", "--recipient",
      "\(second.recipient)")
    #expect(result.status == 0, "\(result.message)")
    #expect(result.text.contains("DEMO"))
    #expect(!scratch.exists("agency/secret/identity.txt"))
    let note = String(decoding: try scratch.read("agency/public/recipients.note"), as: UTF8.self)
    #expect(note.contains("\(first.recipient)") && note.contains("\(second.recipient)") && note.contains("\ndemo\n"))
  }

  @Test("revoke takes trust back from the last line of a log copy on, or wholly, with rising versions")
  func revoke() throws {
    let scratch = try Scratch()
    _ = try dock("keygen", scratch.path("agency"))
    let seed = randomBytes(32)
    let signer = try DeviceSigner(seed: seed)
    let device = signer.identity
    let request = try scratch.write(
      "request.note", EnrolRequest.make(issued: 1_700_000_000_000, keyPlace: .internal, seed: seed))
    let keys = scratch.path("agency")
    let early = try dock("revoke", "\(device.id)", "--keys", keys, "--nothing")
    #expect(early.status == 1 && early.message.contains("is the device id right?"))
    #expect(try dock("enroll", request, "--keys", keys).status == 0)

    var log = DeviceLogWriter(device: signer, after: nil)
    let line = try log.start(
      startCounter: 1, boot: #require(EvidenceID(randomBytes(16))), clock: ClockReading(wall: 1, monotonic: 1),
      softwareVersion: "test")
    try scratch.write("log/\(DeviceLogWriter.fileName(startCounter: 1))", line)
    try scratch.write("empty/readme.txt", [])
    let revoked = try dock("revoke", "\(device.id)", "--keys", keys, "--trusted-log", scratch.path("log"))
    #expect(revoked.status == 0, "\(revoked.message)")
    #expect(revoked.text.contains("up to line 0 of its log"))
    func trust() throws -> DeviceTrust {
      let directory = "agency/public/revoked"
      return try DeviceTrust(
        root: VerifierKey(
          String(decoding: scratch.read("agency/public/root.key").dropLast(), as: UTF8.self)),
        roles: scratch.read("agency/public/roles.note"),
        enrolment: scratch.read("agency/public/enrolled/\(device.id).note"), recipients: nil,
        revocations: scratch.names(directory).map { try scratch.read("\(directory)/\($0)") })
    }
    #expect(try trust().revocation?.last == log.head)
    #expect(try dock("revoke", "\(device.id)", "--keys", keys, "--nothing").status == 0)
    let second = try trust().revocation
    #expect(second?.version == 2 && second?.last == nil && second?.device == device.id)

    // Nothing is signed for what is not a log of the camera, and for half an order.
    let wrong = try dock("revoke", "\(device.id)", "--keys", keys, "--trusted-log", scratch.path("empty"))
    #expect(wrong.status == 1 && wrong.message.contains("holds no line"))
    #expect(try dock("revoke", "\(device.id)", "--keys", keys).status == 64)
    #expect(
      try dock("revoke", "\(device.id)", "--keys", keys, "--nothing", "--trusted-log", scratch.path("log")).status == 64
    )
    #expect(try dock("revoke", "5f0c", "--keys", keys, "--nothing").status == 64)
    #expect(try scratch.names("agency/public/revoked").count == 2)
  }

  @Test("enroll signs a request that its device key signed, with rising versions, and no other")
  func enroll() throws {
    let scratch = try Scratch()
    _ = try dock("keygen", scratch.path("agency"))
    let seed = randomBytes(32)
    let request = try EnrolRequest.make(issued: 1_700_000_000_000, keyPlace: .tpm, seed: seed)
    let path = try scratch.write("request.note", request)
    let device = try DeviceSigner(seed: seed).identity
    for version in 1...2 {
      let result = try dock("enroll", path, "--keys", scratch.path("agency"))
      #expect(result.status == 0, "\(result.message)")
      #expect(result.text.contains("\(device.id)") && result.text.contains("2023-11-14 22:13:20 UTC"))
      let rootText = String(decoding: try scratch.read("agency/public/root.key").dropLast(), as: UTF8.self)
      let roles = try RolesNote(parsing: scratch.read("agency/public/roles.note"), root: VerifierKey(rootText))
      let note = try EnrolNote(parsing: scratch.read("agency/public/enrolled/\(device.id).note"), roles: roles)
      #expect(note.version == Int64(version))
      #expect(note.device == device)
      #expect(note.keyPlace == .tpm)
    }
    let copy = scratch.path("enrol.note")
    #expect(try dock("enroll", path, "--keys", scratch.path("agency"), "--place", "internal", "-o", copy).status == 0)
    #expect(try dock("enroll", path, "--keys", scratch.path("agency"), "-o", copy).status == 1)
    #expect(try dock("enroll", path, "--keys", scratch.path("agency"), "--place", "pocket").status == 64)
    for index in request.indices {
      var changed = request
      changed[index] ^= 1
      #expect(throws: EvidenceError.self) { try EnrolRequest(parsing: changed) }
    }
    try scratch.write("request.note", Array(request.dropLast(5)))
    #expect(try dock("enroll", path, "--keys", scratch.path("agency")).status == 1)
  }
}

@Suite("lapel-dock verify, open and repair")
struct DockRecordingTests {
  private func json(_ result: CommandResult) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(result.output))
  }

  private struct Card {
    let scratch: Scratch
    let recording: TestRecording
    var path: String { scratch.path("card/recordings/\(recording.name)") }
    var agency: String { scratch.path("agency/public") }
    var identity: String { scratch.path("agency/secret/identity.txt") }
    var output: String { scratch.path("out.mp4") }
    var segment: String { "card/recordings/\(recording.name)/0001.mp4.age" }

    init(_ script: TestScript = .plain) throws {
      scratch = try Scratch()
      recording = try TestRecording(script, agency: TestAgency())
      try recording.write(to: scratch)
    }

    func change(_ name: String, at offset: Int) throws {
      var bytes = try scratch.read(name)
      bytes[offset] ^= 1
      try scratch.write(name, bytes)
    }
  }

  @Test("a clean card is VERIFIED with exit code 0; a recording by itself VERIFIED_ALONE")
  func clean() throws {
    let card = try Card()
    var result = try dock("verify", card.scratch.path("card"), "--agency", card.agency)
    #expect(result.status == 0, "\(result.text) \(result.message)")
    #expect(result.text.hasPrefix("SYNTHETIC VERIFIED: "))
    #expect(result.text.contains("completeness  CONTINUOUS"))
    result = try dock("verify", card.path, "--agency", card.scratch.path("agency"))
    #expect(result.status == 10)
    #expect(result.text.hasPrefix("SYNTHETIC VERIFIED_ALONE: "))
    result = try dock(
      "verify", card.path, "--agency", card.agency, "--device-log", card.scratch.path("card/device/log"))
    #expect(result.status == 0, "\(result.text)")
    let key = try DeviceSigner(seed: card.recording.agency.seed).identity.publicKey
    #expect(try dock("verify", card.path, "--device-key=\(key)").status == 10)
  }

  @Test("a directory that the device log voids is said to be none, and the recording beside it stays VERIFIED")
  func void() throws {
    let card = try Card()
    let id = try #require(EvidenceID(randomBytes(16)))
    let torn = Array("LAPEL1 OPEN n=0 id=".utf8)
    let remains = FoundBytes(size: 19, from: 0, end: 19, hash: Hash32.sha256(of: torn))
    let logs = card.recording.deviceLogs
    let head = try #require(
      try DeviceLog(
        files: MemoryFiles(contents: logs), device: DeviceSigner(seed: card.recording.agency.seed).identity
      ).head)
    var log = DeviceLogWriter(
      device: try DeviceSigner(seed: card.recording.agency.seed),
      after: DeviceLogWriter.Predecessor(head: head, tail: []))
    let now = ClockReading(wall: 1, monotonic: 1)
    var lines = try log.start(
      startCounter: 2, boot: try #require(EvidenceID(randomBytes(16))), clock: now, softwareVersion: "test")
    lines += try log.append(.void(VoidCounter(counter: 2, id: id, remains: remains)), clock: now)
    try card.scratch.write("card/device/log/0000000002.log", lines)
    let name = EvidenceName.recording(counter: 2, id: id)
    try card.scratch.write("card/recordings/\(name)/journal.log", torn)
    var result = try dock("verify", card.scratch.path("card"), "--agency", card.agency)
    #expect(result.status == 13, "\(result.text) \(result.message)")
    #expect(result.text.hasPrefix("SYNTHETIC VERIFIED: "))
    #expect(result.text.contains("VERIFIED_TO 0:00:00.000: the camera was cut off before this became a recording"))
    try card.scratch.write("card/recordings/\(name)/journal.log", torn + [0x41])
    result = try dock("verify", card.scratch.path("card"), "--agency", card.agency)
    #expect(result.status == 36, "\(result.text)")
  }

  @Test("verify needs someone to trust, and says so")
  func nobody() throws {
    let card = try Card()
    let result = try dock("verify", card.path)
    #expect(result.status == 30)
    #expect(result.text.hasPrefix("SYNTHETIC UNKNOWN_DEVICE"))
    let other = try DeviceSigner(seed: randomBytes(32)).identity.publicKey
    #expect(try dock("verify", card.path, "--device-key=\(other)").status == 30)
    #expect(try dock("verify", card.path, "--device-key", "nonsense!").status == 1)
    #expect(try dock("verify", card.scratch.path("nowhere"), "--agency", card.agency).status == 1)
    #expect(try dock("verify", card.path, "--agency", card.scratch.path("card")).status == 1)
  }

  @Test("a changed byte is ALTERED, in words and as JSON")
  func altered() throws {
    let card = try Card()
    try card.change(card.segment, at: 5_000)
    var result = try dock("verify", card.path, "--agency", card.agency)
    #expect(result.status == 35)
    #expect(result.text.hasPrefix("SYNTHETIC ALTERED: "))
    result = try dock("verify", "--json", card.path, "--agency", card.agency)
    #expect(result.status == 35)
    let verdict = try #require((try json(result) as? [[String: Any]])?.first)
    #expect(verdict["headline"] as? String == "ALTERED")
    #expect(verdict["synthetic"] as? Bool == true)
    let findings = try #require(verdict["findings"] as? [[String: Any]])
    #expect(findings.contains { $0["file"] as? String == "0001.mp4.age" && $0["answer"] as? String == "ALTERED" })
  }

  @Test("of a card every recording is verified, and one that only the device log has is MISSING_RECORDING")
  func missing() throws {
    let card = try Card()
    let second = try TestRecording(agency: card.recording.agency, after: card.recording)
    try second.write(to: card.scratch)
    var result = try dock("verify", card.scratch.path("card"), "--agency", card.agency, "--json")
    #expect(result.status == 0, "\(result.text)")
    #expect((try json(result) as? [[String: Any]])?.compactMap { $0["counter"] as? Int } == [1, 2])
    try FileManager.default.removeItem(atPath: card.path)
    result = try dock("verify", card.scratch.path("card"), "--agency", card.agency)
    #expect(result.status == 22)
    #expect(result.text.hasPrefix("SYNTHETIC MISSING_RECORDING: \(card.recording.name)"))
    try FileManager.default.removeItem(atPath: card.scratch.path("card/recordings/\(second.name)"))
    #expect(try dock("verify", card.scratch.path("card"), "--agency", card.agency).status == 1)
  }

  @Test(
    "with the dock's receipts a deleted recording is explained, without them it is missing; a revocation is believed")
  func receipts() throws {
    let store = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Vectors/store-docked").standardizedFileURL.path
    func headlines(_ agency: String, receipts: String? = nil) throws -> [String]? {
      let result =
        if let receipts {
          try dock("verify", store, "--agency", agency, "--json", "--receipts", receipts)
        } else { try dock("verify", store, "--agency", agency, "--json") }
      return (try json(result) as? [[String: Any]])?.compactMap { $0["headline"] as? String }
    }
    let agency = store + "/agency"
    let receipts = agency + "/receipts"
    #expect(
      try headlines(agency, receipts: receipts) == ["VERIFIED", "VERIFIED", "VERIFIED_TO", "VERIFIED"])
    #expect(try headlines(agency) == [String](repeating: "MISSING_RECORDING", count: 4))
    // The files of another camera's dock explain nothing, and what is none is told.
    let scratch = try Scratch()
    let files = FileManager.default
    try files.createDirectory(atPath: scratch.path("kept"), withIntermediateDirectories: true)
    try files.copyItem(atPath: store + "/aside/stranger.note", toPath: scratch.path("kept/a.note"))
    try files.copyItem(atPath: store + "/aside/stranger.note", toPath: scratch.path("kept/b.anchor"))
    try files.copyItem(atPath: store + "/aside/stranger.note", toPath: scratch.path("kept/c.txt"))
    let result = try dock("verify", store, "--agency", agency, "--receipts", scratch.path("kept"))
    #expect(result.status == 22)
    for name in ["b.anchor", "c.txt"] { #expect(result.message.contains(name), "\(result.message)") }

    try files.copyItem(atPath: agency, toPath: scratch.path("agency"))
    try files.createDirectory(atPath: scratch.path("agency/revoked"), withIntermediateDirectories: true)
    try files.copyItem(atPath: store + "/aside/revoke.note", toPath: scratch.path("agency/revoked/x.note"))
    #expect(
      try headlines(scratch.path("agency"), receipts: receipts) == ["VERIFIED", "REVOKED", "REVOKED", "REVOKED"])
    // A revocation that cannot be believed may be the one that counts: nothing is said without it.
    try Data("no note".utf8).write(to: URL(fileURLWithPath: scratch.path("agency/revoked/y.note")))
    #expect(try dock("verify", store, "--agency", scratch.path("agency")).status == 1)
  }

  @Test("a symbolic link is no evidence")
  func symbolicLink() throws {
    let card = try Card()
    let path = card.scratch.path(card.segment)
    try FileManager.default.moveItem(atPath: path, toPath: card.scratch.path("elsewhere"))
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: card.scratch.path("elsewhere"))
    #expect(try dock("verify", card.path, "--agency", card.agency).status == 1)
  }

  @Test("open makes one playable file and says what was proved")
  func open() throws {
    let card = try Card()
    let arguments = ["open", card.path, "--agency", card.agency, "--identity", card.identity]
    var result = try dock(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
    #expect(result.status == 64)
    #expect(result.message.contains("-o "))
    result = try dock(
      "open", card.path, "--agency", card.agency, "--identity", card.identity, "-o", card.output)
    #expect(result.status == 0, "\(result.message)")
    #expect(result.text.hasPrefix("SYNTHETIC VERIFIED_ALONE: "))
    #expect(result.text.contains("all 6 ranges"))
    #expect(result.text.contains("pre-event   1.500 s held of 30.000 s asked, short: started"))
    #expect(result.text.contains("64x64, 180 frames"))
    #expect(result.text.contains("playable    \(card.output)"))
    let media = try StockMedia.shared.get()
    #expect(try card.scratch.read("out.mp4") == card.recording.inits[0] + (0..<12).flatMap { media.fragment($0) })

    let again = try dock(
      "open", card.path, "--agency", card.agency, "--identity", card.identity, "-o", card.output)
    #expect(again.status == 1)
    #expect(again.message.contains("never overwritten"))
    #expect(try card.scratch.names() == ["agency", "card", "out.mp4"])

    let machine = try dock(
      "open", card.path, "--agency", card.agency, "--identity", "-", "-o", card.scratch.path("b.mp4"), "--json",
      input: card.scratch.read("agency/secret/identity.txt"))
    #expect(machine.status == 0, "\(machine.message)")
    let report = try #require(try json(machine) as? [String: Any])
    #expect(report["whole"] as? Bool == true)
    let tracks = try #require(report["tracks"] as? [[String: Any]])
    #expect(tracks.first?["frames"] as? Int == 180)
  }

  @Test("open with another identity ends with code 2 and makes no file")
  func wrongIdentity() throws {
    let card = try Card()
    let other = try card.scratch.write("other.txt", Array("\(try AgeIdentity().secretText)\n".utf8))
    let result = try dock("open", card.path, "--agency", card.agency, "--identity", other, "-o", card.output)
    #expect(result.status == 2)
    #expect(result.message.contains("recipients.note"))
    #expect(try card.scratch.names() == ["agency", "card", "other.txt"])
    let request = try card.scratch.write("bad.txt", Array("not an identity\n".utf8))
    #expect(try dock("open", card.path, "--identity", request, "-o", card.output).status == 1)
  }

  @Test("open of an altered recording opens what is attested, loudly, and does not exit with 0")
  func openAltered() throws {
    let card = try Card()
    try card.change(card.segment, at: try card.scratch.read(card.segment).count - 1_000)
    let result = try dock(
      "open", card.path, "--agency", card.agency, "--identity", card.identity, "-o", card.output)
    #expect(result.status == 35)
    #expect(result.text.hasPrefix("SYNTHETIC ALTERED"))
    #expect(result.text.contains("ONLY 5 of 6 ranges"))
    #expect(result.message.contains("WARNING"))
    #expect(card.scratch.exists("out.mp4"))
  }

  @Test("open names a range whose plaintext is not what was committed to")
  func openMismatch() throws {
    var script = TestScript.plain
    script.segments[1].liesIn = [1]
    let card = try Card(script)
    let result = try dock(
      "open", card.path, "--agency", card.agency, "--identity", card.identity, "-o", card.output)
    #expect(result.status == 34)
    #expect(result.text.hasPrefix("SYNTHETIC COMMITMENT_MISMATCH: 0001.mp4.age line 7"))
    #expect(result.text.contains("COMMITMENT_MISMATCH segment 1"))
  }

  @Test("a torn recording is VERIFIED_TO; repair gives stock age a valid copy and leaves the original alone")
  func repair() throws {
    var script = TestScript.plain
    script.isClosed = false
    script.segments[2].tail = Array(12..<20)
    let card = try Card(script)
    let torn = "card/recordings/\(card.recording.name)/0002.mp4.age"
    let original = try card.scratch.read(torn)
    #expect(try dock("verify", card.path, "--agency", card.agency).status == 13)
    #expect(try command(["age", "-d", "-i", card.identity, card.scratch.path(torn)]).status != 0)

    let result = try dock("repair", card.path, "-o", card.scratch.path("repaired"))
    #expect(result.status == 0, "\(result.message)")
    #expect(try card.scratch.names("repaired") == ["0002.mp4.age"])
    let plaintext = try succeed(["age", "-d", "-i", card.identity, card.scratch.path("repaired/0002.mp4.age")])
    #expect(plaintext.starts(with: card.recording.inits[2]))
    #expect(try card.scratch.read(torn) == original)
    let again = try dock("repair", card.scratch.path(torn), "-o", card.scratch.path("repaired"))
    #expect(again.status == 1)
    #expect(again.message.contains("never overwritten"))

    let opened = try dock(
      "open", card.path, "--agency", card.agency, "--identity", card.identity, "-o", card.output)
    #expect(opened.status == 0, "\(opened.message)")
    #expect(opened.text.contains("UNATTESTED"))
    #expect(card.scratch.exists("out.unattested-0002.mp4"))
  }

  @Test("repair leaves a clean recording alone, and says when nothing can be saved")
  func repairNothing() throws {
    let card = try Card()
    var result = try dock("repair", card.path, "-o", card.scratch.path("repaired"))
    #expect(result.status == 0)
    #expect(result.text.contains("nothing to repair"))
    #expect(try card.scratch.names("repaired").isEmpty)
    try card.change(card.segment, at: 100)
    result = try dock("repair", card.path, "-o", card.scratch.path("repaired"))
    #expect(result.status == 1)
    #expect(result.message.contains("0001.mp4.age"))
  }
}

@Suite("lapel-dock avsync")
struct DockSyncTests {
  /// Encodes 5 s of the synthetic camera and microphone by stock ffmpeg; sound comes `delay` samples late.
  private func film(_ scratch: Scratch, frames: [UInt32], delay: Int = 0) throws -> String {
    let layout = try #require(I420Layout(width: 320, height: 180))
    let camera = SyntheticCamera(layout: layout, frameInterval: Nanoseconds(33_333_333))
    var picture = [UInt8](repeating: 0, count: layout.byteCount)
    var video: [UInt8] = []
    for frame in frames {
      let time = Nanoseconds(Int64(frame) * 1_000_000_000 / 30)
      picture.withUnsafeMutableBytes { _ = camera.draw(frame: frame, time: time, into: $0) }
      for row in 0..<180 { video += picture[(row * layout.lumaStride)..<(row * layout.lumaStride + 320)] }
      for plane in [layout.blueOffset, layout.redOffset] {
        for row in 0..<90 {
          video += picture[(plane + row * layout.chromaStride)..<(plane + row * layout.chromaStride + 160)]
        }
      }
    }
    let microphone = SyntheticMicrophone()
    let sound = (0..<240_000).flatMap { index -> [UInt8] in
      let value = UInt16(bitPattern: microphone.sample(Int64(index - delay)))
      return [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }
    let path = scratch.path("film.mp4")
    try succeed([
      "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "320x180", "-r", "30", "-i",
      scratch.write("video", video), "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", scratch.write("sound", sound),
      "-c:v", "libx264", "-bf", "0", "-preset", "ultrafast", "-c:a", "libopus", "-b:a", "64k", "-movflags",
      "empty_moov+default_base_moof+frag_keyframe", path,
    ])
    return path
  }

  private func report(_ result: CommandResult) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
  }

  @Test("a whole film has every frame once, and sound within 2 ms of the picture")
  func whole() throws {
    let scratch = try Scratch()
    let film = try film(scratch, frames: Array(0..<150))
    let result = try dock("avsync", film, "--json", "--max-offset-ms", "2")
    #expect(result.status == 0, "\(result.text) \(result.message)")
    let report = try report(result)
    #expect(report["frames"] as? Int == 150)
    #expect(report["complete"] as? Bool == true)
    #expect((report["offsets"] as? [Any])?.count ?? 0 >= 4)
    #expect(try dock("avsync", film).text.contains("missing    0"))
  }

  @Test("a missing, a doubled and a swapped frame are each told, and late sound is measured")
  func faults() throws {
    let scratch = try Scratch()
    var frames = (0..<150).map { UInt32($0) }
    frames.remove(at: 40)
    frames.insert(80, at: 80)
    frames.swapAt(100, 101)
    let result = try dock("avsync", try film(scratch, frames: frames, delay: 1_920), "--json", "--max-offset-ms", "20")
    #expect(result.status == 3)
    let report = try report(result)
    #expect(report["missing"] as? Int == 1)
    #expect(report["doubled"] as? [Int] == [80])
    #expect((report["outOfOrder"] as? [Int])?.count == 1)
    let median = try #require(report["medianOffsetMs"] as? Double)
    #expect(abs(median - 40) < 40)
  }

  @Test("late sound alone fails only where a limit is given")
  func late() throws {
    let scratch = try Scratch()
    let film = try film(scratch, frames: Array(0..<150), delay: 1_920)
    #expect(try dock("avsync", film).status == 0)
    let result = try dock("avsync", film, "--json", "--max-offset-ms", "20")
    #expect(result.status == 3)
    #expect(abs(try #require(report(result)["medianOffsetMs"] as? Double) - 40) < 2)
    #expect(try dock("avsync", scratch.path("nothing.mp4")).status == 1)
    #expect(try dock("avsync", scratch.write("junk.mp4", randomBytes(1_000))).status == 1)
  }
}
