/// Numbers and times as people read them.
enum PlainText {
  /// `2025-01-31 13:05:09 UTC` of ms since 1970 (the days of the Gregorian calendar, for years 1970 to 9999).
  static func utc(milliseconds: Int64) -> String {
    let seconds = milliseconds / 1_000
    guard seconds >= 0, seconds < 253_402_300_800 else { return "\(milliseconds) ms since 1970" }
    // Days since 1 March of year 0: then the leap day is the last of its year.
    let days = seconds / 86_400 + 719_468
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let time = [seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60].map { padded($0) }.joined(separator: ":")
    return "\(year)-\(padded(month))-\(padded(day)) \(time) UTC"
  }

  /// `61.250 s`, or `2:03:04.5` from two minutes on.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e12 else { return "?" }
    guard seconds >= 120 else { return "\(decimals(seconds, 3)) s" }
    let tenths = Int64((seconds * 10).rounded())
    return "\(tenths / 36_000):\(padded(tenths / 600 % 60)):\(padded(tenths / 10 % 60)).\(tenths % 10)"
  }

  /// A number with exactly that many decimals, 1...6.
  static func decimals(_ value: Double, _ count: Int) -> String {
    var factor: Int64 = 1
    for _ in 0..<count { factor *= 10 }
    guard value.isFinite, abs(value) < 1e12 else { return "?" }
    let scaled = Int64((abs(value) * Double(factor)).rounded())
    let fraction = String(scaled % factor)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return "\(sign)\(scaled / factor).\(String(repeating: "0", count: count - fraction.utf8.count))\(fraction)"
  }

  /// `12.3 MB`.
  static func bytes(_ count: Int64) -> String {
    switch count {
    case ..<10_000: "\(count) bytes"
    case ..<1_000_000: "\(decimals(Double(count) / 1e3, 1)) kB"
    case ..<1_000_000_000: "\(decimals(Double(count) / 1e6, 1)) MB"
    default: "\(decimals(Double(count) / 1e9, 2)) GB"
    }
  }

  /// `1 file`, `2 files`.
  static func count(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  private static func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// Text from a recording or a file name, safe to print: control characters become `?`.
  static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? "?" : $0 }))
  }
}
