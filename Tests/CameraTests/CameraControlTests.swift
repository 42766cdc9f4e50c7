import Glibc
import Testing

@testable import Camera

@Suite("Controls of a camera")
struct CameraControlTests {
  private static let offered = [
    ControlDescription(id: 1, title: "Brightness", kind: .integer(0...255, step: 1), isReadOnly: false),
    ControlDescription(id: 2, title: "Exposure Time, Absolute", kind: .integer(3...2_047, step: 4), isReadOnly: false),
    ControlDescription(id: 3, title: "White Balance, Automatic", kind: .boolean, isReadOnly: false),
    ControlDescription(
      id: 4, title: "Power Line Frequency",
      kind: .menu([.init(index: 0, words: "Disabled"), .init(index: 1, words: "50 Hz"), .init(index: 3, words: "Auto")]
      ),
      isReadOnly: false),
    ControlDescription(id: 5, title: "Privacy", kind: .boolean, isReadOnly: true),
  ]

  private func resolve(_ name: String, _ value: String) throws(CameraError) -> (id: UInt32, value: Int) {
    try Self.offered.resolve(CameraControl(name: name, value: value), device: "front")
  }

  @Test("names are made as v4l2-ctl makes them")
  func names() {
    #expect(
      Self.offered.map(\.name) == [
        "brightness", "exposure_time_absolute", "white_balance_automatic", "power_line_frequency", "privacy",
      ])
    #expect(ControlDescription.name(of: " Gain (dB) ") == "gain_db")
  }

  @Test(
    "a number, a yes or no, and a menu's entry by number or words",
    arguments: [
      ("brightness", "0", 1, 0), ("brightness", "255", 1, 255), ("exposure_time_absolute", "7", 2, 7),
      ("white_balance_automatic", "off", 3, 0), ("white_balance_automatic", "1", 3, 1),
      ("power_line_frequency", "3", 4, 3), ("power_line_frequency", "50 hz", 4, 1),
      ("power_line_frequency", "auto", 4, 3),
    ])
  func resolved(_ name: String, _ value: String, _ id: UInt32, _ number: Int) throws {
    let found = try resolve(name, value)
    #expect(found.id == id && found.value == number)
  }

  @Test(
    "what is not offered says what is",
    arguments: [
      ("brightnes", "1", "It has: brightness, exposure_time_absolute, white_balance_automatic, power_line_frequency."),
      ("brightness", "256", "Allowed: 0 to 255."), ("brightness", "bright", "Allowed: 0 to 255."),
      ("exposure_time_absolute", "4", "Allowed: 3 to 2047 in steps of 4."),
      ("white_balance_automatic", "2", "Allowed: 0 or 1."),
      ("power_line_frequency", "2", "Allowed: 0 (Disabled), 1 (50 Hz), 3 (Auto)."),
      ("privacy", "1", "It can be read only: remove it from camera.controls."),
    ])
  func refused(_ name: String, _ value: String, _ hint: String) throws {
    let error = try #require(throws: CameraError.self) { _ = try resolve(name, value) }
    #expect(error.kind == .unsupported && error.hint == hint)
  }

  @Test("a control that another one holds is told from a camera that went away")
  func driverRefuses() {
    let setting = CameraControl(name: "exposure_time_absolute", value: "7")
    let held = V4L2Device.refusal(of: setting, device: "front", errno: EACCES)
    #expect(held.kind == .unsupported && held.hint.contains("in front of it"))
    #expect(V4L2Device.refusal(of: setting, device: "front", errno: ENODEV).kind == .lost)
  }
}
