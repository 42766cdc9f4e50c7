import Media
import Testing

@testable import Evidence

@Suite("What is new in a log that goes on")
struct TimelineTailTests {
  private let recording = TimelineEntry.Recording(counter: 7, id: EvidenceID(hex: String(repeating: "7", count: 32)))
  private let other = TimelineEntry.Recording(counter: 8, id: EvidenceID(hex: String(repeating: "8", count: 32)))

  private func clock(_ time: Int64) -> ClockReading { ClockReading(wall: time, monotonic: time * 1_000_000) }

  private func line(
    _ n: Int64, _ event: TimelineEvent = .logged(.audit(.armed)), of recording: TimelineEntry.Recording? = nil
  ) -> TimelineEntry {
    TimelineEntry(event, place: .deviceLog(n), clock: clock(n), recording: recording)
  }

  private func journal(_ n: Int64, _ event: TimelineEvent) -> TimelineEntry {
    TimelineEntry(event, place: .journal(n), clock: clock(n), recording: recording)
  }

  private func derived(_ event: TimelineEvent, of recording: TimelineEntry.Recording? = nil) -> TimelineEntry {
    TimelineEntry(event, place: .derived, clock: clock(1), recording: recording)
  }

  private func gaps(_ count: Int64) -> TimelineEvent {
    var run = GapRun(track: .video, cause: .ringFull, from: 0, to: 1)
    for index in 1..<max(1, count) { run.add(GapRun(track: .video, cause: .ringFull, from: index, to: index + 1)) }
    return .gaps(run)
  }

  private func checkpoints(_ count: Int64) -> TimelineEntry {
    var checkpoints = JournalDigest.Checkpoints()
    checkpoints.count = count
    return derived(.checkpoints(checkpoints), of: recording)
  }

  private var running: TimelineEntry { journal(9, .unclosed(tornByteCount: 0, mayRun: true)) }
  private var low: TimelineEvent { .journal(.battery(.low, percent: 20)) }

  @Test("each entry is told once, whatever of the log is read again")
  func once() {
    var tail = TimelineTail()
    for entry in [line(1), line(2)] { tail.skip(entry) }
    #expect(tail.lastLine == 2)
    #expect(tail.take([line(1), line(2)]).isEmpty)
    let jump = derived(.clockJump(milliseconds: 5_000, isAcrossBoots: false))
    #expect(tail.take([line(2), line(3), jump, line(4)]) == [line(3), jump, line(4)])
    #expect(tail.take([line(3), jump, line(4)]).isEmpty)
    #expect(!tail.isWaiting)
  }

  @Test("of a recording that ended before the following began nothing comes, however far back is read")
  func longClosed() {
    var tail = TimelineTail()
    tail.skip(line(9))
    let closed = line(6, .closed(nil, isLate: false), of: recording)
    #expect(tail.take([checkpoints(3), journal(3, low), closed, line(9), line(10)]) == [line(10)])
    #expect(tail.finished.count == 1)
  }

  @Test("lines of a running recording come as they are written; what sums them up comes with its end")
  func recordingGoesOn() {
    var tail = TimelineTail()
    let opened = line(5, .opened(nil, isLate: false), of: recording)
    let closed = line(6, .closed(nil, isLate: false), of: recording)
    #expect(tail.take([opened, checkpoints(1), running]) == [opened])
    #expect(tail.take([opened, journal(3, low), checkpoints(2), running]) == [journal(3, low)])
    #expect(tail.take([opened, journal(3, low), checkpoints(3), running]).isEmpty)
    #expect(tail.finished.isEmpty)
    #expect(
      tail.take([opened, journal(3, low), journal(8, low), checkpoints(4), closed])
        == [journal(8, low), checkpoints(4), closed])
    #expect(tail.finished.map { Optional($0) } == [recording.id])
    // From now on its opening alone is read, and told as it was.
    #expect(tail.take([opened, line(6, .closed(nil, isLate: false), of: recording), line(7)]) == [line(7)])
  }

  @Test("gaps are told when no more of them follow, and again when more do after all")
  func gapsSettle() {
    var tail = TimelineTail()
    #expect(tail.take([journal(3, gaps(1)), running]).isEmpty)
    #expect(tail.isWaiting)
    #expect(tail.take([journal(3, gaps(2)), running]).isEmpty)
    #expect(tail.take([journal(3, gaps(2)), running]) == [journal(3, gaps(2))])
    #expect(!tail.isWaiting)
    #expect(tail.take([journal(3, gaps(3)), running]).isEmpty)
    #expect(tail.take([journal(3, gaps(3)), line(6, .closed(nil, isLate: false), of: recording)]).count == 2)
  }

  @Test("a close that the device log does not have yet is told once, with that line or without it")
  func closing() {
    let own = journal(9, .closed(nil, isLate: false))
    let closed = line(6, .closed(nil, isLate: false), of: recording)
    var tail = TimelineTail()
    #expect(tail.take([own]).isEmpty)
    #expect(tail.take([closed]) == [closed])
    var alone = TimelineTail()
    #expect(alone.take([own]).isEmpty)
    #expect(alone.take([own]) == [own])
    #expect(alone.take([own]).isEmpty)
  }

  @Test("a recording that was cut off is told as such when the next start shows it; another one's entries are its own")
  func cutOff() {
    let cut = journal(9, .unclosed(tornByteCount: 0, mayRun: false))
    var tail = TimelineTail()
    #expect(tail.take([line(5, .opened(nil, isLate: false), of: recording), running]).count == 1)
    #expect(tail.take([checkpoints(3), cut, line(6)]) == [checkpoints(3), cut, line(6)])
    #expect(tail.take([checkpoints(3), cut, line(6)]).isEmpty)
    let next = TimelineEntry(low, place: .journal(3), clock: clock(3), recording: other)
    #expect(tail.take([cut, line(6), next]) == [next])
  }
}
