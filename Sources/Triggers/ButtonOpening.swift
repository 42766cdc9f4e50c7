import GPIO
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
      let granted = try Self.line(line, of: chip, settings, devices: devices)
      isPressed = try Self.isLineActive(granted.descriptor, button: button)
      wasPullRefused = granted.wasPullRefused
      descriptor = granted.takeDescriptor()
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

  private static func line(
    _ line: String, of chip: String, _ settings: ButtonSettings, devices: String
  ) throws(TriggerError) -> RequestedLine {
    do throws(GPIOError) {
      let chip = try GPIOChip.open(chip, devices: devices)
      return try chip.requestEdges(
        offset: try chip.offset(of: line), isActiveLow: settings.isActiveLow, debounce: settings.debounce,
        setsPull: settings.setsPull)
    } catch {
      throw TriggerError(error, button: settings.place.description)
    }
  }

  /// True while the button of a requested line is pressed.
  static func isLineActive(_ line: borrowing FileDescriptor, button: String) throws(TriggerError) -> Bool {
    do throws(GPIOError) {
      return try RequestedLine.isActive(line)
    } catch {
      throw TriggerError(error, button: button)
    }
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
