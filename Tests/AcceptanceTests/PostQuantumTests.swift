import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("An agency that chose post-quantum recipients")
  struct PostQuantumTests {
    @Test("keygen --post-quantum, enrol, record, rotate: verified with no secret, opened with the identity")
    func wholePath() throws {
      let rig = try Rig(
        """
        camera.width = 128
        camera.height = 72
        video.bitrate_kbps = 150
        video.peak_kbps = 200
        video.preset = "ultrafast"
        recording.pre_event_s = 2
        recording.segment_s = 5
        """, agency: ["--post-quantum"])
      try rig.startReady(preEvent: 2)
      _ = try rig.command("start")
      try rig.record(seconds: 8)
      try rig.stop()
      #expect(rig.finish() == 0)

      let recording = try rig.recordingPath()
      let verified = try run([
        try Rig.dock.get(), "verify", rig.store, "--agency", "\(rig.agency)/public", "--json",
      ])
      let verdict = try #require(JSONDecoder().decode([Dock.Verdict].self, from: Data(verified.output)).first)
      // The camera and its sources are synthetic; the keys are no demonstration's.
      #expect(verdict.headline == "VERIFIED" && verdict.segments >= 2 && verified.code == 0, "\(verdict)")
      #expect(!verdict.sentence.contains("DEMO KEY"))
      let segment = try Data(contentsOf: URL(fileURLWithPath: "\(recording)/0000.mp4.age"))
      #expect(segment.range(of: Data("\n-> mlkem768x25519 ".utf8)) != nil)
      #expect(segment.range(of: Data("\n-> X25519 ".utf8)) == nil)

      let opened = try Dock.open(recording, as: "\(rig.directory)/whole.mp4", agency: rig.agency)
      #expect(opened.whole)
      let measured = try Dock.measure("\(rig.directory)/whole.mp4")
      #expect(measured.missing == 0 && measured.doubled.isEmpty && measured.frames >= 8 * 15, rig.losses())
    }
  }
}
