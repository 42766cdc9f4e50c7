import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("Pre-event sound", .serialized)
  struct PreEventSoundTests {
    @Test(
      "1280x720 with pre-event sound: every frame once, and a beep at every flash across the trigger and all segments")
    func soundFromTheStart() throws {
      let made = try LongRecordings.shared.withSound.get()
      let rig = made.rig
      #expect(made.exitCode == 0)
      try Dock.expectVerified(rig, recordings: 1)

      let recording = try rig.recordingPath()
      let file = "\(rig.directory)/opened.mp4"
      let opened = try Dock.open(recording, as: file)
      #expect(try Stock.segments(of: recording, into: rig.directory).count >= 5)
      #expect(opened.facts["pre_event_short"] == "-")
      #expect(try opened.number("pre_event_held_ms") >= 30_000)
      let measured = try Dock.measure(file)
      measured.expectEveryFrameOnce(rig.losses())
      // Each whole second that the footage holds; one within its first or last tenth may be cut.
      let begins = Int((Double(measured.firstCounter) / 30 + 0.1).rounded(.up))
      let ends = Int((Double(measured.lastCounter + 1) / 30 - 0.1).rounded(.down))
      let inside = measured.offsets.filter { (begins...ends).contains($0.second) }
      #expect(inside.map(\.second) == Array(begins...ends))
      #expect(measured.offsets.allSatisfy { abs($0.ms) <= 5 }, "\(measured.offsets)")
      let sound = try opened.track("audio")
      #expect(sound.gaps.isEmpty && sound.steps == 0)
      #expect(sound.startSeconds <= 0.03, "the sound begins with the picture")
      try Stock.expectCleanDecoding(file)
    }
  }
}

/// 1280x720 at 30 frames/s with 30 s of pre-event, sound and all, and 60 s of recording.
final class SoundRecording: Sendable {
  nonisolated(unsafe) let rig: Rig
  let exitCode: Int32

  init() throws {
    rig = try Rig(
      """
      camera.width = 1280
      camera.height = 720
      recording.pre_event_s = 30
      recording.pre_event_audio = true
      recording.segment_s = 20
      """)
    try rig.startReady(preEvent: 30)
    let start = try rig.command("start")
    guard start.code == 0 else { throw ProgramFailure(description: "lapel start: \(start.errors)") }
    try rig.record(seconds: 90)
    try rig.stop()
    exitCode = rig.finish()
  }
}
