import Control
import Evidence
import Media

extension TimelineEntry {
  var phrase: Phrase {
    let name = "recording \(recording.map { "\($0.counter)" } ?? "?")"
    switch event {
    case .start(let start): return start.phrase
    case .opened(let facts, let isLate):
      if isLate { return Phrase("opened", "\(name) opened, noted by this start", [("late", .bool(true))]) }
      return Phrase("opened", "\(name) opened\(facts?.words ?? "")", facts?.members ?? [])
    case .closed(let closing, let isLate):
      if isLate { return Phrase("closed", "\(name) closed, noted by this start", [("late", .bool(true))]) }
      return Phrase("closed", "\(name) closed\(closing?.words ?? "")", closing?.members ?? [])
    case .logged(let entry): return entry.phrase(wall: clock?.wall)
    case .software(let facts): return facts.phrase
    case .journal(let event): return event.phrase
    case .gaps(let run): return run.phrase
    case .abandoned(let segment, let reason):
      return Phrase(
        "segmentAbandoned", "segment \(segment) given up: \(reason.words)",
        [("segment", .integer(segment)), ("reason", .string(reason.rawValue))])
    case .checkpoints(let checkpoints): return checkpoints.phrase
    case .omitted(let count):
      return Phrase("omitted", "\(Words.count(count, "more event")) of its journal", [("count", .integer(count))])
    case .unclosed(let torn, let mayRun):
      return Phrase(
        "notClosed",
        (mayRun ? "\(name) is open: it goes on, or was cut off" : "\(name) was cut off")
          + (torn > 0 ? "; \(Units.bytes(torn)) at its journal's end are no whole line" : ""),
        [("tornBytes", .integer(torn)), ("mayRun", .bool(mayRun))])
    case .notAtHand(let words): return Phrase("notAtHand", "\(name): \(Words.sentence(words))")
    case .footage(let note): return note.phrase
    case .sealed(let words): return Phrase("notOpened", "NOT OPENED: \(Words.sentence(words))")
    case .finding(let finding):
      return Phrase(
        "finding", Words.sentence(finding.description),
        [("answer", .string(finding.answer.word)), ("file", .text(finding.file)), ("fileLine", .number(finding.line))])
    case .unknown(let line):
      return Phrase(
        "unknown", "not known to this version: \(([line.type] + line.words).joined(separator: " "))",
        [("type", .string(line.type)), ("words", .array(line.words.map { .string($0) }))])
    case .missingLines(let lines):
      return Phrase(
        "missingLines",
        lines.lowerBound == lines.upperBound
          ? "log line \(lines.lowerBound) is missing or could not be read"
          : "log lines \(lines.lowerBound) to \(lines.upperBound) are missing or could not be read",
        [("from", .integer(lines.lowerBound)), ("to", .integer(lines.upperBound))])
    case .clockJump(let milliseconds, let isAcrossBoots):
      let length = Words.duration(milliseconds: milliseconds)
      return Phrase(
        "clockJump",
        isAcrossBoots
          ? "the clock is \(length) behind the entry before"
          : "the clock was moved \(milliseconds < 0 ? "back" : "forward") by \(length)",
        [("byMs", .integer(milliseconds)), ("newBoot", .bool(isAcrossBoots))])
    }
  }

  /// Belongs to a recording's inside, not to its ends.
  var isInner: Bool {
    switch event {
    case .software, .journal, .gaps, .abandoned, .checkpoints, .omitted, .footage, .sealed, .finding: true
    case .unknown: recording != nil
    case .start, .opened, .closed, .logged, .unclosed, .notAtHand, .missingLines, .clockJump: false
    }
  }
}

extension RecorderStart {
  fileprivate var phrase: Phrase {
    Phrase(
      "start",
      "start \(counter), software \(Words.plain(softwareVersion))"
        + (tornByteCount > 0 ? "; \(Units.bytes(tornByteCount)) of torn lines before it" : ""),
      [
        ("start", .integer(counter)), ("software", .string(softwareVersion)), ("boot", .string(boot)),
        ("tornBytes", .integer(tornByteCount)),
      ])
  }
}

extension SoftwareFacts {
  fileprivate var phrase: Phrase {
    Phrase(
      "software",
      "software \(Words.plain(version)) (\(Words.short(software))), configuration \(Words.short(configuration))",
      [
        ("software", .string(version)), ("softwareSha256", .hash(software)),
        ("configuration", .hash(configuration)),
      ])
  }
}

