import Camera
import Control
import Core
import Encoding
import Evidence
import Indicators
import EvidenceStore
package import LinuxIO
import Media
import Microphone
import Power
import Radio
import Triggers

/// Something worth a log line. Made on any thread without formatting; the log thread turns it into text.
enum LogEvent: Sendable {
  case state(RecorderMachine.State)
  case cameraGranted(String)
  case microphoneGranted(String)
  case cameraLost(CameraError)
  /// Opening it again failed, for a reason that was not said since it was lost.
  case cameraStillLost(CameraError)
  case cameraBack
  case microphoneLost(MicrophoneError)
  case microphoneStillLost(MicrophoneError)
  case microphoneBack
  case encoderFailed(EncodingError)
  case encoding(EncodingLoad.Level)
  case loss(Loss)
  case recordingOpened(id: String, counter: Int64, heldMilliseconds: Int64, askedMilliseconds: Int64)
  case segmentBegun(Int)
  case segmentAbandoned(Int, StoreError)
  case recordingClosed(id: String, segments: Int, seconds: Double, lostFrames: Int64, lostSamples: Int64)
  case storeTrouble(StoreError)
  case slowCard(milliseconds: Int64)
  case controlTrouble(LinuxError)
  /// Which one, as in `record button`.
  case buttonLost(String, TriggerError)
  case buttonBack(String, String)
  case radioListens(String)
  case radioDeaf(DeafReason)
  case radioSignal(RadioSignal)
  case radioRefused(RadioRefusal, Int)
  /// They cannot be read or stored.
  case radioCounters(LinuxError)
  case checked(RecorderStatus.Check)
  /// The wall clock was set; what it showed before, ms since 1970.
  case clockSet(was: Int64)
  case outputLost(SignOutput, IndicatorError)
  /// A press of the record button that had no effect.
  case pressedForNothing(TriggerFate.Result)
  case power(PowerState, isLost: Bool)
  case powerFailing
  case powerLineLost(PowerError)
  case signal(Int32)
  /// Nil: all of them turn again.
  case threadStandsStill(CaptureThread?)
  case note(String)
  /// Something on the card that is not as it should be.
  case cardWarning(String)

  /// How loud the line is.
  enum Level: Int, Comparable, Sendable {
    case debug, info, notice, warning, error
    static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  var level: Level {
    switch self {
    case .cameraGranted, .microphoneGranted, .recordingOpened, .recordingClosed, .cameraBack, .microphoneBack,
      .buttonBack, .radioListens, .radioSignal, .pressedForNothing, .clockSet, .signal, .note, .threadStandsStill(nil):
      .notice
    case .segmentBegun: .info
    case .encoding(let level): level == .full ? .notice : .warning
    case .checked(let check): check.result == .failed ? .error : check.hasWarnings ? .warning : .notice
    case .state(let state):
      switch state {
      case .atRisk, .cannotRecord: .warning
      case .starting, .ready, .saving, .recording, .postEvent, .closing, .stopping: .notice
      }
    case .radioRefused, .radioCounters, .loss, .slowCard, .cameraStillLost, .microphoneStillLost, .cardWarning: .warning
    case .power(let state, let isLost):
      switch state.level {
      case .low, .critical: .warning
      case .external, .normal, nil: isLost ? .warning : .notice
      }
    case .powerFailing: .warning
    case .cameraLost, .microphoneLost, .encoderFailed, .segmentAbandoned, .storeTrouble, .controlTrouble, .buttonLost,
      .radioDeaf, .outputLost, .powerLineLost, .threadStandsStill(_?):
      .error
    }
  }

