import CLinux
import Camera
import Core
import Encoding
import Glibc
import LinuxIO
public import Media
import Microphone
import Power
import Radio
import Triggers

/// Asks the system what there is. Sets nothing on any device, and opens each for a moment only.
///
/// All kinds, and each video node by itself, are asked at once; what has not answered within the limit is listed as silent.
public struct InventoryReader {
  /// How long a device may take to answer.
  public var limit: Nanoseconds
  /// `store.path` of the configuration in effect.
  public var storePath: String
  /// File systems on which the loss bound was measured.
  public var measuredFileSystems: [String]
  /// Told whom it waits for when that takes over two seconds.
  public var progress: (String) -> Void

  public init(
    storePath: String, measuredFileSystems: [String], limit: Nanoseconds = .seconds(6),
    progress: @escaping (String) -> Void
  ) {
    self.storePath = storePath
    self.measuredFileSystems = measuredFileSystems
    self.limit = limit
    self.progress = progress
  }

  private static let patience = Nanoseconds.seconds(2)

  public func read() -> DeviceInventory {
    let start = MonotonicTime.now()
    let nodes = VideoNode.paths().map { path in Inquiry(path) { VideoNode.read(path) } }
    let sound = Inquiry("the sound cards") { Self.microphones() }
    let lines = Inquiry("the GPIO chips and input devices") { ButtonListing.all() }
    let radio = Inquiry("the Bluetooth adapters") { Self.bluetooth() }
    let supplies = Inquiry("the batteries") { PowerSupplies.read().supplies }
    let mounts = MountedFileSystem.list(Self.text(of: "/proc/self/mountinfo"))
    let stores = self.stores(in: mounts)
    let users = DeviceUsers()

    let waiting: [(subject: String, isDone: () -> Bool)] =
      nodes.map { node in (node.subject, { node.answer != nil }) } + [
        (sound.subject, { sound.answer != nil }), (lines.subject, { lines.answer != nil }),
        (radio.subject, { radio.answer != nil }), (supplies.subject, { supplies.answer != nil }),
      ] + stores.map { store in (store.subject, { store.answer != nil }) }
    while MonotonicTime.now() < start + Self.patience, !waiting.allSatisfy({ $0.isDone() }) {
      MonotonicTime.sleep(until: .now() + .milliseconds(2))
    }
    let late = waiting.filter { !$0.isDone() }.map(\.subject)
    if !late.isEmpty { progress("waiting for \(late.joined(separator: ", "))") }
    let deadline = start + limit

    var inventory = DeviceInventory()
    inventory.hiddenRecorders = users.hiddenRecorders
    inventory.encoders = VideoEncoderKind.available.map { DeviceInventory.EncoderEntry(name: $0.rawValue) }
    var listings: [CameraListing] = []
    for node in nodes {
      guard let answer = node.answer(by: deadline) else {
        inventory.refusals.append(Self.silent(.camera, node.subject))
        continue
      }
      switch answer.kind {
      case .camera(let listing): listings.append(listing)
      case .encoder(let encoder):
        inventory.encoders.append(DeviceInventory.EncoderEntry(name: encoder.bus, hardware: encoder))
      case .other(_, let card, let what):
        inventory.otherVideo.append(DeviceInventory.OtherNode(path: answer.path, card: card, what: what))
      case .forbidden: inventory.refusals.append(Self.forbidden(.camera, answer.path))
      case .failed(let error):
        inventory.refusals.append(
          DeviceInventory.Refusal(
            kind: .camera, path: answer.path, reason: error.errno == 0 ? "unusable" : LinuxError.text(error.errno),
            advice: error.hint))
      }
    }
    inventory.cameras = listings.map { listing in
      DeviceInventory.CameraEntry(
        device: listing.deviceName(among: listings), listing: listing, users: users.of(listing.path))
    }
    if let microphones = sound.answer(by: deadline) {
      inventory.microphones = microphones.map { entry in
        var entry = entry
        entry.users = entry.listing.path.map(users.of) ?? []
        return entry
      }
    } else {
      inventory.refusals.append(Self.silent(.microphone, "/dev/snd"))
    }
    inventory.refusals += MicrophoneListing.forbiddenNodes().map { Self.forbidden(.microphone, $0) }
    if let lines = lines.answer(by: deadline) {
      inventory.chips = lines.chips
      inventory.inputs = lines.inputs
      inventory.refusals += lines.refused.map { path in
        Self.forbidden(path.hasPrefix("/dev/input/") ? .input : .gpio, path)
      }
    } else {
      inventory.refusals.append(Self.silent(.gpio, "/dev/gpiochip* or /dev/input/event*"))
    }
    switch radio.answer(by: deadline) {
    case .success(let adapters): inventory.bluetooth = adapters
    case .failure(let error): inventory.bluetoothProblem = error.description
    case nil: inventory.bluetoothProblem = "the kernel's Bluetooth does not answer: look in `dmesg`"
    }
    inventory.supplies = supplies.answer(by: deadline) ?? []
    let unasked = entries(mounts)
    inventory.stores = stores.compactMap { store in
      store.answer(by: deadline) ?? unasked.first { $0.mountPoint == store.subject }
    }
    return inventory
  }

