public import Media

/// What an EVT line can say: health of the recorder, from closed lists. What the wearer does is never here; it travels
/// inside the footage.
public enum JournalEvent: Hashable, Sendable {
  /// Media that is missing: from and to in µs of media, 0 ≤ from ≤ to.
  case gap(track: TrackID, from: Int64, to: Int64, cause: GapCause)
  /// - Parameter freeMegabytes: what is left on the store.
  case storage(StorageCondition, freeMegabytes: Int64)
  /// - Parameter percent: 0...100.
  case battery(BatteryCondition, percent: Int64)
  /// The supply itself gives warning that it fails, or that it is good again: a line of the board, or a signal.
  /// - Parameter edge: ns of CLOCK_BOOTTIME at the line's edge, or when the signal was heard. How long after it the checkpoint
  ///   came is `mono` of CKPT less this.
  case power(PowerCondition, edge: Int64)
  /// The wall clock was set: ms since 1970 before; the line's `w` is after.
  case clockStep(was: Int64)
  /// The machine is too slow for the encoder, and gives up what is stated; or it keeps up again.
  case encoding(EncodingCondition)
  case deviceLost(track: TrackID)
  case deviceFound(track: TrackID)
  case error(ErrorCode)

  public enum GapCause: String, CaseIterable, Sendable {
    /// The source's own numbers jumped.
    case sequence = "seq"
    /// The ring refused new packets.
    case ringFull = "ring"
    case encoderOverload = "encoder"
    /// The encoder failed on this picture or sound.
    case encoderFailed = "codec"
    /// The source's clock went backwards or nowhere: the frame has no place in time.
    case badTimestamp = "time"
    /// The sound device overran.
    case xrun
    case deviceLost = "lost"
    /// The driver marked a buffer as damaged.
    case errorBuffer = "buffer"
    case writerLate = "writer"
    /// The machine slept.
    case suspend
  }

  public enum StorageCondition: String, CaseIterable, Sendable {
    case slow, recovered, low, full, error
  }

  public enum BatteryCondition: String, CaseIterable, Sendable {
    case normal, low, critical, external
  }

  public enum PowerCondition: String, CaseIterable, Sendable {
    case fail, good
  }

  public enum EncodingCondition: String, CaseIterable, Sendable {
    /// As configured.
    case full
    /// Each picture is made with the least work: size and rate are as configured, the quality is not.
    case lessEffort = "effort"
    /// Every second picture is left out; what is left out is in `gap` lines, with the cause `encoder`.
    case halfRate = "rate"
  }

  public enum ErrorCode: String, CaseIterable, Sendable {
    case camera, microphone, encoder, writer, sync, seal, clock, memory
  }

  /// `code` of the line.
  package var code: String {
    switch self {
    case .gap: "gap"
    case .storage: "storage"
    case .battery: "battery"
    case .power: "power"
    case .clockStep: "clock"
    case .encoding: "encoding"
    case .deviceLost: "lost"
    case .deviceFound: "found"
    case .error: "error"
    }
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.code, code: code)
    switch self {
    case .gap(let track, let from, let to, let cause):
      fields.add(Key.track, Int64(track.rawValue))
      fields.add(Key.from, from)
      fields.add(Key.to, to)
      fields.add(Key.cause, code: cause.rawValue)
    case .storage(let condition, let free):
      fields.add(Key.what, code: condition.rawValue)
      fields.add(Key.free, free)
    case .battery(let condition, let percent):
      fields.add(Key.what, code: condition.rawValue)
      fields.add(Key.percent, percent)
    case .power(let condition, let edge):
      fields.add(Key.what, code: condition.rawValue)
      fields.add(Key.edge, edge)
    case .clockStep(let was): fields.add(Key.was, was)
    case .encoding(let condition): fields.add(Key.what, code: condition.rawValue)
    case .deviceLost(let track), .deviceFound(let track): fields.add(Key.track, Int64(track.rawValue))
    case .error(let code): fields.add(Key.what, code: code.rawValue)
    }
  }

  /// The event of an EVT line; nil for a code, a value or a missing key that this version does not know.
  init?(_ line: JournalLine) {
    func track() -> TrackID? { line.number(Key.track).flatMap { UInt8(exactly: $0) }.map(TrackID.init(rawValue:)) }
    switch line.encoded(Key.code) {
    case "gap":
      guard let track = track(), let from = line.number(Key.from), let to = line.number(Key.to), from <= to,
        let cause = line.encoded(Key.cause).flatMap(GapCause.init)
      else { return nil }
      self = .gap(track: track, from: from, to: to, cause: cause)
    case "storage":
      guard let what = line.encoded(Key.what).flatMap(StorageCondition.init), let free = line.number(Key.free) else {
        return nil
      }
      self = .storage(what, freeMegabytes: free)
    case "battery":
      guard let what = line.encoded(Key.what).flatMap(BatteryCondition.init), let percent = line.number(Key.percent),
        percent <= 100
      else { return nil }
      self = .battery(what, percent: percent)
    case "power":
      guard let what = line.encoded(Key.what).flatMap(PowerCondition.init), let edge = line.number(Key.edge) else {
        return nil
      }
      self = .power(what, edge: edge)
    case "clock":
      guard let was = line.number(Key.was) else { return nil }
      self = .clockStep(was: was)
    case "encoding":
      guard let what = line.encoded(Key.what).flatMap(EncodingCondition.init) else { return nil }
      self = .encoding(what)
    case "lost":
      guard let track = track() else { return nil }
      self = .deviceLost(track: track)
    case "found":
      guard let track = track() else { return nil }
      self = .deviceFound(track: track)
    case "error":
      guard let what = line.encoded(Key.what).flatMap(ErrorCode.init) else { return nil }
      self = .error(what)
    default: return nil
    }
  }

  /// Whether every number is one that a line can carry.
  var isValid: Bool {
    switch self {
    case .gap(_, let from, let to, _): 0 <= from && from <= to
    case .storage(_, let free): free >= 0
    case .battery(_, let percent): (0...100).contains(percent)
    case .power(_, let edge): edge >= 0
    case .clockStep(let was): was >= 0
    case .encoding, .deviceLost, .deviceFound, .error: true
    }
  }
}
