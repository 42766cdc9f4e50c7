public import Media

/// The recorder's state and every rule of changing it: events in, effects out, no I/O, no clock.
///
/// Total: every event is defined in every state, and a table test walks all of them. The states follow what the wearer
/// must be able to tell apart.
public struct RecorderMachine: Sendable {
  public let limits: Limits
  public private(set) var state: State = .starting(pending: nil)
  /// The store's fault while nothing is recorded; capture may be ready and recording still impossible.
  private var storeFault: RecorderFault?
  private var isCapturing = false
  public private(set) var proof: Proof
  /// Capture has told of itself once: it began, or cannot.
  private var isCaptureKnown = false
  /// Nothing that comes later is recorded; nil while the battery is good for it.
  private var batteryEnd: MonotonicTime?

  /// - Parameter needsProof: *ready* waits for a proof.
  public init(limits: Limits, needsProof: Bool = false) {
    self.limits = limits
    proof = needsProof ? .none : .proven
  }

  /// Nothing but the proof is missing for *ready*.
  public var awaitsProof: Bool {
    guard isCapturing, storeFault == nil, !isBatteryCritical, proof != .proven else { return false }
    switch state {
    case .starting, .ready: return true
    case .cannotRecord(let fault, _): return fault == .checkFailed
    case .saving, .recording, .atRisk, .postEvent, .closing, .stopping: return false
    }
  }

  /// The battery keeps recordings from being begun, and ends them.
  public var isBatteryCritical: Bool { batteryEnd != nil }

  /// Takes in one event. O(1), no allocation.
  public mutating func handle(_ event: Event, now: MonotonicTime) -> Effects {
    var effects = Effects()
    noteHealth(event, now: now)
    switch state {
    case .starting(let pending): whileStarting(event, pending: pending, effects: &effects)
    case .ready: whileReady(event, effects: &effects)
    case .cannotRecord(let fault, let waiting):
      whileUnable(event, fault: fault, waiting: waiting, now: now, effects: &effects)
    case .saving(let open), .recording(let open), .atRisk(let open), .postEvent(let open):
      whileOpen(event, recording: open, now: now, effects: &effects)
    case .closing(let open, let pending):
      whileClosing(event, recording: open, pending: pending, effects: &effects)
    case .stopping(let isOpen, let pending):
      whileStopping(event, isOpen: isOpen, pending: pending, now: now, effects: &effects)
    }
    return effects
  }

  /// The recording that is open and not being closed.
  public var recording: Recording? {
    switch state {
    case .saving(let open), .recording(let open), .atRisk(let open), .postEvent(let open): open
    case .starting, .ready, .closing, .cannotRecord, .stopping: nil
    }
  }

  /// A trigger that was heard and waits for its recording.
  public var pendingTrigger: Trigger? {
    switch state {
    case .starting(let pending), .closing(_, let pending), .stopping(_, let pending): pending
    case .cannotRecord(_, let waiting): waiting?.trigger
    case .ready, .saving, .recording, .atRisk, .postEvent: nil
    }
  }

  // MARK: - States

  private mutating func noteHealth(_ event: Event, now: MonotonicTime) {
    switch event {
    case .captureReady: (isCapturing, isCaptureKnown) = (true, true)
    case .captureLost: (isCapturing, isCaptureKnown) = (false, true)
    case .store(let fault), .closed(let fault): storeFault = fault
    case .proof(let new): proof = new
    // It takes a picture to prove anything, and what a trial has refuted only a trial can prove.
    case .durable: if proof == .none, isCapturing { proof = .proven }
    case .battery(let isCritical): batteryEnd = isCritical ? batteryEnd ?? now : nil
    case .trigger, .stop, .mark, .refused, .tick, .terminate: break
    }
  }

  /// The state when nothing is recorded, by what is known of capture and store.
  private var idleState: State {
    if let storeFault { return .cannotRecord(storeFault, waiting: nil) }
    if isBatteryCritical { return .cannotRecord(.batteryCritical, waiting: nil) }
    guard isCapturing else { return .cannotRecord(.noCapture, waiting: nil) }
    switch proof {
    case .none: return .starting(pending: nil)
    case .proven: return .ready
    case .failed: return .cannotRecord(.checkFailed, waiting: nil)
    }
  }

