public import HardwareCodec
import LinuxIO
public import Media

/// H.264 by a hardware encoder behind the kernel's memory-to-memory interface. Packets come when the device has them, so
/// those of one picture usually while it is encoded, and at the latest when the next ones are.
///
/// Opened and used on one thread. Not run on hardware yet: the driver's side runs against the kernel's virtual encoder,
/// the reading of H.264 against recorded bytes.
public final class V4L2Encoder: VideoEncoder {
  public let settings: VideoEncoderSettings
  public let parameterSets: H264ParameterSets
  public let granted: GrantedCodec

  /// Nil after an error: the device is closed then, so that it can be opened again.
  private var codec: M2MCodec?
  private var reader: CodedPictureReader
  private var lastTime: MonotonicTime?
  /// What went wrong while coded buffers were read.
  private var fault: EncodingError?

  /// Opens the device and lets it encode one black picture, whose parameter sets are those of all that follow. Blocks for
  /// as long as the driver needs, 2 s for an answer at most. Throws `setting`, `device`, `parameterSets` or `packet`.
  public init(_ settings: VideoEncoderSettings) throws(EncodingError) {
    try settings.validate()
    guard let layout = I420Layout(width: settings.width, height: settings.height) else {
      throw .setting(
        name: "size", value: "\(settings.width)x\(settings.height)", allowed: "both sides even, 16 to 8192")
    }
    var codec = try Self.open(settings)
    let driver = codec.granted.driver
    var reader = CodedPictureReader(library: driver, packetBytes: settings.bufferBytes)
    let sets = try Self.prime(&codec, &reader, layout)
    guard let set = SequenceParameterSet(sets.sequence) else {
      throw .packet(library: driver, reason: "a sequence parameter set that is not 4:2:0 with 8 bits, or broken")
    }
    guard set.width == settings.width, set.height == settings.height, set.isProgressive else {
      throw .packet(
        library: driver,
        reason: "its pictures are \(set.width)x\(set.height)\(set.isProgressive ? "" : " in fields"), not "
          + "\(settings.width)x\(settings.height)")
    }
    self.settings = settings
    parameterSets = sets
    granted = codec.granted
    self.reader = reader
    self.codec = consume codec
  }

  private static func open(_ settings: VideoEncoderSettings) throws(EncodingError) -> M2MCodec {
    do throws(CodecError) {
      return try M2MCodec.open(request(settings))
    } catch {
      throw EncodingError(error)
    }
  }

  public func encode(
    picture: RawSpan, layout: I420Layout, time: MonotonicTime, position: Int64, forceKeyframe: Bool,
    emit: (PacketHeader, RawSpan) -> Void
  ) throws(EncodingError) {
    try checkInput(bytes: picture.byteCount, layout: layout, time: time, last: lastTime)
    let isForced = forceKeyframe || lastTime == nil || reader.owesKeyframe
    // The first picture of a stream is a keyframe by itself.
    let isAsked = isForced && lastTime != nil
    lastTime = time
    // Before it is given, because what comes back first belongs to pictures that were given before.
    let now = MonotonicTime.now()
    let stamp = reader.give(
      CodedPictureReader.Facts(time: time, position: position, isForced: isForced), at: now)
    var device = try taken()
    do throws(CodecError) {
      try device.submit(picture, layout, stamp: stamp, isKeyframe: isAsked) { read($0, $1, emit) }
      // Its packet is usually there before the next picture is; nobody else needs this thread meanwhile.
      try device.collect(until: now + settings.frameInterval / 2, while: { waitsForMore }) { read($0, $1, emit) }
    } catch {
      throw EncodingError(error)
    }
    try putBack(device)
  }

  public func collect(emit: (PacketHeader, RawSpan) -> Void) throws(EncodingError) {
    var device = try taken()
    do throws(CodecError) {
      try device.collect(until: .now(), while: { waitsForMore }) { read($0, $1, emit) }
    } catch {
      throw EncodingError(error)
    }
    try putBack(device)
  }

  private var waitsForMore: Bool { reader.pictures.count > 0 && fault == nil }

  /// The device, for the time of a call. Unless it is put back, it is closed.
  private func taken() throws(EncodingError) -> M2MCodec {
    guard let device = codec.take() else {
      throw .device("the hardware encoder \(granted.path) is closed after an error.")
    }
    return device
  }

