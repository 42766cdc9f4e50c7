import Foundation
import Testing

extension ShortAcceptanceTests {
  /// Each mistake has its documented exit code, one message on standard error, nothing on standard output, and leaves
  /// nothing behind.
  @Suite("Wrong use", .serialized)
  struct WrongUseTests {
    @Test("A configuration file that is not there: 78, with its name")
    func noConfiguration() throws {
      let file = "/tmp/lapel-there-is-no-such-file.toml"
      try expectRefused(try run([try Rig.lapel.get(), "run", "--config", file]), code: 78, says: [file])
      try expectRefused(try run([try Rig.lapel.get(), "config", "check", file]), code: 78, says: [file])
    }

    @Test("An unknown key: 78, with file and line")
    func unknownKey() throws {
      let rig = try Rig("recording.pre_evnt_s = 30", isEnrolled: false)
      try expectUntouched(rig) {
        try expectRefused(
          try rig.command("run"), code: 78, says: ["\(rig.configuration):8", "pre_evnt_s", "pre_event_s"])
      }
    }

    @Test("An encoder that does not exist: 78, with what is allowed")
    func unknownEncoder() throws {
      let rig = try Rig("video.encoder = \"x265\"", isEnrolled: false)
      try expectUntouched(rig) {
        try expectRefused(
          try rig.command("run"), code: 78, says: ["\(rig.configuration):8", "x265", "x264", "openh264"])
      }
    }

    @Test("A camera that was never enrolled: 77, with what to do, and no store is made")
    func notEnrolled() throws {
      let rig = try Rig(isEnrolled: false)
      try expectUntouched(rig) {
        try expectRefused(try rig.command("run"), code: 77, says: ["lapel enroll"])
      }
    }

    @Test("A camera device that is not there: 69, with its name")
    func noCamera() throws {
      let rig = try Rig("camera.source = \"v4l2\"\ncamera.device = \"/dev/video9\"")
      try expectUntouched(rig) {
        try expectRefused(try rig.command("run"), code: 69, says: ["/dev/video9"])
      }
    }

    @Test("A button that can be none: 78, with what a button is, and where it was set; also told by config check")
    func noButton() throws {
      let rig = try Rig("buttons.record = \"gpio17\"", isEnrolled: false)
      try expectUntouched(rig) {
        let words = ["buttons.record", "gpio:CHIP:LINE", "\(rig.configuration):8"]
        try expectRefused(try rig.command("run"), code: 78, says: words)
        let check = try run([try Rig.lapel.get(), "config", "check", rig.configuration])
        try expectRefused(check, code: 78, says: words)
      }
    }

    @Test("A light that can be none: 78, with what an output is; signs that would take each other for another: 78")
    func noLight() throws {
      let rig = try Rig("indicators.red = \"gpio17\"", isEnrolled: false)
      try expectUntouched(rig) {
        try expectRefused(
          try rig.command("run"), code: 78, says: ["indicators.red", "led:NAME", "\(rig.configuration):8"])
      }
      let other = try Rig("signs.ready = \"red on\"", isEnrolled: false)
      try expectUntouched(other) {
        try expectRefused(try other.command("run"), code: 78, says: ["ready", "recording", "\(other.configuration):8"])
      }
    }

    @Test("A store path at which a file lies: 73, with the path; the file stays as it is")
    func storeIsFile() throws {
      let rig = try Rig()
      let file = "\(rig.directory)/file"
      try "not a store".write(toFile: file, atomically: true, encoding: .utf8)
      let result = try rig.command("run", "--set", "store.path=\(file)")
      try expectRefused(result, code: 73, says: [file])
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "not a store")
    }

    @Test(
      "A question to a recorder that does not run: 1, with the socket and a hint",
      arguments: ["status", "start", "stop"])
    func noRecorder(command: String) throws {
      let rig = try Rig(isEnrolled: false)
      try expectUntouched(rig) {
        try expectRefused(try rig.command(command), code: 1, says: [rig.socket, "lapel run"])
      }
    }

    @Test(
      "Words that are no command or option: 64",
      arguments: [["recrod"], ["run", "--confg", "x"], ["start", "--edge-age-ms", "x"]])
    func wrongWords(words: [String]) throws {
      let result = try run([try Rig.lapel.get()] + words)
      #expect(result.code == 64, "\(result.errors)")
      #expect(result.output.isEmpty && result.errors.contains("Error:"))
    }

    // MARK: -

    private func expectRefused(
      _ result: ProgramResult, code: Int32, says words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      #expect(result.code == code, "\(result.errors)", sourceLocation: sourceLocation)
      #expect(result.output.isEmpty, "\(result.text)", sourceLocation: sourceLocation)
      // The warning of demonstration keys is no part of the message.
      let lines = result.errors.split(separator: "\n").filter { !$0.contains("DEMO KEY") }
      let messages = lines.filter { $0.hasPrefix("lapel: ") }
      #expect(messages.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
      for word in words { #expect(result.errors.contains(word), "\(result.errors)", sourceLocation: sourceLocation) }
      #expect(!result.errors.contains("Error(") && !result.errors.contains("Fatal"), sourceLocation: sourceLocation)
    }

    /// What lies in the rig's directory is the same afterwards.
    private func expectUntouched(
      _ rig: Rig, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    )
      throws
    {
      let before = try FileManager.default.subpathsOfDirectory(atPath: rig.directory).sorted()
      try body()
      let after = try FileManager.default.subpathsOfDirectory(atPath: rig.directory).sorted()
      #expect(before == after, sourceLocation: sourceLocation)
    }
  }
}
