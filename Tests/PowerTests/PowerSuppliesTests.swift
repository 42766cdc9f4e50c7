import Core
import Media
import Testing

@testable import Power

@Suite("The kernel's power supplies")
struct PowerSuppliesTests {
  private static func read(_ supplies: [String: [String: String]]) throws -> [SupplyReading] {
    let fake = try FakeSupplies()
    for (name, attributes) in supplies { try fake.supply(name, attributes) }
    return PowerSupplies.read(fake.path).supplies
  }

  @Test("batteries and what feeds the machine beside them are found; a mouse's battery and what nobody knows are not")
  func kinds() throws {
    let found = try Self.read([
      "BAT0": ["type": "Battery", "capacity": "57"], "ups": ["type": "UPS", "capacity": "99"],
      "AC": ["type": "Mains", "online": "1"], "usb": ["type": "USB", "online": "0"],
      "old": ["type": "USB_DCP", "online": "2"], "pad": ["type": "Wireless"],
      "hidpp_battery_0": ["type": "Battery", "scope": "Device", "capacity": "3"],
      "BAT1": ["type": "Battery", "scope": "System", "capacity": "58"], "odd": ["type": "Unknown", "online": "1"],
      "empty": [:],
    ])
    #expect(found.map(\.name) == ["AC", "BAT0", "BAT1", "old", "pad", "ups", "usb"])
    #expect(found.map(\.kind) == [.external, .battery, .battery, .external, .external, .battery, .external])
    #expect(found.map(\.isOnline) == [true, nil, nil, true, nil, nil, false])
    #expect(found.map(\.percent) == [nil, 57, 58, nil, nil, 99, nil])
  }

  @Test("how full a battery is comes from its driver, else from what it holds; nonsense is nothing")
  func percent() throws {
    let rows: [([String: String], Int?)] = [
      (["capacity": "0"], 0), (["capacity": "104"], 100), (["capacity": "-1"], nil), (["capacity": "x"], nil),
      ([:], nil),
      (["energy_now": "25000000", "energy_full": "50000000"], 50), (["charge_now": "1", "charge_full": "3"], 33),
      (["energy_now": "25", "energy_full": "50", "capacity": "48"], 48),
      (["energy_now": "5", "energy_full": "0"], nil),
      (["energy_now": "60", "energy_full": "50"], 100), (["energy_now": "-60", "energy_full": "50"], nil),
      (["charge_now": "9223372036854775807", "charge_full": "1"], 100),
      (["capacity": "99999999999999999999"], nil), (["capacity": String(repeating: "1", count: 5_000)], nil),
    ]
    for (attributes, percent) in rows {
      let all = attributes.merging(["type": "Battery"]) { first, _ in first }
      #expect(try Self.read(["BAT0": all]).map(\.percent) == [percent], "\(attributes)")
    }
  }

  @Test("status, time and presence are read as the kernel writes them")
  func state() throws {
    func battery(_ attributes: [String: String]) throws -> SupplyReading {
      let all = attributes.merging(["type": "Battery"]) { first, _ in first }
      return try #require(try Self.read(["BAT0": all]).first)
    }
    let words: [(String, SupplyReading.Charge?)] = [
      ("Charging", .charging), ("Discharging", .discharging), ("Not charging", .notCharging), ("Full", .full),
      ("Unknown", nil), ("", nil),
    ]
    for (word, charge) in words { #expect(try battery(["status": word]).charge == charge, "\(word)") }
    #expect(try battery(["time_to_empty_now": "600"]).timeLeft == .seconds(600))
    #expect(try battery(["time_to_empty_now": "600", "time_to_empty_avg": "900"]).timeLeft == .seconds(900))
    #expect(try battery(["time_to_empty_now": "600", "time_to_empty_avg": "0"]).timeLeft == .seconds(600))
    #expect(try battery(["time_to_empty_now": "0"]).timeLeft == nil)
    #expect(
      try battery(["time_to_empty_now": "3932100"]).timeLeft == nil, "the 65,535 min of a gauge that does not know")
    #expect(try battery(["present": "1"]).isPresent)
    #expect(try battery([:]).isPresent)
    let empty = try battery(["present": "0", "capacity": "0"])
    #expect(!empty.isPresent && empty.percent == nil)
  }

  @Test("a machine without the directory has no supplies, and one that fills it with names is not read for ever")
  func bounds() throws {
    #expect(PowerSupplies.read("/nonexistent").supplies.isEmpty)
    let fake = try FakeSupplies()
    for number in 100..<200 { try fake.supply("b\(number)", ["type": "Battery"]) }
    #expect(PowerSupplies.read(fake.path).supplies.count == 32)
  }
}
