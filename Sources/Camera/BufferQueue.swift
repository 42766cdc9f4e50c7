import CLinux
import Glibc
import LinuxIO

/// The driver's frame buffers, mapped into this process (VIDIOC_REQBUFS, V4L2_MEMORY_MMAP). One thread.
///
/// Buffers go back to the driver by number; the mappings last as long as this value, and the kernel keeps the memory
/// alive for them even when the camera is gone.
struct BufferQueue: ~Copyable {
  let bufferType: UInt32
  let isMultiplanar: Bool
  /// Pieces of memory in each buffer.
  let pieceCount: Int
  /// All pieces of buffer 0, then of buffer 1, …
  private var mappings: [UnsafeMutableRawBufferPointer] = []
  /// Filled by the kernel on each exchange of a multi-planar buffer; eight by the API's limit (VIDEO_MAX_PLANES).
  private let planes: UnsafeMutablePointer<v4l2_plane>
  /// Buffers that the driver did not take back; tried again before each frame.
  private(set) var refused: Set<UInt32> = []
  /// The flags of buffer 0: they tell the clock and the source of timestamps.
  private(set) var flags: UInt32 = 0

  var count: Int { mappings.count / max(1, pieceCount) }

  private init(device: borrowing V4L2Device, pieceCount: Int) {
    bufferType = device.bufferType
    isMultiplanar = device.isMultiplanar
    self.pieceCount = pieceCount
    planes = .allocate(capacity: Int(VIDEO_MAX_PLANES))
    planes.initialize(repeating: v4l2_plane(), count: Int(VIDEO_MAX_PLANES))
  }

  deinit {
    for mapping in mappings { munmap(mapping.baseAddress, mapping.count) }
    planes.deallocate()
  }

  /// Asks for `wanted` buffers, maps what is granted (at least 2) and gives them all to the driver.
  static func make(
    device: borrowing V4L2Device, wanted: Int, pieceCount: Int
  ) throws(CameraError) -> BufferQueue {
    var queue = BufferQueue(device: device, pieceCount: pieceCount)
    var request = v4l2_requestbuffers()
    request.count = UInt32(wanted)
    request.type = queue.bufferType
    request.memory = V4L2_MEMORY_MMAP.rawValue
    try device.require(VIDIOC_REQBUFS, "VIDIOC_REQBUFS", &request)
    guard request.count >= 2 else {
      throw CameraError(
        .failed, device: device.name, operation: "VIDIOC_REQBUFS", errno: ENOMEM,
        hint: "The driver granted \(request.count) frame buffers; two are the least. Free memory (CMA).")
    }
    for index in 0..<request.count {
      var buffer = queue.buffer(index)
      try device.require(VIDIOC_QUERYBUF, "VIDIOC_QUERYBUF", &buffer)
      if index == 0 { queue.flags = buffer.flags }
      for piece in 0..<pieceCount {
        let length = queue.isMultiplanar ? queue.planes[piece].length : buffer.length
        let offset = queue.isMultiplanar ? queue.planes[piece].m.mem_offset : buffer.m.offset
        let address = mmap(
          nil, Int(length), PROT_READ | PROT_WRITE, MAP_SHARED, device.descriptor.rawValue, off_t(offset))
        guard let address, address != MAP_FAILED else {
          throw CameraError(device: device.name, operation: "mmap", errno: errno)
        }
        queue.mappings.append(UnsafeMutableRawBufferPointer(start: address, count: Int(length)))
      }
    }
    for index in 0..<request.count {
      var buffer = queue.buffer(index)
      try device.require(VIDIOC_QBUF, "VIDIOC_QBUF", &buffer)
    }
    return queue
  }

  /// The structure for an exchange with the driver.
  private func buffer(_ index: UInt32) -> v4l2_buffer {
    var buffer = v4l2_buffer()
    buffer.index = index
    buffer.type = bufferType
    buffer.memory = V4L2_MEMORY_MMAP.rawValue
    if isMultiplanar {
      planes.update(repeating: v4l2_plane(), count: Int(VIDEO_MAX_PLANES))
      buffer.m.planes = planes
      buffer.length = UInt32(VIDEO_MAX_PLANES)
    }
    return buffer
  }

  /// Takes a filled buffer (VIDIOC_DQBUF). Returns an errno; 0 with the buffer.
  mutating func dequeue(_ device: borrowing V4L2Device, into buffer: inout v4l2_buffer) -> CInt {
    buffer = self.buffer(0)
    return device.request(VIDIOC_DQBUF, &buffer)
  }

  /// The bytes that the driver filled in the buffer taken last. Nil when its number or sizes make no sense.
  func pieces(of buffer: v4l2_buffer) -> FramePieces? {
    guard Int(buffer.index) < count else { return nil }
    var pieces = FramePieces(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
    for piece in 0..<pieceCount {
      let mapping = mappings[Int(buffer.index) * pieceCount + piece]
      let start = isMultiplanar ? Int(planes[piece].data_offset) : 0
      let end = Int(isMultiplanar ? planes[piece].bytesused : buffer.bytesused)
      guard start <= end, end <= mapping.count else { return nil }
      pieces[piece] = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(mapping)[start..<end])
    }
    return pieces
  }

  /// Gives a buffer back (VIDIOC_QBUF). Returns an errno; a buffer that was refused is kept in `refused`.
  @discardableResult
  mutating func enqueue(_ device: borrowing V4L2Device, _ index: UInt32) -> CInt {
    var buffer = self.buffer(index)
    let error = device.request(VIDIOC_QBUF, &buffer)
    if error == 0 { refused.remove(index) } else { refused.insert(index) }
    return error
  }
}
