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
  /// The name under `/dev/v4l/by-id`, which stays; nil where udev makes none.
  public var stableName: String?
  public var formats: [FormatOffer]

  public init(
    path: String, driver: String, card: String, bus: String, stableName: String?, formats: [FormatOffer]
  ) {
    self.path = path
    self.driver = driver
    self.card = card
    self.bus = bus
    self.stableName = stableName
    self.formats = formats
  }

  /// The capture devices of this machine that this user may open, in the order of their node numbers. Opens each node
  /// for a moment; a camera that others stream from is not disturbed.
  public static func all() -> [CameraListing] { scan(withFormats: true) }

  /// True when `name` is a name of this camera: path, stable name, bus address or card.
  public func isNamed(_ name: String) -> Bool {
    [path, bus, card, "/dev/v4l/by-id/\(stableName ?? "")", stableName].contains(name)
  }

  /// The node that a request's device means now. Anything with a slash at its start is a path and taken as it is.
  static func path(of device: String) throws(CameraError) -> String {
    if device.hasPrefix("/") { return device }
    let found = scan(withFormats: false).filter { $0.isNamed(device) }
    if found.count == 1 { return found[0].path }
    if found.isEmpty { throw CameraError(.notFound, device: device, operation: "open", hint: hint()) }
    throw CameraError(
      .notFound, device: device, operation: "open",
      hint: "The name fits \(found.map { "\($0.path) (\($0.bus))" }.joined(separator: " and ")): name the bus instead.")
  }

  /// For errors: which cameras there are.
  static func hint() -> String { hint(for: scan(withFormats: false)) }

  static func hint(for cameras: [CameraListing]) -> String {
    if cameras.isEmpty { return "No camera was found on this machine: check its cable, its driver and `dmesg`." }
    return "Cameras here: \(cameras.map { "\($0.path) (\($0.card), \($0.bus))" }.joined(separator: "; "))."
  }

  private static func scan(withFormats: Bool) -> [CameraListing] {
    let nodes = ((try? listDirectory(path: "/dev")) ?? []).compactMap { name in
      name.hasPrefix("video") ? Int(name.dropFirst(5)) : nil
    }
    let stableNames = stableNames()
    return nodes.sorted().compactMap { number in
      let path = "/dev/video\(number)"
      // Nodes that are no cameras, or not ours to open, are not listed.
      guard let device = try? V4L2Device(path: path, name: path, listing: false) else { return nil }
      return CameraListing(
        path: path, driver: device.driver, card: device.card, bus: device.bus,
        stableName: stableNames["video\(number)"],
        formats: withFormats ? device.offers() : [])
    }
  }

  /// Node name to its name under /dev/v4l/by-id.
  private static func stableNames() -> [String: String] {
    let folder = "/dev/v4l/by-id"
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
