import Glibc
import LinuxIO

/// A button's descriptor, ready to be watched, and what was found when it was opened.
struct ButtonOpening: ~Copyable {
  let descriptor: FileDescriptor
  let decoder: EventDecoder
  let isPressed: Bool
  let wasPullRefused: Bool

  /// - Parameter devices: where the device nodes are, /dev but in tests.
  init(_ settings: ButtonSettings, devices: String) throws(TriggerError) {
    let button = settings.place.description
    switch settings.place {
    case .gpio(let chip, let line):
      let chip = try Self.chip(chip, button: button, devices: devices)
      let offset = try chip.offset(of: line, button: button)
      let granted = try chip.request(offset: offset, settings)
      isPressed = try GPIOChip.isPressed(granted.descriptor, button: button)
      wasPullRefused = granted.wasPullRefused
      descriptor = granted.descriptor
      decoder = .line(LineDecoder())
    case .key(let name, let keyName):
      guard let key = Key(keyName) else {
        throw TriggerError(
          .malformed, button: button, operation: "read the button's place", hint: Key.unknownHint(keyName))
      }
      let device = try Self.device(name, with: key, button: button, devices: devices)
      try device.watch(key, button: button)
      isPressed = try InputDevice.isDown(key, device.descriptor, button: button)
      wasPullRefused = false
      descriptor = device.descriptor
      decoder = .key(KeyDecoder(key: key))
    }
  }

  private static func chip(_ name: String, button: String, devices: String) throws(TriggerError) -> GPIOChip {
    let (chips, refused) = ButtonListing.chips(in: devices, withLines: false)
    var path = name
    if !name.hasPrefix("/") {
      let fitting = chips.filter { $0.label == name || $0.name == name }
      if fitting.count > 1 {
        let names = fitting.map(\.name).joined(separator: " and ")
        throw TriggerError(
          .notFound, button: button, operation: "find the chip",
          hint: "The label fits \(names): name one of them instead.")
      }
      if fitting.isEmpty, let path = refused.first {
        throw TriggerError.opening(path: path, button: button, errno: EACCES, alternatives: "")
      }
      guard let found = fitting.first else {
        throw TriggerError(
          .notFound, button: button, operation: "find the chip", hint: ButtonListing.hint(for: chips))
      }
      path = found.path
    }
    do throws(LinuxError) {
      if let chip = try GPIOChip(path: path) { return chip }
    } catch {
      throw TriggerError.opening(
        path: path, button: button, errno: error.errno, alternatives: ButtonListing.hint(for: chips))
    }
    throw TriggerError(
      .notFound, button: button, operation: "GPIO_GET_CHIPINFO_IOCTL",
      hint: "\(path) is no GPIO chip. \(ButtonListing.hint(for: chips))")
  }

  private static func device(
    _ name: String, with key: Key, button: String, devices: String
  ) throws(TriggerError) -> InputDevice {
    var path = name
    if !name.hasPrefix("/") {
      let (inputs, refused) = ButtonListing.inputs(in: devices)
      let named = inputs.filter { $0.name == name }
      // A presenter is often two devices of one name, keyboard and mouse: the one with the key is meant.
      let fitting = named.filter { $0.keys.contains(key.description) }
      if fitting.count > 1 {
        let paths = fitting.map { $0.stablePath ?? $0.path }.joined(separator: " and ")
        throw TriggerError(
          .notFound, button: button, operation: "find the device",
          hint: "The name fits \(paths): use one of these paths.")
      }
      if named.isEmpty, let path = refused.first {
        throw TriggerError.opening(path: path, button: button, errno: EACCES, alternatives: "")
      }
      guard let found = fitting.first ?? named.first else {
        throw TriggerError(
          .notFound, button: button, operation: "find the device", hint: ButtonListing.hint(for: inputs))
      }
      path = found.path
    }
    var found: InputDevice?
    do throws(LinuxError) {
      found = try InputDevice(path: path)
    } catch {
      throw TriggerError.opening(
        path: path, button: button, errno: error.errno,
        alternatives: ButtonListing.hint(for: ButtonListing.inputs(in: devices).found))
    }
    guard let device = found.take() else {
      throw TriggerError(
        .notFound, button: button, operation: "EVIOCGNAME",
        hint: "\(path) is no input device. \(ButtonListing.hint(for: ButtonListing.inputs(in: devices).found))")
    }
    guard device.keys.contains(key) else {
      let keys = device.keys.keys.map(\.description)
      throw TriggerError(
        .notOffered, button: button, operation: "EVIOCGBIT",
        hint: keys.isEmpty ? "\(device.name) has no keys." : "\(device.name) has the keys \(few(keys)).")
    }
    return device
  }
}

extension LinuxError {
  var isPermission: Bool { errno == EACCES || errno == EPERM }
}
