import Media
import Testing

@testable import Core

@Suite("What the supplies say, and what is made of it")
struct PowerMonitorTests {
  private static func battery(
    _ percent: Int?, _ charge: SupplyReading.Charge? = .discharging, minutes: Int64? = nil, name: String = "BAT0",
    capacity: Int64? = nil
  ) -> SupplyReading {
    var battery = SupplyReading(name: name, kind: .battery)
    (battery.percent, battery.charge, battery.capacity) = (percent, charge, capacity)
    battery.timeLeft = minutes.map { .seconds($0 * 60) }
    return battery
  }

  private static func mains(_ isOnline: Bool?) -> SupplyReading {
    var mains = SupplyReading(name: "AC", kind: .external)
    mains.isOnline = isOnline
    return mains
  }

  private static func monitor(chosen: String? = nil) -> PowerMonitor {
    PowerMonitor(limits: .init(), chosen: chosen)
  }

  /// The level after each reading.
  private static func levels(_ monitor: inout PowerMonitor, _ readings: [[SupplyReading]]) -> [PowerLevel?] {
    readings.enumerated().map { index, supplies in
      monitor.take(PowerReading(time: MonotonicTime(nanoseconds: Int64(index)), supplies: supplies)).level
    }
  }

  private static func levels(_ readings: [[SupplyReading]]) -> [PowerLevel?] {
    var monitor = monitor()
    return levels(&monitor, readings)
  }

  private static func discharging(_ percents: [Int]) -> [PowerLevel?] { levels(percents.map { [battery($0)] }) }

