import Control
import Core
import Evidence
import EvidenceStore
import LinuxIO
import Media
import Testing

@testable import RecorderRuntime

@Suite("A trial: two seconds that are recorded, verified and removed")
struct TrialTests {
  private func reports(_ studio: Studio) -> [TrialReport] {
    studio.reported.compactMap { if case .tried(let report) = $0.event { report } else { nil } }
  }

  private func begin(_ studio: Studio, number: Int = 1, triesSound: Bool = true) {
    let now = studio.now
    let start = studio.ring.withRing { $0.startPoint(at: now) }
    studio.wishes.tryOut(
      TrialRequest(
        number: number, triesSound: triesSound,
        open: OpenRequest(
          trigger: Trigger(source: .demo, time: now, decided: now), start: start, shortfall: nil, preEventAsked: .zero,
          soundFrom: now)))
    studio.work()
  }

  private func trialDirectory(_ studio: Studio) -> String { "\(studio.agency.storePath)/device/trial" }

  private func logTypes(_ studio: Studio) throws -> [String] {
    let directory = "\(studio.agency.storePath)/device/log"
    return try fileNames(directory).sorted().flatMap { name in
      String(decoding: try fileBytes("\(directory)/\(name)"), as: UTF8.self).split(separator: "\n")
        .map { String($0.split(separator: " ")[1]) }
    }
  }

