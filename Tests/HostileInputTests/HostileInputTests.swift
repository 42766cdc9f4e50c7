import AuditText
import Configuration
import Control
import Foundation
import LinuxIO
import Media
import Testing

@testable import Evidence
@testable import EvidenceStore
@testable import Opening
@testable import lapel_dock

/// Whatever comes from outside is refused or read: no input ends the process or makes it take memory without end.
@Suite("Hostile input", .serialized)
struct HostileInputTests {
  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL

  /// Files of the clean store of Tests/Vectors whose names end so.
  private func stored(_ suffix: String, in store: String = "store") throws -> [[UInt8]] {
    let root = Self.repository.appendingPathComponent("Tests/Vectors/\(store)")
    return try FileManager.default.subpathsOfDirectory(atPath: root.path).sorted().filter { $0.hasSuffix(suffix) }.map {
      [UInt8](try Data(contentsOf: root.appendingPathComponent($0)))
    }
  }

  private struct Files: EvidenceFiles {
    var contents: [String: [UInt8]]

    func names() throws(ReadFailure) -> [String] { Array(contents.keys) }
    func size(of name: String) throws(ReadFailure) -> Int64 { Int64(contents[name]?.count ?? 0) }
    func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
      guard let bytes = contents[name], offset >= 0, offset < bytes.count else { return 0 }
      let part = bytes[Int(offset)...].prefix(buffer.count)
      part.withUnsafeBytes { buffer.copyMemory(from: $0) }
      return part.count
    }
  }

  @discardableResult
  private func verify(_ journal: [UInt8], _ device: DeviceIdentity, log: [UInt8]? = nil) -> Verdict? {
    let files = Files(contents: ["journal.log": journal, "0000.mp4.age": [UInt8](repeating: 7, count: 66_000)])
    var attested: [Attested] = []
    do {
      let deviceLog = try log.map { try DeviceLog(files: Files(contents: ["0000000001.log": $0]), device: device) }
      try tell(
        files, deviceLog ?? DeviceLog(device: device), Files(contents: log.map { ["0000000001.log": $0] } ?? [:]))
      let verifier = RecordingVerifier(
        trust: DeviceTrust(device: device, keyPlace: .internal), deviceLog: deviceLog, presentRecordings: [])
      let verdict = try verifier.verify(files) { attested.append($0) }
      _ = verdict.text(path: "x")
      _ = verdict.json(path: "x").description
      if let opening = verdict.opening { _ = try? RecordingPlan(recording: opening.id, attested: attested) }
      return verdict
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  private struct Card: EvidenceCard {
    let name: String
    let files: Files
    func recordingNames() throws(ReadFailure) -> [String] { [name] }
    func recording(_ name: String) throws(ReadFailure) -> Files { files }
  }

  /// The audit log of a card with this one recording, in words and as JSON, with an event at the worst places.
  private func tell(_ files: Files, _ log: DeviceLog, _ logFiles: Files) throws {
    let first = (files.contents["journal.log"] ?? []).prefix { $0 != 10 }
    let open = try? JournalLine(parsing: first + [10])
    let id = try #require(
      open?.encoded("id").flatMap { EvidenceID(hex: $0) } ?? EvidenceID([UInt8](repeating: 1, count: 16)))
    let card = Card(name: EvidenceName.recording(counter: open?.number("rec") ?? 1, id: id), files: files)
    _ = try AuditLogReader(log: log, isLive: true).read(logFiles, card: card, opensFootage: true) { digest, _ in
      RecordingStory(
        digest,
        notes: [-1, 0, 1.5, 1e300, .nan].map { FootageNote(seconds: $0, value: "mark", message: "label=\u{1B}\nx") })
    } emit: { entry in
      let lines = [AuditLine.text(entry), AuditLine.json(entry)]
      #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }, "\(lines)")
      return true
    }
  }

  @Test("Journals and lines, as they are and signed again")
  func journals() throws {
    let signer = try Resigner()
    let seeds = try stored("journal.log")
    try Mutator.run("line", seeds: seeds.flatMap { $0.split(separator: 10).map { Array($0) + [10] } }) { input, _ in
      _ = try? JournalLine(parsing: input)
      _ = (try? JournalLine(parsing: input)).flatMap { try? JournalRecord($0) }
    }
    try Mutator.run("journal", seeds: seeds, count: 60) { input, _ in
      verify(input, signer.device.identity)
    }
    // Signed again without a change a journal is read to its end: what is behind the signatures is reached.
    for seed in seeds {
      let again = signer.resign(String(decoding: seed, as: UTF8.self), isJournal: true) { _ in }
      #expect(verify(again, signer.device.identity)?.lines == Int64(seed.count { $0 == 10 }))
    }
    var mutator = Mutator(random: SplitMix64(state: 2))
    try Mutator.run("signed-journal", seeds: seeds, count: 80) { input, _ in
      // Parsed from the clean ones: a changed line has no words to change.
      let text = String(decoding: seeds.randomElement(using: &mutator.random) ?? input, as: UTF8.self)
      let journal = signer.resign(text, isJournal: true) { words in
        guard Int.random(in: 0..<8, using: &mutator.random) == 0 else { return }
        changeWord(&words, &mutator)
      }
      keep("signed-journal", journal)
      verify(journal, signer.device.identity)
    }
  }

  private func keep(_ name: String, _ bytes: [UInt8]) {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-last-input-\(name)").path
    try? Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  private func changeWord(_ words: inout [String], _ mutator: inout Mutator) {
    let index = Int.random(in: 0..<words.count, using: &mutator.random)
    let key = words[index].prefix { $0 != "=" }
    switch Int.random(in: 0..<6, using: &mutator.random) {
    case 0: words.remove(at: index)
    case 1: words[index] = "\(key)=-"
    default: words[index] = "\(key)=\(mutator.number())"
    }
  }

  @Test("Device logs, as they are and signed again")
  func deviceLogs() throws {
    let signer = try Resigner()
    let seeds = try (stored(".log") + stored(".log", in: "store-docked")).filter {
      String(decoding: $0, as: UTF8.self).hasPrefix("LAPEL1 START")
    }
    let journal = try #require(try stored("journal.log").first)
    let resigned = signer.resign(String(decoding: journal, as: UTF8.self), isJournal: true) { _ in }
    try Mutator.run("device-log", seeds: seeds, count: 50) { input, _ in
      verify(resigned, signer.device.identity, log: input)
    }
    for seed in seeds {
      let again = signer.resign(String(decoding: seed, as: UTF8.self), isJournal: false) { _ in }
      let name = seed.starts(with: Array("LAPEL1 START n=0 ".utf8)) ? "0000000001.log" : "0000000002.log"
      let log = try DeviceLog(files: Files(contents: [name: again]), device: signer.device.identity)
      #expect(log.head != nil && !log.openings.isEmpty && log.findings.allSatisfy { $0.answer != .integrity(.altered) })
    }
    var mutator = Mutator(random: SplitMix64(state: 3))
    try Mutator.run("signed-device-log", seeds: seeds, count: 80) { input, _ in
      let text = String(decoding: seeds.randomElement(using: &mutator.random) ?? input, as: UTF8.self)
      var log = signer.resign(text, isJournal: false) { words in
        if words.isEmpty || Int.random(in: 0..<4, using: &mutator.random) != 0 { return }
        changeWord(&words, &mutator)
      }
      if Bool.random(using: &mutator.random) { log += Array("LAPEL1 torn".utf8) }
      keep("signed-device-log", log)
      verify(resigned, signer.device.identity, log: log)
    }
  }

  @Test("age headers, notes, keys, requests to enrol, bech32")
  func headersAndNotes() throws {
    // Those of one X25519 recipient, and the 1.7 kB of a post-quantum one.
    let headers = try stored(".age").map { Array($0.prefix(184)) } + [stored("post-quantum.age", in: ".")[0]]
    try Mutator.run("age-header", seeds: headers) { input, _ in _ = try? AgeHeader(parsing: input) }
    let identity = try AgeIdentity()
    let postQuantum = try AgeIdentity.parse(file: stored("post-quantum.txt", in: ".")[0])
    try Mutator.run("age-file", seeds: headers, count: 500) { input, _ in
      _ = try? AgePayload(MemorySource(input), identities: [identity] + postQuantum)
    }
    let notes = try stored(".note")
    let root = try stored("root.key").map { String(decoding: $0.dropLast(), as: UTF8.self) }
    let key = try VerifierKey(try #require(root.first))
    let roles = try RolesNote(parsing: try #require(try stored("roles.note").first), root: key)
    let signer = try NoteSigner(name: "agency-root", seed: [UInt8](repeating: 1, count: 32))
    try Mutator.run("note", seeds: notes, count: 300) { input, _ in
      _ = try? Note(parsing: input)
      _ = try? EnrolNote(parsing: input, roles: roles)
      _ = try? RecipientsNote(parsing: input, roles: roles)
      _ = try? EnrolRequest(parsing: input)
      // Signed again: the text is reached.
      let lines = String(decoding: input, as: UTF8.self).components(separatedBy: "\n\n")[0].components(
        separatedBy: "\n")
      if let note = try? signer.sign(lines) { _ = try? RolesNote(parsing: note, root: signer.key) }
    }
    let words =
      ["age1qrcczfdzw94mq3yxfhk5c0aavvx5l4h2ex8cl353nyxtxl93u9zsx7r77n", identity.secretText] + root
      + postQuantum.flatMap { ["\($0.recipient)", $0.secretText] }
    try Mutator.run("key", seeds: words.map { Array($0.utf8) }) { input, _ in
      let text = String(decoding: input, as: UTF8.self)
      _ = Bech32.decode(text)
      _ = try? Recipient(text)
      _ = try? AgeIdentity(text)
      _ = try? AgeIdentity.parse(file: input)
      _ = try? VerifierKey(text)
      _ = Base64.decode(input, .url)
      _ = try? AgencyDirectory.firstLine(input, of: "x")
      _ = try? SecretKeyText.signer("PRIVATE+KEY+" + text, path: "x")
    }
  }

  @Test("What docks send and keep: receipts, greetings, revocations, anchors")
  func dockRecords() throws {
    let signer = try NoteSigner(name: "hostile", seed: [UInt8](repeating: 1, count: 32))
    let roles = try RolesNote(
      parsing: RolesNote.make(
        version: 1, issued: 1, isDemo: false,
        grants: RolesNote.Role.allCases.map { .init(role: $0, key: signer.key, notAfter: nil) }, root: signer),
      root: signer.key)
    let device = try DeviceSigner(seed: [UInt8](repeating: 2, count: 32)).identity
    let greeting = try DockGreeting.make(
      issued: 1, isDemo: false, device: device.id, nonce: Hash32.sha256(of: []), signer: signer)
    let seeds = try stored(".note", in: "store-docked") + [greeting]
    // As they are, and signed again by a dock that may: the text is reached.
    var read = 0
    try Mutator.run("receipt", seeds: seeds, count: 300) { input, _ in
      var records = DockRecords()
      let text = String(decoding: input, as: UTF8.self).components(separatedBy: "\n\n")[0]
      let lines = text.components(separatedBy: "\n").map { $0.hasPrefix("dock ") ? "dock \(signer.key)" : $0 }
      for note in [input, (try? signer.sign(lines)) ?? []] {
        records.add(receipt: note, roles: roles)
        _ = try? DockGreeting(parsing: note, roles: roles, device: device.id)
        _ = try? Revocation(parsing: note, roles: roles)
      }
      read += records.receipts.count
      for receipt in records.receipts.values {
        let stored = StoredRecording(
          id: receipt.id, counter: receipt.counter, openHash: receipt.openHash, last: receipt.last, files: [],
          others: [])
        _ = try? receipt.requirePermission(toDelete: stored, of: receipt.device)
      }
    }
    #expect(read > 0)
    let anchors = try stored(".anchor", in: "store-docked")
    try Mutator.run("anchor", seeds: anchors, count: 300) { input, _ in _ = try? Anchor(parsing: input, device: device)
    }
  }

  @Test("MP4: boxes, inits, fragments, messages, in pieces of any length")
  func footage() throws {
    let start = InitSegment(
      video: VideoTrack(
        width: 64, height: 64,
        parameterSets: H264ParameterSets(sequence: [0x67, 66, 0, 30, 1, 2, 3], picture: [0x68, 1, 2])),
      audio: AudioTrack(channels: 1, preSkip: 312), salt: [UInt8](repeating: 5, count: 32),
      facts: [("recording", "x"), ("segment", "0")]
    ).bytes()
    try Mutator.run("init", seeds: [start]) { input, _ in
      if let opened = try? OpenedInit(input) {
        var timeline = FootageTimeline()
        timeline.add(opened)
        _ = timeline.summary()
      }
    }
    let opened = try OpenedInit(start)
    var header = FragmentHeader()
    header.write(
      sequence: 1, video: [FragmentSample(ticks: 0, duration: 3_000, length: 40, isKeyframe: true)],
      audio: [
        FragmentSample(ticks: 0, duration: 960, length: 10, isKeyframe: true),
        FragmentSample(ticks: 960, duration: 960, length: 10, isKeyframe: true),
      ])
    let fragment = header.bytes + [UInt8](repeating: 1, count: 60)
    let message = EventMessage(mediaMilliseconds: 5, identifier: 1, value: "mark", message: "label=x").bytes()
    let free: [UInt8] = [0, 0, 0, 48] + Array("free".utf8) + [UInt8](repeating: 2, count: 40)
    try Mutator.run("fragment", seeds: [fragment, message + fragment, fragment + free + message + fragment]) {
      input, random in
      var walker = FootageWalker(at: 0)
      var timeline = FootageTimeline()
      timeline.add(opened)
      var rest = input[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...400, using: &random))
        rest = rest.dropFirst(piece.count)
        do throws(OpeningError) {
          try walker.walk(piece, keep: { _ in }, event: { timeline.add($0) })
        } catch {
          break
        }
      }
      for track in timeline.summary().tracks { _ = (track.audioSamples, track.duration) }
      _ = try? Fragment(input)
      _ = try? ReadEventMessage(input)
    }
  }

  @Test("Times that no recording has do not trap in a summary")
  func impossibleTimes() {
    let track = OpenedInit.Track(
      id: 2, kind: .audio, timescale: .max, codec: BoxType("Opus"), width: 0, height: 0, channels: 1, preSkip: 0)
    let summary = FootageSummary.Track(
      track: track, count: 1 << 20, start: 0, end: 1, interval: 0x1p53, largestInterval: 0x1p53, gaps: [], steps: 0)
    #expect(summary.audioSamples == 1 << 53)
  }

  @Test("A fragment with more tracks than an init may have is refused: the work for each does not multiply")
  func manyTracks() throws {
    func fragment(_ count: UInt8) throws -> Fragment {
      let tracks = (1...count).flatMap { id -> [UInt8] in
        [0, 0, 0, 40] + Array("traf".utf8) + [0, 0, 0, 16] + Array("tfhd".utf8) + [0, 2, 0, 0, 0, 0, 0, id]
          + [0, 0, 0, 16] + Array("tfdt".utf8) + [0, 0, 0, 0, 0, 0, 0, 0]
      }
      return try Fragment(
        [0, 0, UInt8((8 + tracks.count) >> 8), UInt8((8 + tracks.count) & 255)] + Array("moof".utf8) + tracks)
    }
    #expect(try fragment(8).tracks.count == 8)
    #expect(throws: BoxError.self) { try fragment(9) }
  }

  @Test("Configuration, requests to the recorder and its replies, counters of the internal store")
  func settings() throws {
    let file = Self.repository.appendingPathComponent("config/lapel.toml")
    let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    // Every default, in force instead of as a comment.
    let active = text.split(separator: "\n").map { $0.hasPrefix("#") && $0.contains(" = ") ? $0.dropFirst() : $0 }
    try Mutator.run(
      "configuration", seeds: [Array(text.utf8), Array(active.joined(separator: "\n").utf8)], count: 500
    ) { input, _ in
      let text = String(decoding: input, as: UTF8.self)
      _ = try? LoadedConfiguration.load([.file(name: "x", text: text)])
      _ = try? LoadedConfiguration.load([.commandLine(text.split(separator: "\n").prefix(3).map(String.init))])
    }
    let requests = ["start\n", "mark label=blue%20car\n", "stop\n", "status json\n", "LAPEL1 status\n"].map {
      Array($0.utf8)
    }
    try Mutator.run("request", seeds: requests) { input, _ in
      var buffer = ControlRequestBuffer()
      _ = buffer.receive(input) { _ in }
      _ = try? ControlReply.parse(input)
    }
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try InternalStore.create(directory: directory)
    let slot = URL(fileURLWithPath: directory + "/counters.0")
    let counters = [UInt8](try Data(contentsOf: slot))
    try Mutator.run("counters", seeds: [counters], count: 200) { input, _ in
      try? Data(Self.summed(input)).write(to: slot)
      _ = try? InternalStore(directory: directory)
    }
  }

  /// With a sum that fits: what lies behind it is reached.
  private static func summed(_ bytes: [UInt8]) -> [UInt8] {
    guard let body = String(decoding: bytes, as: UTF8.self).components(separatedBy: "sum=").first else { return bytes }
    return Array("\(body)sum=\(Hash32.sha256(of: Array(body.utf8)))\n".utf8)
  }
}
