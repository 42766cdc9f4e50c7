import Configuration
import Control
import Core
import Encoding
import Evidence
import EvidenceStore
import LinuxIO
import Media

extension Recorder {
  /// Begins the trial that is due, if one is. Called once a tick.
  func advanceTrials() {
    let now = MonotonicTime.now()
    if trials.isRunning, !trials.isStuck, now - trials.startedAt > Trials.patience, machine.recording == nil {
      trials.isStuck = true
      log.note(.note("check: the card does not answer"))
      handle(.proof(.failed))
    }
    guard machine.awaitsProof, !trials.isRunning else { return }
    guard now >= trials.nextAttempt else { return }
    let since = trials.waitingSince ?? now
    trials.waitingSince = since
    let hasSound = devices.microphone == nil || isAudioLive
    if hasSound || now - since >= Trials.soundPatience { startTrial() }
  }

  private func startTrial() {
    trials.count += 1
    trials.phase = .running(trials.count)
    let now = MonotonicTime.now()
    (trials.startedAt, trials.isStuck, trials.hasPictures) = (now, false, isVideoLive)
    let start = ring.withRing { $0.startPoint(at: now) }
    let trigger = Trigger(source: .demo, reason: .test, time: now, decided: now)
    storeWishes.tryOut(
      TrialRequest(
        number: trials.count, triesSound: configuration.recording.hasPreEventAudio,
        open: OpenRequest(trigger: trigger, start: start, shortfall: nil, preEventAsked: .zero, soundFrom: now)))
    ring.bell.signal()
    log.note(.note("check: two seconds are recorded, verified and removed"))
  }

  func take(_ report: TrialReport) {
    let check = RecorderStatus.Check(
      report,
      TrialExpectation(
        framesPerSecond: 1 / devices.frameInterval.inSeconds, hasPictures: trials.hasPictures,
        hasMicrophone: devices.microphone != nil, triesSound: configuration.recording.hasPreEventAudio,
        isMicrophoneLive: isAudioLive,
        recipients: opening.parties.recipients.recipients.count, clock: .now(), triggers: status().triggers,
        minutesLeft: minutesLeft, encoder: devices.encoderKind.rawValue))
    trials.last = check
    trials.phase = .idle
    trials.isStuck = false
    // A start that fails again and again for one reason says it once.
    let isNews = check.result != .failed || check.outcome != trials.told
    trials.told = check.outcome
    if isNews { log.note(.checked(check)) }
    if isNews, let outcome = check.outcome { command(.audit(.check(outcome))) }
    switch check.result {
    case .passed:
      trials.failures = 0
      handle(.proof(.proven))
    case .failed:
      trials.failures += 1
      trials.nextAttempt = .now() + trials.pause
      handle(.proof(.failed))
    // What interrupted it is a recording, which proves more.
    case .interrupted: break
    }
  }

  /// - Parameter number: of a check that was begun before; nil begins one.
  func answerCheck(number: Int?, isJSON: Bool) -> ControlReply {
    if let number {
      if trials.phase == .running(number) { return .failure(.busy, "check \(number) is under way") }
      guard let last = trials.last, last.number == number else {
        return .failure(
          .badRequest, "there is no result of a check \(number); the newest is \(trials.last?.number ?? 0)")
      }
      return .success(last.result.rawValue, body: isJSON ? [last.json] : last.textLines)
    }
    switch machine.state {
    case .saving, .recording, .atRisk, .postEvent, .closing:
      return .failure(.busy, "it records: nothing is tried out while evidence is written")
    case .stopping: return .failure(.stopping, "the recorder is ending")
    case .cannotRecord(let fault, _) where fault != .checkFailed: return .failure(.cannotRecord, Self.words(fault))
    case .ready, .starting, .cannotRecord:
      guard machine.pendingTrigger == nil, pending == nil else {
        return .failure(.busy, "a trigger waits to be recorded")
      }
      // One that is under way answers this, too.
      if !trials.isRunning {
        guard isStoreReady, isVideoLive || isAudioLive else {
          return .failure(.cannotRecord, "neither card nor camera is ready yet; see `lapel status`")
        }
        startTrial()
      }
      return .success("\(trials.count)")
    }
  }
}
