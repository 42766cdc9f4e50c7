import Control
import Evidence
import Media

extension AuditEvent {
  /// The one place that says what an AUDIT line means: a new code needs its case here, and no other.
  var phrase: Phrase {
    switch self {
    case .configuration(let hash, let software):
      Phrase(
        "configuration",
        "configuration \(Words.short(hash))" + (software.map { ", program \(Words.short($0))" } ?? ""),
        [("configuration", .hash(hash)), ("softwareSha256", software.map { .hash($0) } ?? .text(nil))])
    case .clockState(let source, let trust):
      Phrase(
        "clockState", "clock: \(Self.words(source, trust))",
        [("clockSource", .string(source.rawValue)), ("clockTrust", .string(trust.rawValue))])
    case .armed: Phrase("armed", "ready: a trigger is honoured from now on", [])
    case .check(let outcome):
      Phrase(
        "check", "check \(outcome.result == .passed ? "passed" : "FAILED")\(Self.words(outcome))",
        [("result", .string(outcome.result.rawValue)), ("cause", .text(outcome.cause))])
    case .source(let health):
      Phrase(
        "source",
        "\(Words.plain(health.source)) \(health.state == .deaf ? "DEAF" : health.state.rawValue)"
          + (health.cause.map { ": \(Words.plain($0))" } ?? ""),
        [
          ("source", .string(health.source)), ("what", .string(health.state.rawValue)), ("cause", .text(health.cause)),
        ])
    case .radio(let refusals):
      Phrase(
        "radioRefused", "\(Words.count(refusals.count, "radio signal")) refused: \(Words.plain(refusals.cause))",
        [("cause", .string(refusals.cause)), ("count", .integer(refusals.count))])
    case .event(let event): event.phrase
    case .trigger(let fate): fate.phrase
    }
  }

  private static func words(_ outcome: CheckOutcome) -> String {
    guard let cause = outcome.cause else { return "" }
    return outcome.result == .passed ? ", with a warning: \(Words.plain(cause))" : ": \(Words.plain(cause))"
  }

  private static func words(_ source: WallClockSource, _ trust: WallClockTrust) -> String {
    switch trust {
    case .none: source == .unknown ? "never set" : "never set (\(source.rawValue))"
    case .held: source == .unknown ? "set, running on its own" : "set by \(source.rawValue), running on its own"
    case .synchronized: "kept by \(source.rawValue)"
    }
  }
}

extension JournalEvent {
  var phrase: Phrase {
    switch self {
    case .gap(let track, let from, let to, let cause):
      return GapRun(track: track, cause: cause, from: from, to: to).phrase
    case .storage(let condition, let free):
      let (bytes, isTooLarge) = free.multipliedReportingOverflow(by: 1_000_000)
      let left = "\(Units.bytes(isTooLarge ? .max : bytes)) free"
      return Phrase(
        "storage", "\(condition.words), \(left)", [("what", .string(condition.rawValue)), ("freeMb", .integer(free))])
    case .battery(let condition, let percent):
      return Phrase(
        "battery", "\(condition.words), \(percent) %",
        [("what", .string(condition.rawValue)), ("percent", .integer(percent))])
    case .power(let condition, let edge):
      return Phrase(
        "power", condition == .fail ? "the supply gives WARNING that it fails" : "the supply is good again",
        [("what", .string(condition.rawValue)), ("edgeNs", .integer(edge))])
    case .clockStep(let was):
      return Phrase(
        "clockSet", "clock set; before: \(Units.timestamp(wallMilliseconds: was, showsMilliseconds: true))",
        [("wasMs", .integer(was))])
    case .encoding(let condition):
      return Phrase("encoding", condition.words, [("what", .string(condition.rawValue))])
    case .deviceLost(let track):
      return Phrase("deviceLost", "\(Words.device(track)) lost", [("track", .integer(Int64(track.rawValue)))])
    case .deviceFound(let track):
      return Phrase("deviceFound", "\(Words.device(track)) found again", [("track", .integer(Int64(track.rawValue)))])
    case .error(let code): return Phrase("error", code.words, [("what", .string(code.rawValue))])
    }
  }
}

