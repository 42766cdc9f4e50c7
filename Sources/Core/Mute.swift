public import Media

/// Whether sound is left out of the recording now: wishes and times in, answers out; no I/O, no clock.
///
/// It begins where it was asked for and never earlier, ends by a wish, at its longest, or with the recording, and is told
/// again and again while it lasts.
public struct Mute: Hashable, Sendable {
  /// What the agency allows.
  public struct Rules: Hashable, Sendable {
    public var isAllowed: Bool
    /// It ends by itself after that; zero: it does not.
    public var longest: Nanoseconds
    /// From one reminder to the next; zero: none.
    public var reminder: Nanoseconds

    public init(isAllowed: Bool, longest: Nanoseconds, reminder: Nanoseconds) {
      self.isAllowed = isAllowed
      self.longest = longest
      self.reminder = reminder
    }
  }

  public enum Answer: Hashable, Sendable {
    case muted
    case unmuted
    /// It was so already.
    case unchanged
    case notAllowed
    /// There is no recording to leave sound out of.
    case notRecording
  }

  /// What time brought.
  public enum Passing: Hashable, Sendable {
    case nothing
    case reminder
    /// The sound is on again, because it was off for as long as it may be.
    case longest
    /// The recording is over, and with it the mute.
    case ended
  }

  private let rules: Rules
  private var since: MonotonicTime?
  /// The recording that it is of, by its trigger's time.
  private var recording: MonotonicTime?
  private var nextReminder = MonotonicTime.distantFuture

  public init(_ rules: Rules) { self.rules = rules }

  public var isOn: Bool { since != nil }

  /// - Parameter recording: the time of the trigger of the one that is open; nil: none is, or it has no sound.
  public mutating func set(_ isOn: Bool, recording: MonotonicTime?, now: MonotonicTime) -> Answer {
    switch (isOn, since) {
    case (true, .some), (false, nil): return .unchanged
    case (true, nil):
      guard rules.isAllowed else { return .notAllowed }
      guard let recording else { return .notRecording }
      self.recording = recording
      since = now
      nextReminder = rules.reminder > .zero ? now + rules.reminder : .distantFuture
      return .muted
    case (false, .some):
      since = nil
      return .unmuted
    }
  }

  public mutating func pass(recording: MonotonicTime?, now: MonotonicTime) -> Passing {
    guard let since else { return .nothing }
    if recording != self.recording {
      self.since = nil
      return .ended
    }
    if rules.longest > .zero, now >= since + rules.longest {
      self.since = nil
      return .longest
    }
    guard now >= nextReminder else { return .nothing }
    nextReminder = now + rules.reminder
    return .reminder
  }
}

/// From when to when there is no sound, for whoever captures it: the samples of a block that are to be silence.
public struct MuteSchedule: Hashable, Sendable {
  private struct Change: Hashable, Sendable {
    var time: MonotonicTime
    var isOn: Bool
  }

  /// In the order of their times.
  private var changes: [Change] = []

  public init() {}

  /// False, and the usual: every sample is kept.
  public var isActive: Bool { !changes.isEmpty }

  /// From `time` on; not before the change before.
  public mutating func set(_ isOn: Bool, from time: MonotonicTime) {
    let time = max(time, changes.last?.time ?? time)
    guard isOn != (changes.last?.isOn ?? false) else { return }
    changes.append(Change(time: time, isOn: isOn))
  }

  /// The samples of a block that lie within it, by their indices; what lies before the block is forgotten.
  /// - Parameters:
  ///   - time: of the block's first sample.
  ///   - count: of its samples in each channel.
  ///   - rate: samples a second.
  public mutating func muted(from time: MonotonicTime, count: Int, rate: Int64) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var begin: Int? = nil
    for change in changes {
      let index = Self.index(of: change.time, from: time, count: count, rate: rate)
      if change.isOn {
        begin = index
      } else if let start = begin {
        if start < index { ranges.append(start..<index) }
        begin = nil
      }
    }
    if let begin, begin < count { ranges.append(begin..<count) }
    // The last change before the block's end says what is so at the next one's begin.
    while changes.count > 1, Self.index(of: changes[1].time, from: time, count: count, rate: rate) < count {
      changes.removeFirst()
    }
    if changes.count == 1, let last = changes.first, !last.isOn,
      Self.index(of: last.time, from: time, count: count, rate: rate) < count
    {
      changes.removeAll()
    }
    return ranges
  }

  /// The first sample at or after the moment: 0...count.
  private static func index(of moment: MonotonicTime, from time: MonotonicTime, count: Int, rate: Int64) -> Int {
    let distance = min((moment - time).count, 3_600_000_000_000)
    guard distance > 0 else { return 0 }
    return min(count, Int((distance * rate + 999_999_999) / 1_000_000_000))
  }
}
