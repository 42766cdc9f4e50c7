/// What every sign and cue does with lights, tone and vibration.
///
/// The defaults follow what body cameras have in common (green: ready; red: recording; tones for alarms), with rhythms that differ
/// also for who cannot tell the colours apart. `problems` tells whether a table is still clear after changes.
public struct SignTable: Hashable, Sendable {
  private var signs: [Sign: SignEntry]
  private var cues: [Cue: SignEntry]

  /// The defaults.
  public init() {
    signs = Self.defaultSigns
    cues = Self.defaultCues
  }

  public subscript(sign: Sign) -> SignEntry {
    get { signs[sign] ?? SignEntry() }
    set { signs[sign] = newValue }
  }

  public subscript(cue: Cue) -> SignEntry { cues[cue] ?? SignEntry() }

  /// From the text form of an entry: `red on, tone 200/100x3`; empty: nothing.
  public mutating func set(_ sign: Sign, to text: String) throws(SignTextError) { signs[sign] = try SignEntry(text) }

  /// As for a sign. A cue must end, so each of its patterns has a number of times.
  public mutating func set(_ cue: Cue, to text: String) throws(SignTextError) {
    let entry = try SignEntry(text)
    for output in SignOutput.allCases {
      guard let pattern = entry[output], pattern.duration == nil else { continue }
      throw SignTextError(
        text, hint: "\"\(pattern)\" never ends, and \(cue.rawValue) is told once: say how often, as in 200/100x2.")
    }
    cues[cue] = entry
  }

  // MARK: - Defaults

  private static func turns(_ milliseconds: Int64...) -> SignPattern { SignPattern(turns: milliseconds) }

  private static func times(_ count: Int, _ milliseconds: Int64...) -> SignPattern {
    SignPattern(turns: milliseconds, times: count)
  }

  /// Red alone is lit steadily for recording and for nothing else.
  private static let defaultSigns: [Sign: SignEntry] = [
    .starting: SignEntry([.blue: turns(100, 400)]),
    .ready: SignEntry([.green: turns(100, 1_900)]),
    .saving: SignEntry([.red: turns(100, 100)]),
    .recording: SignEntry([.red: .on]),
    .atRisk: SignEntry([
      .red: turns(250, 250), .blue: turns(250, 250), .tone: turns(250, 1_750), .vibration: turns(250, 1_750),
    ]),
    .postEvent: SignEntry([.red: turns(1_000, 1_000)]),
    .closing: SignEntry([.red: turns(100, 900)]),
    .cannotRecord: SignEntry([
      .red: turns(60, 140, 60, 740), .green: turns(60, 140, 60, 740), .tone: turns(250, 250, 250, 4_250),
      .vibration: turns(250, 250, 250, 4_250),
    ]),
    .stopping: SignEntry([.blue: .on]),

    // By the number of flashes and beeps. Blue and green are free while recording, and red is never a condition's.
    .lowBattery: SignEntry([
      .blue: turns(60, 240, 60, 240, 60, 240, 60, 4_040), .tone: turns(60, 140, 60, 140, 60, 140, 60, 19_340),
    ]),
    .lowStorage: SignEntry([
      .blue: turns(60, 240, 60, 240, 60, 4_340), .tone: turns(60, 140, 60, 140, 60, 19_540),
    ]),
    .triggerDeaf: SignEntry([.blue: turns(60, 240, 60, 4_640), .tone: turns(60, 140, 60, 19_740)]),
    .muted: SignEntry([.blue: turns(500, 500), .vibration: turns(300, 19_700)]),
    .clockUntrusted: SignEntry([
      .blue: turns(60, 240, 60, 240, 60, 240, 60, 240, 60, 3_740),
      .tone: turns(60, 140, 60, 140, 60, 140, 60, 140, 60, 59_140),
    ]),
    .recovering: SignEntry([.blue: turns(60, 4_940)]),
  ]

  /// No lights: what they show stays what is so.
  private static let defaultCues: [Cue: SignEntry] = [
    .heard: SignEntry([.vibration: times(1, 100, 100)]),
    .started: SignEntry([.tone: times(2, 100, 100), .vibration: times(2, 100, 100)]),
    .stopped: SignEntry([.tone: times(1, 800, 200), .vibration: times(1, 800, 200)]),
    .marked: SignEntry([.tone: times(1, 60, 140), .vibration: times(1, 60, 140)]),
    .notRecording: SignEntry([.tone: times(4, 60, 60), .vibration: times(4, 60, 60)]),
    .refused: SignEntry([.tone: times(3, 400, 200), .vibration: times(3, 400, 200)]),
    .reminder: SignEntry([.tone: times(2, 60, 240), .vibration: times(2, 60, 240)]),
    .muted: SignEntry([.tone: times(1, 400, 100, 60, 140), .vibration: times(1, 400, 100, 60, 140)]),
    .unmuted: SignEntry([.tone: times(1, 60, 140, 400, 100), .vibration: times(1, 60, 140, 400, 100)]),
    .stealth: SignEntry([.vibration: times(1, 500, 100)]),
  ]
}