extension JournalEvent.StorageCondition {
  fileprivate var words: String {
    switch self {
    case .slow: "card is slow"
    case .recovered: "card keeps up again"
    case .low: "card is nearly full"
    case .full: "card is FULL"
    case .error: "card FAILED"
    }
  }
}

extension JournalEvent.BatteryCondition {
  fileprivate var words: String {
    switch self {
    case .normal: "battery normal"
    case .low: "battery low"
    case .critical: "battery CRITICAL"
    case .external: "external power, battery"
    }
  }
}

extension JournalEvent.EncodingCondition {
  fileprivate var words: String {
    switch self {
    case .full: "encoder keeps up: pictures as configured"
    case .lessEffort: "encoder too slow: poorer pictures, none left out"
    case .halfRate: "encoder too slow: every second picture is LEFT OUT"
    }
  }
}

extension JournalEvent.ErrorCode {
  fileprivate var words: String {
    switch self {
    case .camera: "camera failed"
    case .microphone: "microphone failed"
    case .encoder: "encoder failed"
    case .writer: "writing failed"
    case .sync: "a flush of the card failed"
    case .seal: "sealing failed"
    case .clock: "a clock failed"
    case .memory: "memory is short"
    }
  }
}

extension JournalEvent.GapCause {
  fileprivate var words: String {
    switch self {
    case .sequence: "source skipped"
    case .ringFull: "memory was full"
    case .encoderOverload: "encoder overloaded"
    case .encoderFailed: "encoder failed"
    case .badTimestamp: "no usable time stamp"
    case .xrun: "sound overran"
    case .deviceLost: "device lost"
    case .errorBuffer: "damaged buffer"
    case .writerLate: "writer late"
    case .suspend: "machine slept"
    }
  }
}

extension GapRun {
  var phrase: Phrase {
    let media = Words.media(track)
    let length = "\(Units.decimal(missing / 1_000, decimals: 3)) s"
    let words =
      count == 1
      ? "gap in the \(media) at \(Words.position(microseconds: from)), \(length): \(cause.words)"
      : "\(count) gaps in the \(media) from \(Words.position(microseconds: from)) to "
        + "\(Words.position(microseconds: to)), \(length) in all: \(cause.words)"
    return Phrase(
      "gap", words,
      [
        ("track", .integer(Int64(track.rawValue))), ("cause", .string(cause.rawValue)), ("fromUs", .integer(from)),
        ("toUs", .integer(to)), ("gaps", .integer(count)), ("missingUs", .integer(missing)),
      ])
  }
}

extension TriggerFate {
  var phrase: Phrase {
    let who = Words.who(trigger.source, trigger.reason)
    let press = trigger.source == "button" ? "press" : "request"
    let why = cause.map { ", \(Self.words(cause: $0))" } ?? ""
    var words =
      switch result {
      case .continued:
        recording.map { "trigger within recording \($0): \(who)" } ?? "trigger within what the one before began: \(who)"
      case .remembered: "trigger waits for capture or card: \(who)"
      case .refused: "trigger REFUSED\(why): \(who)"
      case .dropped: "trigger given up\(why): \(who)"
      case .idle: "\(press) for nothing: \(who), while nothing was recorded"
      case .unclear: "\(press) for nothing: \(who), neither a press nor a hold"
      case .stuck: "\(press) for nothing: \(who), held as nobody can mean it"
      }
    if count > 1 { words += " (\(count) times)" }
    return Phrase(
      "trigger", words,
      [
        ("result", .string(result.rawValue)), ("cause", .text(cause)), ("source", .string(trigger.source)),
        ("reason", .text(trigger.reason)), ("edgeNs", .integer(trigger.edge)), ("decidedNs", .integer(trigger.decided)),
        ("withEdgeNs", .number(other)), ("count", .integer(count)),
      ])
  }

  private static func words(cause: String) -> String {
    switch cause {
    case "no_capture": "nothing was captured"
    case "store_full": "the card was full"
    case "store_failed": "the card failed"
    case "battery_critical": "the battery was nearly empty"
    case "ending": "the recorder ended"
    case "withdrawn": "withdrawn by a stop"
    default: Words.plain(cause)
    }
  }
}
