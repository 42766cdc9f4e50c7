public import Media

/// Says at every moment which outputs are on: what is so and what happened in, levels out; no I/O, no clock.
///
/// For each output: a cue that is being told has it; else the main state, if it has a pattern for it; else the first condition in
/// the order of `Sign.conditions` that has one; else it is off. A state that stays keeps its phase, also while it is
/// covered; a new one begins its pattern at once. In stealth everything is off, and nothing of it comes later.
///
/// Times that are asked for are not before those of the last change.
public struct SignPlayer: Sendable {
  /// A pattern and when it began.
  private struct Part: Hashable, Sendable {
    var pattern: SignPattern
    var since: MonotonicTime

    func isOn(at time: MonotonicTime) -> Bool { pattern.isOn(after: time - since) }

    func nextTurn(after time: MonotonicTime) -> MonotonicTime? {
      pattern.nextTurn(after: time - since).map { since + $0 }
    }

    /// False before its beginning and from its end on.
    func isRunning(at time: MonotonicTime) -> Bool {
      time >= since && pattern.duration.map { time < since + $0 } ?? true
    }
  }

  public let table: SignTable
  /// Time from one reminder to the next; zero: none.
  public let reminder: Nanoseconds
  public private(set) var isStealth = false

  private var main: (sign: Sign, since: MonotonicTime)?
  /// Since when each condition is so.
  private var conditions: [Sign: MonotonicTime] = [:]
  /// What each output does when no cue has it; in the order of `SignOutput.allCases`.
  private var shown: [Part?]
  /// The last cue, also when it is over.
  private var cue: (entry: SignEntry, since: MonotonicTime)?
  /// Reminders from before are left out.
  private var quietUntil = MonotonicTime.distantPast

  /// All is off until the first `show`.
  /// - Parameter reminder: how often `Cue.reminder` is told by itself while *recording* is shown, counted from when it was first;
  ///   zero or less: never. At least as long as the cue itself.
  public init(table: SignTable, reminder: Nanoseconds) {
    self.table = table
    let length = Self.duration(of: table[.reminder])
    self.reminder = reminder > .zero && length > .zero ? max(reminder, length) : .zero
    shown = SignOutput.allCases.map { _ in nil }
  }

  /// What is so from now on. The same again changes nothing. Main states among the conditions count for nothing.
  public mutating func show(main sign: Sign, conditions signs: Set<Sign>, now: MonotonicTime) {
    var isSame = sign == main?.sign
    if !isSame { main = (sign, now) }
    for condition in Sign.conditions where signs.contains(condition) != (conditions[condition] != nil) {
      conditions[condition] = signs.contains(condition) ? now : nil
      isSame = false
    }
    if isSame { return }
    for (index, output) in SignOutput.allCases.enumerated() { shown[index] = part(for: output) }
  }

  /// Tells a cue, at once. It takes the place of one that is being told, and of a reminder. In stealth, and when the table has
  /// nothing for it, nothing happens.
  public mutating func play(_ cue: Cue, now: MonotonicTime) {
    let entry = table[cue]
    guard !isStealth, !entry.isEmpty else { return }
    self.cue = (entry, now)
    quietUntil = now + Self.duration(of: entry)
  }

  /// In stealth all outputs are off. A cue that was being told is forgotten. Afterwards is shown what is then so, in the phase that
  /// it would have had.
  public mutating func setStealth(_ isOn: Bool, now: MonotonicTime) {
    guard isOn != isStealth else { return }
    isStealth = isOn
    cue = nil
    quietUntil = now
  }

  /// The outputs that are on.
  public func levels(now: MonotonicTime) -> SignLevels {
    var levels: SignLevels = []
    guard !isStealth else { return levels }
    for (index, output) in SignOutput.allCases.enumerated() {
      if active(output, index, at: now)?.isOn(at: now) == true { levels.insert(SignLevels(output)) }
    }
    return levels
  }

  /// When `levels` changes next, if nothing is shown, told or silenced until then; nil: never.
  public func nextChange(after time: MonotonicTime) -> MonotonicTime? {
    guard !isStealth else { return nil }
    let before = levels(now: time)
    var moment = nextTurn(after: time)
    // Not every turn changes something: the end of a cue may give an output back to a state that lights it, too. It comes
    // to an end: what repeats for ever, a pattern or a reminder, is on and off by turns.
    while let turn = moment, levels(now: turn) == before { moment = nextTurn(after: turn) }
    return moment
  }

  // MARK: - Inside

  private static func duration(of entry: SignEntry) -> Nanoseconds {
    SignOutput.allCases.compactMap { entry[$0]?.duration }.max() ?? .zero
  }

  private func part(for output: SignOutput) -> Part? {
    if let main, let pattern = table[main.sign][output] { return Part(pattern: pattern, since: main.since) }
    for condition in Sign.conditions {
      if let since = conditions[condition], let pattern = table[condition][output] {
        return Part(pattern: pattern, since: since)
      }
    }
    return nil
  }

  /// What has the output.
  private func active(_ output: SignOutput, _ index: Int, at time: MonotonicTime) -> Part? {
    if let cue, let pattern = cue.entry[output] {
      let part = Part(pattern: pattern, since: cue.since)
      if part.isRunning(at: time) { return part }
    }
    if let since = lastReminder(at: time), let pattern = table[.reminder][output] {
      let part = Part(pattern: pattern, since: since)
      if part.isRunning(at: time) { return part }
    }
    return shown[index]
  }

  /// When something may change next.
  private func nextTurn(after time: MonotonicTime) -> MonotonicTime? {
    var next = nextReminder(after: time)
    for (index, output) in SignOutput.allCases.enumerated() {
      guard let turn = active(output, index, at: time)?.nextTurn(after: time) else { continue }
      next = min(turn, next ?? turn)
    }
    return next
  }

  /// The number of reminders that were due until `time`, and since when they count; nil when there are none to tell.
  private func reminders(at time: MonotonicTime) -> (count: Int64, since: MonotonicTime)? {
    guard let main, main.sign == .recording, reminder > .zero, time >= main.since else { return nil }
    return ((time - main.since).count / reminder.count, main.since)
  }

  /// When the last reminder began; one that fell due while a cue was told, or in stealth, is left out.
  private func lastReminder(at time: MonotonicTime) -> MonotonicTime? {
    guard let (count, since) = reminders(at: time), count > 0 else { return nil }
    let start = since + reminder * count
    return start >= quietUntil ? start : nil
  }

  private func nextReminder(after time: MonotonicTime) -> MonotonicTime? {
    reminders(at: time).map { $0.since + reminder * ($0.count + 1) }
  }
}
