import Media
import Testing

@testable import Core

@Suite("When the watchdog is fed")
struct WatchdogFeedTests {
  private static func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: Int64(seconds * 1_000_000_000))
  }

  private static func turns(_ camera: Int, _ encoder: Int?, _ microphone: Int?) -> CaptureTurns {
    CaptureTurns(camera: camera, encoder: encoder, microphone: microphone)
  }

  /// The decisions of a watchdog of 20 s that began at 0 with no turns.
  private static func decisions(
    _ looks: [(Double, CaptureTurns)], microphone: Int? = 0
  ) -> [WatchdogFeed.Decision] {
    var feed = WatchdogFeed(timeout: .seconds(20), now: at(0), turns: turns(0, 0, microphone))
    return looks.map { feed.look(at: $0.1, now: at($0.0)) }
  }

  @Test("four times in its timeout while every thread turns, and not more often")
  func steady() {
    let looks = (1...40).map { (half: Int) -> (Double, CaptureTurns) in
      (Double(half) / 2, Self.turns(half * 5, half * 5, half * 5))
    }
    let decisions = Self.decisions(looks)
    #expect(decisions.count { $0 == .feed } == 4)
    #expect(decisions.count { $0 == .notDue } == looks.count - 4)
    #expect(decisions[9] == .feed && decisions[19] == .feed)
  }

  @Test("not while one of them stands still, and it says which")
  func standing() {
    let rows: [(CaptureTurns, WatchdogFeed.Decision)] = [
      (Self.turns(1, 1, 1), .feed),
      (Self.turns(0, 1, 1), .withhold(.camera)),
      (Self.turns(1, 0, 1), .withhold(.encoder)),
      (Self.turns(1, 1, 0), .withhold(.microphone)),
      (Self.turns(0, 0, 0), .withhold(.camera)),
    ]
    for (turns, decision) in rows { #expect(Self.decisions([(5, turns)]) == [decision], "\(turns)") }
  }

  @Test("an encoder is not waited for where the camera's own pictures pass through; the camera is")
  func noEncoder() {
    let start = CaptureTurns(camera: 0, encoder: nil, microphone: 0)
    for (turns, decision) in [
      (Self.turns(1, nil, 1), WatchdogFeed.Decision.feed), (Self.turns(0, nil, 1), .withhold(.camera)),
    ] {
      var feed = WatchdogFeed(timeout: .seconds(20), now: MonotonicTime(nanoseconds: 0), turns: start)
      #expect(feed.look(at: turns, now: MonotonicTime(nanoseconds: 5_000_000_000)) == decision, "\(turns)")
    }
  }

  @Test("a microphone that is not configured is not waited for")
  func noMicrophone() {
    #expect(Self.decisions([(5, Self.turns(1, 1, nil))], microphone: nil) == [.feed])
  }

  @Test("at once when the thread that stood still turns again; the others' turns meanwhile do not hide it")
  func resumes() {
    let decisions = Self.decisions([
      (5, Self.turns(50, 50, 50)), (10, Self.turns(50, 90, 100)), (14, Self.turns(50, 130, 140)),
      (15, Self.turns(51, 131, 150)), (15.1, Self.turns(52, 132, 151)), (20, Self.turns(99, 180, 200)),
    ])
    #expect(decisions == [.feed, .withhold(.camera), .withhold(.camera), .feed, .notDue, .feed])
  }

  @Test("a thread that stands still since the start is never taken for one that turns")
  func neverStarted() {
    let looks = (5...60).map { (Double($0), Self.turns($0, 0, $0)) }
    #expect(Self.decisions(looks).allSatisfy { $0 == .withhold(.encoder) })
  }
}
