import Camera
import Configuration
import Core
import Encoding
import Evidence
import LinuxIO
import Media
import Microphone
import Synthetic

/// Camera, microphone and encoders, opened by the configuration before any thread starts, so that whatever is wrong with
/// them ends the start with a clear error.
struct OpenedDevices {
  enum CameraBody {
    case synthetic(SyntheticCamera)
    case v4l2(Handover<V4L2Camera>, CameraRequest)
    case clip(Clip)
  }
  /// How pictures become packets.
  enum VideoPath {
    case encode(Handover<EncoderBox>, VideoEncoderSettings, VideoEncoderKind, H264ParameterSets)
    case passThrough(PassThroughStream)
  }
  enum MicrophoneBody {
    case synthetic
    case alsa(Handover<ALSAMicrophone>, MicrophoneRequest)
  }

  var camera: CameraBody
  var cameraKind: CameraKind
  var cameraName: String
  var layout: I420Layout
  var frameInterval: Nanoseconds
  var path: VideoPath

  var microphone: MicrophoneBody?
  var microphoneKind: MicrophoneKind
  var microphoneName: String
  var channels: Int
  var opus: Handover<OpusBox>?
  var opusLookahead: Int

  /// A class in a box that can be moved: encoders are used on one thread, but not made there.
  struct EncoderBox: ~Copyable { let encoder: any VideoEncoder }
  struct OpusBox: ~Copyable { let stream: OpusStream }

  static func open(_ configuration: RecorderConfiguration, log: EventLog) throws(RecorderError) -> OpenedDevices {
    switch configuration.video.path {
    case .encode: break
    case .passthrough: return try openPassThrough(configuration, log: log)
    }
    let camera = configuration.camera
    var colour = VideoColour.bt601
    let body: CameraBody
    let kind: CameraKind
    let name: String
    var size = FrameSize(width: camera.width, height: camera.height)
    var interval = Nanoseconds(1_000_000_000 / Int64(max(1, camera.framesPerSecond)))
    var framesPerSecond = Double(camera.framesPerSecond)
    switch camera.source {
    case .synthetic:
      guard let layout = I420Layout(width: size.width, height: size.height) else { throw badSize(size) }
      body = .synthetic(SyntheticCamera(layout: layout, frameInterval: interval))
      kind = .synthetic
      name = "synthetic"
      log.note(.cameraGranted("synthetic, \(size) at \(camera.framesPerSecond) fps"))
    case .v4l2:
      let request = request(camera)
      let opened: V4L2Camera
      do throws(CameraError) { opened = try V4L2Camera(request) } catch { throw RecorderError(error) }
      let granted = opened.granted
      size = granted.format.size
      interval = granted.format.rate.interval
      framesPerSecond = 1e9 / Double(max(1, interval.count))
      colour = VideoColour(matrix: granted.matrix == 2 ? .bt709 : .bt601, isFullRange: granted.isFullRange)
      kind = .v4l2
      name = "\(granted.card) (\(granted.bus))"
      log.note(
        .cameraGranted(
          "\(granted.card) at \(granted.path), \(granted.format), \(granted.bufferCount) buffers"
            + (granted.isMultiplanar ? ", multi-planar" : "")))
      body = .v4l2(Handover(opened), request)
    case .file:
      throw RecorderError(.configuration, "camera.source = \"file\" needs video.path = \"passthrough\"")
    }
    guard let layout = I420Layout(width: size.width, height: size.height) else { throw badSize(size) }

    let video = configuration.video
    let settings = VideoEncoderSettings(
      width: size.width, height: size.height, framesPerSecond: framesPerSecond, bitrate: video.bitsPerSecond,
      peakBitrate: video.peakBitsPerSecond, bufferMilliseconds: 1_000,
      preset: VideoPreset(rawValue: video.preset.rawValue) ?? .superfast, gop: video.groupOfPictures,
      threads: video.threads, colour: colour, device: video.encoderDevice)
    guard let encoderKind = VideoEncoderKind(rawValue: video.encoder.rawValue),
      VideoEncoderKind.available.contains(encoderKind)
    else {
      throw RecorderError(
        .configuration,
        "video.encoder = \"\(video.encoder.rawValue)\" is not in this build; it has "
          + VideoEncoderKind.available.map(\.rawValue).joined(separator: ", "))
    }
    let encoder: any VideoEncoder
    do throws(EncodingError) {
      try settings.validate()
      encoder = try encoderKind.open(settings)
    } catch {
      throw RecorderError(error)
    }
    let parameterSets = encoder.parameterSets
    if let hardware = encoder as? V4L2Encoder { log.note(.note("encoder: \(hardware.granted)")) }
    return OpenedDevices(
      camera: body, cameraKind: kind, cameraName: name, layout: layout, frameInterval: interval,
      path: .encode(Handover(EncoderBox(encoder: encoder)), settings, encoderKind, parameterSets),
      sound: try openSound(configuration, log: log))
  }

