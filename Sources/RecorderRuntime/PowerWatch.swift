import Configuration
import Control
import Core
import LinuxIO
import Media
import Power

/// The power supply as the control loop has it: what the batteries say, read by a thread of its own, and the board's warning that
/// the supply fails.
///
/// The control loop's thread only. Costs two system calls a second.
final class PowerWatch {
  enum Change: Hashable {
    /// Level or battery are others than before.
    case supply(PowerState)
    /// The supply gives warning, since this time.
    case failing(MonotonicTime)
    /// It is good again.
    case good(MonotonicTime)
  }

  private let settings: RecorderConfiguration.Power
  private let log: EventLog
  private let started = MonotonicTime.now()

  private var monitor: PowerMonitor
  private let loop: PowerLoop?
  private var thread: NamedThread?
  private var lastReading: MonotonicTime?
  /// The supplies' silence was said.
  private var isSilenceSaid = false

  private let place: PowerFailPlace?
  private var line: PowerFailLine?
  private var trouble: PowerError?
  private var isWatched = false
  private var nextLook = MonotonicTime.distantPast
  private var isLineActive = false
  /// Until then what gave warning last still counts.
  private var holdsUntil = MonotonicTime.distantPast
  private var failing: MonotonicTime?

  private static let lookInterval = Nanoseconds.seconds(1)
  /// A line that flickers is one warning.
  private static let lineHold = Nanoseconds.seconds(1)
  /// Nobody sends a signal that the supply is good again.
  private static let signalHold = Nanoseconds.seconds(30)
  /// Supplies that have not answered for so long are said to be silent.
  private static let patience = Nanoseconds.seconds(30)

  /// - Parameters:
  ///   - supplies: where the kernel shows them, but in tests.
  /// - Throws: for a line that this machine or user cannot have. One that is not there now may come: the recorder starts without
  ///   it and says so.
  init(
    _ settings: RecorderConfiguration.Power, log: EventLog, supplies: String = PowerSupplies.directory
  ) throws(RecorderError) {
    self.settings = settings
    self.log = log
    var limits = PowerMonitor.Limits()
    (limits.lowPercent, limits.criticalPercent) = (settings.lowPercent, settings.criticalPercent)
    limits.reserve = settings.reserve
    monitor = PowerMonitor(limits: limits, chosen: settings.battery == "auto" ? nil : settings.battery)
    do throws(LinuxError) {
      loop = try settings.battery == "none" ? nil : PowerLoop(directory: supplies)
    } catch {
      throw RecorderError(error)
    }
    if settings.failLine.isEmpty {
      place = nil
    } else {
      do throws(PowerError) { place = try PowerFailPlace(settings.failLine) } catch { throw RecorderError(error) }
    }
    do throws(PowerError) { try openLine() } catch {
      switch error.kind {
      case .notFound, .busy, .lost, .failed: loseLine(error)
      case .malformed, .notOffered, .permission: throw RecorderError(error)
      }
    }
  }

  // MARK: - The thread

  func start() throws(LinuxError) {
    guard let loop else { return }
    thread = try NamedThread("power") { loop.run() }
  }

  /// Ends the thread; leaves it behind when a driver keeps it: it holds nothing that anybody waits for.
  func end() {
    guard let loop, let thread else { return }
    loop.stop.signal()
    if loop.hasEnded.wait(until: .now() + .seconds(1)) { thread.join() }
    self.thread = nil
  }

  // MARK: - What happened

  /// - Parameter isReadable: the poller says so of the power-fail line; else it is looked at once a second.
  func take(_ poller: inout Poller, token: UInt64, isReadable: Bool) -> [Change] {
    var changes: [Change] = []
    while let reading = loop?.readings.pop() {
      lastReading = reading.time
      isSilenceSaid = false
      if let change = take(reading) { changes.append(change) }
    }
    sayIfSilent()
    let edge = takeLine(&poller, token: token, isReadable: isReadable)
    if let change = judge(edge: edge, now: .now()) { changes.append(change) }
    return changes
  }

  func take(_ reading: PowerReading) -> Change? {
    let before = monitor.state
    let state = monitor.take(reading)
    guard state.level != before.level || state.battery != before.battery else { return nil }
    log.note(.power(state, isLost: state.battery == .gone && before.battery != .gone))
    return .supply(state)
  }

  /// A signal says that the supply fails.
  func hearSignal(now: MonotonicTime = .now()) -> Change? {
    holdsUntil = max(holdsUntil, now + Self.signalHold)
    return judge(edge: now, now: now)
  }

  private func judge(edge: MonotonicTime?, now: MonotonicTime) -> Change? {
    if isLineActive || edge != nil { holdsUntil = max(holdsUntil, now + Self.lineHold) }
    let isFailing = now < holdsUntil
    if isFailing, failing == nil {
      let since = min(edge ?? now, now)
      failing = since
      return .failing(since)
    }
    if !isFailing, failing != nil {
      failing = nil
      return .good(now)
    }
    return nil
  }

