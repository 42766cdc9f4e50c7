import Control

/// The figures of one measurement: a table for people, the same as JSON for machines.
struct Report {
  struct Column {
    /// The heading in the table; `\n` between its two lines.
    var title: String
    /// The key in the JSON; says the unit.
    var key: String

    init(_ title: String, _ key: String) {
      self.title = title
      self.key = key
    }
  }

  enum Cell {
    case text(String)
    /// - Parameters:
    ///   - decimals: 0...3, as printed and as in the JSON.
    ///   - goal: the figure should be at most this.
    case number(Double, decimals: Int, goal: Double? = nil)
    /// Nothing to say here.
    case none
  }

  /// The subcommand.
  var name: String
  /// The machine, in one line.
  var machine: String
  var columns: [Column]
  var rows: [[Cell]] = []
  /// What the figures are of, one paragraph each, below the table.
  var notes: [String] = []

  /// Figures that miss their goal, and figures that have one.
  var missed: Int { goals.count { $0.value > $0.goal } }

  private var goals: [(value: Double, goal: Double)] {
    rows.joined().compactMap { cell in
      guard case .number(let value, let decimals, let goal?) = cell else { return nil }
      return (Decimal.rounded(value, decimals), Decimal.rounded(goal, decimals))
    }
  }

  // MARK: - Text

  var text: String {
    let headings = columns.map { $0.title.split(separator: "\n").map(String.init) }
    let height = headings.map(\.count).max() ?? 0
    var lines = (0..<height).map { line in
      headings.map { $0.count > line ? $0[line] : "" }
    }
    lines += rows.map { $0.map(Self.text) }
    var widths = columns.map { _ in 0 }
    for line in lines {
      for (index, word) in line.enumerated() where index < widths.count {
        widths[index] = max(widths[index], word.count)
      }
    }
    func row(_ words: [String]) -> String {
      let padded = zip(words, widths).enumerated().map { index, word in
        let space = String(repeating: " ", count: word.1 - word.0.count)
        // Numbers stand under each other by their last digit; only the names in the first column begin together.
        return index == 0 ? word.0 + space : space + word.0
      }
      var line = padded.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }
    var text = "\(machine)\n\n"
    for line in lines[..<height] { text += row(line) }
    text += String(repeating: "-", count: widths.reduce(0, +) + 2 * max(0, widths.count - 1)) + "\n"
    for line in lines[height...] { text += row(line) }
    if !goals.isEmpty {
      text +=
        missed == 0
        ? "\nEvery goal (<=) is met.\n" : "\nMISSED: \(missed) of \(goals.count) goals, the figures with \">\".\n"
    }
    for note in notes { text += "\n" + Self.wrapped(note) }
    return text
  }

  private static func text(_ cell: Cell) -> String {
    switch cell {
    case .none: return "-"
    case .text(let text): return text
    case .number(let value, let decimals, let goal):
      let text = Decimal.text(value, decimals)
      guard let goal else { return text }
      let isMissed = Decimal.rounded(value, decimals) > Decimal.rounded(goal, decimals)
      return "\(text) \(isMissed ? "> " : "<=") \(Decimal.text(goal, decimals))"
    }
  }

  private static func wrapped(_ note: String) -> String {
    var (text, column) = ("", 0)
    for word in note.split(separator: " ") {
      if column > 0, column + 1 + word.count > 110 {
        text += "\n"
        column = 0
      }
      text += (column > 0 ? " " : "") + word
      column += word.count + (column > 0 ? 1 : 0)
    }
    return text + "\n"
  }

  // MARK: - JSON

  var json: JSONValue {
    .object([
      ("benchmark", .string(name)), ("machine", .string(machine)), ("missed", .integer(Int64(missed))),
      ("rows", .array(rows.map(Self.json(columns)))), ("notes", .array(notes.map { .string($0) })),
    ])
  }

  private static func json(_ columns: [Column]) -> ([Cell]) -> JSONValue {
    { cells in
      var members: [(String, JSONValue)] = []
      for (column, cell) in zip(columns, cells) {
        switch cell {
        case .none: members.append((column.key, .null))
        case .text(let text): members.append((column.key, .string(text)))
        case .number(let value, _, let goal):
          members.append((column.key, .thousandths(Decimal.scaled(value, 3))))
          if let goal { members.append(("\(column.key)_goal", .thousandths(Decimal.scaled(goal, 3)))) }
        }
      }
      return .object(members)
    }
  }
}

/// Numbers with a fixed count of decimals, without Foundation.
enum Decimal {
  /// `value` in units of 10^-`decimals`, rounded; 0 for what is no number.
  static func scaled(_ value: Double, _ decimals: Int) -> Int64 {
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    return Int64(exactly: (value * factor).rounded()) ?? 0
  }

  static func rounded(_ value: Double, _ decimals: Int) -> Double {
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    return Double(scaled(value, decimals)) / factor
  }

  static func text(_ value: Double, _ decimals: Int) -> String {
    let scaled = scaled(value, decimals)
    let digits = String(scaled.magnitude)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = scaled < 0 ? "-" : ""
    return decimals == 0 ? sign + padded : sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }
}
