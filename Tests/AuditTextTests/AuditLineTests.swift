import Foundation
import Media
import Testing

@testable import AuditText
@testable import Evidence

@Suite("The audit log in words and as JSON")
struct AuditLineTests {
  private static let hash = Hash32.sha256(of: [1])
  private static let id = EvidenceID(prefixOf: hash)
  private static let recording = TimelineEntry.Recording(counter: 7, id: id)
  private static let time = ClockReading(wall: 1_772_366_400_123, monotonic: 9_000_000_000)

  private static let commonKeys = [
    "time", "wallMs", "bootNs", "clock", "place", "line", "recording", "id", "event", "text",
  ]

  private func entry(
    _ event: TimelineEvent, place: TimelineEntry.Place = .deviceLog(3), recording: TimelineEntry.Recording? = nil,
    trust: WallClockTrust? = nil
  ) -> TimelineEntry {
    TimelineEntry(event, place: place, clock: Self.time, recording: recording, trust: trust)
  }

  private func words(_ event: TimelineEvent, recording: TimelineEntry.Recording? = AuditLineTests.recording) -> String {
    let line = AuditLine.text(entry(event, recording: recording))
    #expect(line.hasPrefix("2026-03-01T12:00:00.123Z"))
    return String(line.dropFirst(27)).trimmingCharacters(in: .whitespaces)
  }

  private static let press = TriggerFacts(source: "button", reason: "hold", edge: 1, decided: 2)

  private static func facts(shortfall: String? = nil, isDemo: Bool = false, start: Bool = true) -> OpenFacts {
    OpenFacts(
      recordingCounter: 7, startCounter: 3, boot: id, deviceLog: ChainHead(n: 1, hash: hash),
      recipients: NoteReference(version: 1, hash: hash), roles: NoteReference(version: 1, hash: hash), isDemo: isDemo,
      camera: .v4l2, microphone: .alsa, clock: time, clockSource: .ntp, clockTrust: .held, softwareVersion: "0.1.0",
      softwareHash: hash, configurationHash: hash,
      start: start
        ? StartFacts(
          trigger: TriggerFacts(source: "button", reason: "double", edge: 1, decided: 2), preEventAsked: 30_000,
          preEventHeld: shortfall == nil ? 30_010 : 1_240, shortfall: shortfall) : nil)
  }

  private static let closing = JournalDigest.Closing(n: 9, clock: time, reason: .stop, duration: 88_200_000)

  private static var checkpoints: JournalDigest.Checkpoints {
    var checkpoints = JournalDigest.Checkpoints()
    checkpoints.count = 118
    checkpoints.worstLag = 340
    return checkpoints
  }

  private static var lossy: JournalDigest.Checkpoints {
    var checkpoints = checkpoints
    (checkpoints.framesLost, checkpoints.samplesLost) = (1, 960)
    return checkpoints
  }

  private static var gaps: GapRun {
    var run = GapRun(track: .audio, cause: .xrun, from: 43_200_000, to: 43_300_000)
    run.add(GapRun(track: .audio, cause: .xrun, from: 50_000_000, to: 50_300_000))
    return run
  }

  private static func fate(
    _ result: TriggerFate.Result, cause: String? = nil, recording: Int64? = nil, count: Int64 = 1
  ) -> TimelineEvent {
    .logged(
      .audit(
        .trigger(TriggerFate(trigger: press, result: result, cause: cause, recording: recording, count: count))))
  }

  private static func event(_ event: JournalEvent) -> TimelineEvent { .logged(.audit(.event(event))) }

  private static func check(_ log: StoreCheck.Result, _ journal: StoreCheck.Result) -> TimelineEvent {
    let recording = journal == .none ? nil : StoreCheck.Recording(id: id, counter: 7, head: ChainHead(n: 2, hash: hash))
    return .logged(.check(StoreCheck(log: log, logHead: nil, journal: journal, recording: recording)))
  }

  private static var docking: Docking {
    get throws {
      let signer = try NoteSigner(name: "station-2", seed: [UInt8](repeating: 3, count: 32))
      let note = try DockGreeting.make(
        issued: time.wall - 90_000, isDemo: false, device: id, nonce: hash, signer: signer)
      let root = try NoteSigner(name: "root", seed: [UInt8](repeating: 4, count: 32))
      let roles = try RolesNote(
        parsing: RolesNote.make(
          version: 1, issued: 1, isDemo: false, grants: [.init(role: .receipt, key: signer.key, notAfter: nil)],
          root: root), root: root.key)
      return Docking(try DockGreeting(parsing: note, roles: roles, device: id))
    }
  }

