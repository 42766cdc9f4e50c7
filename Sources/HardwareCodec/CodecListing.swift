import Glibc
import LinuxIO

/// A hardware encoder of this machine.
public struct CodecListing: Hashable, Sendable {
  /// The node now, `/dev/video11`; it may be another after the next start.
  public var path: String
  /// The driver's name, the card's name and the bus address (VIDIOC_QUERYCAP); these stay.
  public var driver: String
  public var card: String
  public var bus: String
  /// What it encodes into.
  public var codedFormats: [FourCC]

  public init(path: String, driver: String, card: String, bus: String, codedFormats: [FourCC]) {
    self.path = path
    self.driver = driver
    self.card = card
    self.bus = bus
    self.codedFormats = codedFormats
  }

  /// The memory-to-memory encoders of this machine that this user may open and that make `format` out of raw pictures,
  /// in the order of their node numbers. Opens each node for a moment; one that others encode with is not disturbed.
  public static func all(making format: FourCC = .h264) -> [CodecListing] {
    let nodes = ((try? listDirectory(path: "/dev")) ?? []).compactMap { name in
      name.hasPrefix("video") ? Int(name.dropFirst(5)) : nil
    }
    return nodes.sorted().compactMap { number in
      let path = "/dev/video\(number)"
      guard let device = try? M2MDevice(path: path, name: path) else { return nil }
      let coded = device.formats(.coded)
      // A decoder has its coded formats on the other side.
      guard coded.contains(format), device.formats(.raw).contains(where: { FourCC.raw.contains($0) }) else {
        return nil
      }
      return CodecListing(
        path: path, driver: device.driver, card: device.card, bus: device.bus, codedFormats: coded)
    }
  }

  /// True when `name` is a name of this encoder: path, bus address, card or driver.
  public func isNamed(_ name: String) -> Bool { [path, bus, card, driver].contains(name) }

  /// Which of these a request's device means: the first one for an empty name; a name must fit one alone. Anything with
  /// a slash at its start is a path and taken as it is.
  static func path(of device: String, making format: FourCC, among listings: [CodecListing]) throws(CodecError)
    -> String
  {
    if device.hasPrefix("/") { return device }
    let found = device.isEmpty ? Array(listings.prefix(1)) : listings.filter { $0.isNamed(device) }
    if found.count == 1 { return found[0].path }
    let name = device.isEmpty ? "for \(format)" : device
    guard !found.isEmpty else {
      throw CodecError(.notFound, device: name, operation: "open", hint: hint(for: listings, format))
    }
    throw CodecError(
      .notFound, device: name, operation: "open",
      hint: "The name fits \(found.map(\.path).joined(separator: " and ")): name one of these instead.")
  }

  static func hint(for listings: [CodecListing], _ format: FourCC) -> String {
    if listings.isEmpty {
      return
        "No device here encodes \(format) that this user may open: check the board's driver, or choose a video.encoder "
        + "in software."
    }
    return "Encoders here: \(listings.map { "\($0.path) (\($0.card), \($0.bus))" }.joined(separator: "; "))."
  }
}
