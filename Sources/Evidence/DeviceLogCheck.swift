/// What a device log says of one recording, and of those around it.
extension DeviceLog {
  /// - Parameters:
  ///   - journalHead: the recording's last valid journal line.
  ///   - hashes: those of its lines that the log speaks of, by number.
  ///   - present: the directories of the recordings at hand, nil when only this one was looked at.
  ///   - records: what docks keep of this camera.
  func check(
    _ opening: Verdict.Opening, head journalHead: ChainHead, hashes: [Int64: Hash32], isClosed: Bool,
    present: [String]?, records: DockRecords, into verdict: inout Verdict
  ) {
    for finding in findings { verdict.add(finding) }
    checkSeen(records, &verdict)
    guard let head else {
      verdict.add(Finding(.remark(.shortDeviceLog), file: "device/log", "there is no valid line in the device log"))
      return
    }
    let facts = opening.facts
    checkHead(facts.deviceLog, head, &verdict)
    let isKnown = checkOpened(opening, isClosed: isClosed, &verdict)
    Self.check(
      witnesses(of: opening.id), head: journalHead, hashes: hashes, saidBy: "the device log", into: &verdict)
    let known = firstNumber > 0 ? records.continuity(of: device.id) { reaches($0) } : nil
    checkCounters(after: known?.log?.lastCounter, &verdict)
    checkPresent(present, opening, records, &verdict)
    for deletion in deletions[opening.id] ?? [] {
      verdict.add(
        Finding(
          .remark(.deleted), file: EvidenceName.journal, line: deletion.last.n,
          "the camera deleted this recording against a receipt by \(deletion.name); what is here is a copy, or was left"
        ))
    }
    if let docking = dockings[facts.recordingCounter], isKnown { verdict.docking = docking }

    let hasProblem = findings.contains {
      if case .integrity = $0.answer { true } else { false }
    }
    if firstNumber > 0, isKnown, let known, !hasProblem {
      verdict.add(
        Finding(
          .remark(.sinceReceipt), file: "device/log", line: known.log?.head.n,
          "the log at hand begins with line \(firstNumber); up to line \(known.log?.head.n ?? 0) the receipt of recording "
            + "\(known.counter) by \(known.dock.name) found it continuous"))
      verdict.markContinuous()
    } else if firstNumber > 0 || !isKnown {
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

  /// Every journal line that somebody has seen is there and the same.
  /// - Parameter source: where the witnesses were found, for people.
  static func check(
    _ witnesses: [Witness], head: ChainHead, hashes: [Int64: Hash32], saidBy source: String, into verdict: inout Verdict
  ) {
    for witness in witnesses {
      if witness.head.n > head.n {
        verdict.add(
          Finding(
            .end(.truncated), file: EvidenceName.journal, line: witness.head.n,
            "\(witness.words); the journal ends with line \(head.n)"))
      } else if hashes[witness.head.n] != witness.head.hash {
        verdict.add(
          Finding(
            .completeness(.equivocation), file: EvidenceName.journal, line: witness.head.n,
            "\(source) names another line \(witness.head.n) than the journal's"))
      }
    }
  }

  /// What is wrong with the log by what docks have seen of it.
  public func findings(seenBy records: DockRecords) -> [Finding] {
    var verdict = Verdict()
    checkSeen(records, &verdict)
    return verdict.findings.filter { if case .remark = $0.answer { false } else { true } }
  }

  /// What docks have seen of this log is in it.
  private func checkSeen(_ records: DockRecords, _ verdict: inout Verdict) {
    var newest: DockRecords.LogWitness?
    for seen in records.logWitnesses(of: device.id) {
      if let hash = hash(of: seen.head.n) ?? (before?.n == seen.head.n ? before?.hash : nil) {
        if hash == seen.head.hash {
          newest = seen
        } else {
          verdict.add(
            Finding(
              .completeness(.equivocation), file: "device/log", line: seen.head.n,
              "line \(seen.head.n) is another one here; \(seen.words)"))
        }
      } else if isEmpty || seen.head.n > head?.n ?? .max && !mayHaveHeld(seen.head.n) {
        verdict.add(
          Finding(
            .completeness(.rollback), file: "device/log", line: seen.head.n,
            "line \(seen.head.n) is missing at the log's end; \(seen.words)"))
      }
    }
    if let newest {
      verdict.add(
        Finding(
          .remark(.anchored), file: "device/log", line: newest.head.n,
          "the log reaches line \(newest.head.n), the newest of it that a dock has seen; \(newest.words)"))
    }
  }

  /// Every counter from the first one known is a recording or explained, and none is two.
  /// - Parameter last: the highest counter that a receipt vouches for, of a log that begins later.
  private func checkCounters(after last: Int64?, _ verdict: inout Verdict) {
    for (counter, found) in openings.sorted(by: { $0.key < $1.key }) where found.count > 1 {
      verdict.add(
        Finding(
          .completeness(.equivocation), file: "device/log", line: found.last?.n,
          "recording counter \(counter) was opened \(found.count) times"))
    }
    // A lost one is not a counter without a word; that it is missing is said below.
    let known = explanations.sorted { $0.key < $1.key }
    guard let lowest = known.first?.key else { return }
    var expected = firstNumber == 0 ? 1 : min(lowest, last.map { $0 == .max ? $0 : $0 + 1 } ?? lowest)
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
  private func checkPresent(
    _ names: [String]?, _ own: Verdict.Opening, _ records: DockRecords, _ verdict: inout Verdict
  ) {
    let present = Set((names ?? []).compactMap { EvidenceName.parseRecording($0)?.id }).union([own.id])
    for (counter, found) in openings.sorted(by: { $0.key < $1.key }) {
      for opening in found
      where names != nil && !present.contains(opening.id) && lost[opening.id] == nil && deletions[opening.id] == nil {
        verdict.add(
          Finding(
            .completeness(.missingRecording), file: EvidenceName.recording(counter: counter, id: opening.id),
            "the device log names this recording, and it is not here"))
      }
    }
    // LOST says that the camera missed it, too. It explains nothing: only VOID and a deletion do.
    for (id, counter) in lost.sorted(by: { $0.value < $1.value })
    where !present.contains(id) && deletions[id] == nil {
      verdict.add(
        Finding(
          .completeness(.missingRecording), file: EvidenceName.recording(counter: counter, id: id),
          "this recording was opened, and a later start of the camera did not find it on the card"))
    }
    checkDeleted(present, records, &verdict)
  }

  /// A deletion explains that a recording is not here only together with its receipt.
  private func checkDeleted(_ present: Set<EvidenceID>, _ records: DockRecords, _ verdict: inout Verdict) {
    for deletion in deletions.values.joined().sorted(by: {
      ($0.counter, "\($0.receipt)") < ($1.counter, "\($1.receipt)")
    })
    where !present.contains(deletion.id) {
      guard let problem = problem(with: deletion, records) else { continue }
      verdict.add(
        Finding(
          .completeness(.missingRecording), file: EvidenceName.recording(counter: deletion.counter, id: deletion.id),
          "the camera deleted this recording, and \(problem)"))
    }
  }

  private func problem(with deletion: Deletion, _ records: DockRecords) -> String? {
    if let refusal = records.refused[deletion.receipt] { return "its receipt is not to be believed: \(refusal)" }
    guard let receipt = records.receipts[deletion.receipt] else {
      return "the receipt for it, signed by \(deletion.name) (\(deletion.receipt)), is not at hand"
    }
    guard receipt.device == device.id, deletion.isAllowed(by: receipt) else {
      return "the receipt that it names is for something else"
    }
    if let own = openings[deletion.counter]?.first(where: { $0.id == deletion.id }), own.openHash != receipt.openHash {
      return "the receipt that it names is for another OPEN line"
    }
    return nil
  }
}
