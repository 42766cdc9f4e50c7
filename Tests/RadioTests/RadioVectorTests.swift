import Foundation
import Media
import Testing

@testable import Radio

/// Tests/Vectors/advertisements.txt: genuine advertisements and others, for this implementation, for
/// Tests/Vectors/read_advertisement.py, and for anybody else's.
@Suite("Vectors of radio advertisements, and a second implementation", .serialized)
struct RadioVectorTests {
  /// Debian's own, whatever else is on PATH.
  static let python = "/usr/bin/python3"
  static let hasPython = Files.variable("CI") == "true" || FileManager.default.isExecutableFile(atPath: python)
  static let reader = Files.root.appendingPathComponent("Tests/Vectors/read_advertisement.py").path
  static let vectors = Files.root.appendingPathComponent("Tests/Vectors/advertisements.txt")

  private static let company = RadioAdvertisement.testCompany
  private static let keyText = (0..<32).map { Hexadecimal.encode([UInt8($0)]) }.joined()

  private static func genuine(_ said: RadioAdvertisement, company: UInt16 = company, data: [UInt8]? = nil) -> String {
    let data = Hexadecimal.encode(data ?? said.encoded(key: Air.key, company: company))
    return "genuine key=\(keyText) company=\(company) group=\(said.group) emitter=\(said.emitter) "
      + "event=\(said.event.rawValue) counter=\(said.counter) minute=\(said.minute) data=\(data)"
  }

  private static func refused(_ reason: RadioRefusal, _ data: [UInt8]) -> String {
    "refused key=\(keyText) company=\(company) group=7 reason=\(reason.rawValue) data=\(Hexadecimal.encode(data))"
  }

  private static func made() -> String {
    var lines = [
      "# Radio advertisements, genuine and refused: Sources/Radio/Radio.docc/Advertisement.md. KEY is that of GROUP;",
      "# data is everything that an advertisement carries. Numbers are decimal, key and data hexadecimal.",
      "# Generated: LAPEL_WRITE_VECTORS=1 swift test --filter RadioVectorTests", "",
    ]
    let example = Air.said()
    let bytes = example.encoded(key: Air.key)
    lines.append(genuine(example))
    for event in RadioEvent.named { lines.append(genuine(Air.said(2_000 + UInt32(event.rawValue), event: event))) }
    lines.append(genuine(Air.said(0, group: 0, emitter: 0, event: .init(rawValue: 127), minute: 0)))
    lines.append(genuine(Air.said(.max, group: .max, emitter: .max, event: .init(rawValue: 255), minute: .max)))
    lines.append(genuine(Air.said(3), company: 0x0059))
    lines.append(genuine(example, data: [2, 1, 6] + bytes))
    lines.append(genuine(example, data: bytes + [3, 3, 0x0F, 0x18]))
    lines.append(genuine(example, data: [5, 0xFF, 0x4C, 0, 2, 0x15] + bytes))
    lines.append(genuine(example, data: [4, 0xFF, 0xFF, 0xFF, 0xB1] + bytes))
    lines.append("")
    lines.append(refused(.notOurs, []))
    lines.append(refused(.notOurs, [2, 1, 6]))
    lines.append(refused(.notOurs, [0] + bytes))
    lines.append(refused(.notOurs, example.encoded(key: Air.key, company: 0x0059)))
    lines.append(refused(.malformed, Array(bytes.dropLast())))
    lines.append(refused(.malformed, [bytes[0] - 1] + bytes[1...].dropLast()))
    lines.append(refused(.malformed, [bytes[0] + 1] + bytes[1...] + [0]))
    lines.append(refused(.malformed, bytes[..<4] + [0xA2] + bytes[5...]))
    lines.append(refused(.malformed, [4, 0xFF, 0xFF, 0xFF, 0xA1] + bytes))
    lines.append(refused(.unknownGroup, Air.said(group: 9).encoded(key: Air.key)))
    lines.append(refused(.badMAC, example.encoded(key: Air.otherKey)))
    for index in [5, 6, 8, 12, 13, 14, 25] {
      lines.append(refused(.badMAC, bytes[..<index] + [bytes[index] ^ 1] + bytes[(index + 1)...]))
    }
    // The group's number of one, everything else of another.
    lines.append(refused(.badMAC, Air.said(group: 8).encoded(key: Air.key)[..<26] + [7, 0]))
    return lines.joined(separator: "\n") + "\n"
  }

  @Test("Regeneration gives the bytes of the file; LAPEL_WRITE_VECTORS=1 writes it")
  func regeneration() throws {
    if Files.variable("LAPEL_WRITE_VECTORS") == "1" {
      try Self.made().write(to: Self.vectors, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: Self.vectors, encoding: .utf8) == Self.made())
  }

