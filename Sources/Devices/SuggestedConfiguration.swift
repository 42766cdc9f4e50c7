public import Camera
import Microphone
import Triggers

/// A configuration for this machine, of what an inventory holds. Pure; it passes `lapel config check` as printed.
public struct SuggestedConfiguration: Hashable, Sendable {
  /// What else of the machine counts.
  public struct Machine: Hashable, Sendable {
    /// The directory for keys and socket, and for the store where no card is there.
    public var base: String
    /// The loss bound was measured on the file system that `base` is on.
    public var isBaseMeasured: Bool
    /// The ring's memory can be kept out of the swap.
    public var canLockMemory: Bool

    public init(base: String, isBaseMeasured: Bool, canLockMemory: Bool) {
      self.base = base
      self.isBaseMeasured = isBaseMeasured
      self.canLockMemory = canLockMemory
    }
  }

  /// What to ask of a camera.
  public struct Mode: Hashable, Sendable {
    public var size: FrameSize
    public var framesPerSecond: Int

    public init(size: FrameSize, framesPerSecond: Int) {
      self.size = size
      self.framesPerSecond = framesPerSecond
    }
  }

  /// The file, with what to do first as comments.
  public let text: String

  public init(_ inventory: DeviceInventory, machine: Machine) {
    // A board's system may itself be on a card: that one holds the device key, and is not for evidence.
    let card = inventory.stores.first {
      $0.isRemovable && $0.mountPoint != "/" && $0.isMeasured && $0.isWritable && !$0.isReadOnly
        && $0.configuredPath == nil
    }
    let store = card.map { "\($0.mountPoint)/lapel" } ?? "\(machine.base)/store"
    var lines = [
      "# Suggested by `lapel devices --suggest` for this machine. Once, before the first start:",
      "#   mkdir -p \(DeviceInventory.printable(machine.base))",
      "#   lapel-dock keygen agency                # at the agency; with --demo for a try at a desk",
      "#   lapel enroll --config lapel.toml --agency agency/public",
      "#   lapel-dock enroll \(DeviceInventory.printable(machine.base))/identity/request.note --keys agency -o enrol.note",
      "#   lapel enroll --config lapel.toml --note enrol.note",
      "# Then:",
      "#   lapel run --config lapel.toml           # from another shell: lapel start --config lapel.toml, and stop",
      "",
      "[store]",
      "path = \(Self.quoted(store))",
    ]
    if card == nil, !machine.isBaseMeasured {
      lines += ["# Its file system is neither ext4 nor f2fs: for a desk, not for evidence.", "lab_store = true"]
    }
    lines += ["", "[identity]", "path = \(Self.quoted("\(machine.base)/identity"))"]
    lines += ["", "[control]", "socket = \(Self.quoted("\(machine.base)/control.sock"))"]
    lines += [""] + Self.camera(inventory) + [""] + Self.microphone(inventory)
    let libraries = inventory.encoders.filter { $0.hardware == nil }.map(\.name)
    if let first = libraries.first, !libraries.contains("x264") {
      lines += ["", "[video]", "encoder = \(Self.quoted(first))"]
    }
    if !machine.canLockMemory {
      lines += [
        "", "[memory]",
        "# This user may lock too little memory (`ulimit -l`): what is kept before a trigger can reach the swap in the clear.",
        "allow_swap = true",
      ]
    }
    lines += Self.further(inventory)
    text = lines.joined(separator: "\n") + "\n"
  }

  // MARK: - Parts

  private static func camera(_ inventory: DeviceInventory) -> [String] {
    let candidates = inventory.cameras.filter(\.isUsable)
    guard let camera = candidates.first(where: { $0.users.isEmpty }) ?? candidates.first,
      let mode = mode(of: camera.listing.formats)
    else {
      return [
        "[camera]", "# No camera that can be used was found: this one is made of nothing.", "source = \"synthetic\"",
      ]
    }
    var lines = [
      "[camera]", "# \(DeviceInventory.printable(camera.listing.card))", "source = \"v4l2\"",
      "device = \(quoted(camera.device))", "width = \(mode.size.width)", "height = \(mode.size.height)",
      "fps = \(mode.framesPerSecond)",
    ]
    lines += candidates.filter { $0 != camera }.map { "# or: device = \(quoted($0.device))" }
    return lines
  }

