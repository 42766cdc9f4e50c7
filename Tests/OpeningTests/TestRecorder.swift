import Foundation
import Media
import Testing

@testable import Evidence
@testable import Opening

/// An agency and one camera, with keys made for the test.
struct TestAgency {
  let root: NoteSigner
  let clerk: NoteSigner
  let seed = randomBytes(32)
  let identity: AgeIdentity
  let roles: [UInt8]
  let enrolment: [UInt8]
  let recipients: [UInt8]

  init() throws {
    root = try NoteSigner(name: "test-root", seed: randomBytes(32))
    clerk = try NoteSigner(name: "test-enrol", seed: randomBytes(32))
    identity = try AgeIdentity()
    roles = try RolesNote.make(
      version: 1, issued: 1, isDemo: false,
      grants: [
        .init(role: .enrol, key: clerk.key, notAfter: nil), .init(role: .recipients, key: clerk.key, notAfter: nil),
      ], root: root)
    let device = try DeviceSigner(seed: seed).identity
    enrolment = try EnrolNote.make(
      version: 1, issued: 1, isDemo: false, device: device, keyPlace: .internal, signer: clerk)
    recipients = try RecipientsNote.make(
      version: 1, issued: 1, isDemo: false, recipients: RecipientList([identity.recipient]), signer: clerk)
  }

  var trust: DeviceTrust {
    get throws { try DeviceTrust(root: root.key, roles: roles, enrolment: enrolment, recipients: recipients) }
  }
}

/// What a test recording holds. Fragments are half a second each.
struct TestScript {
  struct Segment {
    /// Numbers of fragments; each group ends with a checkpoint.
    var ranges: [[Int]]
    /// Fragments after the last checkpoint.
    var tail: [Int] = []
    var preSkip = 0
    /// The init holds the packets before the first fragment.
    var hasRunIn = false
    var isSilent = false
    var isAbandoned = false
    /// Milliseconds by which the fragments of a range are moved.
    var shifts: [Int: Int64] = [:]
    /// Ranges whose signed commitment is another one.
    var liesIn: Set<Int> = []
    /// Footage put before the fragments of a range.
    var extra: [Int: [UInt8]] = [:]
    /// The init says that it is of this segment.
    var numberInInit: Int?
    var hasLyingInit = false
    /// A value of the init that is another one in the file than in what SEG commits to.
    var edit: InitEdit?
  }

  /// A last bit that somebody who can decrypt might change before he hands a clip on.
  enum InitEdit: String, CaseIterable {
    /// The sound's ticks a second: all its times become others.
    case mdhd
    /// The default duration of a sample.
    case trex
    /// The movie's matrix: the picture is turned or squeezed.
    case mvhd
    /// A track's matrix.
    case tkhd

    /// The byte behind the box's type.
    private var offset: Int {
      switch self {
      case .mdhd, .trex: 19
      case .mvhd: 43
      case .tkhd: 47
      }
    }

    func edited(_ bytes: [UInt8]) throws -> [UInt8] {
      var bytes = bytes
      let type = try #require(bytes.firstRange(of: Array(rawValue.utf8)))
      bytes[type.lowerBound + offset] ^= 1
      return bytes
    }
  }

  var segments: [Segment]
  var isClosed = true

  /// 3 segments of 2 s, a checkpoint each second.
  static let plain = TestScript(
    segments: (0..<3).map { Segment(ranges: [[4 * $0, 4 * $0 + 1], [4 * $0 + 2, 4 * $0 + 3]]) })
}

/// A recording made by the real writer of `Evidence`, from the real pictures and sound of `StockMedia`.
struct TestRecording {
  let id: EvidenceID
  let agency: TestAgency
  private(set) var files = MemoryFiles()
  let counter: Int64
  /// The device's logs; one start for each recording.
  private(set) var deviceLogs: [String: [UInt8]]
  private var logHead: ChainHead?
  /// The plaintext of every segment.
  private(set) var plaintexts: [[UInt8]] = []
  /// The init of every segment, without its run-in.
  private(set) var inits: [[UInt8]] = []

  private var second: Int64 = 1

