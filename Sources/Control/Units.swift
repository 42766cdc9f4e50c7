/// Numbers as people read them, without Foundation.
package enum Units {
  /// `value` counts 10^-`decimals`: `decimal(1234, decimals: 3)` is `1.234`.
  package static func decimal(_ value: Int64, decimals: Int) -> String {
    let digits = String(value.magnitude)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return (value < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// `1.2 s`, rounded to tenths, halves away from zero.
  package static func seconds(milliseconds: Int64) -> String {
    let (tenths, rest) = milliseconds.quotientAndRemainder(dividingBy: 100)
    return decimal(tenths + (rest >= 50 ? 1 : rest <= -50 ? -1 : 0), decimals: 1) + " s"
  }

  /// `0:07`, `12:34`, `1:02:03`.
  package static func clock(milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds) / 1_000
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
    return hours > 0
      ? "\(hours):\(twoDigits(minutes)):\(twoDigits(seconds % 60))" : "\(minutes):\(twoDigits(seconds % 60))"
  }

  /// `512 B`, `1.5 kB`, `12.3 MB`: powers of 1000, rounded down so that free space is never overstated.
  package static func bytes(_ count: Int64) -> String {
    var (value, unit) = (count, 0)
    let names = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    if value.magnitude < 1_000 { return "\(value) B" }
    while value.magnitude >= 1_000_000 {
      value /= 1_000
      unit += 1
    }
    return decimal(value / 100, decimals: 1) + " " + names[unit + 1]
  }

  /// `45 min`, `3 h 20 min`, `4 d 2 h`.
  static func minutes(_ count: Int) -> String {
    switch count {
    case ..<120: "\(count) min"
    case ..<2_880: "\(count / 60) h \(count % 60) min"
    default: "\(count / 1_440) d \(count / 60 % 24) h"
    }
  }

  /// Whole percent, rounded down; 0 of nothing.
  static func percent(_ part: Int64, of whole: Int64) -> String {
    whole > 0 ? "\(Int64(Double(part) / Double(whole) * 100)) %" : "0 %"
  }

  /// RFC 3339 in UTC to the second, `2026-03-01T12:00:00Z`, or to the millisecond, `2026-03-01T12:00:00.000Z`. Proleptic
  /// Gregorian calendar.
  package static func timestamp(wallMilliseconds: Int64, showsMilliseconds: Bool = false) -> String {
    let seconds = wallMilliseconds / 1_000 - (wallMilliseconds % 1_000 < 0 ? 1 : 0)
    var days = seconds / 86_400
    var second = seconds % 86_400
    if second < 0 {
      days -= 1
      second += 86_400
    }
    // Days are counted from 1 March of a year divisible by 400, so that leap days come last.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(year)-\(twoDigits(month))-\(twoDigits(day))"
    let milliseconds = wallMilliseconds % 1_000 + (wallMilliseconds % 1_000 < 0 ? 1_000 : 0)
    return date + "T\(twoDigits(second / 3_600)):\(twoDigits(second / 60 % 60)):\(twoDigits(second % 60))"
      + (showsMilliseconds ? ".\(decimal(milliseconds, decimals: 3).suffix(3))Z" : "Z")
  }

  private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