  @Test("holds every frame of its time and its sound, is verified, and leaves nothing: no file, no log line, no number")
  func passes() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    let before = try logTypes(studio)
    begin(studio)
    studio.run(to: 9_000)
    let report = try #require(reports(studio).first)
    #expect(report.outcome == .passed)
    // From the keyframe before it: up to a second more than two.
    let frames = Int(Nanoseconds.seconds(2).count / Reel.frameInterval.count)
    #expect((frames...frames * 3 / 2 + 1).contains(report.frames), "\(report.frames) of \(frames)")
    #expect((95...101).contains(report.soundPackets), "\(report.soundPackets)")
    #expect(report.lostFrames == 0 && report.lostSamples == 0 && report.bytes > 10_000)
    #expect(try !fileNames("\(studio.agency.storePath)/device").contains("trial"))
    #expect(try fileNames("\(studio.agency.storePath)/recordings").isEmpty)
    #expect(try logTypes(studio) == before)
    studio.trigger()
    studio.run(to: 12_000)
    studio.stop()
    studio.run(to: 14_000)
    #expect(try studio.recordingDirectory().contains("/0000000001-"), "a trial uses up no number")
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
  }

  @Test("Where sound may not be written without a trigger it writes none, although there is some")
  func withoutSound() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    begin(studio, triesSound: false)
    studio.run(to: 9_000)
    let report = try #require(reports(studio).first)
    #expect(report.outcome == .passed && report.frames > 0)
    #expect(report.soundPackets == 0)
  }

  @Test("A trigger ends it at once and loses nothing by it", arguments: [4_010, 4_700, 5_500, 5_990] as [Int64])
  func interrupted(at moment: Int64) throws {
    let studio = try Studio(try Reel.plain.get(), preEvent: .seconds(3))
    studio.run(to: 4_000)
    begin(studio)
    studio.run(to: moment)
    let request = studio.trigger()
    studio.run(to: moment + 3_000)
    studio.stop()
    studio.run(to: moment + 5_000)
    #expect(reports(studio).map(\.outcome) == [.interrupted])
    #expect(try !fileNames("\(studio.agency.storePath)/device").contains("trial"))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified && footage.verdict.framesLost == 0, "\(footage.verdict.findings)")
    #expect(request.trigger.time - request.start.time >= .seconds(3))
  }

  @Test("One that is asked for while footage is written is not made")
  func whileRecording() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    studio.trigger()
    studio.run(to: 5_000)
    begin(studio)
    studio.run(to: 7_000)
    #expect(reports(studio).map(\.outcome) == [.interrupted])
    studio.stop()
    studio.run(to: 9_000)
    #expect(studio.closing == .some(nil))
  }

  @Test("Without pictures and sound it is given up, and says that it was")
  func nothingCaptured() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    begin(studio)
    studio.run(to: 20_000) { $0.time < Reel.at(4_000) }
    let report = try #require(reports(studio).first)
    let check = RecorderStatus.Check(report, Self.expectation)
    // A second of pictures from before may be in it; two were due.
    let camera = try #require(check.parts.first { $0.name == RecorderStatus.Check.Part.Name.camera })
    #expect(camera.state != .ok, "\(check.sentence)")
  }

  @Test("What a power cut left of one is removed by the next start, which says nothing of it")
  func leftover() throws {
    func cut() throws -> (Scratch, Agency) {
      let studio = try Studio(try Reel.plain.get())
      studio.run(to: 4_000)
      begin(studio)
      studio.run(to: 5_500)
      #expect(try fileNames(trialDirectory(studio)).count == 1)
      return (studio.scratch, studio.agency)
    }
    let (scratch, agency) = try cut()
    let restarted = try Studio(try Reel.plain.get(), scratch: scratch, agency: agency)
    #expect(try !fileNames("\(agency.storePath)/device").contains("trial"), "a start removes it")
    #expect(restarted.recovery.interrupted.isEmpty && restarted.recovery.warnings.isEmpty)
    restarted.run(to: 4_000)
    begin(restarted)
    restarted.run(to: 8_000)
    #expect(reports(restarted).map(\.outcome) == [.passed])
    #expect(try !fileNames("\(restarted.agency.storePath)/device").contains("trial"))
  }

  @Test("A card that cannot be written fails it, and the check says so", arguments: CardFailureTests.Failure.allCases)
  func failingCard(_ failure: CardFailureTests.Failure) throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 4_000)
    begin(studio)
    studio.run(to: 4_300)
    let name = try #require(try fileNames(trialDirectory(studio)).first)
    try failure.strike("\(trialDirectory(studio))/\(name)/0000.mp4.age")
    studio.run(to: 9_000)
    let report = try #require(reports(studio).first)
    guard case .failed(let error) = report.outcome else {
      Issue.record("\(report.outcome)")
      return
    }
    #expect(error.kind == (failure == .write ? .segmentWrite : .segmentSync))
    // A recording would go on in a new segment: the store is not given up for it.
    #expect(!studio.reported.contains { if case .store = $0.event { true } else { false } })
    let check = RecorderStatus.Check(report, Self.expectation)
    #expect(check.result == .failed && check.outcome == CheckOutcome(result: .failed, cause: "card"))
  }

  private static let expectation = TrialExpectation(
    framesPerSecond: 30, hasPictures: true, hasMicrophone: true, triesSound: true, isMicrophoneLive: true,
    recipients: 2,
    clock: ClockState(source: .ntp, trust: .synchronized),
    triggers: [.init(kind: "button", place: "gpio:x:1", state: .listening)], minutesLeft: 90, encoder: "x264")

  @Test("Each part has an answer of its own, and a warning keeps nothing from being ready")
  func parts() {
    var report = TrialReport(number: 4, outcome: .passed)
    (report.frames, report.soundPackets, report.bytes, report.media) = (61, 100, 500_000, .milliseconds(2_033))
    report.longestCheckpoint = .milliseconds(40)
    let good = RecorderStatus.Check(report, Self.expectation)
    #expect(good.result == .passed && !good.hasWarnings, "\(good.sentence)")
    #expect(good.parts.map(\.name) == [.camera, .encoder, .microphone, .card, .keys, .triggers, .clock])
    #expect(good.outcome == CheckOutcome(result: .passed, cause: nil))

    func first(_ state: RecorderStatus.Check.Part.State, _ change: (inout TrialReport, inout TrialExpectation) -> Void)
      -> RecorderStatus.Check.Part.Name?
    {
      var (report, expectation) = (report, Self.expectation)
      change(&report, &expectation)
      return RecorderStatus.Check(report, expectation).parts.first { $0.state == state }?.name
    }
    #expect(first(.warning) { report, _ in report.frames = 40 } == .camera)
    #expect(first(.warning) { report, _ in report.lostFrames = 1 } == .camera)
    #expect(first(.failed) { report, _ in (report.frames, report.outcome) = (0, .unfinished) } == .camera)
    #expect(first(.failed) { report, _ in report.outcome = .unfinished } == .card)
    #expect(first(.failed) { report, _ in report.frames = 5 } == .camera)
    #expect(first(.warning) { report, _ in report.soundPackets = 0 } == .microphone)
    #expect(first(.warning) { report, expected in (report.frames, expected.hasPictures) = (0, false) } == .camera)
    #expect(first(.warning) { report, expected in (report.soundPackets, expected.triesSound) = (0, false) } == nil)
    #expect(first(.warning) { report, _ in report.isSlow = true } == .card)
    #expect(first(.failed) { report, _ in report.outcome = .refuted("ALTERED") } == .card)
    #expect(first(.failed) { report, _ in report.outcome = .failed(StoreError(.identity, "no keys")) } == .keys)
    #expect(first(.warning) { _, expected in expected.triggers = [] } == .triggers)
    #expect(first(.warning) { _, expected in expected.triggers[0].state = .deaf } == .triggers)
    #expect(first(.warning) { _, expected in expected.clock = ClockState(source: .unknown, trust: .none) } == .clock)
    report.outcome = .interrupted
    #expect(RecorderStatus.Check(report, Self.expectation).outcome == nil)
  }
}

