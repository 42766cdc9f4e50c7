import ArgumentParser
import Evidence
import LinuxIO

struct Account: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says of every trigger which recording it made, or why it made none; needs no secret.",
    discussion: """
      STORE is a card: `device` and `recordings`. Each recording is verified. The first line sums everything up. Then come how
      much of the pre-event was held, how long after the trigger's first edge the first footage was on the card, what was
      lost and why, and what deserves a look; with --all each recording has a line of its own.

      Examples:
        lapel-dock account /media/card --agency agency/public
        lapel-dock account /media/card --agency agency/public --all
        lapel-dock account /media/card --agency agency/public --json | jq '.recordings[] | select(.framesLost > 0)'

      Exit codes: 0 every trigger has a recording that is VERIFIED, or the reason why nothing was recorded. 40 UNACCOUNTED: a
      trigger has neither, or a recording was cut off before it existed. Otherwise as of `verify`, the worst recording's.
      """)

  @Argument(help: ArgumentHelp("The store.", valueName: "store"))
  var store: String

  @OptionGroup var trust: TrustOptions

  @Flag(help: "A line for each recording, and for each trigger that made none.")
  var all = false

  @Flag(help: "One JSON object on standard output instead of text.")
  var json = false

  static let unaccounted: Int32 = 40

  func run() throws {
    try DockFailure.report {
      guard case .store = PathKind(store) else {
        throw DockFailure("\(store) is no store: a directory with `recordings` in it, and `device` beside that")
      }
      let trust = try self.trust.load()
      let docks = try self.trust.receipts.map { try DockFiles(path: $0) }
      let store = try Store(path: store, trust: trust, deviceLog: self.trust.deviceLog, docks: docks)
      guard let log = store.log else {
        throw DockFailure(
          "nobody says whose the device log is, or there is none: give --agency, or --device-key with the camera's public key"
        )
      }
      for finding in log.findings {
        standardError.writeLine("lapel-dock: \(PlainText.printable(finding.description))")
      }
      let account = TriggerAccount(log: log, verdicts: try verdicts(store, trust))
      standardOutput.writeLine(json ? account.json.description : account.text(isWhole: all))
      let code = max(account.exitCode, log.findings.map(\.exitCode).max() ?? 0)
      if code != 0 { throw ExitCode(code) }
    }
  }

  private func verdicts(_ store: Store, _ trust: Trust) throws -> [Verdict] {
    var progress = ProgressLine("verifying \(PlainText.count(store.recordings.count, "recording"))")
    let total = Double(max(1, store.recordings.count))
    var verdicts: [Verdict] = []
    for (index, name) in store.recordings.enumerated() {
      let recording = try RecordingOnDisk(path: "\(store.path)/recordings/\(name)", trust: trust, store: store)
      verdicts.append(try recording.verify { progress.update((Double(index) + $0) / total) }.verdict)
    }
    return verdicts
  }
}

extension TriggerAccount {
  fileprivate var exitCode: Int32 {
    if !unaccounted.isEmpty || !cutOff.isEmpty { return Account.unaccounted }
    return recordings.map(\.exitCode).max() ?? 0
  }

  // MARK: - Text

  fileprivate func text(isWhole: Bool) -> String {
    var lines = [summary]
    if let line = preEventLine { lines.append("  pre-event      \(line)") }
    if let line = durableLine { lines.append("  on the card    \(line)") }
    lines.append("  lost           \(lostLine)")
    if !recordings.isEmpty {
      lines.append("  verification   " + Self.tally(recordings.map(\.word)))
    }
    for other in unaccounted { lines.append("  - UNACCOUNTED \(other.words): neither recording nor reason is known") }
    for counter in cutOff {
      lines.append(
        "  - UNACCOUNTED recording \(counter) was begun and cut off before it existed; nothing of it was saved")
    }
    for recording in recordings where isWhole || recording.exitCode != 0 { lines.append("  - \(recording.words)") }
    if isWhole { for other in continued + refused + presses { lines.append("  - \(other.words)") } }
    return lines.joined(separator: "\n")
  }

  private var summary: String {
    var parts = ["\(beginnings) recorded"]
    if !continued.isEmpty { parts.append("\(Self.sum(continued)) within a recording that ran") }
    if !refused.isEmpty {
      parts.append("\(Self.sum(refused)) not recorded (\(Self.tally(refused, by: { $0.cause ?? $0.result.rawValue })))")
    }
    if !cutOff.isEmpty { parts.append("\(cutOff.count) cut off before anything was saved") }
    if !unaccounted.isEmpty { parts.append("\(Self.sum(unaccounted)) UNACCOUNTED for") }
    let pressed =
      presses.isEmpty
      ? ""
      : "; \(Self.sum(presses)) press\(Self.sum(presses) == 1 ? "" : "es") for nothing (\(Self.tally(presses, by: { $0.result.rawValue })))"
    return "\(PlainText.count(triggerCount, "trigger")): \(parts.joined(separator: ", "))\(pressed)."
  }

  private var preEventLine: String? {
    let starts = recordings.compactMap(\.start)
    guard !starts.isEmpty else { return nil }
    let short = starts.compactMap(\.shortfall)
    let whole = "all that was asked for in \(starts.count - short.count) of \(starts.count)"
    return short.isEmpty ? whole : "\(whole), less in \(short.count) (\(Self.tally(short)))"
  }

  private var durableLine: String? {
    let times = recordings.compactMap(\.millisecondsToDurable).sorted()
    guard let worst = times.last else { return nil }
    func share(_ part: Double) -> String {
      let index = min(times.count - 1, Int((Double(times.count) * part).rounded(.down)))
      return PlainText.decimals(Double(times[index]) / 1_000, 3)
    }
    return
      "\(share(0.5)) s after the first edge in the median, \(share(0.99)) s in 99 of 100, "
      + "\(PlainText.decimals(Double(worst) / 1_000, 3)) s at most"
  }

