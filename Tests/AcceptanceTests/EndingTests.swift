import Control
import Foundation
import Testing

extension ShortAcceptanceTests {
  /// Ctrl-C, SIGTERM and `stop` in every state: the recorder ends with 0, and what was recorded is closed and verified.
  @Suite("Ending", .serialized)
  struct EndingTests {
    /// Small pictures: only what happens to the recording counts here.
    static let settings = """
      camera.width = 320
      camera.height = 180
      camera.fps = 15
      recording.pre_event_s = 1
      """

    @Test("A signal while starting ends the recorder with 0 and leaves no recording", arguments: [SIGINT, SIGTERM])
    func whileStarting(signal: Int32) throws {
      let rig = try Rig(Self.settings)
      try rig.start()
      _ = try rig.askEarly(.status(format: .json))
      #expect(rig.finish(signal) == 0, "\(rig.logText)")
      try Dock.expectVerified(rig, recordings: 0)
    }

    @Test("A signal while a trigger waits for the start: the recorder ends with 0")
    func startingWithTrigger() throws {
      let rig = try Rig(Self.settings)
      try rig.start()
      _ = try rig.askEarly(.start())
      #expect(rig.finish(SIGINT) == 0, "\(rig.logText)")
      let recordings = try rig.recordingPaths().count
      try Dock.expectVerified(rig, recordings: recordings)
    }

    @Test("A signal while ready ends the recorder with 0 and leaves no recording", arguments: [SIGINT, SIGTERM])
    func whileReady(signal: Int32) throws {
      let rig = try Rig(Self.settings)
      try rig.startReady(preEvent: 1)
      #expect(rig.finish(signal) == 0, "\(rig.logText)")
      try Dock.expectVerified(rig, recordings: 0)
    }

    @Test(
      "A signal right after the trigger still saves the pre-event, closed and verified", arguments: [SIGINT, SIGTERM])
    func whileSaving(signal: Int32) throws {
      let rig = try Rig(Self.settings)
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      #expect(rig.finish(signal) == 0, "\(rig.logText)")
      try expectOneClosed(rig)
    }

    @Test("A signal while recording closes the recording, verified", arguments: [SIGINT, SIGTERM])
    func whileRecording(signal: Int32) throws {
      let rig = try Rig(Self.settings)
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      #expect(rig.finish(signal) == 0, "\(rig.logText)")
      try expectOneClosed(rig)
    }

    @Test("A signal in the post-event does not wait for its end: closed and verified", arguments: [SIGINT, SIGTERM])
    func whilePostEvent(signal: Int32) throws {
      let rig = try Rig(Self.settings + "\nrecording.post_event_s = 60")
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      _ = try rig.ask(.stop)
      try rig.wait("post-event", seconds: 5) { $0.state == "post_event" }
      #expect(rig.finish(signal) == 0, "\(rig.logText)")
      let opened = try expectOneClosed(rig)
      #expect(try opened.track("video").endSeconds < 30, "the 60 s were not waited for")
    }

    @Test("A signal while closing lets the close finish: closed and verified", arguments: [SIGINT, SIGTERM])
    func whileClosing(signal: Int32) throws {
      let rig = try Rig(Self.settings)
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      _ = try rig.ask(.stop)
      #expect(rig.finish(signal) == 0, "\(rig.logText)")
      try expectOneClosed(rig)
    }

    @Test("stop in every state: refused where nothing is recorded, and every recording is closed and verified")
    func stops() throws {
      let rig = try Rig(Self.settings + "\nrecording.post_event_s = 2")
      try rig.start()
      #expect(Self.isRefused(try rig.askEarly(.stop)), "nothing was triggered yet")
      try rig.wait("ready", seconds: 20) { $0.state == "ready" }
      let ready = try rig.command("stop")
      #expect(ready.code == 75)
      #expect(ready.output.isEmpty && ready.errors.contains("nothing is being recorded"))

      // Saving: the first stop begins the post-event, the second ends it.
      _ = try rig.ask(.start())
      _ = try rig.ask(.stop)
      _ = try rig.ask(.stop)
      try rig.wait("closed", seconds: 10) { $0.state == "ready" }
      // Recording, post-event, closing.
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      _ = try rig.ask(.stop)
      try rig.wait("post-event", seconds: 5) { $0.state == "post_event" }
      _ = try rig.ask(.stop)
      _ = try rig.ask(.stop)
      try rig.wait("closed", seconds: 10) { $0.state == "ready" }
      #expect(rig.finish() == 0)
      try Dock.expectVerified(rig, recordings: 2)
    }

