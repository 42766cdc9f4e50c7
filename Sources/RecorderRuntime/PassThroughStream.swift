import Camera
import Configuration
import Core
import LinuxIO
import Media
import Synthetic

/// What is known of a camera whose own compressed pictures are recorded: seen before anything is sized by it.
struct PassThroughStream: Sendable {
  var codec: VideoCodec
  var width: Int
  var height: Int
  var measured: PassThroughMeasure.Result
  /// What the ring is reckoned from: configured, or measured and a quarter more, and no less than `floor`: it may have been dark.
  var peakBitsPerSecond: Int
  /// The camera's nominal rate, or what was seen when that is more.
  var framesPerSecond: Double
  var frameInterval: Nanoseconds

  /// For status, check and footage.
  var name: String {
    switch codec {
    case .jpeg: "passthrough mjpeg"
    case .h264: "passthrough h264"
    }
  }

  /// The longest time between keyframes that is reckoned with. With every picture a keyframe it is more than a picture's:
  /// the newest one in memory is as old as camera and bus make it.
  var group: Nanoseconds { max(measured.group + frameInterval * 2, .milliseconds(250)) }

  init(
    reader: PictureReader, width: Int, height: Int, measured: PassThroughMeasure.Result, interval: Nanoseconds,
    device: String, configuration: RecorderConfiguration
  ) throws(RecorderError) {
    guard let codec = reader.codec else { throw Self.noPictures(device) }
    if let header = reader.sequenceHeader {
      guard header.isUsual, !header.isInterlaced else {
        throw RecorderError(
          .device,
          "\(device) delivers H.264 that is \(header.isInterlaced ? "interlaced" : "not 4:2:0 of 8 bits"), which "
            + "does not pass through: set the camera to a Baseline, Main or High profile, or use video.path = \"encode\" with "
            + "another camera.format.")
      }
      guard header.width == width, header.height == height else {
        throw RecorderError(
          .device,
          "\(device) granted \(width)x\(height), and its H.264 says \(header.width)x\(header.height): ask for that size."
        )
      }
    }
    self.codec = codec
    self.width = width
    self.height = height
    self.measured = measured
    frameInterval = interval
    framesPerSecond = max(1e9 / Double(max(1, interval.count)), measured.framesPerSecond)
    let configured = configuration.video.passThroughPeakBitsPerSecond
    let floor = Self.floor(codec, width: width, height: height, framesPerSecond: framesPerSecond)
    peakBitsPerSecond =
      configured > 0 ? configured : max(measured.peakBitsPerSecond + measured.peakBitsPerSecond / 4, floor)
    guard configuration.recording.segment >= group * 2 else {
      throw RecorderError(
        .configuration,
        "a segment must hold at least two keyframes, and \(device) brings one every \(measured.group.inMilliseconds) ms: "
          + "recording.segment_s = \((group * 2).inMilliseconds / 1_000 + 1) would do.")
    }
  }

  /// Bits a second of a scene with light and movement: 0.15 for each pixel of H.264, 1 of JPEG. A camera that is started under
  /// a jacket shows a tenth of it, and its ring would hold a tenth of the seconds later.
  private static func floor(_ codec: VideoCodec, width: Int, height: Int, framesPerSecond: Double) -> Int {
    let perPixel =
      switch codec {
      case .h264: 0.15
      case .jpeg: 1.0
      }
    return Int(min(1e9, Double(width * height) * framesPerSecond * perPixel))
  }

  /// One line for the log.
  var summary: String {
    "passes through, measured for \(Self.tenths(measured.span)) s: \(measured.peakBitsPerSecond / 1_000) kbit/s in the fullest "
      + "second, \(measured.meanBitsPerSecond / 1_000) on the average, a keyframe every \(measured.group.inMilliseconds) ms; "
      + "reckoned with \(peakBitsPerSecond / 1_000) kbit/s"
  }

  private static func tenths(_ span: Nanoseconds) -> String {
    "\(span.inMilliseconds / 1_000).\(span.inMilliseconds % 1_000 / 100)"
  }

  // MARK: - Measuring

  /// How long a camera may bring nothing that can be read.
  private static let patience = Nanoseconds.seconds(15)

