import Evidence
import Foundation
import Media
import Testing

@testable import Opening

@Suite("lapel-dock log")
struct DockLogTests {
  private static let secret = "witness in the red coat"

  private struct Card {
    let scratch: Scratch
    let recording: TestRecording
    var path: String { scratch.path("card") }
    var agency: String { scratch.path("agency/public") }
    var identity: String { scratch.path("agency/secret/identity.txt") }
    var log: String { "card/device/log/0000000001.log" }

    init(_ change: (inout TestScript) -> Void = { _ in }) throws {
      scratch = try Scratch()
      var script = TestScript.plain
      func event(_ milliseconds: Int64, _ value: String, _ message: String) -> [UInt8] {
        EventMessage(mediaMilliseconds: milliseconds, identifier: 1, value: value, message: message).bytes()
      }
      script.segments[0].extra[0] = event(0, "trigger", "source=button\nreason=double")
      script.segments[1].extra[1] = event(3_000, "mark", "source=socket\nlabel=\(DockLogTests.secret)\u{1B}[31m")
      script.segments[2].extra[0] = event(4_000, "stealth", "on") + event(4_100, "stop", "source=button\nreason=hold")
      change(&script)
      recording = try TestRecording(script, agency: TestAgency())
      try recording.write(to: scratch)
    }

    func log(_ words: String...) throws -> CommandResult {
      let arguments = ["log", path, "--agency", agency] + words
      return try dock(arguments)
    }
  }

