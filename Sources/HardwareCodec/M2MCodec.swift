import CLinux
import Glibc
import LinuxIO
public import Media

/// What the driver says of one coded buffer beside its bytes.
public struct CodedFacts: Hashable, Sendable {
  /// As given with the picture, in microseconds.
  public var stamp: Int64
  /// V4L2_BUF_FLAG_KEYFRAME; drivers that do not mark them leave it false.
  public var isKeyframe: Bool
  /// V4L2_BUF_FLAG_ERROR: what is in the buffer must not be used.
  public var isDamaged: Bool
}

/// A stateful hardware encoder behind the kernel's memory-to-memory interface (V4L2 M2M): raw pictures in, coded ones
/// out, later and on their own. What the bytes mean is the caller's to know.
///
/// Held and used by one thread; closed when it goes away. Nothing waits longer than `limit`.
///
/// Specification: userspace-api/media/v4l/dev-encoder in the kernel's documentation.
public struct M2MCodec: ~Copyable {
  /// Buffers asked for on each side.
  public static let bufferCount = 4
  /// After this time without an answer the device counts as hung.
  public static let limit = Nanoseconds.seconds(2)

  public let granted: GrantedCodec

  // In this order: the mappings go before the descriptor.
  private var raw: M2MQueue
  private var coded: M2MQueue
  private let device: M2MDevice
  private let layout: RawLayout
  private var machine = CodecMachine()
  /// How long a picture is waited for that is in the way of a keyframe.
  private let interval: Nanoseconds

  /// Opens the encoder, negotiates formats and controls, and starts both queues. Blocks for as long as the driver needs.
  public static func open(_ request: CodecRequest) throws(CodecError) -> M2MCodec {
    let path = try CodecListing.path(
      of: request.device, making: request.coded,
      among: request.device.hasPrefix("/") ? [] : CodecListing.all(making: request.coded))
    let device = try M2MDevice(path: path, name: request.device.isEmpty ? path : request.device)
    var command = v4l2_encoder_cmd()
    command.cmd = UInt32(V4L2_ENC_CMD_STOP)
    let error = device.request(VIDIOC_TRY_ENCODER_CMD, &command)
    guard error == 0 else {
      if error == ENODEV { throw CodecError(device: device.name, operation: "VIDIOC_TRY_ENCODER_CMD", errno: error) }
      throw CodecError(
        .notAnEncoder, device: device.name, operation: "VIDIOC_TRY_ENCODER_CMD", errno: error,
        hint: "It is no stateful encoder: it cannot be drained.")
    }
    let negotiated = try CodecNegotiation.run(request, on: device)
    let raw = try M2MQueue.make(
      .raw, device: device, wanted: bufferCount, pieceCount: negotiated.layout.pieceCount)
    let coded = try M2MQueue.make(.coded, device: device, wanted: bufferCount, pieceCount: 1)
    var codec = M2MCodec(request, negotiated, device: device, raw: raw, coded: coded)
    try codec.advance(.start)
    return codec
  }

  private init(
    _ request: CodecRequest, _ negotiated: CodecNegotiation, device: consuming M2MDevice, raw: consuming M2MQueue,
    coded: consuming M2MQueue
  ) {
    granted = GrantedCodec(
      path: device.path, driver: device.driver, card: device.card, bus: device.bus,
      isMultiplanar: device.isMultiplanar, coded: request.coded, raw: negotiated.layout.format,
      bufferWidth: negotiated.layout.width, bufferHeight: negotiated.layout.height, rawCount: raw.count,
      codedCount: coded.count, keyframes: negotiated.keyframes, missing: negotiated.missing)
    layout = negotiated.layout
    interval = Nanoseconds(
      1_000_000_000 * Int64(request.rate.denominator) / Int64(max(1, request.rate.numerator)))
    self.raw = raw
    self.coded = coded
    self.device = device
  }

  public var state: CodecMachine.State { machine.state }

