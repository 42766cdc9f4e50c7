import Media
import Testing

@testable import Evidence

@Suite("What a journal says in clear")
struct JournalDigestTests {
  private func digest(
    _ made: TestRecording, _ camera: TestCamera, files: MemoryFiles? = nil, keepsAnchors: Bool = false
  ) throws -> JournalDigest {
    try JournalDigest(
      files ?? made.files, counter: made.counter, id: made.id, log: camera.deviceLog(), keepsAnchors: keepsAnchors)
  }

  private static func gap(_ from: Int64, _ to: Int64, _ cause: JournalEvent.GapCause = .ringFull) -> JournalEvent {
    .gap(track: .video, from: from, to: to, cause: cause)
  }

  @Test("Events with their lines and times, checkpoints summed up, how it ended")
  func whole() throws {
    let camera = try TestCamera(Agency())
    let made = try camera.record(
      RecordingPlan(
        segments: [[100], [100, 100]], abandoned: 0,
        events: [0: [.storage(.slow, freeMegabytes: 900)], 2: [.deviceLost(track: .audio)]]))
    let digest = try digest(made, camera)
    #expect(digest.facts?.recordingCounter == 1 && digest.findings.isEmpty && digest.tailByteCount == 0)
    #expect(
      digest.events.map(\.what) == [
        .event(.storage(.slow, freeMegabytes: 900)), .abandoned(segment: 0, .sync), .event(.deviceLost(track: .audio)),
      ])
    #expect(digest.events.map(\.n) == [3, 4, 8])
    #expect(digest.events.map(\.clock) == [clock(1), clock(1), clock(3)])
    #expect(digest.checkpoints.count == 3 && digest.checkpoints.worstLag == 200)
    #expect(digest.checkpoints.mediaTime == 3_000_000)
    #expect(digest.closing?.reason == .stop && digest.closing?.duration == 3_000_000)
    #expect(digest.lastLine == Int64(made.lines.count) - 1 && digest.lastClock == clock(3))
  }

  @Test("The worst lag is that after the footage from before the trigger was written; without such, of all")
  func lag() throws {
    let camera = try TestCamera(Agency())
    for (counter, lags, worst) in [
      (1, [0: 29_000, 1: 12_000, 2: 900, 3: 700], 900), (2, [0: 29_000, 1: 900, 2: 2_500], 2_500),
      (3, [0: 29_000, 1: 12_000, 2: 3_000, 3: 2_000], 29_000),
    ] as [(Int64, [Int: Int64], Int64)] {
      let made = try camera.record(RecordingPlan(counter: counter, segments: [[1, 1, 1, 1]], lags: lags))
      #expect(try digest(made, camera).checkpoints.worstLag == worst)
    }
  }

  @Test("Gaps of one track and cause close to each other are one run; another cause, or a long way off, is another")
  func gaps() throws {
    let camera = try TestCamera(Agency())
    let made = try camera.record(
      RecordingPlan(
        segments: [[1]],
        events: [
          0: [
            Self.gap(0, 10), Self.gap(5_000_000, 5_000_020), Self.gap(6_000_000, 6_000_001, .xrun),
            Self.gap(15_000_020, 15_000_030), Self.gap(25_000_031, 25_000_032),
          ]
        ]))
    let runs = try digest(made, camera).events.compactMap { if case .gaps(let run) = $0.what { run } else { nil } }
    #expect(runs.map(\.count) == [3, 1, 1])
    #expect(runs.map(\.missing) == [40, 1, 1])
    #expect(runs.map(\.from) == [0, 6_000_000, 25_000_031] && runs.map(\.to) == [15_000_030, 6_000_001, 25_000_032])
    var endless = GapRun(track: .video, cause: .xrun, from: 0, to: .max)
    endless.add(GapRun(track: .video, cause: .xrun, from: 0, to: .max))
    #expect(endless.missing == .max && endless.count == 2)
  }

  @Test("More events than are kept are counted")
  func limit() throws {
    let camera = try TestCamera(Agency())
    let events = (0..<JournalDigest.eventLimit + 5).map { JournalEvent.battery(.low, percent: Int64($0 % 100)) }
    let made = try camera.record(RecordingPlan(segments: [[1]], events: [0: events]))
    let digest = try digest(made, camera)
    #expect(digest.events.count == JournalDigest.eventLimit && digest.eventsOmitted == 5)
    #expect(digest.closing != nil)
  }

  @Test("A line of a newer version is kept as it stands")
  func unknown() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    var made = try camera.record(RecordingPlan(segments: [], isClosed: false, isLogged: false))
    var randomness = HedgedRandomness(source: { systemRandom($0) }, deviceSecret: [1], id: made.id, counter: 1)
    var journal = try JournalWriter(id: made.id, device: agency.device, randomness: &randomness)
    made.lines = [try journal.open(camera.facts(RecordingPlan()))]
    var fields = LineFields()
    fields.add("code", code: "quake")
    fields.add("w", 7)
    fields.add("mono", 8)
    fields.add("force", text: "9 of 10")
    var grammar = JournalGrammar()
    try grammar.open(monotonic: clock(0).monotonic)
    made.lines.append(try journal.append("EVT", fields, grammar))
    made.lines.append(try journal.append("FUTURE", LineFields(), grammar))
    let digest = try digest(made, camera)
    let lines = digest.events.compactMap { if case .unknown(let line) = $0.what { line } else { nil } }
    #expect(lines.map(\.type) == ["EVT", "FUTURE"])
    #expect(lines.first?.words == ["code=quake", "force=9%20of%2010"])
    #expect(digest.events.map(\.clock) == [ClockReading(wall: 7, monotonic: 8), ClockReading(wall: 7, monotonic: 8)])
  }

  @Test("Another camera's journal, or another recording's, tells nothing and is a finding")
  func foreign() throws {
    let camera = try TestCamera(Agency())
    let made = try camera.record()
    let stranger = try TestCamera(Agency()).record()
    let second = try camera.record(RecordingPlan(counter: 2))
    for (files, answer) in [
      (stranger.files, Integrity.unknownDevice), (second.files, .unknownDevice),
      (MemoryFiles(contents: [EvidenceName.segment(0): [1]]), .unsigned),
      (MemoryFiles(contents: [EvidenceName.journal: Array("no line".utf8)]), .unsigned),
    ] {
      let digest = try digest(made, camera, files: files)
      #expect(digest.findings.map(\.answer) == [.integrity(answer)])
      #expect(digest.facts == nil && digest.events.isEmpty && digest.closing == nil && digest.checkpoints.count == 0)
    }
  }

  @Test("Whatever byte of a closed journal is changed, and wherever it is cut, there is a finding with its place")
  func changes() throws {
    let camera = try TestCamera(Agency())
    let made = try camera.record(RecordingPlan(segments: [[1, 1], [1]], events: [1: [.battery(.low, percent: 9)]]))
    let bytes = made.lines.flatMap { $0 }
    for index in stride(from: 0, to: bytes.count, by: 11) {
      var changed = bytes
      changed[index] ^= 1
      for contents in [changed, Array(bytes[..<index])] {
        let digest = try digest(made, camera, files: MemoryFiles(contents: [EvidenceName.journal: contents]))
        #expect(!digest.findings.isEmpty, "byte \(index)")
        #expect(digest.findings.allSatisfy { $0.file?.hasPrefix(made.name) == true && $0.exitCode != 0 })
      }
    }
  }

  @Test("A piece of a line at the end of a journal that is not closed is no finding; signed lines behind it are")
  func torn() throws {
    let camera = try TestCamera(Agency())
    let made = try camera.record(RecordingPlan(segments: [[1, 1]], isClosed: false))
    let last = try #require(made.lines.last)
    let torn = Array(made.lines.dropLast().joined() + last.prefix(100))
    var digest = try digest(made, camera, files: MemoryFiles(contents: [EvidenceName.journal: torn]))
    #expect(digest.findings.isEmpty && digest.tailByteCount == 100 && digest.checkpoints.count == 1)
    digest = try self.digest(made, camera, files: MemoryFiles(contents: [EvidenceName.journal: torn + [10] + last]))
    #expect(digest.findings.map(\.answer) == [.integrity(.altered)])
    #expect(digest.findings.first?.line == Int64(made.lines.count) - 1)
  }

  @Test("A moment of the footage has the time of the checkpoint that covers it, less what was between")
  func media() throws {
    let camera = try TestCamera(Agency())
    let made = try camera.record(RecordingPlan(segments: [[1, 1], [1]]))
    let digest = try digest(made, camera, keepsAnchors: true)
    // The media's end lies 200 ms before each checkpoint, which come at 1, 2 and 3 s.
    for (time, milliseconds) in [(0, -200), (500_000, 300), (1_000_000, 800), (1_000_001, 801), (4_000_000, 3_800)] {
      let found = try #require(digest.clock(atMedia: Int64(time)))
      #expect((found.monotonic - clock(-1).monotonic + 999_999) / 1_000_000 == Int64(milliseconds) + 1_000, "\(time)")
      #expect(abs(found.wall - clock(0).wall - Int64(milliseconds)) <= 1, "\(time)")
    }
    #expect(try self.digest(made, camera).clock(atMedia: 0) == nil)
  }
}