  /// The store's fault is shown, and what it keeps from being recorded waits: for a card that fails, not for one that is
  /// full, since that is for as long as nobody empties it.
  private mutating func fail(_ fault: RecorderFault, _ waiting: @autoclosure () -> Waiting?) {
    switch fault {
    case .storeFailed: state = .cannotRecord(fault, waiting: waiting())
    case .storeFull, .noCapture, .checkFailed, .batteryCritical: state = .cannotRecord(fault, waiting: nil)
    }
  }

  /// A recording can begin. Without any capture, too: the seconds before a camera was torn off are still in memory, and
  /// what comes when it is back belongs to the recording. It is shown as at risk.
  private var canBegin: Bool { storeFault == nil }

  /// What was promised before the battery became critical is kept, up to that moment.
  private mutating func begin(_ trigger: Trigger, end: MonotonicTime? = nil, effects: inout Effects) {
    let end = if let batteryEnd { min(end ?? batteryEnd, batteryEnd) } else { end }
    state = .saving(
      Recording(
        trigger: trigger, latest: trigger, end: end, lastDurable: trigger.decided,
        backlog: Backlog(since: trigger.decided)))
    effects.open = trigger
    if let end { effects.end = end }
  }

  private mutating func whileStarting(_ event: Event, pending: Trigger?, effects: inout Effects) {
    switch event {
    case .captureReady, .store(nil), .proof:
      guard isCapturing, storeFault == nil else { return }
      if let pending { begin(pending, effects: &effects) } else { state = idleState }
    // Only the proof is missing, and a recording is a better one than any trial.
    case .trigger(let trigger) where isCapturing && storeFault == nil:
      begin(pending ?? trigger, effects: &effects)
      effects.answer = .accepted
    case .trigger(let trigger):
      state = .starting(pending: pending ?? trigger)
      effects.answer = .remembered
    case .stop:
      state = .starting(pending: nil)
      effects.answer = pending == nil ? .notRecording : .stopped
    case .mark: effects.answer = .notRecording
    case .store(let fault?): fail(fault, pending.map { Waiting(trigger: $0) })
    // There is next to nothing in memory yet that a remembered trigger could save.
    case .battery(isCritical: true): state = .cannotRecord(.batteryCritical, waiting: nil)
    case .captureLost:
      if let pending, canBegin { begin(pending, effects: &effects) } else { state = idleState }
    case .durable, .refused, .tick, .closed, .battery(isCritical: false): break
    case .terminate: leave(&effects)
    }
  }

  private mutating func whileReady(_ event: Event, effects: inout Effects) {
    switch event {
    case .trigger(let trigger):
      begin(trigger, effects: &effects)
      effects.answer = .accepted
    case .stop, .mark: effects.answer = .notRecording
    case .captureLost, .captureReady, .store, .proof, .battery: state = idleState
    case .durable, .refused, .tick, .closed: break
    case .terminate: leave(&effects)
    }
  }

