import Glibc
import LinuxIO
import Testing

@testable import Indicators

/// Directories in place of /dev and /sys/class, with what a test puts there: files that keep what was written.
final class FakeMachine {
  let path: String
  private var made: [String] = []

  var devices: String { "\(path)/dev" }
  var classes: String { "\(path)/class" }

  init() throws {
    var template = Array("/tmp/lapel-indicators-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw LinuxError("make", "a temporary directory", errno: errno) }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for name in ["dev", "class", "class/leds", "class/pwm"] { try directory(name) }
  }

  deinit {
    for path in made.reversed() where unlink(path) != 0 { rmdir(path) }
    rmdir(path)
  }

  func directory(_ name: String) throws {
    try Directory.make(path: "\(path)/\(name)")
    made.append("\(path)/\(name)")
  }

  func file(_ name: String, _ value: String = "") throws {
    let file = try FileDescriptor.open(path: "\(path)/\(name)", flags: O_WRONLY | O_CREAT | O_TRUNC)
    try file.write(Array(value.utf8).span.bytes)
    if !made.contains("\(path)/\(name)") { made.append("\(path)/\(name)") }
  }

  func fifo(_ name: String) throws {
    guard mkfifo("\(path)/\(name)", 0o600) == 0 else { throw LinuxError("make", "\(path)/\(name)", errno: errno) }
    made.append("\(path)/\(name)")
  }

  func link(_ name: String, to target: String) {
    symlink(target, "\(path)/\(name)")
    made.append("\(path)/\(name)")
  }

  func led(_ name: String, max: Int = 255, trigger: String? = "none [heartbeat]", brightness: String = "1") throws {
    try directory("class/leds/\(name)")
    try file("class/leds/\(name)/max_brightness", "\(max)\n")
    if let trigger { try file("class/leds/\(name)/trigger", "\(trigger)\n") }
    try file("class/leds/\(name)/brightness", "\(brightness)\n")
  }

  /// A chip, with these of its channels exported.
  func pwm(_ name: String, device: String, channels: Int, exported: [Int] = [0]) throws {
    try directory("class/pwm/\(name)")
    try file("class/pwm/\(name)/npwm", "\(channels)\n")
    try file("class/pwm/\(name)/export")
    link("class/pwm/\(name)/device", to: "../../../devices/platform/\(device)")
    for channel in exported {
      try directory("class/pwm/\(name)/pwm\(channel)")
      for attribute in ["enable", "period", "duty_cycle"] {
        try file("class/pwm/\(name)/pwm\(channel)/\(attribute)", "0\n")
      }
    }
  }

  /// The value that was written last: the first line, for a shorter one does not cover all of a longer one before it.
  func value(_ name: String) throws -> String { try Attribute.value(path: "\(path)/\(name)") }

  func open(_ place: String, frequency: Int = 2_700) throws -> Output {
    try Output(settings(place, frequency), devices: devices, classes: classes)
  }

  func refusal(_ place: String, frequency: Int = 2_700) throws -> IndicatorError {
    let settings = try settings(place, frequency)
    return try #require(
      IndicatorsTests.refusal { () throws(IndicatorError) in
        _ = try Output(settings, devices: devices, classes: classes)
      })
  }

  private func settings(_ place: String, _ frequency: Int) throws -> OutputSettings {
    OutputSettings(place: try OutputPlace(place), frequency: frequency)
  }
}
