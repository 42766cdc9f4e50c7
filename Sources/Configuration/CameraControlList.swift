/// A list of a camera's controls as it stands in a configuration: `power_line_frequency=1, auto_exposure=manual mode`. Pure.
public struct CameraControlList: Hashable, Sendable {
  public struct Setting: Hashable, Sendable {
    /// Lower case, digits and `_`, as `v4l2-ctl -L` writes it.
    public var name: String
    /// A number, or the words of a menu's entry.
    public var value: String
  }

  /// In the order in which they are to be set: some are free only when another has its value.
  public var settings: [Setting] = []
  /// What is wrong with the text; nil when nothing is.
  public var problem: String?

  private static let limit = 32

  public init(_ text: String) {
    guard !text.allSatisfy({ $0 == " " }) else { return }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
      guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty, halves[0].allSatisfy(Self.isInName) else {
        problem = "\(Self.trimmed(part).excerpt) is no NAME=VALUE, as in power_line_frequency=1"
        return
      }
      guard !settings.contains(where: { $0.name == halves[0] }) else {
        problem = "\(halves[0]) is there twice"
        return
      }
      settings.append(Setting(name: halves[0], value: halves[1]))
    }
    if settings.count > Self.limit { problem = "more than \(Self.limit) controls" }
  }

  private static func isInName(_ character: Character) -> Bool {
    character == "_" || character.isASCII && (character.isNumber || character.isLowercase)
  }

  private static func trimmed(_ part: Substring) -> String {
    String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
