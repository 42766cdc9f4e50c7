import CJPEG
import CYUV
public import Camera
import Glibc
import LinuxIO
public import Media
import Synthetic

/// One picture of a camera as a JPEG file, for aiming and focus.
public struct Snapshot: Sendable {
  public var jpeg: [UInt8]
  /// What was done, in words: `1280x720 MJPG, after 1.5 s (45 frames) for the exposure to settle`.
  public var account: String

  /// Cameras begin dark or bright, and find the right exposure within about a second.
  public static let settling = Nanoseconds.milliseconds(1_500)
  private static let frameLimit = Nanoseconds.seconds(5)

  /// Opens a camera, lets its exposure settle, and takes the next picture; what the camera compressed itself is kept as it is.
  /// The mode is what `SuggestedConfiguration.mode` would ask of it, unless a size is given.
  public static func take(device: String, size: FrameSize?, inventory: DeviceInventory) throws(SnapshotError)
    -> Snapshot
  {
    let known = inventory.cameras.first { $0.device == device || $0.listing.isNamed(device) }
    if let known {
      // A recorder that has it must not find it set to another format.
      if let recorder = known.users.first(where: { $0.hasPrefix("lapel (") }) { throw .inUse(device, recorder) }
      if known.isBareSensor { throw .bareSensor(device) }
    }
    guard let mode = mode(size: size, offers: known?.listing.formats ?? []) else { throw .noSuchSize(device, size) }
    let request = CameraRequest(
      device: device, size: mode.size, rate: FrameRate(perSecond: UInt32(clamping: mode.framesPerSecond)))
    do throws(CameraError) {
      return try read(try V4L2Camera(request))
    } catch {
      if error.kind == .busy, let recorder = inventory.hiddenRecorders.first { throw .inUse(device, recorder) }
      throw .camera(error)
    }
  }

  /// A picture of the camera made of nothing.
  public static func synthetic(size: FrameSize?) throws(SnapshotError) -> Snapshot {
    let size = size ?? FrameSize(width: 1_280, height: 720)
    guard let layout = I420Layout(width: size.width, height: size.height) else { throw .noSuchSize("synthetic", size) }
    let interval = Nanoseconds(33_333_333)
    let camera = SyntheticCamera(layout: layout, frameInterval: interval)
    var picture = [UInt8](repeating: 0, count: layout.byteCount)
    _ = picture.withUnsafeMutableBytes { camera.draw(frame: 45, time: interval * 45, into: $0) }
    guard let jpeg = encode(picture, layout: layout, matrix: 6, isFullRange: false) else { throw .notEncodable }
    return Snapshot(jpeg: jpeg, account: "\(size), made of nothing")
  }

  static func mode(size: FrameSize?, offers: [FormatOffer]) -> SuggestedConfiguration.Mode? {
    guard let size else {
      return SuggestedConfiguration.mode(of: offers)
        ?? SuggestedConfiguration.Mode(
          size: FrameSize(width: 640, height: 480), framesPerSecond: 30)
    }
    for rate in [30, 25, 20, 15, 10, 5, 2, 1] {
      let isOffered = offers.contains { offer in
        PixelFormat.supported.contains(offer.pixelFormat)
          && offer.sizes.contains { $0.holds(size) && $0.holds(FrameRate(perSecond: UInt32(rate))) }
      }
      if isOffered { return SuggestedConfiguration.Mode(size: size, framesPerSecond: rate) }
    }
    // The camera itself says what it offers instead.
    return SuggestedConfiguration.Mode(size: size, framesPerSecond: 30)
  }

  /// The frame that came after the exposure had settled.
  private static func read(_ camera: consuming V4L2Camera) throws(CameraError) -> Snapshot {
    var camera = camera
    let granted = camera.granted
    let size = granted.format.size
    let start = MonotonicTime.now()
    var frames = 0
    var last = start
    while true {
      let isSettled = MonotonicTime.now() - start >= settling
      let capture = try camera.capture(timeout: .milliseconds(500)) { frame in
        isSettled ? picture(of: frame, granted) : nil
      }
      let now = MonotonicTime.now()
      switch capture {
      case .frame(let jpeg, _):
        frames += 1
        last = now
        guard isSettled, let jpeg else { break }
        let tenths = (now - start).count / 100_000_000
        return Snapshot(
          jpeg: jpeg,
          account:
            "\(granted.format), \(granted.card); waited \(tenths / 10).\(tenths % 10) s (\(frames) frames) for its "
            + "exposure to settle")
      case .damaged: break
      case .timedOut: break
      }
      if now - last > frameLimit || now - start > settling + frameLimit {
        throw CameraError(
          .stalled, device: granted.path,
          operation: "no whole \(size) picture within \((now - start).inMilliseconds) ms",
          hint: "Check its cable, its power and `dmesg`.")
      }
    }
  }

