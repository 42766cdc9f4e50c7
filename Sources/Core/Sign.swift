/// What the camera tells its wearer for as long as it is so. Raw values are the names in the configuration.
///
/// One main state at a time, and any number of conditions beside it.
public enum Sign: String, Hashable, Sendable, CaseIterable {
  // The main states: those of RecorderMachine.
  case starting, ready, saving, recording
  case atRisk = "at_risk"
  case postEvent = "post_event"
  case closing
  case cannotRecord = "cannot_record"
  case stopping

  // The conditions, the one that is shown first at the top.
  case lowBattery = "low_battery"
  case lowStorage = "low_storage"
  /// A way to start a recording does not work.
  case triggerDeaf = "trigger_deaf"
  case muted
  case clockUntrusted = "clock_untrusted"
  /// Camera or microphone is being opened again.
  case recovering

  public static let mainStates: [Sign] = [
    .starting, .ready, .saving, .recording, .atRisk, .postEvent, .closing, .cannotRecord, .stopping,
  ]

  /// In the order in which they are shown: of two that use the same output, the first has it. First comes what soon ends
  /// all recording, then what keeps one from beginning, then what is missing from it, then what can be put right later.
  public static let conditions: [Sign] = [
    .lowBattery, .lowStorage, .triggerDeaf, .muted, .clockUntrusted, .recovering,
  ]
}

/// What the camera tells once, as the answer to something. Raw values are the names in the configuration.
public enum Cue: String, Hashable, Sendable, CaseIterable {
  /// A press was accepted; the footage is being saved.
  case heard
  /// *Recording* is shown for the first time.
  case started
  case stopped
  case marked
  /// A stop, a mark or a single press while nothing is recorded.
  case notRecording = "not_recording"
  case refused
  /// It is still recording; by itself, every two minutes or as configured.
  case reminder
  case muted, unmuted
  /// Stealth is over, the outputs work again. Going into it tells nothing.
  case stealth
}

extension RecorderMachine.State {
  /// The main state to be shown.
  public var sign: Sign {
    switch self {
    case .starting: .starting
    case .ready: .ready
    case .saving: .saving
    case .recording: .recording
    case .atRisk: .atRisk
    case .postEvent: .postEvent
    case .closing: .closing
    case .cannotRecord: .cannotRecord
    case .stopping: .stopping
    }
  }
}
