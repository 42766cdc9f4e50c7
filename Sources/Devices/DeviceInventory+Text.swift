import Camera
import Control
import Core
import Media
import Microphone
import Radio
import Triggers

/// The settings that a list of stores is reckoned with.
public struct FootageRate: Hashable, Sendable {
  /// Picture and sound together.
  public var bitsPerSecond: Int
  /// Always kept free.
  public var reserveBytes: Int

  public init(bitsPerSecond: Int, reserveBytes: Int) {
    self.bitsPerSecond = bitsPerSecond
    self.reserveBytes = reserveBytes
  }

  /// Whole minutes of footage that fit, without what sealing and checkpoints add.
  public func minutes(in bytes: Int64) -> Int64 {
    max(0, bytes - Int64(reserveBytes)) / max(1, Int64(bitsPerSecond) / 8 * 60)
  }
}

extension DeviceInventory {
  /// For people: a section for each kind, also where there is none. Pure.
  public func text(_ rate: FootageRate) -> String {
    var lines: [String] = []
    func section(_ title: String, key: String, _ body: [String], none: String) {
      if !lines.isEmpty { lines.append("") }
      lines.append("\(title)  (\(key))")
      lines += (body.isEmpty ? [none] : body).map { "  \($0)" }
    }
    section(
      "Cameras", key: "camera.device", cameras.flatMap(cameraLines) + otherVideo.map(otherLine) + refused(.camera),
      none: "none: check cable and `dmesg`; camera.source = \"synthetic\" works without one")
    section("Encoders", key: "video.encoder", encoders.map(encoderLine), none: "none: this program was built without")
    section(
      "Microphones", key: "microphone.device", microphones.flatMap(microphoneLines) + refused(.microphone),
      none: "none: check cable and `cat /proc/asound/cards`; microphone.source = \"synthetic\" works without one")
    section(
      "GPIO lines", key: "buttons.record, indicators.red …, power.fail_line",
      chips.flatMap(chipLines) + refused(.gpio), none: "none")
    section(
      "Keys", key: "buttons.record", inputs.flatMap(inputLines) + refused(.input), none: "no input device with keys")
    section(
      "Bluetooth", key: "radio.adapter", bluetooth.map(bluetoothLine),
      none: bluetoothProblem.map { "none: \($0)" } ?? "none")
    section("Power", key: "power.battery", supplies.map(supplyLine), none: "none: no battery and no mains are shown")
    section("Stores", key: "store.path", stores.map { storeLine($0, rate) }, none: "none")
    if !hiddenRecorders.isEmpty {
      lines += [
        "",
        "\(hiddenRecorders.joined(separator: ", ")) runs and hides from this user which devices it has: ask as root.",
      ]
    }
    return lines.map(DeviceInventory.printable).joined(separator: "\n") + "\n"
  }

