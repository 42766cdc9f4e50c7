import Core
import LinuxIO
import Media
import Radio
import Synchronization

/// What the radio thread tells the control loop.
enum RadioNotice: Sendable {
  case state(ScannerState)
  /// An event that was believed, and when it was read.
  case signal(RadioSignal, at: MonotonicTime)
  /// So many were refused since the last time this cause was told.
  case refused(RadioRefusal, count: Int)
}

/// What the radio thread is given.
struct RadioPlan: Sendable {
  /// Nil: the first one.
  var adapter: String?
  var mode: HCIMode
  var gate: RadioGate
  /// Where the last counters are kept.
  var countersPath: String
}

/// What the radio thread and the control loop know of each other beside the queue.
final class RadioLink: Sendable {
  let notices: BoundedQueue<RadioNotice>
  /// The thread is asked to end, and has ended.
  let ending: EventCounter
  let ended: EventCounter
  /// What was refused and not told yet, for the end.
  let untold = Mutex<[RadioSummary]>([])
  /// When the thread last looked around, ns of CLOCK_MONOTONIC.
  let lastSeen = Atomic<Int64>(MonotonicTime.now().nanoseconds)

  init() throws(LinuxError) {
    notices = try BoundedQueue(capacity: 256)
    ending = try EventCounter()
    ended = try EventCounter()
  }
}

/// Body of the radio thread: keeps a controller scanning and hands on what is believed.
///
/// A thread of its own, because opening an adapter can take its driver seconds, and so that no flood of advertisements and no
/// flush of the counters stands in the way of a button.
struct RadioLoop: ~Copyable {
  private let plan: RadioPlan
  private let link: RadioLink
  private let health: CaptureHealth
  private let log: EventLog
  private var gate: RadioGate
  private var machine: ScannerMachine
  private var socket: HCISocket?
  private var poller: Poller
  private var told = ScannerState.starting
  private var stored: RadioCounters
  private var nextStore = MonotonicTime.distantFuture
  private var storeTrouble: LinuxError?
  private var isClockTrusted = false
  private var nextClockLook = MonotonicTime.distantPast

  /// As many as the kernel keeps for us: what was there when the reading began has been read then.
  private static let eventsAtOnce = 1_024
  /// The thread looks so often whether the recorder ends.
  private static let longestWait = Nanoseconds.milliseconds(500)
  /// Counters that were used up without an effect are stored so much later at most: a flood of them must not wear out the flash.
  private static let storeDelay = Nanoseconds.seconds(5)

  init(
    _ plan: RadioPlan, link: RadioLink, health: CaptureHealth, log: EventLog
  ) throws(LinuxError) {
    let poller = try Poller(capacity: 2)
    try poller.add(link.ending.rawValue, token: 1)
    self.init(plan, link: link, health: health, log: log, poller: poller)
  }

  private init(
    _ plan: RadioPlan, link: RadioLink, health: CaptureHealth, log: EventLog, poller: consuming Poller
  ) {
    self.plan = plan
    self.link = link
    self.health = health
    self.log = log
    self.poller = poller
    gate = plan.gate
    stored = plan.gate.counters
    machine = ScannerMachine(ScannerSettings(mode: plan.mode))
  }

  /// Until the recorder ends.
  mutating func run() {
    perform(machine.start())
    tellState()
    while !health.isStopping.load(ordering: .relaxed) {
      link.lastSeen.store(MonotonicTime.now().nanoseconds, ordering: .relaxed)
      wait()
      // Before the events are read: what nothing happening decides is decided only up to here.
      let now = MonotonicTime.now()
      takeEvents()
      perform(machine.pass(now: now))
      for summary in gate.summaries(at: now) { tell(.refused(summary.refusal, count: summary.count)) }
      let untold = gate.untold
      link.untold.withLock { $0 = untold }
      if now >= nextStore { storeCounters() }
      tellState()
    }
    storeCounters()
    link.ended.signal()
  }

