import CLinux
import Glibc
import LinuxIO
public import Media

/// What a camera granted, and what it is.
public struct GrantedCamera: Hashable, Sendable {
  /// Which clock the driver stamps frames with (V4L2_BUF_FLAG_TIMESTAMP_MASK).
  public enum Clock: Hashable, Sendable { case monotonic, unknown, copied }

  /// The format in force. The rate may differ from the one asked for when a driver does not list rates.
  public var format: CameraFormat
  public var layout: PixelLayout
  /// True: samples use 0...255; false: luma 16...235, chroma 16...240.
  public var isFullRange: Bool
  /// Matrix coefficients by ITU-T H.273, table 4: 1 is BT.709, 6 is BT.601, 9 is BT.2020.
  public var matrix: Int
  /// The node that was opened, and the names of its driver, card and bus.
  public var path: String
  public var driver: String
  public var card: String
  public var bus: String
  public var isMultiplanar: Bool
  public var bufferCount: Int
  public var clock: Clock
  /// True when timestamps mark the end of a frame rather than the start of exposure.
  public var stampsEndOfFrame: Bool
}

/// A streaming V4L2 camera. Held and used by one thread; closed when it goes away.
///
/// Specification: userspace-api/media/v4l/mmap in the kernel's documentation.
public struct V4L2Camera: ~Copyable {
  /// Buffers asked for: at 30 fps the thread may be late by 200 ms before the driver has none left.
  public static let bufferCount = 6
  /// Cameras need a while to their first frame.
  static let startLimit = Nanoseconds.seconds(5)

  public let granted: GrantedCamera
  /// Times the driver refused to take a buffer back; it is offered again before the next frame.
  public private(set) var refusedBuffers: Int64 = 0

  // In this order: the mappings go before the descriptor.
  private var queue: BufferQueue
  private let device: V4L2Device
  private var timeline: FrameTimeline
  private var lastProgress: MonotonicTime
  private var stallLimit: Nanoseconds
  private let configuredStallLimit: Nanoseconds

  /// Opens the camera, negotiates the format and starts streaming. Blocks for as long as the driver needs: up to a few
  /// seconds for a USB camera.
  public init(_ request: CameraRequest) throws(CameraError) {
    let device = try V4L2Device(path: CameraListing.path(of: request.device), name: request.device)
    let negotiated = try Negotiation.run(request, on: device)
    // Behind the format: drivers may set some of them anew with it.
    try device.set(request.controls)
    let queue = try BufferQueue.make(
      device: device, wanted: Self.bufferCount, pieceCount: negotiated.layout.pieceCount)
    var type = CInt(bitPattern: device.bufferType)
    try device.require(VIDIOC_STREAMON, "VIDIOC_STREAMON", &type)

    granted = GrantedCamera(
      format: negotiated.format, layout: negotiated.layout, isFullRange: negotiated.isFullRange,
      matrix: negotiated.matrix, path: device.path, driver: device.driver, card: device.card, bus: device.bus,
      isMultiplanar: device.isMultiplanar, bufferCount: queue.count, clock: GrantedCamera.Clock(flags: queue.flags),
      stampsEndOfFrame: marksEnd(queue.flags))
    timeline = FrameTimeline(interval: negotiated.format.rate.interval)
    lastProgress = .now()
    configuredStallLimit = request.stallLimit
    stallLimit = max(request.stallLimit, Self.startLimit)
    self.queue = queue
    self.device = device
  }

