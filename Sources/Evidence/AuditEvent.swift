/// AUDIT: health of the recorder while nothing is recorded, and what became of triggers, from a closed list.
public enum AuditEvent: Hashable, Sendable {
  /// What is in effect from now on: the hash of the configuration, as OPEN has it, and of the program.
  case configuration(Hash32, software: Hash32?)
  /// Source or trust of the wall clock are others than before.
  case clockState(WallClockSource, WallClockTrust)
  /// A trigger is honoured from now on: capture and store are ready.
  case armed
  /// What came of recording, verifying and removing some seconds.
  case check(CheckOutcome)
  /// Whether a source of triggers can be heard.
  case source(SourceHealth)
  /// As in a journal; a gap of media is none.
  case event(JournalEvent)
  /// A trigger or press that is not the beginning of a recording by itself.
  case trigger(TriggerFate)
  /// Radio signals that were refused.
  case radio(RadioRefusals)

  static let configurationCode = "config"
  static let clockStateCode = "time"
  static let armedCode = "arm"
  static let checkCode = "check"
  static let sourceCode = "source"
  static let triggerCode = "trigger"
  static let radioCode = "radio"

  init(_ keys: Keys) throws(EvidenceError) {
    switch try keys.code(Key.code) {
    case Self.configurationCode:
      let software = keys.line.encoded(Key.softwareHash) == nil ? nil : try keys.hash(Key.softwareHash)
      self = .configuration(try keys.hash(Key.configurationHash), software: software)
    case Self.clockStateCode: self = .clockState(try keys.value(Key.wallSource), try keys.value(Key.wallTrust))
    case Self.armedCode: self = .armed
    case Self.checkCode: self = .check(try CheckOutcome(keys))
    case Self.sourceCode: self = .source(try SourceHealth(keys))
    case Self.triggerCode: self = .trigger(try TriggerFate(keys))
    case Self.radioCode: self = .radio(try RadioRefusals(keys))
    default:
      guard let event = JournalEvent(keys.line), event.isAuditable else { throw keys.missing(Key.code) }
      self = .event(event)
    }
  }

  /// - Throws: `.grammar` for an event that only a journal has, or with a number that no line can carry.
  public func requireValid() throws(EvidenceError) {
    func require(_ isValid: Bool, _ what: String) throws(EvidenceError) {
      guard isValid else { throw EvidenceError(.grammar, "\(what) with these values is no line of a device log") }
    }
    switch self {
    case .event(let event): try require(event.isAuditable && event.isValid, event.code)
    case .trigger(let fate): try require(fate.isValid, "a trigger")
    case .check(let outcome): try require(outcome.isValid, "a check")
    case .source(let health): try require(health.isValid, "a source of triggers")
    case .radio(let refusals): try require(refusals.isValid, "a count of radio signals")
    case .configuration, .clockState, .armed: break
    }
  }

  func add(to fields: inout LineFields) {
    switch self {
    case .configuration(let hash, let software):
      fields.add(Key.code, code: Self.configurationCode)
      fields.add(Key.configurationHash, hash)
      if let software { fields.add(Key.softwareHash, software) }
    case .clockState(let source, let trust):
      fields.add(Key.code, code: Self.clockStateCode)
      fields.add(Key.wallSource, code: source.rawValue)
      fields.add(Key.wallTrust, code: trust.rawValue)
    case .armed: fields.add(Key.code, code: Self.armedCode)
    case .check(let outcome):
      fields.add(Key.code, code: Self.checkCode)
      outcome.add(to: &fields)
    case .source(let health):
      fields.add(Key.code, code: Self.sourceCode)
      health.add(to: &fields)
    case .event(let event): event.add(to: &fields)
    case .trigger(let fate):
      fields.add(Key.code, code: Self.triggerCode)
      fate.add(to: &fields)
    case .radio(let refusals):
      fields.add(Key.code, code: Self.radioCode)
      refusals.add(to: &fields)
    }
  }
}

extension JournalEvent {
  /// Whether it makes sense outside of a recording.
  fileprivate var isAuditable: Bool { if case .gap = self { false } else { true } }
}