  @Test("Every vector is opened to its fields, or refused for its reason")
  func vectors() throws {
    let lines = try String(contentsOf: Self.vectors, encoding: .utf8).split(separator: "\n").filter {
      !$0.hasPrefix("#")
    }
    #expect(lines.count > 30)
    for line in lines {
      let words = line.split(separator: " ")
      let pairs = words.dropFirst().map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
      let values = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
      func number(_ name: Substring) throws -> UInt32 { try #require(values[name].flatMap { UInt32($0) }) }
      let key = try #require(values["key"].flatMap { RadioKey(hex: $0) })
      let data = try #require(values["data"].flatMap { Hexadecimal.decode($0) })
      var settings = RadioGateSettings()
      settings.company = UInt16(try number("company"))
      if words[0] == "refused" {
        settings.groups = [RadioGroup(id: UInt16(try number("group")), key: key, emitters: [300])]
        var gate = try RadioGate(settings)
        let outcome = gate.take(Air.report(data), at: .at(0), clock: Air.untrusted)
        #expect(outcome.refusal?.rawValue == values["reason"].map(String.init), "\(line)")
        continue
      }
      #expect(words[0] == "genuine")
      let (group, emitter) = (UInt16(try number("group")), UInt16(try number("emitter")))
      settings.groups = [RadioGroup(id: group, key: key, emitters: [emitter])]
      var gate = try RadioGate(settings)
      let clock = RadioClock(minute: UInt16(try number("minute")), isTrusted: true)
      let signal = RadioSignal(
        event: RadioEvent(rawValue: UInt8(try number("event"))),
        source: .emitter(group: group, emitter: emitter, counter: try number("counter"), ageMinutes: 0),
        address: Air.address, rssi: -60)
      let expected: RadioOutcome =
        switch signal.event.effect {
        case .nothing: .test(signal)
        case .start: .start(signal)
        case .mark: .mark(signal)
        }
      #expect(gate.take(Air.report(data), at: .at(0), clock: clock) == expected, "\(line)")
    }
  }

  @Test("The second implementation agrees with every vector, and not with a changed one", .enabled(if: hasPython))
  func secondReader() throws {
    #expect(try run([Self.python, Self.reader, Self.vectors.path]).hasSuffix("vectors: none wrong\n"))
    let changed = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: changed) }
    try Self.made().replacingOccurrences(of: "reason=bad_mac", with: "reason=malformed")
      .write(to: changed, atomically: true, encoding: .utf8)
    #expect(throws: CommandFailure.self) { try run([Self.python, Self.reader, changed.path]) }
  }

  @Test("Both implementations make and open the same bytes of 200 random advertisements", .enabled(if: hasPython))
  func agreement() throws {
    var random = SplitMix64(state: 11)
    var cases: [(said: RadioAdvertisement, key: [UInt8], company: UInt16)] = []
    for _ in 0..<200 {
      let said = RadioAdvertisement(
        group: .random(in: 0 ... .max, using: &random), emitter: .random(in: 0 ... .max, using: &random),
        event: RadioEvent(rawValue: .random(in: 0 ... .max, using: &random)),
        counter: .random(in: 0 ... .max, using: &random), minute: .random(in: 0 ... .max, using: &random))
      cases.append(
        (said, (0..<32).map { _ in .random(in: 0 ... .max, using: &random) }, .random(in: 0 ... .max, using: &random)))
    }
    let input = cases.map { one in
      let said = one.said
      return "\(Hexadecimal.encode(one.key)) \(one.company) \(said.group) \(said.emitter) \(said.event.rawValue) "
        + "\(said.counter) \(said.minute)\n"
    }
    let made = try run([Self.python, Self.reader, "--encode"], input: input.joined())
    let ours = try cases.map {
      Hexadecimal.encode($0.said.encoded(key: try #require(RadioKey($0.key)), company: $0.company))
    }
    #expect(made.split(separator: "\n").map(String.init) == ours)

    // And with one bit turned round in every other one.
    var expected: [String] = []
    let sent = zip(cases, cases.indices).map { one, index in
      var bytes = one.said.encoded(key: RadioKey(one.key) ?? Air.key, company: one.company)
      if index % 2 == 1 {
        bytes[Int.random(in: 5..<26, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      let said = one.said
      expected.append(
        index % 2 == 1 ? "bad_mac" : "\(said.emitter) \(said.event.rawValue) \(said.counter) \(said.minute)")
      return "\(Hexadecimal.encode(one.key)) \(one.company) \(said.group) \(Hexadecimal.encode(bytes))\n"
    }
    let opened = try run([Self.python, Self.reader, "--decode"], input: sent.joined())
    #expect(opened.split(separator: "\n").map(String.init) == expected)
  }
}
