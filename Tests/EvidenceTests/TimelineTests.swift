import Media
import Testing

@testable import Evidence

@Suite("The timeline of an audit log")
struct TimelineTests {
  private func line(
    _ n: Int64, _ content: LoggedLine.Content, second: Int64, wall: Int64? = nil, boot: String = "a"
  ) -> LoggedLine {
    var time = clock(second)
    if let wall { time.wall = clock(wall).wall }
    return LoggedLine(n: n, clock: time, boot: boot, content: content)
  }

  private func start(_ n: Int64, second: Int64, wall: Int64? = nil, boot: String = "a") -> LoggedLine {
    let start = RecorderStart(counter: n + 1, softwareVersion: "test", boot: boot, tornByteCount: 0)
    return line(n, .start(start), second: second, wall: wall, boot: boot)
  }

  private static let battery = LoggedLine.Content.entry(.audit(.event(.battery(.low, percent: 9))))

  private func all(_ lines: [LoggedLine], stories: [Int64: RecordingStory] = [:], mayRun: Bool = false)
    -> [TimelineEntry]
  {
    var entries: [TimelineEntry] = []
    var timeline = Timeline()
    for line in lines { timeline.add(line, story: stories[line.n]) { entries.append($0) } }
    timeline.finish(mayRun: mayRun) { entries.append($0) }
    return entries
  }

  /// A recording of a camera in memory, with what its wearer did.
  private func story(
    _ plan: RecordingPlan = RecordingPlan(segments: [[1, 1]]), notes: [FootageNote] = []
  ) throws -> (RecordingStory, TestRecording) {
    let camera = try TestCamera(Agency())
    let made = try camera.record(plan)
    let digest = try JournalDigest(
      made.files, counter: plan.counter, id: made.id, log: camera.deviceLog(), keepsAnchors: true)
    #expect(digest.findings.isEmpty)
    return (RecordingStory(digest, notes: notes), made)
  }

  private func kinds(_ entries: [TimelineEntry]) -> [String] {
    entries.map { entry in
      switch entry.event {
      case .start: "start"
      case .opened(_, let isLate): isLate ? "opened late" : "opened"
      case .closed(_, let isLate): isLate ? "closed late" : "closed"
      case .logged(.audit(.event(.battery))): "battery"
      case .logged(.audit(.event(.clockStep))): "clock set"
      case .logged(.audit(.clockState)): "clock state"
      case .logged(let entry): entry.type.rawValue
      case .software: "software"
      case .journal(let event): event.code
      case .gaps: "gaps"
      case .abandoned: "abandoned"
      case .checkpoints: "checkpoints"
      case .omitted: "omitted"
      case .unclosed(_, let mayRun): mayRun ? "open" : "cut off"
      case .notAtHand: "not at hand"
      case .footage(let note): note.value
      case .sealed: "sealed"
      case .finding: "finding"
      case .unknown(let line): line.type
      case .missingLines(let lines): "missing \(lines)"
      case .clockJump(let milliseconds, _): "jump \(milliseconds)"
      }
    }
  }

  private func opened(_ made: TestRecording) -> LoggedLine.Content {
    .entry(.opened(id: made.id, counter: made.counter, openHash: Hash32.sha256(of: made.lines[0]), isLate: false))
  }

  private func closed(_ made: TestRecording, isLate: Bool = false) -> LoggedLine.Content {
    let head = ChainHead(n: Int64(made.lines.count) - 1, hash: Hash32.sha256(of: made.lines[0]))
    return .entry(.closed(id: made.id, counter: made.counter, head: head, isLate: isLate))
  }