extension OpenFacts {
  /// What stands behind `opened`.
  fileprivate var words: String {
    var words = ""
    if let start {
      words = ": \(Words.who(start.trigger.source, start.trigger.reason))"
      let held = Units.seconds(milliseconds: start.preEventHeld)
      words +=
        start.shortfall.map {
          "; pre-event \(held.dropLast(2)) of \(Units.seconds(milliseconds: start.preEventAsked)), \(Self.words(shortfall: $0))"
        } ?? "; pre-event \(held)"
    }
    return isDemo ? "\(words); DEMO KEY" : words
  }

  private static func words(shortfall: String) -> String {
    switch shortfall {
    case "just_started": "just started"
    case "bytes": "memory was short"
    case "device_lost": "a device was lost"
    case "continued": "the rest is in the recording before"
    default: Words.plain(shortfall)
    }
  }

  fileprivate var members: [(String, JSONValue)] {
    [
      ("source", .text(start?.trigger.source)), ("reason", .text(start?.trigger.reason)),
      ("edgeNs", .number(start?.trigger.edge)), ("decidedNs", .number(start?.trigger.decided)),
      ("preEventAskedMs", .number(start?.preEventAsked)), ("preEventHeldMs", .number(start?.preEventHeld)),
      ("preEventShort", .text(start?.shortfall)), ("camera", .string(camera.rawValue)),
      ("microphone", .string(microphone.rawValue)), ("clockSource", .string(clockSource.rawValue)),
      ("demo", .bool(isDemo)),
    ]
  }
}

extension JournalDigest.Closing {
  /// What stands behind `closed`.
  fileprivate var words: String { ": \(reason.words), \(Words.duration(milliseconds: duration / 1_000)) long" }

  fileprivate var members: [(String, JSONValue)] {
    [("reason", .string(reason.rawValue)), ("mediaUs", .integer(duration))]
  }
}

extension CloseReason {
  fileprivate var words: String {
    switch self {
    case .stop: "stopped"
    case .timeout: "its time was over"
    case .shutdown: "the recorder ended"
    case .power: "power failed"
    case .full: "the card was full"
    case .error: "an error"
    }
  }
}

extension AbandonReason {
  fileprivate var words: String {
    switch self {
    case .write: "a write failed"
    case .sync: "a flush failed"
    case .full: "the card was full"
    case .seal: "sealing failed"
    case .other: "another error"
    }
  }
}

extension JournalDigest.Checkpoints {
  fileprivate var phrase: Phrase {
    let lost =
      [
        framesLost > 0 ? Words.count(framesLost, "frame") : nil,
        samplesLost > 0 ? Words.count(samplesLost, "sound sample") : nil,
      ].compactMap { $0 }.joined(separator: ", ")
    return Phrase(
      "checkpoints",
      "\(Words.count(count, "checkpoint")), worst lag \(Units.seconds(milliseconds: worstLag)); "
        + (lost.isEmpty ? "nothing lost" : "lost \(lost)"),
      [
        ("count", .integer(count)), ("worstLagMs", .integer(worstLag)), ("mediaUs", .integer(mediaTime)),
        ("framesLost", .integer(framesLost)), ("samplesLost", .integer(samplesLost)),
      ])
  }
}

extension FootageNote {
  fileprivate var phrase: Phrase {
    let who = Words.who(fact("source"), fact("reason"))
    let words =
      switch value {
      case "trigger", "stop": who.isEmpty ? value : "\(value): \(who)"
      case "mark": "marker" + (label.map { " \(Words.quoted($0))" } ?? "") + (who.isEmpty ? "" : ": \(who)")
      case "false_trigger": "stop, false trigger" + (who.isEmpty ? "" : ": \(who)")
      case "stealth", "mute":
        "\(value) \(Words.plain(message.split(separator: "\n").first.map(String.init) ?? ""))"
          + (who.isEmpty ? "" : ": \(who)")
      default: Words.plain(value) + (message.isEmpty ? "" : " \(Words.quoted(message))")
      }
    return Phrase(
      "wearer", words,
      [
        ("what", .string(value)), ("source", .text(fact("source"))), ("reason", .text(fact("reason"))),
        ("label", .text(label)), ("message", .string(message)), ("mediaUs", .integer(time)),
      ])
  }
}
