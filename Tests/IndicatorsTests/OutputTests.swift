import Glibc
import LinuxIO
import Testing

@testable import GPIO
@testable import Indicators

@Suite("An output")
struct OutputTests {
  @Test("an LED is taken from its trigger and is off; on is as bright as it can be, and it is off when it goes away")
  func led() throws {
    let machine = try FakeMachine()
    try machine.led("board:red:status", max: 31)
    do {
      var output = try machine.open("led:board:red:status")
      #expect(try machine.value("class/leds/board:red:status/trigger") == "none")
      #expect(try machine.value("class/leds/board:red:status/brightness") == "0")
      #expect(output.isOn == false)
      try output.set(true)
      #expect(output.isOn == true)
      #expect(try machine.value("class/leds/board:red:status/brightness") == "31")
      try output.set(false)
      #expect(output.isOn == false)
      #expect(try machine.value("class/leds/board:red:status/brightness") == "0")
      try output.set(true)
    }
    #expect(try machine.value("class/leds/board:red:status/brightness") == "0")
  }

  @Test("what is so already is not written again")
  func unchanged() throws {
    let machine = try FakeMachine()
    try machine.led("ACT")
    var output = try machine.open("led:ACT")
    let file = "class/leds/ACT/brightness"
    try machine.file(file, "untouched")
    try output.set(false)
    #expect(try machine.value(file) == "untouched")
    try output.set(true)
    #expect(try machine.value(file) == "255")
    try machine.file(file, "untouched")
    try output.set(true)
    #expect(try machine.value(file) == "untouched")
    try output.set(false)
    // When it goes away it is off, and is left alone.
    try machine.file(file, "untouched")
    _ = consume output
    #expect(try machine.value(file) == "untouched")
  }

  @Test("a kernel without triggers has none to take an LED from")
  func noTrigger() throws {
    let machine = try FakeMachine()
    try machine.led("ACT", trigger: nil)
    var output = try machine.open("led:ACT")
    try output.set(true)
    #expect(try machine.value("class/leds/ACT/brightness") == "255")
  }

  @Test("a piezo's channel gets its period and half of it as duty, and is on and off by its enable")
  func pwm() throws {
    let machine = try FakeMachine()
    try machine.pwm("pwmchip0", device: "fe20c000.pwm", channels: 2, exported: [0, 1])
    try machine.file("class/pwm/pwmchip0/pwm1/enable", "1\n")
    try machine.file("class/pwm/pwmchip0/pwm1/duty_cycle", "9\n")
    let channel = "class/pwm/pwmchip0/pwm1"
    do {
      var output = try machine.open("pwm:pwmchip0:1", frequency: 2_700)
      #expect(try machine.value("\(channel)/enable") == "0")
      #expect(try machine.value("\(channel)/period") == "370370")
      #expect(try machine.value("\(channel)/duty_cycle") == "185185")
      try output.set(true)
      #expect(try machine.value("\(channel)/enable") == "1")
      try output.set(false)
      #expect(try machine.value("\(channel)/enable") == "0")
      try output.set(true)
    }
    #expect(try machine.value("\(channel)/enable") == "0")
    // It was exported before.
    #expect(try machine.value("class/pwm/pwmchip0/export") == "")
  }

  @Test("a channel that is off is not switched off: the kernel refuses that while it has no period")
  func untouchedChannel() throws {
    let machine = try FakeMachine()
    try machine.pwm("pwmchip0", device: "fe20c000.pwm", channels: 1)
    try machine.file("class/pwm/pwmchip0/pwm0/enable", "+0\n")
    _ = try machine.open("pwm:pwmchip0:0")
    #expect(try machine.value("class/pwm/pwmchip0/pwm0/enable") == "+0")
  }

  @Test("a chip is found by the name of its device, whatever its number")
  func device() throws {
    let machine = try FakeMachine()
    try machine.pwm("pwmchip0", device: "fe20c000.pwm", channels: 1)
    try machine.pwm("pwmchip4", device: "fe20c800.pwm", channels: 1)
    var output = try machine.open("pwm:fe20c800.pwm:0")
    try output.set(true)
    #expect(try machine.value("class/pwm/pwmchip4/pwm0/enable") == "1")
    #expect(try machine.value("class/pwm/pwmchip0/pwm0/enable") == "0")
  }

  @Test("a channel that is not exported is asked for")
  func export() throws {
    let machine = try FakeMachine()
    try machine.pwm("pwmchip0", device: "fe20c000.pwm", channels: 2)
    // No kernel makes the channel's directory here.
    let error = try machine.refusal("pwm:pwmchip0:1")
    #expect(try machine.value("class/pwm/pwmchip0/export") == "1")
    #expect(error.kind == .failed)
    #expect(error.errno == ENOENT)
  }

  @Test("after a failure the output may be either, and the next call writes, whatever it says")
  func failure() throws {
    let line = RequestedLine(try FileDescriptor.open(path: "/dev/null", flags: O_RDWR))
    var output = Output(line, name: "gpio:a:1")
    try output.set(false)
    for isOn in [true, false, true] {
      do throws(IndicatorError) {
        try output.set(isOn)
        Issue.record("/dev/null was set to \(isOn)")
      } catch {
        #expect(error.kind == .failed)
        #expect(error.errno == ENOTTY)
        #expect(error.description.hasPrefix("the output gpio:a:1 failed (GPIO_V2_LINE_SET_VALUES_IOCTL: "))
      }
      #expect(output.isOn == false)
    }
  }
}

