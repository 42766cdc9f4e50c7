import Media
import Testing

@testable import Core

private func at(_ milliseconds: Int64) -> MonotonicTime {
  MonotonicTime(nanoseconds: 1_000_000_000_000) + .milliseconds(milliseconds)
}

/// What the rules say, in the plainest way: one millisecond after the other, cues and reminders as things that begin and end.
private struct PlainPlayer {
  let table: SignTable
  let reminder: Int64
  /// A level for each millisecond of a pattern until it starts over or ends.
  private var samples: [SignPattern: [Bool]] = [:]
  var main: (sign: Sign, since: Int64)?
  var conditions: [Sign: Int64] = [:]
  var cue: (cue: Cue, since: Int64)?
  var isStealth = false

  init(table: SignTable, reminder: Int64) {
    self.table = table
    self.reminder = reminder
    for entry in Sign.allCases.map({ table[$0] }) + Cue.allCases.map({ table[$0] }) {
      for pattern in SignOutput.allCases.compactMap({ entry[$0] }) {
        samples[pattern] = Self.expand(pattern.description)
      }
    }
  }

  mutating func show(_ sign: Sign, _ signs: Set<Sign>, now: Int64) {
    if main?.sign != sign {
      if cue?.cue == .reminder, main?.sign == .recording { cue = nil }
      main = (sign, now)
    }
    for condition in Sign.conditions {
      if !signs.contains(condition) { conditions[condition] = nil }
      if signs.contains(condition), conditions[condition] == nil { conditions[condition] = now }
    }
  }

  mutating func play(_ cue: Cue, now: Int64) {
    if !isStealth, !table[cue].isEmpty { self.cue = (cue, now) }
  }

  mutating func setStealth(_ isOn: Bool) {
    if isOn { cue = nil }
    isStealth = isOn
  }

  /// Called for every millisecond, after what was done in it.
  mutating func pass(now: Int64) {
    guard !isStealth, let main, main.sign == .recording, now > main.since, (now - main.since) % reminder == 0 else {
      return
    }
    if cue.map({ length($0.cue) <= now - $0.since }) ?? true { play(.reminder, now: now) }
  }

  func levels(now: Int64) -> SignLevels {
    var levels: SignLevels = []
    if isStealth { return levels }
    for output in SignOutput.allCases where isOn(output, now: now) { levels.insert(SignLevels(output)) }
    return levels
  }

  private func length(_ cue: Cue) -> Int64 {
    SignOutput.allCases.compactMap { table[cue][$0].map { samples[$0]?.count ?? 0 } }.max().map { Int64($0) } ?? 0
  }

  private func isOn(_ output: SignOutput, now: Int64) -> Bool {
    if let cue, let pattern = table[cue.cue][output], let samples = samples[pattern] {
      if now - cue.since < samples.count { return samples[Int(now - cue.since)] }
    }
    if let main, let pattern = table[main.sign][output] { return level(pattern, now - main.since) }
    for condition in Sign.conditions {
      if let since = conditions[condition], let pattern = table[condition][output] {
        return level(pattern, now - since)
      }
    }
    return false
  }

  private func level(_ pattern: SignPattern, _ elapsed: Int64) -> Bool {
    guard let samples = samples[pattern] else { return false }
    if pattern.description.contains("x") { return elapsed < samples.count && samples[Int(elapsed)] }
    return samples[Int(elapsed) % samples.count]
  }

  /// From the text.
  private static func expand(_ text: String) -> [Bool] {
    if text == "on" || text == "off" { return [text == "on"] }
    let parts = text.split(separator: "x")
    let once = parts[0].split(separator: "/").enumerated().flatMap { index, turn in
      [Bool](repeating: index % 2 == 0, count: Int(turn) ?? 0)
    }
    return (0..<(parts.count == 2 ? Int(parts[1]) ?? 0 : 1)).flatMap { _ in once }
  }
}

@Suite("SignPlayer")
struct SignPlayerTests {
  /// A table with these entries and no others.
  private func table(_ signs: [Sign: String], _ cues: [Cue: String] = [:]) throws -> SignTable {
    var table = SignTable()
    for sign in Sign.allCases { try table.set(sign, to: signs[sign] ?? "") }
    for cue in Cue.allCases { try table.set(cue, to: cues[cue] ?? "") }
    return table
  }

  private func player(_ signs: [Sign: String], _ cues: [Cue: String] = [:], reminder: Int64 = 0) throws -> SignPlayer {
    SignPlayer(table: try table(signs, cues), reminder: .milliseconds(reminder))
  }