  /// Both paths end here.
  init(
    camera: CameraBody, cameraKind: CameraKind, cameraName: String, layout: I420Layout, frameInterval: Nanoseconds,
    path: VideoPath, sound: OpenedSound
  ) {
    self.camera = camera
    self.cameraKind = cameraKind
    self.cameraName = cameraName
    self.layout = layout
    self.frameInterval = frameInterval
    self.path = path
    microphone = sound.microphone
    microphoneKind = sound.kind
    microphoneName = sound.name
    channels = sound.channels
    opus = sound.opus
    opusLookahead = sound.lookahead
  }

  struct OpenedSound {
    var microphone: MicrophoneBody?
    var kind: MicrophoneKind
    var name: String
    var channels: Int
    var opus: Handover<OpusBox>?
    var lookahead: Int
  }

  static func openSound(_ configuration: RecorderConfiguration, log: EventLog) throws(RecorderError) -> OpenedSound {
    let sound = configuration.microphone
    var microphone: MicrophoneBody?
    var microphoneKind = MicrophoneKind.none
    var microphoneName = "none"
    switch sound.source {
    case .none: break
    case .synthetic:
      microphone = .synthetic
      microphoneKind = .synthetic
      microphoneName = "synthetic"
    case .alsa:
      let request = MicrophoneRequest(device: sound.device, channels: sound.channels)
      let opened: ALSAMicrophone
      do throws(MicrophoneError) { opened = try ALSAMicrophone(request) } catch { throw RecorderError(error) }
      let granted = opened.granted
      microphoneKind = .alsa
      microphoneName = granted.title
      log.note(
        .microphoneGranted(
          "\(granted.title), \(granted.rate) Hz, \(granted.channels) channel\(granted.channels == 1 ? "" : "s"), "
            + "buffer \(granted.bufferFrames * 1_000 / max(1, granted.rate)) ms"
            + (granted.stampsMonotonic ? "" : ", without monotonic timestamps: sound may be late by a period")))
      microphone = .alsa(Handover(opened), request)
    }
    var opus: Handover<OpusBox>?
    var lookahead = 0
    if microphone != nil {
      do throws(EncodingError) {
        let stream = try OpusStream(channels: sound.channels, bitrate: configuration.audio.bitsPerSecond)
        lookahead = stream.lookahead
        opus = Handover(OpusBox(stream: stream))
      } catch {
        throw RecorderError(error)
      }
    }
    return OpenedSound(
      microphone: microphone, kind: microphoneKind, name: microphoneName, channels: sound.channels, opus: opus,
      lookahead: lookahead)
  }

  /// What the configuration asks of a V4L2 camera, whichever way its pictures go.
  static func request(_ camera: RecorderConfiguration.Camera) -> CameraRequest {
    CameraRequest(
      device: camera.device, size: FrameSize(width: camera.width, height: camera.height),
      rate: FrameRate(perSecond: UInt32(clamping: camera.framesPerSecond)), pixelFormat: pixelFormat(camera.format),
      controls: CameraControlList(camera.controls).settings.map { CameraControl(name: $0.name, value: $0.value) })
  }

  static func badSize(_ size: FrameSize) -> RecorderError {
    RecorderError(.configuration, "camera.width and camera.height must be even and within 16 to 8192, not \(size)")
  }

  static func pixelFormat(_ format: RecorderConfiguration.Camera.Format) -> PixelFormat? {
    switch format {
    case .auto: nil
    case .yuyv: .yuyv
    case .nv12: .nv12
    case .yu12: .yu12
    case .mjpeg: .mjpeg
    case .h264: .h264
    }
  }
}
