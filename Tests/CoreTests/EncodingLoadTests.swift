import Core
import Media
import Testing

@Suite("Whether the encoder keeps up")
struct EncodingLoadTests {
  /// A camera of 25 pictures a second; making one takes this share of the time between two, and what comes meanwhile is
  /// lost.
  private struct Run {
    static let begin = MonotonicTime(nanoseconds: 1_000_000_000)
    var load: EncodingLoad
    var now = Run.begin
    var made = 0
    var leftOut = 0
    /// When it changed, in seconds from the beginning, and to what.
    var changes: [(second: Double, level: EncodingLoad.Level)] = []

    init(canLowerEffort: Bool = true) {
      load = EncodingLoad(canLowerEffort: canLowerEffort, frameInterval: .milliseconds(40))
    }

    mutating func go(seconds: Double, share: (EncodingLoad.Level) -> Double) {
      let end = now + Nanoseconds(Int64(seconds * 1e9))
      while now < end {
        let level: EncodingLoad.Level?
        if load.takesNext() {
          made += 1
          let busy = Nanoseconds(Int64(40e6 * share(load.level)))
          now = now + max(busy, .milliseconds(40))
          level = load.note(busy: busy, now: now)
        } else {
          leftOut += 1
          now = now + .milliseconds(40)
          level = load.note(busy: nil, now: now)
        }
        if let level { changes.append(((now - Run.begin).inSeconds, level)) }
      }
    }
  }

  @Test("An encoder that keeps up gives up nothing, however near it is to its limit")
  func keepsUp() {
    var run = Run()
    run.go(seconds: 120) { _ in 0.9 }
    #expect(run.changes.isEmpty && run.leftOut == 0)
  }

  @Test("Overload costs effort within half a second; every second picture only where more than a third is lost for two")
  func order() {
    var run = Run()
    run.go(seconds: 10) { _ in 0.2 }
    run.go(seconds: 20) { _ in 1.3 }
    #expect(run.changes.map(\.level) == [.lessEffort])
    #expect(run.changes.allSatisfy { $0.second > 10 && $0.second <= 11.1 }, "\(run.changes)")
    run.go(seconds: 4) { _ in 1.8 }
    #expect(run.changes.map(\.level) == [.lessEffort, .halfRate])
    #expect(run.changes.last.map { $0.second > 31.9 && $0.second <= 33 } == true, "\(run.changes)")
    let before = (run.made, run.leftOut)
    run.go(seconds: 4) { _ in 1.8 }
    #expect(run.leftOut - before.1 == run.made - before.0, "every second one")
  }

  @Test("A single long picture is no overload")
  func hiccup() {
    var run = Run()
    run.go(seconds: 1) { _ in 0.3 }
    run.go(seconds: 0.1) { _ in 5 }
    run.go(seconds: 5) { _ in 0.3 }
    #expect(run.changes.isEmpty)
  }

  @Test("An encoder that has no lower effort goes to half the rate, and back")
  func noLowerEffort() {
    var run = Run(canLowerEffort: false)
    run.go(seconds: 30) { _ in 1.2 }
    #expect(run.changes.isEmpty)
    run.go(seconds: 5) { _ in 2.0 }
    run.go(seconds: 15) { _ in 0.2 }
    #expect(run.changes.map(\.level) == [.halfRate, .full])
  }

  @Test("What was given up is taken back in the other order: pictures after two calm seconds, effort after ten")
  func back() {
    var run = Run()
    run.go(seconds: 5) { _ in 2.0 }
    run.go(seconds: 30) { $0 == .full ? 0.5 : 0.2 }
    #expect(run.changes.map(\.level) == [.lessEffort, .halfRate, .lessEffort, .full])
    let times = run.changes.map(\.second)
    #expect(times[2] - times[1] >= 2 && times[2] - times[1] < 6 && times[3] - times[2] >= 10, "\(times)")
    let before = run.leftOut
    run.go(seconds: 60) { _ in 0.5 }
    #expect(run.leftOut == before && run.load.level == .full)
  }

  @Test("Half the rate is for a machine that loses more than that brings: with one picture in ten lost it ends")
  func halfRateEnds() {
    var run = Run(canLowerEffort: false)
    run.go(seconds: 5) { _ in 2.0 }
    #expect(run.load.level == .halfRate)
    run.go(seconds: 30) { _ in 1.7 }
    #expect(run.load.level == .halfRate)
    run.go(seconds: 60) { _ in 1.1 }
    #expect(run.load.level == .full)
  }

  @Test("Between calm and overload everything stays as it is")
  func between() {
    var run = Run()
    run.go(seconds: 0.6) { _ in 1.0 }
    run.go(seconds: 300) { _ in 0.6 }
    #expect(run.changes.map(\.level) == [.lessEffort])
  }

  @Test("A step back that was too early makes the next one wait longer, up to a limit; a long calm forgets it")
  func patience() {
    var run = Run()
    // Full effort is always too much; with less it is calm.
    run.go(seconds: 1_200) { $0 == .full ? 1.0 : 0.2 }
    let returns = run.changes.filter { $0.level == .full }.map(\.second)
    let waits = zip(returns, returns.dropFirst()).map { $1 - $0 }
    #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 + 1 }, "\(waits)")
    #expect((waits.last ?? 0) >= 160 && (waits.last ?? 0) <= 165, "\(waits)")
    run.go(seconds: 600) { _ in 0.2 }
    let calm = run.changes.count
    run.go(seconds: 1) { $0 == .full ? 1.0 : 0.2 }
    run.go(seconds: 12) { _ in 0.2 }
    #expect(run.changes.dropFirst(calm).map(\.level) == [.lessEffort, .full])
  }
}