  private mutating func wait() {
    let wake = min(
      .now() + Self.longestWait, machine.deadline ?? .distantFuture, gate.nextSummary ?? .distantFuture, nextStore)
    do throws(LinuxError) { _ = try poller.wait(until: wake) } catch {
      log.note(.controlTrouble(error))
      MonotonicTime.sleep(until: .now() + Self.longestWait)
    }
  }

  // MARK: - Scanner

  private mutating func perform(_ actions: [ScannerMachine.Action]) {
    var waiting = actions[...]
    while let action = waiting.popFirst() {
      do throws(HCIError) {
        switch action {
        case .open:
          try open()
          waiting += machine.opened(at: .now())
        case .close: close()
        case .send(let command): try socket?.send(command)
        }
      } catch {
        // What was to be done after it belongs to an adapter that is closed now.
        waiting = machine.failed(error, at: .now())[...]
      }
    }
  }

  private mutating func open() throws(HCIError) {
    let opened = try HCISocket(adapter: plan.adapter, mode: plan.mode)
    do throws(LinuxError) { try poller.add(opened.rawValue, token: 0) } catch {
      throw HCIError(.failed, adapter: opened.adapter, operation: "watch", errno: error.errno, hint: error.hint)
    }
    socket = .some(consume opened)
  }

  private mutating func close() {
    if let raw = socket?.rawValue { try? poller.remove(raw) }
    socket = nil
  }

  private mutating func tellState() {
    guard machine.state != told else { return }
    if tell(.state(machine.state)) { told = machine.state }
  }

  @discardableResult
  private func tell(_ notice: RadioNotice) -> Bool {
    // The gate bounds what can come; a control loop that has been standing still for that long has other troubles.
    let isTaken = link.notices.push(notice)
    if !isTaken { log.note(.note("radio: a signal was dropped, because the control loop stands still")) }
    return isTaken
  }

  // MARK: - Signals

  private mutating func takeEvents() {
    for _ in 0..<Self.eventsAtOnce {
      do throws(HCIError) {
        guard let event = try socket?.next() else { return }
        let now = MonotonicTime.now()
        if case .advertising(let reports) = event {
          for report in reports { take(report, at: now) }
        }
        perform(machine.take(event, at: now))
      } catch {
        perform(machine.failed(error, at: .now()))
        return
      }
    }
  }

  private mutating func take(_ report: AdvertisingReport, at now: MonotonicTime) {
    switch gate.take(report, at: now, clock: clock(now)) {
    case .start(let signal), .mark(let signal), .test(let signal):
      // Told first: a start must not wait for a flush. Should the power go in between, the same signal could start once more.
      tell(.signal(signal, at: now))
      storeCounters()
    case .refused(let refusal, let untold):
      tell(.refused(refusal, count: untold + 1))
      if refusal == .rateLimited { storeLater(now) }
    case .quiet(.rateLimited): storeLater(now)
    case .quiet, .repeated: break
    }
  }

  /// Of a clock that nothing keeps right the age of a signal cannot be told: a genuine one must not be missed for that.
  private mutating func clock(_ now: MonotonicTime) -> RadioClock {
    if now >= nextClockLook {
      nextClockLook = now + .seconds(1)
      isClockTrusted = Clocks.clockSynchronised
    }
    return RadioClock(wallMilliseconds: Clocks.wallMilliseconds(), isTrusted: isClockTrusted)
  }

  private mutating func storeLater(_ now: MonotonicTime) { nextStore = min(nextStore, now + Self.storeDelay) }

  private mutating func storeCounters() {
    nextStore = .distantFuture
    guard gate.counters != stored else { return }
    let bytes = gate.counters.encoded()
    do throws(LinuxError) {
      try writeFileDurably(path: plan.countersPath, bytes: bytes.span.bytes, mode: 0o600)
      stored = gate.counters
      storeTrouble = nil
    } catch {
      if storeTrouble != error { log.note(.radioCounters(error)) }
      storeTrouble = error
    }
  }
}