  /// Waits for the next frame, at most `timeout`, and lends it to `body`; the buffer is back at the driver before this
  /// returns. Convert or copy in `body`, nothing slower: with all buffers out the driver drops frames.
  ///
  /// Allocates nothing. Throws `.lost`, `.stalled` or `.failed`, after which the camera is to be opened again.
  public mutating func capture<Value>(
    timeout: Nanoseconds, _ body: (borrowing CapturedFrame) -> Value
  ) throws(CameraError) -> Capture<Value> {
    if !queue.refused.isEmpty { try offerRefused() }
    let deadline = MonotonicTime.now() + timeout
    var buffer = v4l2_buffer()
    while true {
      let stalls = lastProgress + stallLimit
      let now = MonotonicTime.now()
      let events = clinux_wait(
        device.descriptor.rawValue, Int16(POLLIN), max(0, (min(deadline, stalls) - now).count))
      if events == 0 {
        if MonotonicTime.now() >= stalls { throw stalled() }
        return .timedOut
      }
      if events < 0, errno == EINTR { continue }
      let error = queue.dequeue(device, into: &buffer)
      if error == 0 { break }
      // Errors and hang-ups of poll come without a reason; the driver gives it here.
      if error != EAGAIN { throw CameraError(device: device.name, operation: "VIDIOC_DQBUF", errno: error) }
      if events & CInt(POLLHUP) != 0 { throw CameraError(device: device.name, operation: "poll", errno: ENODEV) }
      if events & CInt(POLLERR) != 0 { throw CameraError(device: device.name, operation: "poll", errno: EIO) }
      if MonotonicTime.now() >= min(deadline, stalls) { return .timedOut }
    }
    let arrival = MonotonicTime.now()
    lastProgress = arrival
    stallLimit = configuredStallLimit
    defer { if queue.enqueue(device, buffer.index) != 0 { refusedBuffers += 1 } }

    let pieces = queue.pieces(of: buffer)
    let isEmpty = pieces.map { $0[0].isEmpty } ?? true
    let info = timeline.take(
      sequence: buffer.sequence, stamp: stamp(of: buffer), marksEnd: marksEnd(buffer.flags), arrival: arrival,
      isDamaged: isEmpty || buffer.flags & UInt32(V4L2_BUF_FLAG_ERROR) != 0)
    guard let pieces, !info.isDamaged else { return .damaged(info) }
    return .frame(body(CapturedFrame(info: info, pieces: pieces, count: queue.pieceCount)), info)
  }

  private mutating func offerRefused() throws(CameraError) {
    for index in queue.refused {
      let error = queue.enqueue(device, index)
      if error != 0 { refusedBuffers += 1 }
      if error == ENODEV { throw CameraError(device: device.name, operation: "VIDIOC_QBUF", errno: error) }
    }
    if queue.refused.count == queue.count {
      throw CameraError(
        .failed, device: device.name, operation: "VIDIOC_QBUF", errno: EINVAL,
        hint: "The driver takes none of its buffers back: the camera is opened again.")
    }
  }

  private func stalled() -> CameraError {
    CameraError(
      .stalled, device: device.name, operation: "none for \(stallLimit.inMilliseconds) ms",
      hint: "The camera is opened again. If it goes on, check its cable, its power and `dmesg`.")
  }
}

extension GrantedCamera.Clock {
  init(flags: UInt32) {
    switch flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) {
    case UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC): self = .monotonic
    case UInt32(V4L2_BUF_FLAG_TIMESTAMP_COPY): self = .copied
    default: self = .unknown
    }
  }
}

private func marksEnd(_ flags: UInt32) -> Bool {
  flags & UInt32(V4L2_BUF_FLAG_TSTAMP_SRC_MASK) != UInt32(V4L2_BUF_FLAG_TSTAMP_SRC_SOE)
}

/// Nil when it is not on CLOCK_MONOTONIC or not within 292 years.
private func stamp(of buffer: v4l2_buffer) -> MonotonicTime? {
  guard GrantedCamera.Clock(flags: buffer.flags) == .monotonic else { return nil }
  let (seconds, overflow) = Int64(buffer.timestamp.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
  let microseconds = Int64(buffer.timestamp.tv_usec)
  guard !overflow, (0..<1_000_000).contains(microseconds), abs(seconds) < .max / 2 else { return nil }
  return MonotonicTime(nanoseconds: seconds + microseconds * 1_000)
}
