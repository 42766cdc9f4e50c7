import GPIO
import Glibc
import LinuxIO

/// A tone from a channel of a PWM chip: half of each period high. Kernel documentation: driver-api/pwm, "Using PWMs with the
/// sysfs interface".
struct PWMOutput: ~Copyable {
  private struct Chip {
    var name: String
    /// Of its device; stays.
    var device: String?
    var channelCount: Int
  }

  private let enable: Attribute
  private let on = Attribute.bytes("1")
  private let off = Attribute.bytes("0")

  /// The channel is exported, and stays so.
  /// - Parameters:
  ///   - frequency: in Hz.
  ///   - classes: /sys/class but in tests.
  init(chip: String, channel: Int, frequency: Int, classes: String, output: String) throws(IndicatorError) {
    let found = try Self.chip(chip, classes: classes, output: output)
    guard (0..<found.channelCount).contains(channel) else {
      throw IndicatorError(
        .notOffered, output: output, operation: "find the channel",
        hint: "\(found.name) has the channels 0 to \(found.channelCount - 1).")
    }
    let path = "\(classes)/pwm/\(found.name)"
    do throws(LinuxError) {
      let names = try listDirectory(path: path)
      if !names.contains("pwm\(channel)") { try Attribute.set(path: "\(path)/export", to: "\(channel)") }
      enable = try Self.tune("\(path)/pwm\(channel)", frequency: frequency)
    } catch {
      if [EINVAL, ERANGE, EOPNOTSUPP, 524].contains(error.errno) {
        throw IndicatorError(
          .notOffered, output: output, operation: "\(error.operation) \(error.subject)", errno: error.errno,
          hint: "\(found.name) cannot make \(frequency) Hz on channel \(channel): choose another frequency.")
      }
      throw IndicatorError(error, output: output)
    }
  }

  func set(_ isOn: Bool) throws(LinuxError) { try enable.set(isOn ? on : off) }

  /// Sets period and duty of a channel that is off. Nothing is written that the channel already is: the kernel refuses all
  /// changes of a channel without a period, even switching it off, and a period that is shorter than the duty.
  private static func tune(_ path: String, frequency: Int) throws(LinuxError) -> Attribute {
    let enable = try Attribute(path: "\(path)/enable")
    if try Attribute.number(path: "\(path)/enable") != 0 { try enable.set(Attribute.bytes("0")) }
    let period = 1_000_000_000 / frequency
    if try Attribute.number(path: "\(path)/duty_cycle") != 0 { try Attribute.set(path: "\(path)/duty_cycle", to: "0") }
    try Attribute.set(path: "\(path)/period", to: "\(period)")
    try Attribute.set(path: "\(path)/duty_cycle", to: "\(period / 2)")
    return enable
  }

  // MARK: - Chips

  private static func chip(_ name: String, classes: String, output: String) throws(IndicatorError) -> Chip {
    let chips = chips(in: "\(classes)/pwm")
    let fitting = chips.filter { $0.name == name || $0.device == name }
    if fitting.count > 1 {
      throw IndicatorError(
        .notFound, output: output, operation: "find the chip",
        hint: "The name fits \(fitting.map(\.name).joined(separator: " and ")): name one of them instead.")
    }
    guard let chip = fitting.first else {
      throw IndicatorError(.notFound, output: output, operation: "find the chip", hint: hint(for: chips))
    }
    return chip
  }

  private static func chips(in directory: String) -> [Chip] {
    DeviceNode.numbered("pwmchip", in: directory).compactMap { path in
      guard let name = path.split(separator: "/").last, let count = try? Attribute.number(path: "\(path)/npwm") else {
        return nil
      }
      return Chip(name: String(name), device: DeviceNode.linkedName("\(path)/device"), channelCount: count)
    }
  }

  private static func hint(for chips: [Chip]) -> String {
    if chips.isEmpty { return "No PWM chip was found on this machine: check its device tree and `dmesg`." }
    let names = chips.map { chip in
      let count = chip.channelCount == 1 ? "1 channel" : "\(chip.channelCount) channels"
      return chip.device.map { "\($0) (\(chip.name), \(count))" } ?? "\(chip.name) (\(count))"
    }
    return "PWM chips here: \(few(names))."
  }
}
