import Evidence

/// What waits to be written into the device log: triggers for a checkpoint, anything else until nothing is recorded. Bounded, and a flood of one kind becomes one line with
/// a count.
struct AuditBacklog {
  private(set) var events: [AuditEvent] = []

  /// So many triggers stand by themselves; after that, those of a kind that is there already are counted with it.
  static let separateLimit = 256
  /// Kinds are few; more than this cannot be meant.
  static let limit = 512
  /// So many are of anything but triggers; after that, the newest of what is told of one thing takes the place of the one before.
  static let otherLimit = 192

  /// False: it found no room, or can stand in no line, and is lost. One that no line can carry would keep all others from
  /// being written.
  mutating func add(_ event: AuditEvent) -> Bool {
    do throws(EvidenceError) { try event.requireValid() } catch { return false }
    if let index = events.lastIndex(where: { $0.canCount(event, isCrowded: events.count >= Self.separateLimit) }),
      let together = events[index].counting(event)
    {
      events[index] = together
      return true
    }
    if !event.isTrigger, events.count(where: { !$0.isTrigger }) >= Self.otherLimit {
      guard let index = events.lastIndex(where: { $0.tellsOfTheSame(as: event) }) else { return false }
      events.remove(at: index)
    }
    guard events.count < Self.limit else { return false }
    events.append(event)
    return true
  }

  /// What became of a trigger is among them.
  var hasTriggers: Bool { events.contains { $0.isTrigger } }

  mutating func removeAll() { events.removeAll() }
}

extension AuditEvent {
  fileprivate var isTrigger: Bool { if case .trigger = self { true } else { false } }

  /// Whether the other one says how the same thing is by now.
  fileprivate func tellsOfTheSame(as other: AuditEvent) -> Bool {
    switch (self, other) {
    case (.source(let health), .source(let newer)): health.source == newer.source
    case (.configuration, .configuration), (.clockState, .clockState), (.armed, .armed), (.check, .check): true
    case (.event(let event), .event(let newer)): event.code == newer.code
    default: false
    }
  }

  /// Whether the other one may be told as a count of this one.
  fileprivate func canCount(_ other: AuditEvent, isCrowded: Bool) -> Bool {
    switch (self, other) {
    case (.trigger(let fate), .trigger(let another)): isCrowded && fate.isOfSameKind(as: another)
    // The causes are told once a minute at most: over a long recording they add up.
    case (.radio(let refusals), .radio(let more)): refusals.cause == more.cause
    default: false
    }
  }

  /// This one with the other one's count; nil where there is no such thing.
  fileprivate func counting(_ other: AuditEvent) -> AuditEvent? {
    switch (self, other) {
    case (.trigger(var fate), .trigger(let another)):
      fate.count += another.count
      return .trigger(fate)
    case (.radio(var refusals), .radio(let more)):
      refusals.count += more.count
      return .radio(refusals)
    default: return nil
    }
  }
}

extension TriggerFate {
  /// All but when, and how many.
  fileprivate func isOfSameKind(as other: TriggerFate) -> Bool {
    result == other.result && cause == other.cause && recording == other.recording && self.other == other.other
      && trigger.source == other.trigger.source && trigger.reason == other.trigger.reason
  }
}
