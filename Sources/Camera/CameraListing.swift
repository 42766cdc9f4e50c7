import Glibc
import LinuxIO

/// A camera of this machine, and everything it offers.
public struct CameraListing: Hashable, Sendable {
  /// The node now, `/dev/video0`; it may be another after the next plugging in.
  public var path: String
  /// The driver's name, the card's name and the bus address (VIDIOC_QUERYCAP).
  public var driver: String
  public var card: String
  public var bus: String
  /// The name under `/dev/v4l/by-id`, which stays; nil where udev makes none. Two cameras of one make without serial numbers
  /// have one name between them.
  public var stableName: String?
  /// The name under `/dev/v4l/by-path`, which stays as long as the camera is plugged in at the same place.
  public var placeName: String?
  /// Which of its device's nodes it is, by the kernel's count (sysfs `index`); nil where sysfs does not say.
  public var index: Int?
  public var formats: [FormatOffer]

  public init(
    path: String, driver: String, card: String, bus: String, stableName: String?, placeName: String? = nil,
    index: Int? = nil, formats: [FormatOffer]
  ) {
    self.path = path
    self.driver = driver
    self.card = card
    self.bus = bus
    self.stableName = stableName
    self.placeName = placeName
    self.index = index
    self.formats = formats
  }

  /// Of an open node, with all that it offers.
  init(_ device: borrowing V4L2Device, withFormats: Bool = true) {
    let node = String(device.path.split(separator: "/").last ?? "")
    let index = (try? readSmallFile(path: "/sys/class/video4linux/\(node)/index", limit: 16)).flatMap {
      Int(String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self))
    }
    self.init(
      path: device.path, driver: device.driver, card: device.card, bus: device.bus,
      stableName: Self.links(in: "/dev/v4l/by-id")[node], placeName: Self.links(in: "/dev/v4l/by-path")[node],
      index: index, formats: withFormats ? device.offers() : [])
  }

  /// The capture devices of this machine that this user may open, in the order of their node numbers. Opens each node
  /// for a moment; a camera that others stream from is not disturbed.
  public static func all() -> [CameraListing] { scan(withFormats: true) }

  /// True when `name` is a name of this camera: path, a name that udev made, bus address (with `#` and the node's index where
  /// one device has several cameras) or card.
  public func isNamed(_ name: String) -> Bool {
    var names = [path, bus, card]
    if let stableName { names += [stableName, "/dev/v4l/by-id/\(stableName)"] }
    if let placeName { names += [placeName, "/dev/v4l/by-path/\(placeName)"] }
    if let index { names.append("\(bus)#\(index)") }
    return names.contains(name)
  }

  /// The best name for the configuration among all cameras here: one that means this camera alone, and will after the next
  /// plugging in. Where udev makes no names, the bus address; the node's path, which may be another camera's tomorrow, when
  /// nothing else is its own.
  public func deviceName(among all: [CameraListing]) -> String {
    // Of two cameras that share a by-id name only one has the link, and nobody knows which one tomorrow.
    let twins = all.filter { $0.card == card && $0.index == index }
    if let stableName, twins.allSatisfy({ $0.stableName != nil }) { return "/dev/v4l/by-id/\(stableName)" }
    if let placeName { return "/dev/v4l/by-path/\(placeName)" }
    let candidates = [bus] + (index.map { ["\(bus)#\($0)"] } ?? [])
    return candidates.first { name in !bus.isEmpty && all.filter { $0.isNamed(name) }.count == 1 } ?? path
  }

  /// The node that a request's device means now. Anything with a slash at its start is a path and taken as it is.
  static func path(of device: String) throws(CameraError) -> String {
    if device.hasPrefix("/") { return device }
    let found = scan(withFormats: false).filter { $0.isNamed(device) }
    if found.count == 1 { return found[0].path }
    if found.isEmpty { throw CameraError(.notFound, device: device, operation: "open", hint: hint()) }
    throw CameraError(
      .notFound, device: device, operation: "open",
      hint:
        "The name fits \(found.map { "\($0.path) (\($0.deviceName(among: found)))" }.joined(separator: " and ")): use what "
        + "stands in brackets.")
  }

  /// For errors: which cameras there are.
  static func hint() -> String { hint(for: scan(withFormats: false)) }

  static func hint(for cameras: [CameraListing]) -> String {
    if cameras.isEmpty { return "No camera was found on this machine: check its cable, its driver and `dmesg`." }
    return "Cameras here: \(cameras.map { "\($0.path) (\($0.card), \($0.bus))" }.joined(separator: "; "))."
  }

  private static func scan(withFormats: Bool) -> [CameraListing] {
    VideoNode.paths().compactMap { path in
      // Nodes that are no cameras, or not ours to open, are not listed.
      guard let device = try? V4L2Device(path: path, name: path, listing: false) else { return nil }
      return CameraListing(device, withFormats: withFormats)
    }
  }

  /// Node name to its name in a directory of links.
  private static func links(in folder: String) -> [String: String] {
    var names: [String: String] = [:]
    for name in ((try? listDirectory(path: folder)) ?? []).sorted() {
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let start = buffer.baseAddress else { return }
        let count = readlink("\(folder)/\(name)", start, buffer.count)
        guard count > 0 else { return }
        let target = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let node = target.split(separator: "/").last { names[String(node)] = names[String(node)] ?? name }
      }
    }
    return names
  }
}
