/// The keys of journal and device-log lines: one place for writer and verifier.
enum Key {
  static let id = "id"
  static let device = "dev"
  static let publicKey = "pub"
  static let recordingCounter = "rec"
  static let startCounter = "start"
  static let boot = "boot"
  static let logNumber = "logn"
  static let logHash = "logh"
  static let recipientsVersion = "rcptv"
  static let recipientsHash = "rcpth"
  static let rolesVersion = "rolev"
  static let rolesHash = "roleh"
  static let demo = "demo"
  static let camera = "cam"
  static let microphone = "mic"
  static let wall = "w"
  static let wallSource = "wsrc"
  static let wallTrust = "wtrust"
  static let monotonic = "mono"
  static let version = "ver"
  static let softwareHash = "soft"
  static let configurationHash = "conf"
  static let segment = "seg"
  static let stream = "stream"
  static let headerLength = "hlen"
  static let hash = "hash"
  static let initLength = "ilen"
  static let commitment = "com"
  static let previousEnd = "prev"
  static let chunks = "k"
  static let length = "len"
  static let terminator = "term"
  static let mediaTime = "mt"
  static let firstIDR = "idr"
  static let lag = "lag"
  static let framesLost = "flost"
  static let samplesLost = "slost"
  static let idle = "idle"
  static let reason = "reason"
  static let code = "code"
  static let track = "track"
  static let from = "from"
  static let to = "to"
  static let cause = "cause"
  static let what = "what"
  static let free = "free"
  static let percent = "pct"
  static let was = "was"
  static let source = "src"
  static let why = "why"
  static let edge = "edge"
  static let decided = "dec"
  static let preEventAsked = "asked"
  static let preEventHeld = "held"
  static let shortfall = "short"
  static let result = "res"
  static let count = "count"
  static let with = "with"
  static let segments = "segs"
  static let duration = "dur"
  static let line = "line"
  static let lineHash = "lineh"
  static let lastNumber = "lastn"
  static let lastHash = "lasth"
  static let tail = "tail"
  static let tailHash = "tailh"
  static let size = "size"
  static let upTo = "upto"
  static let files = "files"
  static let changed = "changed"
  static let late = "late"
  static let log = "log"
  static let journal = "journal"
  static let receipt = "rcpt"
  static let by = "by"
  static let key = "key"
  static let note = "note"
  static let nonce = "nonce"
  static let dockWall = "dockw"
}

/// Wall time beside the monotonic clock, taken together.
public struct ClockReading: Hashable, Sendable {
  /// ms since 1970 UTC (CLOCK_REALTIME). 0 or more.
  public var wall: Int64
  /// ns of CLOCK_BOOTTIME. 0 or more.
  public var monotonic: Int64

  public init(wall: Int64, monotonic: Int64) {
    self.wall = wall
    self.monotonic = monotonic
  }
}

/// Where the wall clock got its time.
public enum WallClockSource: String, CaseIterable, Sendable {
  case unknown, rtc, ntp, gnss, dock, user
}

/// How far the wall clock may be believed.
public enum WallClockTrust: String, CaseIterable, Sendable {
  /// Never set since the clock lost power.
  case none
  /// Set once, running on its own since.
  case held
  /// Disciplined by its source now.
  case synchronized = "synced"
}

/// The kind of a video source. Names are inside the footage only.
public enum CameraKind: String, CaseIterable, Sendable {
  case none, synthetic, v4l2
}

/// The kind of a sound source.
public enum MicrophoneKind: String, CaseIterable, Sendable {
  case none, synthetic, alsa
}

/// A note that was in force: its version and the SHA-256 of its whole file.
public struct NoteReference: Hashable, Sendable {
  /// 1 or more.
  public var version: Int64
  public var hash: Hash32

  public init(version: Int64, hash: Hash32) {
    self.version = version
    self.hash = hash
  }
}

/// What OPEN says of the camera and its state.
public struct OpenFacts: Hashable, Sendable {
  /// The recording's number on this device, from 1.
  public var recordingCounter: Int64
  /// How often the recorder has started on this device, from 1.
  public var startCounter: Int64
  /// The kernel's boot id (/proc/sys/kernel/random/boot_id without its hyphens).
  public var boot: EvidenceID
  /// The last line of the device log.
  public var deviceLog: ChainHead
  public var recipients: NoteReference
  public var roles: NoteReference
  /// Whether the agency's keys are demonstration keys.
  public var isDemo: Bool
  public var camera: CameraKind
  public var microphone: MicrophoneKind
  public var clock: ClockReading
  public var clockSource: WallClockSource
  public var clockTrust: WallClockTrust
  /// The recorder's version, for people.
  public var softwareVersion: String
  /// SHA-256 of the running executable.
  public var softwareHash: Hash32
  /// SHA-256 of the effective configuration.
  public var configurationHash: Hash32
  /// What began it; nil in recordings of early versions.
  public var start: StartFacts?

  public init(
    recordingCounter: Int64, startCounter: Int64, boot: EvidenceID, deviceLog: ChainHead, recipients: NoteReference,
    roles: NoteReference, isDemo: Bool, camera: CameraKind, microphone: MicrophoneKind, clock: ClockReading,
    clockSource: WallClockSource, clockTrust: WallClockTrust, softwareVersion: String, softwareHash: Hash32,
    configurationHash: Hash32, start: StartFacts? = nil
  ) {
    self.recordingCounter = recordingCounter
    self.startCounter = startCounter
    self.boot = boot
    self.deviceLog = deviceLog
    self.recipients = recipients
    self.roles = roles
    self.isDemo = isDemo
    self.camera = camera
    self.microphone = microphone
    self.clock = clock
    self.clockSource = clockSource
    self.clockTrust = clockTrust
    self.softwareVersion = softwareVersion
    self.softwareHash = softwareHash
    self.configurationHash = configurationHash
    self.start = start
  }
}

/// What CKPT says beyond the seal.
public struct CheckpointFacts: Hashable, Sendable {
  /// µs of media: the end of what is now durable.
  public var mediaTime: Int64
  /// Offset, in the segment's plaintext, of the `moof` that holds the range's first IDR; nil when there is none.
  public var firstIDR: Int64?
  public var clock: ClockReading
  /// ms from the end of durable media to now.
  public var lag: Int64
  /// Video frames lost since the recording began, as far as known.
  public var framesLost: Int64
  /// Sound samples lost since the recording began, as far as known.
  public var samplesLost: Int64

  public init(
    mediaTime: Int64, firstIDR: Int64?, clock: ClockReading, lag: Int64, framesLost: Int64, samplesLost: Int64
  ) {
    self.mediaTime = mediaTime
    self.firstIDR = firstIDR
    self.clock = clock
    self.lag = lag
    self.framesLost = framesLost
    self.samplesLost = samplesLost
  }
}

/// Why a segment was given up.
public enum AbandonReason: String, CaseIterable, Sendable {
  /// A write failed or was short for good.
  case write
  /// fdatasync failed: what the card holds is unknown.
  case sync
  /// No space left.
  case full
  /// Sealing failed or broke a rule.
  case seal
  case other
}

/// Why a recording ended.
public enum CloseReason: String, CaseIterable, Sendable {
  /// The wearer or a command.
  case stop
  /// The post-event time ran out.
  case timeout
  /// The recorder was told to end (SIGTERM, Ctrl-C).
  case shutdown
  /// Battery or supply.
  case power
  /// The card is full.
  case full
  /// An error from which it could not recover.
  case error
}
