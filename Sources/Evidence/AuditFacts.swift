/// What came of recording, verifying and removing some seconds.
public struct CheckOutcome: Hashable, Sendable {
  public enum Result: String, CaseIterable, Sendable {
    case passed, failed
  }

  public var result: Result
  /// The part that failed, or has a warning: `camera`, `card` and so on, a code. Nil: nothing to say.
  public var cause: String?

  public init(result: Result, cause: String?) {
    self.result = result
    self.cause = cause
  }

  init(_ keys: Keys) throws(EvidenceError) {
    result = try keys.value(Key.result)
    cause = keys.line.encoded(Key.cause)
    guard isValid else { throw keys.missing(Key.cause) }
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.result, code: result.rawValue)
    if let cause { fields.add(Key.cause, code: cause) }
  }

  var isValid: Bool { cause.map(TriggerFacts.isCode) ?? true }
}

/// Whether a source of triggers, a button or the radio, can be heard.
public struct SourceHealth: Hashable, Sendable {
  public enum State: String, CaseIterable, Sendable {
    case listening
    /// No trigger would come from it.
    case deaf
    /// The button is held for so long that nobody can mean it.
    case stuck
  }

  /// As a trigger's source: `button`, `radio`; of the same form.
  public var source: String
  public var state: State
  /// Why it is deaf, a code; nil for the other states.
  public var cause: String?

  public init(source: String, state: State, cause: String? = nil) {
    self.source = source
    self.state = state
    self.cause = cause
  }

  init(_ keys: Keys) throws(EvidenceError) {
    source = try keys.code(Key.source)
    state = try keys.value(Key.what)
    cause = keys.line.encoded(Key.cause)
    guard isValid else { throw keys.missing(Key.source) }
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.source, code: source)
    fields.add(Key.what, code: state.rawValue)
    if let cause { fields.add(Key.cause, code: cause) }
  }

  var isValid: Bool { TriggerFacts.isCode(source) && (cause.map(TriggerFacts.isCode) ?? true) }
}

/// Radio signals that began nothing because they were not believed, of one cause.
public struct RadioRefusals: Hashable, Sendable {
  /// A code: `bad_mac`, `replayed` and the others that the radio's specification names.
  public var cause: String
  /// 1 or more since the last line of this cause.
  public var count: Int64

  public init(cause: String, count: Int64) {
    self.cause = cause
    self.count = count
  }

  init(_ keys: Keys) throws(EvidenceError) {
    cause = try keys.code(Key.cause)
    count = try keys.number(Key.count)
    guard isValid else { throw keys.missing(Key.cause) }
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.cause, code: cause)
    fields.add(Key.count, count)
  }

  var isValid: Bool { TriggerFacts.isCode(cause) && count >= 1 }
}