  private static func microphone(_ inventory: DeviceInventory) -> [String] {
    let candidates =
      inventory.microphones.filter { !$0.listing.isBusy } + inventory.microphones.filter(\.listing.isBusy)
    guard let microphone = candidates.first else {
      let isSynthetic = !inventory.cameras.contains(where: \.isUsable)
      return [
        "[microphone]",
        isSynthetic
          ? "# No microphone was found: this one is made of nothing."
          : "# No microphone was found: recordings have no sound.",
        "source = \"\(isSynthetic ? "synthetic" : "none")\"",
      ]
    }
    // What only records stereo is asked for stereo, rather than converted.
    let isStereo = microphone.offer.map { !$0.suits(channels: 1) && $0.suits(channels: 2) } ?? false
    var lines = [
      "[microphone]",
      "# \(DeviceInventory.printable("\(microphone.listing.card), \(microphone.listing.title)"))",
      "source = \"alsa\"", "device = \(quoted(microphone.device))",
    ]
    if isStereo { lines.append("channels = 2") }
    lines += candidates.dropFirst().map { "# or: device = \(quoted($0.device))" }
    return lines
  }

  /// What depends on how things are wired, as comments.
  private static func further(_ inventory: DeviceInventory) -> [String] {
    var lines: [String] = []
    let free = inventory.chips.flatMap { chip in
      chip.lines.filter { $0.consumer == nil }.map { inventory.configuredName(of: $0, on: chip) }
    }
    if let first = free.first {
      lines += [
        "", "# A button on a GPIO line, if it is wired to this one:", "# [buttons]", "# record = \(quoted(first))",
      ]
    }
    if let adapter = inventory.bluetooth.first {
      lines += [
        "", "# Signals by Bluetooth LE, with the keys of their groups in a file:", "# [radio]",
        "# adapter = \(quoted(adapter.device))",
      ]
    }
    return lines
  }

  // MARK: - The camera's mode

  /// Up to 1280x720 at up to 30 frames a second: a rate of 25 and more counts before the size, and 15 before less.
  /// Nil without a format that the recorder can use.
  public static func mode(of offers: [FormatOffer]) -> Mode? {
    var best: (score: (Int, Int, Int), mode: Mode)?
    var isUnlisted = false
    for offer in offers where PixelFormat.supported.contains(offer.pixelFormat) {
      isUnlisted = isUnlisted || offer.sizes.isEmpty
      for size in offer.sizes {
        for place in sizes(of: size) {
          for rate in rates where size.holds(FrameRate(perSecond: UInt32(rate))) {
            let score = (rate >= 25 ? 2 : rate >= 15 ? 1 : 0, place.width * place.height, rate)
            if best.map({ $0.score < score }) ?? true { best = (score, Mode(size: place, framesPerSecond: rate)) }
          }
        }
      }
    }
    // Where a driver lists nothing, only trying shows; every camera has this one.
    return best?.mode
      ?? (isUnlisted ? Mode(size: FrameSize(width: 640, height: 480), framesPerSecond: 30) : nil)
  }

  private static let rates = [30, 25, 24, 20, 15, 12, 10, 8, 5, 2, 1]

  private static func sizes(of offer: SizeOffer) -> [FrameSize] {
    switch offer.extent {
    case .exact(let size):
      let isUsable =
        size.width >= 64 && size.height >= 64 && size.width % 2 == 0 && size.height % 2 == 0
        && size.width * size.height <= 1_280 * 720 && max(size.width, size.height) <= 1_280
      return isUsable ? [size] : []
    case .range:
      return [(1_280, 720), (960, 540), (800, 600), (640, 480), (640, 360), (320, 240)].map {
        FrameSize(width: $0.0, height: $0.1)
      }.filter(offer.holds)
    }
  }

  /// As a basic string of TOML.
  static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
