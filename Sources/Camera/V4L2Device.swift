import CLinux
import Glibc
import LinuxIO

/// An open V4L2 capture node, and what it says of itself. One thread.
///
/// Kernel documentation: "Video for Linux API", userspace-api/media/v4l.
struct V4L2Device: ~Copyable {
  let descriptor: FileDescriptor
  /// As it was asked for; for errors.
  let name: String
  let driver: String
  let card: String
  let bus: String
  /// True when frames must be taken with the multi-planar API.
  let isMultiplanar: Bool

  var path: String { descriptor.path }

  /// Opens a node and checks that frames can be captured from it by streaming (VIDIOC_QUERYCAP). With `listing`, an
  /// error about the wrong device says which cameras there are.
  init(path: String, name: String, listing: Bool = true) throws(CameraError) {
    let descriptor = try Self.open(path: path, name: name, listing: listing)
    var answer = v4l2_capability()
    let result = ioctlRetrying(descriptor.rawValue, VIDIOC_QUERYCAP, &answer)
    guard result >= 0 else {
      if -result == ENODEV { throw CameraError(device: name, operation: "VIDIOC_QUERYCAP", errno: -result) }
      throw CameraError(
        .notACamera, device: name, operation: "VIDIOC_QUERYCAP", errno: -result,
        hint: "It is no Video4Linux device. \(listing ? CameraListing.hint() : "")")
    }
    let (driver, card) = (text(of: answer.driver), text(of: answer.card))
    // What this node can do; `capabilities` is what all nodes of the device can do together.
    let hasOwn = answer.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
    let flags = hasOwn ? answer.device_caps : answer.capabilities
    let single = flags & UInt32(V4L2_CAP_VIDEO_CAPTURE) != 0
    let multi = flags & UInt32(V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0
    let codec =
      UInt32(V4L2_CAP_VIDEO_M2M) | UInt32(V4L2_CAP_VIDEO_M2M_MPLANE) | UInt32(V4L2_CAP_VIDEO_OUTPUT)
      | UInt32(V4L2_CAP_VIDEO_OUTPUT_MPLANE)
    guard single || multi, flags & codec == 0 else {
      throw CameraError(
        .notACamera, device: name, operation: "VIDIOC_QUERYCAP",
        hint: "\(card) (\(driver)) captures no frames on this node. \(listing ? CameraListing.hint() : "")")
    }
    guard flags & UInt32(V4L2_CAP_STREAMING) != 0 else {
      throw CameraError(
        .notACamera, device: name, operation: "VIDIOC_QUERYCAP",
        hint: "\(card) (\(driver)) cannot stream into memory; only read(2) works with it.")
    }
    self.descriptor = descriptor
    self.name = name
    self.driver = driver
    self.card = card
    bus = text(of: answer.bus_info)
    isMultiplanar = multi && !single
  }

  private static func open(path: String, name: String, listing: Bool) throws(CameraError) -> FileDescriptor {
    do {
      return try FileDescriptor.open(path: path, flags: O_RDWR | O_NONBLOCK)
    } catch {
      throw CameraError.opening(path: path, name: name, errno: error.errno, listing: listing)
    }
  }

  var bufferType: UInt32 {
    isMultiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE.rawValue : V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
  }

  /// An ioctl. Returns 0, or the errno.
  func request<Argument>(_ code: UInt, _ argument: inout Argument) -> CInt {
    let result = withUnsafeMutablePointer(to: &argument) { ioctlRetrying(descriptor.rawValue, code, $0) }
    return result < 0 ? -result : 0
  }

  /// An ioctl that must work.
  func require<Argument>(
    _ code: UInt, _ operation: String, _ argument: inout Argument
  ) throws(CameraError) {
    let error = request(code, &argument)
    if error != 0 { throw CameraError(device: name, operation: operation, errno: error) }
  }

  /// Everything the camera offers (VIDIOC_ENUM_FMT, _ENUM_FRAMESIZES, _ENUM_FRAMEINTERVALS). A range of sizes gets the
  /// rates of `size` when that lies in it, else those of its largest. Of formats that cannot be used only the name
  /// is asked, and drivers that list for ever are cut off.
  func offers(for size: FrameSize? = nil) -> [FormatOffer] {
    var offers: [FormatOffer] = []
    for index in 0..<256 as Range<UInt32> {
      var entry = v4l2_fmtdesc()
      entry.index = index
      entry.type = bufferType
      guard request(VIDIOC_ENUM_FMT, &entry) == 0 else { break }
      let format = PixelFormat(rawValue: entry.pixelformat)
      offers.append(FormatOffer(pixelFormat: format, sizes: format.isUsable ? sizes(of: format, for: size) : []))
    }
    return offers
  }

  private func sizes(of format: PixelFormat, for size: FrameSize?) -> [SizeOffer] {
    var sizes: [SizeOffer] = []
    for index in 0..<128 as Range<UInt32> {
      var entry = v4l2_frmsizeenum()
      entry.index = index
      entry.pixel_format = format.rawValue
      guard request(VIDIOC_ENUM_FRAMESIZES, &entry) == 0 else { break }
      guard entry.type != V4L2_FRMSIZE_TYPE_DISCRETE.rawValue else {
        let exact = FrameSize(width: Int(entry.discrete.width), height: Int(entry.discrete.height))
        sizes.append(SizeOffer(extent: .exact(exact), rates: rates(of: format, at: exact)))
        continue
      }
      let range = entry.stepwise
      let largest = FrameSize(width: Int(range.max_width), height: Int(range.max_height))
      var offer = SizeOffer(
        extent: .range(
          smallest: FrameSize(width: Int(range.min_width), height: Int(range.min_height)), largest: largest,
          step: FrameSize(width: Int(range.step_width), height: Int(range.step_height))),
        rates: .unknown)
      let asked = size.flatMap { offer.holds($0) ? $0 : nil } ?? largest
      offer.rates = rates(of: format, at: asked)
      return [offer]
    }
    return sizes
  }

  private func rates(of format: PixelFormat, at size: FrameSize) -> SizeOffer.Rates {
    var rates: [FrameRate] = []
    for index in 0..<128 as Range<UInt32> {
      var entry = v4l2_frmivalenum()
      entry.index = index
      entry.pixel_format = format.rawValue
      entry.width = UInt32(clamping: size.width)
      entry.height = UInt32(clamping: size.height)
      guard request(VIDIOC_ENUM_FRAMEINTERVALS, &entry) == 0 else { break }
      guard entry.type != V4L2_FRMIVAL_TYPE_DISCRETE.rawValue else {
        if let rate = FrameRate(interval: entry.discrete) { rates.append(rate) }
        continue
      }
      // The longest interval is the slowest rate.
      guard let slowest = FrameRate(interval: entry.stepwise.max), let fastest = FrameRate(interval: entry.stepwise.min)
      else { return .unknown }
      return .range(slowest: slowest, fastest: fastest)
    }
    return rates.isEmpty ? .unknown : .list(rates)
  }
}

extension FrameRate {
  /// From V4L2's time per frame.
  init?(interval: v4l2_fract) { self.init(frames: interval.denominator, seconds: interval.numerator) }
}

extension CameraError {
  /// A node that open(2) refused.
  static func opening(path: String, name: String, errno code: CInt, listing: Bool) -> CameraError {
    switch code {
    case ENOENT, ENODEV, ENXIO, ENOTDIR:
      return CameraError(
        .notFound, device: name, operation: "open", errno: code,
        hint: listing ? CameraListing.hint() : "")
    case EACCES, EPERM:
      let group = owningGroup(of: path)
      return CameraError(
        .permission, device: name, operation: "open", errno: code,
        hint: group.map { "It belongs to the group \($0): add the user that runs this to it, and log in again." }
          ?? "Check its owner and mode.")
    default:
      return CameraError(device: name, operation: "open", errno: code)
    }
  }
}

/// The name, or else the number, of the group that a path belongs to.
private func owningGroup(of path: String) -> String? {
  var status = stat()
  guard stat(path, &status) == 0 else { return nil }
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
    guard clinux_group_name(status.st_gid, buffer.baseAddress, buffer.count) == 0, let start = buffer.baseAddress else {
      return "\(status.st_gid)"
    }
    return String(cString: start)
  }
}

/// A string in a fixed field of a kernel structure; it ends at a zero byte or with the field.
func text<Field: BitwiseCopyable>(of field: Field) -> String {
  withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
