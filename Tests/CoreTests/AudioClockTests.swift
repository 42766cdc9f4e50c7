import Media
import Testing

@testable import Core

/// A microphone whose crystal is off and whose timestamps jitter, read in blocks of 20 ms.
struct ScriptedMicrophone {
  static let start = MonotonicTime(nanoseconds: 700_000_000_000)
  /// Positive: its samples take longer than they should.
  var ppm: Double
  var jitter = Nanoseconds.zero
  private var random = SplitMix(state: 7)

  init(ppm: Double, jitter: Nanoseconds = .zero) {
    self.ppm = ppm
    self.jitter = jitter
  }

  /// When a sample is really taken.
  func truth(_ position: Int64) -> MonotonicTime {
    Self.start + Nanoseconds(Int64((Double(position) / 48_000 * 1e9 * (1 + ppm / 1e6)).rounded()))
  }

  /// When the driver says that it was taken.
  mutating func stamp(_ position: Int64) -> MonotonicTime {
    guard jitter > .zero else { return truth(position) }
    return truth(position) + Nanoseconds(random.next(below: jitter.count * 2) - jitter.count)
  }
}

/// Numbers that are the same in each run.
struct SplitMix {
  var state: UInt64

  mutating func next(below limit: Int64) -> Int64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return Int64((z ^ z >> 31) % UInt64(limit))
  }
}

@Suite("AudioClock")
struct AudioClockTests {
  @Test("before the first measurement there is no time")
  func nothing() {
    #expect(AudioClock(nominalRate: 48_000).time(of: 0) == nil)
  }

  @Test("the rate of a microphone is found within 20 s", arguments: [-900.0, -200, -35, 0, 35, 200, 900])
  func rate(ppm: Double) {
    var microphone = ScriptedMicrophone(ppm: ppm)
    var clock = AudioClock(nominalRate: 48_000)
    for block in Int64(0)..<1_000 { clock.measure(position: block * 960, time: microphone.stamp(block * 960)) }
    #expect(abs(clock.ratePPM - ppm) < 2)
    let error = clock.time(of: 1_000 * 960).map { $0 - microphone.truth(1_000 * 960) }
    #expect(error.map { abs($0.count) < 20_000 } == true)
  }

  @Test("timestamps that jitter by 10 ms give times that do not: within 3 ms of the truth, always rising")
  func jitter() {
    for ppm in [-200.0, 200] {
      var microphone = ScriptedMicrophone(ppm: ppm, jitter: .milliseconds(10))
      var clock = AudioClock(nominalRate: 48_000)
      var last = MonotonicTime.distantPast
      var worst: Int64 = 0
      for block in Int64(0)..<30_000 {
        let position = block * 960
        let isContinuous = clock.measure(position: position, time: microphone.stamp(position))
        #expect(isContinuous)
        guard let time = clock.time(of: position) else { continue }
        #expect(time > last)
        last = time
        if block > 500 { worst = max(worst, abs((time - microphone.truth(position)).count)) }
      }
      #expect(worst < 3_000_000, "\(worst) ns")
    }
  }

  @Test("a measurement 100 ms off is a new beginning and says so; less is jitter")
  func jump() {
    var microphone = ScriptedMicrophone(ppm: 0)
    var clock = AudioClock(nominalRate: 48_000)
    for block in Int64(0)..<100 { clock.measure(position: block * 960, time: microphone.stamp(block * 960)) }
    let expected = microphone.truth(100 * 960)
    let isJitter = clock.measure(position: 100 * 960, time: expected + .milliseconds(99))
    #expect(isJitter)
    let isContinuous = clock.measure(position: 101 * 960, time: expected + .milliseconds(20 + 110))
    #expect(!isContinuous)
    #expect(clock.time(of: 101 * 960) == expected + .milliseconds(130))
    #expect(clock.ratePPM == 0)
  }

  @Test("a rate that no crystal has is not believed")
  func limit() {
    var microphone = ScriptedMicrophone(ppm: 5_000)
    var clock = AudioClock(nominalRate: 48_000)
    for block in Int64(0)..<3_000 {
      clock.measure(position: block * 960, time: microphone.stamp(block * 960))
      #expect(abs(clock.ratePPM) <= AudioClock.rateLimitPPM)
    }
    // The phase still follows, some milliseconds behind.
    let error = clock.time(of: 3_000 * 960).map { $0 - microphone.truth(3_000 * 960) }
    #expect(error.map { abs($0.count) < 10_000_000 } == true)
  }

  @Test("blocks of any length, and positions that jump over a gap, are followed")
  func gap() {
    var microphone = ScriptedMicrophone(ppm: 100)
    var clock = AudioClock(nominalRate: 48_000)
    var position: Int64 = 0
    for block in Int64(0)..<2_000 {
      position += [480, 960, 1_024, 4_096][Int(block % 4)]
      if block == 1_500 { position += 48_000 * 30 }
      let isContinuous = clock.measure(position: position, time: microphone.stamp(position))
      #expect(isContinuous)
    }
    #expect(abs(clock.ratePPM - 100) < 5)
  }
}
