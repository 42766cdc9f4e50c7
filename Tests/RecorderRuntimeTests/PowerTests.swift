import Configuration
import Control
import Core
import Glibc
import LinuxIO
import Media
import Testing

@testable import Evidence
@testable import RecorderRuntime

@Suite("The power supply in the control loop") struct PowerWatchTests {
  private static func watch(_ change: (inout RecorderConfiguration.Power) -> Void = { _ in }) throws -> PowerWatch {
    var settings = RecorderConfiguration().power
    change(&settings)
    return try PowerWatch(settings, log: try EventLog(), supplies: "/nonexistent")
  }

  private static func reading(
    _ percent: Int?, _ charge: SupplyReading.Charge = .discharging, name: String = "BAT0"
  ) -> PowerReading {
    var battery = SupplyReading(name: name, kind: .battery)
    (battery.percent, battery.charge) = (percent, charge)
    return PowerReading(time: .now(), supplies: [battery])
  }

  @Test("each change is told once; status, warning and alarm say it as long as it is so")
  func levels() throws {
    let watch = try Self.watch()
    #expect(watch.shown == RecorderStatus.Power(), "nothing is known yet")
    func change(_ reading: PowerReading) -> PowerLevel?? {
      guard case .supply(let state) = watch.take(reading) else { return nil }
      return .some(state.level)
    }
    #expect(change(Self.reading(30)) == .some(.normal) && change(Self.reading(29)) == nil)
    #expect(!watch.isAlarm && watch.warnings.isEmpty)
    #expect(watch.shown == RecorderStatus.Power(level: .normal, percent: 29, source: .battery))
    #expect(change(Self.reading(20)) == .some(.low) && change(Self.reading(19)) == nil && watch.isAlarm)
    #expect(watch.warnings.count == 1 && watch.warnings[0].contains("low"))
    #expect(change(Self.reading(19, .charging)) == .some(.external) && !watch.isAlarm)
    #expect(watch.shown == RecorderStatus.Power(level: .external, percent: 19, source: .external))
    #expect(change(Self.reading(19)) == .some(.low))
    #expect(change(PowerReading(time: .now(), supplies: [])) == .some(.low), "the battery is gone; the alarm stays")
    #expect(watch.warnings.contains { $0.contains("gone") } && watch.isAlarm)
  }

  @Test("a battery that is missing or does not say how full it is, is no alarm, but is said")
  func unknown() throws {
    let watch = try Self.watch { $0.battery = "BAT7" }
    _ = watch.take(Self.reading(1))
    #expect(!watch.isAlarm && watch.shown?.level == nil && watch.shown?.source == nil)
    _ = watch.take(Self.reading(nil, name: "BAT7"))
    #expect(!watch.isAlarm && watch.shown == RecorderStatus.Power(source: .battery))
    #expect(watch.warnings == ["the battery does not say how full it is"])
  }

  @Test("with neither battery nor line to watch the status says nothing of power, and no thread is started")
  func off() throws {
    let watch = try Self.watch { $0.battery = "none" }
    #expect(watch.shown == nil)
    try watch.start()
    watch.end()
  }

  @Test("a signal counts for half a minute, another one prolongs it, and it is told once")
  func signal() throws {
    let watch = try Self.watch { $0.battery = "none" }
    let now = MonotonicTime.now()
    #expect(watch.hearSignal(now: now) == .failing(now))
    #expect(watch.isAlarm && watch.shown?.isFailing == true && watch.warnings.count == 1)
    #expect(watch.hearSignal(now: now + .seconds(1)) == nil)
    var poller = try Poller()
    let nothing = watch.take(&poller, token: 1, isReadable: false)
    #expect(nothing.isEmpty)
    let later = try Self.watch { $0.battery = "none" }
    let past = now - .seconds(31)
    #expect(later.hearSignal(now: past) == .failing(past))
    let changes = later.take(&poller, token: 1, isReadable: false)
    #expect(changes.count == 1)
    if case .good(let time) = changes.first { #expect(time >= now) } else { Issue.record("\(changes)") }
    #expect(!later.isAlarm && later.shown == nil)
  }

  @Test("every level has its word in the journal and in the status")
  func words() {
    for level in PowerLevel.allCases {
      #expect(JournalEvent.BatteryCondition(rawValue: level.rawValue) != nil)
      #expect(RecorderStatus.Power.Level(rawValue: level.rawValue) != nil)
    }
  }

  @Test("the thread reads what is there, and ends when it is told to")
  func thread() throws {
    let scratch = try Scratch()
    try Directory.make(path: scratch.path("BAT0"))
    for (name, value) in [("type", "Battery"), ("capacity", "4"), ("status", "Discharging")] {
      _ = try scratch.write("BAT0/\(name)", Array("\(value)\n".utf8))
    }
    let watch = try PowerWatch(RecorderConfiguration().power, log: try EventLog(), supplies: scratch.path)
    try watch.start()
    var poller = try Poller()
    var changes: [PowerWatch.Change] = []
    for _ in 0..<3_000 where changes.isEmpty {
      changes = watch.take(&poller, token: 1, isReadable: false)
      MonotonicTime.sleep(until: .now() + .milliseconds(10))
    }
    watch.end()
    guard case .supply(let state) = changes.first else { throw Unheard() }
    #expect(state.level == .low && state.percent == 4 && changes.count == 1)
  }

  private struct Unheard: Error {}

  @Test("a driver that never answers keeps neither the control loop nor the end waiting")
  func deadDriver() throws {
    let scratch = try Scratch()
    try Directory.make(path: scratch.path("BAT0"))
    // Opening it waits for somebody who writes.
    let path = scratch.path("BAT0/type")
    #expect(mkfifo(path, 0o600) == 0)
    let watch = try PowerWatch(RecorderConfiguration().power, log: try EventLog(), supplies: scratch.path)
    try watch.start()
    var poller = try Poller()
    let changes = watch.take(&poller, token: 1, isReadable: false)
    #expect(changes.isEmpty && watch.shown == RecorderStatus.Power())
    watch.end()
    // Nobody waits for the thread any more; it goes on to its own end.
    let writer = try FileDescriptor.open(path: path, flags: O_RDWR | O_NONBLOCK)
    try writer.close()
  }

  @Test("a line that is not there yet does not keep the recorder from starting, and the status says so")
  func missingLine() throws {
    let watch = try Self.watch { $0.failLine = "gpio:/dev/no such chip:1" }
    #expect(watch.warnings.count == 1 && watch.warnings[0].contains("gpio:/dev/no such chip:1"))
    let error = #expect(throws: RecorderError.self) { _ = try Self.watch { $0.failLine = "led:red" } }
    #expect(error?.kind == .configuration && error?.description.hasPrefix("power.fail_line: ") == true)
  }
}

@Suite("What the power supply does to a recording") struct PowerRecordingTests {
  private func events(_ footage: Footage) -> [JournalEvent] {
    footage.lines("EVT").compactMap { JournalEvent($0) }
  }

