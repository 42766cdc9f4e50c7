import Configuration
import Control
import Core
import Evidence
import LinuxIO
import Media

extension Recorder {
  func answer(_ request: ControlRequest) -> ControlReply {
    let now = MonotonicTime.now()
    switch request {
    case .start(let edgeAge, let source, let reason):
      let limit = configuration.recording.edgeToDecision
      guard edgeAge <= limit else {
        return .failure(
          .badRequest,
          "the edge may be at most \(limit.inMilliseconds) ms old (recording.edge_to_decision_s), not "
            + "\(edgeAge.inMilliseconds) ms")
      }
      let known = source.flatMap { Trigger.Source(rawValue: $0) }
      guard source == nil || known != nil else {
        return .failure(
          .badRequest, "source must be one of \(Trigger.Source.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      let what = reason.flatMap { Trigger.Reason(rawValue: $0) }
      guard reason == nil || what != nil else {
        return .failure(
          .badRequest, "reason must be one of \(Trigger.Reason.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return reply(trigger(known ?? .socket, what, at: nil, age: edgeAge))
    case .stop:
      let answer = perform(machine.handle(.stop(now), now: now))
      answerWithSign(answer)
      switch answer {
      case .stopped, .cancelled: noteStop(answer, at: now, "source=socket")
      case .none, .accepted, .remembered, .continued, .marked, .notRecording, .refused, .stopping: break
      }
      return reply(answer)
    case .mark(let label):
      markMessage = "source=socket" + (label.map { "\nlabel=\($0)" } ?? "")
      let answer = perform(machine.handle(.mark(now), now: now))
      answerWithSign(answer)
      return reply(answer)
    case .stealth(let isOn):
      setStealth(isOn)
      return .success(isOn ? "stealth: lights, tones and vibration are silent" : "stealth is over")
    case .mute(let isOn): return reply(setMute(isOn, "source=socket"), isOn: isOn)
    case .check(let number, let format): return answerCheck(number: number, isJSON: format == .json)
    case .status(let format):
      let status = status()
      switch format {
      case .text: return .success("", body: status.textLines)
      case .json: return .success("", body: [status.json])
      }
    }
  }

  func reply(_ answer: RecorderMachine.Answer) -> ControlReply {
    switch answer {
    case .none: .success()
    case .accepted: .success("heard: the footage is being saved")
    case .remembered: .success("remembered: recording begins as soon as it can")
    case .continued: .success("already recording: the trigger is noted and keeps it going")
    case .stopped:
      configuration.recording.postEvent > .zero
        ? .success("stopping after \(configuration.recording.postEvent.inMilliseconds) ms of post-event")
        : .success("stopping: the recording is being closed")
    case .cancelled: .success("noted as a false trigger: the recording is being closed, and everything is kept")
    case .marked: .success("marked")
    case .notRecording: .failure(.notRecording, "nothing is being recorded")
    case .refused(let fault): .failure(.cannotRecord, Self.words(fault))
    case .stopping: .failure(.stopping, "the recorder is ending")
    }
  }

  static func words(_ fault: RecorderFault) -> String {
    switch fault {
    case .noCapture: "neither camera nor microphone delivers; see the log"
    case .storeFull: "the card is full: offload recordings or free space on it"
    case .storeFailed: "the card cannot be written; see the log"
    case .checkFailed: "the check failed"
    case .batteryCritical: "the battery is nearly empty: connect the charger, or put in another one"
    }
  }
}
