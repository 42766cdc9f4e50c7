import Control
import Foundation
import Testing

extension ShortAcceptanceTests {
  /// SIGKILL in the middle of a recording, and the recorder started again on the same card.
  @Suite("Killed", .serialized)
  struct KilledTests {
    @Test("A killed recorder says at its next start what it found: VERIFIED_TO and recovered, and the next is VERIFIED")
    func killed() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      try rig.record(seconds: 4)
      #expect(rig.finish(SIGKILL) != 0)

      try rig.startReady(preEvent: 1)
      let found = try #require(try rig.status().interrupted?.first)
      #expect(found.counter == 1 && found.segments == 1 && found.attestedMs >= 2_000)
      #expect(rig.logText.contains("found interrupted recording 1: 1 segment, attested to 0:00:0"), "\(rig.logText)")
      #expect(try rig.command("status").text.contains("found interrupted recording 1"))
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      try rig.stop()
      #expect(rig.finish() == 0)

      let (code, verdicts) = try Dock.verify(rig.store)
      #expect(code == 13)
      #expect(verdicts.map(\.headline) == ["VERIFIED_TO", "VERIFIED"], "\(verdicts.map(\.sentence))")
      #expect(verdicts.map(\.recovered) == [true, false])
    }
  }
}
