import Control
import Foundation
import LinuxIO
import Media
import Testing

extension AcceptanceTests {
  /// ext4 on a loop device that gives up in the middle of a recording, as it does when the card under it fails or is
  /// pulled out: every write is refused from then on.
  @Suite("A card that fails", .serialized)
  struct FailingCardTests {
    @Test(
      "A card that fails is said at once; back again, what was triggered goes on by itself, and no frame is missing",
      .enabled(if: LoopCard.problem == nil || Machine.mustRunEverything, "\(LoopCard.problem ?? "")"))
    func failsAndReturns() throws {
      if let problem = LoopCard.problem { Issue.record("\(problem)") }
      let card = try LoopCard(mebibytes: 192)
      let rig = try Rig(
        """
        camera.width = 320
        camera.height = 180
        recording.pre_event_s = 2
        recording.segment_s = 10
        recording.stall_reserve_s = 30
        """, store: "\(card.mountPoint)/store")
      try rig.startReady(preEvent: 2)
      #expect(try rig.command("start").code == 0)
      try rig.record(seconds: 8)

      try card.fail()
      // The sign goes within 2 s of the last checkpoint, and never says "recording" while nothing reaches the card.
      try rig.wait("cannot record", seconds: 10) { $0.state == "cannot_record" }
      #expect(try rig.status().reason?.contains("waits in memory") == true)
      let pressed = try rig.command("start")
      #expect(pressed.code == 0 && pressed.text.contains("remembered"), "\(pressed.text)\(pressed.errors)")

      try card.replace()
      try rig.wait("recording again", seconds: 20) { $0.state == "recording" }
      try rig.record(seconds: 10)
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")
      #expect(rig.logText.contains("found interrupted recording 1"), "\(rig.logText)")

      let (code, verdicts) = try Dock.verify(rig.store)
      #expect(code == 13)
      #expect(verdicts.map(\.headline) == ["VERIFIED_TO", "VERIFIED"], "\(verdicts.map(\.sentence))")
      let paths = try rig.recordingPaths()
      var counters: [ClosedRange<Int>] = []
      for (index, path) in paths.enumerated() {
        let file = "\(rig.directory)/opened-\(index).mp4"
        let opened = try Dock.open(path, as: file)
        #expect(opened.verdict.framesLost == 0 && opened.verdict.gaps == 0)
        if index == 1 {
          #expect(opened.facts["pre_event_short"] == "continued")
          #expect(opened.facts["continues"].map { paths[0].hasSuffix($0) } == true)
        }
        let measured = try Dock.measure(file)
        measured.expectEveryFrameOnce(rig.losses())
        counters.append(measured.firstCounter...measured.lastCounter)
      }
      #expect(counters.count == 2 && counters[1].lowerBound <= counters[0].upperBound + 1, "\(counters)")
    }

    @Test(
      "A card that fails for good: cannot record is shown until the end, which a signal brings at once",
      .enabled(if: LoopCard.problem == nil || Machine.mustRunEverything, "\(LoopCard.problem ?? "")"))
    func failsForGood() throws {
      let card = try LoopCard(mebibytes: 192)
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings, store: "\(card.mountPoint)/store")
      try rig.startReady(preEvent: 1)
      #expect(try rig.command("start").code == 0)
      try rig.record(seconds: 5)
      try card.fail()
      try rig.wait("cannot record", seconds: 10) { $0.state == "cannot_record" }
      // Also when the recorder has looked at the card again.
      let shown = try rig.status().uptimeMs
      try rig.wait("a while", seconds: 15) {
        #expect($0.state == "cannot_record")
        return $0.uptimeMs >= shown + 7_000
      }
      #expect(rig.finish() == 0, "\(rig.logText)")
      #expect(rig.logText.contains("waited in memory for it is lost"), "\(rig.logText)")
      try card.replace()
      let (code, verdicts) = try Dock.verify(rig.store)
      #expect(code == 13 && verdicts.map(\.headline) == ["VERIFIED_TO"], "\(verdicts.map(\.sentence))")
    }
  }
}