  /// - Parameter previous: the recording of the same camera before this one.
  init(_ script: TestScript = .plain, agency: TestAgency, after previous: TestRecording? = nil) throws {
    counter = (previous?.counter ?? 0) + 1
    deviceLogs = previous?.deviceLogs ?? [:]
    second = previous?.second ?? 1
    self.agency = agency
    let media = try StockMedia.shared.get()
    let device = try DeviceSigner(seed: agency.seed)
    let source: HedgedRandomness.Source = { buffer in buffer.copyBytes(from: randomBytes(buffer.count)) }
    let id = try #require(EvidenceID(randomBytes(16)))
    self.id = id
    var randomness = HedgedRandomness(source: source, deviceSecret: [1, 2, 3], id: id, counter: counter)
    let boot = try #require(EvidenceID(randomBytes(16)))
    var log = DeviceLogWriter(
      device: device, after: previous?.logHead.map { DeviceLogWriter.Predecessor(head: $0, tail: []) })
    var deviceLog = try log.start(startCounter: counter, boot: boot, clock: clock, softwareVersion: "test")
    var journal = try JournalWriter(id: id, device: device, randomness: &randomness)
    let trust = try agency.trust
    var lines = try journal.open(
      OpenFacts(
        recordingCounter: counter, startCounter: counter, boot: boot, deviceLog: try Self.head(log.head),
        recipients: try #require(trust.recipients), roles: try #require(trust.roles), isDemo: false, camera: .synthetic,
        microphone: .synthetic, clock: clock, clockSource: .ntp, clockTrust: .synchronized, softwareVersion: "test",
        softwareHash: Hash32.sha256(of: [1]), configurationHash: Hash32.sha256(of: [2])))
    deviceLog += try log.opened(
      id: id, recordingCounter: counter, openHash: try Self.head(journal.head).hash, clock: clock)

    for (number, segment) in script.segments.enumerated() {
      var stream = try SegmentStream(
        segment: number, recipients: RecipientList([agency.identity.recipient]), randomness: randomness)
      var file = stream.header
      var start = InitSegment(
        video: media.video, audio: segment.isSilent ? nil : AudioTrack(channels: 1, preSkip: segment.preSkip),
        salt: stream.initSalt, facts: facts(number, segment))
      inits.append(start.bytes())
      var initBytes = start.bytes()
      if segment.hasRunIn, let first = segment.ranges.first?.first {
        let packets = media.packets[first * 25 - 50..<first * 25]
        start.runIn = RunIn(edge: Int64(first) * 25 * StockMedia.packetTicks, lengths: packets.map(\.count))
        initBytes = start.bytes().dropLast(start.runIn?.byteCount ?? 0) + packets.flatMap { $0 }
      }
      lines += try journal.segment(stream, initSegment: segment.hasLyingInit ? initBytes + [0] : initBytes)
      var plaintext: [UInt8] = []
      func put(_ bytes: [UInt8]) throws {
        plaintext += bytes
        var rest = bytes[...]
        while !rest.isEmpty {
          let count = rest.withUnsafeBytes { stream.append($0.bytes) }
          rest = rest.dropFirst(count)
          if stream.isFull {
            try stream.sealFullChunk()
            stream.withSealedChunk { sealed in sealed.withUnsafeBytes { file += $0 } }
          }
        }
      }
      try put(segment.edit?.edited(initBytes) ?? initBytes)
      for (index, range) in segment.ranges.enumerated() {
        try put(segment.extra[index] ?? [])
        for fragment in range { try put(media.fragment(fragment, shift: segment.shifts[index] ?? 0)) }
        let padding = stream.paddingByteCount
        var seal = try stream.checkpoint { sealed in sealed.withUnsafeBytes { file += $0 } }
        if segment.liesIn.contains(index) {
          seal = CheckpointSeal(
            segment: seal.segment, chunks: seal.chunks, length: seal.length, rangeHash: seal.rangeHash,
            commitment: Hash32.sha256(of: [9]), terminator: seal.terminator)
        }
        // Its content is not needed: nothing compares padding.
        plaintext += [UInt8](repeating: 0, count: padding)
        second += 1
        lines += try journal.checkpoint(
          seal,
          CheckpointFacts(
            mediaTime: second * 1_000_000, firstIDR: nil, clock: clock, lag: 100, framesLost: 0, samplesLost: 0))
      }
      if segment.isAbandoned { lines += try journal.abandon(.sync) }
      if segment.isAbandoned || (!script.isClosed && number == script.segments.count - 1) {
        for fragment in segment.tail { try put(media.fragment(fragment)) }
        // What would have become the next chunk is lost with the power.
        file += randomBytes(1_000)
      } else {
        file += try stream.checkpoint { _ in }.terminator
        lines += try journal.endSegment()
      }
      files.contents[EvidenceName.segment(number)] = file
      plaintexts.append(plaintext)
    }
    if script.isClosed {
      lines += try journal.close(.stop, duration: second * 1_000_000, clock)
      deviceLog += try log.closed(
        id: id, recordingCounter: counter, head: try Self.head(journal.head), clock: clock)
    }
    files.contents[EvidenceName.journal] = lines
    deviceLogs[DeviceLogWriter.fileName(startCounter: counter)] = deviceLog
    logHead = try Self.head(log.head)
  }