  /// Gives the encoder a picture: copies it into a buffer, waiting for one as long as `limit` allows, and lends what was
  /// finished meanwhile to `take`. The stamp comes back with the coded picture.
  ///
  /// With `isKeyframe` those before it are let through first, so that the keyframe is this picture and no other: by a
  /// control, which waits one interval at most, or by a reset, which waits until the encoder is empty.
  public mutating func submit(
    _ picture: RawSpan, _ source: I420Layout, stamp: Int64, isKeyframe: Bool,
    take: (RawSpan, CodedFacts) -> Void
  ) throws(CodecError) {
    if isKeyframe { try prepareKeyframe(take) }
    let deadline = MonotonicTime.now() + Self.limit
    while raw.ours.isEmpty {
      guard MonotonicTime.now() < deadline else {
        throw hung("no buffer came back for \(Self.limit.inMilliseconds) ms")
      }
      try exchange(until: deadline, take)
    }
    guard let index = raw.ours.first, layout.fill(from: picture, source, into: raw.pieces(of: index)) else {
      throw failed("a picture of \(source.width)x\(source.height) does not fit its buffers")
    }
    try guarding { (codec) throws(CodecError) in try codec.raw.enqueue(codec.device, index, stamp: stamp) }
  }

  /// Lends what is finished to `take`, and waits for more until `deadline` or until `isWanted` says no.
  public mutating func collect(
    until deadline: MonotonicTime, while isWanted: () -> Bool = { true }, take: (RawSpan, CodedFacts) -> Void
  ) throws(CodecError) {
    repeat {
      try exchange(until: deadline, take)
    } while machine.state != .drained && isWanted() && MonotonicTime.now() < deadline
  }

  /// Lets everything out that was given to the encoder ("Drain"). Afterwards only `reset` or `stop` go on.
  public mutating func drain(take: (RawSpan, CodedFacts) -> Void) throws(CodecError) {
    try advance(.drain)
    let deadline = MonotonicTime.now() + Self.limit
    while machine.state == .draining {
      guard MonotonicTime.now() < deadline else {
        throw hung("it was not drained within \(Self.limit.inMilliseconds) ms")
      }
      try exchange(until: deadline, take)
    }
  }

  /// Begins a stream of its own ("Reset"): what is still in the encoder is given up; the next picture is a keyframe.
  public mutating func reset() throws(CodecError) { try advance(.reset) }

  /// Ends streaming; what is still in the encoder is given up.
  public mutating func stop() throws(CodecError) { try advance(.stop) }

  /// Begins again after `stop`.
  public mutating func start() throws(CodecError) { try advance(.start) }

  // MARK: -

  private mutating func prepareKeyframe(_ take: (RawSpan, CodedFacts) -> Void) throws(CodecError) {
    switch granted.keyframes {
    case .control:
      let deadline = MonotonicTime.now() + interval
      while raw.queued > 0, MonotonicTime.now() < deadline { try exchange(until: deadline, take) }
      let error = device.set(.forceKeyframe, to: 1)
      guard error != 0 else { return }
      _ = machine.handle(.failure)
      throw CodecError(device: device.name, operation: "\(CodecControl.forceKeyframe)", errno: error)
    case .reset:
      try drain(take: take)
      try reset()
    }
  }

  private mutating func advance(_ event: CodecMachine.Event) throws(CodecError) {
    guard let steps = machine.handle(event) else { throw failed("\(event) while it is \(machine.state)") }
    for step in steps {
      try guarding { (codec) throws(CodecError) in try codec.perform(step) }
    }
  }

  private mutating func perform(_ step: CodecMachine.Step) throws(CodecError) {
    switch step {
    case .streamOff:
      try raw.stream(false, device)
      try coded.stream(false, device)
    case .streamOn:
      for index in coded.ours { try coded.enqueue(device, index) }
      try raw.stream(true, device)
      try coded.stream(true, device)
    case .stopCommand:
      var command = v4l2_encoder_cmd()
      command.cmd = UInt32(V4L2_ENC_CMD_STOP)
      try device.require(VIDIOC_ENCODER_CMD, "V4L2_ENC_CMD_STOP", &command)
    }
  }

