extension SyntheticReport: CustomStringConvertible {
  /// A few lines for people.
  public var description: String {
    var lines: [String] = []
    if let firstCounter, let lastCounter {
      lines.append("frames     \(frames), numbered \(firstCounter) to \(lastCounter)")
    } else {
      lines.append("frames     \(frames), none of them readable as a synthetic picture")
    }
    lines.append("missing    \(missingCount)" + Self.list(missing.map(Self.name)))
    lines.append("doubled    \(doubled.count)" + Self.list(doubled.map { "\($0)" }))
    lines.append("disordered \(outOfOrder.count)" + Self.list(outOfOrder.map { "\($0)" }))
    lines.append("unreadable \(unreadable)")
    lines.append("timing     at most \(Self.rounded(largestTimingError)) ms off from picture to picture")
    if timelineSteps > 0 { lines.append("timeline   \(timelineSteps) pictures not after the one before") }
    if let smallestOffset, let medianOffset, let largestOffset {
      lines.append(
        "sound      \(beeps) beeps, \(Self.rounded(smallestOffset)) / \(Self.rounded(medianOffset)) / "
          + "\(Self.rounded(largestOffset)) ms after the picture (smallest / median / largest)")
    } else {
      lines.append("sound      no beep")
    }
    return lines.joined(separator: "\n")
  }

  /// One JSON object (RFC 8259), keys in a fixed order.
  public var json: String {
    func field(_ name: String, _ value: String) -> String { "\"\(name)\": \(value)" }
    func number(_ value: Double?) -> String { value.map(Self.rounded) ?? "null" }
    func list(_ values: [String]) -> String { "[" + values.joined(separator: ", ") + "]" }
    let fields = [
      field("complete", isComplete ? "true" : "false"),
      field("frames", "\(frames)"),
      field("firstCounter", firstCounter.map { "\($0)" } ?? "null"),
      field("lastCounter", lastCounter.map { "\($0)" } ?? "null"),
      field("missing", "\(missingCount)"),
      field("missingRanges", list(missing.map { "[\($0.lowerBound), \($0.upperBound)]" })),
      field("doubled", list(doubled.map { "\($0)" })),
      field("outOfOrder", list(outOfOrder.map { "\($0)" })),
      field("unreadable", "\(unreadable)"),
      field("timelineSteps", "\(timelineSteps)"),
      field("largestTimingErrorMs", number(largestTimingError)),
      field("flashes", "\(flashes)"),
      field("beeps", "\(beeps)"),
      field("smallestOffsetMs", number(smallestOffset)),
      field("medianOffsetMs", number(medianOffset)),
      field("largestOffsetMs", number(largestOffset)),
      field(
        "offsets",
        list(offsets.map { "{\"second\": \($0.second), \"ms\": \(Self.rounded($0.milliseconds))}" })),
    ]
    return "{" + fields.joined(separator: ", ") + "}"
  }

  private static func name(_ range: ClosedRange<UInt32>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
  }

  /// The first few of a list, in brackets.
  private static func list(_ names: [String]) -> String {
    if names.isEmpty { return "" }
    return " (" + names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "") + ")"
  }

  /// Milliseconds with two decimals.
  private static func rounded(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == 0 ? "0.0" : "\(rounded)"
  }
}
