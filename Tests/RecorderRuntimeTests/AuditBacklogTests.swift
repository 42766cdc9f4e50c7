import Evidence
import LinuxIO
import Media
import Testing

@testable import RecorderRuntime

@Suite struct AuditBacklogTests {
  private func fate(_ edge: Int64, _ cause: String? = nil) -> AuditEvent {
    .trigger(
      TriggerFate(
        trigger: TriggerFacts(source: "socket", reason: nil, edge: edge, decided: edge), result: .refused, cause: cause)
    )
  }

  @Test("a flood of one kind becomes a count, and none is lost")
  func flood() {
    var backlog = AuditBacklog()
    for edge in 0..<100_000 where !backlog.add(fate(Int64(edge))) { Issue.record("\(edge) is lost") }
    #expect(backlog.lines.count == AuditBacklog.separateLimit)
    let told = backlog.lines.reduce(Int64(0)) { sum, line in
      if case .trigger(let fate) = line { sum + fate.count } else { sum }
    }
    #expect(told == 100_000)
    let hasRoom = backlog.add(fate(1, "store_full"))
    #expect(hasRoom, "another kind has room beside it")
    #expect(backlog.lines.last == fate(1, "store_full"))
    let event = AuditEvent.event(.battery(.low, percent: 20))
    let hasRoomForHealth = backlog.add(event)
    #expect(hasRoomForHealth && backlog.lines.last == event, "and so has what is no trigger")
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
