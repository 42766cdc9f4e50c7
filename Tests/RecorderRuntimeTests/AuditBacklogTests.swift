import Control
import Core
import Evidence
import EvidenceStore
import LinuxIO
import Media
import Radio
import Testing
import Triggers

@testable import RecorderRuntime

@Suite struct AuditBacklogTests {
  private func fate(_ edge: Int64, _ cause: String? = nil) -> AuditEvent {
    .trigger(
      TriggerFate(
        trigger: TriggerFacts(source: "socket", reason: nil, edge: edge, decided: edge), result: .refused, cause: cause)
    )
  }

  private func triggers(_ backlog: AuditBacklog) -> [TriggerFate] {
    backlog.events.compactMap { if case .trigger(let fate) = $0 { fate } else { nil } }
  }

  @Test("a flood of one kind becomes a count, and none is lost")
  func flood() {
    var backlog = AuditBacklog()
    for edge in 0..<100_000 where !backlog.add(fate(Int64(edge))) { Issue.record("\(edge) is lost") }
    #expect(backlog.events.count == AuditBacklog.separateLimit)
    #expect(triggers(backlog).reduce(0) { $0 + $1.count } == 100_000)
    let hasRoom = backlog.add(fate(1, "store_full"))
    #expect(hasRoom, "another kind has room beside it")
    #expect(triggers(backlog).last?.cause == "store_full")
  }

  @Test("refused radio signals of a whole recording are one line for each cause, however many")
  func radio() {
    var backlog = AuditBacklog()
    for round in 0..<1_000 {
      let cause = round % 2 == 0 ? "bad_mac" : "replayed"
      if !backlog.add(.radio(RadioRefusals(cause: cause, count: 3))) { Issue.record("\(round) is lost") }
    }
    #expect(
      backlog.events == [
        .radio(RadioRefusals(cause: "bad_mac", count: 1_500)), .radio(RadioRefusals(cause: "replayed", count: 1_500)),
      ])
  }

  @Test("changes of health stand by themselves, in their order")
  func health() {
    var backlog = AuditBacklog()
    let events: [AuditEvent] = [
      .source(SourceHealth(source: "radio", state: .deaf, cause: "silent")),
      .source(SourceHealth(source: "radio", state: .listening)), .armed,
      .source(SourceHealth(source: "radio", state: .deaf, cause: "silent")),
    ]
    for event in events { _ = backlog.add(event) }
    #expect(backlog.events == events)
  }

  @Test("a source that comes and goes for hours leaves room for triggers, and how it is by now")
  func flapping() {
    var backlog = AuditBacklog()
    for round in 0..<10_000 {
      let state = SourceHealth(
        source: "radio", state: round % 2 == 0 ? .deaf : .listening, cause: round % 2 == 0 ? "lost" : nil)
      if !backlog.add(.source(state)) { Issue.record("\(round) is lost") }
    }
    #expect(backlog.events.count == AuditBacklog.otherLimit)
    #expect(backlog.events.last == .source(SourceHealth(source: "radio", state: .listening)))
    for edge in 0..<1_000 where !backlog.add(fate(Int64(edge))) { Issue.record("\(edge) is lost") }
    #expect(triggers(backlog).reduce(0) { $0 + $1.count } == 1_000)
  }

  @Test("what no line can carry is refused here: it would keep all others from the log")
  func invalid() {
    var backlog = AuditBacklog()
    let isTaken = backlog.add(.source(SourceHealth(source: "Radio!", state: .deaf)))
    #expect(!isTaken && backlog.events.isEmpty)
  }

  @Test("every cause that the recorder can name is a code")
  func causes() {
    let causes =
      TriggerError.Kind.allCases.map(\.rawValue) + HCIError.Kind.allCases.map(\.rawValue)
      + RadioRefusal.allCases.map(\.rawValue) + RecorderFault.allCases.map(\.rawValue)
      + RecorderStatus.Check.Part.Name.allCases.map(\.rawValue)
      + [DeafReason.silent, .hardwareError(1), .noLowEnergy, .refused(.reset, .success)].map(\.code)
    for cause in causes {
      var backlog = AuditBacklog()
      let isTaken = backlog.add(.source(SourceHealth(source: "radio", state: .deaf, cause: cause)))
      #expect(isTaken, "\(cause)")
    }
  }

  @Test("what finds no room is said to be lost")
  func full() {
    var backlog = AuditBacklog()
    for kind in 0..<AuditBacklog.limit where !backlog.add(fate(0, "kind\(kind)")) { Issue.record("\(kind) is lost") }
    let (another, known) = (backlog.add(fate(0, "another")), backlog.add(fate(0, "kind3")))
    #expect(!another)
    #expect(known, "a kind that is there is counted")
  }
}

@Suite("What becomes of triggers is written down") struct FateWritingTests {
  private let fate = TriggerFate(
    trigger: TriggerFacts(source: "button", reason: "double", edge: 1, decided: 2), result: .continued, recording: 1)

  private func lines(_ studio: Studio) throws -> [String] {
    let directory = "\(studio.agency.storePath)/device/log"
    return try fileNames(directory).sorted().flatMap { name in
      String(decoding: try fileBytes("\(directory)/\(name)"), as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }

  private func words(_ studio: Studio) throws -> [Substring] { try lines(studio).map { $0.split(separator: " ")[1] } }

  @Test("with the next checkpoint while something is recorded: a power cut does not take them")
  func recording() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    studio.trigger()
    studio.run(to: 5_000)
    studio.commands.push(.audit(.trigger(fate)))
    studio.run(to: 6_000)
    #expect(try words(studio).suffix(2) == ["OPENED", "AUDIT"])
    #expect(try lines(studio).last?.contains("src=button why=double edge=1 dec=2 res=continued rec=1") == true)
    let agency = studio.agency
    let store = try StoredEvidence(storePath: agency.storePath, identityPath: agency.identityPath)
    let account = TriggerAccount(log: try store.deviceLog(), verdicts: [])
    #expect(account.continued.map(\.fate) == [fate])
  }

  @Test("at most every five seconds, however many come, and all of them at the end")
  func seldom() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    studio.trigger()
    studio.run(to: 5_000)
    for count in 0..<12 as Range<Int64> {
      var another = fate
      another.trigger.edge = count
      another.trigger.decided = count
      studio.commands.push(.audit(.trigger(another)))
      studio.run(to: 5_000 + 250 * (count + 1))
    }
    let early = try words(studio).count { $0 == "AUDIT" }
    #expect((1...4).contains(early), "those that came before the first checkpoint alone")
    studio.stop()
    studio.run(to: 9_000)
    let written = try words(studio)
    let behind = ["CLOSED"] + Array(repeating: "AUDIT", count: 12 - early)
    #expect(written.suffix(behind.count).map(String.init) == behind)
  }

  @Test("anything else waits until nothing is recorded: no flush of footage waits for it")
  func others() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    studio.trigger()
    studio.run(to: 5_000)
    studio.commands.push(.audit(.radio(RadioRefusals(cause: "bad_mac", count: 7))))
    studio.run(to: 8_000)
    #expect(try words(studio).last == "OPENED")
    studio.stop()
    studio.run(to: 9_000)
    #expect(try words(studio).suffix(3) == ["OPENED", "CLOSED", "AUDIT"])
    #expect(try lines(studio).last?.contains("cause=bad_mac count=7") == true)
  }
}