  /// One line for people, without time and level.
  var text: String {
    switch self {
    case .state(let state): "state: \(state.title)"
    case .cameraGranted(let what): "camera: \(what)"
    case .microphoneGranted(let what): "microphone: \(what)"
    case .cameraLost(let error): "camera lost: \(error)"
    case .cameraStillLost(let error): "camera not back yet: \(error)"
    case .cameraBack: "camera is back"
    case .microphoneLost(let error): "microphone lost: \(error)"
    case .microphoneStillLost(let error): "microphone not back yet: \(error)"
    case .microphoneBack: "microphone is back"
    case .encoderFailed(let error): "encoder failed: \(error)"
    case .encoding(.full): "the encoder keeps up again: pictures are made as configured"
    case .encoding(.lessEffort): "the encoder does not keep up: poorer pictures from here on, and none left out"
    case .encoding(.halfRate): "the encoder does not keep up: every second picture is left out from here on"
    case .loss(let loss):
      "lost \(loss.count) \(loss.track == .video ? "frames" : "samples of sound") (\(loss.cause)) within "
        + "\((loss.to - loss.from).inMilliseconds) ms"
    case .recordingOpened(let id, let counter, let held, let asked):
      "recording \(counter) opened (\(id)), pre-event held \(held) ms of \(asked) ms asked"
    case .segmentBegun(let index): "segment \(index) begun"
    case .segmentAbandoned(let index, let error): "segment \(index) abandoned, written again from memory: \(error)"
    case .recordingClosed(let id, let segments, let seconds, let frames, let samples):
      "recording closed (\(id)): \(tenths(seconds)) s in \(segments) segment\(segments == 1 ? "" : "s"), "
        + "\(frames) frames and \(samples) samples lost"
    case .storeTrouble(let error): "card: \(error)"
    case .slowCard(let milliseconds): "the card took \(milliseconds) ms to confirm a checkpoint"
    case .controlTrouble(let error): "control socket: \(error)"
    case .buttonLost(let name, let error): "\(name): \(error)"
    case .radioListens(let place): "the radio listens: \(place)"
    case .radioDeaf(let reason): "the radio is deaf: \(reason)"
    case .radioSignal(let signal): "radio signal: \(signal.detail.replacing("\n", with: " "))"
    case .radioRefused(let refusal, let count):
      "radio: \(count) signal\(count == 1 ? "" : "s") refused: \(refusal.rawValue)"
    case .radioCounters(let error):
      "the radio's counters: \(error) After a restart, a signal of the last minutes that somebody captured could start a "
        + "recording."
    case .checked(let check): "check: \(check.sentence)"
    case .clockSet(let was): "the wall clock was set; it showed \(was / 1_000) s since 1970 before"
    case .outputLost(let output, let error): "\(output.rawValue): \(error)"
    case .buttonBack(let name, let place): "the \(name) is back: \(place)"
    case .pressedForNothing(let result):
      switch result {
      case .unclear: "the record button was held for longer than a press and shorter than a hold: nothing done"
      case .stuck: "the record button is held for long: nothing done"
      case .idle, .continued, .remembered, .refused, .dropped: "the record button was pressed while nothing is recorded"
      }
    case .power(let state, let isLost): isLost ? "power: the battery is gone" : "power: \(state.words)"
    case .powerFailing: "power: the supply fails; everything is made durable at once"
    case .powerLineLost(let error): "power: \(error)"
    case .threadStandsStill(let thread?):
      "the \(thread.rawValue) thread stands still: the watchdog is not fed any more, and starts the recorder anew unless it "
        + "goes on"
    case .threadStandsStill(nil): "every thread turns again: the watchdog is fed"
    case .signal(let number): "signal \(number): closing"
    case .note(let text): text
    case .cardWarning(let text): "card: \(text)"
    }
  }

  private func tenths(_ seconds: Double) -> String {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

/// The way of log events to the log thread: a bounded queue that drops and counts, so that nobody waits for a log line.
package final class EventLog: Sendable {
  let queue: BoundedQueue<LogEvent>

  package init() throws(LinuxError) { queue = try BoundedQueue(capacity: 512) }

  /// What a start found on the card, in words; the first hundred lines of each kind.
  func note(_ recovery: RecoveryReport) {
    for recording in recovery.interrupted.prefix(Self.recoveryLimit) { note(.note(recording.words)) }
    if recovery.interrupted.count > Self.recoveryLimit {
      note(.note("and \(recovery.interrupted.count - Self.recoveryLimit) more interrupted recordings"))
    }
    for text in recovery.notes.prefix(Self.recoveryLimit) { note(.note(text)) }
    for text in recovery.warnings.prefix(Self.recoveryLimit) { note(.cardWarning(text)) }
    if recovery.warnings.count > Self.recoveryLimit {
      note(.cardWarning("and \(recovery.warnings.count - Self.recoveryLimit) more"))
    }
  }

  private static let recoveryLimit = 100

  /// Any thread. What does not fit is counted, and the count is logged when there is room again.
  func note(_ event: LogEvent) { _ = queue.push(event) }
}

extension RecorderMachine.State {
  /// The name people see: in the status, the log and the JSON.
  var title: String {
    switch self {
    case .starting: "starting"
    case .ready: "ready"
    case .saving: "saving"
    case .recording: "recording"
    case .atRisk: "at risk"
    case .postEvent: "post-event"
    case .closing: "closing"
    case .cannotRecord(let fault, nil): "cannot record (\(fault.rawValue))"
    case .cannotRecord(let fault, _?): "cannot record (\(fault.rawValue)); the footage waits in memory"
    case .stopping: "stopping"
    }
  }
}

extension PowerState {
  /// For the log.
  fileprivate var words: String {
    let held = percent.map { ", battery \($0) %" } ?? ""
    return switch level {
    case .external: "external supply\(held)"
    case .normal: "on battery\(held)"
    case .low: "the battery is low\(held)"
    case .critical: "the battery is nearly empty\(held): what is open is closed, and nothing begins"
    case nil:
      switch battery {
      case .absent: "nothing says what feeds the camera"
      case .present, .silent: "the battery does not say how full it is"
      case .gone: "the battery is gone"
      }
    }
  }
}
