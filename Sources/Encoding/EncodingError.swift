public import Media

/// What can go wrong in an encoder. None of it is recovered here: the caller opens another encoder or degrades.
public enum EncodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// This build has no such encoder.
  case notBuilt(VideoEncoderKind)
  /// A setting that no encoder can follow: its name, its value, and what is allowed.
  case setting(name: String, value: String, allowed: String)
  /// The library refused to open an encoder with these settings.
  case open(library: String, code: Int)
  /// The library gave no sequence or picture parameter set.
  case parameterSets(library: String)
  /// A picture or a block of samples has another size than the encoder was opened for, in bytes or samples.
  case inputSize(given: Int, needed: Int)
  /// The time of a picture is not after the time of the one before it.
  case timeNotIncreasing(MonotonicTime, after: MonotonicTime)
  /// The library reported a failure while encoding.
  case encode(library: String, code: Int)
  /// The library returned no packet for a picture.
  case noPacket(library: String, time: MonotonicTime)
  /// The library returned the packet of another picture; both stamps in the unit given to the library.
  case outOfStep(library: String, sent: Int64, received: Int64)
  /// A hardware encoder could not be opened, or stopped working; the text says which, why, and what to do.
  case device(String)
  /// A packet held what this project does not store: a B picture, changed parameter sets, or broken framing.
  case packet(library: String, reason: String)

  public var description: String {
    switch self {
    case .notBuilt(let kind):
      "this build has no encoder \(kind.rawValue): choose one of \(VideoEncoderKind.availableNames), "
        + "or build with its trait"
    case .setting(let name, let value, let allowed):
      "\(name) \(value) is not possible: \(allowed)"
    case .open(let library, let code):
      "\(library) refused the settings (code \(code)): try other sizes, rates or presets"
    case .parameterSets(let library):
      "\(library) gave no parameter sets, without which nothing can be played"
    case .inputSize(let given, let needed):
      "an encoder was given \(given) bytes or samples, it needs \(needed)"
    case .timeNotIncreasing(let time, let last):
      "a picture of \(time.nanoseconds) ns came after one of \(last.nanoseconds) ns: the camera's clock went back"
    case .encode(let library, let code):
      "\(library) failed to encode (code \(code))"
    case .noPacket(let library, let time):
      "\(library) dropped the picture of \(time.nanoseconds) ns"
    case .outOfStep(let library, let sent, let received):
      "\(library) returned the packet of another picture: sent \(sent), received \(received)"
    case .device(let text): text
    case .packet(let library, let reason):
      "\(library) made a packet that cannot be stored: \(reason)"
    }
  }
}
