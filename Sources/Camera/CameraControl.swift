/// One of a driver's controls, and what it is to be set to.
public struct CameraControl: Hashable, Sendable {
  /// As `v4l2-ctl -L` writes it: lower case, `_` between words.
  public var name: String
  /// A number, or the words of a menu's entry.
  public var value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// A control as a driver describes it (VIDIOC_QUERYCTRL, VIDIOC_QUERYMENU).
struct ControlDescription: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    var index: Int
    var words: String
  }

  enum Kind: Hashable, Sendable {
    case integer(ClosedRange<Int>, step: Int)
    case boolean
    /// The entries that can be chosen; gaps in their numbers are usual.
    case menu([Entry])
  }

  var id: UInt32
  /// As the driver says it: `Power Line Frequency`.
  var title: String
  var kind: Kind
  var isReadOnly: Bool

  /// As `v4l2-ctl` makes it of the title: what is no letter or digit becomes one `_`.
  var name: String { Self.name(of: title) }

  static func name(of title: String) -> String {
    var name = ""
    for character in title.lowercased() {
      if character.isASCII, character.isLetter || character.isNumber {
        name.append(character)
      } else if !name.isEmpty, name.last != "_" {
        name.append("_")
      }
    }
    return name.last == "_" ? String(name.dropLast()) : name
  }

  /// The number that stands for a value; nil when it is none of those allowed.
  func number(for value: String) -> Int? {
    switch kind {
    case .integer(let range, let step):
      guard let number = Int(value), range.contains(number) else { return nil }
      return (number - range.lowerBound) % max(1, step) == 0 ? number : nil
    case .boolean:
      switch value {
      case "0", "false", "off": return 0
      case "1", "true", "on": return 1
      default: return nil
      }
    case .menu(let entries):
      if let number = Int(value) { return entries.contains { $0.index == number } ? number : nil }
      return entries.first { Self.name(of: $0.words) == Self.name(of: value) }?.index
    }
  }

  /// What it can be set to, in words.
  var allowed: String {
    switch kind {
    case .integer(let range, let step):
      "\(range.lowerBound) to \(range.upperBound)\(step > 1 ? " in steps of \(step)" : "")"
    case .boolean: "0 or 1"
    case .menu(let entries): entries.map { "\($0.index) (\($0.words))" }.joined(separator: ", ")
    }
  }
}

extension [ControlDescription] {
  /// The control and the number that it is to be set to.
  func resolve(_ control: CameraControl, device: String) throws(CameraError) -> (id: UInt32, value: Int) {
    guard let description = first(where: { $0.name == control.name }) else {
      throw CameraError(
        .unsupported, device: device, operation: "the control \(control.name)",
        hint: isEmpty
          ? "It has no controls: remove camera.controls."
          : "It has: \(filter { !$0.isReadOnly }.map(\.name).joined(separator: ", ")).")
    }
    guard !description.isReadOnly else {
      throw CameraError(
        .unsupported, device: device, operation: "the control \(control.name)",
        hint: "It can be read only: remove it from camera.controls.")
    }
    guard let value = description.number(for: control.value) else {
      throw CameraError(
        .unsupported, device: device, operation: "\(control.name)=\(control.value)",
        hint: "Allowed: \(description.allowed).")
    }
    return (description.id, value)
  }
}
