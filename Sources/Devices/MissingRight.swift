/// What keeps a user from a device node, from its owner, group and mode alone. Pure.
public struct MissingRight: Hashable, Sendable {
  public var path: String
  /// The name, or else the number, of the group that the node belongs to.
  public var group: String
  /// Permission bits.
  public var mode: UInt32
  /// The user is in that group by the system's book, but this session began before.
  public var isNewMember: Bool

  public init(path: String, group: String, mode: UInt32, isNewMember: Bool = false) {
    self.path = path
    self.group = group
    self.mode = mode
    self.isNewMember = isNewMember
  }

  /// What to do: whole sentences, with the command to type.
  public func advice(for kind: DeviceInventory.Refusal.Kind) -> String {
    let letsGroupIn = mode & 0o060 == 0o060
    if letsGroupIn, isNewMember { return "You are in its group \(group), but this session began before: log in again." }
    if letsGroupIn, group != "root", group != "0" {
      return "It belongs to the group \(group): `sudo usermod -aG \(group) $USER`, and log in again."
    }
    // The groups and rules that Debian's udev and Raspberry Pi OS have.
    let (subsystem, usual) =
      switch kind {
      case .camera: ("video4linux", "video")
      case .microphone: ("sound", "audio")
      case .gpio: ("gpio", "gpio")
      case .input: ("input", "input")
      }
    return "Only root may open it (group \(group), mode \(octal)): a udev rule is missing. Make one: "
      + "`echo 'SUBSYSTEM==\"\(subsystem)\", GROUP=\"\(usual)\", MODE=\"0660\"' | sudo tee /etc/udev/rules.d/60-lapel-\(usual).rules`, "
      + "then `sudo groupadd -f \(usual)`, `sudo usermod -aG \(usual) $USER`, and start the machine again."
  }

  private var octal: String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