  private mutating func whileUnable(
    _ event: Event, fault: RecorderFault, waiting: Waiting?, now: MonotonicTime, effects: inout Effects
  ) {
    switch event {
    case .trigger(let trigger):
      if isBatteryCritical {
        effects.answer = .refused(.batteryCritical)
      } else if canBegin {
        begin(trigger, effects: &effects)
        effects.answer = .accepted
      } else if fault == .storeFailed {
        // One that was stopped goes on, as a recording in its post-event does.
        var waiting = waiting ?? Waiting(trigger: trigger)
        waiting.end = nil
        state = .cannotRecord(fault, waiting: waiting)
        effects.answer = .remembered
      } else {
        effects.answer = .refused(fault)
      }
    case .stop(let time):
      effects.answer = waiting == nil ? .notRecording : .stopped
      guard var going = waiting, going.isAccepted else {
        state = .cannotRecord(fault, waiting: nil)
        return
      }
      going.end = min(time + limits.postEvent, going.end ?? time + limits.postEvent)
      state = .cannotRecord(fault, waiting: going)
    case .mark: effects.answer = .notRecording
    case .battery(isCritical: true):
      // What waits for the card was promised: it is recorded up to here, if the card comes back in time.
      if var waiting {
        waiting.end = min(waiting.end ?? now, now)
        state = .cannotRecord(fault, waiting: waiting)
      } else {
        state = idleState
      }
    case .battery(isCritical: false) where fault == .batteryCritical && storeFault == nil && !isCaptureKnown:
      state = .starting(pending: nil)
    case .captureReady, .captureLost, .store, .proof, .battery(isCritical: false):
      if let waiting, canBegin {
        begin(waiting.trigger, end: waiting.end, effects: &effects)
        effects.openFrom = waiting.from
        // What is waited for is the card, from now on.
        if case .saving(var recording) = state {
          recording.lastDurable = now
          recording.backlog = Backlog(since: now)
          state = .saving(recording)
        }
      } else if let storeFault {
        fail(storeFault, waiting)
      } else {
        state = idleState
      }
    case .durable, .refused, .tick, .closed: break
    case .terminate: leave(&effects)
    }
  }

  private mutating func whileOpen(
    _ event: Event, recording: Recording, now: MonotonicTime, effects: inout Effects
  ) {
    var recording = recording
    switch event {
    case .trigger where isBatteryCritical: effects.answer = .refused(.batteryCritical)
    case .trigger(let trigger):
      if recording.end != nil, recording.unheard == nil { recording.unheard = trigger }
      recording.end = nil
      recording.latest = trigger
      effects.retrigger = trigger
      effects.end = .some(nil)
      effects.answer = .continued
    case .stop(let time):
      let isFirst = recording.end == nil && recording.latest == recording.trigger
      if isFirst, limits.cancelWindow > .zero, time <= recording.trigger.decided + limits.cancelWindow {
        recording.end = time
        effects.end = time
        effects.answer = .cancelled
        break
      }
      // A second stop does not wait for the post-event time.
      let end = recording.end == nil ? time + limits.postEvent : min(time, recording.end ?? time)
      recording.end = end
      effects.end = end
      effects.answer = .stopped
    case .mark(let time):
      effects.mark = time
      effects.answer = .marked
    case .durable(let end):
      // What is written again after a failure is durable twice: only with what is new does footage reach the card again.
      if let backlog = recording.backlog, recording.durableEnd.map({ end > $0 }) ?? true {
        let isBehind = end >= min(backlog.since, recording.end ?? backlog.since)
        let isFresh = min(now, recording.end ?? now) - end <= limits.freshLag
        // A slow card is never fresh; the second time it has nothing left to catch up with.
        if isFresh || isBehind && backlog.isConfirmed {
          recording.backlog = nil
          // Whatever the lag is now, it is no pre-event that is still being written.
          recording.hasCaughtUp = true
        } else if isBehind {
          recording.backlog?.isConfirmed = true
        }
      }
      recording.durableEnd = max(end, recording.durableEnd ?? end)
      recording.lastDurable = now
      if let unheard = recording.unheard, Self.isHeard(unheard, end: end) { recording.unheard = nil }
    case .refused: recording.backlog = Backlog(since: now)
    case .closed(nil):
      afterClose(of: recording, pending: nil, effects: &effects)
      return
    case .closed(let fault?):
      let isWhole = recording.end.map { $0 <= recording.durableEnd ?? .distantPast } ?? false
      let (trigger, durable, end) = (recording.trigger, recording.durableEnd, recording.end)
      fail(fault, isWhole ? nil : Waiting(trigger: trigger, isAccepted: true, from: durable, end: end))
      return
    case .terminate:
      effects.end = recording.end.map { min($0, now) } ?? now
      state = .stopping(isOpen: true, pending: recording.unheard)
      return
    case .battery(isCritical: true):
      // Without the post-event: the power is for the close.
      let end = min(recording.end ?? now, now)
      recording.end = end
      effects.end = end
    case .captureReady, .captureLost, .store, .proof, .tick, .battery(isCritical: false): break
    }
    state = shown(&recording, now: now)
  }

