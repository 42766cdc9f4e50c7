import Media
import Testing

@testable import Radio

@Suite("What a radio gate accepts")
struct RadioGateTests {
  private func gate(_ change: (inout RadioGateSettings) -> Void = { _ in }) throws -> RadioGate {
    var settings = Air.settings()
    change(&settings)
    return try RadioGate(settings)
  }

  private func signal(_ said: RadioAdvertisement, age: Int? = 0) -> RadioSignal {
    RadioSignal(
      event: said.event,
      source: .emitter(group: said.group, emitter: said.emitter, counter: said.counter, ageMinutes: age),
      address: Air.address, rssi: -60)
  }

  @Test("A genuine signal starts, marks or tests by its event, and says who sent it")
  func genuine() throws {
    var gate = try gate()
    let start = Air.said(1)
    let mark = Air.said(2, event: .mark)
    let test = Air.said(3, event: .test)
    let later = Air.said(4, event: RadioEvent(rawValue: 99))
    #expect(gate.take(Air.report(start), at: .at(0), clock: Air.trusted) == .start(signal(start)))
    #expect(gate.take(Air.report(mark), at: .at(1), clock: Air.trusted) == .mark(signal(mark)))
    #expect(gate.take(Air.report(test), at: .at(2), clock: Air.trusted) == .test(signal(test)))
    #expect(gate.take(Air.report(later), at: .at(3), clock: Air.trusted) == .start(signal(later)))
    #expect(signal(start).isAuthenticated && signal(start).isAgeKnown)
  }

  @Test("Emitters count for themselves, and so does the same number in another group")
  func counting() throws {
    var gate = try gate()
    let first = Air.said(50)
    let second = Air.said(3, emitter: 301)
    let other = Air.said(2, group: 8)
    #expect(gate.take(Air.report(first), at: .at(0), clock: Air.trusted) == .start(signal(first)))
    #expect(gate.take(Air.report(second), at: .at(1), clock: Air.trusted) == .start(signal(second)))
    #expect(gate.take(Air.report(other, key: Air.otherKey), at: .at(2), clock: Air.trusted) == .start(signal(other)))
    #expect(gate.counters[7, 300] == 50)
    #expect(gate.counters[7, 301] == 3)
    #expect(gate.counters[8, 300] == 2)
  }

  @Test("The same advertisement is the same event for two minutes, from any address, and a replay after that")
  func repeats() throws {
    var gate = try gate()
    let said = Air.said()
    var report = Air.report(said)
    #expect(gate.take(report, at: .at(0), clock: Air.trusted) == .start(signal(said)))
    for step in 1...20 {
      report.address = BluetoothAddress(value: UInt64(step), isRandom: true)
      var expected = signal(said)
      expected.address = report.address
      #expect(gate.take(report, at: .at(Double(step) * 5.99), clock: Air.trusted) == .repeated(expected))
    }
    #expect(gate.take(report, at: .at(120), clock: Air.trusted) == .refused(.replayed, untold: 0))
    // A newer event is one, and the older cannot come back.
    #expect(gate.take(Air.report(Air.said(1_001)), at: .at(121), clock: Air.trusted) == .start(signal(Air.said(1_001))))
    #expect(gate.take(report, at: .at(122), clock: Air.trusted) == .quiet(.replayed))
  }

  @Test("Another event under a counter that was used is a replay, genuine or not")
  func sameCounter() throws {
    var gate = try gate()
    #expect(gate.take(Air.report(Air.said(7)), at: .at(0), clock: Air.trusted).isAccepted)
    let other = Air.report(Air.said(7, event: .door))
    #expect(gate.take(other, at: .at(1), clock: Air.trusted) == .refused(.replayed, untold: 0))
    for counter in [UInt32(0), 1, 6] {
      #expect(gate.take(Air.report(Air.said(counter)), at: .at(2), clock: Air.trusted).refusal == .replayed)
    }
  }