  /// Waits until the driver has something, at most until `deadline`, and takes all that it has from both queues.
  private mutating func exchange(
    until deadline: MonotonicTime, _ take: (RawSpan, CodedFacts) -> Void
  ) throws(CodecError) {
    let wait = max(0, (deadline - MonotonicTime.now()).count)
    // Buffers on both sides wake it up; without any at the driver on one side the kernel does not wait for that side.
    let events = clinux_wait(device.descriptor.rawValue, Int16(POLLIN | (raw.queued > 0 ? POLLOUT : 0)), wait)
    if events == 0 || (events < 0 && errno == EINTR) { return }
    let hasRaw = try takeRaw()
    let hasCoded = try takeCoded(take)
    guard !hasRaw, !hasCoded, events & CInt(POLLERR | POLLHUP) != 0 else { return }
    // Errors and hang-ups of poll come without a reason, and here the driver gave none either.
    _ = machine.handle(.failure)
    throw CodecError(device: device.name, operation: "poll", errno: events & CInt(POLLHUP) != 0 ? ENODEV : EIO)
  }

  /// False when there was none.
  private mutating func takeRaw() throws(CodecError) -> Bool {
    var buffer = v4l2_buffer()
    var any = false
    while raw.queued > 0 {
      let error = raw.dequeue(device, into: &buffer)
      if error == EAGAIN { break }
      guard error == 0 else { throw fatal("VIDIOC_DQBUF (raw)", error) }
      any = true
    }
    return any
  }

  private mutating func takeCoded(_ take: (RawSpan, CodedFacts) -> Void) throws(CodecError) -> Bool {
    var buffer = v4l2_buffer()
    var any = false
    while machine.state != .drained {
      let error = coded.dequeue(device, into: &buffer)
      if error == EAGAIN { break }
      if error == EPIPE {
        try advance(.last)
        return true
      }
      guard error == 0 else { throw fatal("VIDIOC_DQBUF (coded)", error) }
      any = true
      let flags = buffer.flags
      let isDamaged = flags & UInt32(V4L2_BUF_FLAG_ERROR) != 0
      if let bytes = coded.bytes(of: buffer) {
        // An empty one that is whole ends a drain, or says that there is nothing to say.
        if !bytes.isEmpty || isDamaged {
          let stamp = Int64(buffer.timestamp.tv_sec) * 1_000_000 + Int64(buffer.timestamp.tv_usec)
          take(
            bytes.bytes,
            CodedFacts(
              stamp: stamp, isKeyframe: flags & UInt32(V4L2_BUF_FLAG_KEYFRAME) != 0, isDamaged: isDamaged))
        }
      } else {
        throw failed("a coded buffer says that it holds more than fits into it")
      }
      if flags & UInt32(V4L2_BUF_FLAG_LAST) != 0 {
        try advance(.last)
        return true
      }
      let index = buffer.index
      try guarding { (codec) throws(CodecError) in try codec.coded.enqueue(codec.device, index) }
    }
    return any
  }

  /// After an error of the device there is nothing but closing it.
  private mutating func guarding(_ body: (inout M2MCodec) throws(CodecError) -> Void) throws(CodecError) {
    do throws(CodecError) { try body(&self) } catch {
      _ = machine.handle(.failure)
      throw error
    }
  }

  private mutating func fatal(_ operation: String, _ code: CInt) -> CodecError {
    _ = machine.handle(.failure)
    return CodecError(device: device.name, operation: operation, errno: code)
  }

  private mutating func failed(_ what: String) -> CodecError {
    _ = machine.handle(.failure)
    return CodecError(
      .failed, device: device.name, operation: what, hint: "\(what). The encoder is opened again.")
  }

  private mutating func hung(_ what: String) -> CodecError {
    _ = machine.handle(.failure)
    return CodecError(
      .hung, device: device.name, operation: what,
      hint: "The encoder is opened again. If it goes on, look in `dmesg`, or choose another video.encoder.")
  }
}
