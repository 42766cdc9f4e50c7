/// A moment as it is given to `--since`.
public enum PointInTime {
  /// Ms since 1970 UTC of `2026-03-01`, `2026-03-01T12:00`, `2026-03-01T12:00:00Z` (a Z may be left out: all times are UTC), or
  /// of `30m`, `2h`, `7d` before now. Nil for anything else.
  public static func milliseconds(_ text: String, now: Int64) -> Int64? {
    if let age = age(text) { return now - age }
    let parts = text.split(separator: "T", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count),
      let date = numbers(parts[0], separator: "-", widths: [4, 2, 2]), (1...12).contains(date[1]),
      (1...daysInMonth(date[0], date[1])).contains(date[2])
    else { return nil }
    var seconds: Int64 = 0
    if parts.count == 2 {
      let clock = parts[1].hasSuffix("Z") ? parts[1].dropLast() : parts[1]
      guard
        let time = numbers(clock, separator: ":", widths: [2, 2]) ?? numbers(clock, separator: ":", widths: [2, 2, 2]),
        time[0] < 24, time[1] < 60, time.count < 3 || time[2] < 60
      else { return nil }
      seconds = time[0] * 3_600 + time[1] * 60 + (time.count > 2 ? time[2] : 0)
    }
    return (days(date[0], date[1], date[2]) * 86_400 + seconds) * 1_000
  }

  private static func age(_ text: String) -> Int64? {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let last = text.last, let unit = units[last], let count = number(text.dropLast()), count < 1_000_000 else {
      return nil
    }
    return count * unit * 1_000
  }

  private static func numbers(_ text: Substring, separator: Character, widths: [Int]) -> [Int64]? {
    let words = text.split(separator: separator, omittingEmptySubsequences: false)
    guard words.map(\.utf8.count) == widths else { return nil }
    let numbers = words.compactMap { number($0) }
    return numbers.count == widths.count ? numbers : nil
  }

  private static func number(_ digits: Substring) -> Int64? {
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int64(digits)
  }

  private static func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  /// Since 1970-01-01, proleptic Gregorian. The year begins in March, so that the leap day is its last.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month > 2 ? month - 3 : month + 9
    let years = month > 2 ? year : year - 1
    let era = (years >= 0 ? years : years - 399) / 400
    let yearOfEra = years - era * 400
    let dayOfYear = (153 * shifted + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