    @Test("A trigger while starting is remembered and becomes a recording")
    func rememberedTrigger() throws {
      let rig = try Rig(Self.settings)
      try rig.start()
      guard case .success(let message) = try rig.askEarly(.start()).outcome else { throw Refused() }
      #expect(message.hasPrefix("remembered"), "it was too late to be asked while starting: \(rig.logText)")
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      try rig.stop()
      #expect(rig.finish() == 0)
      let opened = try expectOneClosed(rig)
      #expect(opened.facts["pre_event_short"] == "just_started")
    }

    @Test("A trigger while starting that is taken back leaves no recording, and nothing is kept in memory for it")
    func withdrawnTrigger() throws {
      // A ring of 6 s at this bitrate: were the trigger still pinned, it would be full after about 8 s.
      let rig = try Rig(
        Self.settings + """

          video.bitrate_kbps = 100
          video.peak_kbps = 100
          recording.edge_to_decision_s = 0
          recording.stall_reserve_s = 2
          microphone.source = "none"
          """)
      try rig.start()
      guard case .success(let message) = try rig.askEarly(.start()).outcome else { throw Refused() }
      #expect(message.hasPrefix("remembered"), "it was too late to be asked while starting: \(rig.logText)")
      _ = try rig.ask(.stop)
      let status = try rig.wait("ten seconds", seconds: 30) { ($0.video?.framesCaptured ?? 0) >= 150 }
      #expect(status.video?.framesRefused == 0)
      #expect(status.state == "ready")
      #expect(rig.finish() == 0)
      try Dock.expectVerified(rig, recordings: 0)
    }

    @Test("A trigger in the post-event goes on with the same recording: one recording with both triggers marked in it")
    func retrigger() throws {
      let rig = try Rig(Self.settings + "\nrecording.post_event_s = 3")
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      _ = try rig.ask(.stop)
      try rig.wait("post-event", seconds: 5) { $0.state == "post_event" }
      #expect(try rig.command("start", "--source", "button").code == 0)
      try rig.wait("recording again", seconds: 5) { $0.state == "recording" }
      #expect(try rig.command("mark", "--label", "blue car").code == 0)
      // Longer than the first post-event would have been.
      try rig.record(seconds: 7)
      _ = try rig.ask(.stop)
      try rig.wait("closed after the post-event", seconds: 15) { $0.state == "ready" }
      #expect(rig.finish() == 0)
      let opened = try expectOneClosed(rig)
      #expect(opened.markers.map(\.value) == ["trigger", "stop", "trigger", "mark", "stop"])
      let messages = [
        "source=socket", "source=socket", "source=button", "source=socket\nlabel=blue car", "source=socket",
      ]
      #expect(opened.markers.map(\.message) == messages)
      #expect(try opened.track("video").endSeconds >= 10, "the post-event after the last stop is there")
    }

    private struct Refused: Error {}

    private static func isRefused(_ reply: ControlReply) -> Bool {
      if case .failure = reply.outcome { true } else { false }
    }

    /// One recording, verified, with every picture that was there.
    @discardableResult
    private func expectOneClosed(_ rig: Rig, sourceLocation: SourceLocation = #_sourceLocation) throws -> Dock.Opened {
      try Dock.expectVerified(rig, recordings: 1, sourceLocation: sourceLocation)
      let file = "\(rig.directory)/opened.mp4"
      let opened = try Dock.open(try rig.recordingPath(), as: file)
      try Dock.measure(file).expectEveryFrameOnce(rig.losses(), sourceLocation: sourceLocation)
      return opened
    }
  }
}
