import Control
import Foundation
import LinuxIO
import Media
import Testing

extension ShortAcceptanceTests {
  /// The audit log as people read it: on the camera, and at the dock with and without the agency's identity.
  @Suite("Audit log", .serialized)
  struct LogTests {
    private static let label = "Zeuge \"Käfer\" mit Hut"
    private static let printedLabel = "Zeuge \\\"Käfer\\\" mit Hut"

    /// The places of lines, each the first that holds the words, in a log for people.
    private func places(_ words: [String], in text: String) -> [Int?] {
      let lines = text.split(separator: "\n")
      return words.map { word in lines.firstIndex { $0.contains(word) } }
    }

    private func expect(
      _ words: [String], inOrderIn text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let found = places(words, in: text)
      #expect(!found.contains(nil), "\(zip(words, found)) in\n\(text)", sourceLocation: sourceLocation)
      let places = found.compactMap { $0 }
      #expect(places == places.sorted(), "\(zip(words, found)) in\n\(text)", sourceLocation: sourceLocation)
    }

    private func dockLog(_ rig: Rig, _ words: String...) throws -> ProgramResult {
      try run([try Rig.dock.get(), "log", rig.store, "--agency", "\(rig.agency)/public"] + words)
    }

    private func events(_ result: ProgramResult) throws -> [[String: Any]] {
      try result.text.split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
      }
    }

