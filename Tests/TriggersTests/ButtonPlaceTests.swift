import Media
import Testing

@testable import Triggers

@Suite("Where a button is")
struct ButtonPlaceTests {
  @Test(
    "the text forms, and back again",
    arguments: [
      ("gpio:gpiochip0:17", ButtonPlace.gpio(chip: "gpiochip0", line: "17")),
      ("gpio:pinctrl-bcm2711:GPIO17", .gpio(chip: "pinctrl-bcm2711", line: "GPIO17")),
      ("gpio:/dev/gpiochip1:REC BUTTON", .gpio(chip: "/dev/gpiochip1", line: "REC BUTTON")),
      ("gpio:INT33FC:00:4", .gpio(chip: "INT33FC:00", line: "4")),
      ("key:gpio-keys:KEY_RECORD", .key(device: "gpio-keys", key: "KEY_RECORD")),
      ("key:Logitech USB Receiver:KEY_PAGEDOWN", .key(device: "Logitech USB Receiver", key: "KEY_PAGEDOWN")),
      ("key:gpio-keys:167", .key(device: "gpio-keys", key: "167")),
      (
        "key:/dev/input/by-path/pci-0000:00:14.0-usb-0:2:1.0-event-kbd:KEY_B",
        .key(device: "/dev/input/by-path/pci-0000:00:14.0-usb-0:2:1.0-event-kbd", key: "KEY_B")
      ),
    ])
  func accepted(text: String, place: ButtonPlace) throws {
    #expect(try ButtonPlace(text) == place)
    #expect(place.description == text)
  }

  @Test(
    "what is refused, and why",
    arguments: [
      ("", "A button is gpio:CHIP:LINE or key:DEVICE:KEY."),
      ("gpio", "A button is gpio:CHIP:LINE"),
      ("gpio:", "A button is gpio:CHIP:LINE"),
      ("gpio:gpiochip0", "A button is gpio:CHIP:LINE"),
      ("GPIO:gpiochip0:1", "A button is gpio:CHIP:LINE"),
      ("gpio::1", "The chip is missing."),
      ("gpio:gpiochip0:", "The line is missing."),
      ("key::KEY_RECORD", "The device is missing."),
      ("key:gpio-keys:", "The key is missing."),
      ("key:gpio-keys:KEY_NONSENSE", "\"KEY_NONSENSE\" is no key: a name such as KEY_RECORD"),
      ("key:gpio-keys:key_record", "\"key_record\" is no key"),
      ("key:gpio-keys:0", "a number from 1 to 767"),
      ("key:gpio-keys:768", "a number from 1 to 767"),
      ("key:gpio-keys:-1", "a number from 1 to 767"),
      ("key:gpio-keys:+5", "a number from 1 to 767"),
      ("key:gpio-keys:99999999999999999999", "a number from 1 to 767"),
    ])
  func refused(text: String, why: String) throws {
    let error = try #require(refusal { () throws(TriggerError) in _ = try ButtonPlace(text) })
    #expect(error.kind == .malformed)
    #expect(error.button == text)
    #expect(error.hint.contains(why))
    #expect(error.description.hasPrefix("\"\(text)\" is not a button. "))
  }

  @Test("a zero byte would end the path for the kernel, and is refused")
  func zero() throws {
    let error = try #require(refusal { () throws(TriggerError) in _ = try ButtonPlace("gpio:chip\0:1") })
    #expect(error.hint == "It holds a zero byte.")
  }

  @Test("keys by name and number, and back to the name")
  func keys() throws {
    #expect(Key("KEY_RECORD")?.code == 167)
    #expect(Key("KEY_PAGEDOWN")?.code == 109)
    #expect(Key("BTN_0")?.code == 0x100)
    #expect(Key("KEY_PROG4")?.code == 203)
    #expect(try #require(Key("167")).description == "KEY_RECORD")
    #expect(try #require(Key("600")).description == "600")
    // Two names of one number, or one name twice, would make a name come back as another.
    #expect(Set(Key.names.map(\.code)).count == Key.names.count)
    #expect(Set(Key.names.map(\.name)).count == Key.names.count)
    for (name, code) in Key.names { #expect(Key(code: Int(code))?.description == name) }
  }

  @Test("a set of keys has the kernel's bits")
  func keySet() throws {
    var set = KeySet()
    #expect(set.bytes.count == 96)
    for number in [1, 7, 8, 167, 767] { set.insert(try #require(Key(code: number))) }
    #expect(set.bytes[0] == 0b1000_0010)
    #expect(set.bytes[1] == 1)
    #expect(set.bytes[20] == 0x80)
    #expect(set.bytes[95] == 0x80)
    #expect(set.keys.map(\.code) == [1, 7, 8, 167, 767])
  }
}

/// The error that `body` throws, if it throws one.
func refusal(_ body: () throws(TriggerError) -> Void) -> TriggerError? {
  do throws(TriggerError) {
    try body()
    return nil
  } catch {
    return error
  }
}
