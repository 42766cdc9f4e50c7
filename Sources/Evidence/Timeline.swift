/// Puts the lines of a device log and what is told of its recordings into one order, and says where they are not in one. Pure.
///
/// The numbers of the device log's lines are the order; wall times may jump. What a recording tells stands behind the line that
/// opened it and before the first line that was written later by the clock that never steps, at the latest before the next
/// START: a recording never outlives the process that writes it.
///
/// Memory: what is told of the recording that is open, and up to `holdLimit` entries of a start until it says how far its clock
/// can be believed.
public struct Timeline {
  /// Entries that wait for the first word on the clock.
  static let holdLimit = 64
  /// The wall clock may move against the other one by this much without a word: ms.
  static let jumpTolerance: Int64 = 1_000

  /// Of open recordings, by the clock that never steps.
  private var waiting: [TimelineEntry] = []
  private var held: [TimelineEntry] = []
  private var trust: WallClockTrust?
  private var isHolding = false
  private var lastNumber: Int64?
  private var last: (boot: String, clock: ClockReading)?
  private var boot = ""
  private var software: SoftwareFacts?
  /// Of the last RECOVER line: the RFILE lines behind it are its.
  private var lastRecovered: TimelineEntry.Recording?

  public init() {}

  /// The next line of the device log.
  /// - Parameters:
  ///   - story: of the recording that the line opens.
  ///   - emit: gets what is in its place for good, in order.
  public mutating func add(_ line: LoggedLine, story: RecordingStory? = nil, emit: (TimelineEntry) -> Void) {
    let place = TimelineEntry.Place.deviceLog(line.n)
    let clock = line.clock ?? last?.clock
    switch line.content {
    case .start:
      flush(emit)
      release(emit)
      trust = nil
      software = nil
      isHolding = true
    case .entry(let entry):
      if case .closed(let id, _, _, false) = entry { flush(of: id, emit) }
      // What became of a trigger stands in the middle of a recording: that it came behind the last line at hand ends nothing.
      if case .audit = entry {
        flush(upTo: clock?.monotonic, keepsEnds: true, emit)
      } else {
        flush(upTo: clock?.monotonic, emit)
      }
    case .unknown: flush(upTo: clock?.monotonic, emit)
    }
    boot = line.boot
    if let lastNumber, line.n - 1 > lastNumber {
      append(TimelineEntry(.missingLines(lastNumber + 1...line.n - 1), place: .derived, clock: clock), emit)
    }
    lastNumber = line.n
    switch line.content {
    case .start(let start): append(TimelineEntry(.start(start), place: place, clock: clock), emit)
    case .unknown(let unknown): append(TimelineEntry(.unknown(unknown), place: place, clock: clock), emit)
    case .entry(.opened(let id, let counter, _, let isLate)):
      let recording = TimelineEntry.Recording(counter: counter, id: id)
      believe(story?.facts?.clockTrust, emit)
      append(
        TimelineEntry(.opened(story?.facts, isLate: isLate), place: place, clock: clock, recording: recording), emit)
      if let story { wait(for: story, emit) }
    case .entry(.closed(let id, let counter, _, let isLate)):
      let recording = TimelineEntry.Recording(counter: counter, id: id)
      let closing = isLate ? nil : closings.removeValue(forKey: id)
      append(
        TimelineEntry(.closed(closing, isLate: isLate), place: place, clock: clock, recording: recording), emit)
    case .entry(let entry):
      if case .audit(.clockState(_, let trust)) = entry { believe(trust, emit) }
      append(TimelineEntry(.logged(entry), place: place, clock: clock, recording: recording(of: entry)), emit)
    }
  }

  /// A recording that no line opens at this place: of a log that does not have it, or whose line a later start wrote.
  public mutating func add(_ story: RecordingStory, emit: (TimelineEntry) -> Void) {
    if let facts = story.facts {
      flush(upTo: facts.clock.monotonic, emit)
      believe(facts.clockTrust, emit)
      append(
        TimelineEntry(
          .opened(facts, isLate: false), place: .journal(0), clock: facts.clock, recording: story.recording), emit)
    }
    wait(for: story, emit)
  }

  /// Nothing more comes.
  /// - Parameter mayRun: the newest recording may be going on.
  public mutating func finish(mayRun: Bool = true, emit: (TimelineEntry) -> Void) {
    if mayRun, let index = waiting.lastIndex(where: { if case .unclosed = $0.event { true } else { false } }),
      case .unclosed(let torn, _) = waiting[index].event
    {
      waiting[index].event = .unclosed(tornByteCount: torn, mayRun: true)
    }
    flush(emit)
    release(emit)
  }

  // MARK: - Recordings

  /// What CLOSE said of recordings whose CLOSED is awaited: one entry is told of both.
  private var closings: [EvidenceID: JournalDigest.Closing] = [:]

  private mutating func wait(for story: RecordingStory, _ emit: (TimelineEntry) -> Void) {
    if let facts = story.facts {
      let now = SoftwareFacts(facts)
      if now != software {
        append(
          TimelineEntry(.software(now), place: .journal(0), clock: facts.clock, recording: story.recording), emit)
      }
      software = now
    }
    waiting += story.entries
  }