  @Test("A captured signal starts nothing after a restart, with the counters as text in between")
  func restart() throws {
    var before = try gate()
    let reports = (UInt32(1)...4).map { Air.report(Air.said($0)) }
    for (index, report) in reports.enumerated() {
      #expect(before.take(report, at: .at(Double(index)), clock: Air.untrusted).isAccepted)
    }
    let kept = before.counters.encoded()
    var after = try RadioGate(Air.settings(), counters: RadioCounters(kept))
    for clock in [Air.trusted, Air.untrusted] {
      for report in reports { #expect(after.take(report, at: .at(0.1), clock: clock).refusal == .replayed) }
    }
    #expect(after.take(Air.report(Air.said(5)), at: .at(1), clock: Air.trusted).isAccepted)
    // Without the counters it would have been one: they are what refuses it.
    var forgetful = try gate()
    #expect(forgetful.take(reports[3], at: .at(0), clock: Air.trusted).isAccepted)
  }

  @Test("The counters of an emitter that is not listed for a while are kept")
  func unlisted() throws {
    var before = try gate()
    #expect(before.take(Air.report(Air.said(9)), at: .at(0), clock: Air.trusted).isAccepted)
    let between = try RadioGate(RadioGateSettings(), counters: before.counters)
    var after = try RadioGate(Air.settings(), counters: between.counters)
    #expect(after.take(Air.report(Air.said(9)), at: .at(0), clock: Air.trusted).refusal == .replayed)
  }

  @Test("Strangers are refused by their reasons")
  func strangers() throws {
    var gate = try gate()
    func refusal(_ report: AdvertisingReport) -> RadioRefusal? {
      gate.take(report, at: .at(0), clock: Air.trusted).refusal
    }
    #expect(refusal(Air.report([])) == .notOurs)
    #expect(refusal(Air.report([2, 1, 6, 3, 3, 0x0F, 0x18])) == .notOurs)
    #expect(refusal(Air.report(Air.said(group: 9))) == .unknownGroup)
    #expect(refusal(Air.report(Air.said(emitter: 303))) == .unknownEmitter)
    #expect(refusal(Air.report(Air.said(), key: Air.otherKey)) == .badMAC)
    #expect(refusal(Air.report(Air.said(group: 8))) == .badMAC)
    // An emitter of one group in the name of the other.
    #expect(refusal(Air.report(Air.said(group: 8, emitter: 301), key: Air.otherKey)) == .unknownEmitter)
    #expect(gate.counters.count == 0)
  }

  @Test(
    "Ten minutes either way are not too old, eleven are, also over the wrap of the 16 bits",
    arguments: [UInt16(43_232), 0, 5, 9, 10, 65_535, 65_526, 32_767, 32_768])
  func age(_ now: UInt16) throws {
    for distance in -40...40 {
      var gate = try gate()
      let said = Air.said(minute: now &- UInt16(bitPattern: Int16(distance)))
      let outcome = gate.take(Air.report(said), at: .at(0), clock: RadioClock(minute: now, isTrusted: true))
      if abs(distance) <= 10 {
        #expect(outcome == .start(signal(said, age: distance)))
      } else {
        #expect(outcome == .refused(.tooOld, untold: 0))
        #expect(gate.counters.count == 0)
      }
    }
    // The far half of the circle is old, too.
    for minute in stride(from: UInt16(0), to: 65_500, by: 331) {
      var gate = try gate()
      let clock = RadioClock(minute: now, isTrusted: true)
      let isNear = min(minute &- now, now &- minute) <= 10
      #expect(gate.take(Air.report(Air.said(minute: minute)), at: .at(0), clock: clock).isAccepted == isNear)
    }
  }

  @Test("With a clock that is not trusted no age is checked, and the outcome says so")
  func untrusted() throws {
    for minute in [Air.minute, Air.minute &+ 20_000, 0] {
      var gate = try gate()
      let said = Air.said(minute: minute)
      let expected = signal(said, age: nil)
      #expect(gate.take(Air.report(said), at: .at(0), clock: Air.untrusted) == .start(expected))
      #expect(!expected.isAgeKnown && expected.isAuthenticated)
    }
  }

  // MARK: - Rates

  @Test("An emitter has five events at once and one each ten seconds, and takes nothing from the others")
  func emitterRate() throws {
    var gate = try gate()
    for counter in UInt32(1)...5 {
      #expect(gate.take(Air.report(Air.said(counter)), at: .at(0), clock: Air.trusted).isAccepted)
    }
    #expect(gate.take(Air.report(Air.said(6)), at: .at(0), clock: Air.trusted) == .refused(.rateLimited, untold: 0))
    #expect(gate.take(Air.report(Air.said(7)), at: .at(9.999), clock: Air.trusted) == .quiet(.rateLimited))
    #expect(gate.take(Air.report(Air.said(1, emitter: 301)), at: .at(9.999), clock: Air.trusted).isAccepted)
    #expect(gate.take(Air.report(Air.said(8)), at: .at(10), clock: Air.trusted).isAccepted)
    #expect(gate.take(Air.report(Air.said(9)), at: .at(10), clock: Air.trusted) == .quiet(.rateLimited))
    // After a long rest five again, not more.
    for counter in UInt32(10)...14 {
      #expect(gate.take(Air.report(Air.said(counter)), at: .at(3_600), clock: Air.trusted).isAccepted)
    }
    #expect(!gate.take(Air.report(Air.said(15)), at: .at(3_600), clock: Air.trusted).isAccepted)
  }

  @Test("All emitters together have a limit, too")
  func totalRate() throws {
    var settings = RadioGateSettings(groups: [RadioGroup(id: 7, key: Air.key, emitters: Set(0..<100))])
    settings.totalLimit = RateLimit(burst: 20, interval: .seconds(2))
    var gate = try RadioGate(settings)
    let accepted = (UInt16(0)..<100).filter {
      gate.take(Air.report(Air.said(1, emitter: $0)), at: .at(0), clock: Air.trusted).isAccepted
    }
    #expect(accepted == Array(0..<20))
    #expect(gate.take(Air.report(Air.said(2, emitter: 50)), at: .at(2), clock: Air.trusted).isAccepted)
    #expect(!gate.take(Air.report(Air.said(2, emitter: 51)), at: .at(2), clock: Air.trusted).isAccepted)
  }

  @Test("What the limit stood against is accepted when it is heard again in time, and only once")
  func secondChance() throws {
    var gate = try gate()
    for counter in UInt32(1)...5 { _ = gate.take(Air.report(Air.said(counter)), at: .at(0), clock: Air.trusted) }
    let sixth = Air.report(Air.said(6))
    #expect(gate.take(sixth, at: .at(1), clock: Air.trusted).refusal == .rateLimited)
    #expect(gate.take(sixth, at: .at(5), clock: Air.trusted).refusal == .rateLimited)
    #expect(gate.take(sixth, at: .at(10), clock: Air.trusted) == .start(signal(Air.said(6))))
    #expect(gate.take(sixth, at: .at(20), clock: Air.trusted) == .repeated(signal(Air.said(6))))
    // One that comes back only after the two minutes is a replay.
    for counter in UInt32(7)...12 { _ = gate.take(Air.report(Air.said(counter)), at: .at(100), clock: Air.trusted) }
    #expect(gate.take(Air.report(Air.said(12)), at: .at(101), clock: Air.trusted).refusal == .rateLimited)
    #expect(gate.take(Air.report(Air.said(12)), at: .at(220), clock: Air.trusted).refusal == .replayed)
  }

  @Test("A clock that seems to go back gives no token twice")
  func backwards() throws {
    var gate = try gate()
    for counter in UInt32(1)...5 { _ = gate.take(Air.report(Air.said(counter)), at: .at(100), clock: Air.trusted) }
    for (counter, time) in [(UInt32(6), 0.0), (7, 100), (8, 50), (9, 105), (10, 99), (11, 109)] {
      #expect(!gate.take(Air.report(Air.said(counter)), at: .at(time), clock: Air.trusted).isAccepted)
    }
    #expect(gate.take(Air.report(Air.said(12)), at: .at(110), clock: Air.trusted).isAccepted)
  }
}
