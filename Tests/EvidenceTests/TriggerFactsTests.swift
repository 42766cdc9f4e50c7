import Media
import Testing

@testable import Evidence

@Suite("Triggers in journal and device log")
struct TriggerFactsTests {
  static let press = TriggerFacts(source: "button", reason: "double", edge: 1_000_000_000, decided: 1_400_000_000)
  static let start = StartFacts(trigger: press, preEventAsked: 30_000, preEventHeld: 12_345, shortfall: "just_started")

  private func open(_ start: StartFacts?) throws -> [UInt8] {
    let made = try TestCamera(Agency()).record(RecordingPlan(start: start))
    return try #require(made.lines.first)
  }

  private func facts(_ line: [UInt8]) throws -> OpenFacts {
    try JournalRecord.Open(Keys(try JournalLine(parsing: line))).facts
  }

  @Test(
    "OPEN says who asked for the recording, when, and what of the pre-event is held; and is read back as it was written"
  )
  func opened() throws {
    #expect(try facts(open(Self.start)).start == Self.start)
    let whole = StartFacts(
      trigger: TriggerFacts(source: "socket", reason: nil, edge: 0, decided: 0), preEventAsked: 0, preEventHeld: 0,
      shortfall: nil)
    #expect(try facts(open(whole)).start == whole)
    #expect(try facts(open(nil)).start == nil)
  }

  @Test("OPEN with a part of it is not understood, but for what may be missing")
  func parts() throws {
    let text = String(decoding: try open(Self.start), as: UTF8.self)
    for key in [Key.edge, Key.decided, Key.preEventAsked, Key.preEventHeld, Key.why, Key.shortfall] {
      let field = try #require(text.split(separator: " ").first { $0.hasPrefix("\(key)=") })
      let line = Array(text.replacing(" \(field)", with: "").utf8)
      if [Key.why, Key.shortfall].contains(key) {
        #expect(try facts(line).start != nil, "without \(key)")
      } else {
        #expect(throws: EvidenceError.self, "without \(key)") { try facts(line) }
      }
    }
    let later = Array(text.replacing("edge=1000000000", with: "edge=1400000001").utf8)
    #expect(throws: EvidenceError.self, "understood before it was pressed") { try facts(later) }
  }

  @Test("What cannot stand in a line is refused before the journal is touched")
  func invalid() throws {
    var bad: [StartFacts] = []
    for source in ["", "Button", "a b", "a=b", String(repeating: "a", count: 25)] {
      var start = Self.start
      start.trigger.source = source
      bad.append(start)
      start = Self.start
      start.trigger.reason = source
      bad.append(start)
      start = Self.start
      start.shortfall = source
      bad.append(start)
    }
    var start = Self.start
    start.trigger.decided = start.trigger.edge - 1
    bad.append(start)
    start = Self.start
    start.preEventHeld = -1
    bad.append(start)
    for start in bad { #expect(throws: EvidenceError.self, "\(start)") { try open(start) } }
  }

  @Test("What became of a trigger is read back as it was written; a value that is missing or wrong is not understood")
  func fates() throws {
    let camera = try TestCamera(Agency())
    let whole = TriggerFate(trigger: Self.press, result: .dropped, cause: "store_failed", recording: 3, count: 40)
    var fates = TriggerFate.Result.allCases.map { TriggerFate(trigger: Self.press, result: $0) }
    fates += [whole, TriggerFate(trigger: Self.press, result: .continued, other: 0)]
    for fate in fates {
      let line = try JournalLine(parsing: camera.append(.audit(.trigger(fate))))
      #expect(try DeviceLogEntry(line) == .audit(.trigger(fate)))
    }
    #expect(try camera.deviceLog().triggers.map(\.fate) == fates)
    #expect(try camera.deviceLog().findings.isEmpty)

    let text = String(decoding: try camera.append(.audit(.trigger(whole))), as: UTF8.self)
    for key in [Key.source, Key.edge, Key.decided, Key.result] {
      let field = try #require(text.split(separator: " ").first { $0.hasPrefix("\(key)=") })
      let line = try JournalLine(parsing: Array(text.replacing(" \(field)", with: "").utf8))
      #expect((try? DeviceLogEntry(line)) == nil, "without \(key)")
    }
    for (good, wrong) in [("count=40", "count=0"), ("rec=3", "rec=0"), ("res=dropped", "res=lost")] {
      let line = try JournalLine(parsing: Array(text.replacing(good, with: wrong).utf8))
      #expect((try? DeviceLogEntry(line)) == nil, "\(wrong)")
    }
    for fate in [
      TriggerFate(trigger: Self.press, result: .idle, cause: "No", recording: nil),
      TriggerFate(trigger: Self.press, result: .idle, count: 0),
    ] { #expect(throws: EvidenceError.self) { try camera.append(.audit(.trigger(fate))) } }
  }

  @Test("What is said of the health of triggers is read back as it was written; what is wrong is refused on both sides")
  func health() throws {
    let camera = try TestCamera(Agency())
    let hash = Hash32.sha256(of: [1])
    let events: [AuditEvent] = [
      .check(CheckOutcome(result: .failed, cause: "card")), .check(CheckOutcome(result: .passed, cause: nil)),
      .armed, .configuration(hash, software: hash), .configuration(hash, software: nil),
      .source(SourceHealth(source: "radio", state: .deaf, cause: "no_adapter")),
      .source(SourceHealth(source: "button", state: .listening)), .radio(RadioRefusals(cause: "replayed", count: 1)),
    ]
    for event in events {
      let line = try JournalLine(parsing: camera.append(.audit(event)))
      #expect(try DeviceLogEntry(line) == .audit(event))
    }
    #expect(try camera.deviceLog().findings.isEmpty)
    let wrong: [AuditEvent] = [
      .source(SourceHealth(source: "a b", state: .deaf)),
      .source(SourceHealth(source: "radio", state: .deaf, cause: "")),
      .check(CheckOutcome(result: .failed, cause: "A b")), .radio(RadioRefusals(cause: "replayed", count: 0)),
      .radio(RadioRefusals(cause: "No", count: 1)),
    ]
    for event in wrong { #expect(throws: EvidenceError.self) { try camera.append(.audit(event)) } }
    let text = String(decoding: try camera.append(.audit(events[5])), as: UTF8.self)
    for (good, bad) in [("what=deaf", "what=blind"), ("cause=no_adapter", "cause=No"), ("src=radio", "src=Radio")] {
      let line = try JournalLine(parsing: Array(text.replacing(good, with: bad).utf8))
      #expect((try? DeviceLogEntry(line)) == nil, "\(bad)")
    }
  }
}
