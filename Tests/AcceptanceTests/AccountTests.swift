import Control
import Foundation
import Media
import Testing

extension ShortAcceptanceTests {
  /// Every trigger is told with its recording, or with the reason why there is none.
  @Suite("Account", .serialized)
  struct AccountTests {
    private struct Account: Decodable {
      struct Recording: Decodable {
        var counter: Int
        var headline: String
        var source: String?
        var reason: String?
        var preEventAskedMs: Int?
        var preEventHeldMs: Int?
        var durableAfterMs: Int?
        var continued: Int
        var framesLost: Int?
      }
      struct Other: Decodable {
        var result: String
        var cause: String?
        var counter: Int?
      }
      var triggers: Int
      var recorded: Int
      var continued: Int
      var unaccounted: Int
      var recordings: [Recording]
      var others: [Other]
    }

    private func account(_ rig: Rig, code: Int32 = 0) throws -> Account {
      let result = try run([try Rig.dock.get(), "account", rig.store, "--agency", "\(rig.agency)/public", "--json"])
      #expect(result.code == code, "\(result.errors)")
      return try JSONDecoder().decode(Account.self, from: Data(result.text.utf8))
    }

    @Test("Recordings by button and by schedule, a trigger while one ran and one that came before the first picture")
    func sources() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.start()
      // Before anything could be recorded: it is remembered, and begins the first recording.
      _ = try rig.askEarly(.start(source: "button", reason: "double"))
      try rig.wait("recording", seconds: 20) { $0.state == "recording" }
      _ = try rig.ask(.start())
      try rig.stop()
      let now = try rig.wait("a pre-event", seconds: 10) { $0.ring.map { $0.preEventHeldMs >= 1_000 } == true }
      try rig.wait("time for an edge that is older", seconds: 10) { $0.uptimeMs >= now.uptimeMs + 1_500 }
      _ = try rig.ask(.start(edgeAge: .milliseconds(500), source: "schedule", reason: "test"))
      try rig.wait("recording", seconds: 20) { $0.state == "recording" }
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")

      let account = try account(rig)
      #expect(account.triggers == 3 && account.recorded == 2 && account.continued == 1 && account.unaccounted == 0)
      #expect(account.recordings.map(\.source) == ["button", "schedule"])
      #expect(account.recordings.map(\.reason) == ["double", "test"])
      #expect(account.recordings.map(\.continued) == [1, 0])
      #expect(account.recordings.allSatisfy { $0.headline == "VERIFIED" && $0.preEventAskedMs == 1_000 })
      #expect(account.recordings[0].preEventHeldMs == 0, "there was no picture before")
      #expect(account.recordings[1].preEventHeldMs ?? 0 >= 1_000)
      #expect(account.recordings.allSatisfy { ($0.durableAfterMs ?? -1) > 0 })
      #expect(account.others.filter { $0.result == "continued" }.map(\.counter) == [1])

      let text = try run([try Rig.dock.get(), "account", rig.store, "--agency", "\(rig.agency)/public", "--all"])
      #expect(text.code == 0)
      #expect(text.text.hasPrefix("3 triggers: 2 recorded, 1 within a recording that ran."), "\(text.text)")
      #expect(text.text.contains("recording 2: VERIFIED, schedule test, pre-event 1."), "\(text.text)")
    }

    @Test("A trigger that was remembered and then withdrawn is told with that reason; one that vanished is found")
    func withdrawn() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.start()
      _ = try rig.askEarly(.start())
      let stopped = try rig.ask(.stop)
      #expect(rig.finish() == 0, "\(rig.logText)")
      let account = try account(rig)
      // The camera may have been quicker: then there is a recording.
      if case .success = stopped.outcome, account.recorded == 0 {
        #expect(account.others.map(\.result).contains("dropped") && account.others.map(\.cause).contains("withdrawn"))
      }
      #expect(account.triggers == 1 && account.unaccounted == 0)
    }

    @Test("A recording that was cut off before it existed: 40, and the line that says so")
    func cutOff() throws {
      let vectors = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Vectors")
      let store = vectors.appendingPathComponent("store-restarted").standardizedFileURL.path
      let result = try run([try Rig.dock.get(), "account", store, "--agency", "\(store)/agency"])
      #expect(result.code == 40, "\(result.errors)")
      #expect(result.text.hasPrefix("4 triggers: 3 recorded, 1 cut off before anything was saved."), "\(result.text)")
      #expect(result.text.contains("UNACCOUNTED recording 4 was begun and cut off before it existed"))
    }

    @Test("A button and lights that are not there: the recorder runs without them, and says so in status and log")
    func deaf() throws {
      let rig = try Rig(
        EndingTests.settings
          + "\nbuttons.record = \"gpio:no-such-chip:1\"\nindicators.red = \"led:no-such-light\"")
      try rig.startReady(preEvent: 1)
      let json = try #require(try rig.ask(.status(format: .json)).body.first)
      #expect(json.contains("\"kind\":\"button\",\"place\":\"gpio:no-such-chip:1\",\"state\":\"deaf\""), "\(json)")
      #expect(json.contains("red: there is no device for the output led:no-such-light"), "\(json)")
      // Looked for every second, and said once.
      try rig.wait("some seconds", seconds: 10) { $0.uptimeMs >= 4_000 }
      #expect(rig.finish() == 0)
      for what in ["record button: there is no chip", "red: there is no device"] {
        #expect(rig.logText.components(separatedBy: what).count == 2, "\(what) once: \(rig.logText)")
      }
    }

    @Test("Stealth is in the footage: when it began and ended, and that a recording began in it")
    func stealth() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.startReady(preEvent: 1)
      #expect(try rig.command("stealth", "on").code == 0)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      #expect(try rig.command("stealth", "off").code == 0)
      #expect(try rig.command("stealth", "on").code == 0)
      try rig.stop()
      #expect(try rig.ask(.status()).body.contains { $0.hasPrefix("Stealth") })
      #expect(rig.finish() == 0, "\(rig.logText)")
      let opened = try Dock.open(try rig.recordingPath(), as: "\(rig.directory)/opened.mp4")
      #expect(opened.markers.map(\.value) == ["trigger", "stealth", "stealth", "stealth", "stop"])
      #expect(opened.markers.filter { $0.value == "stealth" }.map(\.message) == ["on", "off", "on"])
    }

    @Test(
      "A false trigger ends at once, keeps its footage, and says so inside it; a later stop waits for the post-event")
    func falseTrigger() throws {
      let rig = try Rig(
        EndingTests.settings + "\nrecording.post_event_s = 30\nrecording.cancel_window_s = 10")
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      let stop = try rig.command("stop")
      #expect(stop.code == 0 && stop.text.contains("false trigger"), "\(stop.text)")
      try rig.wait("ready", seconds: 10) { $0.state == "ready" }
      #expect(rig.finish() == 0, "\(rig.logText)")
      let opened = try Dock.open(try rig.recordingPath(), as: "\(rig.directory)/opened.mp4")
      #expect(opened.markers.map(\.value) == ["trigger", "false_trigger"])
    }

    @Test("A store whose device log nobody vouches for: 1, with what to give")
    func nobody() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.startReady(preEvent: 1)
      #expect(rig.finish() == 0)
      let result = try run([try Rig.dock.get(), "account", rig.store])
      #expect(result.code == 1 && result.errors.contains("--agency"), "\(result.errors)")
    }
  }
}