  /// The levels of an output in these milliseconds.
  private func levels(_ player: SignPlayer, _ output: SignOutput, _ range: Range<Int64>) -> String {
    range.map { player.levels(now: at($0))[output] ? "#" : "." }.joined()
  }

  @Test("nothing is on before anything is shown")
  func dark() throws {
    let player = try player([.ready: "red on"])
    #expect(player.levels(now: at(0)) == [])
    #expect(player.nextChange(after: at(0)) == nil)
  }

  @Test("a new state begins its pattern at once; the same again keeps its phase")
  func phase() throws {
    var player = try player([.ready: "green 3/2", .saving: "red 1/1", .recording: "red on"])
    player.show(main: .ready, conditions: [], now: at(0))
    #expect(levels(player, .green, 0..<8) == "###..###")
    player.show(main: .ready, conditions: [.muted], now: at(7))
    #expect(levels(player, .green, 7..<12) == "#..##")
    player.show(main: .saving, conditions: [], now: at(8))
    #expect(levels(player, .red, 8..<12) == "#.#.")
    #expect(levels(player, .green, 8..<12) == "....")
    player.show(main: .ready, conditions: [], now: at(9))
    #expect(levels(player, .green, 9..<14) == "###..")
  }

  @Test("for each output by itself: the main state before any condition, the first condition before the others")
  func priority() throws {
    var player = try player([
      .ready: "red on", .recording: "red off, green on", .lowBattery: "red on, blue 1/1",
      .muted: "red on, green on, blue on, tone on", .recovering: "tone 1/1, vibration on",
    ])
    player.show(main: .recording, conditions: [.recovering, .muted, .lowBattery], now: at(0))
    #expect(player.levels(now: at(0)) == [.green, .blue, .tone, .vibration])
    #expect(player.levels(now: at(1)) == [.green, .tone, .vibration])
    player.show(main: .recording, conditions: [.recovering, .muted], now: at(2))
    #expect(player.levels(now: at(3)) == [.green, .blue, .tone, .vibration])
    player.show(main: .ready, conditions: [.recovering], now: at(4))
    #expect(player.levels(now: at(4)) == [.red, .tone, .vibration])
    #expect(player.levels(now: at(5)) == [.red, .vibration])
  }

  @Test("the order of the conditions is the one that is written down")
  func order() throws {
    for (index, condition) in Sign.conditions.enumerated() {
      var player = try player(
        Dictionary(uniqueKeysWithValues: Sign.conditions.map { ($0, $0 == condition ? "blue on" : "blue off") }))
      player.show(main: .ready, conditions: Set(Sign.conditions[index...]), now: at(0))
      #expect(player.levels(now: at(0)) == .blue)
      guard index > 0 else { continue }
      player.show(main: .ready, conditions: Set(Sign.conditions[(index - 1)...]), now: at(0))
      #expect(player.levels(now: at(0)) == [])
    }
  }

  @Test("a condition that stays keeps its phase while the main state covers it and while others come and go")
  func conditionPhase() throws {
    var player = try player([.ready: "", .starting: "blue off", .muted: "blue 2/3", .lowBattery: "blue on"])
    player.show(main: .ready, conditions: [.muted], now: at(0))
    player.show(main: .starting, conditions: [.muted], now: at(1))
    #expect(levels(player, .blue, 1..<6) == ".....")
    player.show(main: .ready, conditions: [.muted, .lowBattery], now: at(6))
    player.show(main: .ready, conditions: [.muted], now: at(7))
    #expect(levels(player, .blue, 7..<12) == "...##")
    player.show(main: .ready, conditions: [], now: at(12))
    player.show(main: .ready, conditions: [.muted], now: at(13))
    #expect(levels(player, .blue, 13..<18) == "##...")
  }

  @Test("a pattern that ends leaves its output off, and keeps conditions off it")
  func ended() throws {
    var player = try player([.ready: "tone 2/1x2", .muted: "tone on"])
    player.show(main: .ready, conditions: [.muted], now: at(0))
    #expect(levels(player, .tone, 0..<9) == "##.##....")
  }

  @Test("a cue has its outputs until it ends, its last pause included; others go on, and phases with them")
  func overlay() throws {
    var player = try player(
      [.recording: "red on, green 2/2, tone 1/3"], [.marked: "red 1/1x2, tone 2/2x1", .stopped: "vibration 3/1x1"])
    player.show(main: .recording, conditions: [], now: at(0))
    player.play(.marked, now: at(1))
    #expect(levels(player, .red, 0..<8) == "##.#.###")
    #expect(levels(player, .tone, 0..<10) == "###.....#.")
    #expect(levels(player, .green, 1..<8) == "#..##..")
  }

