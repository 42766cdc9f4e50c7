/// Whether the recording is what the camera signed. In order, worst last.
public enum Integrity: String, CaseIterable, Comparable, Sendable {
  case intact = "INTACT"
  /// Something that this version does not know; nothing is said about it.
  case unsupported = "UNSUPPORTED"
  /// The device is not the one that the agency enrolled, or nothing is known of it.
  case unknownDevice = "UNKNOWN_DEVICE"
  case revoked = "REVOKED"
  /// A file, a line or a recipient that does not belong here.
  case foreign = "FOREIGN"
  /// Signed lines stand in another order than they were written.
  case reordered = "REORDERED"
  /// The ciphertext is as signed, the plaintext is not.
  case commitmentMismatch = "COMMITMENT_MISMATCH"
  case altered = "ALTERED"
  /// There is no valid first line, or the device key did not sign it.
  case unsigned = "UNSIGNED"

  public static func < (left: Integrity, right: Integrity) -> Bool { left.rank < right.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// How the recording ends. In order, worst last.
public enum RecordingEnd: String, CaseIterable, Comparable, Sendable {
  case closed = "CLOSED"
  case interrupted = "INTERRUPTED"
  /// More was attested than is here.
  case truncated = "TRUNCATED"

  public static func < (left: RecordingEnd, right: RecordingEnd) -> Bool { left.rank < right.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Whether anything is missing around the recording. In order, worst last.
public enum Completeness: String, CaseIterable, Comparable, Sendable {
  case continuous = "CONTINUOUS"
  /// No device log at hand, or not one that reaches from the beginning over this recording.
  case notChecked = "NOT_CHECKED"
  /// The device log ends in bytes that are no valid line and that no later log attests: a torn line, or a changed one.
  case tornDeviceLog = "TORN_DEVICE_LOG"
  case missingSegment = "MISSING_SEGMENT"
  case missingRecording = "MISSING_RECORDING"
  /// The device log is older than what the recording saw of it, or lacks lines that a later start of the camera knew of.
  case rollback = "ROLLBACK"
  /// Two different lines for one place.
  case equivocation = "EQUIVOCATION"

  public static func < (left: Completeness, right: Completeness) -> Bool { left.rank < right.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Something worth saying that changes no answer.
public enum Remark: String, CaseIterable, Sendable {
  /// The journal ends in a piece of a line.
  case tornJournal = "TORN_JOURNAL"
  /// The journal ends in bytes that are no torn line.
  case damagedTail = "DAMAGED_TAIL"
  /// Bytes after the last checkpoint: probably footage, attested by nothing.
  case unattestedTail = "UNATTESTED_TAIL"
  /// Bytes after the last checkpoint that the camera found there at a later start: older than that start, no more is known.
  case cameraSeen = "CAMERA_SEEN"
  /// The journal goes on behind where a later start of the camera found its end: those lines were not on the card then.
  case longerThanRecovered = "LONGER_THAN_RECOVERED"
  /// A directory in which the camera was cut off before the recording existed.
  case void = "VOID"
  /// The segment is a copy that was cut at its last checkpoint and ended with its terminator.
  case repaired = "REPAIRED_COPY"
  /// A segment that the camera gave up.
  case abandoned = "ABANDONED_SEGMENT"
  /// The device log does not reach back to the device's first line, or not up to this recording.
  case shortDeviceLog = "SHORT_DEVICE_LOG"
  /// OPEN names another version of a note than the one at hand.
  case otherNote = "OTHER_NOTE"
  /// The device log holds a line that a dock has seen: it was not cut before that.
  case anchored = "ANCHORED"
  /// The device log at hand begins later; up to there a receipt found it continuous.
  case sinceReceipt = "SINCE_RECEIPT"
  /// The camera has deleted this recording against a receipt.
  case deleted = "DELETED"
  case keyOnRemovableStorage = "KEY_ON_REMOVABLE_STORAGE"
}

/// One thing that was found, and where.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
  public enum Answer: Hashable, Sendable {
    case integrity(Integrity)
    case end(RecordingEnd)
    case completeness(Completeness)
    case remark(Remark)

    /// The word for it, as in `ALTERED`.
    public var word: String {
      switch self {
      case .integrity(let value): value.rawValue
      case .end(let value): value.rawValue
      case .completeness(let value): value.rawValue
      case .remark(let value): value.rawValue
      }
    }
  }

  public var answer: Answer
  /// The file, below the recording's directory; nil when it is about no single file.
  public var file: String?
  /// Bytes of that file.
  public var range: Range<Int64>?
  /// The journal line's n.
  public var line: Int64?
  /// One sentence.
  public var detail: String

  public init(_ answer: Answer, file: String? = nil, range: Range<Int64>? = nil, line: Int64? = nil, _ detail: String) {
    self.answer = answer
    self.file = file
    self.range = range
    self.line = line
    self.detail = detail
  }

  public var description: String {
    var place = file ?? ""
    if let line { place += place.isEmpty ? "line \(line)" : " line \(line)" }
    if let range { place += " bytes \(range.lowerBound)..<\(range.upperBound)" }
    return place.isEmpty ? "\(answer.word): \(detail)" : "\(answer.word) \(place): \(detail)"
  }

  /// What a command that looks at a whole store exits with for it: as the headline; 0 for what is no fault of the store.
  public var exitCode: Int32 {
    switch answer {
    case .integrity(let value): Headline.integrity(value).exitCode
    case .completeness(let value): Headline.completeness(value).exitCode
    case .end(.truncated): Headline.truncated.exitCode
    case .end, .remark: 0
    }
  }
}

/// The one word that stands for all three answers: the worst of them. A torn device log stands behind what is wrong with
/// the recording itself.
public enum Headline: Hashable, Sendable {
  case verified
  case verifiedAlone
  case selfConsistent
  case verifiedWithGaps
  case verifiedTo
  case truncated
  case completeness(Completeness)
  case integrity(Integrity)

  public var word: String {
    switch self {
    case .verified: "VERIFIED"
    case .verifiedAlone: "VERIFIED_ALONE"
    case .selfConsistent: "SELF_CONSISTENT"
    case .verifiedWithGaps: "VERIFIED_WITH_GAPS"
    case .verifiedTo: "VERIFIED_TO"
    case .truncated: RecordingEnd.truncated.rawValue
    case .completeness(let value): value.rawValue
    case .integrity(let value): value.rawValue
    }
  }

  /// What a command exits with: 0 for VERIFIED alone; 10 to 15 where nothing contradicts the recording; 20 and above
  /// where something does.
  public var exitCode: Int32 {
    switch self {
    case .verified: 0
    case .verifiedAlone: 10
    case .selfConsistent: 11
    case .verifiedWithGaps: 12
    case .verifiedTo: 13
    case .integrity(.unsupported), .integrity(.intact): 14
    case .truncated: 20
    case .completeness(.tornDeviceLog): 15
    case .completeness(.missingSegment): 21
    case .completeness(.missingRecording): 22
    case .completeness(.rollback): 23
    case .completeness(.equivocation): 24
    case .completeness(.continuous), .completeness(.notChecked): 25
    case .integrity(.unknownDevice): 30
    case .integrity(.revoked): 31
    case .integrity(.foreign): 32
    case .integrity(.reordered): 33
    case .integrity(.commitmentMismatch): 34
    case .integrity(.altered): 35
    case .integrity(.unsigned): 36
    }
  }
}

/// What a verification found. Plain values; a command turns them into words or JSON.
public struct Verdict: Hashable, Sendable {
  /// Findings kept, at most; later ones still count for the answers.
  public static let findingLimit = 200

  public private(set) var integrity: Integrity = .intact
  public private(set) var end: RecordingEnd = .interrupted
  public private(set) var completeness: Completeness = .notChecked
  public private(set) var findings: [Finding] = []
  /// Findings that were not kept.
  public private(set) var findingsOmitted = 0

  /// What OPEN says; nil without a valid OPEN.
  public internal(set) var opening: Opening?
  /// Valid journal lines.
  public internal(set) var lines: Int64 = 0
  /// SEG lines.
  public internal(set) var segments: Int64 = 0
  public internal(set) var abandonedSegments: Int64 = 0
  public internal(set) var checkpoints: Int64 = 0
  /// EVT lines that say gap.
  public internal(set) var gaps: Int64 = 0
  /// What they say, summed up by cause.
  public internal(set) var missing: [JournalEvent.GapCause: MissingMedia] = [:]
  public internal(set) var framesLost: Int64 = 0
  public internal(set) var samplesLost: Int64 = 0
  /// End of what is attested: µs of media, and ms since 1970 by the camera's clock. Nil without any CKPT.
  public internal(set) var mediaTime: Int64?
  public internal(set) var wall: Int64?
  /// ns of CLOCK_BOOTTIME when the first CKPT with footage was made: the first footage was on the card, its flush aside.
  public internal(set) var firstDurable: Int64?
  public internal(set) var closeReason: CloseReason?
  /// The journal's last valid line.
  public internal(set) var head: ChainHead?
  /// The dock that the camera was in last before it opened the recording, with that dock's time: it is not older.
  public internal(set) var docking: Docking?
  /// A later start of the camera found the recording interrupted, and just as it is here.
  public internal(set) var isRecovered = false
  /// No recording: the device log voids its counter.
  public internal(set) var isVoid = false
  /// How to make a valid age file of each segment that did not end cleanly.
  public internal(set) var repairs: [RepairPlan] = []
  /// Whether any note at hand is a demonstration's.
  public internal(set) var hasDemoTrust = false

  /// Gaps of one cause.
  public struct MissingMedia: Hashable, Sendable {
    public internal(set) var gaps: Int64 = 0
    /// µs of picture and of sound that they span.
    public internal(set) var video: Int64 = 0
    public internal(set) var sound: Int64 = 0
  }

  /// What OPEN says of itself.
  public struct Opening: Hashable, Sendable {
    public let id: EvidenceID
    public let device: EvidenceID
    public let hash: Hash32
    public let facts: OpenFacts
  }

  public init() {}

  /// Counts a finding: an answer only ever becomes worse.
  public mutating func add(_ finding: Finding) {
    switch finding.answer {
    case .integrity(let value): integrity = max(integrity, value)
    case .end(let value): end = max(end, value)
    case .completeness(let value): completeness = max(completeness, value)
    case .remark: break
    }
    if findings.count < Self.findingLimit { findings.append(finding) } else { findingsOmitted += 1 }
  }

  mutating func markClosed() { if end == .interrupted { end = .closed } }
  mutating func markContinuous() { if completeness == .notChecked { completeness = .continuous } }

  public var isSynthetic: Bool {
    guard let facts = opening?.facts else { return false }
    return facts.camera == .synthetic || facts.microphone == .synthetic
  }

  public var isDemo: Bool { hasDemoTrust || opening?.facts.isDemo ?? false }

  public var hasRemovableKey: Bool { findings.contains { $0.answer == .remark(.keyOnRemovableStorage) } }

  public var headline: Headline {
    if integrity != .intact { return .integrity(integrity) }
    if completeness > .tornDeviceLog { return .completeness(completeness) }
    if end == .truncated { return .truncated }
    if end == .interrupted { return .verifiedTo }
    if abandonedSegments > 0 { return .verifiedWithGaps }
    if completeness == .tornDeviceLog { return .completeness(.tornDeviceLog) }
    if hasRemovableKey { return .selfConsistent }
    return completeness == .continuous ? .verified : .verifiedAlone
  }

  /// The first line for people: the prefixes, the headline's word, and one sentence.
  public var sentence: String {
    let prefix = (isSynthetic ? "SYNTHETIC " : "") + (isDemo ? "DEMO KEY " : "")
    return "\(prefix)\(headline.word)\(headline == .verifiedTo ? " \(Self.time(mediaTime ?? 0))" : ""): \(meaning)"
  }

  private var meaning: String {
    switch headline {
    case .verified:
      "every byte is as the camera signed it, the recording was closed, and the device log shows nothing missing."
    case .verifiedAlone:
      "every byte is as the camera signed it and the recording was closed; whether other recordings are missing was not checked."
    case .selfConsistent:
      "the recording agrees with itself, but the device key lay on storage that can be taken out and copied."
    case .verifiedWithGaps:
      "what is here is as the camera signed it; \(abandonedSegments) segment(s) were given up after an error."
    case .verifiedTo:
      isVoid
        ? "the camera was cut off before this became a recording; there is no footage."
        : (checkpoints == 0
          ? "the recording was interrupted before its first checkpoint; nothing of the footage is attested."
          : "the recording was interrupted; up to this point every byte is as the camera signed it.")
          + (isRecovered ? " The camera found it so when it started again." : "")
    case .truncated: first { $0 == .end(.truncated) }
    case .completeness(.tornDeviceLog):
      "every byte is as the camera signed it and the recording was closed; the device log ends in bytes that no one signed, so what it said there is not known."
    case .completeness(let value): first { $0 == .completeness(value) }
    case .integrity(let value): first { $0 == .integrity(value) }
    }
  }

  private func first(_ matches: (Finding.Answer) -> Bool) -> String {
    guard let finding = findings.first(where: { matches($0.answer) }) else { return "see the findings." }
    let text = finding.description.dropFirst(finding.answer.word.utf8.count)
    return String(text.drop { $0 == ":" || $0 == " " })
  }

  /// `h:mm:ss.mmm` of µs.
  static func time(_ microseconds: Int64) -> String {
    let milliseconds = microseconds / 1_000
    let seconds = milliseconds / 1_000
    return "\(seconds / 3600):\(EvidenceName.padded(seconds / 60 % 60, 2)):\(EvidenceName.padded(seconds % 60, 2))."
      + EvidenceName.padded(milliseconds % 1_000, 3)
  }
}

extension Verdict.MissingMedia {
  /// Sums stop at the largest number: the journal may be a hostile one.
  mutating func add(_ span: Range<Int64>, isVideo: Bool) {
    gaps += 1
    let length = span.upperBound - span.lowerBound
    if isVideo {
      video = video > Int64.max - length ? Int64.max : video + length
    } else {
      sound = sound > Int64.max - length ? Int64.max : sound + length
    }
  }
}
