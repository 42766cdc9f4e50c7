/// What a recorder says of itself, at one moment. Nil where nothing is known yet.
public struct RecorderStatus: Hashable, Sendable {
  /// As the wearer is shown it; raw values are part of the protocol.
  public enum State: String, Hashable, Sendable, CaseIterable {
    case starting
    case ready
    case saving
    case recording
    case atRisk = "at_risk"
    case postEvent = "post_event"
    case closing
    case cannotRecord = "cannot_record"
    case stopping

    /// For people.
    public var words: String { String(rawValue.map { $0 == "_" ? " " : $0 }) }
  }

  /// The recording that is open.
  public struct Recording: Hashable, Sendable {
    public var id: String
    /// Counts this device's recordings.
    public var counter: Int64
    /// Milliseconds of media from its first frame to the newest, the pre-event part included.
    public var milliseconds: Int64

    public init(id: String, counter: Int64, milliseconds: Int64) {
      self.id = id
      self.counter = counter
      self.milliseconds = milliseconds
    }
  }

  /// The footage in memory.
  public struct Ring: Hashable, Sendable {
    /// Milliseconds that a trigger now would find; and that the configuration asks for.
    public var heldMilliseconds: Int64
    public var askedMilliseconds: Int64
    public var usedBytes: Int64
    public var capacityBytes: Int64

    public init(heldMilliseconds: Int64, askedMilliseconds: Int64, usedBytes: Int64, capacityBytes: Int64) {
      self.heldMilliseconds = heldMilliseconds
      self.askedMilliseconds = askedMilliseconds
      self.usedBytes = usedBytes
      self.capacityBytes = capacityBytes
    }
  }

  /// The camera and its encoder, counted since the process started.
  public struct Video: Hashable, Sendable {
    /// Device, format and size, as granted.
    public var source: String
    public var encoder: String
    /// Measured over the last seconds; thousandths of a frame a second.
    public var millihertz: Int64?
    public var framesCaptured: Int64
    /// Frames that the camera counted but we never got, were broken, or found no free buffer.
    public var framesDropped: Int64
    /// Frames that the full ring refused.
    public var framesRefused: Int64
    /// Frames waiting for the encoder, and how many may.
    public var queued: Int
    public var queueCapacity: Int

    public init(
      source: String, encoder: String, millihertz: Int64? = nil, framesCaptured: Int64 = 0, framesDropped: Int64 = 0,
      framesRefused: Int64 = 0, queued: Int = 0, queueCapacity: Int = 0
    ) {
      self.source = source
      self.encoder = encoder
      self.millihertz = millihertz
      self.framesCaptured = framesCaptured
      self.framesDropped = framesDropped
      self.framesRefused = framesRefused
      self.queued = queued
      self.queueCapacity = queueCapacity
    }
  }

  /// The microphone.
  public struct Audio: Hashable, Sendable {
    public var source: String
    /// Samples lost since the process started.
    public var samplesLost: Int64

    public init(source: String, samplesLost: Int64 = 0) {
      self.source = source
      self.samplesLost = samplesLost
    }
  }

  /// Where recordings go.
  public struct Store: Hashable, Sendable {
    public var path: String
    /// `ext4`, `f2fs`, …
    public var fileSystem: String
    public var freeBytes: Int64
    /// At the configured bitrate, the reserve for a clean close taken off.
    public var minutesLeft: Int?

    public init(path: String, fileSystem: String, freeBytes: Int64, minutesLeft: Int? = nil) {
      self.path = path
      self.fileSystem = fileSystem
      self.freeBytes = freeBytes
      self.minutesLeft = minutesLeft
    }
  }

  /// The power supply.
  public struct Power: Hashable, Sendable {
    /// Raw values are part of the protocol.
    public enum Level: String, Hashable, Sendable, CaseIterable {
      case external, normal, low, critical
    }
    public enum Source: String, Hashable, Sendable, CaseIterable {
      case external, battery
    }

    /// Nil: nothing tells.
    public var level: Level?
    /// Of the battery, 0...100.
    public var percent: Int?
    /// What feeds the camera.
    public var source: Source?
    /// Until the battery is empty, by its own reckoning.
    public var minutesLeft: Int?
    /// The supply has given warning that it fails.
    public var isFailing: Bool

    public init(
      level: Level? = nil, percent: Int? = nil, source: Source? = nil, minutesLeft: Int? = nil, isFailing: Bool = false
    ) {
      self.level = level
      self.percent = percent
      self.source = source
      self.minutesLeft = minutesLeft
      self.isFailing = isFailing
    }
  }