@Suite("Errors of outputs")
struct IndicatorErrorTests {
  @Test("a machine that has nothing says so")
  func none() throws {
    let machine = try FakeMachine()
    #expect(
      try machine.refusal("led:ACT").description
        == "there is no device for the output led:ACT. The kernel has no LED on this machine: check its device tree "
        + "and `dmesg`.")
    #expect(try machine.refusal("pwm:pwmchip0:0").hint.hasPrefix("No PWM chip was found on this machine"))
    #expect(try machine.refusal("gpio:gpiochip0:1").hint.hasPrefix("No GPIO chip was found on this machine"))
    for place in ["led:ACT", "pwm:pwmchip0:0", "gpio:gpiochip0:1"] {
      #expect(try machine.refusal(place).kind == .notFound)
    }
  }

  @Test("what there is instead is listed")
  func alternatives() throws {
    let machine = try FakeMachine()
    try machine.led("ACT")
    try machine.led("PWR")
    try machine.pwm("pwmchip0", device: "fe20c000.pwm", channels: 2)
    try machine.pwm("pwmchip4", device: "fe20c800.pwm", channels: 1)
    #expect(try machine.refusal("led:STATUS").hint == "LEDs here: ACT, PWR.")
    #expect(
      try machine.refusal("pwm:pwmchip1:0").hint
        == "PWM chips here: fe20c000.pwm (pwmchip0, 2 channels), fe20c800.pwm (pwmchip4, 1 channel).")
    let channel = try machine.refusal("pwm:pwmchip0:2")
    #expect(channel.kind == .notOffered)
    #expect(channel.hint == "pwmchip0 has the channels 0 to 1.")
  }

  @Test("a name of two chips names none")
  func ambiguous() throws {
    let machine = try FakeMachine()
    for name in ["pwmchip0", "pwmchip1"] { try machine.pwm(name, device: "lab.pwm", channels: 1) }
    let error = try machine.refusal("pwm:lab.pwm:0")
    #expect(error.kind == .notFound)
    #expect(error.hint == "The name fits pwmchip0 and pwmchip1: name one of them instead.")
  }

  @Test("names that lead elsewhere are no LED's")
  func elsewhere() throws {
    let machine = try FakeMachine()
    for name in [".", "..", ""] {
      let settings = OutputSettings(place: .led(name: name))
      let error = try #require(
        refusal { () throws(IndicatorError) in
          _ = try Output(settings, devices: machine.devices, classes: machine.classes)
        })
      #expect(error.kind == .notFound)
    }
  }

  @Test("a tone that nobody hears is refused", arguments: [-1, 0, 19, 20_001, Int.max])
  func frequency(hertz: Int) throws {
    let machine = try FakeMachine()
    try machine.pwm("pwmchip0", device: "fe20c000.pwm", channels: 1)
    let error = try machine.refusal("pwm:pwmchip0:0", frequency: hertz)
    #expect(error.kind == .malformed)
    #expect(error.hint == "A tone of \(hertz) Hz cannot be heard: choose 20 to 20000 Hz.")
  }

  @Test("an LED that does not take its value has failed")
  func failing() throws {
    let machine = try FakeMachine()
    try machine.led("ACT")
    unlink("\(machine.classes)/leds/ACT/brightness")
    machine.link("class/leds/ACT/brightness", to: "/dev/full")
    let error = try machine.refusal("led:ACT")
    #expect(error.kind == .failed)
    #expect(error.errno == ENOSPC)
    #expect(error.operation == "write to \(machine.classes)/leds/ACT/brightness")
  }

  @Test("kernel errors tell what it means")
  func kinds() {
    func kind(_ code: CInt) -> IndicatorError.Kind {
      IndicatorError(output: "led:ACT", operation: "write", errno: code).kind
    }
    #expect(kind(ENODEV) == .lost)
    #expect(kind(EBADFD) == .lost)
    #expect(kind(EBUSY) == .busy)
    #expect(kind(EACCES) == .permission)
    #expect(kind(EIO) == .failed)
    let permission = IndicatorError(
      LinuxError("open", "/sys/class/leds/ACT/brightness", errno: EACCES), output: "led:ACT")
    #expect(
      permission.description.hasPrefix(
        "no permission to use the output led:ACT (open /sys/class/leds/ACT/brightness: Permission denied, errno 13). "))
    #expect(permission.hint.contains("udev rule"))
  }

  @Test("what a line refuses is told of the output")
  func lines() {
    let kinds: [(GPIOError.Kind, IndicatorError.Kind)] = [
      (.notFound, .notFound), (.notOffered, .notOffered), (.permission, .permission), (.busy, .busy),
      (.unsupported, .notOffered),
    ]
    for (kind, expected) in kinds {
      let error = IndicatorError(GPIOError(kind, operation: "ask", errno: EBUSY, hint: "Do this."), output: "gpio:a:1")
      #expect(error == IndicatorError(expected, output: "gpio:a:1", operation: "ask", errno: EBUSY, hint: "Do this."))
    }
    let outdated = IndicatorError(GPIOError(.outdated, operation: "ask"), output: "gpio:a:1")
    #expect(outdated.kind == .notOffered)
    #expect(outdated.hint.contains("leds-gpio"))
    #expect(IndicatorError(GPIOError(.kernel, operation: "ask", errno: ENODEV), output: "gpio:a:1").kind == .lost)
  }
}