  /// Nil for a frame that is not whole.
  private static func picture(of frame: borrowing CapturedFrame, _ granted: GrantedCamera) -> [UInt8]? {
    if granted.format.pixelFormat.isJPEG {
      let bytes = frame.withBytes { span in span.withUnsafeBytes { Array($0) } }
      return JPEGFile.complete(bytes)
    }
    guard let layout = I420Layout(width: granted.format.size.width, height: granted.format.size.height),
      let converter = PixelConverter(source: granted.layout, target: layout)
    else { return nil }
    var picture = [UInt8](repeating: 0, count: layout.byteCount)
    var isWhole = true
    picture.withUnsafeMutableBytes { bytes in
      do throws(ConversionError) { try converter.convert(frame, into: bytes) } catch { isWhole = false }
    }
    return isWhole ? encode(picture, layout: layout, matrix: granted.matrix, isFullRange: granted.isFullRange) : nil
  }

  // MARK: - JPEG

  private static let quality: CInt = 92

  /// Range and matrix of the camera's samples become those that every viewer takes a JPEG to have.
  static func encode(_ picture: [UInt8], layout: I420Layout, matrix: Int, isFullRange: Bool) -> [UInt8]? {
    guard picture.count >= layout.byteCount else { return nil }
    let (width, height) = (CInt(layout.width), CInt(layout.height))
    let stride = layout.width * 4
    var pixels = [UInt8](repeating: 0, count: stride * layout.height)
    let result: CInt = picture.withUnsafeBufferPointer { source in
      pixels.withUnsafeMutableBufferPointer { target in
        guard let luma = source.baseAddress, let output = target.baseAddress else { return -1 }
        let (blue, red) = (luma + layout.blueOffset, luma + layout.redOffset)
        let (lumaStride, chromaStride) = (CInt(layout.lumaStride), CInt(layout.chromaStride))
        let rows = CInt(stride)
        switch (matrix, isFullRange) {
        // libyuv knows BT.709 and BT.2020 in limited range alone by these names; full range matters more than the matrix.
        case (_, true):
          return J420ToARGB(
            luma, lumaStride, blue, chromaStride, red, chromaStride, output, rows, width, height)
        case (1, false):
          return H420ToARGB(
            luma, lumaStride, blue, chromaStride, red, chromaStride, output, rows, width, height)
        case (9, false):
          return U420ToARGB(
            luma, lumaStride, blue, chromaStride, red, chromaStride, output, rows, width, height)
        default:
          return I420ToARGB(
            luma, lumaStride, blue, chromaStride, red, chromaStride, output, rows, width, height)
        }
      }
    }
    guard result == 0 else { return nil }
    var file: UnsafeMutablePointer<UInt8>?
    var count = 0
    var error = [CChar](repeating: 0, count: 200)
    guard cjpeg_compress(pixels, width, height, CInt(stride), quality, &file, &count, &error) == 0, let file else {
      return nil
    }
    defer { cjpeg_free(file) }
    return Array(UnsafeBufferPointer(start: file, count: count))
  }
}

/// Why there is no picture.
public enum SnapshotError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A recorder has the camera.
  case inUse(String, String)
  case bareSensor(String)
  case noSuchSize(String, FrameSize?)
  case notEncodable
  case camera(CameraError)

  public var description: String {
    switch self {
    case .inUse(let device, let program):
      "the camera \(device) is in use by the recorder \(program): stop it first (`systemctl stop lapel`, or end `lapel run`)."
    case .bareSensor(let device):
      "\(device) gives only Bayer data, no picture: run this as `libcamerify lapel devices --snapshot …`, from libcamera's V4L2 "
        + "compatibility package."
    case .noSuchSize(let device, let size):
      "\(device) has no picture of \(size.map(\.description) ?? "any size"): both sides must be even and within 16 to 8192."
    case .notEncodable: "the picture could not be compressed."
    case .camera(let error): error.description
    }
  }
}