  /// Something that can start a recording, beside the control socket.
  public struct TriggerSource: Hashable, Sendable {
    /// Raw values are part of the protocol.
    public enum State: String, Hashable, Sendable, CaseIterable {
      /// It is being opened for the first time.
      case starting
      case listening
      /// It cannot be heard.
      case deaf
      /// The button has been held for so long that nobody can mean it.
      case stuck
    }

    /// `button`, `mute` for the second button, `radio`.
    public var kind: String
    /// Where it is, as in the configuration.
    public var place: String
    public var state: State
    /// Why it does not listen, and what to do. One line.
    public var reason: String?

    public init(kind: String, place: String, state: State, reason: String? = nil) {
      self.kind = kind
      self.place = place
      self.state = state
      self.reason = reason
    }
  }

  /// A recording that the start found interrupted, and recovered.
  public struct Interrupted: Hashable, Sendable {
    public var id: String
    public var counter: Int64
    public var segments: Int
    /// Milliseconds of media that are attested.
    public var attestedMilliseconds: Int64
    /// The same in one line.
    public var words: String

    public init(id: String, counter: Int64, segments: Int, attestedMilliseconds: Int64, words: String) {
      self.id = id
      self.counter = counter
      self.segments = segments
      self.attestedMilliseconds = attestedMilliseconds
      self.words = words
    }
  }

  /// What came of recording, verifying and removing two seconds.
  public struct Check: Hashable, Sendable {
    /// Raw values are part of the protocol.
    public enum Result: String, Hashable, Sendable, CaseIterable {
      /// What is triggered is recorded; parts may have warnings.
      case passed
      case failed
      /// A trigger came, or the recorder ends.
      case interrupted
    }

    /// One of those that footage passes, or that start it.
    public struct Part: Hashable, Sendable {
      public enum Name: String, Hashable, Sendable, CaseIterable {
        case camera, microphone, encoder, card, keys, triggers, clock
      }
      public enum State: String, Hashable, Sendable, CaseIterable { case ok, warning, failed }

      public var name: Name
      public var state: State
      /// One line: what was seen and, where something is wrong, what to do.
      public var text: String

      public init(_ name: Name, _ state: State, _ text: String) {
        self.name = name
        self.state = state
        self.text = text
      }
    }

    /// Rises from 1 with each check of the process.
    public var number: Int
    public var result: Result
    /// May hold a name more than once.
    public var parts: [Part]

    public init(number: Int, result: Result, parts: [Part]) {
      self.number = number
      self.result = result
      self.parts = parts
    }

    public var hasWarnings: Bool { parts.contains { $0.state != .ok } }

    /// One line for people.
    public var sentence: String {
      let wrong = parts.filter { $0.state != .ok }.map { "\($0.name.rawValue): \($0.text)" }
      return ([result.rawValue] + wrong).joined(separator: "; ")
    }
  }

  public var state: State
  /// Why, where the state does not say it: a fault, or what is at risk. One line.
  public var reason: String?
  public var recording: Recording?
  public var ring: Ring?
  public var video: Video?
  public var audio: Audio?
  public var store: Store?
  public var power: Power?
  public var triggers: [TriggerSource] = []
  /// The newest check that is over; nil: none yet.
  public var check: Check?
  /// All lights, tones and vibration are silent.
  public var isStealth = false
  /// No sound is recorded now.
  public var isMuted = false
  /// Now less the end of what is durable on the card, while recording.
  public var lagMilliseconds: Int64?
  public var checkpointAgeMilliseconds: Int64?
  /// Recordings that this start found interrupted.
  public var interrupted: [Interrupted] = []
  /// What works less well than configured, or is not as it should be on the card, one line each.
  public var warnings: [String] = []
  /// Wall time when the process started, milliseconds since 1970 UTC, and how long ago that is by the monotonic clock.
  public var startedWallMilliseconds: Int64
  public var uptimeMilliseconds: Int64
  /// Of the software.
  public var version: String
  /// Of the evidence format that it writes.
  public var formatVersion: Int

  public init(
    state: State, startedWallMilliseconds: Int64, uptimeMilliseconds: Int64, version: String, formatVersion: Int
  ) {
    self.state = state
    self.startedWallMilliseconds = startedWallMilliseconds
    self.uptimeMilliseconds = uptimeMilliseconds
    self.version = version
    self.formatVersion = formatVersion
  }
}