    @Test("A recording from start to close, read while it runs and after it; the label only with the agency's identity")
    func timeline() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start(source: "button", reason: "double"))
      try rig.wait("recording", seconds: 20) { $0.state == "recording" }
      _ = try rig.ask(.mark(label: Self.label))
      try rig.record(seconds: 3)
      let during = try rig.command("log")
      #expect(during.code == 0, "\(during.errors)")
      expect(["start 1,", "recording 1 opened: button, double", "recording 1 is open"], inOrderIn: during.text)
      #expect(try rig.status().state == "recording", "a reader takes nothing from the recorder")
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")
      try rig.startReady(preEvent: 1)
      #expect(rig.finish() == 0, "\(rig.logText)")

      let clear = try rig.command("log")
      #expect(clear.code == 0 && clear.errors.isEmpty, "\(clear.errors)")
      expect(
        [
          "start 1, software", "store check", "recording 1 opened: button, double; pre-event", "worst lag",
          "recording 1 closed: stopped, ", "start 2, software",
        ], inOrderIn: clear.text)
      for line in clear.text.split(separator: "\n") {
        #expect(line.count <= 100 && line.hasPrefix("20"), "\(line)")
      }
      for text in [clear.text, try dockLog(rig).text, try rig.command("log", "--json").text] {
        for word in ["Zeuge", "marker", "wearer", "\u{1B}"] { #expect(!text.contains(word), "\(text)") }
      }

      let opened = try dockLog(rig, "--identity", Dock.identity())
      #expect(opened.code == 0 && opened.errors.isEmpty, "\(opened.errors)")
      expect(
        [
          "start 1, software", "recording 1 opened", "*   trigger: button, double",
          "*   marker \"\(Self.printedLabel)\"",
          "*   stop: socket", "worst lag", "recording 1 closed: stopped", "start 2,",
        ], inOrderIn: opened.text)
      // All that is in clear is there as well, as it was.
      let lines = Set(opened.text.split(separator: "\n"))
      #expect(clear.text.split(separator: "\n").allSatisfy { lines.contains($0) }, "\(opened.text)")

      let json = try events(dockLog(rig, "--identity", Dock.identity(), "--json"))
      let wearer = json.filter { $0["event"] as? String == "wearer" }
      #expect(wearer.map { $0["what"] as? String } == ["trigger", "mark", "stop"])
      #expect(wearer[1]["label"] as? String == Self.label)
      // By one clock the marker lies between opening and close, and the trigger before the opening.
      func time(_ event: [String: Any]) throws -> Int64 { try #require(event["bootNs"] as? Int64) }
      let opening = try #require(json.first { $0["event"] as? String == "opened" })
      let closing = try #require(json.first { $0["event"] as? String == "closed" })
      #expect(try time(wearer[0]) <= time(opening) && time(opening) < time(wearer[1]))
      #expect(try time(wearer[1]) < time(wearer[2]) && time(wearer[2]) <= time(closing))
      let edge = try #require(opening["edgeNs"] as? Int64)
      #expect(try abs(time(wearer[0]) - edge) < 50_000_000, "the trigger's time by the checkpoint is its edge")

      #expect(try rig.command("log", "--last", "1").text.split(separator: "\n").count == 1)
      #expect(try rig.command("log", "--since", "2h").text == clear.text)
      #expect(try rig.command("log", "--since", "2999-01-01").text.isEmpty)
    }

    @Test("A recorder that was killed: the log says where the recording was cut off, and what the next start found")
    func killed() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.startReady(preEvent: 1)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 20) { $0.state == "recording" }
      try rig.record(seconds: 2)
      _ = rig.finish(SIGKILL)
      let dead = try rig.command("log")
      #expect(dead.code == 0 && dead.text.contains("recording 1 is open: it goes on, or was cut off"), "\(dead.text)")
      try rig.startReady(preEvent: 1)
      #expect(rig.finish() == 0, "\(rig.logText)")
      let log = try rig.command("log")
      #expect(log.code == 0, "\(log.errors)")
      expect(
        [
          "recording 1 opened", "recording 1 was cut off", "start 2,", "journal of recording 1",
          "recording 1 found cut off",
        ],
        inOrderIn: log.text)
      let opened = try dockLog(rig, "--identity", Dock.identity())
      #expect(opened.code == 0 && opened.text.contains("trigger: socket"), "\(opened.errors)\n\(opened.text)")
    }

    @Test(
      "Followed, it tells what is there and then what comes, through a restart, once and in the order of the log; Ctrl-C ends it quietly"
    )
    func followed() throws {
      let rig = try Rig(EndingTests.settings)
      try rig.startReady(preEvent: 1)
      let words = [try Rig.lapel.get(), "log", "--config", rig.configuration, "--follow"]
      let people = try Program(words, output: "\(rig.directory)/log.txt", errors: "\(rig.directory)/log.err")
      let machine = try Program(
        words + ["--json"], output: "\(rig.directory)/log.json", errors: "\(rig.directory)/json.err")
      let newest = try Program(
        words + ["--last", "1"], output: "\(rig.directory)/last.txt", errors: "\(rig.directory)/last.err")
      func told(_ program: Program) -> String {
        (try? String(contentsOfFile: program.outputPath, encoding: .utf8)) ?? ""
      }
      func wait(for words: String, in programs: [Program]) throws {
        for program in programs {
          let end = MonotonicTime.now() + .seconds(30)
          while !told(program).contains(words) {
            guard program.exitCode == nil, .now() < end else {
              throw ProgramFailure(description: "no \"\(words)\" in \(told(program)) \(program.errors)")
            }
            usleep(100_000)
          }
        }
      }
      let all = [people, machine, newest]
      try wait(for: "start 1,", in: [people, machine])
      // It begins with a single line, whichever it is.
      try wait(for: "\n", in: [newest])
      _ = try rig.ask(.start(source: "button", reason: "double"))
      try wait(for: "recording 1 opened: button, double", in: all)
      try rig.wait("recording", seconds: 20) { $0.state == "recording" }
      try rig.record(seconds: 2)
      try rig.stop()
      try wait(for: "recording 1 closed: stopped", in: all)
      #expect(rig.finish() == 0, "\(rig.logText)")
      try rig.startReady(preEvent: 1)
      try wait(for: "start 2,", in: all)
      _ = try rig.ask(.start())
      try rig.wait("recording", seconds: 20) { $0.state == "recording" }
      try rig.stop()
      try wait(for: "recording 2 closed: stopped", in: all)
      #expect(rig.finish() == 0, "\(rig.logText)")
      for program in all {
        program.signal(SIGINT)
        #expect(program.wait() == 0)
        #expect(program.errors.isEmpty, "\(program.errors)")
      }
      // Marks of a clock that nobody believed yet stand behind the time: the words are what is compared.
      func entries(_ text: String) -> [String] { text.split(separator: "\n").map { String($0.dropFirst(26)) } }
      let whole = entries(try rig.command("log").text)
      #expect(entries(told(people)) == whole, "\(told(people))")
      #expect(whole.suffix(entries(told(newest)).count) == ArraySlice(entries(told(newest))), "\(told(newest))")
      #expect(told(machine).split(separator: "\n").count == whole.count, "\(told(machine))")
      let json = try events(ProgramResult(code: 0, output: Array(told(machine).utf8), errors: ""))
      #expect(json.count { $0["event"] as? String == "closed" } == 2)
    }

    @Test("A changed byte in the log: not 0, and the place; another camera's card, and a camera without keys or log")
    func wrong() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      #expect(try rig.command("log").code == 73, "it has not run yet")
      try rig.startReady(preEvent: 1)
      #expect(rig.finish() == 0)
      #expect(try rig.command("log").code == 0)
      let copy = "\(rig.directory)/copy"
      try succeed(["cp", "-r", rig.store, copy])
      let file = "\(copy)/device/log/0000000001.log"
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
      for index in [40, bytes.count / 2, bytes.count - 20] {
        var changed = bytes
        changed[index] ^= 1
        try Data(changed).write(to: URL(filePath: file))
        let result = try rig.command("log", "--set", "store.path=\(copy)")
        #expect([15, 35].contains(result.code), "byte \(index): \(result.code)")
        #expect(result.errors.contains("device/log/0000000001.log line "), "byte \(index): \(result.errors)")
      }
      let other = try Rig(ShortAcceptanceTests.EndingTests.settings)
      let strange = try other.command("log", "--set", "store.path=\(rig.store)")
      #expect(strange.code == 73 && strange.errors.contains("is of device"), "\(strange.errors)")
      #expect(try Rig(ShortAcceptanceTests.EndingTests.settings, isEnrolled: false).command("log").code == 77)
      #expect(try rig.command("log", "--last", "0").code == 64)
      #expect(try rig.command("log", "--set", "store.nonsense=7").code == 78)
    }

    @Test("Who closes the pipe early ends it without a word, also where that signal is ignored")
    func closedPipe() throws {
      let rig = try Rig(ShortAcceptanceTests.EndingTests.settings)
      try rig.startReady(preEvent: 1)
      #expect(rig.finish() == 0)
      let lapel = try Rig.lapel.get()
      for trap in ["", "trap '' PIPE; "] {
        let result = try run([
          "bash", "-c", "\(trap)\"$@\" | head -n 1; exit ${PIPESTATUS[0]}", "bash", lapel, "log", "--config",
          rig.configuration,
        ])
        #expect([0, 141].contains(result.code) && result.errors.isEmpty, "\(result.code) \(result.errors)")
        #expect(result.text.split(separator: "\n").count == 1)
      }
    }
  }
}
