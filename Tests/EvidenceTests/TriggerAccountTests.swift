import Media
import Testing

@testable import Evidence

@Suite("Account of triggers")
struct TriggerAccountTests {
  private static func press(_ edge: Int64, _ source: String = "button") -> TriggerFacts {
    TriggerFacts(source: source, reason: "double", edge: edge, decided: edge + 300_000_000)
  }

  private static func start(_ edge: Int64) -> StartFacts {
    StartFacts(trigger: press(edge), preEventAsked: 30_000, preEventHeld: 30_000, shortfall: nil)
  }

  private func verdict(_ made: TestRecording, _ log: DeviceLog, _ agency: Agency, _ names: [String]) throws -> Verdict {
    let verifier = RecordingVerifier(
      directoryName: made.name, trust: try agency.trust, deviceLog: log, presentRecordings: names)
    return try verifier.verify(made.files)
  }

  private func account(_ camera: TestCamera, _ agency: Agency, _ made: [TestRecording]) throws -> TriggerAccount {
    let log = try camera.deviceLog()
    #expect(log.findings.isEmpty)
    let names = made.map(\.name)
    return TriggerAccount(log: log, verdicts: try made.map { try verdict($0, log, agency, names) })
  }

  @Test("Each trigger is told with its recording, or with why there is none; a press that asked for none is none")
  func whole() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record(RecordingPlan(start: Self.start(500_000_000)))
    try camera.append(.audit(.trigger(TriggerFate(trigger: Self.press(9), result: .continued, recording: 1, count: 4))))
    try camera.append(.audit(.trigger(TriggerFate(trigger: Self.press(10), result: .refused, cause: "store_full"))))
    try camera.append(.audit(.trigger(TriggerFate(trigger: Self.press(11), result: .idle))))
    try camera.append(.audit(.trigger(TriggerFate(trigger: Self.press(12), result: .remembered))))
    let second = try camera.record(RecordingPlan(counter: 2, start: Self.start(12)))
    try camera.append(.audit(.trigger(TriggerFate(trigger: Self.press(13), result: .remembered))))
    try camera.append(.audit(.trigger(TriggerFate(trigger: Self.press(13), result: .dropped, cause: "withdrawn"))))
    let account = try account(camera, agency, [first, second])
    #expect(account.recordings.map(\.counter) == [1, 2])
    #expect(account.recordings.map(\.start?.trigger.edge) == [500_000_000, 12])
    #expect(account.recordings[0].continued == 4)
    #expect(account.refused.map(\.fate.cause) == ["store_full", "withdrawn"])
    #expect(account.presses.count == 1 && account.unaccounted.isEmpty && account.cutOff.isEmpty)
    #expect(account.beginnings == 2 && account.triggerCount == 2 + 4 + 2)
    // The first checkpoint of the test's clock is in its second second.
    let verdict = try #require(
      account.recordings.first.flatMap { if case .present(let it) = $0.state { it } else { nil } })
    let durable = try #require(verdict.firstDurable)
    #expect(account.recordings[0].millisecondsToDurable == (durable - 500_000_000) / 1_000_000)
  }

  @Test(
    "A trigger with neither recording nor reason is found: remembered and never heard of again, or in a recording that nobody knows"
  )
  func unaccounted() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record(RecordingPlan(start: Self.start(5)))
    for fate in [
      TriggerFate(trigger: Self.press(6), result: .remembered),
      TriggerFate(trigger: Self.press(5, "socket"), result: .remembered),
      TriggerFate(trigger: Self.press(7), result: .continued, recording: 3),
    ] { try camera.append(.audit(.trigger(fate))) }
    try camera.void(2)
    let account = try account(camera, agency, [made])
    #expect(account.unaccounted.map(\.fate.trigger.edge).sorted() == [5, 6, 7])
    #expect(account.cutOff == [2], "begun, and cut off before it existed")
    #expect(account.triggerCount == 1 + 3 + 1)
  }

  @Test(
    "A trigger that hangs on another shares its fate; one that came too late and began the next recording counts once")
  func hanging() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record(RecordingPlan(start: Self.start(5)))
    for fate in [
      TriggerFate(trigger: Self.press(5), result: .continued, recording: 1),
      TriggerFate(trigger: Self.press(6), result: .continued, other: 5),
      TriggerFate(trigger: Self.press(7), result: .remembered),
      TriggerFate(trigger: Self.press(8), result: .continued, other: 7),
      TriggerFate(trigger: Self.press(7), result: .dropped, cause: "ending"),
      TriggerFate(trigger: Self.press(9), result: .continued, other: 4),
    ] { try camera.append(.audit(.trigger(fate))) }
    let account = try account(camera, agency, [made])
    #expect(account.continued.map(\.fate.trigger.edge) == [6])
    #expect(account.refused.map(\.fate.trigger.edge).sorted() == [7, 8])
    #expect(account.unaccounted.map(\.fate.trigger.edge) == [9], "nobody knows the trigger that it hangs on")
    #expect(account.triggerCount == 1 + 1 + 2 + 1)
  }

  @Test("A recording that is not here explains one vanished trigger, and no more")
  func silent() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    _ = try camera.record(RecordingPlan())
    for edge in 1...3 {
      try camera.append(.audit(.trigger(TriggerFate(trigger: Self.press(Int64(edge)), result: .remembered))))
    }
    #expect(try account(camera, agency, []).unaccounted.count == 2)
  }

  @Test("An opening that failed and was tried again for the same trigger is no lost recording; one that was cut off is")
  func retried() throws {
    let agency = try Agency()
    // The VOID is written at 5 s of the test's clock.
    for (edge, lost) in [(4_900_000_000, []), (5_100_000_000, [1])] as [(Int64, [Int64])] {
      let camera = try TestCamera(agency)
      try camera.void(1)
      let made = try camera.record(RecordingPlan(counter: 2, start: Self.start(edge)))
      let account = try account(camera, agency, [made])
      #expect(account.cutOff == lost && account.triggerCount == 1 + Int64(lost.count))
    }
  }

  @Test("What a start wrote again after the card had failed counts once")
  func twice() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record(RecordingPlan(start: Self.start(5)))
    let fate = TriggerFate(trigger: Self.press(6), result: .refused, cause: "store_failed")
    for _ in 0..<3 { try camera.append(.audit(.trigger(fate))) }
    #expect(try account(camera, agency, [made]).triggerCount == 2)
  }

  @Test(
    "Two recordings of one trigger, when the card failed in between, are one trigger; one that is not there is missed")
  func continuedElsewhere() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record(RecordingPlan(start: Self.start(5)))
    let second = try camera.record(RecordingPlan(counter: 2, start: Self.start(5)))
    #expect(try account(camera, agency, [first, second]).triggerCount == 1)
    let without = try account(camera, agency, [first])
    #expect(without.recordings.map(\.state).contains(.missing) && without.triggerCount == 2)
  }

  @Test("Gaps are summed up by cause, and no sum overflows")
  func gaps() throws {
    var missing = Verdict.MissingMedia()
    missing.add(5..<10, isVideo: true)
    missing.add(0..<Int64.max, isVideo: true)
    missing.add(1..<3, isVideo: false)
    #expect(missing.gaps == 3 && missing.video == Int64.max && missing.sound == 2)
    let largest = TriggerAccount.Other(
      fate: TriggerFate(trigger: Self.press(1), result: .idle, count: Int64.max), line: 1)
    #expect(TriggerAccount.sum([largest, largest]) == Int64.max)
  }
}
