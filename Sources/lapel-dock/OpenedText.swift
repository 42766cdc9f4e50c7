import Evidence
import Media
import Opening

/// What opening gave, for people and for tools.
extension OpenedRecording {
  func text(verdict: Verdict, paths: [String]) -> String {
    var lines = [verdict.sentence]
    lines.append(
      "  answers     \(verdict.integrity.rawValue), \(verdict.end.rawValue), completeness \(verdict.completeness.rawValue)"
    )
    let proved =
      isWhole
      ? "all \(PlainText.count(rangesPromised, "range")) that the journal signs were opened and are exactly what the camera committed to"
      : "ONLY \(rangesProved) of \(PlainText.count(rangesPromised, "range")) that the journal signs were opened and proved; the rest is LEFT OUT"
    lines.append("  proved      \(proved)")
    for problem in problems { lines.append("  ! \(problem.text)") }
    lines += preEvent
    for track in summary.tracks { lines += Self.text(track) }
    for marker in summary.markers {
      lines.append(
        "  marker      \(PlainText.printable(marker.value)) at \(PlainText.duration(marker.time))"
          + (marker.message.isEmpty
            ? "" : " (\(PlainText.printable(marker.message.split(separator: "\n").joined(separator: ", "))))"))
    }
    for remark in remarks { lines.append("  note        \(remark)") }
    for finding in verdict.findings where finding.answer != .integrity(.commitmentMismatch) {
      lines.append("  - \(PlainText.printable(finding.description))")
    }
    if files.isEmpty { lines.append("  no file was made: there is nothing to play") }
    for (file, path) in zip(files, paths) {
      lines.append("  \(file.isAttested ? "playable   " : "UNATTESTED ") \(path) (\(file.words))")
    }
    return lines.joined(separator: "\n")
  }

  private var preEvent: [String] {
    let facts = summary.facts
    func seconds(_ key: String) -> String? { facts[key].flatMap { Double($0) }.map { PlainText.duration($0 / 1_000) } }
    var lines: [String] = []
    let names = ["camera", "microphone"].compactMap { key in facts[key].map { "\(key) \(PlainText.printable($0))" } }
    if !names.isEmpty { lines.append("  sources     \(names.joined(separator: ", "))") }
    if let trigger = facts["trigger"] {
      let at =
        facts["trigger_mt_us"].flatMap { Double($0) }.map { ", at \(PlainText.duration($0 / 1e6)) of the footage" }
        ?? ""
      lines.append("  trigger     \(PlainText.printable(trigger))\(at)")
    }
    if let held = seconds("pre_event_held_ms"), let asked = seconds("pre_event_asked_ms") {
      let short =
        facts["pre_event_short"].flatMap { $0 == "-" || $0.isEmpty ? nil : ", short: \(PlainText.printable($0))" } ?? ""
      lines.append("  pre-event   \(held) held of \(asked) asked\(short)")
    }
    return lines
  }

  private static func text(_ track: FootageSummary.Track) -> [String] {
    let milliseconds = PlainText.decimals(track.largestInterval * 1_000, 1)
    let usual = PlainText.decimals(track.interval * 1_000, 1)
    let what =
      track.track.kind == .video
      ? "\(track.track.width)x\(track.track.height), \(PlainText.count(track.count, "frame"))"
      : "\(PlainText.count(track.track.channels, "channel")), \(PlainText.count(track.audioSamples, "sample"))"
    var lines = [
      "  \(track.track.kind == .video ? "video      " : "sound      ") \(PlainText.duration(track.duration)), \(what), "
        + "largest interval \(milliseconds) ms (usual \(usual) ms), \(PlainText.count(track.gaps.count, "gap"))"
    ]
    for gap in track.gaps.prefix(20) {
      lines.append("              gap of \(PlainText.duration(gap.length)) at \(PlainText.duration(gap.from))")
    }
    if track.gaps.count > 20 { lines.append("              and \(track.gaps.count - 20) more") }
    if track.steps > 0 {
      lines.append("              \(PlainText.count(track.steps, "sample")) not after the one before")
    }
    return lines
  }

  func json(verdict: Verdict, path: String, paths: [String]) -> JSON {
    .object([
      ("verdict", verdict.json(path: path)),
      ("whole", .bool(isWhole)),
      ("rangesPromised", .number(Int64(rangesPromised))),
      ("rangesProved", .number(Int64(rangesProved))),
      ("problems", .array(problems.map(\.json))),
      ("remarks", .array(remarks.map { .string($0) })),
      (
        "files",
        .array(
          zip(files, paths).map { file, path in
            .object([
              ("path", .string(path)), ("attested", .bool(file.isAttested)), ("bytes", .number(file.byteCount)),
              ("segments", .array(file.segments.map { .number(Int64($0)) })),
              ("fragments", .number(Int64(file.fragments))),
            ])
          })
      ),
      ("tracks", .array(summary.tracks.map(Self.json))),
      (
        "markers",
        .array(
          summary.markers.map {
            .object([("seconds", .decimal($0.time)), ("value", .string($0.value)), ("message", .string($0.message))])
          })
      ),
      ("facts", .object(summary.facts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
    ])
  }

  private static func json(_ track: FootageSummary.Track) -> JSON {
    .object([
      ("kind", .string(track.track.kind.rawValue)),
      ("codec", .string(track.track.codec.description)),
      ("width", .number(Int64(track.track.width))),
      ("height", .number(Int64(track.track.height))),
      ("channels", .number(Int64(track.track.channels))),
      (track.track.kind == .video ? "frames" : "packets", .number(Int64(track.count))),
      ("audioSamples", .number(Int64(track.audioSamples))),
      ("startSeconds", .decimal(track.start)),
      ("endSeconds", .decimal(track.end)),
      ("usualIntervalMs", .decimal(track.interval * 1_000)),
      ("largestIntervalMs", .decimal(track.largestInterval * 1_000)),
      ("steps", .number(Int64(track.steps))),
      ("gaps", .array(track.gaps.map { .array([.decimal($0.from), .decimal($0.to)]) })),
    ])
  }
}

extension OpenedRecording.File {
  var isAttested: Bool {
    if case .run = file { return true }
    return false
  }

  fileprivate var words: String {
    let segments =
      self.segments.count == 1
      ? "segment \(self.segments[0])" : "segments \(self.segments.first ?? 0) to \(self.segments.last ?? 0)"
    let what = isAttested ? "" : "after the last signed checkpoint: it opens, but nothing signed speaks of it; "
    let pictures = isAttested ? "" : ", \(PlainText.count(pictures, "frame"))"
    return "\(what)\(segments), \(PlainText.bytes(byteCount))\(pictures)"
  }
}

extension OpenedRecording.Problem {
  var text: String {
    let place = chunks.map { " chunks \($0.lowerBound) to \($0.upperBound - 1)" } ?? ""
    let time = mediaTime.map { ", footage up to \(PlainText.duration(Double($0) / 1e6))" } ?? ""
    let word = error.code == .commitment ? "COMMITMENT_MISMATCH" : "NOT OPENED"
    return "\(word) segment \(segment)\(place)\(time): \(PlainText.printable(error.description))"
  }

  fileprivate var json: JSON {
    .object([
      ("segment", .number(Int64(segment))),
      ("fromChunk", JSON(chunks?.lowerBound)),
      ("toChunk", JSON(chunks?.upperBound)),
      ("mediaUs", JSON(mediaTime)),
      ("code", .string(error.code == .commitment ? "COMMITMENT_MISMATCH" : error.code.rawValue)),
      ("detail", .string(error.description)),
    ])
  }
}
