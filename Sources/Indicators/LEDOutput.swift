import GPIO
import Glibc
import LinuxIO

/// A light of the kernel's LED class, taken over from its trigger. Kernel documentation: leds/leds-class.
struct LEDOutput: ~Copyable {
  private let brightness: Attribute
  private let on: [UInt8]
  private let off = Attribute.bytes("0")

  /// - Parameter classes: /sys/class but in tests.
  init(_ name: String, classes: String, output: String) throws(IndicatorError) {
    let names = ((try? listDirectory(path: "\(classes)/leds")) ?? []).sorted()
    guard names.contains(name) else {
      throw IndicatorError(.notFound, output: output, operation: "find the LED", hint: Self.hint(for: names))
    }
    let path = "\(classes)/leds/\(name)"
    do throws(LinuxError) {
      let most = try Attribute.number(path: "\(path)/max_brightness")
      brightness = try Self.take(path)
      on = Attribute.bytes("\(most)")
    } catch {
      throw IndicatorError(error, output: output)
    }
  }

  /// Takes it from its trigger and switches it off.
  private static func take(_ path: String) throws(LinuxError) -> Attribute {
    do throws(LinuxError) {
      try Attribute.set(path: "\(path)/trigger", to: "none")
    } catch {
      // A kernel without triggers has no such file, and nobody else who would switch the light.
      if error.errno != ENOENT { throw error }
    }
    let brightness = try Attribute(path: "\(path)/brightness")
    try brightness.set(Attribute.bytes("0"))
    return brightness
  }

  func set(_ isOn: Bool) throws(LinuxError) { try brightness.set(isOn ? on : off) }

  private static func hint(for names: [String]) -> String {
    if names.isEmpty { return "The kernel has no LED on this machine: check its device tree and `dmesg`." }
    return "LEDs here: \(few(names))."
  }
}