  private func sayIfSilent() {
    guard let silence, !isSilenceSaid else { return }
    isSilenceSaid = true
    log.note(.note("power: \(silence)"))
  }

  /// Nil while the supplies answer.
  private var silence: String? {
    let now = MonotonicTime.now()
    let since = lastReading ?? started
    guard loop != nil, now - since > Self.patience else { return nil }
    return
      "the battery's driver has not answered for \((now - since).inMilliseconds / 1_000) s: its level is not known any more"
  }

  // MARK: - The line

  private func openLine() throws(PowerError) {
    guard let place else { return }
    let opened = try PowerFailLine(place, isActiveLow: settings.failIsActiveLow, setsPull: settings.failSetsPull)
    if opened.wasPullRefused {
      log.note(.note("the chip of the power-fail line has no pull resistor to set; the board must have one"))
    }
    line = .some(consume opened)
    trouble = nil
    nextLook = .distantPast
  }

  private func loseLine(_ error: PowerError) {
    // Each new reason is said once.
    if trouble?.kind != error.kind { log.note(.powerLineLost(error)) }
    trouble = error
    line = nil
    isWatched = false
    // A supply that fails may take the line's chip first: the warning stands as long as a signal's does.
    if isLineActive { holdsUntil = max(holdsUntil, .now() + Self.signalHold) }
    isLineActive = false
    nextLook = .now() + Self.lookInterval
  }

  /// The first moment since the last time at which the line was active; nil: it was not.
  private func takeLine(_ poller: inout Poller, token: UInt64, isReadable: Bool) -> MonotonicTime? {
    let now = MonotonicTime.now()
    guard let place, isReadable || now >= nextLook else { return nil }
    if line == nil, now >= nextLook {
      do throws(PowerError) {
        try openLine()
        log.note(.note("the power-fail line is back: \(place)"))
      } catch {
        loseLine(error)
      }
    }
    guard line != nil else { return nil }
    nextLook = now + Self.lookInterval
    watch(&poller, token: token)
    do throws(PowerError) {
      guard let change = try line?.take() else { return nil }
      isLineActive = change.isActive
      return change.failed
    } catch {
      if let raw = line?.rawValue, isWatched { try? poller.remove(raw) }
      loseLine(error)
      return nil
    }
  }

  private func watch(_ poller: inout Poller, token: UInt64) {
    guard !isWatched, let raw = line?.rawValue else { return }
    do throws(LinuxError) {
      try poller.add(raw, token: token)
      isWatched = true
    } catch {
      // It is still asked once a second.
      log.note(.controlTrouble(error))
    }
  }

  // MARK: - What is shown

  /// Low or critical, or about to fail.
  var isAlarm: Bool { failing != nil || monitor.state.level == .low || monitor.state.level == .critical }

  /// Nil: neither a battery nor a line is watched, and nothing gave warning.
  var shown: RecorderStatus.Power? {
    guard loop != nil || place != nil || failing != nil else { return nil }
    let state = monitor.state
    return RecorderStatus.Power(
      level: state.level.flatMap { RecorderStatus.Power.Level(rawValue: $0.rawValue) }, percent: state.percent,
      source: state.isExternal ? .external : state.battery == .present || state.battery == .silent ? .battery : nil,
      minutesLeft: state.timeLeft.map { Int($0.count / 60_000_000_000) }, isFailing: failing != nil)
  }

  var warnings: [String] {
    var warnings: [String] = []
    let state = monitor.state
    switch state.level {
    case .low: warnings.append("the battery is low: connect the charger, or put in another one")
    case .critical: warnings.append("the battery is nearly empty: nothing is recorded until the charger is connected")
    case .external, .normal, nil: break
    }
    switch state.battery {
    case .gone: warnings.append("the battery is gone, or its driver")
    case .silent: warnings.append("the battery does not say how full it is")
    case .absent where settings.battery != "auto" && lastReading != nil:
      warnings.append("there is no battery \(settings.battery) (power.battery): see /sys/class/power_supply")
    case .absent, .present: break
    }
    if let silence { warnings.append(silence) }
    if failing != nil { warnings.append("the power fails: everything is made durable as fast as the card takes it") }
    if let trouble { warnings.append("\(trouble)") }
    return warnings
  }
}

/// Body of the power thread: reads all supplies every few seconds. A driver that waits for its bus holds up nobody else.
///
/// It asks and is not told: the kernel's own word, a netlink message, would need another kind of socket than the service is allowed,
/// and a level is not worth less when it is two seconds old.
struct PowerLoop: Sendable {
  let directory: String
  let readings: BoundedQueue<PowerReading>
  let stop: EventCounter
  let hasEnded: EventCounter

  static let interval = Nanoseconds.seconds(2)

  init(directory: String) throws(LinuxError) {
    self.directory = directory
    readings = try BoundedQueue(capacity: 8)
    stop = try EventCounter()
    hasEnded = try EventCounter()
  }

  func run() {
    repeat { readings.push(PowerSupplies.read(directory)) } while !stop.wait(until: .now() + Self.interval)
    hasEnded.signal()
  }
}
