import Testing

@testable import Control

@Suite struct ControlReplyTests {
  @Test(
    "what is sent is what is read",
    arguments: [
      ControlReply.success(), .success("recording 42 begun"),
      .success("x", body: ["a", "", " b", "OK", "ERR x y", "ü"]),
      .success(body: [""]), .success(body: ["", ""]), .failure(.notRecording, "nothing is being recorded"),
      .failure(.busy, ""), .failure(.init(rawValue: "new_code"), " spaced  text "),
    ])
  func roundTrip(reply: ControlReply) throws {
    let bytes = reply.serialised()
    let parsed = try #require(try ControlReply.parse(bytes))
    #expect(parsed.reply == reply)
    #expect(parsed.length == bytes.count)
    for length in 0..<bytes.count { #expect(try ControlReply.parse(bytes.prefix(length)) == nil) }
  }

  @Test("two replies in a row are told apart")
  func sequence() throws {
    let first = ControlReply.success(body: ["", "x"])
    let second = ControlReply.failure(.badRequest, "no")
    let bytes = first.serialised() + second.serialised()
    let one = try #require(try ControlReply.parse(bytes))
    let two = try #require(try ControlReply.parse(bytes[one.length...]))
    #expect(one.reply == first && two.reply == second)
    #expect(one.length + two.length == bytes.count)
  }

  @Test("text from outside cannot forge lines or move the cursor")
  func forging() throws {
    let reply = ControlReply.success("a\nERR x y", body: ["b\n\nOK", "c\r\u{1B}[2J\u{85}\u{2028}d"])
    let parsed = try #require(try ControlReply.parse(reply.serialised()))
    #expect(parsed.reply == .success("a ERR x y", body: ["b  OK", "c  [2J  d"]))
    #expect(String(decoding: reply.serialised(), as: UTF8.self) == "OK a ERR x y\n b  OK\n c  [2J  d\n\n")
  }

  @Test("the wire form is the documented one")
  func wire() {
    let text = { (reply: ControlReply) in String(decoding: reply.serialised(), as: UTF8.self) }
    #expect(text(.success()) == "OK\n\n")
    #expect(text(.success("done", body: ["x", ""])) == "OK done\n x\n \n\n")
    #expect(text(.failure(.cannotRecord, "card full")) == "ERR cannot_record card full\n\n")
    #expect(text(ControlReply(.emptyLine)).hasPrefix("ERR bad_request the line is empty"))
  }

  @Test(
    "answers of something else are refused",
    arguments: ["HTTP/1.1 400\r\n", "\n", "OKAY\n", "ERR\n", "ERR \n", "OK\nbody without space\n", "ok\n\n"])
  func strangers(text: String) {
    #expect(throws: ControlError.self) { try ControlReply.parse(Array(text.utf8)) }
  }

  @Test("an endless answer is refused")
  func endless() {
    let bytes = [UInt8](repeating: 0x4F, count: ControlReply.maximumLength + 1)
    #expect(throws: ControlError.tooLong(limit: ControlReply.maximumLength)) { try ControlReply.parse(bytes) }
  }
}
