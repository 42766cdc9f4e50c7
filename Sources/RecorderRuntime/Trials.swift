import Control
import Evidence
import EvidenceStore
import LinuxIO
import Media

/// The trials of this process: which one is under way, and when the next is due. Values in, values out.
struct Trials {
  /// One that was asked for.
  struct Run: Hashable {
    var number: Int
    var since: MonotonicTime
    /// The camera delivered when it began.
    var hasPictures: Bool
  }

  enum Phase: Hashable {
    case idle
    case running(Run)
    /// The store thread does not come back from the card with it.
    case stuck(Run)
  }

  private(set) var phase = Phase.idle
  /// The numbers of trials rise.
  private(set) var count = 0
  /// The newest trial that is over.
  private(set) var last: RecorderStatus.Check?
  /// What log and device log said of it last.
  private var told: CheckOutcome?
  /// How many have failed since the last one that did not.
  private var failures = 0
  /// After a trial that failed the next one begins then at the earliest.
  private var nextAttempt = MonotonicTime.distantPast
  /// Since when the picture waits for the sound.
  private var waitingSince: MonotonicTime?

  /// A microphone gets so long to come before the trial is made without it.
  static let soundPatience = Nanoseconds.seconds(3)
  /// Trial and what the card may take for opening and removing it.
  static let patience = Nanoseconds.seconds(15)

  /// The one that is under way; nil: none is.
  var run: Run? {
    switch phase {
    case .idle: nil
    case .running(let run), .stuck(let run): run
    }
  }

  /// The part that failed last, and what it said; nil: none did.
  var failure: String? {
    if case .stuck = phase { return "card: it does not answer" }
    return last?.parts.first { $0.state == .failed }.map { "\($0.name.rawValue): \($0.text)" }
  }

  /// Whether one is to begin that nobody asked for.
  mutating func isDue(hasSound: Bool, now: MonotonicTime) -> Bool {
    guard run == nil, now >= nextAttempt else { return false }
    let since = waitingSince ?? now
    waitingSince = since
    return hasSound || now - since >= Self.soundPatience
  }

  mutating func begin(hasPictures: Bool, now: MonotonicTime) -> Run {
    count += 1
    let run = Run(number: count, since: now, hasPictures: hasPictures)
    phase = .running(run)
    return run
  }

  /// True once for a trial that takes longer than any that comes back.
  mutating func isNewlyStuck(now: MonotonicTime) -> Bool {
    guard case .running(let run) = phase, now - run.since > Self.patience else { return false }
    phase = .stuck(run)
    return true
  }

  /// The one under way is over.
  /// - Returns: whether it is worth a line: a start that fails again and again for one reason says it once.
  mutating func end(_ check: RecorderStatus.Check, now: MonotonicTime) -> Bool {
    last = check
    phase = .idle
    switch check.result {
    case .passed: failures = 0
    case .failed:
      failures += 1
      // From 3 s doubled up to 30 s.
      nextAttempt = now + min(.seconds(30), .seconds(3) * (Int64(1) << Int64(min(failures - 1, 4))))
    // What interrupted it is a recording, which proves more.
    case .interrupted: break
    }
    let isNews = check.result != .failed || check.outcome != told
    told = check.outcome
    return isNews
  }

  /// Something is back that the last one may have failed for.
  mutating func tryAgain(now: MonotonicTime) { nextAttempt = now }
}

/// What a trial should have held.
struct TrialExpectation {
  var framesPerSecond: Double
  /// False: the camera was known not to deliver when the trial began.
  var hasPictures: Bool
  var hasMicrophone: Bool
  /// False: sound from before a trigger is never written, and no trial is one.
  var triesSound: Bool
  var isMicrophoneLive: Bool
  var recipients: Int
  var clock: ClockState
  var triggers: [RecorderStatus.TriggerSource]
  var minutesLeft: Int?
  var encoder: String
}

