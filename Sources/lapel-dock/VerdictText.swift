import Evidence

/// A verdict for people and for tools.
extension Verdict {
  /// The headline, the three answers, then details.
  func text(path: String) -> String {
    var lines = [sentence]
    lines.append("  integrity     \(integrity.rawValue)")
    lines.append("  end           \(end.rawValue)\(endDetail)")
    lines.append("  completeness  \(completeness.rawValue)\(completenessDetail)")
    lines.append("  recording     \(PlainText.printable(path))")
    if let opening {
      let facts = opening.facts
      lines.append("  id            \(opening.id), number \(facts.recordingCounter) of device \(opening.device)")
      lines.append(
        "  opened        \(PlainText.utc(milliseconds: facts.clock.wall)) by the camera's clock "
          + "(source \(facts.clockSource.rawValue), trust \(facts.clockTrust.rawValue))")
      if let docking {
        lines.append(
          "  not before    \(PlainText.utc(milliseconds: docking.wall)) by the clock of the dock "
            + PlainText.printable(docking.name))
      }
      lines.append("  sources       camera \(facts.camera.rawValue), microphone \(facts.microphone.rawValue)")
      lines.append("  recorder      \(PlainText.printable(facts.softwareVersion))")
    }
    lines.append(
      "  journal       \(PlainText.count(self.lines, "line")), \(PlainText.count(segments, "segment")), "
        + "\(PlainText.count(checkpoints, "checkpoint")), \(PlainText.count(gaps, "gap"))")
    if framesLost > 0 || samplesLost > 0 {
      lines.append(
        "  lost          \(PlainText.count(framesLost, "frame")), \(PlainText.count(samplesLost, "sound sample"))")
    }
    for finding in findings { lines.append("  - \(PlainText.printable(finding.description))") }
    if findingsOmitted > 0 { lines.append("  - and \(findingsOmitted) more") }
    return lines.joined(separator: "\n")
  }

  private var endDetail: String {
    let media = mediaTime.map { ", \(PlainText.duration(Double($0) / 1e6)) of media attested" } ?? ""
    return (isRecovered ? ", recovered" : "") + (closeReason.map { " (\($0.rawValue))" } ?? "") + media
  }

  private var completenessDetail: String {
    completeness == .notChecked && !isVoid ? " (give the card's whole store, or --device-log, to check it)" : ""
  }

  func json(path: String) -> JSON {
    .object([
      ("path", .string(path)),
      ("headline", .string(headline.word)),
      ("sentence", .string(sentence)),
      ("exitCode", .number(Int64(headline.exitCode))),
      ("integrity", .string(integrity.rawValue)),
      ("end", .string(end.rawValue)),
      ("completeness", .string(completeness.rawValue)),
      ("synthetic", .bool(isSynthetic)),
      ("demo", .bool(isDemo)),
      ("recording", JSON(opening?.id.description)),
      ("device", JSON(opening?.device.description)),
      ("counter", JSON(opening?.facts.recordingCounter)),
      ("openedMs", JSON(opening?.facts.clock.wall)),
      ("notBeforeMs", JSON(docking?.wall)),
      ("recovered", .bool(isRecovered)),
      ("closeReason", JSON(closeReason?.rawValue)),
      ("attestedMediaUs", JSON(mediaTime)),
      ("lines", .number(lines)),
      ("segments", .number(segments)),
      ("abandonedSegments", .number(abandonedSegments)),
      ("checkpoints", .number(checkpoints)),
      ("gaps", .number(gaps)),
      ("framesLost", .number(framesLost)),
      ("samplesLost", .number(samplesLost)),
      ("findings", .array(findings.map(\.json))),
      ("findingsOmitted", .number(Int64(findingsOmitted))),
    ])
  }
}

extension Finding {
  fileprivate var json: JSON {
    .object([
      ("answer", .string(answer.word)),
      ("file", JSON(file)),
      ("line", JSON(line)),
      ("from", JSON(range?.lowerBound)),
      ("to", JSON(range?.upperBound)),
      ("detail", .string(detail)),
    ])
  }
}
