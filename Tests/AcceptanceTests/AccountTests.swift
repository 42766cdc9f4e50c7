import Control
import Foundation
import Media
import Testing

extension AcceptanceTests {
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
      let rig = try Rig(EndingTests.settings)
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
      let rig = try Rig(EndingTests.settings)
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

    @Test("A store whose device log nobody vouches for: 1, with what to give")
    func nobody() throws {
      let rig = try Rig(EndingTests.settings)
      try rig.startReady(preEvent: 1)
      #expect(rig.finish() == 0)
      let result = try run([try Rig.dock.get(), "account", rig.store])
      #expect(result.code == 1 && result.errors.contains("--agency"), "\(result.errors)")
    }
  }
}
