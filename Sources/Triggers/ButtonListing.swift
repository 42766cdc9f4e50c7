import GPIO
import LinuxIO

/// What of this machine could be a button: GPIO chips with their lines, and input devices with their keys.
public struct ButtonListing: Hashable, Sendable {
  /// A GPIO chip.
  public struct Chip: Hashable, Sendable {
    /// The node now, `/dev/gpiochip0`; its number may be another after the next boot.
    public var path: String
    public var name: String
    /// What the driver or the device tree calls it; stays.
    public var label: String
    public var lineCount: Int
    /// Those that have a name, by offset. The others are named by their offset, 0..<lineCount.
    public var lines: [Line]
  }

  /// A line of a chip.
  public struct Line: Hashable, Sendable {
    public var offset: Int
    public var name: String
    /// Who has it now; nil when it is free.
    public var consumer: String?
  }

  /// An input device that has keys.
  public struct Input: Hashable, Sendable {
    /// The node now, `/dev/input/event3`; another after the next plugging in.
    public var path: String
    /// As in /proc/bus/input/devices.
    public var name: String
    /// The path under /dev/input/by-id, which stays; nil where udev makes none.
    public var stablePath: String?
    /// By number; those without a name of ours are numbers.
    public var keys: [String]
  }

  public var chips: [Chip] = []
  public var inputs: [Input] = []
  /// Nodes that this user may not open.
  public var refused: [String] = []

  /// Everything, in the order of the node numbers. Opens each node for a moment; who uses them is not disturbed.
  public static func all() -> ButtonListing { all(in: "/dev") }

  static func all(in devices: String) -> ButtonListing {
    let lines = GPIOListing(devices: devices, withLines: true)
    let (inputs, refusedInputs) = inputs(in: devices)
    return ButtonListing(chips: lines.chips.map(Chip.init), inputs: inputs, refused: lines.refused + refusedInputs)
  }

  static func inputs(in devices: String) -> (found: [Input], refused: [String]) {
    var found: [Input] = []
    var refused: [String] = []
    let stable = DeviceNode.stableNames(in: "\(devices)/input/by-id")
    for path in DeviceNode.numbered("event", in: "\(devices)/input") {
      do throws(LinuxError) {
        guard let device = try InputDevice(path: path) else { continue }
        let keys = device.keys.keys
        guard !keys.isEmpty else { continue }
        let node = path.split(separator: "/").last.map(String.init) ?? path
        found.append(
          Input(
            path: path, name: device.name, stablePath: stable[node].map { "\(devices)/input/by-id/\($0)" },
            keys: keys.map(\.description)))
      } catch {
        if error.isPermission { refused.append(path) }
      }
    }
    return (found, refused)
  }

  static func hint(for inputs: [Input]) -> String {
    if inputs.isEmpty { return "No input device with keys was found on this machine: check its cable and `dmesg`." }
    return "Input devices here: \(few(inputs.map { "\($0.name) (\($0.stablePath ?? $0.path))" }))."
  }
}

extension ButtonListing.Chip {
  fileprivate init(_ chip: GPIOListing.Chip) {
    self.init(
      path: chip.path, name: chip.name, label: chip.label, lineCount: chip.lineCount,
      lines: chip.lines.map { ButtonListing.Line(offset: $0.offset, name: $0.name, consumer: $0.consumer) })
  }
}
