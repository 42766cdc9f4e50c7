import Evidence

/// Lines that wait to be written into the device log: bounded, and a flood of triggers of one kind becomes one line with a
/// count.
struct AuditBacklog {
  private(set) var lines: [AuditEvent] = []

  /// So many stand by themselves; after that, triggers of a kind that is there already are counted with it.
  static let separateLimit = 256
  /// Kinds are few; more than this cannot be meant.
  static let limit = 512

  /// False: it found no room, and is lost.
  mutating func add(_ event: AuditEvent) -> Bool {
    if lines.count >= Self.separateLimit, case .trigger(let fate) = event,
      let index = lines.lastIndex(where: { $0.isTrigger(ofSameKindAs: fate) }), case .trigger(var known) = lines[index]
    {
      known.count += fate.count
      lines[index] = .trigger(known)
      return true
    }
    guard lines.count < Self.limit else { return false }
    lines.append(event)
    return true
  }

  mutating func removeAll() { lines.removeAll() }
}

extension AuditEvent {
  /// All but when, and how many.
  fileprivate func isTrigger(ofSameKindAs fate: TriggerFate) -> Bool {
    guard case .trigger(let own) = self else { return false }
    return own.result == fate.result && own.cause == fate.cause && own.recording == fate.recording
      && own.other == fate.other && own.trigger.source == fate.trigger.source
      && own.trigger.reason == fate.trigger.reason
  }
}
