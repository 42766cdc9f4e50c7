import Media
import Testing

@testable import Core

@Suite("SignTable")
struct SignTableTests {
  private let defaults = SignTable()

  /// The defaults with other texts for some signs.
  private func table(_ changes: [(Sign, String)]) throws -> SignTable {
    var table = SignTable()
    for (sign, text) in changes { try table.set(sign, to: text) }
    return table
  }

  @Test("every sign is either a main state or a condition")
  func kinds() {
    #expect(Set(Sign.mainStates + Sign.conditions) == Set(Sign.allCases))
    #expect(Sign.mainStates.count + Sign.conditions.count == Sign.allCases.count)
  }

  @Test("names in the configuration are what is written here")
  func names() {
    #expect(
      Sign.allCases.map(\.rawValue) == [
        "starting", "ready", "saving", "recording", "at_risk", "post_event", "closing", "cannot_record", "stopping",
        "low_battery", "low_storage", "trigger_deaf", "muted", "clock_untrusted", "recovering",
      ])
    #expect(
      Cue.allCases.map(\.rawValue) == [
        "heard", "started", "stopped", "marked", "not_recording", "refused", "reminder", "muted", "unmuted", "stealth",
      ])
    #expect(SignOutput.allCases.map(\.rawValue) == ["red", "green", "blue", "tone", "vibration"])
  }

  @Test("an output and the set that holds it alone belong together, for each")
  func levels() {
    for output in SignOutput.allCases {
      #expect(SignOutput.allCases.filter { SignLevels(output)[$0] } == [output])
      #expect(SignLevels.all[output])
    }
  }

  @Test("the defaults leave nobody in doubt")
  func clear() { #expect(defaults.problems() == []) }

  @Test("the defaults are clear with lights alone, too")
  func clearWithLights() { #expect(defaults.problems(with: [.red, .green, .blue]) == []) }

  @Test("every default is within the limits of the configuration, and its text gives it back")
  func defaultTexts() throws {
    for sign in Sign.allCases { #expect(try SignEntry(defaults[sign].description) == defaults[sign]) }
    for cue in Cue.allCases {
      var table = SignTable()
      try table.set(cue, to: defaults[cue].description)
      #expect(table == defaults)
    }
  }

  @Test("what is wrong goes on being heard and felt, without a light to look at")
  func alarms() {
    for sign in [Sign.atRisk, .cannotRecord] {
      for output in [SignOutput.tone, .vibration] {
        #expect(defaults[sign][output]?.lasting != .off)
        #expect(defaults[sign][output]?.lasting != nil)
      }
    }
    for sign in [Sign.lowBattery, .lowStorage] { #expect(defaults[sign][.tone]?.lasting.looksLike(.off) == false) }
  }

  @Test("no two cues of the defaults feel the same, and none hides a light")
  func cues() {
    for cue in Cue.allCases {
      #expect(defaults[cue][.vibration] != nil)
      for light in SignOutput.allCases where light.isLight { #expect(defaults[cue][light] == nil) }
    }
    #expect(Set(Cue.allCases.map { defaults[$0][.vibration] }).count == Cue.allCases.count)
  }

  @Test("two main states with the same lights are named")
  func same() throws {
    let problems = try table([(.closing, "red 100/100/100/100, tone on")]).problems()
    #expect(problems == ["saving and closing have the same lights: change those of one of them."])
  }

  @Test("a main state without a lasting light is named; stopping may be dark")
  func dark() throws {
    #expect(try table([(.stopping, "")]).problems() == [])
    for text in ["", "tone on", "green 500/500x3", "red off"] {
      #expect(
        try table([(.ready, text)]).problems()
          == ["ready shows no light that lasts: give it one, as in \"green 100/1900\"."])
    }
  }

  @Test(
    "a main state that can look like recording for 2 s is named",
    arguments: [
      (Sign.ready, "red 2000/100"),
      // Even when it does so once.
      (.ready, "red 2000/1x1, green 100/2000"),
      // Between two flashes nothing is on but what recording shows.
      (.ready, "red on, green 100/2000"),
      (.stopping, "red on, green 60000/60000"),
    ])
  func mistaken(sign: Sign, text: String) throws {
    #expect(
      try table([(sign, text)]).problems() == [
        "\(sign.rawValue) can look like recording for 2 s or longer, alone or with a condition: let only recording hold its "
          + "light so long."
      ])
  }

  @Test(
    "just under 2 s nobody is left in doubt",
    arguments: [(Sign.postEvent, "red 1999/1"), (.ready, "red on, green 100/1999")])
  func justUnder(sign: Sign, text: String) throws { #expect(try table([(sign, text)]).problems() == []) }

  @Test("a condition beside a state that is dark for 2 s must not make it look like recording")
  func condition() throws {
    #expect(try table([(.ready, "green 100/2900")]).problems() == [])
    #expect(try table([(.lowStorage, "red on")]).problems() == [])
    #expect(
      try table([(.ready, "green 100/2900"), (.lowStorage, "red on")]).problems().map { $0.prefix { $0 != "," } }
        == ["ready can look like recording for 2 s or longer"])
  }

  @Test("a condition beside recording must not make it look like another state")
  func conditionWhileRecording() throws {
    var table = try table([(.ready, "red on, green 100/900"), (.muted, "green 100/900")])
    #expect(
      table.problems().map { $0.prefix { $0 != "," } } == ["ready can look like recording for 2 s or longer"])
    try table.set(.recording, to: "red on, green off")
    #expect(table.problems() == [])
  }

  @Test("a condition that shows nothing, and two that show the same, are named")
  func conditions() throws {
    #expect(
      try table([(.muted, "")]).problems()
        == ["muted shows nothing: give it a light, a tone or vibration, as in \"blue 60/4940\"."])
    let text = defaults[.recovering].description
    #expect(
      try table([(.clockUntrusted, text)]).problems()
        == ["clock_untrusted and recovering show the same: change one of them."])
    // Shown once and shown for ever is not the same, nor are two that are shown once.
    #expect(
      try table([(.muted, "tone 1/1x1"), (.lowStorage, "tone 2/1x1"), (.recovering, "tone 1/1")]).problems() == [])
  }

  @Test("a cue that holds a light for 2 s is named")
  func longCue() throws {
    var table = SignTable()
    try table.set(.marked, to: "blue 1999/1x1, tone 60000/1x2")
    #expect(
      table.problems() == [
        "marked holds the light blue for 2000 ms, and hides the state for as long: keep it under 2000 ms."
      ])
    try table.set(.marked, to: "blue 1998/1x1")
    #expect(table.problems() == [])
  }

  @Test("on a camera with one light, what it cannot tell apart is named")
  func oneLight() {
    let problems = defaults.problems(with: [.red, .vibration])
    #expect(problems.contains("ready shows no light that lasts: give it one, as in \"green 100/1900\"."))
    #expect(
      problems.contains("low_battery shows nothing: give it a light, a tone or vibration, as in \"blue 60/4940\"."))
    #expect(!problems.contains { $0.hasPrefix("muted") })
  }

  @Test("every entry's text gives the entry, and the entry gives the text")
  func roundTrip() throws {
    var random = SignRandom(state: 4)
    for _ in 0..<500 {
      let outputs = SignOutput.allCases.filter { _ in Bool.random(using: &random) }
      let text = outputs.map { "\($0.rawValue) \(random.pattern(turns: 16, milliseconds: 60_000))" }
        .joined(separator: ", ")
      let entry = try SignEntry(text)
      #expect(entry.description == text)
      #expect(SignOutput.allCases.filter { entry[$0] != nil } == outputs)
      #expect(entry.isEmpty == outputs.isEmpty)
    }
  }

  @Test("spaces are free between words, and an empty text uses nothing")
  func spaces() throws {
    #expect(try SignEntry("  tone   1/2x3 ,red on").description == "red on, tone 1/2x3")
    #expect(try SignEntry("").isEmpty)
    #expect(try SignEntry("   ").isEmpty)
  }

  @Test(
    "what is no entry is refused, and the message says what is allowed",
    arguments: [
      ("red", "Between commas stand an output and its pattern"),
      ("red on,", "Between commas stand an output and its pattern"),
      (",", "Between commas stand an output and its pattern"),
      ("red on tone on", "Between commas stand an output and its pattern"),
      ("amber on", "\"amber\" is no output: there are red, green, blue, tone, vibration."),
      ("Red on", "\"Red\" is no output"),
      ("red on, red off", "It says twice what red does"),
      ("red 100", "the time off behind it is missing"),
    ])
  func refused(text: String, why: String) throws {
    let error = try #require(signRefusal { () throws(SignTextError) in _ = try SignEntry(text) })
    #expect(error.hint.contains(why))
  }

  @Test("a cue that would never end is refused, and the table stays as it was", arguments: ["red on", "tone 100/100"])
  func endless(text: String) throws {
    var table = SignTable()
    let error = try #require(signRefusal { () throws(SignTextError) in try table.set(.marked, to: text) })
    #expect(error.hint.contains("never ends, and marked is told once: say how often, as in 200/100x2."))
    #expect(table == defaults)
  }

  @Test("what was set is what the table has")
  func set() throws {
    var table = SignTable()
    try table.set(Sign.muted, to: "blue on")
    try table.set(Cue.muted, to: "")
    #expect(table[Sign.muted].description == "blue on")
    #expect(table[Cue.muted].isEmpty)
    table[.ready] = SignEntry([.green: .on])
    #expect(table[.ready].description == "green on")
  }

  @Test("each state of the machine is shown as itself")
  func states() {
    let trigger = Trigger(source: .button, time: .distantPast, decided: .distantPast)
    let open = RecorderMachine.Recording(trigger: trigger, latest: trigger, lastDurable: .distantPast)
    let states: [RecorderMachine.State] = [
      .starting(pending: nil), .ready, .saving(open), .recording(open), .atRisk(open), .postEvent(open),
      .closing(open, pending: nil), .cannotRecord(.storeFull, waiting: nil), .stopping(isOpen: false, pending: nil),
    ]
    #expect(states.map(\.sign) == Sign.mainStates)
  }
}