  /// Media beyond the moment at which a trigger was decided is written by a writer that knows of it.
  private static func isHeard(_ trigger: Trigger, end: MonotonicTime) -> Bool {
    end > trigger.decided + .milliseconds(200)
  }

  /// The writer may have closed before it heard of a trigger: that one then begins the next recording, also when it was
  /// stopped again meanwhile.
  private mutating func afterClose(of recording: Recording, pending: Trigger?, effects: inout Effects) {
    let isWhole = recording.end.map { $0 <= recording.durableEnd ?? .distantPast } ?? false
    let next = recording.unheard ?? (recording.end == nil ? recording.latest : nil)
    if !canBegin {
      state = idleState
    } else if !isWhole, let next {
      begin(next, end: pending == nil ? recording.end : nil, effects: &effects)
      effects.retrigger = pending ?? (recording.latest != next ? recording.latest : nil)
    } else if let pending {
      begin(pending, effects: &effects)
    } else {
      state = idleState
    }
  }

  private mutating func whileClosing(
    _ event: Event, recording: Recording, pending: Trigger?, effects: inout Effects
  ) {
    switch event {
    case .trigger where isBatteryCritical: effects.answer = .refused(.batteryCritical)
    case .trigger(let trigger):
      state = .closing(recording, pending: pending ?? trigger)
      effects.answer = .remembered
    case .stop:
      state = .closing(recording, pending: nil)
      effects.answer = pending == nil ? .notRecording : .stopped
    case .mark: effects.answer = .notRecording
    case .durable(let end):
      var recording = recording
      recording.durableEnd = max(end, recording.durableEnd ?? end)
      state = .closing(recording, pending: pending)
    case .closed(nil): afterClose(of: recording, pending: pending, effects: &effects)
    case .closed(let fault?): fail(fault, pending.map { Waiting(trigger: $0) })
    case .terminate: state = .stopping(isOpen: true, pending: recording.unheard ?? pending)
    case .captureReady, .captureLost, .refused, .tick, .store, .proof, .battery: break
    }
  }

  private mutating func whileStopping(
    _ event: Event, isOpen: Bool, pending: Trigger?, now: MonotonicTime, effects: inout Effects
  ) {
    switch event {
    case .closed(let fault):
      guard let pending, fault == nil else { return leave(&effects) }
      state = .stopping(isOpen: true, pending: nil)
      effects.open = pending
      effects.end = now
    case .durable(let end):
      // The open recording goes on beyond the trigger that was waiting: it needs none of its own.
      if let pending, Self.isHeard(pending, end: end) { state = .stopping(isOpen: isOpen, pending: nil) }
      effects.exit = !isOpen
    case .trigger, .stop, .mark: effects.answer = .stopping
    case .captureReady, .captureLost, .refused, .tick, .store, .proof, .battery, .terminate: effects.exit = !isOpen
    }
  }

  private mutating func leave(_ effects: inout Effects) {
    state = .stopping(isOpen: false, pending: nil)
    effects.exit = true
  }

  /// What may be shown of an open recording now.
  private func shown(_ recording: inout Recording, now: MonotonicTime) -> State {
    let horizon = min(now, recording.end ?? now)
    // Neither camera nor microphone delivers: what is confirmed is silence, not footage.
    guard isCapturing || recording.durableEnd.map({ $0 >= horizon }) == true || recording.end.map({ now >= $0 }) == true
    else { return .atRisk(recording) }
    if let durableEnd = recording.durableEnd, horizon - durableEnd <= limits.recordingLag {
      let isWhole = recording.end.map { durableEnd >= $0 } ?? false
      if isWhole || recording.backlog == nil && now - recording.lastDurable <= limits.silence {
        recording.hasCaughtUp = true
        guard let end = recording.end else { return .recording(recording) }
        return now < end ? .postEvent(recording) : .closing(recording, pending: nil)
      }
    }
    // What could not be written in time is a backlog from now on.
    if recording.hasCaughtUp, recording.backlog == nil { recording.backlog = Backlog(since: now) }
    let isLate = recording.hasCaughtUp || now - recording.lastDurable > limits.silence
    return isLate ? .atRisk(recording) : .saving(recording)
  }
}
