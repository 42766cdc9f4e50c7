/// What is new in an audit log that is read again and again while a recorder goes on writing. Pure: entries in, those that were not
/// told yet out, in their order.
///
/// What may still change is told when it is over: the summary of a recording's checkpoints with its end, gaps when no more follow.
/// Memory: of the entries of recordings that go on, some 200 bytes each.
public struct TimelineTail: Sendable {
  /// What is told once.
  private enum Key: Hashable, Sendable {
    case journal(TimelineEntry.Recording?, Int64)
    /// For what stands in no line, or grows where it stands. The clock alone tells two of its jumps apart.
    case event(TimelineEntry.Recording?, TimelineEvent, ClockReading?)
  }

  /// Recordings of which everything was told.
  public private(set) var finished: Set<EvidenceID> = []
  /// The newest line of the device log that was told; -1: none.
  public private(set) var lastLine: Int64 = -1
  private var told: Set<Key> = []
  private var unsettled: Set<TimelineEntry> = []

  public init() {}

  /// Something was left out that may have come to its end: worth another look, even when nothing was written.
  public var isWaiting: Bool { !unsettled.isEmpty }

  /// This one was told, or is not wanted any more.
  public mutating func skip(_ entry: TimelineEntry) { _ = isNew(entry) }

  /// - Parameter entries: the newest of the log, in order, all that are new among them.
  public mutating func take(_ entries: [TimelineEntry]) -> [TimelineEntry] {
    // What the device log tells as closed long ago is told, or was left out when the following began: the newest entries may reach
    // further back than they did then.
    for entry in entries {
      if case .closed = entry.event, case .deviceLog(let line) = entry.place, line <= lastLine {
        finish(entry.recording)
      }
    }
    var running: Set<TimelineEntry.Recording?> = []
    for entry in entries { if case .unclosed(_, mayRun: true) = entry.event { running.insert(entry.recording) } }
    var new: [TimelineEntry] = []
    var unsettled: Set<TimelineEntry> = []
    for entry in entries {
      switch entry.event {
      case .unclosed(_, mayRun: true): continue
      case .checkpoints where running.contains(entry.recording), .omitted where running.contains(entry.recording):
        continue
      // More may follow that are told together with it; and behind CLOSE stands CLOSED, a moment later.
      case .gaps where running.contains(entry.recording), .closed where entry.place.isJournal:
        if wasTold(entry) { continue }
        guard self.unsettled.contains(entry) else {
          unsettled.insert(entry)
          continue
        }
      default: break
      }
      if isNew(entry) { new.append(entry) }
    }
    self.unsettled = unsettled
    return new
  }

  private func wasTold(_ entry: TimelineEntry) -> Bool {
    if case .deviceLog(let line) = entry.place { return line <= lastLine }
    if let id = entry.recording?.id, finished.contains(id) { return true }
    return told.contains(key(of: entry))
  }

  /// False when it was told before; from now on it was.
  private mutating func isNew(_ entry: TimelineEntry) -> Bool {
    if wasTold(entry) { return false }
    if case .deviceLog(let line) = entry.place { lastLine = line } else { told.insert(key(of: entry)) }
    switch entry.event {
    case .closed, .unclosed(_, mayRun: false): finish(entry.recording)
    default: break
    }
    return true
  }

  private mutating func finish(_ recording: TimelineEntry.Recording?) {
    guard let recording, let id = recording.id else { return }
    finished.insert(id)
    told = told.filter {
      switch $0 {
      case .journal(let other, _), .event(let other, _, _): other != recording
      }
    }
  }

  private func key(of entry: TimelineEntry) -> Key {
    switch (entry.place, entry.event) {
    case (.journal(let line), .journal), (.journal(let line), .abandoned), (.journal(let line), .unknown):
      .journal(entry.recording, line)
    case (_, .clockJump): .event(entry.recording, entry.event, entry.clock)
    default: .event(entry.recording, entry.event, nil)
    }
  }
}

extension TimelineEntry.Place {
  fileprivate var isJournal: Bool { if case .journal = self { true } else { false } }
}
