import Testing

@testable import Indicators

/// The error that `body` throws, if it throws one.
func refusal(_ body: () throws(IndicatorError) -> Void) -> IndicatorError? {
  do throws(IndicatorError) {
    try body()
    return nil
  } catch {
    return error
  }
}

@Suite("Where an output is")
struct OutputPlaceTests {
  @Test(
    "the text forms, and back again",
    arguments: [
      ("gpio:gpiochip0:17", OutputPlace.gpio(chip: "gpiochip0", line: "17")),
      ("gpio:/dev/gpiochip1:RED LED", .gpio(chip: "/dev/gpiochip1", line: "RED LED")),
      ("gpio:INT33FC:00:4", .gpio(chip: "INT33FC:00", line: "4")),
      ("led:ACT", .led(name: "ACT")),
      ("led:board:green:status", .led(name: "board:green:status")),
      ("pwm:pwmchip0:1", .pwm(chip: "pwmchip0", channel: 1)),
      ("pwm:fe20c000.pwm:0", .pwm(chip: "fe20c000.pwm", channel: 0)),
      ("pwm:INT33FC:00:2", .pwm(chip: "INT33FC:00", channel: 2)),
      ("alsa:default", .alsa(device: "default")),
      ("alsa:plughw:CARD=Device,DEV=0", .alsa(device: "plughw:CARD=Device,DEV=0")),
    ])
  func accepted(text: String, place: OutputPlace) throws {
    #expect(try OutputPlace(text) == place)
    #expect(place.description == text)
  }

  @Test(
    "what is refused, and why",
    arguments: [
      ("", "An output is gpio:CHIP:LINE, led:NAME, pwm:CHIP:CHANNEL or alsa:DEVICE."),
      ("led", "An output is gpio:CHIP:LINE"),
      ("LED:ACT", "An output is gpio:CHIP:LINE"),
      (":ACT", "An output is gpio:CHIP:LINE"),
      ("key:a:KEY_B", "An output is gpio:CHIP:LINE"),
      ("led:", "The name is missing."),
      ("led:../../kernel", "Behind led: stands a name of /sys/class/leds, not a path."),
      ("gpio:gpiochip0", "An output is gpio:CHIP:LINE"),
      ("gpio::1", "The chip is missing."),
      ("gpio:gpiochip0:", "The line is missing."),
      ("pwm:pwmchip0", "An output is gpio:CHIP:LINE"),
      ("pwm::0", "The chip is missing."),
      ("pwm:pwmchip0:", "The channel is missing."),
      ("pwm:pwmchip0:a", "\"a\" is no channel: a chip's channels are numbered from 0."),
      ("pwm:pwmchip0:-1", "\"-1\" is no channel"),
      ("pwm:pwmchip0:+1", "\"+1\" is no channel"),
      ("pwm:pwmchip0:99999999999999999999", "is no channel"),
      ("led:A\0B", "It holds a zero byte."),
      ("alsa", "An output is gpio:CHIP:LINE"),
      ("alsa:", "The device is missing."),
      ("alsa: ", "The device is missing."),
      ("ALSA:default", "An output is gpio:CHIP:LINE"),
    ])
  func refused(text: String, why: String) throws {
    let error = try #require(refusal { () throws(IndicatorError) in _ = try OutputPlace(text) })
    #expect(error.kind == .malformed)
    #expect(error.output == text)
    #expect(error.hint.contains(why))
    #expect(error.description.hasPrefix("\"\(text)\" is not an output. "))
  }
}
