/// What is told of one recording: of its journal, and of its footage where that was opened. Pure.
public struct RecordingStory: Hashable, Sendable {
  public let recording: TimelineEntry.Recording
  /// What OPEN says; nil without a valid one.
  public let facts: OpenFacts?
  /// In the order in which they are told, all behind the opening.
  public private(set) var entries: [TimelineEntry] = []

  /// - Parameters:
  ///   - notes: what the wearer did, from the opened footage.
  ///   - sealed: footage that could not be opened or proved, in words.
  public init(_ digest: JournalDigest, notes: [FootageNote] = [], sealed: [String] = []) {
    recording = TimelineEntry.Recording(counter: digest.counter, id: digest.id)
    facts = digest.facts
    for event in digest.events { add(Self.event(event.what), .journal(event.n), event.clock) }
    for note in notes { add(.footage(note), .footage, digest.clock(atMedia: note.time) ?? digest.lastClock) }
    sort(notBefore: digest.facts?.clock.monotonic ?? 0)
    // What sums up stands at the end, whenever it was.
    if digest.eventsOmitted > 0 { add(.omitted(digest.eventsOmitted), .derived, digest.lastClock) }
    for finding in digest.findings { add(.finding(finding), .derived, digest.lastClock) }
    for words in sealed { add(.sealed(words), .derived, digest.lastClock) }
    if digest.checkpoints.count > 0 { add(.checkpoints(digest.checkpoints), .derived, digest.lastClock) }
    if let closing = digest.closing {
      add(.closed(closing, isLate: false), .journal(closing.n), closing.clock)
    } else if digest.facts != nil {
      add(
        .unclosed(tornByteCount: digest.tailByteCount, mayRun: false), digest.lastLine.map { .journal($0) } ?? .derived,
        digest.lastClock)
    }
  }

  /// A recording of which nothing but the opening is wanted.
  init(openingOf digest: JournalDigest) {
    recording = TimelineEntry.Recording(counter: digest.counter, id: digest.id)
    facts = digest.facts
  }

  /// A recording of which nothing can be read.
  public init(notAtHand words: String, counter: Int64, id: EvidenceID) {
    recording = TimelineEntry.Recording(counter: counter, id: id)
    facts = nil
    add(.notAtHand(words), .derived, nil)
  }

  private static func event(_ what: JournalDigest.What) -> TimelineEvent {
    switch what {
    case .event(let event): .journal(event)
    case .gaps(let run): .gaps(run)
    case .abandoned(let segment, let reason): .abandoned(segment: segment, reason)
    case .unknown(let line): .unknown(line)
    }
  }

  private mutating func add(_ event: TimelineEvent, _ place: TimelineEntry.Place, _ clock: ClockReading?) {
    entries.append(TimelineEntry(event, place: place, clock: clock, recording: recording))
  }

  /// By the clock that never steps; lines of the journal keep their order. What was before the opening, such as the trigger,
  /// stands directly behind it.
  private mutating func sort(notBefore opened: Int64) {
    let keys = entries.map { max(opened, $0.clock?.monotonic ?? opened) }
    let order = entries.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    entries = order.map { entries[$0] }
  }
}