  /// Before CLOSED: everything of this recording; its CLOSE is told with that line.
  private mutating func flush(of id: EvidenceID, _ emit: (TimelineEntry) -> Void) {
    let (own, others) = (waiting.filter { $0.recording?.id == id }, waiting.filter { $0.recording?.id != id })
    waiting = others
    for entry in own {
      if case .closed(let closing?, _) = entry.event { closings[id] = closing } else { append(entry, emit) }
    }
  }

  /// What was before this moment. Of a recording everything up to the last such entry: its order stays.
  /// - Parameter keepsEnds: how a recording without a close ended, and what sums it up, goes on waiting.
  private mutating func flush(upTo monotonic: Int64?, keepsEnds: Bool = false, _ emit: (TimelineEntry) -> Void) {
    let limit = monotonic ?? .max
    guard let end = waiting.lastIndex(where: { $0.clock.map { $0.monotonic <= limit } ?? true }) else { return }
    let ready = waiting[...end]
    let ends = keepsEnds ? ready.filter { $0.isEnd(of: waiting) } : []
    waiting = ends + waiting[(end + 1)...]
    for entry in ready where ends.isEmpty || !ends.contains(entry) { append(entry, emit) }
  }

  private mutating func flush(_ emit: (TimelineEntry) -> Void) { flush(upTo: nil, emit) }

  // MARK: - Clocks

  private mutating func append(_ entry: TimelineEntry, _ emit: (TimelineEntry) -> Void) {
    var entry = entry
    if let jump = jump(before: entry) { hold(jump, emit) }
    entry.clock = entry.clock ?? last?.clock
    hold(entry, emit)
  }

  /// What the two clocks say between this entry and the one before it.
  private mutating func jump(before entry: TimelineEntry) -> TimelineEntry? {
    guard let clock = entry.clock else { return nil }
    switch entry.place {
    case .deviceLog, .journal: break
    // Their times are worked out from other lines'.
    case .footage, .derived: return nil
    }
    defer { last = (boot, clock) }
    guard let before = last else { return nil }
    let isAcrossBoots = before.boot != boot
    // Numbers of a hostile log wrap; they must not end the process.
    let moved = clock.wall &- before.clock.wall
    let passed = isAcrossBoots ? 0 : (clock.monotonic &- before.clock.monotonic) / 1_000_000
    let jump = moved &- passed
    guard isAcrossBoots ? jump < -Self.jumpTolerance : jump.magnitude > UInt64(Self.jumpTolerance) else { return nil }
    switch entry.event {
    case .journal(.clockStep), .logged(.audit(.event(.clockStep))): return nil
    default: break
    }
    return TimelineEntry(
      .clockJump(milliseconds: jump, isAcrossBoots: isAcrossBoots), place: .derived, clock: clock)
  }

  /// From here on, and for what has waited for it since the recorder's start.
  private mutating func believe(_ trust: WallClockTrust?, _ emit: (TimelineEntry) -> Void) {
    guard let trust else { return }
    self.trust = trust
    release(emit)
  }

  private mutating func hold(_ entry: TimelineEntry, _ emit: (TimelineEntry) -> Void) {
    var entry = entry
    entry.trust = trust
    guard isHolding else { return emit(entry) }
    held.append(entry)
    if held.count >= Self.holdLimit { release(emit) }
  }

  private mutating func release(_ emit: (TimelineEntry) -> Void) {
    isHolding = false
    for var entry in held {
      entry.trust = trust
      emit(entry)
    }
    held.removeAll()
  }

  // MARK: - Recordings of lines

  /// The recording that a line is about.
  private mutating func recording(of entry: DeviceLogEntry) -> TimelineEntry.Recording? {
    switch entry {
    case .opened(let id, let counter, _, _), .closed(let id, let counter, _, _), .lost(let id, let counter):
      return TimelineEntry.Recording(counter: counter, id: id)
    case .void(let void): return TimelineEntry.Recording(counter: void.counter, id: void.id)
    case .recover(let journal):
      lastRecovered = TimelineEntry.Recording(counter: journal.counter, id: journal.id)
      return lastRecovered
    case .recoverFile(let file): return lastRecovered?.id == file.id ? lastRecovered : nil
    case .delete(let deletion): return TimelineEntry.Recording(counter: deletion.counter, id: deletion.id)
    case .audit(.trigger(let fate)): return fate.recording.map { TimelineEntry.Recording(counter: $0, id: nil) }
    case .check, .dock, .anchor, .audit: return nil
    }
  }
}

extension TimelineEntry {
  /// Stands at the end of a recording that has no close.
  fileprivate func isEnd(of entries: [TimelineEntry]) -> Bool {
    switch event {
    case .unclosed: true
    case .omitted, .finding, .sealed, .checkpoints:
      entries.contains { if case .unclosed = $0.event { $0.recording == recording } else { false } }
    default: false
    }
  }
}
