/// The names of the files of a recording. They carry no time, user or place.
public enum EvidenceName {
  public static let journal = "journal.log"
  public static let receipt = "receipt.note"
  public static let roles = "roles.note"
  public static let enrolment = "enrol.note"
  public static let recipients = "recipients.note"
  /// How the names of the notes and anchors that a dock keeps end.
  public static let noteSuffix = ".note"
  public static let anchorSuffix = ".anchor"

  /// `0000.mp4.age`; the number of a segment, 0...9999.
  public static func segment(_ number: Int) -> String { padded(Int64(number), 4) + ".mp4.age" }

  /// `<recording counter, 10 digits>-<id>`.
  public static func recording(counter: Int64, id: EvidenceID) -> String { "\(padded(counter, 10))-\(id)" }

  /// The counter and id of a recording's directory; nil for any other name.
  public static func parseRecording(_ name: String) -> (counter: Int64, id: EvidenceID)? {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 10, let id = EvidenceID(hex: parts[1]),
      let counter = number(parts[0])
    else { return nil }
    return (counter, id)
  }

  /// The number of a segment's file; nil for any other name.
  public static func parseSegment(_ name: String) -> Int? {
    guard name.hasSuffix(".mp4.age") else { return nil }
    let digits = name.dropLast(".mp4.age".count)
    guard digits.utf8.count == 4, let value = number(digits) else { return nil }
    return Int(value)
  }

  static func padded(_ number: Int64, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }

  /// Decimal digits, leading zeros allowed.
  static func number(_ digits: some StringProtocol) -> Int64? {
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return Int64(digits)
  }
}