  // MARK: - Kinds

  private static func microphones() -> [DeviceInventory.MicrophoneEntry] {
    MicrophoneListing.all().map { DeviceInventory.MicrophoneEntry(listing: $0, offer: $0.offer()) }
  }

  private static func bluetooth() -> Result<[DeviceInventory.BluetoothEntry], HCIError> {
    do throws(HCIError) {
      return .success(try HCIAdapter.all().map { DeviceInventory.BluetoothEntry(adapter: $0) })
    } catch {
      return .failure(error)
    }
  }

  private func entries(_ mounts: [MountedFileSystem]) -> [DeviceInventory.StoreEntry] {
    let configured = MountedFileSystem.holding(storePath, in: mounts)
    var listed = MountedFileSystem.disks(in: mounts)
    if let configured {
      if let index = listed.firstIndex(where: { $0.device == configured.device }) { listed.remove(at: index) }
      listed.insert(configured, at: 0)
    }
    return listed.map { mounted in
      DeviceInventory.StoreEntry(
        mountPoint: mounted.mountPoint, fileSystem: mounted.type, source: mounted.source,
        configuredPath: mounted == configured ? storePath : nil, isRemovable: Self.isRemovable(mounted.device),
        isReadOnly: mounted.isReadOnly, isMeasured: measuredFileSystems.contains(mounted.type))
    }
  }

  private func stores(in mounts: [MountedFileSystem]) -> [Inquiry<DeviceInventory.StoreEntry>] {
    entries(mounts).map { entry in
      Inquiry(entry.mountPoint) {
        var entry = entry
        guard let status = try? FileSystemStatus(path: entry.mountPoint) else { return entry }
        (entry.freeBytes, entry.totalBytes) = (status.freeBytes, status.totalBytes)
        entry.isWritable = access(entry.mountPoint, W_OK) == 0
        return entry
      }
    }
  }

  /// By the kernel's word for a disk, and for SD cards, whose slots call themselves fixed.
  private static func isRemovable(_ device: String) -> Bool {
    let block = "/sys/dev/block/\(device)"
    if [text(of: "\(block)/removable"), text(of: "\(block)/../removable")].contains("1\n") { return true }
    return [text(of: "\(block)/device/type"), text(of: "\(block)/../device/type")].contains("SD\n")
  }

  // MARK: - What cannot be asked

  private static func silent(_ kind: DeviceInventory.Refusal.Kind, _ path: String) -> DeviceInventory.Refusal {
    DeviceInventory.Refusal(
      kind: kind, path: path, reason: "no answer", advice: "Its driver hangs: look in `dmesg`, and plug it in again.")
  }

  static func forbidden(_ kind: DeviceInventory.Refusal.Kind, _ path: String) -> DeviceInventory.Refusal {
    var status = stat()
    guard stat(path, &status) == 0 else {
      return DeviceInventory.Refusal(
        kind: kind, path: path, reason: "not permitted", advice: "Check the owner and mode of \(path).")
    }
    let right = MissingRight(
      path: path, group: groupName(status.st_gid), mode: status.st_mode & 0o7777,
      isNewMember: bookHas(status.st_gid))
    return DeviceInventory.Refusal(kind: kind, path: path, reason: "not permitted", advice: right.advice(for: kind))
  }

  private static func groupName(_ group: gid_t) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard clinux_group_name(group, buffer.baseAddress, buffer.count) == 0, let start = buffer.baseAddress
      else { return "\(group)" }
      return String(cString: start)
    }
  }

  /// Whether the system's book has this user in a group (getgrouplist(3)); the session may have begun before.
  private static func bookHas(_ group: gid_t) -> Bool {
    guard let user = getpwuid(getuid()), let name = user.pointee.pw_name else { return false }
    var count: CInt = 64
    var groups = [gid_t](repeating: 0, count: Int(count))
    guard getgrouplist(name, user.pointee.pw_gid, &groups, &count) >= 0 else { return false }
    return groups.prefix(Int(count)).contains(group)
  }

  private static func text(of path: String) -> String {
    String(decoding: (try? readSmallFile(path: path, limit: 1 << 20)) ?? [], as: UTF8.self)
  }
}
