public import Media

/// What one output does from the moment at which a sign begins: steadily on or off, or on and off by turns.
///
/// In the configuration: `on`, `off`, `100/900` (100 ms on, 900 ms off, for ever), `60/140/60/740` (two short ones, for ever),
/// `200/100x3` (three times; off from then on).
public struct SignPattern: Hashable, Sendable, CustomStringConvertible {
  private enum Shape: Hashable, Sendable {
    case steady(isOn: Bool)
    /// On and off by turns, an even number of them; `times` nil: for ever.
    case turns([Nanoseconds], times: Int?)
  }

  /// How long one turn may be, in milliseconds.
  public static let turnMilliseconds: ClosedRange<Int64> = 1...60_000
  /// How many turns there may be before they repeat.
  public static let mostTurns = 16
  /// How often they may be shown, where they end.
  public static let mostTimes = 100

  public static let on = SignPattern(shape: .steady(isOn: true))
  public static let off = SignPattern(shape: .steady(isOn: false))

  private let shape: Shape

  private init(shape: Shape) { self.shape = shape }

  /// For the patterns that are built in: within the limits above, which a test holds them to.
  init(turns milliseconds: [Int64], times: Int? = nil) {
    shape = .turns(milliseconds.map { .milliseconds($0) }, times: times)
  }

  /// From the text form. The error says what is wrong and what is allowed.
  public init(_ text: String) throws(SignTextError) {
    switch text {
    case "on": self = .on
    case "off": self = .off
    default:
      let parts = text.split(separator: "x", omittingEmptySubsequences: false)
      guard parts.count <= 2 else { throw SignTextError(text, hint: "It has more than one x. \(Self.form)") }
      let turns = try Self.turns(parts[0], of: text)
      guard parts.count == 2 else {
        shape = .turns(turns, times: nil)
        return
      }
      guard let times = Self.number(parts[1]), (1...Self.mostTimes).contains(Int(times)) else {
        throw SignTextError(
          text, hint: "Behind the x stands how often it is shown, 1 to \(Self.mostTimes). \(Self.form)")
      }
      shape = .turns(turns, times: Int(times))
    }
  }

  private static let form =
    "A pattern is on, off, or milliseconds on and off by turns: 100/900 goes on for ever, 200/100x3 is shown three times."

  private static func turns(_ list: Substring, of text: String) throws(SignTextError) -> [Nanoseconds] {
    var turns: [Nanoseconds] = []
    for part in list.split(separator: "/", omittingEmptySubsequences: false) {
      guard let milliseconds = number(part), turnMilliseconds.contains(milliseconds) else {
        let (least, most) = (turnMilliseconds.lowerBound, turnMilliseconds.upperBound)
        throw SignTextError(text, hint: "\"\(part)\" is no number of milliseconds from \(least) to \(most). \(form)")
      }
      turns.append(.milliseconds(milliseconds))
    }
    guard turns.count % 2 == 0 else {
      throw SignTextError(text, hint: "It ends with a time on: the time off behind it is missing. \(form)")
    }
    guard turns.count <= mostTurns else {
      throw SignTextError(text, hint: "It has \(turns.count) times, more than \(mostTurns). \(form)")
    }
    return turns
  }

