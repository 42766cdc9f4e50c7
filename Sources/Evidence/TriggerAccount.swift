/// Every trigger that a card tells of, with the recording that it made or the reason why it made none. Pure.
///
/// From what the camera signed and in clear: OPEN of each recording, and the device log. No secret is needed.
public struct TriggerAccount: Sendable {
  /// A recording, with what began it.
  public struct Recording: Hashable, Sendable {
    public var counter: Int64
    public var id: EvidenceID
    /// Nil in recordings of early versions, and of those that are not on the card.
    public var start: StartFacts?
    /// ms from the trigger's first edge to the first footage on the card; nil when there is none.
    public var millisecondsToDurable: Int64?
    public var state: State
    /// Triggers that came while it ran, beside the one that began it.
    public internal(set) var continued: Int64 = 0
  }

  public enum State: Hashable, Sendable {
    case present(Verdict)
    /// Deleted against a receipt.
    case deleted
    /// The device log tells of it, and it is not on the card.
    case missing
  }

  /// A trigger or press that began no recording by itself.
  public struct Other: Hashable, Sendable {
    public var fate: TriggerFate
    /// The device-log line.
    public var line: Int64
  }

  /// In the order of their counters.
  public private(set) var recordings: [Recording] = []
  /// Triggers that are within a recording that another began.
  public private(set) var continued: [Other] = []
  /// Triggers that nothing was recorded for, and why.
  public private(set) var refused: [Other] = []
  /// Presses that asked for no recording: stops and markers while nothing was recorded, and what was no gesture.
  public private(set) var presses: [Other] = []
  /// Triggers that have neither a recording nor a reason: they were heard, and then nothing is known of them.
  public private(set) var unaccounted: [Other] = []
  /// Counters of recordings that were begun and cut off before they existed.
  public private(set) var cutOff: [Int64] = []

  /// - Parameter verdicts: of the recordings on the card.
  public init(log: DeviceLog, verdicts: [Verdict]) {
    var present: [EvidenceID: Verdict] = [:]
    for verdict in verdicts { if let opening = verdict.opening { present[opening.id] = verdict } }
    var counters: Set<Int64> = []
    for (counter, openings) in log.openings {
      for opening in openings {
        let state: State =
          if let verdict = present[opening.id] {
            .present(verdict)
          } else if log.deletions[opening.id] != nil {
            .deleted
          } else {
            .missing
          }
        recordings.append(Self.recording(counter, opening.id, state))
        counters.insert(counter)
      }
    }
    // What the log does not tell of: it is torn, or not this camera's.
    let known = Set(recordings.map(\.id))
    for verdict in verdicts {
      guard let opening = verdict.opening, !known.contains(opening.id) else { continue }
      recordings.append(Self.recording(opening.facts.recordingCounter, opening.id, .present(verdict)))
      counters.insert(opening.facts.recordingCounter)
    }
    recordings.sort { ($0.counter, $0.id.description) < ($1.counter, $1.id.description) }
    cutOff = log.voided.subtracting(counters).sorted().filter { !isRetried($0, log) }
    join(log, counters)
  }

  /// The card failed while it was opened, and the same trigger made the next recording, in the same run of the machine.
  private func isRetried(_ counter: Int64, _ log: DeviceLog) -> Bool {
    guard let time = log.voidTimes[counter], let next = recordings.first(where: { $0.counter > counter }),
      let start = next.start, case .present(let verdict) = next.state, let facts = verdict.opening?.facts
    else { return false }
    return facts.boot.description == time.boot && start.trigger.edge < time.monotonic
  }

  private static func recording(_ counter: Int64, _ id: EvidenceID, _ state: State) -> Recording {
    guard case .present(let verdict) = state else {
      return Recording(counter: counter, id: id, start: nil, millisecondsToDurable: nil, state: state)
    }
    let start = verdict.opening?.facts.start
    let taken = start.flatMap { start in verdict.firstDurable.map { max(0, $0 - start.trigger.edge) / 1_000_000 } }
    return Recording(counter: counter, id: id, start: start, millisecondsToDurable: taken, state: state)
  }

  /// What tells one press from another.
  private struct Press: Hashable {
    var source: String
    var edge: Int64

    init(_ trigger: TriggerFacts) { (source, edge) = (trigger.source, trigger.edge) }
  }

  private mutating func join(_ log: DeviceLog, _ counters: Set<Int64>) {
    let begun = Set(recordings.compactMap { $0.start.map { Press($0.trigger) } })
    let begunEdges = Set(begun.map(\.edge))
    // Recordings that do not say what began them, each by one trigger.
    var silent = recordings.count { $0.start == nil }
    var ended: [Press: TriggerFate] = [:]
    var seen: Set<TriggerFate> = []
    var open: [Other] = []
    for logged in log.triggers where seen.insert(logged.fate).inserted {
      let other = Other(fate: logged.fate, line: logged.n)
      switch logged.fate.result {
      case .continued: open.append(other)
      case .remembered: open.append(other)
      case .refused, .dropped:
        ended[Press(logged.fate.trigger)] = logged.fate
        refused.append(other)
      case .idle, .unclear, .stuck: presses.append(other)
      }
    }
    let endedEdges = Set(ended.keys.map(\.edge))
    for other in open {
      // One that came too late for the recording that it was meant for, and began the next.
      if begun.contains(Press(other.fate.trigger)) { continue }
      switch (other.fate.result, other.fate.recording, other.fate.other) {
      case (.continued, let counter?, _):
        guard counters.contains(counter) else {
          unaccounted.append(other)
          continue
        }
        continued.append(other)
        if let index = recordings.lastIndex(where: { $0.counter == counter }) {
          recordings[index].continued = Self.sum([other], from: recordings[index].continued)
        }
      case (.continued, nil, let edge?) where begunEdges.contains(edge): continued.append(other)
      case (.continued, nil, let edge?) where endedEdges.contains(edge): refused.append(other)
      case (.remembered, _, _) where ended[Press(other.fate.trigger)] != nil: break
      default:
        if silent > 0 {
          silent -= 1
          continued.append(other)
        } else {
          unaccounted.append(other)
        }
      }
    }
  }

  /// Triggers that began a recording. A failing card may have made two recordings of one.
  public var beginnings: Int64 {
    let told = recordings.compactMap { $0.start.map { Press($0.trigger) } }
    return Int64(Set(told).count + recordings.count - told.count)
  }

  /// All that asked for a recording.
  public var triggerCount: Int64 {
    Self.sum(continued + refused + unaccounted, from: beginnings + Int64(cutOff.count))
  }

  /// How many they stand for. Stops at the largest number: the log may be a hostile one.
  public static func sum(_ others: [Other], from: Int64 = 0) -> Int64 {
    others.reduce(from) { sum, other in
      let (result, isTooLarge) = sum.addingReportingOverflow(other.fate.count)
      return isTooLarge ? Int64.max : result
    }
  }
}