@Suite("When trials are due")
struct TrialsTests {
  private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: 0) + .seconds(seconds + 100) }

  private func check(
    _ number: Int, _ result: RecorderStatus.Check.Result, _ part: RecorderStatus.Check.Part.Name = .card
  ) -> RecorderStatus.Check {
    .init(number: number, result: result, parts: [.init(part, result == .failed ? .failed : .ok, "said")])
  }

  @Test("The first waits for the sound, but not for ever; one at a time")
  func first() {
    var trials = Trials()
    func isDue(_ hasSound: Bool, _ second: Int64) -> Bool { trials.isDue(hasSound: hasSound, now: at(second)) }
    #expect(!isDue(false, 0) && !isDue(false, 2))
    #expect(isDue(true, 2))
    #expect(isDue(false, 3))
    let run = trials.begin(hasPictures: true, now: at(3))
    #expect(run.number == 1 && !isDue(true, 60))
  }

  @Test("One that fails is tried again, later each time, and said once for each reason")
  func failures() {
    var trials = Trials()
    var now = at(0)
    var pauses: [Int64] = []
    for _ in 0..<6 {
      let run = trials.begin(hasPictures: true, now: now)
      let isNews = trials.end(check(run.number, .failed), now: now)
      #expect(isNews == (run.number == 1))
      let failed = now
      while !trials.isDue(hasSound: true, now: now) { now = now + .seconds(1) }
      pauses.append((now - failed).inMilliseconds / 1_000)
    }
    #expect(pauses == [3, 6, 12, 24, 30, 30])
    #expect(trials.failure == "card: said")
    let other = trials.begin(hasPictures: true, now: now)
    let isNews = trials.end(check(other.number, .failed, .camera), now: now)
    #expect(isNews, "another reason")
    trials.tryAgain(now: now)
    let isDue = trials.isDue(hasSound: true, now: now)
    #expect(isDue)
  }

  @Test("A card that does not come back with one is said once, and what comes late still counts")
  func stuck() {
    var trials = Trials()
    let run = trials.begin(hasPictures: true, now: at(0))
    let stuck = [15, 16, 17].map { trials.isNewlyStuck(now: at($0)) }
    #expect(stuck == [false, true, false], "said once")
    #expect(trials.failure == "card: it does not answer" && trials.run == run)
    let isNews = trials.end(check(1, .passed), now: at(40))
    #expect(isNews && trials.run == nil && trials.failure == nil)
  }
}
