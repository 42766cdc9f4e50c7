import Media
import Testing

@testable import Control

@Suite struct ControlRequestTests {
  private func parse(_ line: String) throws(ControlError) -> ControlRequest {
    try ControlRequest(line: Array(line.utf8))
  }

  private func failure(_ line: some Collection<UInt8>) -> ControlError? {
    do throws(ControlError) {
      _ = try ControlRequest(line: line)
      return nil
    } catch {
      return error
    }
  }

  private func failure(_ line: String) -> ControlError? { failure(Array(line.utf8)) }

  @Test("lines as a person types them are understood")
  func typed() throws {
    #expect(try parse("start") == .start())
    #expect(
      try parse("start edge_age_ms=2000 source=button") == .start(edgeAge: .milliseconds(2_000), source: "button"))
    #expect(try parse("start  source=radio   edge_age_ms=0 ") == .start(source: "radio"))
    #expect(try parse("stop") == .stop)
    #expect(try parse("mark") == .mark())
    #expect(try parse("mark label=front%20door%3d%C3%BC") == .mark(label: "front door=ü"))
    #expect(try parse("mark label=a=b") == .mark(label: "a=b"))
    #expect(try parse("status") == .status())
    #expect(try parse("status format=json") == .status(format: .json))
  }

  @Test(
    "what is sent is what is understood",
    arguments: [
      ControlRequest.start(), .start(edgeAge: .seconds(60)), .start(edgeAge: .milliseconds(1), source: "x_1"), .stop,
      .mark(), .mark(label: "a b%c=d\"ü🎥"), .mark(label: String(repeating: "ü", count: 64)), .status(),
      .status(format: .json), .stealth(true), .stealth(false), .mute(true), .mute(false), .check(),
      .check(number: 3), .check(number: 12, format: .json), .start(source: "schedule", reason: "test"),
    ])
  func roundTrip(request: ControlRequest) throws {
    let bytes = try request.serialised()
    #expect(bytes.last == UInt8(ascii: "\n"))
    #expect(bytes.count <= ControlRequest.maximumLength)
    #expect(try ControlRequest(line: bytes.dropLast()) == request)
  }

  @Test(
    "a request that would be refused is not sent",
    arguments: [
      ControlRequest.start(edgeAge: .milliseconds(60_001)), .start(edgeAge: .milliseconds(-1)), .start(source: ""),
      .start(source: "Button"), .mark(label: ""), .mark(label: "a\nb"), .mark(label: "\u{202E}abc"),
      .mark(label: String(repeating: "x", count: 129)), .mark(label: String(repeating: "ü", count: 200)),
    ])
  func refusedBeforeSending(request: ControlRequest) {
    #expect(throws: ControlError.self) { try request.serialised() }
  }

  @Test("rubbish is refused with what would be right")
  func rubbish() {
    #expect(failure("") == .emptyLine)
    #expect(failure("   ") == .emptyLine)
    #expect(failure("START") == .unknownCommand("START"))
    #expect(failure("stop now") == .unknownArgument("now", command: "stop", allowed: []))
    #expect(failure("mark text=x") == .unknownArgument("text", command: "mark", allowed: ["label"]))
    #expect(failure("check on=1") == .unknownArgument("on", command: "check", allowed: ["number", "format"]))
    #expect(failure("start source=a source=b") == .repeatedArgument("source"))
    #expect(failure("start source=a source") == .repeatedArgument("source"))
    for line in [
      "start edge_age_ms=-1", "start edge_age_ms=+1", "start edge_age_ms=1.5", "start edge_age_ms=60001",
      "start edge_age_ms=", "start edge_age_ms", "start edge_age_ms=99999999999999999999", "start source=",
      "start source=a-b", "mark label=", "mark label=%0A", "mark label=%", "mark label=%4", "mark label=%zz",
      "mark label=%FF", "mark label=%E2%80%AE", "status format=xml", "status format=JSON",
      "mute", "mute on=2", "check number=0", "check number=-1", "check number=x", "check format=xml",
      "stealth", "stealth on", "stealth on=", "stealth on=yes", "stealth on=2", "start reason=A", "start reason=",
    ] {
      guard case .badValue = failure(line) else {
        Issue.record("\(line) gave \(String(describing: failure(line)))")
        continue
      }
    }
    #expect(failure([0x73, 0x00]) == .notText(offset: 1))
    #expect(failure([0xC3, 0xBC]) == .notText(offset: 0))
    #expect(failure("start\r") == .notText(offset: 5))
    #expect(failure([UInt8](repeating: 0x61, count: 512)) == .tooLong(limit: 512))
  }

  @Test("every error is one line of limited length, whatever was sent")
  func errorText() throws {
    let long = String(repeating: "%1B%5B2J", count: 60)
    for line in [
      "mark label=\(long)", "start source=\(long)", String(repeating: "z", count: 500), "mark x=1", "stop x",
    ] {
      let text = try #require(failure(line)).description
      #expect(text.utf8.count < 250)
      #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
    #expect(failure("mark text=x")?.description == "mark takes label=…, not \"text\"")
    #expect(
      failure("begin")?.description
        == "there is no command \"begin\"; commands are start, stop, mark, mute, stealth, check, status")
    #expect(
      failure("start edge_age_ms=x")?.description
        == "edge_age_ms is \"x\", expected whole milliseconds, 0 to 60000")
  }

  @Test("any bytes give a request or an error, and what is accepted survives being sent")
  func total() throws {
    var random = SplitMix(state: 7)
    let pieces = [
      "start", "stop", "mark", "status", " ", " ", "=", "%", "%20", "edge_age_ms=", "label=", "source=", "format=json",
      "9",
      "\u{0}", "ü", "\n", "zz",
    ].map { Array($0.utf8) }
    var accepted = 0
    for _ in 0..<20_000 {
      var line: [UInt8] = []
      for _ in 0..<(random.next() % 7) { line += pieces[Int(random.next() % UInt64(pieces.count))] }
      if random.next() % 4 == 0 { line.append(UInt8(truncatingIfNeeded: random.next())) }
      guard let request = try? ControlRequest(line: line) else { continue }
      accepted += 1
      let again = try request.serialised()
      #expect(try ControlRequest(line: again.dropLast()) == request)
    }
    #expect(accepted > 100)
  }
}