  /// Digits alone: no sign, no space. Nil also for what is too large for any limit.
  private static func number(_ text: Substring) -> Int64? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
  }

  /// The text form.
  public var description: String {
    switch shape {
    case .steady(let isOn): isOn ? "on" : "off"
    case .turns(let turns, let times):
      turns.map { "\($0.inMilliseconds)" }.joined(separator: "/") + (times.map { "x\($0)" } ?? "")
    }
  }

  // MARK: - In time

  /// From its beginning to the end of its last turn; nil when it never ends.
  public var duration: Nanoseconds? {
    switch shape {
    case .steady: nil
    case .turns(let turns, let times): times.map { Self.sum(turns) * Int64($0) }
    }
  }

  /// Whether the output is on this long after the beginning. False before it, and from the end on.
  public func isOn(after elapsed: Nanoseconds) -> Bool {
    switch shape {
    case .steady(let isOn): isOn && elapsed >= .zero
    case .turns: turn(at: elapsed).map { $0.index % 2 == 0 } ?? false
    }
  }

  /// The end of the turn that goes on at `elapsed`, from the beginning of the pattern; the beginning itself when that is still
  /// to come. Nil when nothing follows. The level changes there, but for the end of the last turn.
  public func nextTurn(after elapsed: Nanoseconds) -> Nanoseconds? {
    if elapsed < .zero { return .zero }
    return turn(at: elapsed).map { elapsed + $0.rest }
  }

  /// Which turn goes on at `elapsed`, and what is left of it.
  private func turn(at elapsed: Nanoseconds) -> (index: Int, rest: Nanoseconds)? {
    guard case .turns(let turns, _) = shape, elapsed >= .zero, elapsed < duration ?? elapsed + Nanoseconds(1) else {
      return nil
    }
    var passed = Nanoseconds(elapsed.count % Self.sum(turns).count)
    for (index, turn) in turns.enumerated() {
      if passed < turn { return (index, turn - passed) }
      passed = passed - turn
    }
    return nil
  }

  private static func sum(_ turns: [Nanoseconds]) -> Nanoseconds { turns.reduce(.zero, +) }

  // MARK: - Likeness

  /// What is still to be seen of it when it has been shown for long.
  public var lasting: SignPattern { duration == nil ? self : .off }

  /// True when nobody can tell the two apart, however long he looks: the same turns, wherever they begin.
  public func looksLike(_ other: SignPattern) -> Bool {
    // What repeats after p and what repeats after q, and agrees for p + q, agrees for ever (Fine and Wilf, 1965).
    lasting.agrees(with: other.lasting, for: lasting.period + other.lasting.period)
  }

  /// True when somebody who looks for `span` may see the same of both, because there is a stretch of that length in each in
  /// which they agree. What ends counts as if it went on, and as off.
  public func agrees(with other: SignPattern, for span: Nanoseconds) -> Bool {
    if duration != nil, SignPattern.off.agrees(with: other, for: span) { return true }
    if other.duration != nil, agrees(with: .off, for: span) { return true }
    switch (shape, other.shape) {
    case (.steady(let left), .steady(let right)): return left == right
    case (.steady(let isOn), .turns(let turns, _)), (.turns(let turns, _), .steady(let isOn)):
      return stride(from: isOn ? 0 : 1, to: turns.count, by: 2).contains { turns[$0] >= span }
    case (.turns(let left, _), .turns(let right, _)): return Self.agree(left, right, for: span)
    }
  }

  /// After this it repeats.
  private var period: Nanoseconds {
    switch shape {
    case .steady: .zero
    case .turns(let turns, _): Self.sum(turns)
    }
  }

  /// A stretch in which both agree lies within one turn of each, or turns of both begin together in it.
  private static func agree(_ left: [Nanoseconds], _ right: [Nanoseconds], for span: Nanoseconds) -> Bool {
    for first in left.indices {
      for second in stride(from: first % 2, to: right.count, by: 2) {
        if min(left[first], right[second]) >= span { return true }
        let after = agreement(left, first, right, second, step: 1, limit: span)
        let before = agreement(left, first - 1, right, second - 1, step: -1, limit: span)
        if before + after >= span { return true }
      }
    }
    return false
  }

  /// How long two lists of turns agree from where two of them begin (`step` 1) or end (-1) together; `limit` is enough.
  private static func agreement(
    _ left: [Nanoseconds], _ first: Int, _ right: [Nanoseconds], _ second: Int, step: Int, limit: Nanoseconds
  ) -> Nanoseconds {
    var (first, second, total) = (first, second, Nanoseconds.zero)
    while total < limit {
      let one = left[(first + left.count) % left.count]
      let two = right[(second + right.count) % right.count]
      total = total + min(one, two)
      if one != two { break }
      first = (first + step) % left.count
      second = (second + step) % right.count
    }
    return total
  }
}
