public import Media

/// A group of emitters and the cameras that listen to them.
public struct RadioGroup: Sendable {
  public var id: UInt16
  public var key: RadioKey
  /// Those that may start a recording. Another one with the right key is refused by name.
  public var emitters: Set<UInt16>

  public init(id: UInt16, key: RadioKey, emitters: Set<UInt16>) {
    self.id = id
    self.key = key
    self.emitters = emitters
  }
}

/// For a lab: a pattern in somebody else's advertisements that counts as an event. Anybody can send it, so its signals
/// are marked as unauthenticated.
public struct RadioRule: Hashable, Sendable {
  public var company: UInt16
  /// Where the pattern must stand, in bytes behind the company id.
  public var offset: Int
  /// 1 to 29 bytes.
  public var pattern: [UInt8]
  public var event: RadioEvent

  public init(company: UInt16, offset: Int, pattern: [UInt8], event: RadioEvent) {
    self.company = company
    self.offset = offset
    self.pattern = pattern
    self.event = event
  }
}

/// What a `RadioGate` accepts.
public struct RadioGateSettings: Sendable {
  public static let groupLimit = 16
  /// Of all groups together: bounds the gate's memory.
  public static let emitterLimit = 1_024
  public static let ruleLimit = 16
  /// Bytes of manufacturer-specific content behind a company id in an extended advertisement, at most.
  static let contentLimit = 251

  public var company = RadioAdvertisement.testCompany
  public var groups: [RadioGroup]
  /// Empty unless somebody asks for it.
  public var rules: [RadioRule] = []
  /// By how much an advertisement's minute may differ from a trusted clock, in either direction.
  public var oldestMinutes = 10
  /// For how long the same advertisement is the same event, from when it was first heard. Later it is a replay.
  public var repeatTime = Nanoseconds.seconds(120)
  /// A rule's advertisement that was not heard for this long is a new event. It has no counter to tell by.
  public var ruleRest = Nanoseconds.seconds(60)
  /// Of each emitter and each rule.
  public var emitterLimit = RateLimit(burst: 5, interval: .seconds(10))
  /// Of all together.
  public var totalLimit = RateLimit(burst: 20, interval: .seconds(2))

  public init(groups: [RadioGroup] = []) { self.groups = groups }

  func check() throws(RadioSettingsError) {
    if groups.count > Self.groupLimit { throw .groups(groups.count) }
    var seen: Set<UInt16> = []
    for group in groups where !seen.insert(group.id).inserted { throw .groupTwice(group.id) }
    let emitters = groups.reduce(0) { $0 + $1.emitters.count }
    if emitters > Self.emitterLimit { throw .emitters(emitters) }
    if rules.count > Self.ruleLimit { throw .rules(rules.count) }
    for (index, rule) in rules.enumerated() {
      guard (1...29).contains(rule.pattern.count), (0...(Self.contentLimit - rule.pattern.count)).contains(rule.offset)
      else { throw .rule(index) }
    }
    // A day of minutes is far from where the 16 bits wrap.
    if !(1...1_440).contains(oldestMinutes) { throw .age(oldestMinutes) }
    let hour = Nanoseconds.seconds(3_600)
    for limit in [emitterLimit, totalLimit] {
      guard (1...1_000).contains(limit.burst), limit.interval > .zero, limit.interval <= hour else {
        throw .rate(limit)
      }
    }
    for time in [repeatTime, ruleRest] {
      if time <= .zero || time > hour { throw .time(time) }
    }
  }
}

/// Settings that a gate cannot work with.
public enum RadioSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  case groups(Int)
  case groupTwice(UInt16)
  case emitters(Int)
  case rules(Int)
  /// The rule's place in the list, from 0.
  case rule(Int)
  case age(Int)
  case rate(RateLimit)
  case time(Nanoseconds)
  /// How many counters were kept from before.
  case counters(Int)

  public var description: String {
    switch self {
    case .groups(let count): "\(count) radio groups are set: at most \(RadioGateSettings.groupLimit) are possible."
    case .groupTwice(let id): "the radio group \(id) is set twice: give each group an id and a key of its own."
    case .emitters(let count):
      "\(count) radio emitters are set: at most \(RadioGateSettings.emitterLimit) are possible in all groups together."
    case .rules(let count): "\(count) plain radio rules are set: at most \(RadioGateSettings.ruleLimit) are possible."
    case .rule(let index):
      "the plain radio rule \(index + 1) needs a pattern of 1 to 29 bytes that ends at most "
        + "\(RadioGateSettings.contentLimit) bytes behind the company id."
    case .age(let minutes): "\(minutes) minutes as the oldest advertisement: 1 to 1440 are possible."
    case .rate(let limit):
      "a radio rate of \(limit.burst) at once and one each \(limit.interval.inMilliseconds) ms: 1 to 1000 at once and up "
        + "to an hour are possible."
    case .counters(let count):
      "\(count) radio counters were kept, which with the emitters that are set now is more than \(RadioCounters.limit): "
        + "give the groups new keys and delete the file of the counters."
    case .time(let time):
      "\(time.inMilliseconds) ms as a time of the radio gate: more than 0 and up to an hour is possible."
    }
  }
}