  /// Names come from devices, which may say anything: what would steer a terminal shows as `?`.
  static func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let steers =
        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || (0x2028...0x202E).contains(scalar.value)
        || (0x2066...0x2069).contains(scalar.value)
      result.unicodeScalars.append(steers ? "?" : scalar)
    }
    return result
  }

  // MARK: - Kinds

  private func cameraLines(_ camera: CameraEntry) -> [String] {
    let listing = camera.listing
    var lines = [
      camera.device,
      "  \(listing.card), now \(listing.path), driver \(listing.driver), \(listing.bus)" + inUse(camera.users),
    ]
    if camera.isBareSensor {
      let names = listing.formats.map(\.pixelFormat.description).joined(separator: ", ")
      return lines + [
        "  gives only Bayer data (\(names)), no picture: it is a bare image sensor. Install libcamera-v4l2 and start the "
          + "recorder as `libcamerify lapel run …`, which makes pictures of it"
      ]
    }
    // Formats with the same sizes and rates stand together.
    var groups: [(names: [String], sizes: [SizeOffer])] = []
    for offer in listing.formats where offer.isShown {
      let name = offer.pixelFormat.shownName
      if let index = groups.firstIndex(where: { $0.sizes == offer.sizes }) {
        groups[index].names.append(name)
      } else {
        groups.append(([name], offer.sizes))
      }
    }
    for group in groups {
      let sizes = group.sizes.map(\.description).joined(separator: ", ")
      lines.append("  \(group.names.joined(separator: " ")): \(group.sizes.isEmpty ? "sizes not listed" : sizes)")
    }
    let others = listing.formats.filter { !$0.isShown }.map(\.pixelFormat.description)
    if !others.isEmpty {
      let shown = others.prefix(6).joined(separator: ", ") + (others.count > 6 ? " and \(others.count - 6) more" : "")
      lines.append("  not usable: \(shown)")
    }
    if !camera.isUsable { lines.append("  none of its formats can be used by the recorder") }
    return lines
  }

  private func otherLine(_ node: OtherNode) -> String { "\(node.path): \(node.what) (\(node.card))" }

  private func encoderLine(_ encoder: EncoderEntry) -> String {
    guard let hardware = encoder.hardware else { return "\(encoder.name)  H.264 in software, in this program" }
    return
      "\(encoder.name)  H.264 in hardware: \(hardware.card), now \(hardware.path), driver \(hardware.driver), takes "
      + hardware.inputs.map(\.description).joined(separator: ", ")
  }

  private func microphoneLines(_ microphone: MicrophoneEntry) -> [String] {
    let listing = microphone.listing
    let title = listing.title == listing.card ? listing.card : "\(listing.card), \(listing.title)"
    let what =
      microphone.offer.map(\.description)
      ?? (listing.isBusy ? "what it offers cannot be asked while it is in use" : "what it offers cannot be asked")
    let users = microphone.users.isEmpty && listing.isBusy ? "; in use" : inUse(microphone.users)
    return [microphone.device, "  \(title), now \(listing.numberedName): \(what)\(users)"]
  }

  private func chipLines(_ chip: ButtonListing.Chip) -> [String] {
    let name = configuredName(of: chip)
    let unnamed = chip.lineCount - chip.lines.count
    var lines = ["gpio:\(name):0 to gpio:\(name):\(max(0, chip.lineCount - 1))  now \(chip.path)"]
    if name != chip.label {
      lines[0] +=
        "; its label \(chip.label.isEmpty ? "is empty" : "\(chip.label) is that of others, too"), and its number may change"
    }
    lines += chip.lines.map { line in
      "  \(configuredName(of: line, on: chip))  line \(line.offset), \(line.consumer.map { "taken by \($0)" } ?? "free")"
    }
    if unnamed > 0, !chip.lines.isEmpty { lines.append("  \(unnamed) more without a name, by their number") }
    return lines
  }

  private func inputLines(_ input: ButtonListing.Input) -> [String] {
    // A path may be another device's tomorrow; a name that two share says nothing.
    let isItsOwn = inputs.filter { $0.name == input.name }.count == 1
    let name = input.stablePath ?? (isItsOwn && !input.name.isEmpty ? input.name : input.path)
    let shown = input.keys.prefix(8).joined(separator: ", ")
    let more = input.keys.count > 8 ? " and \(input.keys.count - 8) more" : ""
    return ["key:\(name):\(input.keys.first ?? "KEY")", "  \(input.name), now \(input.path): \(shown)\(more)"]
  }

  private func bluetoothLine(_ entry: BluetoothEntry) -> String {
    "\(entry.device)  now \(entry.adapter.name), "
      + (entry.adapter.isUp
        ? "switched on: radio.mode = \"shared\", or switch it off first (`bluetoothctl power off`)"
        : "switched off: as radio.mode = \"exclusive\" wants it")
      + (entry.adapter.hasAddress ? "" : "; its address is not known before it was switched on once")
  }

  private func supplyLine(_ supply: SupplyReading) -> String {
    switch supply.kind {
    case .external:
      let state = supply.isOnline.map { $0 ? "delivers" : "not connected" } ?? "does not say"
      return "\(supply.name)  external supply, \(state)"
    case .battery:
      guard supply.isPresent else { return "\(supply.name)  battery, the bay is empty" }
      let percent = supply.percent.map { "\($0) %" } ?? "does not say how full it is"
      let left = supply.timeLeft.map { ", \($0.count / 60_000_000_000) min left" } ?? ""
      return "\(supply.name)  battery, \(percent)\(supply.charge.map { ", \($0.words)" } ?? "")\(left)"
    }
  }

  private func storeLine(_ store: StoreEntry, _ rate: FootageRate) -> String {
    var line = "\(store.mountPoint)  \(store.fileSystem) on \(store.source)"
    if store.isRemovable { line += ", can be taken out" }
    if let path = store.configuredPath { line += ", where store.path = \(path) lies" }
    if let free = store.freeBytes, let total = store.totalBytes {
      line +=
        ": \(Units.bytes(free)) of \(Units.bytes(total)) free, \(rate.minutes(in: free)) min at "
        + "\(rate.bitsPerSecond / 1_000) kbit/s"
    } else {
      line += ": no answer"
    }
    if store.isReadOnly { line += "; read-only" }
    if !store.isMeasured {
      line += "; what a power cut costs was measured on ext4 and f2fs only: store.lab_store = true allows it for a desk"
    }
    return line
  }

  private func refused(_ kind: Refusal.Kind) -> [String] {
    // Sound cards and input devices come by the dozen, and one advice is for all of them.
    var groups: [(paths: [String], reason: String, advice: String)] = []
    for refusal in refusals where refusal.kind == kind {
      if let index = groups.firstIndex(where: { $0.reason == refusal.reason && $0.advice == refusal.advice }) {
        groups[index].paths.append(refusal.path)
      } else {
        groups.append(([refusal.path], refusal.reason, refusal.advice))
      }
    }
    return groups.map { "\($0.paths.joined(separator: ", ")): \($0.reason). \($0.advice)" }
  }

  private func inUse(_ users: [String]) -> String {
    users.isEmpty ? "" : "; in use by \(users.joined(separator: ", "))"
  }
}

extension FormatOffer {
  /// What a recorder can use, and what the camera compresses by itself.
  var isShown: Bool { PixelFormat.supported.contains(pixelFormat) || pixelFormat.isCompressedVideo }
}

extension PixelFormat {
  /// H.264 or H.265.
  var isCompressedVideo: Bool { self == PixelFormat("H264") || self == PixelFormat("HEVC") }

  var shownName: String {
    if isCompressedVideo { return "\(self) (compressed by the camera)" }
    return isJPEG ? "\(self) (JPEG by the camera)" : description
  }
}

extension SupplyReading.Charge {
  var words: String {
    switch self {
    case .charging: "charging"
    case .discharging: "discharging"
    case .notCharging: "not charging"
    case .full: "full"
    }
  }
}
