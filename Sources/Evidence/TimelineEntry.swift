/// One thing that the audit log tells, in its place.
public struct TimelineEntry: Hashable, Sendable {
  /// Where it stands, for who wants to look.
  public enum Place: Hashable, Sendable {
    /// A line of the device log.
    case deviceLog(Int64)
    /// A line of the recording's journal.
    case journal(Int64)
    /// Inside the sealed footage, which was opened.
    case footage
    /// In none: it follows from what stands around it.
    case derived
  }

  public struct Recording: Hashable, Sendable {
    public var counter: Int64
    /// Nil where only the counter is known.
    public var id: EvidenceID?

    public init(counter: Int64, id: EvidenceID?) {
      self.counter = counter
      self.id = id
    }
  }

  public var place: Place
  /// By the camera's own clocks; nil when nothing says when.
  public var clock: ClockReading?
  /// How far the wall clock could be believed then; nil where that is not known.
  public var trust: WallClockTrust?
  /// What it belongs to.
  public var recording: Recording?
  public var event: TimelineEvent

  public init(
    _ event: TimelineEvent, place: Place, clock: ClockReading?, recording: Recording? = nil,
    trust: WallClockTrust? = nil
  ) {
    self.place = place
    self.clock = clock
    self.recording = recording
    self.event = event
    self.trust = trust
  }
}

/// What an entry of the audit log says.
public enum TimelineEvent: Hashable, Sendable {
  case start(RecorderStart)
  /// A recording exists from here on. OPEN's facts where its journal is at hand; late: a start that found it says so.
  case opened(OpenFacts?, isLate: Bool)
  /// It was closed; with what CLOSE says, where its journal is at hand.
  case closed(JournalDigest.Closing?, isLate: Bool)
  /// Any other line of the device log.
  case logged(DeviceLogEntry)
  /// The recorder and its settings, as OPEN has them: told with the first recording of a start, for they stay the same.
  case software(SoftwareFacts)
  case journal(JournalEvent)
  case gaps(GapRun)
  case abandoned(segment: Int64, AbandonReason)
  case checkpoints(JournalDigest.Checkpoints)
  /// So many events of the recording are not told.
  case omitted(Int64)
  /// Its journal ends here and was not closed. `mayRun`: it is the newest, and may be going on; otherwise it was cut off.
  case unclosed(tornByteCount: Int64, mayRun: Bool)
  /// A directory of a recording is not at hand, or could not be read.
  case notAtHand(String)
  /// What the wearer did.
  case footage(FootageNote)
  /// Footage that could not be opened or proved.
  case sealed(String)
  /// What is wrong with a recording's journal.
  case finding(Finding)
  case unknown(UnknownLine)
  /// Lines that could not be read, or are not there.
  case missingLines(ClosedRange<Int64>)
  /// The wall clock moved against the other one by so many ms; across boots only when it fell.
  case clockJump(milliseconds: Int64, isAcrossBoots: Bool)
}

/// What the recorder was, and how it was set.
public struct SoftwareFacts: Hashable, Sendable {
  public var version: String
  /// SHA-256 of the executable and of the effective configuration.
  public var software: Hash32
  public var configuration: Hash32

  public init(_ facts: OpenFacts) {
    version = facts.softwareVersion
    software = facts.softwareHash
    configuration = facts.configurationHash
  }
}

/// What the wearer did, as it was found inside the opened footage: `trigger`, `mark`, `stop`, `stealth` and others.
public struct FootageNote: Hashable, Sendable {
  /// µs of media.
  public var time: Int64
  public var value: String
  /// Lines of `key=value`, or a word. Anything may stand in it: a label is the wearer's.
  public var message: String

  /// - Parameter seconds: on the recording's timeline.
  public init(seconds: Double, value: String, message: String) {
    let microseconds = (seconds * 1e6).rounded()
    // Times come from the file: 2^53 µs are 285 years.
    time = microseconds >= 0 && microseconds < 0x1p53 ? Int64(microseconds) : 0
    self.value = value
    self.message = message
  }

  /// The value of a `key=value` line.
  public func fact(_ key: String) -> String? {
    for line in message.split(separator: "\n") where line.hasPrefix(key + "=") {
      return String(line.dropFirst(key.count + 1))
    }
    return nil
  }

  /// The label of a marker: the last of its facts, and everything behind it.
  public var label: String? {
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.firstIndex(where: { $0.hasPrefix("label=") }) else { return nil }
    return lines[first...].joined(separator: "\n").dropFirst("label=".count).description
  }
}
