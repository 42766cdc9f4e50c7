import CLinux
import Glibc
import LinuxIO

/// A Video4Linux node of this machine, and what it is good for. For lists; a recorder opens a `V4L2Camera`.
public struct VideoNode: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case camera(CameraListing)
    /// A stateful encoder in hardware: raw pictures in, H.264 out.
    case encoder(EncoderListing)
    /// Neither: what it is, in words such as "metadata".
    case other(driver: String, card: String, what: String)
    /// This user may not open it.
    case forbidden
    /// It did not open, or did not answer as a video node.
    case failed(CameraError)
  }

  /// The node now, `/dev/video0`.
  public var path: String
  public var kind: Kind

  /// The nodes there are, in the order of their numbers. Opens none of them.
  public static func paths() -> [String] {
    let numbers = ((try? listDirectory(path: "/dev")) ?? []).compactMap { name in
      name.hasPrefix("video") ? Int(name.dropFirst(5)) : nil
    }
    return numbers.sorted().map { "/dev/video\($0)" }
  }

  /// Opens a node for a moment and asks what it is and offers. Sets nothing: who streams from it is not disturbed. Takes as
  /// long as its driver does.
  public static func read(_ path: String) -> VideoNode { VideoNode(path: path, kind: kind(of: path)) }

  private static func kind(of path: String) -> Kind {
    let code: CInt
    do throws(LinuxError) {
      let descriptor = try FileDescriptor.open(path: path, flags: O_RDWR | O_NONBLOCK)
      var answer = v4l2_capability()
      let result = ioctlRetrying(descriptor.rawValue, VIDIOC_QUERYCAP, &answer)
      guard result >= 0 else {
        return .failed(CameraError(device: path, operation: "VIDIOC_QUERYCAP", errno: -result))
      }
      let hasOwn = answer.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
      let flags = hasOwn ? answer.device_caps : answer.capabilities
      switch NodeUse(capabilities: flags) {
      case .capture: break
      case .codec(let isMultiplanar):
        let encoder = EncoderListing(answer, path: path, descriptor: descriptor.rawValue, isMultiplanar: isMultiplanar)
        if encoder.makesH264 { return .encoder(encoder) }
        return .other(driver: encoder.driver, card: encoder.card, what: "a codec that makes no H.264")
      case .other(let what): return .other(driver: text(of: answer.driver), card: text(of: answer.card), what: what)
      }
      do throws(CameraError) {
        return .camera(CameraListing(try V4L2Device(path: path, name: path, listing: false)))
      } catch {
        return .failed(error)
      }
    } catch {
      code = error.errno
    }
    switch code {
    case EACCES, EPERM: return .forbidden
    default: return .failed(CameraError.opening(path: path, name: path, errno: code, listing: false))
    }
  }
}

/// What a node's own capabilities (VIDIOC_QUERYCAP) make of it. Pure.
enum NodeUse: Hashable {
  /// Frames are captured from it.
  case capture
  /// Memory to memory: an encoder, a decoder, a scaler.
  case codec(isMultiplanar: Bool)
  case other(String)

  init(capabilities flags: UInt32) {
    func has(_ flag: some BinaryInteger) -> Bool { flags & UInt32(truncatingIfNeeded: flag) != 0 }
    // Some drivers of old kernels say both directions rather than M2M.
    if has(V4L2_CAP_VIDEO_M2M_MPLANE) || has(V4L2_CAP_VIDEO_CAPTURE_MPLANE) && has(V4L2_CAP_VIDEO_OUTPUT_MPLANE) {
      self = .codec(isMultiplanar: true)
    } else if has(V4L2_CAP_VIDEO_M2M) || has(V4L2_CAP_VIDEO_CAPTURE) && has(V4L2_CAP_VIDEO_OUTPUT) {
      self = .codec(isMultiplanar: false)
    } else if has(V4L2_CAP_VIDEO_CAPTURE) || has(V4L2_CAP_VIDEO_CAPTURE_MPLANE) {
      self = has(V4L2_CAP_STREAMING) ? .capture : .other("a camera that only read(2) works with")
    } else if has(V4L2_CAP_META_CAPTURE) || has(V4L2_CAP_META_OUTPUT) {
      self = .other("metadata, no picture")
    } else if has(V4L2_CAP_VIDEO_OUTPUT) || has(V4L2_CAP_VIDEO_OUTPUT_MPLANE) {
      self = .other("an output")
    } else {
      self = .other("no camera")
    }
  }
}

/// A hardware encoder: a memory-to-memory node.
public struct EncoderListing: Hashable, Sendable {
  public var path: String
  public var driver: String
  public var card: String
  /// Its bus address, which stays.
  public var bus: String
  /// What it takes, and what it makes.
  public var inputs: [PixelFormat]
  public var outputs: [PixelFormat]

  public init(
    path: String, driver: String, card: String, bus: String, inputs: [PixelFormat], outputs: [PixelFormat]
  ) {
    self.path = path
    self.driver = driver
    self.card = card
    self.bus = bus
    self.inputs = inputs
    self.outputs = outputs
  }

  init(_ answer: v4l2_capability, path: String, descriptor: CInt, isMultiplanar: Bool) {
    func formats(_ type: v4l2_buf_type) -> [PixelFormat] {
      var formats: [PixelFormat] = []
      for index in 0..<256 as Range<UInt32> {
        var entry = v4l2_fmtdesc()
        entry.index = index
        entry.type = type.rawValue
        guard ioctlRetrying(descriptor, VIDIOC_ENUM_FMT, &entry) >= 0 else { break }
        formats.append(PixelFormat(rawValue: entry.pixelformat))
      }
      return formats
    }
    self.init(
      path: path, driver: text(of: answer.driver), card: text(of: answer.card), bus: text(of: answer.bus_info),
      inputs: formats(isMultiplanar ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE : V4L2_BUF_TYPE_VIDEO_OUTPUT),
      outputs: formats(isMultiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE))
  }

  /// A decoder takes H.264; an encoder makes it.
  public var makesH264: Bool { outputs.contains(PixelFormat("H264")) }
}
