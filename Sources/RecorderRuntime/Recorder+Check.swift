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
    if trials.isNewlyStuck(now: now) {
      log.note(.note("check: the card does not answer"))
      handle(.proof(.failed))
    }
    guard machine.awaitsProof else { return }
    if trials.isDue(hasSound: devices.microphone == nil || isAudioLive, now: now) { startTrial() }
  }

  private func startTrial() {
    let now = MonotonicTime.now()
    let run = trials.begin(hasPictures: isVideoLive, now: now)
    let start = ring.withRing { $0.startPoint(at: now) }
    let trigger = Trigger(source: .demo, reason: .test, time: now, decided: now)
    storeWishes.tryOut(
      TrialRequest(
        number: run.number, triesSound: configuration.recording.hasPreEventAudio,
        open: OpenRequest(trigger: trigger, start: start, shortfall: nil, preEventAsked: .zero, soundFrom: now)))
    ring.bell.signal()
    log.note(.note("check: two seconds are recorded, verified and removed"))
  }

  func take(_ report: TrialReport) {
    let check = RecorderStatus.Check(
      report,
      TrialExpectation(
        framesPerSecond: 1 / devices.frameInterval.inSeconds, hasPictures: trials.run?.hasPictures ?? isVideoLive,
        hasMicrophone: devices.microphone != nil, triesSound: configuration.recording.hasPreEventAudio,
        isMicrophoneLive: isAudioLive, recipients: opening.parties.recipients.recipients.count, clock: .now(),
        triggers: status().triggers, minutesLeft: minutesLeft, encoder: devices.pathName))
    if trials.end(check, now: .now()) {
      log.note(.checked(check))
      if let outcome = check.outcome { command(.audit(.check(outcome))) }
    }
    switch check.result {
    case .passed: handle(.proof(.proven))
    case .failed: handle(.proof(.failed))
    case .interrupted: break
    }
  }

  /// - Parameter number: of a check that was begun before; nil begins one.
  func answerCheck(number: Int?, isJSON: Bool) -> ControlReply {
    if let number {
      if trials.run?.number == number { return .failure(.busy, "check \(number) is under way") }
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
      if trials.run == nil {
        guard isStoreReady, isVideoLive || isAudioLive else {
          return .failure(.cannotRecord, "neither card nor camera is ready yet; see `lapel status`")
        }
        startTrial()
      }
      return .success("\(trials.count)")
    }
  }
}
