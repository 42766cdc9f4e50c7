/// Who asked for a recording and when, in words of a closed form: for OPEN and for the device log. Nothing that the wearer
/// said or named is in it.
public struct TriggerFacts: Hashable, Sendable {
  /// `button`, `socket`, `schedule`, `radio`, `demo`: 1 to 24 of a-z, 0-9 and `_`; readers take others as they are.
  public var source: String
  /// The gesture, or what a radio signal stands for; of the same form. Nil where the source says all.
  public var reason: String?
  /// ns of CLOCK_BOOTTIME at the first edge. 0 or more.
  public var edge: Int64
  /// ns of CLOCK_BOOTTIME when it was understood; not before `edge`.
  public var decided: Int64

  public init(source: String, reason: String?, edge: Int64, decided: Int64) {
    self.source = source
    self.reason = reason
    self.edge = edge
    self.decided = decided
  }

  init(_ keys: Keys) throws(EvidenceError) {
    source = try keys.code(Key.source)
    reason = keys.line.encoded(Key.why)
    edge = try keys.number(Key.edge)
    decided = try keys.number(Key.decided)
    guard isValid else { throw keys.missing(Key.source) }
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.source, code: source)
    if let reason { fields.add(Key.why, code: reason) }
    fields.add(Key.edge, edge)
    fields.add(Key.decided, decided)
  }

  var isValid: Bool {
    Self.isCode(source) && (reason.map(Self.isCode) ?? true) && edge >= 0 && decided >= edge
  }

  static func isCode(_ text: String) -> Bool {
    (1...24).contains(text.utf8.count)
      && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
  }
}

/// What OPEN says of the trigger that began the recording.
public struct StartFacts: Hashable, Sendable {
  public var trigger: TriggerFacts
  /// ms of pre-event that were configured, and that the recording holds before the edge. 0 or more.
  public var preEventAsked: Int64
  public var preEventHeld: Int64
  /// Why less is held, a code; nil when all of it is.
  public var shortfall: String?

  public init(trigger: TriggerFacts, preEventAsked: Int64, preEventHeld: Int64, shortfall: String?) {
    self.trigger = trigger
    self.preEventAsked = preEventAsked
    self.preEventHeld = preEventHeld
    self.shortfall = shortfall
  }

  /// Nil for OPEN of an early version, which has none of it.
  init?(_ keys: Keys) throws(EvidenceError) {
    guard keys.line.encoded(Key.source) != nil else { return nil }
    trigger = try TriggerFacts(keys)
    preEventAsked = try keys.number(Key.preEventAsked)
    preEventHeld = try keys.number(Key.preEventHeld)
    shortfall = keys.line.encoded(Key.shortfall)
    guard isValid else { throw keys.missing(Key.shortfall) }
  }

  func add(to fields: inout LineFields) {
    trigger.add(to: &fields)
    fields.add(Key.preEventAsked, preEventAsked)
    fields.add(Key.preEventHeld, preEventHeld)
    if let shortfall { fields.add(Key.shortfall, code: shortfall) }
  }

  var isValid: Bool {
    trigger.isValid && preEventAsked >= 0 && preEventHeld >= 0 && (shortfall.map(TriggerFacts.isCode) ?? true)
  }
}

/// What became of a trigger, or of a press of the record button, that is not the beginning of a recording by itself.
public struct TriggerFate: Hashable, Sendable {
  public enum Result: String, CaseIterable, Sendable {
    /// A recording ran, or was about to: the trigger is within it.
    case continued
    /// It waits for capture or card; the recording that begins for it has its edge, or a later line says what became of it.
    case remembered
    /// Nothing could be recorded.
    case refused
    /// It was remembered, and is not any more.
    case dropped
    /// A stop or a marker was asked for while nothing was recorded.
    case idle
    /// Held for longer than a press and let go before a hold.
    case unclear
    /// Held for so long that nobody can mean it.
    case stuck
  }

  public var trigger: TriggerFacts
  public var result: Result
  /// Why, a code: a fault of the recorder, `withdrawn` by a stop, or `ended` with the recorder.
  public var cause: String?
  /// The counter of the recording that a continued trigger is in; nil when that one was only about to begin.
  public var recording: Int64?
  /// The edge of the trigger that a continued one without `recording` hangs on: what became of that became of this.
  public var other: Int64?
  /// 1, or how many of the same kind this line stands for: the first one's edge is given.
  public var count: Int64

  public init(
    trigger: TriggerFacts, result: Result, cause: String? = nil, recording: Int64? = nil, other: Int64? = nil,
    count: Int64 = 1
  ) {
    self.other = other
    self.trigger = trigger
    self.result = result
    self.cause = cause
    self.recording = recording
    self.count = count
  }

  init(_ keys: Keys) throws(EvidenceError) {
    trigger = try TriggerFacts(keys)
    result = try keys.value(Key.result)
    cause = keys.line.encoded(Key.cause)
    recording = keys.line.encoded(Key.recordingCounter) == nil ? nil : try keys.number(Key.recordingCounter)
    other = keys.line.encoded(Key.with) == nil ? nil : try keys.number(Key.with)
    count = keys.line.encoded(Key.count) == nil ? 1 : try keys.number(Key.count)
    guard isValid else { throw keys.missing(Key.result) }
  }

  func add(to fields: inout LineFields) {
    trigger.add(to: &fields)
    fields.add(Key.result, code: result.rawValue)
    if let cause { fields.add(Key.cause, code: cause) }
    if let recording { fields.add(Key.recordingCounter, recording) }
    if let other { fields.add(Key.with, other) }
    if count > 1 { fields.add(Key.count, count) }
  }

  var isValid: Bool {
    trigger.isValid && (cause.map(TriggerFacts.isCode) ?? true) && (recording.map { $0 >= 1 } ?? true)
      && (other.map { $0 >= 0 } ?? true) && count >= 1
  }
}
