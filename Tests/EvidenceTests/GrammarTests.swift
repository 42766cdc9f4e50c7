import Media
import Testing

@testable import Evidence

@Suite("The order of a journal's lines")
struct GrammarTests {
  @Test("The writer refuses every line out of order, and can go on after it")
  func writer() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let facts = try camera.facts(RecordingPlan())
    let id = try #require(EvidenceID(randomBytes(16)))
    var randomness = HedgedRandomness(source: systemRandom, deviceSecret: [], id: id, counter: 1)
    var journal = try JournalWriter(id: id, device: agency.device, randomness: &randomness)
    var stream = try SegmentStream(segment: 0, recipients: agency.recipients, randomness: randomness)
    let later = try SegmentStream(segment: 1, recipients: agency.recipients, randomness: randomness)
    stream.fill { _ in 10 }
    let seal = try stream.checkpoint { _ in }
    let idle = try stream.checkpoint { _ in }
    stream.fill { _ in 10 }
    let second = try stream.checkpoint { _ in }
    func at(_ second: Int64, media: Int64 = 0) -> CheckpointFacts {
      CheckpointFacts(
        mediaTime: media, firstIDR: 0, clock: clock(second), lag: 0, framesLost: 0, samplesLost: 0)
    }
    var refusals = 0
    func refused(_ body: (inout JournalWriter) throws(EvidenceError) -> [UInt8]) {
      do throws(EvidenceError) {
        _ = try body(&journal)
        Issue.record("a line out of order was made")
      } catch {
        #expect(error.code == .grammar)
        refusals += 1
      }
    }
    refused { (journal) throws(EvidenceError) in try journal.segment(stream, initSegment: [1]) }
    refused { (journal) throws(EvidenceError) in try journal.close(.stop, duration: 0, clock(1)) }
    refused { (journal) throws(EvidenceError) in try journal.event(.error(.camera), clock(1)) }
    _ = try journal.open(facts)
    refused { (journal) throws(EvidenceError) in try journal.open(facts) }
    refused { (journal) throws(EvidenceError) in try journal.checkpoint(seal, at(1)) }
    refused { (journal) throws(EvidenceError) in try journal.endSegment() }
    refused { (journal) throws(EvidenceError) in try journal.abandon(.write) }
    refused { (journal) throws(EvidenceError) in try journal.segment(later, initSegment: [1]) }
    refused { (journal) throws(EvidenceError) in try journal.segment(stream, initSegment: []) }
    _ = try journal.event(.deviceFound(track: .video), clock(1))
    _ = try journal.segment(stream, initSegment: [1])
    refused { (journal) throws(EvidenceError) in try journal.segment(stream, initSegment: [1]) }
    refused { (journal) throws(EvidenceError) in try journal.checkpoint(idle, at(2)) }
    refused { (journal) throws(EvidenceError) in try journal.endSegment() }
    refused { (journal) throws(EvidenceError) in try journal.close(.stop, duration: 0, clock(2)) }
    _ = try journal.checkpoint(seal, at(3, media: 100))
    refused { (journal) throws(EvidenceError) in try journal.checkpoint(seal, at(3, media: 100)) }
    refused { (journal) throws(EvidenceError) in try journal.checkpoint(second, at(3, media: 99)) }
    refused { (journal) throws(EvidenceError) in try journal.checkpoint(second, at(2, media: 100)) }
    refused { (journal) throws(EvidenceError) in try journal.event(.error(.camera), clock(2)) }
    refused { (journal) throws(EvidenceError) in
      try journal.event(.gap(track: .video, from: 2, to: 1, cause: .xrun), clock(3))
    }
    refused { (journal) throws(EvidenceError) in try journal.event(.battery(.low, percent: 101), clock(3)) }
    _ = try journal.checkpoint(idle, at(3, media: 100))
    _ = try journal.checkpoint(second, at(3, media: 100))
    _ = try journal.endSegment()
    let head = try found(journal.head)
    _ = try journal.close(.stop, duration: 1, clock(3))
    refused { (journal) throws(EvidenceError) in try journal.event(.error(.camera), clock(4)) }
    refused { (journal) throws(EvidenceError) in try journal.open(facts) }
    #expect(refusals == 21 && head.n == 6)
    let (isClosed, next) = (journal.isClosed, journal.nextSegment)
    #expect(isClosed && next == 1)
  }

  /// A recording with one more signed line before CLOSE.
  private func recording(_ agency: Agency, _ type: String, _ fields: LineFields) throws -> TestRecording {
    let id = try #require(EvidenceID(randomBytes(16)))
    var randomness = HedgedRandomness(source: systemRandom, deviceSecret: [], id: id, counter: 1)
    var journal = try JournalWriter(id: id, device: agency.device, randomness: &randomness)
    var made = TestRecording(id: id, counter: 1)
    made.lines.append(try journal.open(TestCamera(agency).facts(RecordingPlan())))
    made.lines.append(try journal.append(type, fields, journal.grammar))
    made.lines.append(try journal.close(.stop, duration: 1, clock(3)))
    return made
  }

  @Test("A signed line that a later version may write is UNSUPPORTED, and a type that begins with X is passed over")
  func unknown() throws {
    let agency = try Agency()
    let trust = try agency.trust
    var event = LineFields()
    event.add("code", code: "mood")
    event.add("w", 1)
    event.add("mono", 6_000_000_000)
    #expect(try recording(agency, "EVT", event).verify(trust).headline == .integrity(.unsupported))
    #expect(try recording(agency, "NEWTYPE", LineFields()).verify(trust).headline == .integrity(.unsupported))
    #expect(try recording(agency, "SEG", LineFields()).verify(trust).headline == .integrity(.unsupported))
    #expect(try recording(agency, "XTRA", LineFields()).verify(trust).headline == .verifiedAlone)
    var extra = LineFields()
    extra.add("code", code: "clock")
    extra.add("was", 5)
    extra.add("w", 1)
    extra.add("mono", 6_000_000_000)
    extra.add("newkey", 1)
    #expect(try recording(agency, "EVT", extra).verify(trust).headline == .verifiedAlone, "an unknown key is ignored")
  }

  @Test("A signed line against the grammar is ALTERED, and a device signature where none belongs is no valid line")
  func signedNonsense() throws {
    let agency = try Agency()
    var abandon = LineFields()
    abandon.add("seg", 0)
    abandon.add("stream", 0)
    abandon.add("k", 0)
    abandon.add("reason", code: "sync")
    let verdict = try recording(agency, "ABANDON", abandon).verify(agency.trust)
    #expect(verdict.headline == .integrity(.altered) && verdict.findings.first?.line == 1)
    var other = abandon
    other.add("streamx", 1)
    #expect(try recording(agency, "ABANDON", other).verify(agency.trust).headline == .integrity(.altered))
  }

  @Test("Every event is read back as it was written")
  func events() throws {
    let all: [JournalEvent] =
      JournalEvent.GapCause.allCases.map { .gap(track: .video, from: 1, to: 2, cause: $0) }
      + JournalEvent.StorageCondition.allCases.map { .storage($0, freeMegabytes: 7) }
      + JournalEvent.BatteryCondition.allCases.map { .battery($0, percent: 100) }
      + JournalEvent.PowerCondition.allCases.map { .power($0, edge: 6_000_000_001) }
      + JournalEvent.ErrorCode.allCases.map { .error($0) }
      + [.clockStep(was: 5), .deviceLost(track: .audio), .deviceFound(track: .video)]
    for event in all {
      var fields = LineFields()
      event.add(to: &fields)
      #expect(JournalEvent(try JournalLine(parsing: JournalLineTests.line(middle: fields.text))) == event)
    }
  }

  @Test("OPEN says of camera, clock and software what it was given")
  func opening() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let plan = RecordingPlan(isDemo: true, camera: .synthetic, version: "0.1 (a b)\n s=x")
    let facts = try camera.facts(plan)
    let verdict = try camera.record(plan).verify(agency.trust)
    #expect(verdict.opening?.facts == facts)
  }
}