  @Test("a cue takes the place of one that is being told, on all its outputs; one without a pattern takes none")
  func replaced() throws {
    var player = try player([.ready: ""], [.heard: "tone 9/1x1, vibration 9/1x1", .refused: "tone 1/1x2"])
    player.show(main: .ready, conditions: [], now: at(0))
    player.play(.heard, now: at(0))
    player.play(.marked, now: at(1))
    #expect(player.levels(now: at(1)) == [.tone, .vibration])
    player.play(.refused, now: at(2))
    #expect(levels(player, .tone, 2..<8) == "#.#...")
    #expect(levels(player, .vibration, 2..<8) == "......")
  }

  @Test("in stealth everything is off, and nothing of it comes out afterwards")
  func stealth() throws {
    var player = try player(
      [.recording: "red on, green 2/2", .atRisk: "tone on", .muted: "blue on"],
      [.heard: "tone 50/1x1", .marked: "tone 50/1x1", .reminder: "tone 3/1x1"], reminder: 10)
    player.show(main: .recording, conditions: [], now: at(0))
    player.play(.heard, now: at(1))
    player.setStealth(true, now: at(2))
    #expect(player.isStealth)
    player.play(.marked, now: at(3))
    player.show(main: .atRisk, conditions: [.muted], now: at(4))
    for time in 2..<39 as Range<Int64> { #expect(player.levels(now: at(time)) == []) }
    #expect(player.nextChange(after: at(3)) == nil)
    player.show(main: .recording, conditions: [.muted], now: at(5))
    // A reminder fell due at 35; its rest is not told.
    player.setStealth(false, now: at(36))
    #expect(!player.isStealth)
    #expect(player.levels(now: at(36)) == [.red, .blue])
    // In the phase that it would have had, and with the next reminder when it is due.
    #expect(levels(player, .green, 36..<41) == ".##..")
    #expect(levels(player, .tone, 36..<50) == ".........###..")
  }

  @Test("leaving a stealth that was not on silences nothing")
  func noStealth() throws {
    var player = try player([.ready: ""], [.heard: "tone 5/1x1"])
    player.show(main: .ready, conditions: [], now: at(0))
    player.play(.heard, now: at(0))
    player.setStealth(false, now: at(1))
    #expect(levels(player, .tone, 1..<6) == "####.")
  }

  @Test("the reminder comes by itself while recording, counted from when it was shown first")
  func reminder() throws {
    var player = try player([.recording: "red on", .ready: ""], [.reminder: "vibration 1/1x1"], reminder: 5)
    player.show(main: .recording, conditions: [], now: at(1))
    player.show(main: .recording, conditions: [.muted], now: at(3))
    #expect(levels(player, .vibration, 1..<18) == ".....#....#....#.")
    #expect(player.nextChange(after: at(1)) == at(6))
    #expect(player.nextChange(after: at(6)) == at(7))
    #expect(player.nextChange(after: at(7)) == at(11))
    player.show(main: .ready, conditions: [], now: at(11))
    #expect(levels(player, .vibration, 11..<30).contains("#") == false)
    #expect(player.nextChange(after: at(11)) == nil)
  }

  @Test("a reminder that falls due while a cue is told is left out, and one that is told gives way to a cue")
  func reminderAndCue() throws {
    var player = try player(
      [.recording: ""], [.reminder: "vibration 4/1x1", .marked: "tone 2/1x1"], reminder: 10)
    player.show(main: .recording, conditions: [], now: at(0))
    player.play(.marked, now: at(8))
    #expect(levels(player, .tone, 8..<12) == "##..")
    #expect(levels(player, .vibration, 8..<26) == "............####..")
    player.play(.marked, now: at(21))
    #expect(levels(player, .vibration, 21..<36) == ".........####..")
    // A cue that ends at that moment is over.
    player.play(.marked, now: at(37))
    #expect(levels(player, .vibration, 37..<46) == "...####..")
  }

  @Test("without an interval, or without a pattern, there is no reminder")
  func noReminder() throws {
    for (interval, text) in [(Int64(0), "vibration 1/1x1"), (-5, "vibration 1/1x1"), (5, "")] {
      var player = try player([.recording: "red on"], [.reminder: text], reminder: interval)
      player.show(main: .recording, conditions: [], now: at(0))
      #expect(player.nextChange(after: at(0)) == nil)
      #expect(levels(player, .vibration, 0..<20).contains("#") == false)
    }
  }

  @Test("an interval that is shorter than its reminder is as long as that")
  func shortInterval() throws {
    var player = try player([.recording: ""], [.reminder: "vibration 2/2x1"], reminder: 1)
    #expect(player.reminder == .milliseconds(4))
    player.show(main: .recording, conditions: [], now: at(0))
    #expect(levels(player, .vibration, 0..<12) == "....##..##..")
  }

  @Test("a turn that changes no output is not told of as a change")
  func noChange() throws {
    var player = try player(
      [.ready: "red on, green 20/1"], [.heard: "red 5/1x1, green 3/1x1, tone 2/9x1"])
    player.show(main: .ready, conditions: [], now: at(0))
    player.play(.heard, now: at(2))
    var changes: [MonotonicTime?] = [at(2)]
    while let last = changes.last, let last, last < at(20) { changes.append(player.nextChange(after: last)) }
    // The tone's end at 13 gives it back to nobody.
    #expect(changes.dropFirst() == [at(4), at(5), at(6), at(7), at(8), at(20)])
  }

  @Test("the defaults with a reminder every two minutes, while recording for an hour")
  func hour() {
    var player = SignPlayer(table: SignTable(), reminder: .seconds(120))
    player.show(main: .recording, conditions: [], now: at(0))
    var changes: [Int64] = []
    var time = at(0)
    while let next = player.nextChange(after: time), next <= at(3_600_000) {
      changes.append((next - at(0)).inMilliseconds)
      time = next
    }
    // Two short ones each, and the first edge of the thirtieth.
    let expected = (1...30 as ClosedRange<Int64>).flatMap { count in [0, 60, 300, 360].map { count * 120_000 + $0 } }
    #expect(changes == expected.filter { $0 <= 3_600_000 })
  }

  @Test(
    "whatever is shown, told and silenced: each millisecond is as the rules say, and changes come when they were foretold",
    arguments: 1...20 as ClosedRange<UInt64>)
  func random(seed: UInt64) throws {
    var random = SignRandom(state: seed)
    func entry(mustEnd: Bool) -> String {
      SignOutput.allCases.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
        .map { "\($0.rawValue) \(random.pattern(turns: 4, milliseconds: 30, mustEnd: mustEnd))" }
        .joined(separator: ", ")
    }
    let signs = Dictionary(uniqueKeysWithValues: Sign.allCases.map { ($0, entry(mustEnd: false)) })
    let cues = Dictionary(uniqueKeysWithValues: Cue.allCases.map { ($0, entry(mustEnd: true)) })
    // Longer than the longest cue.
    let interval = Int64.random(in: 361...700, using: &random)
    let table = try table(signs, cues)
    var player = SignPlayer(table: table, reminder: .milliseconds(interval))
    var plain = PlainPlayer(table: table, reminder: interval)

    var foretold: (levels: SignLevels, next: MonotonicTime?) = ([], nil)
    var wrong: [String] = []
    for now in 0..<4_000 as Range<Int64> {
      var isTouched = false
      while Int.random(in: 0..<60, using: &random) == 0 {
        isTouched = true
        switch Int.random(in: 0..<8, using: &random) {
        case 0...3:
          let states: [Sign] = [.ready, .recording, .recording, .recording, .atRisk, .saving]
          let sign = states[Int.random(in: states.indices, using: &random)]
          let conditions = Set(Sign.conditions.filter { _ in Bool.random(using: &random) })
          player.show(main: sign, conditions: conditions, now: at(now))
          plain.show(sign, conditions, now: now)
        case 4...6:
          let cue = Cue.allCases[Int.random(in: Cue.allCases.indices, using: &random)]
          guard cue != .reminder else { break }
          player.play(cue, now: at(now))
          plain.play(cue, now: now)
        default:
          let isOn = Bool.random(using: &random)
          player.setStealth(isOn, now: at(now))
          plain.setStealth(isOn)
        }
      }
      plain.pass(now: now)
      let levels = player.levels(now: at(now))
      if levels != plain.levels(now: now) { wrong.append("\(now): not as the rules say") }
      if isTouched {
        foretold = (levels, player.nextChange(after: at(now)))
      } else if foretold.next == at(now) {
        if levels == foretold.levels { wrong.append("\(now): no change") }
        foretold = (levels, player.nextChange(after: at(now)))
      } else if levels != foretold.levels {
        wrong.append("\(now): a change that was not foretold")
      }
    }
    #expect(wrong == [])
  }
}
