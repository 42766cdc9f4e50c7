import Control
import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("Mute", .serialized)
  struct MuteTests {
    @Test("Leaves out the sound between the two moments that the footage names, and nothing else")
    func silence() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings + "\nmute.allowed = true\n")
      try rig.startReady(preEvent: 1)
      let early = try rig.command("mute", "on")
      #expect(early.code == 75 && early.errors.contains("ends with it"), "\(early.errors)")
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      try rig.record(seconds: 2)
      #expect(try rig.command("mute", "on").code == 0)
      let status = try rig.ask(.status()).body
      #expect(status.contains { $0.hasPrefix("Muted") }, "\(status)")
      try rig.record(seconds: 5)
      #expect(try rig.command("mute", "off").code == 0)
      try rig.record(seconds: 7)
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")
      try Dock.expectVerified(rig, recordings: 1)

      let file = "\(rig.directory)/opened.mp4"
      let opened = try Dock.open(try rig.recordingPath(), as: file)
      let mutes = opened.markers.filter { $0.value == "mute" }
      #expect(mutes.map(\.message) == ["on\nsource=socket", "off\nsource=socket"])
      let (from, to) = (try #require(mutes.first).seconds, try #require(mutes.last).seconds)
      let sound = try Stock.sound(file)
      let begin = try opened.track("audio").startSeconds
      /// The loudest sample between two moments of the media.
      func loudest(_ from: Double, _ to: Double) -> Int {
        let range = Int((from - begin) * 48_000)..<Int((to - begin) * 48_000)
        return sound[range.clamped(to: sound.indices)].map { abs(Int($0)) }.max() ?? -1
      }
      // The encoder's frame of 20 ms at each edge holds both, and rings over all of its length.
      #expect(loudest(from + 0.03, to - 0.025) <= 4, "silence")
      #expect(loudest(from - 0.1, from - 0.005) > 150, "the hum until it")
      #expect(loudest(to + 0.005, to + 0.1) > 150, "and from its end on")
      #expect(to - from > 2 && to - from < 6)
    }

    @Test("Where it is not allowed it is refused, with the key that would allow it; a second button needs it")
    func notAllowed() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      let refused = try rig.command("mute", "on")
      #expect(refused.code == 75 && refused.errors.contains("mute.allowed"), "\(refused.errors)")
      try rig.stop()
      #expect(rig.finish() == 0)
      let wrong = try rig.command("run", "--set", "buttons.second=gpio:chip:3")
      #expect(wrong.code == 78 && wrong.errors.contains("mute.allowed"), "\(wrong.errors)")
    }
  }
}