  private static func note(_ value: String, _ message: String) -> TimelineEvent {
    .footage(FootageNote(seconds: 2, value: value, message: message))
  }

  private static func events() throws -> [(TimelineEvent, String)] {
    let start = RecorderStart(counter: 12, softwareVersion: "0.1.0", boot: "b", tornByteCount: 0)
    var torn = start
    torn.tornByteCount = 57
    let whole = FoundBytes(size: 500, from: 500, end: 500, hash: hash)
    let tail = FoundBytes(size: 1_500, from: 300, end: 1_500, hash: hash)
    return [
      (.start(start), "start 12, software 0.1.0"),
      (.start(torn), "start 12, software 0.1.0; 57 B of torn lines before it"),
      (.opened(facts(), isLate: false), "recording 7 opened: button, double; pre-event 30.0 s"),
      (
        .opened(facts(shortfall: "just_started"), isLate: false),
        "recording 7 opened: button, double; pre-event 1.2 of 30.0 s, just started"
      ),
      (.opened(facts(isDemo: true, start: false), isLate: false), "recording 7 opened; DEMO KEY"),
      (.opened(nil, isLate: false), "recording 7 opened"),
      (.opened(nil, isLate: true), "recording 7 opened, noted by this start"),
      (.closed(closing, isLate: false), "recording 7 closed: stopped, 88.2 s long"),
      (.closed(nil, isLate: false), "recording 7 closed"),
      (.closed(nil, isLate: true), "recording 7 closed, noted by this start"),
      (
        .software(SoftwareFacts(facts())),
        "software 0.1.0 (\(hash.description.prefix(10))), configuration \(hash.description.prefix(10))"
      ),
      (check(.none, .none), "store check: nothing is remembered yet"), (check(.match, .none), "store check: match"),
      (check(.match, .match), "store check: match"),
      (
        check(.behindOnly, .missingRecording),
        "store check: log newer than remembered; journal of recording 7 is MISSING"
      ),
      (.logged(.void(VoidCounter(counter: 4, id: nil, remains: nil))), "recording 4 was cut off before it existed"),
      (
        .logged(
          .recover(
            RecoveredJournal(
              id: id, counter: 7, head: ChainHead(n: 60, hash: hash), tail: whole, files: 0, isChanged: false))),
        "recording 7 found cut off, valid to line 60"
      ),
      (
        .logged(.recover(RecoveredJournal(id: id, counter: 7, head: nil, tail: tail, files: 1, isChanged: true))),
        "recording 7 found cut off, no valid line, 1.2 kB torn; CHANGED meanwhile"
      ),
      (
        .logged(.recoverFile(RecoveredFile(id: id, segment: 1, chunks: 2, tail: tail))),
        "its segment 1: 1.2 kB behind the last checkpoint"
      ),
      (.logged(.lost(id: id, counter: 7)), "recording 7 NOT found on the card"),
      (.logged(.dock(try docking)), "docked at station-2, camera's clock 90.0 s ahead"),
      (.logged(.anchor(LogAnchor(nonce: hash, recording: nil))), "log signed for a dock"),
      (.logged(.audit(.armed)), "ready: a trigger is honoured from now on"),
      (.logged(.audit(.check(CheckOutcome(result: .passed, cause: nil)))), "check passed"),
      (.logged(.audit(.check(CheckOutcome(result: .passed, cause: "clock")))), "check passed, with a warning: clock"),
      (.logged(.audit(.check(CheckOutcome(result: .failed, cause: "card")))), "check FAILED: card"),
      (.logged(.audit(.source(SourceHealth(source: "radio", state: .deaf, cause: "silent")))), "radio DEAF: silent"),
      (.logged(.audit(.source(SourceHealth(source: "button", state: .listening)))), "button listening"),
      (.logged(.audit(.radio(RadioRefusals(cause: "replayed", count: 7)))), "7 radio signals refused: replayed"),
      (.logged(.audit(.event(.power(.fail, edge: 5)))), "the supply gives WARNING that it fails"),
      (.logged(.audit(.configuration(hash, software: nil))), "configuration \(hash.description.prefix(10))"),
      (.logged(.audit(.clockState(.unknown, .none))), "clock: never set"),
      (.logged(.audit(.clockState(.rtc, .none))), "clock: never set (rtc)"),
      (.logged(.audit(.clockState(.dock, .held))), "clock: set by dock, running on its own"),
      (.logged(.audit(.clockState(.ntp, .synchronized))), "clock: kept by ntp"),
      (event(.battery(.low, percent: 18)), "battery low, 18 %"),
      (event(.storage(.slow, freeMegabytes: 1_500)), "card is slow, 1.5 GB free"),
      (event(.storage(.full, freeMegabytes: .max)), "card is FULL, 9.2 EB free"),
      (event(.clockStep(was: 0)), "clock set; before: 1970-01-01T00:00:00.000Z"),
      (event(.deviceLost(track: .video)), "camera lost"),
      (event(.deviceFound(track: .audio)), "microphone found again"),
      (event(.deviceLost(track: TrackID(rawValue: 9))), "device of track 9 lost"),
      (event(.error(.encoder)), "encoder failed"),
      (fate(.continued, recording: 7), "trigger within recording 7: button, hold"),
      (fate(.continued), "trigger within what the one before began: button, hold"),
      (fate(.remembered), "trigger waits for capture or card: button, hold"),
      (fate(.refused, cause: "store_full"), "trigger REFUSED, the card was full: button, hold"),
      (fate(.dropped, cause: "moonlight"), "trigger given up, moonlight: button, hold"),
      (fate(.idle, count: 4), "press for nothing: button, hold, while nothing was recorded (4 times)"),
      (fate(.unclear), "press for nothing: button, hold, neither a press nor a hold"),
      (fate(.stuck), "press for nothing: button, hold, held as nobody can mean it"),
      (.journal(.storage(.recovered, freeMegabytes: 2)), "card keeps up again, 2.0 MB free"),
      (
        .gaps(GapRun(track: .video, cause: .ringFull, from: 43_200_000, to: 43_333_000)),
        "gap in the picture at 0:43, 0.133 s: memory was full"
      ),
      (.gaps(gaps), "2 gaps in the sound from 0:43 to 0:50, 0.400 s in all: sound overran"),
      (.abandoned(segment: 3, .write), "segment 3 given up: a write failed"),
      (.checkpoints(checkpoints), "118 checkpoints, worst lag 0.3 s; nothing lost"),
      (.checkpoints(lossy), "118 checkpoints, worst lag 0.3 s; lost 1 frame, 960 sound samples"),
      (.omitted(1), "1 more event of its journal"),
      (.unclosed(tornByteCount: 0, mayRun: true), "recording 7 is open: it goes on, or was cut off"),
      (
        .unclosed(tornByteCount: 9, mayRun: false),
        "recording 7 was cut off; 9 B at its journal's end are no whole line"
      ),
      (.notAtHand("not here"), "recording 7: not here"),
      (note("trigger", "source=button\nreason=double"), "trigger: button, double"),
      (note("mark", "source=socket\nlabel=blue car"), "marker \"blue car\": socket"),
      (note("mark", "source=button\nreason=press"), "marker: button, press"),
      (note("stop", "source=button\nreason=hold"), "stop: button, hold"), (note("stealth", "on"), "stealth on"),
      (note("mute", "off"), "mute off"), (note("dance", "a\nb"), "dance \"a\\nb\""),
      (.sealed("segment 2: the identity fits none"), "NOT OPENED: segment 2: the identity fits none"),
      (
        .finding(Finding(.end(.truncated), file: "x/journal.log", line: 4, "it ends before")),
        "TRUNCATED x/journal.log line 4: it ends before"
      ),
      (.missingLines(4...4), "log line 4 is missing or could not be read"),
      (.missingLines(4...9), "log lines 4 to 9 are missing or could not be read"),
      (.clockJump(milliseconds: 7_384_000, isAcrossBoots: false), "the clock was moved forward by 2:03:04"),
      (.clockJump(milliseconds: -1_500, isAcrossBoots: false), "the clock was moved back by 1.5 s"),
      (.clockJump(milliseconds: .min, isAcrossBoots: true), "the clock is 2562047788015:12:55 behind the entry before"),
    ]
  }