  /// After a call that went well; throws what was wrong with what came back, or that it does not come.
  private func putBack(_ device: consuming M2MCodec) throws(EncodingError) {
    if let fault { throw fault }
    if let since = reader.pictures.oldestSince, MonotonicTime.now() - since > M2MCodec.limit {
      throw EncodingError(
        CodecError(
          .hung, device: granted.path, operation: "a picture is in it for \(M2MCodec.limit.inMilliseconds) ms",
          hint: "The encoder is opened again. If it goes on, look in `dmesg`, or choose another video.encoder."))
    }
    codec = consume device
  }

  private func read(_ bytes: RawSpan, _ facts: CodedFacts, _ emit: (PacketHeader, RawSpan) -> Void) {
    guard fault == nil else { return }
    do throws(EncodingError) {
      guard !facts.isDamaged else { throw .packet(library: granted.driver, reason: "the driver marks it as damaged") }
      switch try reader.take(bytes, stamp: facts.stamp) {
      case .nothing: break
      // The caller sees by the times which pictures were dropped.
      case .packet(let header, skipped: _):
        let packet = reader.bytes
        emit(header, packet.span.bytes)
      }
    } catch {
      fault = error
    }
  }

  /// Encodes one black picture and begins a new stream. Returns the parameter sets that it came with.
  private static func prime(
    _ codec: inout M2MCodec, _ reader: inout CodedPictureReader, _ layout: I420Layout
  ) throws(EncodingError) -> H264ParameterSets {
    let driver = codec.granted.driver
    var black = [UInt8](repeating: 16, count: layout.byteCount)
    for index in layout.blueOffset..<layout.byteCount { black[index] = 128 }
    let stamp = reader.give(
      CodedPictureReader.Facts(time: MonotonicTime(nanoseconds: 0), position: 0, isForced: true), at: .now())
    var fault: EncodingError?
    do throws(CodecError) {
      let take = { (bytes: RawSpan, facts: CodedFacts) in
        do throws(EncodingError) {
          if facts.isDamaged { throw .packet(library: driver, reason: "the driver marks it as damaged") }
          _ = try reader.take(bytes, stamp: facts.stamp)
        } catch {
          fault = fault ?? error
        }
      }
      try codec.submit(black.span.bytes, layout, stamp: stamp, isKeyframe: false, take: take)
      try codec.drain(take: take)
      try codec.reset()
    } catch {
      throw EncodingError(error)
    }
    if let fault { throw fault }
    reader.restart()
    guard let sets = reader.parameterSets else { throw .parameterSets(library: driver) }
    return sets
  }

  private static func request(_ settings: VideoEncoderSettings) -> CodecRequest {
    let rate = settings.rateFraction
    return CodecRequest(
      device: settings.device, coded: .h264, width: settings.width, height: settings.height,
      rate: (rate.numerator, rate.denominator), isBT709: settings.colour.matrix == .bt709,
      isFullRange: settings.colour.isFullRange,
      // A keyframe may be as large as the rate control's whole buffer.
      codedBytes: max(settings.bufferBytes, settings.width * settings.height / 2), controls: controls(settings))
  }

  /// What the encoder is told; values from v4l2-controls.h.
  static func controls(_ settings: VideoEncoderSettings) -> [ControlSetting] {
    let level = H264Level.least(
      width: settings.width, height: settings.height, framesPerSecond: settings.framesPerSecond)
    return [
      ControlSetting(.bitrate, settings.bitrate, isRequired: true),
      // Constant, else variable: the ring is made for a peak, and few drivers keep to one.
      ControlSetting(.bitrateMode, 1, 0),
      ControlSetting(.bitratePeak, settings.peakBitrate),
      // Several drivers ignore the bitrate without it.
      ControlSetting(.frameRateControl, 1),
      // High, Main, Constrained Baseline, Baseline.
      ControlSetting(.h264Profile, 4, 2, 1, 0),
      ControlSetting(.h264Level, levels[level] ?? 11),
      ControlSetting(.bFrames, 0),
      // Keyframes come when they are asked for.
      ControlSetting(.gopSize, 1 << 20, 30_000, 1_000, 255),
      // In front of the first picture, in its buffer or in one of their own; known from then on, so not repeated.
      ControlSetting(.headerMode, 1, 0),
      ControlSetting(.repeatHeader, 0),
    ]
  }

  /// Ten times the level to its value in enum v4l2_mpeg_video_h264_level.
  private static let levels = [30: 8, 31: 9, 32: 10, 40: 11, 42: 13, 50: 14, 51: 15, 52: 16]
}

extension EncodingError {
  /// What a hardware encoder said.
  init(_ error: CodecError) { self = .device(error.description) }
}
