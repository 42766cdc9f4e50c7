/// Something that the wearer sees, hears or feels. Raw values are the names in the configuration.
public enum SignOutput: String, Hashable, Sendable, CaseIterable {
  case red, green, blue, tone, vibration

  /// Seen; the others are heard or felt, and covered by a glove or a coat.
  public var isLight: Bool {
    switch self {
    case .red, .green, .blue: true
    case .tone, .vibration: false
    }
  }
}

/// A set of outputs: those that are on, or those that a camera has.
public struct SignLevels: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public init(_ output: SignOutput) {
    switch output {
    case .red: self = .red
    case .green: self = .green
    case .blue: self = .blue
    case .tone: self = .tone
    case .vibration: self = .vibration
    }
  }

  public static let red = SignLevels(rawValue: 1)
  public static let green = SignLevels(rawValue: 2)
  public static let blue = SignLevels(rawValue: 4)
  public static let tone = SignLevels(rawValue: 8)
  public static let vibration = SignLevels(rawValue: 16)
  public static let all: SignLevels = [.red, .green, .blue, .tone, .vibration]

  /// Whether this output is in the set.
  public subscript(output: SignOutput) -> Bool { contains(SignLevels(output)) }
}