  @Test("Every kind of entry in words: short, on one line, within 100 columns")
  func text() throws {
    for (event, expected) in try Self.events() {
      #expect(words(event) == expected)
      let line = AuditLine.text(entry(event, place: .footage, recording: Self.recording, trust: .held))
      #expect(line.count <= 100, "\(line)")
    }
  }

  @Test("Marks: a doubtful clock, what was sealed; what is inside a recording is indented")
  func marks() {
    let event = Self.note("stealth", "on")
    func line(_ place: TimelineEntry.Place, _ trust: WallClockTrust?) -> String {
      AuditLine.text(entry(event, place: place, recording: Self.recording, trust: trust))
    }
    let time = "2026-03-01T12:00:00.123Z"
    #expect(line(.footage, WallClockTrust.none) == time + "?*   stealth on")
    #expect(line(.footage, .held) == time + "~*   stealth on")
    #expect(line(.footage, .synchronized) == time + " *   stealth on")
    #expect(line(.journal(1), nil) == time + "     stealth on")
    var timeless = entry(.notAtHand("not here"), recording: Self.recording)
    timeless.clock = nil
    #expect(AuditLine.text(timeless) == String(repeating: " ", count: 27) + "recording 7: not here")
  }

  @Test("Each line as JSON has the documented keys, its own ones, and the words")
  func json() throws {
    for (event, expected) in try Self.events() {
      let line = AuditLine.json(entry(event, recording: Self.recording, trust: .held))
      #expect(!line.contains("\n"))
      let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
      #expect(object["time"] as? String == "2026-03-01T12:00:00.123Z" && object["text"] as? String == expected)
      #expect(object["wallMs"] as? Int64 == Self.time.wall && object["bootNs"] as? Int64 == Self.time.monotonic)
      #expect(
        object["clock"] as? String == "held" && object["place"] as? String == "log" && object["line"] as? Int == 3)
      #expect(object["recording"] as? Int == 7 && object["id"] as? String == "\(Self.id)")
      #expect(object["event"] is String)
      let keys = Self.commonKeys + entry(event).phrase.members.map(\.0)
      #expect(Set(keys).count == keys.count && Set(keys) == Set(object.keys), "\(line)")
    }
    var bare = entry(Self.note("mark", "label=x"), place: .footage)
    bare.clock = nil
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(AuditLine.json(bare).utf8)) as? [String: Any])
    for key in ["time", "wallMs", "bootNs", "clock", "line", "recording", "id"] {
      #expect(object[key] is NSNull, "\(key)")
    }
    #expect(object["event"] as? String == "wearer" && object["label"] as? String == "x")
  }

  @Test("What a label, a name or a line of a newer version holds never reaches a terminal as a command")
  func hostile() throws {
    let nasty = "\u{1B}]0;owned\u{07}\u{9B}2J\r\u{202E}gnp.exe\u{7F}\u{2028}"
    var docking = try Self.docking
    docking.name = nasty
    for event in [
      Self.note("mark", "source=\(nasty)\nlabel=\(nasty)"), Self.note(nasty, nasty), Self.note("stealth", nasty),
      Self.note("trigger", "source=\(nasty)"), .sealed(nasty), .notAtHand(nasty), .logged(.dock(docking)),
      .start(RecorderStart(counter: 1, softwareVersion: nasty, boot: nasty, tornByteCount: 0)),
      .finding(Finding(.remark(.deleted), file: nasty, nasty)),
    ] as [TimelineEvent] {
      for line in [AuditLine.text(entry(event)), AuditLine.json(entry(event))] {
        #expect(
          line.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && !(0x2028...0x202E).contains($0.value)
          }, "\(line.debugDescription)")
        #expect(line.contains("owned") && line.contains("gnp.exe"), "nothing is dropped: \(line.debugDescription)")
      }
    }
    #expect(words(Self.note("mark", "label=say \"hi\"")) == #"marker "say \"hi\"""#)
    #expect(words(Self.note("mark", "label=blauer Käfer")) == "marker \"blauer Käfer\"")
  }
}