  private static func head(_ head: ChainHead?) throws -> ChainHead { try #require(head) }

  private var clock: ClockReading {
    ClockReading(wall: 1_700_000_000_000 + second * 1_000, monotonic: second * 1_000_000_000)
  }

  private func facts(_ number: Int, _ segment: TestScript.Segment) -> [(key: String, value: String)] {
    var facts = [
      ("format", "1"), ("recording", "\(id)"), ("segment", "\(segment.numberInInit ?? number)"),
      ("wall_ms", "\(clock.wall)"), ("mono_ns", "\(clock.monotonic)"), ("camera", "test picture"),
      ("microphone", "tone"),
    ]
    if number == 0 {
      facts += [
        ("trigger", "button"), ("pre_event_asked_ms", "30000"), ("pre_event_held_ms", "1500"),
        ("pre_event_short", "started"), ("trigger_mt_us", "1500000"),
      ]
    }
    return facts.map { (key: $0.0, value: $0.1) }
  }

  var name: String { EvidenceName.recording(counter: counter, id: id) }

  /// The name of a segment's file.
  func segment(_ number: Int) -> String { EvidenceName.segment(number) }

  /// Changes a file.
  mutating func change(_ name: String, _ body: (inout [UInt8]) -> Void) { body(&files.contents[name, default: []]) }
  mutating func remove(_ name: String) { files.contents[name] = nil }

  /// Offset in the file of a byte of a chunk.
  func offset(chunk: Int64, in segment: Int) throws -> Int {
    let header = try AgeHeader(parsing: try #require(files.contents[self.segment(segment)]))
    return header.byteCount + 16 + Int(chunk) * SegmentStream.sealedByteCount
  }

  func verify() throws -> (verdict: Verdict, attested: [Attested]) {
    var attested: [Attested] = []
    let verdict = try RecordingVerifier(directoryName: name, trust: agency.trust).verify(files) { attested.append($0) }
    return (verdict, attested)
  }

  /// Verifies and opens in memory.
  func open(_ identities: [AgeIdentity]? = nil) throws -> (opened: OpenedRecording, output: MemoryOutput) {
    let (_, attested) = try verify()
    var output = MemoryOutput()
    let plan = try RecordingPlan(recording: id, attested: attested)
    let opened = try RecordingOpener(plan: plan, identities: identities ?? [agency.identity])
      .open(files, into: &output)
    return (opened, output)
  }

  /// Writes a store: `device` and `recordings`.
  func write(to scratch: Scratch, store: String = "card") throws {
    for (name, bytes) in files.contents { try scratch.write("\(store)/recordings/\(self.name)/\(name)", bytes) }
    for (name, bytes) in deviceLogs { try scratch.write("\(store)/device/log/\(name)", bytes) }
    try scratch.write("\(store)/device/enrol.note", agency.enrolment)
    try scratch.write("agency/public/root.key", Array("\(agency.root.key)\n".utf8))
    try scratch.write("agency/public/roles.note", agency.roles)
    try scratch.write("agency/public/recipients.note", agency.recipients)
    try scratch.write("agency/secret/identity.txt", Array("# a comment\n\(agency.identity.secretText)\n".utf8))
  }
}

/// Opened footage in memory.
struct MemoryOutput: FootageOutput {
  private(set) var files: [FootageFile: [UInt8]] = [:]
  private var current: FootageFile?

  mutating func begin(_ file: FootageFile) throws(OpeningError) {
    guard files[file] == nil else { throw OpeningError(.output, "\(file) was begun twice") }
    files[file] = []
    current = file
  }

  mutating func append(_ bytes: RawSpan) throws(OpeningError) {
    guard let current else { throw OpeningError(.output, "no file was begun") }
    bytes.withUnsafeBytes { files[current, default: []].append(contentsOf: $0) }
  }

  mutating func truncate(to length: Int64) {
    guard let current, let count = files[current]?.count else { return }
    files[current]?.removeLast(count - Int(length))
    if length == 0 {
      files[current] = nil
      self.current = nil
    }
  }
}