/// A reproducible source of numbers (Steele, Lea, Flood: SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

@Suite struct ControlRequestBufferTests {
  private func receive(_ buffer: inout ControlRequestBuffer, _ text: String) -> ([String], Bool) {
    var seen: [String] = []
    let goesOn = buffer.receive(text.utf8) { result in
      switch result {
      case .success(let request):
        seen.append((try? request.serialised()).map { String(decoding: $0, as: UTF8.self) } ?? "")
      case .failure(let error): seen.append("error: \(error)")
      }
    }
    return (seen, goesOn)
  }

  @Test("requests come out whole however they are cut in transit, and a bad one does not hurt the next")
  func cutting() {
    let stream = "start\nstat\n\nstatus format=json\nmark label=x\n"
    let expected = [
      "start\n", "error: there is no command \"stat\"; commands are start, stop, mark, mute, stealth, check, status",
      "error: the line is empty; commands are start, stop, mark, mute, stealth, check, status", "status format=json\n",
      "mark label=x\n",
    ]
    for size in 1...stream.count {
      var buffer = ControlRequestBuffer()
      var seen: [String] = []
      var rest = Substring(stream)
      while !rest.isEmpty {
        let (some, goesOn) = receive(&buffer, String(rest.prefix(size)))
        rest = rest.dropFirst(size)
        seen += some
        #expect(goesOn)
      }
      #expect(seen == expected)
    }
  }

  @Test("a line without end is refused once, at the limit, and nothing after it is believed")
  func endless() {
    var buffer = ControlRequestBuffer()
    #expect(receive(&buffer, String(repeating: "x", count: 511)) == ([], true))
    #expect(receive(&buffer, "x\nstop\n") == (["error: the line is longer than 512 bytes"], false))
    #expect(receive(&buffer, "stop\n") == ([], false))
  }

  @Test("the longest line is accepted")
  func longest() {
    var buffer = ControlRequestBuffer()
    #expect(receive(&buffer, "stop" + String(repeating: " ", count: 507) + "\n") == (["stop\n"], true))
  }

}