@Suite("Moments as they are given")
struct PointInTimeTests {
  @Test("Dates, times and ages; nothing else")
  func parsing() {
    let now: Int64 = 1_772_366_400_000
    for (text, expected) in [
      ("2026-03-01T12:00:00Z", now), ("2026-03-01T12:00Z", now), ("2026-03-01T12:00", now),
      ("2026-03-01", now - 43_200_000), ("1970-01-01", 0), ("2024-02-29T00:00:01Z", 1_709_164_801_000),
      ("2000-03-01", 951_868_800_000), ("30m", now - 1_800_000), ("2h", now - 7_200_000), ("7d", now - 604_800_000),
      ("0s", now),
    ] as [(String, Int64)] {
      #expect(PointInTime.milliseconds(text, now: now) == expected, "\(text)")
    }
    for text in [
      "", "h", "-2h", "2 h", "2w", "99999999999999999999d", "2026", "2026-3-1", "2026-13-01", "2026-00-01",
      "2026-04-31",
      "2023-02-29", "2026-03-01T", "2026-03-01T24:00", "2026-03-01T12:60", "2026-03-01T12:00:60",
      "2026-03-01T12:00+01:00",
      "2026-03-01 12:00", "2026-03-01T12", "yesterday",
    ] {
      #expect(PointInTime.milliseconds(text, now: now) == nil, "\(text)")
    }
  }
}
