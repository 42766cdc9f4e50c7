import Control
import Core
import Evidence
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

  @Test("only when nothing is recorded: while footage is written no flush waits for it")
  func idle() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    studio.trigger()
    studio.run(to: 5_000)
    studio.commands.push(.audit(.trigger(fate)))
    studio.run(to: 8_000)
    #expect(try !lines(studio).contains { $0.contains("code=trigger") })
    studio.stop()
    studio.run(to: 9_000)
    let written = try lines(studio).map { $0.split(separator: " ")[1] }
    #expect(written.suffix(3) == ["OPENED", "CLOSED", "AUDIT"])
    #expect(try lines(studio).last?.contains("src=button why=double edge=1 dec=2 res=continued rec=1") == true)
  }
}
