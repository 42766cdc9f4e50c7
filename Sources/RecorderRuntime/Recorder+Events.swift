import Configuration
import Control
import Core
import Evidence
import EvidenceStore
import Glibc
import LinuxIO
import Media

extension Recorder {
  func take(signal: CInt) {
    if signal == SIGPWR { return hearPowerSignal() }
    terminations += 1
    log.note(.signal(signal))
    if terminations == 1 { handle(.terminate) }
    if terminations >= 3 {
      failure = RecorderError(
        .store, "given up before the recording was closed; it verifies up to its last checkpoint, as after a power cut")
      hasLeft = true
      // Nothing is recorded from here on, and a light that stays lit would say it is.
      indicators.goDark()
      // The store thread may be stuck in the card: leave without waiting for it.
      standardError.writeLine("lapel: given up; the open recording ends at its last checkpoint")
      _exit(RecorderError.Kind.store.rawValue)
    }
  }

  func takeStoreEvents() {
    storeEvents.ready.drain()
    while let event = storeEvents.pop() {
      switch event {
      case .ready(let fileSystem, let recovery):
        // What the card was trusted with before proves nothing.
        if isStoreReady, configuration.recording.checksAtStart { handle(.proof(.none)) }
        isStoreReady = true
        // The newest, and the first; all of them are in the log.
        interrupted += recovery.interrupted.map {
          .init(
            id: $0.id.description, counter: $0.counter, segments: $0.segments,
            attestedMilliseconds: $0.mediaTime / 1_000, words: $0.words)
        }
        interrupted = interrupted.suffix(50)
        cardWarnings = Array(recovery.warnings.prefix(50))
        self.fileSystem = fileSystem
        noteWhatIsInEffect()
        announceReadiness()
      case .unusable(let error):
        failure = RecorderError(error)
        hasLeft = true
      case .left: hasLeft = true
      case .space(let free):
        freeBytes = free
        noteLowStorage()
      case .opened(let id, let counter):
        recordingID = id
        recordingCounter = counter
        unopened = nil
      case .durable(let end, let lag):
        lastLag = lag
        handle(.durable(end: end))
        releaseIfGoingOn(past: end)
      case .refused: handle(.refused)
      case .closed(let fault):
        if fault != nil { brokenOff = recordingID ?? brokenOff }
        recordingID = nil
        mediaStart = nil
        lastLag = nil
        isOpenAsked = false
        handle(.closed(fault))
        if !isOpenAsked, machine.pendingTrigger == nil {
          ring.withRing { $0.unpin(.trigger) }
          brokenOff = nil
          releaseSound()
        }
      case .tried(let report): take(report)
      case .slowCard(let isSlow): isCardSlow = isSlow
      case .store(let fault): handle(.store(fault))
      }
    }
  }

  func takeDeviceEvents() {
    health.events.ready.drain()
    while let event = health.events.pop() {
      switch event {
      case .trackLive(let track):
        if track == .video { isVideoLive = true } else { isAudioLive = true }
        announceReadiness()
      case .encoding(let level):
        encodingLevel = level
        log.note(.encoding(level))
        noteEncoding()
      case .deviceBack(let track):
        if track == .video { isVideoLive = true } else { isAudioLive = true }
        command(.notice(.deviceFound(track: track)))
        trials.tryAgain(now: .now())
        announceReadiness()
      case .deviceLost(let track, _):
        if track == .video { isVideoLive = false } else { isAudioLive = false }
        if !isVideoLive, !isAudioLive || devices.microphone == nil { handle(.captureLost) }
        command(.notice(.deviceLost(track: track)))
      }
    }
  }

  /// Also at the beginning of a recording that is made so.
  func noteEncoding() { command(.notice(.encoding(JournalEvent.EncodingCondition(encodingLevel)))) }

  func announceReadiness() {
    // The first time the picture is waited for; after that either track alone is worth recording.
    guard isStoreReady, isVideoLive || (hasBeenReady && isAudioLive) else { return }
    if !hasBeenReady { startupText.release() }
    hasBeenReady = true
    handle(.captureReady)
  }

  func handle(_ event: RecorderMachine.Event) { _ = perform(machine.handle(event, now: .now())) }

  func perform(_ effects: RecorderMachine.Effects) -> RecorderMachine.Answer {
    if let trigger = effects.open { open(trigger, from: effects.openFrom) }
    if let trigger = effects.retrigger {
      command(.event(FootageEvent(time: trigger.time, value: "trigger", message: trigger.message)))
    }
    if let mark = effects.mark { command(.event(FootageEvent(time: mark, value: "mark", message: markMessage))) }
    if let end = effects.end {
      if case .stopping = machine.state {
        storeWishes.end(at: end, .shutdown)
      } else {
        storeWishes.end(at: end, machine.isBatteryCritical ? .power : .stop)
      }
      ring.bell.signal()
    }
    // Before the store thread is told to leave: it writes what it has been told until then.
    forgetPendingIfDropped()
    if effects.exit {
      tellLastRefusals()
      storeWishes.leave()
      ring.bell.signal()
    }
    let title = machine.state.title
    if title != shownState {
      shownState = title
      log.note(.state(machine.state))
      let sign = machine.state.sign
      if sign == .ready, shownSign == .starting || shownSign == .cannotRecord { command(.audit(.armed)) }
      tellChange(from: shownSign, to: sign)
      shownSign = sign
      showSigns()
      if case .recording = machine.state, !hasRecorded {
        // What reading keys, recovery and opening files needed is not needed while it goes on.
        hasRecorded = true
        startupText.release()
      }
    }
    return effects.answer
  }

  func command(_ command: StoreCommand) {
    if !storeCommands.push(command) {
      log.note(.note("a marker or event was dropped: the store thread has been waiting for the card for long"))
    }
    ring.bell.signal()
  }
}

extension JournalEvent.EncodingCondition {
  init(_ level: EncodingLoad.Level) {
    self =
      switch level {
      case .full: .full
      case .lessEffort: .lessEffort
      case .halfRate: .halfRate
      }
  }
}
