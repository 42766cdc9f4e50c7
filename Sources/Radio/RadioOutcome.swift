import Media

/// The wall clock as a gate needs it.
public struct RadioClock: Hashable, Sendable {
  /// Minutes since 1970 UTC modulo 65,536.
  public var minute: UInt16
  /// False: nothing keeps the clock right, so the age of an advertisement is not checked.
  public var isTrusted: Bool

  public init(minute: UInt16, isTrusted: Bool) {
    self.minute = minute
    self.isTrusted = isTrusted
  }

  /// - Parameter wallMilliseconds: ms since 1970 UTC.
  public init(wallMilliseconds: Int64, isTrusted: Bool) {
    self.init(minute: RadioAdvertisement.minute(ofWall: wallMilliseconds), isTrusted: isTrusted)
  }
}

/// An event that came by radio, and how far it can be believed.
public struct RadioSignal: Hashable, Sendable {
  public enum Source: Hashable, Sendable {
    /// An emitter that has the group's key.
    /// - ageMinutes: by our clock; negative: the emitter's clock is ahead. Nil: our clock is not trusted, and the age was
    ///   not checked.
    case emitter(group: UInt16, emitter: UInt16, counter: UInt32, ageMinutes: Int?)
    /// Anybody who sends what a plain rule asks for; the rule's place in the settings.
    case rule(Int)
  }

  public var event: RadioEvent
  public var source: Source
  public var address: BluetoothAddress
  /// dBm; nil when the controller does not know.
  public var rssi: Int8?

  public init(event: RadioEvent, source: Source, address: BluetoothAddress, rssi: Int8?) {
    self.event = event
    self.source = source
    self.address = address
    self.rssi = rssi
  }

  /// False for a plain rule's.
  public var isAuthenticated: Bool {
    switch source {
    case .emitter: true
    case .rule: false
    }
  }

  /// False where the age of it could not be checked.
  public var isAgeKnown: Bool {
    switch source {
    case .emitter(_, _, _, let age): age != nil
    case .rule: false
    }
  }
}

/// Why a report is no event. The raw value is the word for journals.
public enum RadioRefusal: String, Hashable, Sendable, CaseIterable {
  /// Somebody else's advertisement: the usual case, never told.
  case notOurs = "not_ours"
  /// It begins like ours and is not: cut, too long, or of another version.
  case malformed
  /// Of a group whose key is not here.
  case unknownGroup = "unknown_group"
  /// Changed, or made without the group's key.
  case badMAC = "bad_mac"
  /// With the right key, by an emitter that is not listed.
  case unknownEmitter = "unknown_emitter"
  /// Its counter was used before.
  case replayed
  /// Its minute is more than the limit away from a trusted clock, in either direction.
  case tooOld = "too_old"
  /// More than the emitter, or all together, may send.
  case rateLimited = "rate_limited"
}

/// What becomes of one report. A signal can start and mark: nothing here stops or mutes, so no radio signal ever can.
public enum RadioOutcome: Hashable, Sendable {
  /// Start a recording; a running one goes on.
  case start(RadioSignal)
  /// Set a mark where a recording runs.
  case mark(RadioSignal)
  /// A test that arrived as it should.
  case test(RadioSignal)
  /// The same advertisement as before: the same event, about which nothing more is to be done.
  case repeated(RadioSignal)
  /// Refused, and to be told: the first of its cause in a minute.
  /// - untold: how many of the cause were refused since the last one that was told, without this one.
  case refused(RadioRefusal, untold: Int)
  /// Refused; its cause was told within the last minute, or need not be told.
  case quiet(RadioRefusal)
}

/// What was refused without being told.
public struct RadioSummary: Hashable, Sendable {
  public var refusal: RadioRefusal
  /// At least 1.
  public var count: Int
}

/// Decides which refusals are told: each cause at most once a minute, `RadioRefusal.notOurs` never. As many entries as there are
/// causes, whatever is received.
struct RefusalLog: Hashable, Sendable {
  static let rest = Nanoseconds.seconds(60)

  private struct Entry: Hashable, Sendable {
    var told: MonotonicTime?
    var untold = 0
  }

  private var entries: [RadioRefusal: Entry] = [:]

  mutating func add(_ refusal: RadioRefusal, at now: MonotonicTime) -> RadioOutcome {
    guard refusal != .notOurs else { return .quiet(refusal) }
    var entry = entries[refusal] ?? Entry()
    defer { entries[refusal] = entry }
    if let told = entry.told, now < told + Self.rest {
      entry.untold = min(entry.untold, .max - 1) + 1
      return .quiet(refusal)
    }
    defer { entry = Entry(told: now) }
    return .refused(refusal, untold: entry.untold)
  }

  /// When the next summary is due; nil: nothing is untold.
  var deadline: MonotonicTime? {
    entries.values.compactMap { entry in entry.untold > 0 ? entry.told.map { $0 + Self.rest } : nil }.min()
  }

  /// Those that were not told, due or not.
  var untold: [RadioSummary] {
    RadioRefusal.allCases.compactMap { refusal in
      guard let entry = entries[refusal], entry.untold > 0 else { return nil }
      return RadioSummary(refusal: refusal, count: entry.untold)
    }
  }

  /// Those that are due, each of which counts as its cause being told now.
  mutating func summaries(at now: MonotonicTime) -> [RadioSummary] {
    RadioRefusal.allCases.compactMap { refusal in
      guard let entry = entries[refusal], entry.untold > 0, let told = entry.told, now >= told + Self.rest else {
        return nil
      }
      entries[refusal] = Entry(told: now)
      return RadioSummary(refusal: refusal, count: entry.untold)
    }
  }
}
