import Media
import Testing

@testable import Camera

@Suite("FrameTimeline")
struct FrameTimelineTests {
  let interval = Nanoseconds.milliseconds(40)

  func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

  @Test("numbers of 32 bits go on over their wrap, and count what was lost")
  func wraps() {
    var timeline = FrameTimeline(interval: interval)
    var infos: [FrameInfo] = []
    for (index, sequence) in ([0xFFFF_FFFE, 0xFFFF_FFFF, 0, 3, 4] as [UInt32]).enumerated() {
      let now = at(1_000 + Int64(index) * 200)
      infos.append(timeline.take(sequence: sequence, stamp: now, marksEnd: true, arrival: now, isDamaged: false))
    }
    #expect(infos.map(\.position) == [0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, 0x1_0000_0003, 0x1_0000_0004])
    #expect(infos.map(\.lostBefore) == [0, 0, 0, 2, 0])
    #expect(infos.allSatisfy { !$0.hasSequenceFault })
  }

  @Test("a number that does not rise, or leaps further than time allows, is a fault and no loss")
  func sequenceFaults() {
    var timeline = FrameTimeline(interval: interval)
    var infos: [FrameInfo] = []
    for (index, sequence) in ([10, 10, 3, 900_000, 900_001] as [UInt32]).enumerated() {
      let now = at(1_000 + Int64(index) * 40)
      infos.append(timeline.take(sequence: sequence, stamp: now, marksEnd: true, arrival: now, isDamaged: false))
    }
    #expect(infos.map(\.position) == [10, 11, 12, 13, 14])
    #expect(infos.map(\.hasSequenceFault) == [false, true, true, true, false])
    #expect(infos.allSatisfy { $0.lostBefore == 0 })
  }

  @Test("a stamp at the end of a frame is one interval after the start of exposure; one at the start is not")
  func exposure() {
    var timeline = FrameTimeline(interval: interval)
    let end = timeline.take(sequence: 0, stamp: at(1_000), marksEnd: true, arrival: at(1_001), isDamaged: false)
    #expect(end.time == at(960))
    #expect(end.timeFault == nil)
    let start = timeline.take(sequence: 1, stamp: at(1_040), marksEnd: false, arrival: at(1_081), isDamaged: false)
    #expect(start.time == at(1_040))
    #expect(start.reportedTime == at(1_040))
  }

  @Test(
    "a stamp that goes back, lies in the future or is of another clock is reported and replaced by a rising estimate")
  func faults() {
    var timeline = FrameTimeline(interval: interval)
    var previous = timeline.take(sequence: 0, stamp: at(1_000), marksEnd: true, arrival: at(1_001), isDamaged: false)
    let rest: [(stamp: MonotonicTime?, fault: FrameInfo.TimeFault?)] = [
      (at(1_000), .backwards), (at(500), .backwards), (at(9_000_000_000), .future), (nil, .foreignClock),
      (at(1_200), nil),
    ]
    for (index, item) in rest.enumerated() {
      let arrival = at(1_041 + Int64(index) * 40)
      let info = timeline.take(
        sequence: UInt32(index + 1), stamp: item.stamp, marksEnd: true, arrival: arrival, isDamaged: false)
      #expect(info.timeFault == item.fault)
      #expect(info.reportedTime == item.stamp)
      #expect(info.time > previous.time)
      #expect(info.time <= arrival)
      #expect(item.fault == nil || info.time == arrival - interval)
      previous = info
    }
  }

  @Test("old frames that waited for a late reader keep their own times")
  func lateReader() {
    var timeline = FrameTimeline(interval: interval)
    for index in 0..<6 as Range<Int64> {
      let info = timeline.take(
        sequence: UInt32(index), stamp: at(1_000 + index * 40), marksEnd: true, arrival: at(60_000 + index),
        isDamaged: false)
      #expect(info.time == at(960 + index * 40))
      #expect(info.timeFault == nil)
    }
    // The driver had no buffer for 1,470 frames.
    let info = timeline.take(
      sequence: 1_476, stamp: at(60_040), marksEnd: true, arrival: at(60_041), isDamaged: false)
    #expect(info.lostBefore == 1_470)
    #expect(!info.hasSequenceFault)
  }

  @Test("the largest and smallest stamps do not overflow")
  func extremes() {
    var timeline = FrameTimeline(interval: interval)
    for (index, stamp) in ([.max / 2, .min / 2, 0, -1, .max / 2] as [Int64]).enumerated() {
      let info = timeline.take(
        sequence: UInt32(index), stamp: MonotonicTime(nanoseconds: stamp), marksEnd: true,
        arrival: at(1_000 + Int64(index)), isDamaged: true)
      #expect(info.isDamaged)
      #expect(info.timeFault != nil || stamp <= 0)
    }
  }
}