  @Test("one reading says what feeds the machine and how full the battery is")
  func table() {
    let rows: [([SupplyReading], PowerLevel?)] = [
      ([], nil), ([Self.mains(true)], .external), ([Self.mains(false)], nil), ([Self.mains(nil)], nil),
      ([Self.battery(80)], .normal), ([Self.battery(21)], .normal), ([Self.battery(20)], .low),
      ([Self.battery(6)], .low), ([Self.battery(5)], .low), ([Self.battery(0)], .low),
      ([Self.battery(nil)], nil), ([Self.battery(80, nil)], .normal), ([Self.battery(80, .notCharging)], .normal),
      ([Self.battery(3, .charging)], .external), ([Self.battery(100, .full)], .normal),
      ([Self.battery(3, .full), Self.mains(true)], .external), ([Self.battery(3, nil), Self.mains(true)], .external),
      ([Self.battery(3, .notCharging), Self.mains(true)], .external),
      ([Self.battery(nil, nil), Self.mains(true)], .external), ([Self.battery(50), Self.mains(false)], .normal),
      // A charger that is too weak.
      ([Self.battery(50, .discharging), Self.mains(true)], .normal),
      ([Self.battery(4, .discharging), Self.mains(true)], .low),
      // One of two batteries feeds the machine.
      ([Self.battery(50, .discharging), Self.battery(10, .charging, name: "BAT1")], .normal),
    ]
    for (supplies, level) in rows { #expect(Self.levels([supplies]) == [level], "\(supplies)") }
  }

  @Test("a gauge that wavers about a limit gives one alarm, which ends a little above it")
  func hysteresis() {
    #expect(Self.discharging([21, 20, 21, 20, 22, 23, 24]) == [.normal, .low, .low, .low, .low, .low, .normal])
  }

  @Test("critical is not left because the load went: another supply must come, or a battery that is not low")
  func criticalStays() {
    #expect(Self.discharging([6, 5, 6, 5, 4, 0, 6]) == [.low, .low, .low, .low, .critical, .critical, .critical])
    #expect(
      Self.discharging([6, 5, 5, 6, 9, 15, 23, 24]) == [.low, .low] + Array(repeating: .critical, count: 5) + [.normal])
    #expect(
      Self.levels([
        [Self.battery(5)], [Self.battery(5), Self.mains(true)], [Self.battery(5, .charging)], [Self.battery(5)],
      ])
        == [.low, .critical, .external, .external], "one reading takes no charger away")
    #expect(Self.discharging([5, 5, 90]) == [.low, .critical, .normal], "a fresh battery")
  }

  @Test("a steep fall counts when it is said twice: a gauge that loses its bus for a moment ends no recording")
  func steepFall() {
    #expect(Self.discharging([80, 0, 80, 79, 0]) == [.normal, .normal, .normal, .normal, .normal])
    #expect(Self.discharging([80, 0, 0, 0]) == [.normal, .normal, .low, .critical])
    #expect(Self.discharging([80, 15, 14]) == [.normal, .normal, .low])
    #expect(Self.discharging([80, 0, 60, 59]) == [.normal, .normal, .normal, .normal], "two that do not agree")
    #expect(Self.discharging([14, 4, 4]) == [.low, .low, .critical], "what is near counts with its second reading")
    #expect(Self.discharging([9, 0, 9, 9]) == [.low, .low, .low, .low])
  }

  @Test("the reserve in time is an alarm by itself, when the driver says it twice; critical is by percent alone")
  func reserve() {
    func levels(_ minutes: [Int64?]) -> [PowerLevel?] {
      Self.levels(minutes.map { [Self.battery(60, minutes: $0)] })
    }
    #expect(levels([11, 10, 10, 14, 15, 16]) == [.normal, .normal, .low, .low, .low, .normal])
    #expect(levels([60, 1, 60, 1, 60]) == Array(repeating: .normal, count: 5), "one estimate is a guess")
    #expect(levels([1, 1, 1]) == [.normal, .low, .low])
    #expect(levels([5, nil, 5]) == Array(repeating: .normal, count: 3))
    var limits = PowerMonitor.Limits()
    limits.reserve = .zero
    var monitor = PowerMonitor(limits: limits)
    #expect(
      Self.levels(&monitor, [[Self.battery(60, minutes: 1)], [Self.battery(60, minutes: 1)]]) == [.normal, .normal])
  }

  @Test("a battery that vanishes or falls silent is said, and an alarm that was given stays")
  func vanishes() {
    func states(_ readings: [[SupplyReading]]) -> [PowerState] {
      var monitor = Self.monitor()
      return readings.map { monitor.take(PowerReading(time: MonotonicTime(nanoseconds: 0), supplies: $0)) }
    }
    var empty = Self.battery(80)
    empty.isPresent = false
    let gone = states([[], [Self.battery(80)], [empty], [], [Self.battery(15)]])
    #expect(gone.map(\.battery) == [.absent, .present, .gone, .gone, .present])
    #expect(
      gone.map(\.level) == [nil, .normal, nil, nil, .low], "what comes is another battery: its first word counts")
    #expect(gone.map(\.percent) == [nil, 80, nil, nil, 15])
    let silent = states([[Self.battery(80)], [Self.battery(nil)], [Self.battery(19)]])
    #expect(silent.map(\.battery) == [.present, .silent, .present])
    #expect(silent.map(\.level) == [.normal, nil, .normal], "a steep fall, after a moment of silence, too")
    let alarm = states([[Self.battery(4)], [Self.battery(4)], [Self.battery(nil)], [], [Self.mains(true)], []])
    #expect(alarm.map(\.level) == [.low, .critical, .critical, .critical, .external, nil])
  }

  @Test("several batteries count by what they hold, a chosen one alone")
  func several() {
    let (large, small) = (
      Self.battery(90, name: "main", capacity: 30_000_000), Self.battery(10, name: "spare", capacity: 10_000_000)
    )
    var monitor = Self.monitor()
    func state(_ supplies: [SupplyReading]) -> PowerState {
      monitor.take(PowerReading(time: MonotonicTime(nanoseconds: 0), supplies: supplies))
    }
    #expect(state([large, small]).percent == 70)
    var unknown = small
    unknown.capacity = nil
    monitor = Self.monitor()
    #expect(state([large, unknown]).percent == 50)
    monitor = Self.monitor(chosen: "spare")
    #expect(state([large, small]).level == .low)
    #expect(state([large]).battery == .gone)
    monitor = Self.monitor(chosen: "other")
    #expect(state([large, small]).battery == .absent)
  }

  @Test("times are added where every battery says one")
  func times() {
    var monitor = Self.monitor()
    let (first, second) = (Self.battery(50, minutes: 30), Self.battery(50, minutes: 20, name: "BAT1"))
    let reading = PowerReading(time: MonotonicTime(nanoseconds: 0), supplies: [first, second])
    #expect(monitor.take(reading).timeLeft == .seconds(3_000))
    let other = PowerReading(time: reading.time, supplies: [first, Self.battery(50, name: "BAT1")])
    #expect(monitor.take(other).timeLeft == nil)
  }
}
