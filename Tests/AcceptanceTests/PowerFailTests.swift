import Control
import Foundation
import Testing

extension ShortAcceptanceTests {
  /// The supply gives warning by a signal, as init and the daemons of uninterruptible supplies send it.
  @Suite("The supply gives warning", .serialized)
  struct PowerFailTests {
    /// A line of a journal.
    private struct Line {
      var type: Substring
      var keys: [Substring: Substring] = [:]

      init(_ text: Substring) {
        let words = text.split(separator: " ")
        type = words.dropFirst().first ?? ""
        for word in words.dropFirst(2) {
          let parts = word.split(separator: "=", maxSplits: 1)
          if parts.count == 2 { keys[parts[0]] = parts[1] }
        }
      }

      func number(_ key: Substring) throws -> Int64 { try #require(keys[key].flatMap { Int64($0) }) }
    }

    @Test("SIGPWR in mid-recording: a checkpoint comes with it and not with the interval, and recording goes on")
    func signal() throws {
      // No checkpoint is due by itself for five seconds.
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings + "\nrecording.checkpoint_ms = 5000")
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      // Behind the checkpoints of the pre-event, and in the middle between two others.
      try rig.record(seconds: 4)
      rig.recorder?.signal(SIGPWR)
      let status = try rig.wait("the warning", seconds: 5) { $0.power?.failing == true }
      #expect(status.recording != nil)
      try rig.record(seconds: 8)
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")
      try Dock.expectVerified(rig, recordings: 1)

      let text = try String(contentsOfFile: "\(rig.recordingPath())/journal.log", encoding: .utf8)
      let journal = text.split(separator: "\n").map { Line($0) }
      let place = try #require(journal.firstIndex { $0.type == "EVT" && $0.keys["code"] == "power" })
      #expect(journal[place].keys["what"] == "fail")
      let edge = try journal[place].number("edge")
      let checkpoints = journal.filter { $0.type == "CKPT" }
      let covering = try #require(journal[..<place].last { $0.type == "CKPT" })
      let distance = try covering.number("mono") - edge
      #expect((0...1_000_000_000).contains(distance), "\(distance) ns after the warning")
      // What the camera had seen by then is in it, but for what encoder and card keep for a moment.
      #expect(try covering.number("lag") <= 1_000)
      // While it lasts there are many, where one would be due.
      let following = try checkpoints.map { try $0.number("mono") }.filter {
        (edge...edge + 3_000_000_000).contains($0)
      }
      #expect(following.count >= 4, "\(following)")
      #expect(rig.logText.contains("power: the supply fails"))
    }
  }
}
