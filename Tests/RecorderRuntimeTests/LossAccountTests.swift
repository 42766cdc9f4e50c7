import Evidence
import Media
import Testing

@testable import RecorderRuntime

@Suite("What a recording misses")
struct LossAccountTests {
  private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
  private func lost(
    _ from: Int64, _ to: Int64, _ count: Int64, _ cause: JournalEvent.GapCause = .sequence, of track: TrackID = .video
  ) -> Loss {
    Loss(track: track, from: at(from), to: at(to), count: count, cause: cause)
  }
  private func frames(_ missing: Nanoseconds) -> Int64 { missing.inMilliseconds / 40 }

  @Test("Of a loss that began before the recording counts what lies in it, of one before it nothing")
  func before() {
    var account = LossAccount(start: at(10_000))
    account.take(lost(8_000, 12_000, 100))
    account.take(lost(9_000, 10_000, 25))
    account.count(before: nil)
    #expect(account.untold == [lost(10_000, 12_000, 50)])
    #expect(account.lostFrames == 50)
  }

  @Test("Behind the end nothing counts; while the end may move, what reaches beyond it waits")
  func behind() {
    var account = LossAccount(start: at(0))
    account.take(lost(9_000, 11_000, 50))
    account.take(lost(12_000, 13_000, 25))
    account.count(before: at(10_000))
    #expect(account.lostFrames == 0)
    var moved = account
    moved.count(before: at(20_000))
    #expect(moved.lostFrames == 75)
    account.settle(at: at(10_000))
    #expect(account.untold == [lost(9_000, 10_000, 25)])
  }

  @Test("A device that did not come back: the rest is lost, once, however often the end is tried")
  func tail() {
    var account = LossAccount(start: at(0))
    for _ in 0..<2 {
      account.settle(at: at(10_000))
      account.addTail(of: .video, written: at(8_000), at: at(10_000), least: .milliseconds(40), count: frames)
    }
    #expect(account.untold == [lost(8_000, 10_000, 50, .deviceLost)])
    #expect(account.lostFrames == 50)
  }

  @Test("What an encoder told of its failure is not told again as the camera's absence")
  func toldOtherwise() {
    var account = LossAccount(start: at(0))
    account.take(lost(8_000, 9_960, 49, .encoderFailed))
    account.settle(at: at(10_000))
    account.addTail(of: .video, written: at(8_000), at: at(10_000), least: .milliseconds(40), count: frames)
    #expect(account.lostFrames == 50)
    #expect(account.untold == [lost(8_000, 9_960, 49, .encoderFailed), lost(9_960, 10_000, 1, .deviceLost)])
  }

  @Test("A second absence behind one that was told counts from where that ended")
  func second() {
    var account = LossAccount(start: at(0))
    account.take(lost(5_000, 7_000, 50, .deviceLost))
    account.settle(at: at(10_000))
    account.addTail(of: .video, written: at(7_000), at: at(10_000), least: .milliseconds(40), count: frames)
    #expect(account.untold == [lost(5_000, 7_000, 50, .deviceLost), lost(7_000, 10_000, 75, .deviceLost)])
  }

  @Test("A camera that is not known to be away may be a little late; a track without any footage misses all")
  func least() {
    var account = LossAccount(start: at(0))
    account.addTail(of: .video, written: at(9_600), at: at(10_000), least: .milliseconds(500), count: frames)
    #expect(account.untold.isEmpty)
    account.addTail(of: .audio, written: nil, at: at(10_000), least: .milliseconds(500)) { $0.inMilliseconds * 48 }
    #expect(account.untold == [lost(0, 10_000, 480_000, .deviceLost, of: .audio)])
    #expect(account.lostSamples == 480_000)
  }

  @Test("Losses that touch are one; of another cause or track, or apart, they are not")
  func joins() {
    var loss = lost(0, 100, 1)
    let joins = loss.join(lost(100, 200, 2))
    #expect(joins)
    #expect(loss == lost(0, 200, 3))
    for other in [lost(210, 300, 1), lost(200, 300, 1, .ringFull), lost(200, 300, 1, of: .audio)] {
      let isJoined = loss.join(other)
      #expect(!isJoined)
    }
    #expect(loss == lost(0, 200, 3))
  }
}
