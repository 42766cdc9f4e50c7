import Control
import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("The other encoder", .serialized)
  struct OpenH264Tests {
    @Test("With libopenh264 a recording verifies, opens and has every frame")
    func everyFrame() throws {
      let rig = try Rig(
        """
        camera.width = 640
        camera.height = 360
        video.encoder = "openh264"
        recording.pre_event_s = 2
        recording.segment_s = 5
        """)
      try rig.startReady(preEvent: 2)
      #expect(try rig.command("start").code == 0)
      try rig.record(seconds: 8)
      try rig.stop()
      #expect(rig.finish() == 0)
      try Dock.expectVerified(rig, recordings: 1)
      let recording = try rig.recordingPath()
      let file = "\(rig.directory)/opened.mp4"
      _ = try Dock.open(recording, as: file)
      let measured = try Dock.measure(file)
      measured.expectEveryFrameOnce(rig.losses())
      #expect(measured.frames >= 8 * 30)
      #expect(!measured.offsets.isEmpty && measured.offsets.allSatisfy { abs($0.ms) <= 5 })
      try Stock.expectCleanDecoding(file)
      for segment in try Stock.segments(of: recording, into: rig.directory) { try Stock.expectCleanDecoding(segment) }
    }
  }
}
