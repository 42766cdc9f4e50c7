import Control
public import Evidence

/// One entry of the audit log as a line: for people, or as JSON (see JSONLines.md).
///
/// A line for people is the wall time in UTC (RFC 3339), two marks and words:
///
///     2026-03-01T12:00:00.000Z   recording 7 opened: button, double; pre-event 30.0 s
///     2026-03-01T12:00:20.000Z *   marker "blue car": button, press
///
/// The marks: `?` the clock was never set, `~` it runs on its own since it was set; `*` from inside the sealed footage.
public enum AuditLine {
  private static let timeWidth = 24

  /// Without a line end, and without control characters whatever the log holds.
  public static func text(_ entry: TimelineEntry) -> String {
    let time =
      entry.clock.map { Units.timestamp(wallMilliseconds: $0.wall, showsMilliseconds: true) }
      ?? String(repeating: " ", count: timeWidth)
    return "\(time)\(mark(entry.trust))\(entry.place == .footage ? "*" : " ") \(entry.isInner ? "  " : "")"
      + entry.phrase.words
  }

  private static func mark(_ trust: WallClockTrust?) -> String {
    switch trust {
    case .some(.none): "?"
    case .held: "~"
    case .synchronized, nil: " "
    }
  }

  /// One JSON object, without a line end.
  public static func json(_ entry: TimelineEntry) -> String {
    let phrase = entry.phrase
    let (place, line) = Self.words(entry.place)
    let common: [(String, JSONValue)] = [
      (
        "time",
        .text(entry.clock.map { Units.timestamp(wallMilliseconds: $0.wall, showsMilliseconds: true) })
      ),
      ("wallMs", .number(entry.clock?.wall)), ("bootNs", .number(entry.clock?.monotonic)),
      ("clock", .text(entry.trust?.rawValue)), ("place", .string(place)), ("line", .number(line)),
      ("recording", .number(entry.recording?.counter)), ("id", .text(entry.recording?.id?.description)),
      ("event", .string(phrase.code)), ("text", .string(phrase.words.trimmed)),
    ]
    return JSONValue.object(common + phrase.members).text
  }

  private static func words(_ place: TimelineEntry.Place) -> (name: String, line: Int64?) {
    switch place {
    case .deviceLog(let line): ("log", line)
    case .journal(let line): ("journal", line)
    case .footage: ("footage", nil)
    case .derived: ("derived", nil)
    }
  }
}

extension String {
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
