/// Where an output is: a light, a buzzer, a motor.
///
/// In the configuration: `gpio:CHIP:LINE`, `led:NAME`, `pwm:CHIP:CHANNEL` or `alsa:DEVICE`. The last colon divides, for labels of
/// chips may hold colons; names of LEDs (`led:board:green:status`) and of sound cards are taken whole.
public enum OutputPlace: Hashable, Sendable, CustomStringConvertible {
  /// A line of a GPIO chip. `chip`: the chip's label (`pinctrl-bcm2711`), which stays, or its name (`gpiochip0`) or path,
  /// which may be another chip's after the next boot. `line`: the line's name, or its offset on the chip.
  case gpio(chip: String, line: String)
  /// A name of /sys/class/leds: what the kernel's LED drivers have, lights and also some motors.
  case led(name: String)
  /// A channel of /sys/class/pwm: a tone, for a piezo without an oscillator of its own. `chip`: the name of its device
  /// (`fe20c000.pwm`), which stays, or its number's name (`pwmchip0`), which may be another chip's after the next boot.
  case pwm(chip: String, channel: Int)
  /// A tone, for a loudspeaker. `device`: ALSA's name of what plays it, as in `aplay -L`: `plughw:CARD=Device`, `default`.
  case alsa(device: String)

  /// From the text form. The error is `.malformed`, and its hint says what is wrong with the text.
  public init(_ text: String) throws(IndicatorError) {
    func refuse(_ why: String) -> IndicatorError {
      IndicatorError(.malformed, output: text, operation: "read the output's place", hint: why)
    }
    let form = "An output is gpio:CHIP:LINE, led:NAME, pwm:CHIP:CHANNEL or alsa:DEVICE."
    guard !text.utf8.contains(0) else { throw refuse("It holds a zero byte.") }
    guard let first = text.firstIndex(of: ":") else { throw refuse(form) }
    let rest = text[text.index(after: first)...]
    switch text[..<first] {
    case "led":
      guard !rest.isEmpty else { throw refuse("The name is missing. \(form)") }
      guard !rest.contains("/") else { throw refuse("Behind led: stands a name of /sys/class/leds, not a path.") }
      self = .led(name: String(rest))
    case "gpio":
      let (chip, line) = try Self.divide(rest, "The line", form, refuse)
      self = .gpio(chip: chip, line: line)
    case "pwm":
      let (chip, number) = try Self.divide(rest, "The channel", form, refuse)
      guard number.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let channel = Int(number) else {
        throw refuse("\"\(number)\" is no channel: a chip's channels are numbered from 0. \(form)")
      }
      self = .pwm(chip: chip, channel: channel)
    case "alsa":
      guard rest.contains(where: { $0 != " " }) else { throw refuse("The device is missing. \(form)") }
      self = .alsa(device: String(rest))
    default: throw refuse(form)
    }
  }

  private static func divide(
    _ rest: Substring, _ part: String, _ form: String, _ refuse: (String) -> IndicatorError
  ) throws(IndicatorError) -> (chip: String, part: String) {
    guard let colon = rest.lastIndex(of: ":") else { throw refuse(form) }
    let (chip, last) = (rest[..<colon], rest[rest.index(after: colon)...])
    guard !chip.isEmpty else { throw refuse("The chip is missing. \(form)") }
    guard !last.isEmpty else { throw refuse("\(part) is missing. \(form)") }
    return (String(chip), String(last))
  }

  /// The text form.
  public var description: String {
    switch self {
    case .gpio(let chip, let line): "gpio:\(chip):\(line)"
    case .led(let name): "led:\(name)"
    case .pwm(let chip, let channel): "pwm:\(chip):\(channel)"
    case .alsa(let device): "alsa:\(device)"
    }
  }
}

/// An output and how it is wired.
public struct OutputSettings: Hashable, Sendable {
  /// What can be heard, in Hz.
  public static let frequencies: ClosedRange<Int> = 20...20_000

  public var place: OutputPlace
  /// True when the line is low while the output is on: a light to the supply. Counts for GPIO alone; the kernel knows how its
  /// LEDs are wired.
  public var isActiveLow: Bool
  /// The tone's pitch in Hz, one of `frequencies`; a piezo is loudest at its own. Counts for PWM and sound cards.
  public var frequency: Int
  /// How loud the tone is, percent of full scale. Counts for sound cards alone.
  public var volume: Int

  public init(place: OutputPlace, isActiveLow: Bool = false, frequency: Int = 2_700, volume: Int = 50) {
    self.place = place
    self.isActiveLow = isActiveLow
    self.frequency = frequency
    self.volume = volume
  }
}
