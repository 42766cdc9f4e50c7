import LinuxIO

/// The GPIO chips of this machine.
package struct GPIOListing: Hashable, Sendable {
  package struct Chip: Hashable, Sendable {
    /// The node now, `/dev/gpiochip0`; its number may be another after the next boot.
    package var path: String
    package var name: String
    /// What the driver or the device tree calls it; stays.
    package var label: String
    package var lineCount: Int
    /// Those that have a name, by offset; empty when they were not asked for.
    package var lines: [Line]
  }

  package struct Line: Hashable, Sendable {
    package var offset: Int
    package var name: String
    /// Who has it now; nil when it is free.
    package var consumer: String?
  }

  package var chips: [Chip] = []
  /// Nodes that this user may not open.
  package var refused: [String] = []

  /// In the order of the node numbers. Opens each node for a moment; who uses them is not disturbed.
  /// - Parameter devices: where the device nodes are, /dev but in tests.
  package init(devices: String, withLines: Bool) {
    for path in DeviceNode.numbered("gpiochip", in: devices) {
      do throws(LinuxError) {
        guard let chip = try GPIOChip(path: path) else { continue }
        chips.append(
          Chip(
            path: path, name: chip.name, label: chip.label, lineCount: chip.lineCount,
            lines: withLines ? chip.namedLines() : []))
      } catch {
        if error.isPermission { refused.append(path) }
      }
    }
  }

  /// Which chips there are, for somebody who named another.
  static func hint(for chips: [Chip]) -> String {
    if chips.isEmpty { return "No GPIO chip was found on this machine: check its device tree and `dmesg`." }
    return "GPIO chips here: \(few(chips.map { "\($0.label) (\($0.name), \($0.lineCount) lines)" }))."
  }
}
