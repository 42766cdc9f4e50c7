import Foundation
import Media
import Synthetic
import Testing

/// Frames of 25 Hz as a perfect file would show them, from counter 100 on.
func perfect(_ count: Int = 100) -> [SyntheticReport.Frame] {
  (0..<count).map { (index: Int) -> SyntheticReport.Frame in
    let time = Nanoseconds.milliseconds(4000 + Int64(index) * 40)
    let reading = FrameReading(counter: UInt32(100 + index), time: time, isFlash: index % 25 == 0)
    return SyntheticReport.Frame(presentation: Double(index) * 0.04, reading: reading)
  }
}

@Suite struct SyntheticReportTests {
  @Test("a perfect recording is complete, and sound in place has no offset")
  func perfectRecording() {
    let report = SyntheticReport(frames: perfect(), beeps: [1, 2, 3])
    #expect(report.isComplete)
    #expect(report.frames == 100 && report.firstCounter == 100 && report.lastCounter == 199)
    #expect(report.flashes == 4)
    #expect(report.largestTimingError < 0.001)
    #expect(report.offsets.map(\.second) == [5, 6, 7])
    #expect(abs(report.medianOffset ?? 99) < 0.001)
  }

  @Test("missing frames are named, one by one or as a stretch")
  func missing() {
    var frames = perfect()
    frames.removeSubrange(50..<60)
    frames.remove(at: 10)
    let report = SyntheticReport(frames: frames, beeps: [])
    #expect(report.missing == [110...110, 150...159])
    #expect(report.missingCount == 11)
    #expect(!report.isComplete)
    #expect(report.description.contains("missing    11 (110, 150-159)"))
  }

  @Test("frames that come twice, or after a later one, are named")
  func doubledAndDisordered() {
    var frames = perfect()
    frames[20].reading = frames[19].reading
    let doubled = SyntheticReport(frames: frames, beeps: [])
    #expect(doubled.doubled == [119] && doubled.missing == [120...120] && doubled.outOfOrder.isEmpty)
    #expect(abs(doubled.largestTimingError - 40) < 0.01)

    frames = perfect()
    (frames[30].reading, frames[31].reading) = (frames[31].reading, frames[30].reading)
    let disordered = SyntheticReport(frames: frames, beeps: [])
    #expect(disordered.outOfOrder == [130] && disordered.doubled.isEmpty && disordered.missing.isEmpty)
    #expect(!disordered.isComplete)
  }

  @Test("an unreadable picture and a timeline that goes back make a recording incomplete")
  func unreadableAndTimeline() {
    var frames = perfect()
    frames[3].reading = nil
    let unreadable = SyntheticReport(frames: frames, beeps: [])
    #expect(unreadable.unreadable == 1 && unreadable.missing == [103...103] && !unreadable.isComplete)
    frames = perfect()
    frames[5].presentation = frames[4].presentation
    #expect(SyntheticReport(frames: frames, beeps: []).timelineSteps == 1)
    #expect(!SyntheticReport(frames: [], beeps: []).isComplete)
  }

  @Test("late sound has a positive offset, each second its own")
  func offsets() {
    let report = SyntheticReport(frames: perfect(), beeps: [1.010, 1.980, 3.030])
    #expect(report.offsets.map(\.second) == [5, 6, 7])
    #expect(abs((report.smallestOffset ?? 0) + 20) < 0.001)
    #expect(abs((report.medianOffset ?? 0) - 10) < 0.001)
    #expect(abs((report.largestOffset ?? 0) - 30) < 0.001)
  }

  @Test("the JSON is an object that says the same")
  func json() throws {
    var frames = perfect()
    frames.remove(at: 10)
    let report = SyntheticReport(frames: frames, beeps: [1.010])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
    #expect(object["complete"] as? Bool == false)
    #expect(object["missing"] as? Int == 1)
    #expect(object["missingRanges"] as? [[Int]] == [[110, 110]])
    #expect(object["medianOffsetMs"] as? Double == 10)
    let empty = SyntheticReport(frames: [], beeps: []).json
    #expect(try JSONSerialization.jsonObject(with: Data(empty.utf8)) is [String: Any])
  }
}
