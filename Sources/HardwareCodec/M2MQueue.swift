import CLinux
import Glibc
import LinuxIO

/// One of an encoder's two queues: its buffers, mapped into this process (VIDIOC_REQBUFS, V4L2_MEMORY_MMAP), and which of
/// them are ours at the moment. One thread.
///
/// The mappings last as long as this value, and the kernel keeps the memory alive for them even when the device is gone.
struct M2MQueue: ~Copyable {
  let side: CodecSide
  let bufferType: UInt32
  let isMultiplanar: Bool
  /// Pieces of memory in each buffer.
  let pieceCount: Int
  /// The numbers of those that are not at the driver.
  private(set) var ours: [UInt32] = []
  /// All pieces of buffer 0, then of buffer 1, …
  private var mappings: [UnsafeMutableRawBufferPointer] = []
  /// Filled by the kernel on each exchange of a multi-planar buffer; eight by the API's limit (VIDEO_MAX_PLANES).
  private let planes: UnsafeMutablePointer<v4l2_plane>

  var count: Int { mappings.count / max(1, pieceCount) }
  /// Buffers at the driver.
  var queued: Int { count - ours.count }

  private init(_ side: CodecSide, _ device: borrowing M2MDevice, pieceCount: Int) {
    self.side = side
    bufferType = device.bufferType(side)
    isMultiplanar = device.isMultiplanar
    self.pieceCount = pieceCount
    planes = .allocate(capacity: Int(VIDEO_MAX_PLANES))
    planes.initialize(repeating: v4l2_plane(), count: Int(VIDEO_MAX_PLANES))
  }

  deinit {
    for mapping in mappings { munmap(mapping.baseAddress, mapping.count) }
    planes.deallocate()
  }

  /// Asks for `wanted` buffers and maps what is granted, at least one.
  static func make(
    _ side: CodecSide, device: borrowing M2MDevice, wanted: Int, pieceCount: Int
  ) throws(CodecError) -> M2MQueue {
    var queue = M2MQueue(side, device, pieceCount: pieceCount)
    var request = v4l2_requestbuffers()
    request.count = UInt32(wanted)
    request.type = queue.bufferType
    request.memory = V4L2_MEMORY_MMAP.rawValue
    try device.require(VIDIOC_REQBUFS, "VIDIOC_REQBUFS (\(side))", &request)
    guard request.count >= 1 else {
      throw CodecError(device: device.name, operation: "VIDIOC_REQBUFS (\(side))", errno: ENOMEM)
    }
    for index in 0..<request.count {
      var buffer = queue.buffer(index)
      try device.require(VIDIOC_QUERYBUF, "VIDIOC_QUERYBUF (\(side))", &buffer)
      for piece in 0..<pieceCount {
        let length = queue.isMultiplanar ? queue.planes[piece].length : buffer.length
        let offset = queue.isMultiplanar ? queue.planes[piece].m.mem_offset : buffer.m.offset
        let address = mmap(
          nil, Int(length), PROT_READ | PROT_WRITE, MAP_SHARED, device.descriptor.rawValue, off_t(offset))
        guard let address, address != MAP_FAILED else {
          throw CodecError(device: device.name, operation: "mmap (\(side))", errno: errno)
        }
        queue.mappings.append(UnsafeMutableRawBufferPointer(start: address, count: Int(length)))
      }
      queue.ours.append(index)
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

  /// The memory of a buffer that is ours.
  func pieces(of index: UInt32) -> RawPieces {
    var pieces = RawPieces(repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    guard Int(index) < count else { return pieces }
    for piece in 0..<min(pieceCount, 3) { pieces[piece] = mappings[Int(index) * pieceCount + piece] }
    return pieces
  }

  /// Gives a buffer of ours to the driver (VIDIOC_QBUF): a raw one whole, with its stamp in microseconds.
  mutating func enqueue(_ device: borrowing M2MDevice, _ index: UInt32, stamp: Int64 = 0) throws(CodecError) {
    var buffer = self.buffer(index)
    if side == .raw {
      buffer.field = V4L2_FIELD_NONE.rawValue
      buffer.timestamp = timeval(tv_sec: Int(stamp / 1_000_000), tv_usec: Int(stamp % 1_000_000))
      if !isMultiplanar { buffer.bytesused = UInt32(clamping: mappings[Int(index)].count) }
    }
    if isMultiplanar {
      buffer.length = UInt32(pieceCount)
      for piece in 0..<pieceCount where side == .raw {
        planes[piece].bytesused = UInt32(clamping: mappings[Int(index) * pieceCount + piece].count)
      }
    }
    try device.require(VIDIOC_QBUF, "VIDIOC_QBUF (\(side))", &buffer)
    ours.removeAll { $0 == index }
  }

  /// Takes back a buffer that the driver is done with (VIDIOC_DQBUF). Returns an errno; 0 with the buffer.
  mutating func dequeue(_ device: borrowing M2MDevice, into buffer: inout v4l2_buffer) -> CInt {
    buffer = self.buffer(0)
    let error = device.request(VIDIOC_DQBUF, &buffer)
    if error == 0, !ours.contains(buffer.index) { ours.append(buffer.index) }
    return error
  }

  /// What the driver wrote into the buffer taken last. Nil when its number or sizes make no sense.
  func bytes(of buffer: v4l2_buffer) -> UnsafeRawBufferPointer? {
    guard Int(buffer.index) < count else { return nil }
    let mapping = mappings[Int(buffer.index) * pieceCount]
    let start = isMultiplanar ? Int(planes[0].data_offset) : 0
    let end = Int(isMultiplanar ? planes[0].bytesused : buffer.bytesused)
    guard start <= end, end <= mapping.count else { return nil }
    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(mapping)[start..<end])
  }

  /// Begins or ends streaming; the end gives all buffers back to us, whatever was in them.
  mutating func stream(_ isOn: Bool, _ device: borrowing M2MDevice) throws(CodecError) {
    var type = CInt(bitPattern: bufferType)
    if isOn {
      try device.require(VIDIOC_STREAMON, "VIDIOC_STREAMON (\(side))", &type)
    } else {
      try device.require(VIDIOC_STREAMOFF, "VIDIOC_STREAMOFF (\(side))", &type)
      ours = (0..<UInt32(count)).map { $0 }
    }
  }
}
