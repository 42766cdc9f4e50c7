import Evidence

/// Triggers that wait to be written into the device log: bounded, and a flood of one kind becomes one line with a count.
struct FateBacklog {
  private(set) var lines: [TriggerFate] = []

  /// So many stand by themselves; after that, those of a kind that is there already are counted with it.
  static let separateLimit = 256
  /// Kinds are few; more than this cannot be meant.
  static let limit = 512

  /// False: it found no room, and is lost.
  mutating func add(_ fate: TriggerFate) -> Bool {
    if lines.count >= Self.separateLimit, let index = lines.lastIndex(where: { $0.isOfSameKind(as: fate) }) {
      lines[index].count += fate.count
      return true
    }
    guard lines.count < Self.limit else { return false }
    lines.append(fate)
    return true
  }

  mutating func removeAll() { lines.removeAll() }
}

extension TriggerFate {
  /// All but when, and how many.
  fileprivate func isOfSameKind(as other: TriggerFate) -> Bool {
    result == other.result && cause == other.cause && recording == other.recording && self.other == other.other
      && trigger.source == other.trigger.source && trigger.reason == other.trigger.reason
  }
}
