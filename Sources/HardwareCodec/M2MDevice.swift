import CLinux
import Glibc
import LinuxIO

/// The two queues of an encoder, by what is in them. The kernel names them from the device's side: raw pictures go into
/// its OUTPUT queue, coded ones come out of its CAPTURE queue.
enum CodecSide: Hashable, Sendable { case raw, coded }

/// An open V4L2 memory-to-memory node, and what it says of itself. One thread.
///
/// Kernel documentation: userspace-api/media/v4l/dev-encoder ("Memory-to-Memory Stateful Video Encoder Interface").
struct M2MDevice: ~Copyable {
  let descriptor: FileDescriptor
  /// As it was asked for; for errors.
  let name: String
  let driver: String
  let card: String
  let bus: String
  /// True when buffers must be exchanged with the multi-planar API.
  let isMultiplanar: Bool

  var path: String { descriptor.path }

  /// Opens a node without waiting and checks that it is a memory-to-memory device that streams (VIDIOC_QUERYCAP).
  init(path: String, name: String) throws(CodecError) {
    let descriptor = try Self.open(path: path, name: name)
    var answer = v4l2_capability()
    let result = ioctlRetrying(descriptor.rawValue, VIDIOC_QUERYCAP, &answer)
    guard result >= 0 else {
      if -result == ENODEV { throw CodecError(device: name, operation: "VIDIOC_QUERYCAP", errno: -result) }
      throw CodecError(
        .notAnEncoder, device: name, operation: "VIDIOC_QUERYCAP", errno: -result,
        hint: "It is no Video4Linux device.")
    }
    let hasOwn = answer.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
    let flags = hasOwn ? answer.device_caps : answer.capabilities
    let single = Self.has(flags, UInt32(V4L2_CAP_VIDEO_M2M), UInt32(V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_CAPTURE))
    let multi = Self.has(
      flags, UInt32(V4L2_CAP_VIDEO_M2M_MPLANE),
      UInt32(V4L2_CAP_VIDEO_OUTPUT_MPLANE | V4L2_CAP_VIDEO_CAPTURE_MPLANE))
    let (driver, card) = (text(of: answer.driver), text(of: answer.card))
    guard single || multi, flags & UInt32(V4L2_CAP_STREAMING) != 0 else {
      throw CodecError(
        .notAnEncoder, device: name, operation: "VIDIOC_QUERYCAP",
        hint: "\(card) (\(driver)) does not take pictures and give back coded ones on this node.")
    }
    self.descriptor = descriptor
    self.name = name
    self.driver = driver
    self.card = card
    bus = text(of: answer.bus_info)
    isMultiplanar = multi && !single
  }

  /// Old drivers say both directions instead of memory-to-memory.
  private static func has(_ flags: UInt32, _ bit: UInt32, _ both: UInt32) -> Bool {
    flags & bit != 0 || flags & both == both
  }

  private static func open(path: String, name: String) throws(CodecError) -> FileDescriptor {
    do {
      return try FileDescriptor.open(path: path, flags: O_RDWR | O_NONBLOCK)
    } catch {
      switch error.errno {
      case ENOENT, ENODEV, ENXIO, ENOTDIR:
        throw CodecError(
          .notFound, device: name, operation: "open", errno: error.errno,
          hint: "Leave video.encoder_device empty for the first that there is.")
      case EACCES, EPERM:
        throw CodecError(
          .permission, device: name, operation: "open", errno: error.errno,
          hint: "Add the user that runs this to the group of the device, usually video, and log in again.")
      default: throw CodecError(device: name, operation: "open", errno: error.errno)
      }
    }
  }

  func bufferType(_ side: CodecSide) -> UInt32 {
    switch (side, isMultiplanar) {
    case (.raw, false): V4L2_BUF_TYPE_VIDEO_OUTPUT.rawValue
    case (.raw, true): V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE.rawValue
    case (.coded, false): V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
    case (.coded, true): V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE.rawValue
    }
  }

  /// An ioctl. Returns 0, or the errno.
  func request<Argument>(_ code: UInt, _ argument: inout Argument) -> CInt {
    let result = withUnsafeMutablePointer(to: &argument) { ioctlRetrying(descriptor.rawValue, code, $0) }
    return result < 0 ? -result : 0
  }

  /// An ioctl that must work.
  func require<Argument>(_ code: UInt, _ operation: String, _ argument: inout Argument) throws(CodecError) {
    let error = request(code, &argument)
    if error != 0 { throw CodecError(device: name, operation: operation, errno: error) }
  }

  /// What it takes or gives (VIDIOC_ENUM_FMT). Drivers that list for ever are cut off.
  func formats(_ side: CodecSide) -> [FourCC] {
    var formats: [FourCC] = []
    for index in 0..<128 as Range<UInt32> {
      var entry = v4l2_fmtdesc()
      entry.index = index
      entry.type = bufferType(side)
      guard request(VIDIOC_ENUM_FMT, &entry) == 0 else { break }
      formats.append(FourCC(rawValue: entry.pixelformat))
    }
    return formats
  }

  /// Whether it has a control (VIDIOC_QUERYCTRL).
  func has(_ control: CodecControl) -> Bool {
    var query = v4l2_queryctrl()
    query.id = control.id
    return request(VIDIOC_QUERYCTRL, &query) == 0 && query.flags & UInt32(V4L2_CTRL_FLAG_DISABLED) == 0
  }

  /// Sets a control (VIDIOC_S_CTRL). Returns 0, or the errno.
  func set(_ control: CodecControl, to value: Int) -> CInt {
    var setting = v4l2_control(id: control.id, value: Int32(clamping: value))
    return request(VIDIOC_S_CTRL, &setting)
  }
}

/// A string in a fixed field of a kernel structure; it ends at a zero byte or with the field.
private func text<Field: BitwiseCopyable>(of field: Field) -> String {
  withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
