import Control
import Foundation
import Testing

extension ShortAcceptanceTests {
  /// What the commands do about radio where there is no adapter; signals on the air are the device lab's.
  @Suite("Radio: a deaf one is shown, and keys stay where they are", .serialized)
  struct RadioCommandTests {
    private static let vectors = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Vectors")
    private static let key = String(repeating: "5e", count: 32)

    private func groups(_ rig: Rig, _ text: String) throws -> String {
      let path = "\(rig.directory)/groups"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return path
    }

    @Test(
      "An adapter that is not there does not keep it from recording; the status and the device log say that it is deaf")
    func deaf() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      let path = try groups(rig, "7 \(Self.key) 300\n")
      try (rig.configurationText(socket: rig.socket) + "\nradio.adapter = \"hci63\"\nradio.groups = \"\(path)\"\n")
        .write(toFile: rig.configuration, atomically: true, encoding: .utf8)
      try rig.startReady(preEvent: 1)
      try rig.wait("the radio's first failure", seconds: 10) { _ in rig.logText.contains("the radio is deaf") }
      let json = try #require(try rig.ask(.status(format: .json)).body.first)
      #expect(json.contains("\"kind\":\"radio\",\"place\":\"hci63, exclusive\",\"state\":\"deaf\""), "\(json)")
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")
      #expect(rig.logText.components(separatedBy: "the radio is deaf").count == 2, "said once: \(rig.logText)")
      try Dock.expectVerified(rig, recordings: 1)
      let lines = try deviceLog(rig)
      #expect(lines.contains { $0.contains("code=source src=radio what=deaf cause=no_") }, "\(lines)")
      for code in ["code=config conf=", "code=time wsrc=", "code=arm"] {
        #expect(lines.contains { $0.contains(code) }, "\(code)")
      }
    }

    private func deviceLog(_ rig: Rig) throws -> [String] {
      let directory = "\(rig.store)/device/log"
      return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().flatMap { name in
        try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8).split(separator: "\n").map(String.init)
      }
    }

    @Test("Keys that are missing or wrong: 77, with file and line, and never a word of a key")
    func wrongKeys() throws {
      let rig = try Rig()
      let missing = try rig.command("run", "--set", "radio.adapter=any", "--set", "radio.groups=\(rig.directory)/none")
      #expect(missing.code == 77 && missing.errors.contains("\(rig.directory)/none"), "\(missing.errors)")
      let path = try groups(rig, "# two\n7 \(Self.key) 300\n8 \(Self.key)aa 1\n")
      let wrong = try rig.command("run", "--set", "radio.adapter=any", "--set", "radio.groups=\(path)")
      #expect(wrong.code == 77 && wrong.errors.contains("line 3"), "\(wrong.errors)")
      #expect(!wrong.errors.contains("5e5e"))
      let adapter = try rig.command("run", "--set", "radio.adapter=bluetooth")
      #expect(adapter.code == 78 && adapter.errors.contains("hci0"), "\(adapter.errors)")
      let rule = try rig.command("run", "--set", "radio.unauthenticated=1:2:3")
      #expect(rule.code == 78 && rule.errors.contains("COMPANY:OFFSET:BYTES:EVENT"), "\(rule.errors)")
    }

    @Test("A beacon's advertisement is one that a second implementation opens; its counter rises, and is stored first")
    func beacon() throws {
      let rig = try Rig(isEnrolled: false)
      let path = try groups(rig, "7 \(Self.key) 300\n")
      let state = "\(rig.directory)/counter"
      func beacon(_ words: String...) throws -> ProgramResult {
        try run(
          [try Rig.lapel.get(), "beacon", "--groups", path, "--emitter", "300", "--event", "holster", "--state", state]
            + words)
      }
      for counter in 1...3 {
        let made = try beacon("--group", "7", "--print")
        #expect(made.code == 0, "\(made.errors)")
        let data = made.text.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(data.count == 56)
        let line = "\(Self.key) 65535 7 \(data)"
        let opened = try run(
          ["/bin/sh", "-c", "echo '\(line)' | python3 \(Self.vectors.path)/read_advertisement.py --decode"])
        #expect(opened.text.hasPrefix("300 1 \(counter) "), "\(opened.text) \(opened.errors)")
        #expect(try String(contentsOfFile: state, encoding: .utf8) == "\(counter)\n")
      }
      let stranger = try beacon("--group", "8", "--print")
      #expect(stranger.code == 77 && stranger.errors.contains("no group 8; it has: 7"), "\(stranger.errors)")
      let nowhere = try beacon("--group", "7", "--adapter", "hci63")
      #expect(nowhere.code == 69 && !nowhere.errors.contains("5e5e"), "\(nowhere.errors)")
      try "many\n".write(toFile: state, atomically: true, encoding: .utf8)
      let lost = try beacon("--group", "7", "--print")
      #expect(lost.code == 77 && lost.errors.contains(state), "\(lost.errors)")
      #expect(try run([try Rig.lapel.get(), "beacon", "--groups", path]).code == 64)
    }
  }
}
