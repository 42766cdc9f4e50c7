import GPIO
import LinuxIO

/// An open output: a light, a tone or a motor that is on or off. One thread, which need not be the one that opened it.
///
/// Never blocks longer than the one call of the kernel that switches it, and not at all for a sound card. Off when it goes away; a line is then free, and what it
/// does further is its driver's choice: most leave it. Not off when the process is killed: an LED and a tone stay as they are,
/// a line as its driver likes, until the next start switches them off.
public struct Output: ~Copyable {
  private enum Device: ~Copyable {
    case line(RequestedLine)
    case led(LEDOutput)
    case pwm(PWMOutput)
    case tone(ToneOutput)
  }

  private let device: Device
  /// The text form, for errors.
  private let name: String
  /// What was written last; nil after a failure: either.
  private var written: Bool?

  /// Whether it is on, as far as is known.
  public var isOn: Bool { written ?? false }

  /// Opens it, and switches it off. A line is then ours alone; an LED loses its trigger, and has none afterwards. A sound card is
  /// opened by a thread, which is given half a second to say that it never can be.
  public init(_ settings: OutputSettings) throws(IndicatorError) {
    try self.init(settings, devices: "/dev", classes: "/sys/class")
  }

  init(_ settings: OutputSettings, devices: String, classes: String) throws(IndicatorError) {
    let name = settings.place.description
    switch settings.place {
    case .gpio(let chip, let line):
      device = .line(try Self.line(line, of: chip, settings, devices: devices))
    case .led(let led): device = .led(try LEDOutput(led, classes: classes, output: name))
    case .pwm(let chip, let channel):
      try Self.requireAudible(settings.frequency, name)
      device = .pwm(
        try PWMOutput(chip: chip, channel: channel, frequency: settings.frequency, classes: classes, output: name))
    case .alsa(let card):
      try Self.requireAudible(settings.frequency, name)
      let tone = Tone(device: card, frequency: settings.frequency, volume: settings.volume)
      device = .tone(try ToneOutput(tone, output: name))
    }
    self.name = name
    written = false
  }

  private static func requireAudible(_ frequency: Int, _ name: String) throws(IndicatorError) {
    let (least, most) = (OutputSettings.frequencies.lowerBound, OutputSettings.frequencies.upperBound)
    guard OutputSettings.frequencies.contains(frequency) else {
      throw IndicatorError(
        .malformed, output: name, operation: "read the frequency",
        hint: "A tone of \(frequency) Hz cannot be heard: choose \(least) to \(most) Hz.")
    }
  }

  /// A line that is off.
  init(_ line: consuming RequestedLine, name: String) {
    device = .line(line)
    self.name = name
    written = false
  }

  deinit {
    if written != false { try? write(false) }
  }

  /// Switches it; when it is so already, nothing happens. `.lost` when the device is gone: drop this value and open a new one
  /// when it is back; a sound card opens itself again, and is lost until then. After any error the next call writes again, whatever it
  /// says.
  public mutating func set(_ isOn: Bool) throws(IndicatorError) {
    let isSame = written == isOn
    written = nil
    if isSame { try check() } else { try write(isOn) }
    written = isOn
  }

  /// What is known of the device without asking it.
  private func check() throws(IndicatorError) {
    switch device {
    case .line: break
    case .led: break
    case .pwm: break
    case .tone(let tone): try tone.check()
    }
  }

  private func write(_ isOn: Bool) throws(IndicatorError) {
    switch device {
    case .line(let line):
      do throws(GPIOError) { try line.set(isOn) } catch { throw IndicatorError(error, output: name) }
    case .led(let led):
      do throws(LinuxError) { try led.set(isOn) } catch { throw IndicatorError(error, output: name) }
    case .pwm(let pwm):
      do throws(LinuxError) { try pwm.set(isOn) } catch { throw IndicatorError(error, output: name) }
    case .tone(let tone): try tone.set(isOn)
    }
  }

  private static func line(
    _ line: String, of chip: String, _ settings: OutputSettings, devices: String
  ) throws(IndicatorError) -> RequestedLine {
    do throws(GPIOError) {
      let chip = try GPIOChip.open(chip, devices: devices)
      return try chip.requestOutput(offset: try chip.offset(of: line), isActiveLow: settings.isActiveLow)
    } catch {
      throw IndicatorError(error, output: settings.place.description)
    }
  }
}
