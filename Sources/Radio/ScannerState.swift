public import Media

/// Whether the radio trigger would hear something: what the recorder shows.
public enum ScannerState: Hashable, Sendable {
  /// For the first time: nothing went wrong so far.
  case starting
  /// The controller scans, as far as it can be known.
  case listening
  /// No signal would be heard. It is tried again until one would; the state stays until then.
  case deaf(DeafReason)
}

/// Why no signal would be heard.
public enum DeafReason: Hashable, Sendable, CustomStringConvertible {
  /// The adapter is not there, is not ours or failed.
  case adapter(HCIError)
  /// The controller refused what scanning needs.
  case refused(HCIOpcode, HCIStatus)
  /// The controller neither answers nor tells anything.
  case silent
  /// The controller reported an error of its own; the code is the manufacturer's.
  case hardwareError(UInt8)
  /// The controller has no Bluetooth LE.
  case noLowEnergy

  /// A word for the device log and `--json`.
  public var code: String {
    switch self {
    case .adapter(let error): error.kind.rawValue
    case .refused: "refused"
    case .silent: "silent"
    case .hardwareError: "hardware_error"
    case .noLowEnergy: "no_low_energy"
    }
  }

  /// One line: what is wrong, and what to do.
  public var description: String {
    switch self {
    case .adapter(let error): error.description
    case .refused(let opcode, .commandDisallowed):
      "the Bluetooth controller refused \(opcode) (\(HCIStatus.commandDisallowed)): another program scans, or left it "
        + "half set up. Stop that program, or set the radio's mode to exclusive."
    case .refused(let opcode, let status):
      "the Bluetooth controller refused \(opcode) (\(status)): look for newer firmware, or use another adapter."
    case .silent:
      "the Bluetooth controller does not answer. It is reset by itself; plug it in again or use another one if it goes on."
    case .hardwareError(let code):
      "the Bluetooth controller reported the error 0x\(Hexadecimal.encode([code])). It is set up again by itself; use "
        + "another one if it goes on."
    case .noLowEnergy: "the Bluetooth controller has no Bluetooth LE: use one of version 4.0 or newer."
    }
  }
}

/// Times of a `ScannerMachine`. A controller that goes silent is noticed after `quietTime` + `answerTime` at most, and
/// after an unanswered Reset `resetTime` later it is closed: all of it within 30 s with these values.
public struct ScannerSettings: Hashable, Sendable {
  public var mode: HCIMode
  /// How long the receiver stays on one of the three advertising channels.
  public var scanInterval = Nanoseconds.milliseconds(60)
  /// Within this a command is answered.
  public var answerTime = Nanoseconds.seconds(2)
  /// Within this Reset is answered.
  public var resetTime = Nanoseconds.seconds(5)
  /// When the controller told nothing for this long it is asked whether it is there.
  public var quietTime = Nanoseconds.seconds(10)
  /// When no advertisement was heard for this long the scan is set up again: a controller may have ended it and still
  /// answer. Costs some ms of deafness, in a quiet place each time.
  public var renewTime = Nanoseconds.seconds(60)
  /// After this long without trouble the pauses between attempts begin from the shortest again.
  public var steadyTime = Nanoseconds.seconds(60)

  public init(mode: HCIMode) { self.mode = mode }

  /// Pauses between attempts, from the second on.
  static let shortestPause = Nanoseconds.seconds(1)
  static let longestPause = Nanoseconds.seconds(30)
  /// An adapter that was unplugged is looked for at least this often.
  static let longestAbsence = Nanoseconds.seconds(5)
  /// How long another program that changed the scan is left alone before it is set up again.
  static let courtesy = Nanoseconds.milliseconds(500)
}
