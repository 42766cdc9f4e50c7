/// What an emitter saw: one byte of its advertisement.
///
/// The byte's range says what a camera does, so that a camera understands an event that is younger than itself: 0 nothing,
/// 1…127 start, 128…255 mark. There is no byte that stops or mutes.
public struct RadioEvent: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Proves that emitter, key and camera fit; starts nothing.
  public static let test = RadioEvent(rawValue: 0)
  /// A weapon left its holster.
  public static let holster = RadioEvent(rawValue: 1)
  public static let lightBar = RadioEvent(rawValue: 2)
  public static let door = RadioEvent(rawValue: 3)
  /// Something else of a vehicle: its speed, an input line.
  public static let vehicle = RadioEvent(rawValue: 4)
  /// A crash or a fall.
  public static let impact = RadioEvent(rawValue: 5)
  /// Another camera was started by hand. A camera that was itself started by radio never says this: one hop.
  public static let peerCamera = RadioEvent(rawValue: 6)
  /// A person pressed something.
  public static let manual = RadioEvent(rawValue: 7)
  /// A weapon other than a holster's: armed, taken from its rack.
  public static let weapon = RadioEvent(rawValue: 8)
  /// A mark in a recording that runs; starts nothing.
  public static let mark = RadioEvent(rawValue: 128)

  /// What a camera does about it.
  public enum Effect: Hashable, Sendable {
    case nothing
    case start
    case mark
  }

  public var effect: Effect {
    switch rawValue {
    case 0: .nothing
    case 1..<128: .start
    default: .mark
    }
  }

  private static let names: [RadioEvent: String] = [
    .test: "test", .holster: "holster", .lightBar: "light_bar", .door: "door", .vehicle: "vehicle", .impact: "impact",
    .peerCamera: "peer_camera", .manual: "manual", .weapon: "weapon", .mark: "mark",
  ]

  /// The events that have a name, by their bytes.
  public static var named: [RadioEvent] { names.keys.sorted { $0.rawValue < $1.rawValue } }

  /// A word for journals and configuration; `other` for a byte that this version has no name for.
  public var name: String { Self.names[self] ?? "other" }

  /// Nil for a word that is no event's name. `other` is none: it names no byte.
  public init?(name: String) {
    guard let found = Self.names.first(where: { $0.value == name }) else { return nil }
    self = found.key
  }
}