  @Test(
    "A recording's inside stands between its opening and its close, the trigger behind the opening although it was before"
  )
  func order() throws {
    let notes = [
      FootageNote(seconds: 0, value: "trigger", message: "source=button\nreason=double"),
      FootageNote(seconds: 1.5, value: "mark", message: "source=socket\nlabel=blue"),
      FootageNote(seconds: 1.9, value: "stop", message: "source=button"),
    ]
    let (story, made) = try story(
      RecordingPlan(segments: [[1, 1]], events: [0: [.deviceLost(track: .video)]]), notes: notes)
    let entries = all(
      [
        start(0, second: -1), line(1, Self.battery, second: -1), line(2, opened(made), second: 0),
        line(3, closed(made), second: 2), line(4, Self.battery, second: 3),
      ], stories: [2: story])
    #expect(
      kinds(entries) == [
        "start", "battery", "opened", "software", "trigger", "lost", "mark", "stop", "checkpoints", "closed", "battery",
      ])
    // CLOSE and CLOSED are one entry, with what CLOSE says.
    guard case .closed(let closing, false)? = entries.dropLast().last?.event else { throw TestError() }
    #expect(closing?.reason == .stop)
    #expect(entries.dropLast().last?.place == .deviceLog(3))
    // The trigger keeps its own time, which is before the opening's.
    let trigger = try #require(entries.first { $0.place == .footage })
    #expect(try #require(trigger.clock).monotonic < #require(entries[2].clock).monotonic)
    #expect(entries[3...9].allSatisfy { $0.recording?.id == made.id })
  }

  private struct TestError: Error {}

  @Test("A recording that was cut off ends before the next start; the newest one may be going on")
  func cutOff() throws {
    let (story, made) = try story(RecordingPlan(segments: [[1, 1]], isClosed: false))
    let lines = [start(0, second: -1), line(1, opened(made), second: 0)]
    let open = all(lines, stories: [1: story], mayRun: true)
    #expect(kinds(open) == ["start", "opened", "software", "checkpoints", "open"])
    #expect(kinds(all(lines, stories: [1: story])).last == "cut off")
    let cut = all(lines + [start(2, second: 1, boot: "b")], stories: [1: story], mayRun: true)
    #expect(kinds(cut) == ["start", "opened", "software", "checkpoints", "cut off", "start"])
    // A line that was written in the middle of it ends nothing.
    let within = lines + [line(2, Self.battery, second: 1_000)]
    #expect(
      kinds(all(within, stories: [1: story], mayRun: true))
        == ["start", "opened", "software", "battery", "checkpoints", "open"])
  }

  @Test("A recording whose opening a later start wrote is told where it was made; the late lines where they stand")
  func late() throws {
    let (story, made) = try story()
    let late = DeviceLogEntry.opened(
      id: made.id, counter: 1, openHash: Hash32.sha256(of: made.lines[0]), isLate: true)
    var entries: [TimelineEntry] = []
    var timeline = Timeline()
    timeline.add(start(0, second: -1)) { entries.append($0) }
    timeline.add(story) { entries.append($0) }
    for line in [
      start(1, second: 9, boot: "b"), line(2, .entry(late), second: 9, boot: "b"),
      line(3, closed(made, isLate: true), second: 9, boot: "b"),
    ] { timeline.add(line) { entries.append($0) } }
    timeline.finish { entries.append($0) }
    #expect(
      kinds(entries) == [
        "start", "opened", "software", "checkpoints", "closed", "start", "opened late", "closed late",
      ])
    #expect(entries[1].place == .journal(0) && entries[4].place == .journal(Int64(made.lines.count) - 1))
  }

  @Test("Software and settings are told with the first recording of a start, and again only when they are others")
  func software() throws {
    let (first, one) = try story()
    let (second, two) = try story(RecordingPlan(counter: 2))
    let (third, three) = try story(RecordingPlan(counter: 3, version: "other"))
    let lines = [one, two, three].enumerated().map { line(Int64($0), opened($1), second: Int64(9 * $0)) }
    let entries = all(lines, stories: [0: first, 1: second, 2: third])
    #expect(kinds(entries).count { $0 == "software" } == 2)
    #expect(
      entries.filter { if case .software = $0.event { true } else { false } }.map(\.recording?.counter) == [1, 3])
    let restarted = all(
      [lines[0], start(1, second: 5), line(2, opened(two), second: 9)], stories: [0: first, 2: second])
    #expect(kinds(restarted).count { $0 == "software" } == 2)
  }

  @Test("Numbers are the order whatever the wall clock says; where it moved by itself that is told, once")
  func jumps() {
    let step = LoggedLine.Content.entry(.audit(.event(.clockStep(was: 5))))
    let entries = all([
      start(0, second: 0), line(1, Self.battery, second: 10, wall: 11), line(2, Self.battery, second: 20, wall: 3_600),
      line(3, Self.battery, second: 30, wall: 3_610), line(4, Self.battery, second: 31, wall: 7),
      // A line that says so is enough.
      line(5, step, second: 40, wall: 90_000), line(6, Self.battery, second: 41, wall: 90_001),
    ])
    #expect(
      kinds(entries) == [
        "start", "battery", "jump 3579000", "battery", "battery", "jump -3604000", "battery", "clock set", "battery",
      ])
    #expect(entries.filter { $0.place != .derived }.map(\.place) == (0...6).map { .deviceLog($0) })
  }

  @Test("Between two runs of the machine only a clock that is behind is told")
  func boots() {
    let entries = all([
      start(0, second: 100), start(1, second: 1, wall: 500, boot: "b"), start(2, second: 1, wall: 400, boot: "c"),
    ])
    #expect(kinds(entries) == ["start", "start", "jump -100000", "start"])
  }

  @Test("How far the clock can be believed is known from the start's first word on it, for the start's own line, too")
  func trust() throws {
    let state = LoggedLine.Content.entry(.audit(.clockState(.rtc, .none)))
    let better = LoggedLine.Content.entry(.audit(.clockState(.ntp, .synchronized)))
    let (story, made) = try story()
    let entries = all(
      [
        start(0, second: 0), line(1, Self.battery, second: 1), line(2, state, second: 1),
        line(3, Self.battery, second: 2), line(4, better, second: 3), line(5, Self.battery, second: 4),
        start(6, second: 5), line(7, Self.battery, second: 6), start(8, second: 7), line(9, opened(made), second: 8),
      ], stories: [9: story])
    let told = entries.compactMap { entry -> String? in
      if case .deviceLog = entry.place { entry.trust?.rawValue ?? "-" } else { nil }
    }
    // The OPEN of a recording says it, too; a start that says nothing is not doubted.
    #expect(told == ["none", "none", "none", "none", "synced", "synced", "-", "-", "synced", "synced"])
  }

  @Test("A start that never says how far its clock can be believed holds back a bounded number of entries")
  func hold() {
    var count = 0
    var timeline = Timeline()
    timeline.add(start(0, second: 0)) { _ in count += 1 }
    for n in 1..<Int64(Timeline.holdLimit) { timeline.add(line(n, Self.battery, second: n)) { _ in count += 1 } }
    #expect(count == Timeline.holdLimit)
    timeline.add(line(Int64(Timeline.holdLimit), Self.battery, second: 100)) { _ in count += 1 }
    #expect(count == Timeline.holdLimit + 1)
  }

  @Test("Numbers that are not there are told where they would stand")
  func missing() {
    let entries = all([start(3, second: 0), line(5, Self.battery, second: 1), start(9, second: 2)])
    #expect(kinds(entries) == ["start", "missing 4...4", "battery", "missing 6...8", "start"])
  }

  @Test("Numbers and times at the ends of their ranges end nothing")
  func extremes() throws {
    let (story, made) = try story()
    for n in [Int64(0), 1, .max] {
      for time in [ClockReading(wall: 0, monotonic: 0), ClockReading(wall: .max, monotonic: .max)] {
        let first = LoggedLine(n: 0, clock: clock(0), boot: "a", content: Self.battery)
        let second = LoggedLine(n: n, clock: time, boot: "a", content: opened(made))
        let third = LoggedLine(n: n, clock: nil, boot: "b", content: closed(made))
        var entries: [TimelineEntry] = []
        var timeline = Timeline()
        timeline.add(first) { entries.append($0) }
        timeline.add(second, story: story) { entries.append($0) }
        timeline.add(third) { entries.append($0) }
        timeline.finish { entries.append($0) }
        #expect(kinds(entries).contains("closed") && entries.count >= 5)
      }
    }
    #expect(FootageNote(seconds: .infinity, value: "", message: "").time == 0)
    #expect(FootageNote(seconds: -1, value: "", message: "").time == 0)
  }

  @Test("A label is everything behind its key, lines of it, too")
  func label() {
    let note = FootageNote(seconds: 1, value: "mark", message: "source=socket\nlabel=one\nsource=two\n")
    #expect(note.label == "one\nsource=two\n" && note.fact("source") == "socket")
    #expect(FootageNote(seconds: 1, value: "mark", message: "source=button").label == nil)
  }
}
