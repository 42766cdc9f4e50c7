public import Media

/// Brings a controller to scanning and keeps it there: what happens and times in, what to do out; no I/O, no clock.
///
/// One command at a time is on its way. In `exclusive` mode the controller is reset and set up from the ground; in `shared` mode
/// only the scan is set up, because everything else belongs to bluetoothd. Advertisements come through `HCIEvent.advertising`
/// whatever the state is: hand all of them to a `RadioGate`.
///
/// Use: perform the actions in their order and tell `opened`, `failed` and `lost`; hand in every event; call `pass` at
/// `deadline`. Whatever is told at a wrong moment changes nothing.
public struct ScannerMachine: Sendable {
  public enum Action: Hashable, Sendable {
    /// Open the adapter, then call `opened` or `failed`.
    case open
    /// Close it.
    case close
    /// Send this; if that fails call `failed`.
    case send(HCICommand)
  }

  private enum Step: Hashable, Sendable {
    case reset, commands, features, eventMask, hostSupport, lowEnergyMask, disable, parameters, enable
  }

  private enum Phase: Hashable, Sendable {
    case idle
    case closed(retry: MonotonicTime)
    case opening
    /// Open; the bring-up begins then, at this step.
    case resting(until: MonotonicTime, Step)
    case working(Step)
    case listening
  }

  private struct Pending: Hashable, Sendable {
    var command: HCICommand
    /// Unanswered by then, the controller is silent.
    var deadline: MonotonicTime
    /// False: the controller has no room for a command yet (Vol 4, Part E, 4.4).
    var isSent: Bool
  }

  public private(set) var state = ScannerState.starting
  /// Which commands the controller is scanned with; nil until it was asked.
  public private(set) var scanKind: ScanKind?

  private let settings: ScannerSettings
  private var phase = Phase.idle
  private var pending: Pending?
  private var credits = 1
  private var hasClassic = false
  /// Attempts since it last listened for `steadyTime`.
  private var attempts = 0
  private var listeningSince: MonotonicTime?
  private var lastEvent = MonotonicTime.distantPast
  private var lastReport = MonotonicTime.distantPast

  public init(_ settings: ScannerSettings) { self.settings = settings }

  /// When to call `pass` next, if nothing happens; nil: nothing is waited for.
  public var deadline: MonotonicTime? {
    switch phase {
    case .idle, .opening: nil
    case .closed(let retry): retry
    case .resting(let until, _): until
    case .working: pending?.deadline
    case .listening: min(pending?.deadline ?? lastEvent + settings.quietTime, lastReport + settings.renewTime)
    }
  }

  // MARK: - What happens

  /// Begins.
  public mutating func start() -> [Action] {
    guard phase == .idle else { return [] }
    phase = .opening
    return [.open]
  }

  /// The adapter is open.
  public mutating func opened(at now: MonotonicTime) -> [Action] {
    guard phase == .opening else { return [] }
    credits = 1
    pending = nil
    return begin(settings.mode == .exclusive ? .reset : .commands, now)
  }

  /// The adapter could not be opened, or a command could not be sent, or the adapter is gone.
  public mutating func failed(_ error: HCIError, at now: MonotonicTime) -> [Action] {
    switch phase {
    case .idle, .closed: return []
    case .opening: return close(.adapter(error), now, isOpen: false)
    case .resting, .working, .listening: return close(.adapter(error), now, isOpen: true)
    }
  }

  /// The controller told something.
  public mutating func take(_ event: HCIEvent, at now: MonotonicTime) -> [Action] {
    switch phase {
    case .idle, .closed, .opening: return []
    case .resting, .working, .listening: break
    }
    lastEvent = max(lastEvent, now)
    switch event {
    case .complete(let opcode, let returned, let credits):
      return answered(opcode, returned.first.map(HCIStatus.init) ?? .unspecified, returned, credits, now)
    case .status(let opcode, let status, let credits):
      // Success means that the answer is still to come.
      return answered(status == .success ? .none : opcode, status, [status.rawValue], credits, now)
    case .advertising:
      lastReport = max(lastReport, now)
      return []
    case .hardwareError(let code):
      // One after the other must not put off the next attempt for ever.
      guard case .resting = phase, state != .listening else { return rest(.hardwareError(code), now) }
      return []
    case .other: return []
    }
  }

  /// Time passes. Everything that the socket had was taken in before.
  public mutating func pass(now: MonotonicTime) -> [Action] {
    guard let deadline, now >= deadline else { return [] }
    switch phase {
    case .idle, .opening: return []
    case .closed:
      phase = .opening
      return [.open]
    case .resting(_, let step): return begin(step, now)
    case .working: return silent(now)
    case .listening:
      if let pending, now >= pending.deadline { return silent(now) }
      if now >= lastReport + settings.renewTime {
        lastReport = now
        // Another program's scan is not ours to end.
        if settings.mode == .exclusive && pending == nil { return begin(.disable, now) }
        if settings.mode == .exclusive { return [] }
      }
      return pending == nil && now >= lastEvent + settings.quietTime ? send(.readLocalVersion, now) : []
    }
  }

  // MARK: - Bring-up

  private mutating func begin(_ step: Step, _ now: MonotonicTime) -> [Action] {
    phase = .working(step)
    pending = nil
    return send(command(of: step), now)
  }

