import Control
import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("Ready means proven", .serialized)
  struct CheckTests {
    @Test(
      "A start records, verifies and removes two seconds before it is ready; lapel check does it again, and tells each part"
    )
    func atStart() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings, checksAtStart: true)
      try rig.start()
      try rig.wait("the check", seconds: 20) { $0.state == "starting" && $0.reason?.hasPrefix("being checked") == true }
      try rig.wait("ready", seconds: 20) { $0.state == "ready" }
      let status = try #require(try rig.ask(.status(format: .json)).body.first)
      #expect(status.contains("\"check\":{\"number\":1,\"result\":\"passed\",\"parts\":["), "\(status)")
      let again = try rig.command("check")
      #expect(again.code == 0, "\(again.errors)")
      let rows = again.text.split(separator: "\n").map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
      for row in ["camera ok", "encoder ok", "microphone ok", "card ok", "keys ok", "triggers warning"] {
        #expect(rows.contains(row), "\(row): \(again.text)")
      }
      let json = try rig.command("check", "--json")
      #expect(json.text.hasPrefix("{\"number\":3,\"result\":\"passed\""), "\(json.text)")
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      let busy = try rig.command("check")
      #expect(busy.code == 75 && busy.errors.contains("it records"), "\(busy.errors)")
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")
      try Dock.expectVerified(rig, recordings: 1)
      #expect(try rig.recordingPath().contains("/0000000001-"), "checks use up no number")
      #expect(!FileManager.default.fileExists(atPath: "\(rig.store)/device/trial"))
      let directory = "\(rig.store)/device/log"
      let log = try FileManager.default.contentsOfDirectory(atPath: directory).map {
        try String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8)
      }.joined()
      #expect(log.components(separatedBy: "code=check res=passed").count == 4, "\(log)")
    }

    @Test("A press while the start is being checked is recorded at once, and makes the check needless")
    func pressed() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings, checksAtStart: true)
      try rig.start()
      try rig.wait("the check", seconds: 20) { $0.state == "starting" && $0.reason?.hasPrefix("being checked") == true }
      let started = try rig.ask(.start())
      #expect(started.outcome == .success("heard: the footage is being saved"))
      try rig.wait("recording", seconds: 5) { $0.state == "recording" }
      try rig.stop()
      try rig.wait("ready", seconds: 5) { $0.state == "ready" }
      #expect(rig.finish() == 0, "\(rig.logText)")
      try Dock.expectVerified(rig, recordings: 1)
      #expect(!rig.logText.contains("check: passed"))
    }

    @Test("Without a recorder: 1, with what to do")
    func nobody() throws {
      let rig = try Rig()
      let result = try rig.command("check")
      #expect(result.code == 1 && result.errors.contains("lapel run"), "\(result.errors)")
    }
  }
}