  private var lostLine: String {
    var frames: Int64 = 0
    var samples: Int64 = 0
    var causes: [JournalEvent.GapCause: Int64] = [:]
    for case .present(let verdict) in recordings.map(\.state) {
      frames = frames.addingReportingOverflow(verdict.framesLost).partialValue
      samples = samples.addingReportingOverflow(verdict.samplesLost).partialValue
      for (cause, missing) in verdict.missing { causes[cause, default: 0] += missing.gaps }
    }
    let text = "\(PlainText.count(frames, "frame")), \(PlainText.count(samples, "sound sample"))"
    guard !causes.isEmpty else { return text }
    let words = causes.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value)" }
    return "\(text) in gaps of cause \(words.joined(separator: ", "))"
  }

  private static func tally(_ words: [String]) -> String {
    var counts: [String: Int64] = [:]
    for word in words { counts[word, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  private static func tally(_ others: [Other], by word: (TriggerFate) -> String) -> String {
    Dictionary(grouping: others) { word($0.fate) }.sorted { $0.key < $1.key }
      .map { "\($0.key) \(sum($0.value))" }.joined(separator: ", ")
  }

  // MARK: - JSON

  fileprivate var json: JSON {
    .object([
      ("triggers", .number(triggerCount)), ("recorded", .number(beginnings)),
      ("continued", .number(Self.sum(continued))), ("notRecorded", .number(Self.sum(refused))),
      ("cutOff", .number(Int64(cutOff.count))), ("unaccounted", .number(Self.sum(unaccounted))),
      ("pressesForNothing", .number(Self.sum(presses))), ("exitCode", .number(Int64(exitCode))),
      ("recordings", .array(recordings.map(\.json))),
      ("others", .array((continued + refused + unaccounted + presses).map(\.json))),
      ("cutOffCounters", .array(cutOff.map { .number($0) })),
    ])
  }
}

extension TriggerFacts {
  fileprivate var words: String { source + (reason.map { " \($0)" } ?? "") }
}

extension TriggerAccount.Recording {
  fileprivate var exitCode: Int32 {
    switch state {
    case .present(let verdict): verdict.headline.exitCode
    case .deleted: 0
    case .missing: Headline.completeness(.missingRecording).exitCode
    }
  }

  fileprivate var word: String {
    switch state {
    case .present(let verdict): verdict.headline.word
    case .deleted: "DELETED"
    case .missing: Headline.completeness(.missingRecording).word
    }
  }

  fileprivate var words: String {
    var text = "recording \(counter): \(word)"
    if let start {
      text += ", \(start.trigger.words), pre-event \(seconds(start.preEventHeld)) of \(seconds(start.preEventAsked)) s"
      if let short = start.shortfall { text += " (\(short))" }
    }
    if let taken = millisecondsToDurable { text += ", on the card after \(seconds(taken)) s" }
    if case .present(let verdict) = state, verdict.framesLost > 0 || verdict.samplesLost > 0 {
      text +=
        ", lost \(PlainText.count(verdict.framesLost, "frame")) and "
        + PlainText.count(verdict.samplesLost, "sound sample")
    }
    if continued > 0 { text += ", \(PlainText.count(continued, "more trigger")) while it ran" }
    return text
  }

  private func seconds(_ milliseconds: Int64) -> String { PlainText.decimals(Double(milliseconds) / 1_000, 3) }

  fileprivate var json: JSON {
    var members: [(String, JSON)] = [
      ("counter", .number(counter)), ("recording", .string(id.description)), ("headline", .string(word)),
      ("source", JSON(start?.trigger.source)), ("reason", JSON(start?.trigger.reason)),
      ("edgeNs", JSON(start?.trigger.edge)), ("decidedNs", JSON(start?.trigger.decided)),
      ("preEventAskedMs", JSON(start?.preEventAsked)), ("preEventHeldMs", JSON(start?.preEventHeld)),
      ("preEventShort", JSON(start?.shortfall)), ("durableAfterMs", JSON(millisecondsToDurable)),
      ("continued", .number(continued)),
    ]
    if case .present(let verdict) = state {
      members += [
        ("openedMs", JSON(verdict.opening?.facts.clock.wall)), ("mediaUs", JSON(verdict.mediaTime)),
        ("framesLost", .number(verdict.framesLost)), ("samplesLost", .number(verdict.samplesLost)),
        (
          "missing",
          .object(
            verdict.missing.sorted { $0.key.rawValue < $1.key.rawValue }.map { cause, media in
              (
                cause.rawValue,
                .object([
                  ("gaps", .number(media.gaps)), ("videoUs", .number(media.video)), ("soundUs", .number(media.sound)),
                ])
              )
            })
        ),
      ]
    }
    return .object(members)
  }
}

extension TriggerAccount.Other {
  fileprivate var words: String {
    var text = "\(fate.trigger.words): \(fate.result.rawValue)"
    if let cause = fate.cause { text += " (\(cause))" }
    if let recording = fate.recording { text += ", recording \(recording)" }
    if fate.count > 1 { text += ", \(fate.count) times" }
    return text + ", device-log line \(line)"
  }

  fileprivate var json: JSON {
    .object([
      ("result", .string(fate.result.rawValue)), ("cause", JSON(fate.cause)), ("source", .string(fate.trigger.source)),
      ("reason", JSON(fate.trigger.reason)), ("edgeNs", .number(fate.trigger.edge)),
      ("decidedNs", .number(fate.trigger.decided)), ("counter", JSON(fate.recording)), ("count", .number(fate.count)),
      ("line", .number(line)),
    ])
  }
}
