/// What a device log says of one recording, and of those around it.
extension DeviceLog {
  /// - Parameters:
  ///   - journalHead: the recording's last valid journal line.
  ///   - hashes: those of its lines that the log speaks of, by number.
  ///   - present: the directories of the recordings at hand, nil when only this one was looked at.
  func check(
    _ opening: Verdict.Opening, head journalHead: ChainHead, hashes: [Int64: Hash32], isClosed: Bool,
    present: [String]?, into verdict: inout Verdict
  ) {
    for finding in findings { verdict.add(finding) }
    guard let head else {
      verdict.add(Finding(.remark(.shortDeviceLog), file: "device/log", "there is no valid line in the device log"))
      return
    }
    let facts = opening.facts
    checkHead(facts.deviceLog, head, &verdict)
    let isKnown = checkOpened(opening, isClosed: isClosed, &verdict)
    checkWitnesses(opening, journalHead, hashes, &verdict)
    checkCounters(&verdict)
    checkPresent(present, opening, &verdict)

    let hasProblem = findings.contains {
      if case .integrity = $0.answer { true } else { false }
    }
    if firstNumber > 0 || !isKnown {
      verdict.add(
        Finding(
          .remark(.shortDeviceLog), file: "device/log",
          isKnown
            ? "the log begins with line \(firstNumber), not with the device's first"
            : "the log ends before this recording"))
    } else if !hasProblem {
      verdict.markContinuous()
    }
  }

  /// OPEN names the log's last line of that moment.
  private func checkHead(_ seen: ChainHead, _ head: ChainHead, _ verdict: inout Verdict) {
    if seen.n > head.n {
      // A damaged line is not one that is missing: the log says of itself that it is damaged.
      if mayHaveHeld(seen.n) { return }
      verdict.add(
        Finding(
          .completeness(.rollback), file: "device/log", line: seen.n,
          "the recording saw line \(seen.n) of the device log, which now ends with line \(head.n)"))
    } else if let hash = hash(of: seen.n), hash != seen.hash {
      verdict.add(
        Finding(
          .completeness(.equivocation), file: "device/log", line: seen.n,
          "line \(seen.n) of the device log is another one than the recording saw"))
    }
  }

  /// Whether the log reaches this recording.
  private func checkOpened(_ opening: Verdict.Opening, isClosed: Bool, _ verdict: inout Verdict) -> Bool {
    let counter = opening.facts.recordingCounter
    if voided.contains(counter) {
      verdict.add(
        Finding(
          .completeness(.equivocation), file: "device/log",
          "the device log says that counter \(counter) never became a recording"))
    }
    guard let own = openings[counter], let first = own.first else {
      // A log that does not have the line that OPEN names, of another card say, does not reach this recording.
      // Nor does one of which lines could not be read where OPENED would stand.
      let seen = opening.facts.deviceLog.n
      let goesOn = openings.keys.contains { other in
        other > counter && isWhole(from: seen, to: explanations[other] ?? .max)
      }
      if goesOn && isClosed && hash(of: seen) != nil {
        verdict.add(
          Finding(
            .completeness(.equivocation), file: "device/log",
            "the device log goes on behind recording \(counter) and knows no such recording"))
      }
      return false
    }
    if first.id != opening.id || first.openHash != opening.hash {
      verdict.add(
        Finding(
          .completeness(.equivocation), file: EvidenceName.journal, line: 0,
          "the device log has another recording under counter \(counter)"))
    }
    return true
  }

  /// Every line that the log has seen of the journal is there and the same.
  private func checkWitnesses(
    _ opening: Verdict.Opening, _ head: ChainHead, _ hashes: [Int64: Hash32], _ verdict: inout Verdict
  ) {
    for witness in witnesses(of: opening.id) {
      if witness.head.n > head.n {
        verdict.add(
          Finding(
            .end(.truncated), file: EvidenceName.journal, line: witness.head.n,
            "\(witness.words); the journal ends with line \(head.n)"))
      } else if hashes[witness.head.n] != witness.head.hash {
        verdict.add(
          Finding(
            .completeness(.equivocation), file: EvidenceName.journal, line: witness.head.n,
            "the device log names another line \(witness.head.n) than the journal's"))
      }
    }
  }

  /// Every counter from the first one known is a recording or explained, and none is two.
  private func checkCounters(_ verdict: inout Verdict) {
    for (counter, found) in openings.sorted(by: { $0.key < $1.key }) where found.count > 1 {
      verdict.add(
        Finding(
          .completeness(.equivocation), file: "device/log", line: found.last?.n,
          "recording counter \(counter) was opened \(found.count) times"))
    }
    // A lost one is not a counter without a word; that it is missing is said below.
    let known = explanations.sorted { $0.key < $1.key }
    guard var expected = firstNumber == 0 ? 1 : known.first?.key else { return }
    // Walk the known counters, not the numbers between: a forged counter must not cost 2^63 steps.
    for (counter, n) in known {
      // A line that could not be read may explain it.
      if counter > expected, isWhole(from: -1, to: n) {
        verdict.add(
          Finding(
            .completeness(.missingRecording), file: "device/log",
            "nothing explains recording counter \(expected)\(counter > expected + 1 ? " to \(counter - 1)" : "")"))
      }
      expected = counter == .max ? counter : counter + 1
    }
  }

  /// - Parameter names: nil: only this one was looked at.
  private func checkPresent(_ names: [String]?, _ own: Verdict.Opening, _ verdict: inout Verdict) {
    let present = Set((names ?? []).compactMap { EvidenceName.parseRecording($0)?.id }).union([own.id])
    for (counter, found) in openings.sorted(by: { $0.key < $1.key }) {
      for opening in found where names != nil && !present.contains(opening.id) && lost[opening.id] == nil {
        verdict.add(
          Finding(
            .completeness(.missingRecording), file: EvidenceName.recording(counter: counter, id: opening.id),
            "the device log names this recording, and it is not here"))
      }
    }
    // LOST says that the camera missed it, too. It explains nothing: only VOID and a deletion do.
    for (id, counter) in lost.sorted(by: { $0.value < $1.value }) where !present.contains(id) {
      verdict.add(
        Finding(
          .completeness(.missingRecording), file: EvidenceName.recording(counter: counter, id: id),
          "this recording was opened, and a later start of the camera did not find it on the card"))
    }
  }
}
