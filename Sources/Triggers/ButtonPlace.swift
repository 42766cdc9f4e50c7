public import Media

/// Where a button is.
///
/// In the configuration: `gpio:CHIP:LINE` or `key:DEVICE:KEY`. The last colon divides, for labels of chips and
/// paths of devices may hold colons (`gpio:INT33FC:00:GP_REC`); a line whose name holds one is named by its offset.
public enum ButtonPlace: Hashable, Sendable, CustomStringConvertible {
  /// A line of a GPIO chip. `chip`: the chip's label (`pinctrl-bcm2711`), which stays, or its name (`gpiochip0`) or path,
  /// which may be another chip's after the next boot. `line`: the line's name, or its offset on the chip.
  case gpio(chip: String, line: String)
  /// A key of an input device. `device`: a path, best under /dev/input/by-id, or the device's name as in
  /// /proc/bus/input/devices. `key`: a name of linux/input-event-codes.h (`KEY_RECORD`) or the key's number.
  case key(device: String, key: String)

  /// From the text form. The error is `.malformed`, and its hint says what is wrong with the text.
  public init(_ text: String) throws(TriggerError) {
    func refuse(_ why: String) -> TriggerError {
      TriggerError(.malformed, button: text, operation: "read the button's place", hint: why)
    }
    let form = "A button is gpio:CHIP:LINE or key:DEVICE:KEY."
    let isKey = text.hasPrefix("key:")
    guard isKey || text.hasPrefix("gpio:") else { throw refuse(form) }
    let rest = text.dropFirst(isKey ? 4 : 5)
    guard let colon = rest.lastIndex(of: ":") else { throw refuse(form) }
    let (device, part) = (String(rest[..<colon]), String(rest[rest.index(after: colon)...]))
    guard !device.isEmpty else { throw refuse("\(isKey ? "The device" : "The chip") is missing. \(form)") }
    guard !part.isEmpty else { throw refuse("\(isKey ? "The key" : "The line") is missing. \(form)") }
    guard !text.utf8.contains(0) else { throw refuse("It holds a zero byte.") }
    guard isKey else {
      self = .gpio(chip: device, line: part)
      return
    }
    guard Key(part) != nil else { throw refuse(Key.unknownHint(part)) }
    self = .key(device: device, key: part)
  }

  /// The text form.
  public var description: String {
    switch self {
    case .gpio(let chip, let line): "gpio:\(chip):\(line)"
    case .key(let device, let key): "key:\(device):\(key)"
    }
  }
}

/// A button and how it is wired. What is said of lines counts for GPIO alone: an input device's driver knows its own
/// wiring and debounces by itself.
public struct ButtonSettings: Hashable, Sendable {
  public var place: ButtonPlace
  /// True when the line is low while the button is pressed: a button to ground.
  public var isActiveLow: Bool
  /// How long the line must be quiet before an edge counts; the kernel's timer rounds it up to its tick (1-10 ms). Zero or
  /// less: every edge counts. At most 71 minutes.
  public var debounce: Nanoseconds
  /// True to ask the chip for the pull that lets the line rest: up for an active-low button, else down. False leaves it as
  /// the board or its firmware has set it, for a board with a resistor of its own.
  public var setsPull: Bool

  public init(place: ButtonPlace, isActiveLow: Bool, debounce: Nanoseconds, setsPull: Bool = true) {
    self.place = place
    self.isActiveLow = isActiveLow
    self.debounce = debounce
    self.setsPull = setsPull
  }
}
