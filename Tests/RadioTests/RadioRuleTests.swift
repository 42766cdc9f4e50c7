import Media
import Testing

@testable import Radio

@Suite("Plain rules, and settings of a radio gate")
struct RadioRuleTests {
  private func gate(_ change: (inout RadioGateSettings) -> Void = { _ in }) throws -> RadioGate {
    var settings = Air.settings()
    change(&settings)
    return try RadioGate(settings)
  }

  @Test("Without rules nobody else's advertisement does anything; with one it counts as unauthenticated")
  func rules() throws {
    let beacon: [UInt8] = [2, 1, 6, 7, 0xFF, 0x4D, 0, 9, 1, 2, 3]
    var without = try gate()
    #expect(without.take(Air.report(beacon), at: .at(0), clock: Air.trusted) == .quiet(.notOurs))
    var gate = try gate {
      $0.rules = [
        RadioRule(company: 0x4D, offset: 1, pattern: [1, 2], event: .door),
        RadioRule(company: 0x4E, offset: 0, pattern: [9], event: .mark),
      ]
    }
    let expected = RadioSignal(event: .door, source: .rule(0), address: Air.address, rssi: -60)
    #expect(gate.take(Air.report(beacon), at: .at(0), clock: Air.trusted) == .start(expected))
    #expect(!expected.isAuthenticated && !expected.isAgeKnown)
    let other: [UInt8] = [4, 0xFF, 0x4E, 0, 9]
    let mark = RadioSignal(event: .mark, source: .rule(1), address: Air.address, rssi: -60)
    #expect(gate.take(Air.report(other), at: .at(0), clock: Air.trusted) == .mark(mark))
    for wrong: [UInt8] in [
      [6, 0xFF, 0x4D, 0, 9, 1], [6, 0xFF, 0x4D, 0, 9, 1, 3], [6, 0xFE, 0x4D, 0, 9, 1, 2], [6, 0xFF, 0x4D, 1, 9, 1, 2],
      [7, 0xFF, 0x4D, 0, 9, 1, 2], [3, 0xFF, 0x4E, 0], [3, 0xFF, 0x4E, 0, 9], [2, 0xFF, 0x4E],
    ] { #expect(gate.take(Air.report(wrong), at: .at(200), clock: Air.trusted) == .quiet(.notOurs), "\(wrong)") }
  }

  @Test("A rule's advertisement that goes on is one event; after a minute's rest it is another, as the rates allow")
  func ruleRepeats() throws {
    let beacon = Air.report([4, 0xFF, 0x4D, 0, 9])
    var gate = try gate { $0.rules = [RadioRule(company: 0x4D, offset: 0, pattern: [9], event: .door)] }
    let signal = RadioSignal(event: .door, source: .rule(0), address: Air.address, rssi: -60)
    #expect(gate.take(beacon, at: .at(0), clock: Air.trusted) == .start(signal))
    for second in stride(from: 1.0, to: 300, by: 59) {
      #expect(gate.take(beacon, at: .at(second), clock: Air.trusted) == .repeated(signal))
    }
    #expect(gate.take(beacon, at: .at(400), clock: Air.trusted) == .start(signal))
    var tight = try self.gate {
      $0.rules = [RadioRule(company: 0x4D, offset: 0, pattern: [9], event: .door)]
      $0.emitterLimit = RateLimit(burst: 1, interval: .seconds(3_600))
    }
    #expect(tight.take(beacon, at: .at(0), clock: Air.trusted) == .start(signal))
    #expect(tight.take(beacon, at: .at(100), clock: Air.trusted) == .refused(.rateLimited, untold: 0))
  }

  @Test("What is ours is never taken for somebody else's, also by a rule with our company id")
  func ruleBehind() throws {
    var gate = try gate {
      $0.rules = [RadioRule(company: RadioAdvertisement.testCompany, offset: 0, pattern: [0xA1], event: .door)]
    }
    let forged = Air.report(Air.said(), key: Air.otherKey)
    #expect(gate.take(forged, at: .at(0), clock: Air.trusted) == .refused(.badMAC, untold: 0))
  }

  @Test("Settings that contradict themselves or have no bound are refused, with what is possible")
  func settings() {
    func error(_ change: (inout RadioGateSettings) -> Void) -> RadioSettingsError? {
      do { _ = try gate(change) } catch { return error as? RadioSettingsError }
      return nil
    }
    #expect(error { _ in } == nil)
    #expect(error { $0.groups.append($0.groups[0]) } == .groupTwice(7))
    let many = (UInt16(0)..<17).map { RadioGroup(id: $0, key: Air.key, emitters: []) }
    #expect(error { $0.groups = many } == .groups(17))
    #expect(error { $0.groups[0].emitters = Set(0..<1_024) } == .emitters(1_025))
    let rule = RadioRule(company: 1, offset: 0, pattern: [1], event: .door)
    #expect(error { $0.rules = Array(repeating: rule, count: 17) } == .rules(17))
    for (offset, count) in [(0, 0), (0, 30), (-1, 1), (251, 1), (.max, 1), (.min, 1)] {
      let wrong = RadioRule(company: 1, offset: offset, pattern: [UInt8](repeating: 1, count: count), event: .door)
      #expect(error { $0.rules = [rule, wrong] } == .rule(1))
    }
    #expect(error { $0.rules = [RadioRule(company: 1, offset: 250, pattern: [1], event: .door)] } == nil)
    for minutes in [0, -1, 1_441, .max] { #expect(error { $0.oldestMinutes = minutes } == .age(minutes)) }
    for limit in [
      RateLimit(burst: 0, interval: .seconds(1)), RateLimit(burst: 1_001, interval: .seconds(1)),
      RateLimit(burst: 1, interval: .zero), RateLimit(burst: 1, interval: Nanoseconds(.max)),
    ] {
      #expect(error { $0.emitterLimit = limit } == .rate(limit))
      #expect(error { $0.totalLimit = limit } == .rate(limit))
    }
    #expect(error { $0.repeatTime = .zero } == .time(.zero))
    #expect(error { $0.ruleRest = Nanoseconds(.max) } == .time(Nanoseconds(.max)))
    #expect(RadioSettingsError.rule(1).description.hasPrefix("the plain radio rule 2 needs a pattern of 1 to 29 bytes"))
  }

  @Test("Counters that leave no room for the listed emitters are refused")
  func room() throws {
    var counters = RadioCounters()
    for emitter in 0..<UInt16(RadioCounters.limit - 3) { counters.raise(group: 1, emitter: emitter, to: 1) }
    #expect(throws: RadioSettingsError.counters(RadioCounters.limit - 3)) {
      try RadioGate(Air.settings(), counters: counters)
    }
    var fitting = RadioCounters()
    for emitter in 0..<UInt16(RadioCounters.limit - 4) { fitting.raise(group: 1, emitter: emitter, to: 1) }
    var gate = try RadioGate(Air.settings(), counters: fitting)
    for emitter in [UInt16(300), 301, 302] {
      #expect(gate.take(Air.report(Air.said(emitter: emitter)), at: .at(0), clock: Air.trusted).isAccepted)
    }
    #expect(gate.counters.count == RadioCounters.limit - 1)
  }
}
