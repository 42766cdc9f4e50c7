import Media
import Testing

@testable import Radio

@Suite("Floods")
struct RadioFloodTests {
  /// Ten minutes of a hundred advertisements a second, some of each kind that is refused.
  private func flood(
    _ gate: inout RadioGate, _ take: (inout RadioGate, RadioOutcome, MonotonicTime) -> Void
  ) {
    var random = SplitMix64(state: 3)
    for step in 0..<60_000 {
      let now = MonotonicTime.at(Double(step) / 100)
      let report: AdvertisingReport
      switch step % 6 {
      case 0:
        var bytes = Air.said(UInt32(step) + 10).encoded(key: Air.key)
        bytes[Int.random(in: 5..<26, using: &random)] ^= 0x10
        report = Air.report(bytes)
      case 1: report = Air.report(Air.said(1))
      case 2: report = Air.report(Air.said(UInt32(step), group: .random(in: 9 ... .max, using: &random)))
      case 3: report = Air.report(Air.said(UInt32(step), emitter: .random(in: 400 ... .max, using: &random)))
      case 4: report = Air.report(Array(Air.said(UInt32(step)).encoded(key: Air.key).dropLast()))
      default: report = Air.report([2, 1, 6, UInt8(step & 0x7F), 0xFF])
      }
      let outcome = gate.take(report, at: now, clock: Air.trusted)
      take(&gate, outcome, now)
    }
  }

  @Test("A flood of forgeries starts nothing, is told once a minute and cause, all of it counted, and grows nothing")
  func forgeries() throws {
    var gate = try RadioGate(Air.settings())
    _ = gate.take(Air.report(Air.said(1)), at: .at(-200), clock: Air.trusted)
    let before = gate.counters
    var told: [RadioRefusal: [MonotonicTime]] = [:]
    var counted: [RadioRefusal: Int] = [:]
    flood(&gate) { _, outcome, now in
      switch outcome {
      case .start, .mark, .test, .repeated: Issue.record("\(outcome)")
      case .quiet: break
      case .refused(let refusal, let untold):
        told[refusal, default: []].append(now)
        counted[refusal, default: 0] += untold + 1
      }
    }
    let end = MonotonicTime.at(700)
    #expect(try #require(gate.nextSummary) <= end)
    for summary in gate.summaries(at: end) {
      told[summary.refusal, default: []].append(end)
      counted[summary.refusal, default: 0] += summary.count
    }
    #expect(gate.nextSummary == nil)
    #expect(gate.summaries(at: end) == [])
    #expect(Set(told.keys) == [.badMAC, .replayed, .unknownGroup, .unknownEmitter, .malformed])
    for (refusal, times) in told {
      #expect(counted[refusal] == 10_000, "\(refusal)")
      #expect(times.count <= 11)
      for (one, next) in zip(times, times.dropFirst()) { #expect(next - one >= .seconds(60), "\(refusal)") }
    }
    #expect(gate.counters == before)
  }

  @Test("In the middle of a flood a genuine signal starts")
  func through() throws {
    var gate = try RadioGate(Air.settings())
    _ = gate.take(Air.report(Air.said(1)), at: .at(-200), clock: Air.trusted)
    var (step, started) = (0, 0)
    flood(&gate) { gate, _, now in
      step += 1
      guard step % 10_000 == 0 else { return }
      started += 1
      let outcome = gate.take(Air.report(Air.said(1 + UInt32(started))), at: now, clock: Air.trusted)
      guard case .start = outcome else {
        Issue.record("\(outcome)")
        return
      }
    }
    #expect(started == 6)
  }

  @Test("An emitter that has the key and sends a hundred events a second is held to its rate")
  func insider() throws {
    var gate = try RadioGate(Air.settings())
    var (starts, refused) = (0, 0)
    for step in 0..<60_000 {
      switch gate.take(Air.report(Air.said(UInt32(step))), at: .at(Double(step) / 100), clock: Air.trusted) {
      case .start: starts += 1
      case .refused(.rateLimited, _), .quiet(.rateLimited): refused += 1
      case .mark, .test, .repeated, .refused, .quiet: break
      }
    }
    #expect(starts + refused == 60_000)
    // Five at once, and one for each ten of the 599.99 seconds.
    #expect(starts == 5 + 59)
    // The others are not touched.
    #expect(gate.take(Air.report(Air.said(1, emitter: 301)), at: .at(600), clock: Air.trusted).isAccepted)
  }

  @Test("A summary is told instead of a refusal, not beside it")
  func summaries() {
    var log = RefusalLog()
    #expect(log.deadline == nil)
    #expect(log.add(.badMAC, at: .at(0)) == .refused(.badMAC, untold: 0))
    #expect(log.deadline == nil)
    #expect(log.add(.badMAC, at: .at(1)) == .quiet(.badMAC))
    #expect(log.add(.tooOld, at: .at(2)) == .refused(.tooOld, untold: 0))
    #expect(log.add(.badMAC, at: .at(59.9)) == .quiet(.badMAC))
    #expect(log.deadline == .at(60))
    // Whoever ends before that tells them without it.
    #expect(log.untold == [RadioSummary(refusal: .badMAC, count: 2)])
    #expect(log.summaries(at: .at(59.9)) == [])
    #expect(log.summaries(at: .at(60)) == [RadioSummary(refusal: .badMAC, count: 2)])
    #expect(log.untold == [])
    #expect(log.add(.badMAC, at: .at(61)) == .quiet(.badMAC))
    #expect(log.add(.badMAC, at: .at(120)) == .refused(.badMAC, untold: 1))
    #expect(log.add(.notOurs, at: .at(0)) == .quiet(.notOurs))
    #expect(log.deadline == nil)
  }
}