extension RecorderStatus.Check {
  /// Each part's own answer, in the order in which footage passes them.
  init(_ report: TrialReport, _ expected: TrialExpectation) {
    var parts: [Part] = []
    func add(_ name: Part.Name, _ state: Part.State, _ text: String) { parts.append(Part(name, state, text)) }
    switch report.outcome {
    case .interrupted:
      self.init(number: report.number, result: .interrupted, parts: [])
      return
    case .passed, .unfinished, .refuted, .failed: break
    }
    let seconds = max(report.media.inSeconds, 0.001)
    Self.addCapture(report, expected, seconds, add)
    switch report.outcome {
    case .failed(let error) where error.kind == .seal || error.kind == .identity:
      add(.keys, .failed, error.description)
    case .failed(let error): add(.card, .failed, error.description)
    case .refuted(let words): add(.card, .failed, words + (words.hasSuffix(".") ? "" : ".") + " Use another card.")
    case .unfinished where report.longestCheckpoint >= .seconds(1):
      add(
        .card, .failed, "too slow: a checkpoint took \(report.longestCheckpoint.inMilliseconds) ms. Use another card.")
    case .unfinished: add(.card, .failed, "the trial did not come to its end, because too little was captured")
    case .passed, .interrupted:
      let left = expected.minutesLeft.map { ", \($0) min of footage left" } ?? ""
      let time = "checkpoints of up to \(report.longestCheckpoint.inMilliseconds) ms"
      add(
        .card, report.isSlow ? .warning : .ok,
        report.isSlow
          ? "slow, \(time)\(left): a power cut may cost more than the last second"
          : "\(time), read back and verified\(left)")
      add(
        .keys, .ok, "signed, and sealed for \(expected.recipients) recipient\(expected.recipients == 1 ? "" : "s")")
    }
    for source in expected.triggers {
      let text = "\(source.kind) \(source.state.rawValue)" + (source.reason.map { ": \($0)" } ?? "")
      add(.triggers, source.state == .listening ? .ok : .warning, text)
    }
    if expected.triggers.isEmpty {
      add(.triggers, .warning, "only `lapel start`: no button and no radio is configured")
    }
    switch expected.clock.trust {
    case .synchronized: add(.clock, .ok, "kept right by its source")
    case .held: add(.clock, .warning, "set, but nothing keeps it right")
    case .none: add(.clock, .warning, "never set: times are wrong until it is")
    }
    let result: Result = parts.contains { $0.state == .failed } ? .failed : .passed
    self.init(number: report.number, result: result, parts: parts)
  }

  private static func addCapture(
    _ report: TrialReport, _ expected: TrialExpectation, _ seconds: Double,
    _ add: (Part.Name, Part.State, String) -> Void
  ) {
    if case .failed = report.outcome, report.frames == 0 { return }
    let due = Int((expected.framesPerSecond * seconds).rounded())
    let frames = "\(report.frames) frames in \(tenths(seconds)) s"
    if !expected.hasPictures {
      add(.camera, .warning, "it does not deliver: only sound is recorded until it is back")
    } else if report.frames * 10 < due || report.frames == 0 {
      add(.camera, .failed, "\(frames), \(due) were due: check the camera, and `dmesg`")
    } else {
      let isShort = report.frames * 10 < due * 8 || report.lostFrames > 0
      add(
        .camera, isShort ? .warning : .ok,
        isShort ? "\(frames), \(due) were due and \(report.lostFrames) are known to be lost" : frames)
      let rate = Int64(Double(report.bytes) * 8 / seconds / 1_000)
      add(.encoder, .ok, "\(expected.encoder), \(rate) kbit/s" + (report.soundPackets > 0 ? " with the sound" : ""))
    }
    guard expected.hasMicrophone else { return }
    if !expected.triesSound, expected.isMicrophoneLive {
      add(.microphone, .ok, "it delivers; without pre-event sound none is written before a trigger, so none was tried")
    } else if report.soundPackets == 0 {
      add(.microphone, .warning, "no sound came: check the microphone; pictures are recorded without it")
    } else {
      let isShort = Double(report.soundPackets) * 0.02 < seconds * 0.8 || report.lostSamples > 0
      add(
        .microphone, isShort ? .warning : .ok,
        "\(tenths(Double(report.soundPackets) * 0.02)) s of sound, \(report.lostSamples) samples lost")
    }
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// For the device log: what is worst, if anything is.
  var outcome: CheckOutcome? {
    switch result {
    case .interrupted: nil
    case .passed:
      CheckOutcome(result: .passed, cause: parts.first { $0.state == .warning }?.name.rawValue)
    case .failed: CheckOutcome(result: .failed, cause: parts.first { $0.state == .failed }?.name.rawValue)
    }
  }
}