  @Test("the supply fails in mid-recording: everything captured is made durable at once, whatever the interval is")
  func powerFails() throws {
    for offset in stride(from: Int64(0), to: 2_000, by: 260) {
      let studio = try Studio(try Reel.plain.get(), checkpoint: .seconds(5))
      studio.run(to: 12_000)
      studio.trigger()
      let failure = 22_000 + offset
      studio.run(to: failure)
      let before = studio.durableEnds.count
      studio.fail()
      studio.commands.push(.audit(.event(.power(.fail, edge: studio.now.nanoseconds))))
      studio.run(to: failure + 20)
      let first = try #require(studio.durableEnds.dropFirst(before).first)
      // The newest picture is in the ring some 60 ms after its time; none is late by two.
      let missing = Reel.at(failure) - first.end
      #expect(missing <= .milliseconds(250), "at \(failure): \(missing.inMilliseconds) ms are missing")
      #expect(first.time <= Reel.at(failure) + .milliseconds(20))
      studio.run(to: failure + 4_000)
      let fast = studio.durableEnds.map(\.time).filter { $0 > Reel.at(failure) }
      #expect(fast.count >= 8, "as fast as is sensible while it lasts")
      studio.recover()
      studio.run(to: failure + 8_000)
      studio.stop()
      studio.run(to: failure + 11_000)
      let footage = try Footage(studio.agency, scratch: studio.scratch)
      #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
      // From the files alone: the CKPT in front of EVT holds what there was when the supply failed.
      let event = JournalEvent.power(.fail, edge: Reel.at(failure).nanoseconds)
      let place = try #require(footage.journal.firstIndex { JournalEvent($0) == event })
      let checkpoint = try #require(footage.journal[..<place].last { $0.type == "CKPT" })
      let held = Nanoseconds.microseconds(try #require(checkpoint.number("mt")))
      #expect(Reel.at(failure) - (studio.mediaStart + held) <= .milliseconds(250))
      guard offset == 0 else { continue }
      let usual = studio.durableEnds.map(\.time).filter { $0 > Reel.at(failure + 4_500) }
      #expect(usual.count <= 3, "and then as before")
    }
  }

  @Test("a battery that is nearly empty closes the recording, whole and verified, and the journal says why")
  func critical() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 12_000)
    studio.trigger()
    studio.run(to: 15_000)
    studio.commands.push(.audit(.event(.battery(.low, percent: 20))))
    studio.run(to: 18_000)
    studio.commands.push(.audit(.event(.battery(.critical, percent: 5))))
    studio.end(.power)
    studio.run(to: 19_000)
    #expect(studio.closing == .some(nil))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    #expect(footage.verdict.closeReason == .power)
    #expect(events(footage) == [.battery(.low, percent: 20), .battery(.critical, percent: 5)])
  }

  @Test("what happens to the supply while nothing is recorded is in the device log")
  func idle() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 1_000)
    studio.commands.push(.audit(.event(.battery(.external, percent: 80))))
    studio.commands.push(.audit(.event(.power(.fail, edge: 5))))
    studio.run(to: 1_100)
    let directory = "\(studio.agency.storePath)/device/log"
    let log = try fileNames(directory).map { String(decoding: try fileBytes("\(directory)/\($0)"), as: UTF8.self) }
      .joined()
    #expect(log.contains("AUDIT") && log.contains("code=battery what=external pct=80"))
    #expect(log.contains("code=power what=fail edge=5"))
  }
}
