import Configuration
import Core
import Evidence
import LinuxIO
import Media

extension Recorder {
  /// Looks what the ring holds for a trigger and pins it, before anything else can let it go.
  func request(for trigger: Trigger) -> OpenRequest {
    let asked = configuration.recording.preEvent
    let (start, isShortened) = ring.withRing { ring in
      let start = ring.startPoint(at: trigger.time - asked)
      ring.pin(.trigger, from: start.time)
      return (start, ring.takeShortened())
    }
    var shortfall: String?
    if start.time > trigger.time - asked {
      shortfall =
        isShortened ? "bytes" : MonotonicTime.now() - started < asked + .seconds(5) ? "just_started" : "device_lost"
    }
    if !configuration.recording.hasPreEventAudio, case .remember = demand.value {
      // At once, not when the store is open: raw sound is remembered for a few seconds only.
      demand.value = .encode(from: trigger.time)
    }
    return OpenRequest(
      trigger: trigger, start: start, shortfall: shortfall, preEventAsked: asked,
      soundFrom: configuration.recording.hasPreEventAudio ? .distantPast : trigger.time)
  }

  /// - Parameter from: the recording goes on with the footage of one that the card's failure ended.
  func open(_ trigger: Trigger, from: MonotonicTime?) {
    // A remembered trigger's footage is pinned since it came; what the ring holds for it is looked up now, because the
    // first keyframe may have come since.
    var prepared = request(for: trigger)
    if let pending, pending.trigger == trigger, prepared.shortfall != nil {
      prepared.shortfall = pending.shortfall ?? prepared.shortfall
    }
    if let from {
      prepared.start = ring.withRing { $0.startPoint(at: from) }
      prepared.shortfall = "continued"
      prepared.continues = brokenOff
    }
    pending = nil
    brokenOff = nil
    mediaStart = prepared.start.time
    isOpenAsked = true
    unopened = trigger
    storeWishes.open(prepared)
    ring.bell.signal()
    if indicators.isStealth { noteStealth(at: prepared.trigger.time) }
    noteMute(inRecordingFrom: prepared.start.time)
    if encodingLevel != .full { noteEncoding() }
  }

  /// A trigger that waited and will not be honoured any more holds nothing in memory, and is not dropped in silence.
  func forgetPendingIfDropped() {
    guard pending != nil || brokenOff != nil || unopened != nil, machine.pendingTrigger == nil,
      machine.recording == nil,
      !isOpenAsked
    else { return }
    let dropped = pending?.trigger ?? unopened
    pending = nil
    unopened = nil
    brokenOff = nil
    ring.withRing { $0.unpin(.trigger) }
    releaseSound()
    var cause = "withdrawn"
    switch machine.state {
    case .cannotRecord(let fault, _):
      log.note(.note("the remembered trigger cannot be honoured: \(Self.words(fault))"))
      cause = fault.rawValue
    case .stopping:
      log.note(.note("the recorder ends before a recording could begin: what waited in memory for it is lost"))
      cause = Self.endingCause
    case .starting, .ready, .saving, .recording, .atRisk, .postEvent, .closing: break
    }
    if let dropped { fate(dropped, .dropped, cause: cause) }
  }

  /// The open recording went on beyond the trigger that came behind its end: nothing need be kept for another one.
  func releaseIfGoingOn(past end: MonotonicTime) {
    guard let waiting = pending, machine.pendingTrigger == nil, machine.recording?.unheard == nil,
      end > waiting.trigger.decided
    else { return }
    pending = nil
    ring.withRing { $0.unpin(.trigger) }
  }

  func releaseSound() {
    if !configuration.recording.hasPreEventAudio { demand.value = .remember }
  }

  /// - Parameters:
  ///   - time: of the first edge; nil where its age is known instead.
  func heard(
    _ source: Trigger.Source, _ reason: Trigger.Reason?, at time: MonotonicTime?, age: Nanoseconds = .zero,
    detail: String? = nil
  ) -> Trigger {
    let now = LinuxIO.ClockReading.now()
    return Trigger(
      source: source, reason: reason, time: min(time ?? now.monotonic - age, now.monotonic), decided: now.monotonic,
      asleep: Nanoseconds(now.boottimeNanoseconds) - Nanoseconds(now.monotonic.nanoseconds), detail: detail)
  }

