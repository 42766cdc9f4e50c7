public import Media

/// What started, extended or marked a recording.
public struct Trigger: Hashable, Sendable {
  /// Closed list; the raw value is stored with the recording.
  public enum Source: String, Hashable, Sendable, CaseIterable {
    case button, socket, demo, schedule, radio
    /// A radio signal that anybody can send.
    case unauthenticatedRadio = "radio_unauthenticated"
  }

  /// The gesture, or what a signal or an external program says that happened. Closed list; stored with the recording.
  public enum Reason: String, Hashable, Sendable, CaseIterable {
    case press
    case doublePress = "double"
    case hold
    case holster
    case lightBar = "light_bar"
    case door, vehicle, impact, weapon
    case peerCamera = "peer_camera"
    case motion, fall, manual, test, other
  }

  public var source: Source
  /// Nil where the source says all.
  public var reason: Reason?
  /// The time of the gesture's first edge by the kernel: the recording's pre-event counts from here.
  public var time: MonotonicTime
  /// When the gesture was understood; at most the configured span after `time`.
  public var decided: MonotonicTime
  /// How long the machine had slept since it booted: CLOCK_BOOTTIME less CLOCK_MONOTONIC. Kept with the trigger, because two
  /// readings are never quite the same and its time tells it from others.
  public var asleep: Nanoseconds
  /// More for inside the footage: `key=value`, a line each; nil: nothing.
  public var detail: String?

  public init(
    source: Source, reason: Reason? = nil, time: MonotonicTime, decided: MonotonicTime, asleep: Nanoseconds = .zero,
    detail: String? = nil
  ) {
    self.detail = detail
    self.asleep = asleep
    self.source = source
    self.reason = reason
    self.time = time
    self.decided = decided
  }
}

/// Why nothing can be recorded, or why a recording ended by itself. Raw values are stored and shown.
public enum RecorderFault: String, Hashable, Sendable, CaseIterable {
  /// Neither camera nor microphone delivers.
  case noCapture = "no_capture"
  /// The card has no room beyond what a clean close needs.
  case storeFull = "store_full"
  /// The card cannot be written.
  case storeFailed = "store_failed"
  /// What was recorded to try everything out did not verify. A trigger is recorded all the same, as well as it goes.
  case checkFailed = "check_failed"
  /// What the battery holds is for closing what was recorded.
  case batteryCritical = "battery_critical"
}

/// The recorder's state and every rule of changing it: events in, effects out, no I/O, no clock.
///
/// Total: every event is defined in every state, and a table test walks all of them. The states follow what the wearer
/// must be able to tell apart.
public struct RecorderMachine: Sendable {
  /// What the signs show.
  public enum State: Hashable, Sendable {
    /// No keyframe is in memory yet, and a trigger is remembered; or it is not proven yet that what is triggered would be
    /// recorded, and a trigger is recorded at once.
    case starting(pending: Trigger?)
    /// The ring fills; a trigger would be honoured.
    case ready
    /// Accepted: the footage is safe in memory, not yet on the card.
    case saving(Recording)
    /// The footage reaches the card, at most 1.5 s late.
    case recording(Recording)
    /// Nothing became durable for too long, or the card refused it; the footage is still in memory. Returns by itself.
    case atRisk(Recording)
    /// Stopped by the user; goes on until the configured end.
    case postEvent(Recording)
    /// The last bytes and the last line are being written. A trigger is remembered.
    case closing(Recording, pending: Trigger?)
    /// Shown with its reason; returns when the reason goes. What waits for the card is then recorded.
    case cannotRecord(RecorderFault, waiting: Waiting?)
    /// The process ends; `isOpen` while a recording is still being closed. A trigger that was remembered until then is
    /// still honoured: its pre-event is saved before the process ends.
    case stopping(isOpen: Bool, pending: Trigger?)
  }

  /// What the machine knows of the recording that is open.
  public struct Recording: Hashable, Sendable {
    public var trigger: Trigger
    /// The newest trigger: the first one, or one that came while recording.
    public var latest: Trigger
    /// The first trigger that came behind an end, until the writer is known to have gone on beyond it.
    public var unheard: Trigger?
    /// Packets from here on do not belong to it; nil until it is stopped.
    public var end: MonotonicTime?
    /// End of the media that is durable on the card; nil before the first checkpoint.
    public var durableEnd: MonotonicTime?
    /// When the last checkpoint became durable; the trigger's decision before the first.
    public var lastDurable: MonotonicTime
    /// True once the lag was small enough for *recording* to be shown.
    public var hasCaughtUp = false
    /// A backlog is being written: that of the pre-event, or what is written again after a failure. Nil once the card has
    /// caught up: while it has not, the next checkpoint may come too late for what *recording* promises.
    public var backlog: Backlog?
  }

