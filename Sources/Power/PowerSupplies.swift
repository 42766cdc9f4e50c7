public import Core
import LinuxIO
import Media

/// The machine's power supplies as the kernel shows them. Kernel documentation: power/power_supply_class,
/// ABI/testing/sysfs-class-power.
///
/// A driver may ask its chip over a slow bus for each value, and wait for seconds when the chip does not answer: read from a
/// thread that nobody waits for.
public enum PowerSupplies {
  public static let directory = "/sys/class/power_supply"

  /// More than a machine can have; the rest is not read.
  private static let limit = 32

  /// Reads all of them. What does not answer is nil in its reading; a machine without any has none. Those of a mouse or a
  /// headset (scope `Device`) are left out.
  public static func read(_ directory: String = PowerSupplies.directory) -> PowerReading {
    let names = ((try? listDirectory(path: directory)) ?? []).sorted().prefix(limit)
    let supplies = names.compactMap { supply("\(directory)/\($0)", name: $0) }
    return PowerReading(time: .now(), supplies: supplies)
  }

  private static func supply(_ path: String, name: String) -> SupplyReading? {
    guard let type = value(path, "type"), value(path, "scope") != "Device" else { return nil }
    switch type {
    case "Battery", "UPS": return battery(path, name: name)
    // Kernels before 5.0 name the kind of USB charger: USB_DCP, USB_PD.
    case _ where type.hasPrefix("USB"), "Mains", "Wireless":
      var supply = SupplyReading(name: name, kind: .external)
      supply.isOnline = number(path, "online").map { $0 > 0 }
      return supply
    default: return nil
    }
  }

  private static func battery(_ path: String, name: String) -> SupplyReading {
    var battery = SupplyReading(name: name, kind: .battery)
    battery.isPresent = number(path, "present") != 0
    guard battery.isPresent else { return battery }
    battery.charge = value(path, "status").flatMap(charge)
    for (now, full) in [("energy_now", "energy_full"), ("charge_now", "charge_full")] {
      guard let most = number(path, full), most > 0 else { continue }
      battery.capacity = most
      if let held = number(path, now), held >= 0 { battery.percent = Int(min(100, Double(held) / Double(most) * 100)) }
      break
    }
    // What the driver says itself is better: it knows its chip's corrections.
    if let percent = number(path, "capacity"), percent >= 0 { battery.percent = Int(min(100, percent)) }
    for attribute in ["time_to_empty_avg", "time_to_empty_now"] {
      // 0 is said by many that do not know, and some say years.
      guard let seconds = number(path, attribute), (1...999_999).contains(seconds) else { continue }
      battery.timeLeft = .seconds(seconds)
      break
    }
    return battery
  }

  private static func charge(_ status: String) -> SupplyReading.Charge? {
    switch status {
    case "Charging": .charging
    case "Discharging": .discharging
    case "Not charging": .notCharging
    case "Full": .full
    default: nil
    }
  }

  private static func number(_ path: String, _ attribute: String) -> Int64? {
    value(path, attribute).flatMap { Int64($0) }
  }

  /// Nil where the driver does not have the attribute, or its chip does not answer.
  private static func value(_ path: String, _ attribute: String) -> String? {
    guard let bytes = try? readSmallFile(path: "\(path)/\(attribute)", limit: 256) else { return nil }
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