  /// - Parameter time: of the first edge; a past one, but at most `recording.edge_to_decision_s` ago.
  ///   Nil: the edge was `age` before now.
  func trigger(
    _ source: Trigger.Source, _ reason: Trigger.Reason?, at time: MonotonicTime?, age: Nanoseconds = .zero,
    detail: String? = nil
  ) -> RecorderMachine.Answer {
    let trigger = heard(source, reason, at: time, age: age, detail: detail)
    let now = trigger.decided
    let wasEnding = machine.recording?.end != nil
    let wasRemembering = machine.pendingTrigger != nil
    let answer = perform(machine.handle(.trigger(trigger), now: now))
    switch answer {
    case .remembered: if pending == nil { pending = request(for: trigger) }
    // The writer may have closed before it hears of this: what comes before the press is kept until it goes on beyond it.
    case .continued: if wasEnding, pending == nil { pending = request(for: trigger) }
    case .none, .accepted, .stopped, .cancelled, .marked, .notRecording, .refused, .stopping: break
    }
    answerWithSign(answer)
    tellFate(of: trigger, answer, wasRemembering: wasRemembering)
    return answer
  }

  /// Whatever begins no recording by itself is written down for the account of all triggers.
  private func tellFate(of trigger: Trigger, _ answer: RecorderMachine.Answer, wasRemembering: Bool) {
    switch answer {
    case .remembered where wasRemembering: fate(trigger, .continued, with: pending?.trigger)
    case .remembered:
      // While the recording before is closed the next one's OPEN comes at once, and says it.
      if case .closing = machine.state { return }
      fate(trigger, .remembered)
    case .continued:
      if recordingID == nil {
        fate(trigger, .continued, with: unopened)
      } else {
        fate(trigger, .continued, recording: recordingCounter)
      }
    case .refused(let fault): fate(trigger, .refused, cause: fault.rawValue)
    case .stopping: fate(trigger, .refused, cause: Self.endingCause)
    case .none, .accepted, .stopped, .cancelled, .marked, .notRecording: break
    }
  }

  /// - Parameter other: the trigger that it hangs on.
  func fate(
    _ trigger: Trigger, _ result: TriggerFate.Result, cause: String? = nil, recording: Int64? = nil,
    with other: Trigger? = nil
  ) {
    command(
      .audit(
        .trigger(
          TriggerFate(
            trigger: TriggerFacts(trigger), result: result, cause: cause, recording: recording,
            other: other.map { TriggerFacts($0).edge }))))
  }

  private static let endingCause = "ending"

  // MARK: - Button

  /// What the record button did until now.
  func takeButton(_ poller: inout Poller, isReadable: Bool) {
    guard let recordButton else { return }
    defer { if let health = recordButton.takeChange() { command(.audit(.source(health))) } }
    for outcome in recordButton.take(&poller, token: Token.button, isReadable: isReadable) {
      switch outcome {
      case .gesture(let gesture, let first):
        lastGesture = first
        switch configuration.buttons.table?.action(of: gesture) {
        case .start: _ = trigger(.button, gesture.reason, at: first)
        case .stop: stopByButton(gesture, first: first)
        case .mark: markByButton(gesture, first: first)
        case nil: pressedForNothing(.unclear, gesture.reason, first: first)
        }
      case .unclear(let first): pressedForNothing(.unclear, nil, first: first)
      // A hold that has had its effect is shown as stuck, and was told already.
      case .stuck(let since): if since != lastGesture { pressedForNothing(.stuck, nil, first: since) }
      case .released: break
      }
    }
  }

  /// The footage goes on to where the gesture was understood: what is on the card already is not cut off.
  private func stopByButton(_ gesture: Gesture, first: MonotonicTime) {
    let now = MonotonicTime.now()
    let answer = perform(machine.handle(.stop(now), now: now))
    answerWithSign(answer)
    switch answer {
    case .stopped, .cancelled: noteStop(answer, at: now, "source=button\nreason=\(gesture.rawValue)")
    default: pressedForNothing(.idle, gesture.reason, first: first)
    }
  }

  /// Who stopped it is in the footage, and whether it says that the trigger was a false one.
  func noteStop(_ answer: RecorderMachine.Answer, at time: MonotonicTime, _ message: String) {
    let value = answer == .cancelled ? "false_trigger" : "stop"
    command(.event(FootageEvent(time: time, value: value, message: message)))
  }

  private func markByButton(_ gesture: Gesture, first: MonotonicTime) {
    markMessage = "source=button\nreason=\(gesture.rawValue)"
    let answer = perform(machine.handle(.mark(first), now: .now()))
    answerWithSign(answer)
    switch answer {
    case .marked: break
    default: pressedForNothing(.idle, gesture.reason, first: first)
    }
  }

  private func pressedForNothing(_ result: TriggerFate.Result, _ reason: Trigger.Reason?, first: MonotonicTime) {
    let press = heard(.button, reason, at: first)
    log.note(.pressedForNothing(result))
    // A stop or a marker was answered already.
    if result != .idle { indicators.play(machine.recording == nil ? .notRecording : .refused, now: press.decided) }
    fate(press, result)
  }
}

extension Gesture {
  /// The same, as a trigger's reason.
  var reason: Trigger.Reason {
    switch self {
    case .press: .press
    case .doublePress: .doublePress
    case .hold: .hold
    }
  }
}