  private mutating func send(_ command: HCICommand, _ now: MonotonicTime) -> [Action] {
    let time = command.opcode == .reset ? settings.resetTime : settings.answerTime
    // On a raw channel the kernel counts; and nothing must keep a Reset from a controller that has lost count.
    let isSent = credits > 0 || settings.mode == .shared || command.opcode == .reset
    pending = Pending(command: command, deadline: now + time, isSent: isSent)
    guard isSent else { return [] }
    credits = max(0, credits - 1)
    return [.send(command)]
  }

  private func command(of step: Step) -> HCICommand {
    let kind = scanKind ?? .legacy
    return switch step {
    case .reset: .reset
    case .commands: .readLocalCommands
    case .features: .readLocalFeatures
    case .eventMask: .setEventMask
    case .hostSupport: .writeLEHostSupport
    case .lowEnergyMask: .leSetEventMask(kind)
    case .disable: .scanEnable(kind, false)
    case .parameters: .scanParameters(kind, interval: settings.scanInterval)
    case .enable: .scanEnable(kind, true)
    }
  }

  private func step(after step: Step) -> Step? {
    switch step {
    case .reset: .commands
    case .commands: .features
    case .features: settings.mode == .exclusive ? .eventMask : .parameters
    case .eventMask: hasClassic ? .hostSupport : .lowEnergyMask
    case .hostSupport: .lowEnergyMask
    case .lowEnergyMask: .parameters
    case .disable: .parameters
    case .parameters: .enable
    case .enable: nil
    }
  }

  private mutating func answered(
    _ opcode: HCIOpcode, _ status: HCIStatus, _ returned: [UInt8], _ credits: Int, _ now: MonotonicTime
  ) -> [Action] {
    self.credits = credits
    guard let waiting = pending, waiting.isSent, waiting.command.opcode == opcode else {
      return notAwaited(opcode, now)
    }
    pending = nil
    guard case .working(let step) = phase else { return [] }
    if let reason = trouble(step, opcode, status, returned) { return rest(reason, now) }
    guard let next = self.step(after: step) else {
      phase = .listening
      state = .listening
      listeningSince = listeningSince ?? now
      lastReport = now
      return []
    }
    return begin(next, now)
  }

  /// What stands in the way of going on after this answer; takes in what the controller can do.
  private mutating func trouble(
    _ step: Step, _ opcode: HCIOpcode, _ status: HCIStatus, _ returned: [UInt8]
  ) -> DeafReason? {
    switch step {
    // A scan that is not on cannot be ended: what matters is that it is off. And without the word of the host most controllers
    // scan just as well.
    case .disable, .hostSupport: return nil
    case .reset, .eventMask, .lowEnergyMask, .parameters, .enable:
      return status == .success ? nil : .refused(opcode, status)
    case .commands:
      guard let kind = ControllerAbility.scanKind(returned) else { return .refused(opcode, status) }
      scanKind = kind
      return nil
    case .features:
      guard let (hasLE, hasClassic) = ControllerAbility.radios(returned) else { return .refused(opcode, status) }
      self.hasClassic = hasClassic
      return hasLE ? nil : .noLowEnergy
    }
  }

  /// An answer to nobody, or to another program on a raw channel.
  private mutating func notAwaited(_ opcode: HCIOpcode, _ now: MonotonicTime) -> [Action] {
    if let waiting = pending, !waiting.isSent, credits > 0 {
      pending?.isSent = true
      credits -= 1
      return [.send(waiting.command)]
    }
    let isScan = opcode == .leSetScanEnable || opcode == .leSetExtendedScanEnable
    if settings.mode == .shared && isScan && phase == .listening {
      // Whether it was switched on or off is not told.
      pending = nil
      phase = .resting(until: now + ScannerSettings.courtesy, .parameters)
    }
    return []
  }

  // MARK: - Trouble

  /// Tries again on the open adapter, the first time at once.
  private mutating func rest(_ reason: DeafReason, _ now: MonotonicTime) -> [Action] {
    fail(reason, now)
    pending = nil
    let pause = pause()
    guard settings.mode == .exclusive else {
      // The kernel itself sets up a controller that failed, and needs a moment for it.
      phase = .resting(until: now + max(pause, ScannerSettings.shortestPause), .commands)
      return []
    }
    if pause > .zero {
      phase = .resting(until: now + pause, .reset)
      return []
    }
    return begin(.reset, now)
  }

  private mutating func silent(_ now: MonotonicTime) -> [Action] {
    // A Reset may wake it. What did not answer to that is closed: the driver then starts it anew.
    if settings.mode == .exclusive && phase != .working(.reset) {
      fail(.silent, now)
      pending = nil
      return begin(.reset, now)
    }
    return close(.silent, now, isOpen: true)
  }

  private mutating func close(_ reason: DeafReason, _ now: MonotonicTime, isOpen: Bool) -> [Action] {
    fail(reason, now)
    pending = nil
    var pause = max(pause(), ScannerSettings.shortestPause)
    if case .adapter(let error) = reason, error.kind == .lost || error.kind == .noAdapter {
      pause = min(pause, ScannerSettings.longestAbsence)
    }
    phase = .closed(retry: now + pause)
    return isOpen ? [.close] : []
  }

  private mutating func fail(_ reason: DeafReason, _ now: MonotonicTime) {
    if let since = listeningSince, now >= since + settings.steadyTime { attempts = 0 }
    state = .deaf(reason)
    listeningSince = nil
    attempts = min(attempts + 1, 100)
  }

  /// None before the second attempt, then 1 s, doubled up to the longest.
  private func pause() -> Nanoseconds {
    guard attempts > 1 else { return .zero }
    return min(ScannerSettings.longestPause, ScannerSettings.shortestPause * (Int64(1) << Int64(min(attempts - 2, 10))))
  }
}