  private func events(_ result: CommandResult) throws -> [[String: Any]] {
    try result.text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
    }
  }

  @Test("Without an identity the log and the journals are told, and nothing that the wearer did")
  func clear() throws {
    let card = try Card()
    let result = try card.log("--json")
    #expect(result.status == 0, "\(result.message)")
    #expect(
      try events(result).map { $0["event"] as? String } == [
        "start", "opened", "software", "checkpoints", "closed",
      ])
    for text in [result.text, try card.log().text] {
      for word in [Self.secret, "stealth", "hold"] { #expect(!text.contains(word), "\(text)") }
    }
  }

  @Test("With the identity what the wearer did stands in the same timeline, in order, marked, and safe to print")
  func opened() throws {
    let card = try Card()
    let result = try card.log("--identity", card.identity)
    #expect(result.status == 0, "\(result.message)")
    let lines = result.text.split(separator: "\n").map { String($0.dropFirst(25)) }
    #expect(
      lines == [
        "  start 1, software test", "  recording 1 opened",
        lines.count > 2 ? lines[2] : "", "*   trigger: button, double",
        "*   marker \"\(Self.secret)\\u001b[31m\": socket", "*   stealth on", "*   stop: button, hold",
        "    6 checkpoints, worst lag 0.1 s; nothing lost", "  recording 1 closed: stopped, 7.0 s long",
      ], "\(result.text)")
    #expect(lines.dropFirst(2).first?.hasPrefix("    software test (") == true)
    let marks = try events(card.log("--identity", card.identity, "--json")).filter {
      $0["event"] as? String == "wearer"
    }
    #expect(marks.map { $0["what"] as? String } == ["trigger", "mark", "stealth", "stop"])
    #expect(marks.allSatisfy { $0["place"] as? String == "footage" })
    #expect(marks[1]["label"] as? String == Self.secret + "\u{1B}[31m")
    #expect(marks.map { $0["mediaUs"] as? Int } == [0, 3_000_000, 4_000_000, 4_100_000])
    // One recording, by its counter or its directory; none that is not there.
    let directory = card.scratch.path("card/recordings/\(card.recording.name)")
    for name in ["1", card.recording.name, directory] {
      let own = try card.log("--identity", card.identity, "--recording", name)
      #expect(own.status == 0 && own.text.contains(Self.secret) && !own.text.contains("start 1"), "\(own.text)")
    }
    let none = try card.log("--recording", "2")
    #expect(none.status == 1 && none.text.isEmpty && none.message.contains("nothing of recording 2"))
  }

  @Test("Another identity ends with 2, says so of each recording, and shows nothing that is sealed")
  func wrongIdentity() throws {
    let card = try Card()
    let other = try card.scratch.write("other.txt", Array("\(try AgeIdentity().secretText)\n".utf8))
    let result = try card.log("--identity", other)
    #expect(result.status == 2 && result.message.contains("the identity fits no recording"), "\(result.message)")
    #expect(result.text.contains("NOT OPENED: the identity fits none of the segments"), "\(result.text)")
    #expect(result.text.contains("recording 1 closed") && !result.text.contains(Self.secret))
    #expect(try card.log("--identity", card.scratch.path("nothing.txt")).status == 1)
  }

  @Test("Footage that was changed, or is not what was committed to, is named; the rest is told")
  func footage() throws {
    let card = try Card()
    let name = "card/recordings/\(card.recording.name)/0002.mp4.age"
    var bytes = try card.scratch.read(name)
    bytes[5_000] ^= 1
    try card.scratch.write(name, bytes)
    var result = try card.log("--identity", card.identity)
    #expect(result.status == 35, "\(result.message)")
    #expect(result.text.contains("NOT OPENED: ") && result.text.contains("ALTERED"), "\(result.text)")
    #expect(result.text.contains(Self.secret) && !result.text.contains("stop: button"))
    #expect(try card.log().status == 0, "the log itself is whole")

    let lying = try Card { $0.segments[1].liesIn = [1] }
    result = try lying.log("--identity", lying.identity)
    #expect(result.status == 34 && result.text.contains("COMMITMENT_MISMATCH"), "\(result.text)")
    #expect(!result.text.contains(Self.secret), "what was not committed to is not told")
  }

  @Test("A changed byte in the log is named with file, line and bytes, and is the exit code")
  func altered() throws {
    let card = try Card()
    let whole = try card.scratch.read(card.log)
    let firstEnd = try #require(whole.firstIndex(of: 10))
    for (offset, status, word) in [
      (firstEnd + 100, Int32(35), "ALTERED device/log/0000000001.log line 2 bytes"),
      (whole.count - 30, 15, "TORN_DEVICE_LOG device/log/0000000001.log line 2"),
      (100, 35, "ALTERED device/log/0000000001.log"),
    ] {
      var bytes = whole
      bytes[offset] ^= 1
      try card.scratch.write(card.log, bytes)
      let result = try card.log()
      #expect(result.status == status && result.message.contains(word), "\(offset): \(result.status) \(result.message)")
    }
    try card.scratch.write(card.log, whole)
    let journal = "card/recordings/\(card.recording.name)/journal.log"
    var bytes = try card.scratch.read(journal)
    bytes[bytes.count / 2] ^= 1
    try card.scratch.write(journal, bytes)
    let result = try card.log("--json")
    #expect(result.status == 35 && result.message.contains("\(card.recording.name)/journal.log line"))
    #expect(try events(result).contains { $0["event"] as? String == "finding" })
  }

  @Test(
    "The log of a docked store: docking, deletion and anchors are told; what a dock has seen and the log lacks is found"
  )
  func docked() throws {
    let store = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Vectors/store-docked").standardizedFileURL.path
    let all = ["log", store, "--agency", store + "/agency", "--receipts", store + "/agency/receipts"]
    var result = try dock(all)
    #expect(result.status == 0, "\(result.message)")
    for words in ["docked at ", "deleted, against a receipt by ", "log signed for a dock", "start 2, "] {
      #expect(result.text.contains(words), "\(result.text)")
    }
    #expect(result.text.split(separator: "\n").allSatisfy { $0.count <= 110 })
    let newest = try dock(all + ["--last", "3"])
    #expect(newest.text.split(separator: "\n") == result.text.split(separator: "\n").suffix(3))

    let scratch = try Scratch()
    try FileManager.default.copyItem(atPath: store, toPath: scratch.path("card"))
    try FileManager.default.removeItem(atPath: scratch.path("card/device/log/0000000002.log"))
    let first = try scratch.read("card/device/log/0000000001.log")
    let end = try #require(first.dropLast().lastIndex(of: 10))
    try scratch.write("card/device/log/0000000001.log", Array(first[...end]))
    result = try dock([
      "log", scratch.path("card"), "--agency", store + "/agency", "--receipts", store + "/agency/receipts",
    ])
    #expect(result.status == 23 && result.message.contains("ROLLBACK"), "\(result.status) \(result.message)")
  }

  @Test("What is no store, or nobody's, is refused with what to give")
  func refusals() throws {
    let card = try Card()
    #expect(try dock("log", card.path).status == 1)
    #expect(try dock("log", card.scratch.path("card/recordings")).status == 1)
    for words in [["--last", "0"], ["--since", "yesterday"], ["--recording", "x"]] {
      #expect(try dock(["log", card.path, "--agency", card.agency] + words).status == 64)
    }
    let help = try dock("log", "--help")
    #expect(help.status == 0 && help.text.contains("Examples:") && help.text.contains("Exit codes:"))
  }

  @Test("Who closes the pipe early ends it without a word")
  func closedPipe() throws {
    let card = try Card()
    let program = try dockPath()
    for (trap, codes) in [("", [0, 141]), ("trap '' PIPE; ", [0])] {
      let result = try command([
        "bash", "-c", "\(trap)\"$@\" | head -n 1; exit ${PIPESTATUS[0]}", "bash", program, "log", card.path, "--agency",
        card.agency,
      ])
      #expect(codes.contains(Int(result.status)) && result.message.isEmpty, "\(result.status) \(result.message)")
      #expect(result.text.contains("start 1") && result.text.split(separator: "\n").count == 1)
    }
  }
}
