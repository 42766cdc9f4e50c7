/// Instructions by function, out of a file that callgrind wrote (valgrind's manual, "Callgrind Format Specification").
struct CallgrindProfile: Hashable {
  /// All instructions.
  var total: Int64
  /// What each function executed itself, by its name; functions of the same name together.
  var functions: [String: Int64]

  private init(total: Int64, functions: [String: Int64]) {
    self.total = total
    self.functions = functions
  }

  /// Nil unless it counts instructions and has a total.
  init?(_ text: String) {
    var names: [Substring: String] = [:]
    var functions: [String: Int64] = [:]
    var total: Int64?
    var current = ""
    var isCall = false

    /// `(12) name` the first time, `(12)` from then on, for all kinds of functions together.
    func name(_ text: Substring) -> String {
      guard text.first == "(", let end = text.firstIndex(of: ")") else { return String(text) }
      let number = text[...end]
      let rest = text[text.index(after: end)...].drop { $0 == " " }
      if !rest.isEmpty { names[number] = String(rest) }
      return names[number] ?? String(number)
    }

    for line in text.utf8.split(separator: UInt8(ascii: "\n")).map({ Substring($0) }) {
      if line.hasPrefix("events:"), line.dropFirst(7).drop(while: { $0 == " " }) != "Ir" { return nil }
      if line.hasPrefix("totals:") {
        total = Int64(line.dropFirst(7).drop { $0 == " " })
      } else if line.hasPrefix("fn=") {
        current = name(line.dropFirst(3))
      } else if line.hasPrefix("cfn=") {
        _ = name(line.dropFirst(4))
      } else if line.hasPrefix("calls=") {
        isCall = true
      } else if let first = line.utf8.first,
        (0x30...0x39).contains(first) || first == 0x2B || first == 0x2D || first == 0x2A
      {
        // The line after `calls=` is what the function called has cost, and is counted there.
        if !isCall {
          let words = line.split(separator: " ")
          if words.count >= 2, let cost = Int64(words[1]) { functions[current, default: 0] += cost }
        }
        isCall = false
      }
    }
    guard let total else { return nil }
    self.init(total: total, functions: functions)
  }

  /// What this one has more than a baseline, function by function.
  func subtracting(_ baseline: CallgrindProfile) -> CallgrindProfile {
    CallgrindProfile(
      total: total - baseline.total,
      functions: functions.merging(baseline.functions.mapValues { -$0 }) { $0 + $1 })
  }
}
