import Media
import Testing

@testable import Core

private func at(_ milliseconds: Int64) -> MonotonicTime {
  MonotonicTime(nanoseconds: 70_000_000_000) + .milliseconds(milliseconds)
}

@Suite("Mute")
struct MuteTests {
  private static let rules = Mute.Rules(isAllowed: true, longest: .seconds(60), reminder: .seconds(20))

  @Test("Sound can be left out only where that is allowed, and only of a recording that runs")
  func allowed() {
    var forbidden = Mute(.init(isAllowed: false, longest: .zero, reminder: .zero))
    #expect(forbidden.set(true, recording: at(0), now: at(0)) == .notAllowed && !forbidden.isOn)
    var mute = Mute(Self.rules)
    #expect(mute.set(true, recording: nil, now: at(0)) == .notRecording && !mute.isOn)
    #expect(mute.set(false, recording: at(0), now: at(0)) == .unchanged)
    #expect(mute.set(true, recording: at(0), now: at(1)) == .muted && mute.isOn)
    #expect(mute.set(true, recording: at(0), now: at(2)) == .unchanged)
    #expect(mute.set(false, recording: at(0), now: at(3)) == .unmuted && !mute.isOn)
  }

  @Test("It is told again and again, and ends at its longest")
  func longest() {
    var mute = Mute(Self.rules)
    _ = mute.set(true, recording: at(0), now: at(0))
    let passed = stride(from: 0, through: 61_000, by: 500).map { mute.pass(recording: at(0), now: at(Int64($0))) }
    #expect(passed.filter { $0 == .reminder }.count == 2, "after 20 and 40 s")
    #expect(passed.filter { $0 == .longest }.count == 1)
    #expect(passed[119] == .nothing && passed[120] == .longest && !mute.isOn)
  }

  @Test("It ends with the recording: the next one has sound")
  func ended() {
    var mute = Mute(Self.rules)
    _ = mute.set(true, recording: at(0), now: at(0))
    #expect(mute.pass(recording: nil, now: at(100)) == .ended && !mute.isOn)
    #expect(mute.pass(recording: nil, now: at(200)) == .nothing)
    // Also when the next one begins at the same moment.
    _ = mute.set(true, recording: at(0), now: at(300))
    #expect(mute.pass(recording: at(299), now: at(301)) == .ended && !mute.isOn)
  }

  @Test("Without limits it stays until it is taken back")
  func endless() {
    var mute = Mute(.init(isAllowed: true, longest: .zero, reminder: .zero))
    _ = mute.set(true, recording: at(0), now: at(0))
    #expect(mute.pass(recording: at(0), now: at(86_400_000)) == .nothing && mute.isOn)
  }
}

@Suite("The samples that a mute leaves out")
struct MuteScheduleTests {
  /// What is left of a minute of sound in blocks of some length: the muted samples of it.
  private func muted(_ changes: [(Int64, Bool)], block: Int, until: Int = 48_000) -> [Int] {
    var schedule = MuteSchedule()
    var found: [Int] = []
    var waiting = changes[...]
    var position = 0
    while position < until {
      let time = at(0) + Nanoseconds(Int64(position) * 62_500 / 3)
      // Told before the block that they fall into is captured, as it is done.
      let end = time + Nanoseconds(Int64(block) * 62_500 / 3)
      while let next = waiting.first, at(0) + Nanoseconds(next.0) < end {
        schedule.set(next.1, from: at(0) + Nanoseconds(next.0))
        waiting.removeFirst()
      }
      for range in schedule.muted(from: time, count: block, rate: 48_000) { found += range.map { $0 + position } }
      position += block
    }
    return found
  }

  @Test(
    "are those at or after its begin and before its end, whatever the blocks are",
    arguments: [1, 7, 960, 4_800, 48_000])
  func exact(_ block: Int) {
    // 100.5 samples, and 4,800 samples later.
    let begin: Int64 = 2_093_750
    let found = muted([(begin, true), (begin + 100_000_000, false)], block: block, until: 48_000 / block * block)
    #expect(found == Array(101..<4_901), "\(found.first ?? -1) to \(found.last ?? -1)")
  }

  @Test("are none of those in between when it is taken back and begun again within a block")
  func twice() {
    let found = muted([(0, true), (1_000_000, false), (2_000_000, true), (3_000_000, false)], block: 960, until: 960)
    #expect(found == Array(0..<48) + Array(96..<144))
  }

  @Test("Nothing is kept of what is over")
  func forgets() {
    var schedule = MuteSchedule()
    for round in 0..<1_000 {
      let begin = at(Int64(round) * 100)
      schedule.set(true, from: begin)
      schedule.set(false, from: begin + .milliseconds(50))
      #expect(schedule.muted(from: begin, count: 4_800, rate: 48_000) == [0..<2_400])
      #expect(!schedule.isActive)
    }
    schedule.set(true, from: at(1_000_000))
    for second in 0..<100 {
      let ranges = schedule.muted(from: at(1_000_000 + Int64(second) * 1_000), count: 48_000, rate: 48_000)
      #expect(ranges == [0..<48_000])
    }
    #expect(schedule.isActive)
  }
}
