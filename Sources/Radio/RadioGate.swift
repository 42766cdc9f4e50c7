public import Media

/// Decides which advertisements are events: reports and times in, outcomes out; no I/O, no clock.
///
/// Its memory is fixed when it is made: one entry for each listed emitter, rule and cause of refusal, whatever is received. A
/// report costs a look at its AD structures, and two HMACs if it is of a known group.
///
/// Keep `counters` over restarts: store them after each `.start`, `.mark` and `.test`, and after a refusal for
/// `.rateLimited`; when they are the same as before there is nothing to store.
public struct RadioGate: Sendable {
  private struct Emitter: Sendable {
    var bucket: TokenBucket
    /// The last advertisement whose counter was used up here.
    var last: Last?
  }

  private struct Last: Sendable {
    var tag: [UInt8]
    var firstHeard: MonotonicTime
    /// False: the rate limit stood against it.
    var isAccepted: Bool
  }

  private struct Rule: Sendable {
    var bucket: TokenBucket
    var lastHeard: MonotonicTime?
  }

  private let settings: RadioGateSettings
  private let keys: [UInt16: RadioKey]
  private var emitters: [UInt32: Emitter] = [:]
  private var rules: [Rule]
  private var total: TokenBucket
  private var log = RefusalLog()

  /// The last counter of each emitter, also of those that are not listed now: one that is listed again must not start over.
  public private(set) var counters: RadioCounters

  /// - Parameter counters: as a gate before this one left them.
  /// - Throws: settings that contradict themselves or would need more memory than a gate may have.
  public init(_ settings: RadioGateSettings, counters: RadioCounters = RadioCounters()) throws(RadioSettingsError) {
    try settings.check()
    self.settings = settings
    self.counters = counters
    keys = Dictionary(settings.groups.map { ($0.id, $0.key) }, uniquingKeysWith: { first, _ in first })
    let bucket = TokenBucket(settings.emitterLimit)
    for group in settings.groups {
      for emitter in group.emitters {
        emitters[RadioCounters.place(group.id, emitter)] = Emitter(bucket: bucket)
      }
    }
    rules = settings.rules.map { _ in Rule(bucket: bucket) }
    total = TokenBucket(settings.totalLimit)
    // So that there is always room for the counter of a listed emitter.
    let together = counters.count + emitters.keys.count { counters[place: $0] == nil }
    if together > RadioCounters.limit { throw .counters(counters.count) }
  }

  /// Takes one report.
  public mutating func take(
    _ report: AdvertisingReport, at now: MonotonicTime, clock: RadioClock
  ) -> RadioOutcome {
    switch SealedAdvertisement.find(in: report.data.span, company: settings.company) {
    case .foreign: matchRules(report, now)
    case .malformed: log.add(.malformed, at: now)
    case .sealed(let sealed): open(sealed, report, now, clock)
    }
  }

  /// When to ask for `summaries` next; nil: when something was refused.
  public var nextSummary: MonotonicTime? { log.deadline }

  /// What was refused without being told and is due now. A flood's end is told so; while it lasts, `.refused` tells.
  public mutating func summaries(at now: MonotonicTime) -> [RadioSummary] { log.summaries(at: now) }

  /// What was refused without being told until now; it goes on waiting for its time.
  public var untold: [RadioSummary] { log.untold }

  // MARK: - Ours

  private mutating func open(
    _ sealed: SealedAdvertisement, _ report: AdvertisingReport, _ now: MonotonicTime, _ clock: RadioClock
  ) -> RadioOutcome {
    guard let key = keys[sealed.group] else { return log.add(.unknownGroup, at: now) }
    guard let said = sealed.opened(with: key) else { return log.add(.badMAC, at: now) }
    let place = RadioCounters.place(said.group, said.emitter)
    guard var emitter = emitters[place] else { return log.add(.unknownEmitter, at: now) }

    let age = Self.minutes(from: said.minute, to: clock.minute)
    let signal = RadioSignal(
      event: said.event,
      source: .emitter(
        group: said.group, emitter: said.emitter, counter: said.counter, ageMinutes: clock.isTrusted ? age : nil),
      address: report.address, rssi: report.rssi)

    var firstHeard = now
    if let known = counters[said.group, said.emitter], said.counter <= known {
      guard said.counter == known, let last = emitter.last, last.tag == sealed.tag,
        now < last.firstHeard + settings.repeatTime
      else { return log.add(.replayed, at: now) }
      if last.isAccepted { return .repeated(signal) }
      // The limit stood against it. An emitter sends the same for seconds: it gets another chance, for as long as that.
      firstHeard = last.firstHeard
    }
    if clock.isTrusted && abs(age) > settings.oldestMinutes { return log.add(.tooOld, at: now) }

    let isAllowed = emitter.bucket.isOpen(at: now) && total.isOpen(at: now)
    if isAllowed {
      emitter.bucket.take()
      total.take()
    }
    // Used up also when it was too much: kept for later, it would be a start in the hands of whoever recorded it.
    counters.raise(group: said.group, emitter: said.emitter, to: said.counter)
    emitter.last = Last(tag: sealed.tag, firstHeard: firstHeard, isAccepted: isAllowed)
    emitters[place] = emitter
    return isAllowed ? accepted(signal) : log.add(.rateLimited, at: now)
  }

  private func accepted(_ signal: RadioSignal) -> RadioOutcome {
    switch signal.event.effect {
    case .nothing: .test(signal)
    case .start: .start(signal)
    case .mark: .mark(signal)
    }
  }

  /// From one minute to another by the shorter way round the 65,536: −32,768…32,767.
  static func minutes(from: UInt16, to: UInt16) -> Int { Int(Int16(bitPattern: to &- from)) }

  // MARK: - Anybody's

  private mutating func matchRules(_ report: AdvertisingReport, _ now: MonotonicTime) -> RadioOutcome {
    guard !rules.isEmpty, let index = settings.rules.firstIndex(where: { Self.matches($0, report.data.span) }) else {
      return log.add(.notOurs, at: now)
    }
    let signal = RadioSignal(
      event: settings.rules[index].event, source: .rule(index), address: report.address, rssi: report.rssi)
    if let heard = rules[index].lastHeard, now < heard + settings.ruleRest {
      rules[index].lastHeard = max(heard, now)
      return .repeated(signal)
    }
    guard rules[index].bucket.isOpen(at: now), total.isOpen(at: now) else { return log.add(.rateLimited, at: now) }
    rules[index].bucket.take()
    total.take()
    rules[index].lastHeard = now
    return accepted(signal)
  }

  private static func matches(_ rule: RadioRule, _ data: Span<UInt8>) -> Bool {
    for structure in AdvertisingData.structures(of: data) where structure.type == AdvertisingData.manufacturerType {
      let start = structure.content.lowerBound + 2 + rule.offset
      let end = start + rule.pattern.count
      if !structure.isCut, data.integer16(structure.content.lowerBound) == rule.company,
        end <= structure.content.upperBound, data.bytes(start..<end) == rule.pattern
      {
        return true
      }
    }
    return false
  }
}