  /// What is captured meanwhile is behind it.
  public struct Backlog: Hashable, Sendable {
    /// Everything captured before was in memory when it began.
    public var since: MonotonicTime
    /// Footage from after that has been confirmed once, but late: what is behind it may be a backlog still, or the card slow.
    public var isConfirmed = false

    public init(since: MonotonicTime) { self.since = since }
  }

  /// A trigger whose footage is in memory because the card failed: it is recorded when the card takes writes again.
  public struct Waiting: Hashable, Sendable {
    public var trigger: Trigger
    /// It was being recorded when the card failed; else it came when nothing could be, and a stop takes it back.
    public var isAccepted = false
    /// What lies before is durable in the recording that the failure ended; nil: nothing of it is.
    public var from: MonotonicTime?
    /// As the recording's end.
    public var end: MonotonicTime?
  }

  public enum Event: Hashable, Sendable {
    /// A first keyframe is in memory and the store has been opened.
    case captureReady
    /// No track delivers any more; the store is fine.
    case captureLost
    case trigger(Trigger)
    /// A deliberate stop, and the time of its first edge.
    case stop(MonotonicTime)
    case mark(MonotonicTime)
    /// A checkpoint is durable: all media before `end`.
    case durable(end: MonotonicTime)
    /// A write or a flush of the open recording failed. What it held is written again from memory.
    case refused
    /// Time passed.
    case tick
    /// The writer has closed the recording; with a fault when it did so by itself.
    case closed(RecorderFault?)
    /// The store is unusable (fault) or usable again (nil) while nothing is recorded.
    case store(RecorderFault?)
    /// What is known of the whole path changed.
    case proof(Proof)
    /// What the battery holds is just enough to close a recording: the open one is closed, and none begins until it is not so
    /// any more.
    case battery(isCritical: Bool)
    /// The process is asked to end (SIGINT, SIGTERM).
    case terminate
  }

  /// What the runtime has to do, all of it, in the order of the fields.
  public struct Effects: Hashable, Sendable {
    /// Begin a recording for this trigger.
    public var open: Trigger?
    /// With `open`: everything before is durable in the recording before, so begin here and not at the pre-event.
    public var openFrom: MonotonicTime?
    /// Write down that a trigger came while recording.
    public var retrigger: Trigger?
    /// Write down a marker.
    public var mark: MonotonicTime?
    /// Tell the writer the recording's end: `.some(nil)` takes it away.
    public var end: MonotonicTime??
    /// What to tell whoever caused the event.
    public var answer = Answer.none
    /// Nothing is open any more: leave.
    public var exit = false

    public init() {}
  }

  /// Whether what is triggered would be recorded: *ready* is shown only when that is proven.
  public enum Proof: Hashable, Sendable {
    /// Nothing was tried so far.
    case none
    /// A trial was recorded and verified; or a recording became durable, and no trial had failed.
    case proven
    /// A trial did not succeed.
    case failed
  }

  public enum Answer: Hashable, Sendable {
    case none
    /// Heard, being saved.
    case accepted
    /// Will be honoured as soon as capture or the previous recording allows.
    case remembered
    /// A recording already runs; the trigger is noted in it and keeps it going.
    case continued
    case stopped
    /// Stopped as a false trigger: what was recorded is kept, and goes on no longer.
    case cancelled
    case marked
    case notRecording
    case refused(RecorderFault)
    case stopping
  }

  /// Limits that decide what is shown.
  public struct Limits: Hashable, Sendable {
    public var postEvent = Nanoseconds.zero
    /// *Recording* is shown only at or below this lag.
    public var recordingLag = Nanoseconds.milliseconds(1_500)
    /// Footage that is confirmed so soon after it was captured is no backlog: the next checkpoint comes in time.
    public var freshLag = Nanoseconds.milliseconds(550)
    /// *At risk* is shown when nothing became durable for this long.
    public var silence = Nanoseconds.seconds(2)
    /// A stop so soon after the only trigger says that it was a false one; zero: no stop says that.
    public var cancelWindow = Nanoseconds.zero

    public init(postEvent: Nanoseconds) { self.postEvent = postEvent }
  }

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