  /// Takes pictures from an open camera for three seconds or more. Blocks as long.
  static func measure(
    _ camera: inout V4L2Camera, _ configuration: RecorderConfiguration
  ) throws(RecorderError) -> PassThroughStream {
    let granted = camera.granted
    let (width, height) = (granted.format.size.width, granted.format.size.height)
    let device = "the camera \(granted.card)"
    var reader =
      granted.format.pixelFormat == .h264
      ? PictureReader.unknownH264() : PictureReader(.jpeg, width: width, height: height)
    var measure = PassThroughMeasure()
    let deadline = MonotonicTime.now() + patience
    var last = MonotonicTime.distantPast
    while MonotonicTime.now() < deadline {
      var verdict = PassThroughMeasure.Verdict.undecided
      var isChanged = false
      do throws(CameraError) {
        _ = try camera.capture(timeout: .milliseconds(200)) { frame in
          let time = frame.info.time
          guard time > last else { return }
          let outcome = frame.withBytes { bytes in
            reader.read(bytes) { picture, packet in
              last = time
              verdict = measure.take(time, picture, byteCount: packet.byteCount)
            }
          }
          isChanged = outcome == .changedParameterSets
        }
      } catch {
        throw RecorderError(error)
      }
      if isChanged { throw changing(device) }
      if let measured = try decided(verdict, device) {
        return try PassThroughStream(
          reader: reader, width: width, height: height, measured: measured, interval: granted.format.rate.interval,
          device: device, configuration: configuration)
      }
    }
    throw noPictures(device)
  }

  /// As a camera with the clip's pictures, in no time.
  static func measure(
    _ clip: Clip, interval: Nanoseconds, _ configuration: RecorderConfiguration
  ) throws(RecorderError) -> PassThroughStream {
    let device = "the clip \(configuration.camera.device)"
    var reader =
      clip.coding == .h264
      ? PictureReader.unknownH264() : PictureReader(.jpeg, width: clip.width, height: clip.height)
    var measure = PassThroughMeasure()
    let start = MonotonicTime(nanoseconds: 0)
    for number in 0..<(patience.count / max(1, interval.count)) {
      var verdict = PassThroughMeasure.Verdict.undecided
      let outcome = clip.withPicture(number) { bytes in
        reader.read(bytes) { picture, packet in
          verdict = measure.take(start + interval * number, picture, byteCount: packet.byteCount)
        }
      }
      if outcome == .changedParameterSets { throw changing(device) }
      if let measured = try decided(verdict, device) {
        return try PassThroughStream(
          reader: reader, width: clip.width, height: clip.height, measured: measured, interval: interval,
          device: device,
          configuration: configuration)
      }
    }
    throw noPictures(device)
  }

  private static func decided(
    _ verdict: PassThroughMeasure.Verdict, _ device: String
  ) throws(RecorderError) -> PassThroughMeasure.Result? {
    switch verdict {
    case .undecided: return nil
    case .measured(let result): return result
    case .refused(let refusal): throw RecorderError(.device, "\(device) \(words(refusal))")
    }
  }

  private static let otherwise = "or use video.path = \"encode\" with another camera.format."

  private static func words(_ refusal: PassThroughMeasure.Refusal) -> String {
    switch refusal {
    case .longGroup(let group):
      "brought no keyframe (IDR picture) for \(group.inMilliseconds) ms, and passes through with at most "
        + "\(PassThroughMeasure.longestGroup.inMilliseconds) ms between two, because a recording begins at one: set a shorter GOP "
        + "in the camera, 1 s is good (`v4l2-ctl -L`, or the vendor's tool), \(otherwise)"
    case .recoveryPointsOnly:
      "brings recovery points and no IDR pictures (intra refresh), so a recording could begin nowhere: turn intra refresh off in "
        + "the camera, \(otherwise)"
    case .reorders:
      "sends pictures in another order than they are shown in (B-frames), which does not pass through: turn B-frames off in the "
        + "camera (a Baseline profile has none), \(otherwise)"
    }
  }

  private static func noPictures(_ device: String) -> RecorderError {
    RecorderError(
      .device,
      "\(device) brought nothing that can be read for \(patience.inMilliseconds / 1_000) s: check that it delivers what "
        + "camera.format says, \(otherwise)")
  }

  private static func changing(_ device: String) -> RecorderError {
    RecorderError(
      .device,
      "\(device) changes its H.264 parameter sets from picture to picture, and a recording has one pair: set a fixed size and "
        + "profile in the camera, \(otherwise)")
  }
}

extension PassThroughMeasure {
  fileprivate mutating func take(_ time: MonotonicTime, _ picture: PictureReader.Picture, byteCount: Int) -> Verdict {
    take(
      time: time, byteCount: byteCount, isKeyframe: picture.isKeyframe, stepsBack: picture.stepsBack,
      isRecoveryPoint: picture.isRecoveryPoint)
  }
}
