import Core
import Evidence
package import EvidenceStore
package import LinuxIO
package import Media

/// The writer: carries out the planner's steps on the card. Lives on the store thread, the only one that touches it.
///
/// `step` does one fragment, checkpoint or command at a time and says when it wants to be called again; a test drives it
/// in virtual time, the store thread in real time.
package struct StoreWorker: ~Copyable {
  /// How often an idle store looks at the card's free space.
  static let idleInterval = Nanoseconds.seconds(5)

  /// So many checkpoints in time after a late one, and the card is no longer called slow.
  static let checkpointsToRecover = 20
  /// The counters off the card name a durable journal line at least this often.
  static let anchorInterval = Nanoseconds.seconds(10)

  /// While footage is written, what became of triggers is written at most so often.
  static let fatesInterval = Nanoseconds.seconds(5)

  let ring: SharedRing
  let profile: RecordingProfile
  let commands: BoundedQueue<StoreCommand>
  let wishes: StoreWishes
  let health: CaptureHealth
  let report: (StoreEvent) -> Void
  let log: EventLog
  let now: () -> MonotonicTime
  private var store: EvidenceStore
  private var open: OpenRecording?
  private var trial: Trial?
  private var mustClearTrials = false
  /// Trials that the store failed, since something was confirmed.
  private var trialFailures = 0
  private var recentLosses: [Loss] = []
  private var idleFault: RecorderFault?
  private var nextIdleCheck = MonotonicTime.distantPast
  private var checkpointsSinceSlow = Self.checkpointsToRecover
  private var isLeaving = false
  private var audits = AuditBacklog()

  /// What `step` answers.
  package enum Next: Hashable, Sendable {
    /// There is more to do at once.
    case again
    case sleep(until: MonotonicTime, packet: MonotonicTime)
    /// Nothing is open and nothing will be: the thread may end.
    case done
  }

  package init(
    store: consuming EvidenceStore, ring: SharedRing, profile: RecordingProfile, commands: BoundedQueue<StoreCommand>,
    wishes: StoreWishes,
    health: CaptureHealth, log: EventLog, now: @escaping () -> MonotonicTime,
    report: @escaping (StoreEvent) -> Void
  ) {
    self.store = store
    self.ring = ring
    self.profile = profile
    self.commands = commands
    self.wishes = wishes
    self.health = health
    self.log = log
    self.now = now
    self.report = report
    recentLosses.reserveCapacity(64)
  }

  /// One piece of work. Blocks as long as the card does.
  package mutating func step() -> Next {
    takeLosses()
    // Before the wishes: what was told behind a wish belongs to what that wish opens.
    var told: [StoreCommand] = []
    while let command = commands.pop() { told.append(command) }
    let wish = wishes.take()
    isLeaving = isLeaving || wish.leaves
    // The machine opens only after `closed`; should a second one come all the same, it keeps the first going.
    if let request = wish.open {
      // Only its key goes now; the rest when there is time.
      let interrupted = trial
      trial = nil
      interrupted?.abandon()
      mustClearTrials = mustClearTrials || interrupted != nil
      if open == nil { begin(request) } else { open?.planner.setEnd(nil) }
      if let interrupted { report(.tried(interrupted.report(.interrupted))) }
    }
    if let end = wish.end, let open, open.endFault == nil {
      open.planner.setEnd(end.time)
      open.closeReason = end.reason
    }
    open?.planner.isPowerFailing = wish.isPowerFailing
    if wish.checkpointsAtOnce { open?.planner.checkpointAtOnce() }
    for command in told { perform(command) }
    if let request = wish.trial { begin(request) }
    if isLeaving, let trial { end(trial, .interrupted) }
    if let trial { return work(on: trial) }
    guard open != nil else { return idle() }
    return work()
  }

  private var freeBytes: Int64 = 0
  /// Tracks whose device is away.
  private var absent: Set<TrackID> = []
  private var lossesRefused = 0

  // MARK: - Commands

  private mutating func perform(_ command: StoreCommand) {
    switch command {
    case .event(let event):
      if open == nil {
        log.note(.note("\(event.value) came when its recording was closed already; it is not in the footage"))
      }
      open?.pendingEvents.append(event)
      open?.planner.requestCheckpoint()
    case .notice(let notice):
      switch notice {
      case .deviceLost(let track): absent.insert(track)
      case .deviceFound(let track): absent.remove(track)
      default: break
      }
      if let open { open.pendingNotices.append(notice) } else { audit(.event(notice)) }
    case .audit(.event(let event)) where open != nil: open?.pendingNotices.append(event)
    case .audit(let event): audit(event)
    }
  }

  private mutating func audit(_ event: AuditEvent) {
    guard !audits.add(event) else { return }
    log.note(.note("too much came at once: some triggers or changes are not in the device log"))
  }

  /// The store's fault while nothing is recorded, or that it is over.
  private mutating func audit(_ fault: RecorderFault?) {
    let free = max(0, freeBytes >> 20)
    switch fault {
    case .storeFull: audit(.event(.storage(.full, freeMegabytes: free)))
    case .storeFailed: audit(.event(.storage(.error, freeMegabytes: free)))
    case nil: audit(.event(.storage(.recovered, freeMegabytes: free)))
    case .noCapture, .checkFailed, .batteryCritical: break
    }
  }

  private mutating func begin(_ request: OpenRequest) {
    ring.withRing { ring in
      ring.pin(.recording, from: request.start.time)
      ring.unpin(.trigger)
    }
    do throws(StoreError) {
      let writer = try store.openRecording(keepsFree: profile.reserveBytes, start: request.facts)
      report(.opened(id: writer.id.description, counter: writer.counter))
      log.note(
        .recordingOpened(
          id: writer.id.description, counter: writer.counter,
          heldMilliseconds: max(0, (request.trigger.time - request.start.time).inMilliseconds),
          askedMilliseconds: request.preEventAsked.inMilliseconds))
      let recording = OpenRecording(writer: writer, request: request, profile: profile, now: now())
      for loss in recentLosses { recording.note(loss) }
      recording.pendingEvents.append(
        FootageEvent(time: request.trigger.time, value: "trigger", message: request.trigger.message))
      try recording.beginSegment(ring: ring, at: request.start.time)
      log.note(.segmentBegun(0))
      open = recording
    } catch {
      log.note(.storeTrouble(error))
      didClose(error.isFull ? .storeFull : .storeFailed, durableEnd: request.start.time)
    }
  }

  // MARK: - Work

  private mutating func work() -> Next {
    guard let recording = open else { return .again }
    let moment = now()
    let chunk = recording.planner.settings.chunkByteCount
    let room = chunk - Int(recording.writer.position % Int64(chunk))
    let step = ring.withRing { recording.planner.step(now: moment, ring: $0, room: room) }
    do throws(StoreError) {
      switch step {
      case .wait(let until, let packet):
        return .sleep(until: until, packet: packet)
      case .checkpoint:
        try confirm(recording, endsSegment: false)
        lookAtSpace(recording)
      case .fragment(let edge, let checkpoint, let after):
        try recording.writeFragment(before: edge, ring: ring)
        if after == .close { recording.settleLosses(absent: absent, at: edge) }
        if checkpoint {
          try confirm(recording, endsSegment: after != .nothing)
          lookAtSpace(recording)
        }
        switch after {
        case .nothing: break
        case .nextSegment:
          try recording.beginSegment(ring: ring, at: edge)
          log.note(.segmentBegun(recording.segmentIndex))
        case .close:
          try finish(recording)
        }
      }
    } catch {
      recover(recording, from: error)
    }
    return .again
  }

  // MARK: - Trial

  private mutating func begin(_ request: TrialRequest) {
    guard open == nil, trial == nil, !isLeaving else {
      report(.tried(TrialReport(number: request.number, outcome: .interrupted)))
      return
    }
    // Nothing is pinned for it: its two seconds lie within what the ring keeps, and footage that might be triggered comes first.
    mustClearTrials = true
    do throws(StoreError) {
      let writer = try store.openTrial(keepsFree: profile.reserveBytes)
      let trial = Trial(request, writer: writer, profile: profile, now: now())
      self.trial = trial
      try trial.begin(ring: ring)
    } catch {
      guard let trial else { return fail(TrialReport(number: request.number, outcome: .failed(error)), error) }
      end(trial, .failed(error))
    }
  }

  private mutating func work(on trial: Trial) -> Next {
    do throws(StoreError) {
      switch try trial.step(now: now, ring: ring) {
      case .again: break
      case .sleep(let until, let packet): return .sleep(until: until, packet: packet)
      case .unfinished: end(trial, .unfinished)
      case .closed: end(trial, verified(trial))
      }
    } catch {
      end(trial, .failed(error))
    }
    return .again
  }

  /// A card that took it all and gives it back otherwise, or not at all, is refuted by that; its next failure to write is another
  /// matter.
  private mutating func verified(_ trial: Trial) -> TrialReport.Outcome {
    do throws(StoreError) {
      let verdict = try store.verifyTrial(trial.id)
      guard verdict.integrity == .intact && verdict.end == .closed else {
        return .refuted("what was read back is not what was written: \(verdict.sentence)")
      }
      trialFailures = 0
      return .passed
    } catch {
      return .refuted(error.description)
    }
  }

  private mutating func end(_ trial: Trial, _ outcome: TrialReport.Outcome) {
    trial.abandon()
    self.trial = nil
    let told = trial.report(outcome)
    clearTrials()
    if case .failed(let error) = outcome { return fail(told, error) }
    report(.tried(told))
  }

  private mutating func clearTrials() {
    guard mustClearTrials else { return }
    mustClearTrials = false
    do throws(StoreError) { try store.removeTrials() } catch { log.note(.storeTrouble(error)) }
  }

  /// What would end a recording for good is the store's fault, and is looked at again as after any failure. What a recording
  /// survives by a new segment is told, and tried again.
  private mutating func fail(_ told: TrialReport, _ error: StoreError) {
    log.note(.storeTrouble(error))
    switch error.kind {
    case .full: setIdle(.storeFull)
    // A card that takes a file and no trial would be opened anew for ever: after two it is the check alone that fails.
    case .journal, .store:
      trialFailures += 1
      if trialFailures <= 2 { setIdle(.storeFailed) }
    case .segmentWrite, .segmentSync, .seal, .packetGone, .identity: break
    }
    report(.tried(told))
  }

  private mutating func setIdle(_ fault: RecorderFault) {
    audit(fault)
    idleFault = fault
    nextIdleCheck = now() + Self.idleInterval
    report(.store(fault))
  }

  // MARK: - Closing

  /// A clean end, after the segment's: CLOSE.
  private mutating func finish(_ recording: OpenRecording) throws(StoreError) {
    try recording.close(recording.endFault == .storeFull ? .full : recording.closeReason)
    var fault = recording.endFault
    do throws(StoreError) {
      try store.didClose(id: recording.writer.id, counter: recording.writer.counter, head: recording.writer.head)
    } catch {
      // The recording is closed, and durable: it is not to be closed again. The device log cannot say so, and is opened anew
      // before anything else is recorded; that start says what it found.
      log.note(.storeTrouble(error))
      fault = fault ?? .storeFailed
    }
    log.note(
      .recordingClosed(
        id: recording.writer.id.description, segments: recording.writer.segmentCount,
        seconds: recording.duration.inSeconds, lostFrames: recording.lostFrames, lostSamples: recording.lostSamples))
    didClose(fault, durableEnd: recording.durableEnd)
  }

  /// A checkpoint, and everything that follows from it.
  private mutating func confirm(_ recording: OpenRecording, endsSegment: Bool) throws(StoreError) {
    let started = now()
    // A segment's first: the file, its name, and the journal, twice when its lines lie in two pages.
    let flushes: Int64 = recording.writer.isSegmentNamed ? 2 : 4
    try recording.checkpoint(startedAt: started, endsSegment: endsSegment, now: now)
    let finished = now()
    let (end, neededFrom) = (recording.durableEnd, recording.neededFrom)
    ring.withRing { $0.pin(.recording, from: neededFrom) }
    recording.consecutiveFailures = 0
    trialFailures = 0
    judgeSpeed(of: finished - started, allowed: recording.planner.settings.slowestFlush * flushes, recording)
    report(.durable(end: end, lag: finished - end))
    // Once a segment is named the line of the one before is surely durable, too.
    if endsSegment { recording.lastAnchor = .distantPast }
    if !endsSegment, finished - recording.lastAnchor > Self.anchorInterval {
      recording.lastAnchor = finished
      anchor(recording)
    }
    if !endsSegment { writeFates(recording, at: finished) }
  }

  /// A card that is slower than the loss bound allows for is shown and written down: once, and again when it is in time. How
  /// much was at risk is the lag in each CKPT.
  private mutating func judgeSpeed(of taken: Nanoseconds, allowed: Nanoseconds, _ recording: OpenRecording) {
    let wasSlow = checkpointsSinceSlow < Self.checkpointsToRecover
    if taken > allowed {
      checkpointsSinceSlow = 0
      log.note(.slowCard(milliseconds: taken.inMilliseconds))
    } else {
      checkpointsSinceSlow = min(checkpointsSinceSlow + 1, Self.checkpointsToRecover)
    }
    let isSlow = checkpointsSinceSlow < Self.checkpointsToRecover
    guard isSlow != wasSlow else { return }
    recording.pendingNotices.append(.storage(isSlow ? .slow : .recovered, freeMegabytes: max(0, freeBytes >> 20)))
    report(.slowCard(isSlow))
  }

  private mutating func didClose(_ fault: RecorderFault?, durableEnd: MonotonicTime) {
    // What no checkpoint carried any more is told in the device log.
    for notice in open?.pendingNotices ?? [] { audit(.event(notice)) }
    open = nil
    if let fault { audit(fault) }
    idleFault = fault
    // A card that failed is not asked again at once: the fault must be seen. Nor is one that is full.
    nextIdleCheck = fault == nil ? .distantPast : now() + Self.idleInterval
    ring.withRing { ring in
      // Who asked for the recording decides whether what is not on the card waits for it.
      if fault == .storeFailed { ring.pin(.trigger, from: durableEnd) }
      ring.unpin(.recording)
    }
    report(.closed(fault))
  }

  /// Remembers the journal's newest durable line off the card. When that fails the recording goes on: what is lost is a
  /// witness, not footage.
  private mutating func anchor(_ recording: OpenRecording) {
    do throws(StoreError) { try store.anchor(recording.writer.head) } catch { log.note(.storeTrouble(error)) }
  }

  /// A failed write or sync: the segment is abandoned and written again from memory in a new one. When that fails too,
  /// or the journal cannot be written, the recording ends here and the state says so.
  private mutating func recover(_ recording: OpenRecording, from error: StoreError) {
    var error = error
    report(.refused)
    while error.allowsNewSegment, recording.consecutiveFailures < 3 {
      log.note(.segmentAbandoned(recording.segmentIndex, error))
      recording.consecutiveFailures += 1
      do throws(StoreError) {
        try recording.abandonAndRewind(reason: error, ring: ring)
        log.note(.segmentBegun(recording.segmentIndex))
        return
      } catch let next {
        error = next
      }
    }
    log.note(.storeTrouble(error))
    // What can still be said is said: the room for it was kept free.
    do throws(StoreError) {
      try recording.writer.abandonSegment(error)
      try recording.close(error.isFull ? .full : .error)
      try store.didClose(id: recording.writer.id, counter: recording.writer.counter, head: recording.writer.head)
    } catch {
      log.note(.storeTrouble(error))
    }
    didClose(error.isFull ? .storeFull : .storeFailed, durableEnd: recording.durableEnd)
  }

  /// Ends the recording while there is still room to end it cleanly.
  private mutating func lookAtSpace(_ recording: OpenRecording) {
    freeBytes = store.freeBytes() ?? freeBytes
    report(.space(freeBytes: freeBytes))
    guard freeBytes < profile.reserveBytes, recording.endFault == nil else { return }
    recording.endFault = .storeFull
    recording.planner.setEnd(recording.planner.fragmentStart)
  }

  private mutating func idle() -> Next {
    writeAudits()
    clearTrials()
    if isLeaving { return .done }
    let moment = now()
    if moment >= nextIdleCheck {
      nextIdleCheck = moment + Self.idleInterval
      let free = store.freeBytes()
      freeBytes = free ?? 0
      report(.space(freeBytes: freeBytes))
      // A little more than the reserve, so that the state does not flutter.
      let needed = idleFault == .storeFull ? profile.reserveBytes + profile.reserveBytes / 4 : profile.reserveBytes
      var fault: RecorderFault? = free == nil ? .storeFailed : freeBytes < needed ? .storeFull : nil
      if fault == nil, idleFault == .storeFailed, !isUsableAgain() { fault = .storeFailed }
      if fault != idleFault {
        audit(fault)
        idleFault = fault
        report(.store(fault))
      }
    }
    return .sleep(until: nextIdleCheck, packet: .distantFuture)
  }

  /// Right behind a checkpoint: a power cut in a long recording must not take the account of the triggers that came while it ran. It
  /// costs a flush of the device log where there is such a trigger, and nothing where there is none. When it fails, the recording
  /// goes on: what is lost is a witness, not footage.
  private mutating func writeFates(_ recording: OpenRecording, at moment: MonotonicTime) {
    guard audits.hasTriggers, moment >= recording.nextFates, !recording.planner.isPowerFailing else { return }
    recording.nextFates = moment + Self.fatesInterval
    do throws(StoreError) {
      try store.audit(audits.events)
      audits.removeAll()
    } catch {
      log.note(.storeTrouble(error))
      recording.nextFates = .distantFuture
    }
  }

  /// All that waits, while nothing is recorded: no flush of footage waits for it.
  private mutating func writeAudits() {
    guard !audits.events.isEmpty, idleFault != .storeFailed else { return }
    do throws(StoreError) {
      try store.audit(audits.events)
      audits.removeAll()
    } catch {
      log.note(.storeTrouble(error))
      // As any write that fails: it is shown, and the lines are written when the card takes writes again.
      setIdle(.storeFailed)
    }
  }

  /// statvfs answers on a card that fails every write: only a write that was confirmed takes the fault away. What the failure
  /// left is then said as after a crash, and nothing that was open before is used again.
  private mutating func isUsableAgain() -> Bool {
    guard store.acceptsWrites() else { return false }
    do throws(StoreError) { try store.reopen() } catch {
      log.note(.storeTrouble(error))
      return false
    }
    log.note(store.recovery)
    report(.ready(fileSystem: (try? FileSystemStatus(path: store.path).typeName) ?? "", store.recovery))
    return true
  }

  // MARK: - Losses

  private mutating func takeLosses() {
    // Losses that touch are one: of an encoder that does not keep up there would be many in each second.
    var run: Loss?
    while let loss = health.losses.pop() {
      if run?.join(loss) == true { continue }
      if let run { note(run) }
      run = loss
    }
    if let run { note(run) }
    let refused = health.losses.refused
    if refused > lossesRefused {
      // Nobody can say what they were: that it was so is said.
      log.note(.note("\(refused - lossesRefused) losses could not be written down: the card stood still for too long"))
      if let open { open.pendingNotices.append(.error(.memory)) } else { audit(.event(.error(.memory))) }
      lossesRefused = refused
    }
  }

  private mutating func note(_ loss: Loss) {
    log.note(.loss(loss))
    if recentLosses.count == 64 { recentLosses.removeFirst() }
    recentLosses.append(loss)
    open?.note(loss)
    trial?.note(loss)
  }
}
