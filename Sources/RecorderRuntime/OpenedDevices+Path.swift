import Camera
import Configuration
import Encoding
import Evidence
import LinuxIO
import Media
import Synthetic

/// What differs between pictures that are encoded here and pictures that pass through.
extension OpenedDevices {
  /// For status, check and footage.
  var pathName: String {
    switch path {
    case .encode(_, _, let kind, _): kind.rawValue
    case .passThrough(let stream): stream.name
    }
  }

  /// - Parameter rotation: degrees; the configuration allows no others than those of `DisplayRotation`.
  func videoTrack(rotation: Int) -> VideoTrack {
    let rotation = DisplayRotation(rawValue: rotation) ?? .none
    return switch path {
    case .encode(_, _, _, let sets):
      VideoTrack(width: layout.width, height: layout.height, codec: .h264(sets), rotation: rotation)
    case .passThrough(let stream):
      VideoTrack(width: stream.width, height: stream.height, codec: stream.codec, rotation: rotation)
    }
  }

  /// The longest time from one keyframe to the next that is expected.
  func groupOfPictures(_ configuration: RecorderConfiguration) -> Nanoseconds {
    switch path {
    case .encode: configuration.video.groupOfPictures
    case .passThrough(let stream): stream.group
    }
  }

  func ringPlan(_ configuration: RecorderConfiguration) -> RingPlan {
    let hasSound = microphone != nil
    switch path {
    case .encode(_, let settings, let kind, _):
      return RingPlan(configuration, encoder: settings, kind: kind, hasSound: hasSound)
    case .passThrough(let stream): return RingPlan(configuration, passThrough: stream, hasSound: hasSound)
    }
  }

  // MARK: - Pass-through

  /// A clip is held in memory.
  private static let clipLimit = 1 << 30

  /// Opens the camera and watches it for three seconds or more: nothing can be sized before.
  static func openPassThrough(
    _ configuration: RecorderConfiguration, log: EventLog
  ) throws(RecorderError) -> OpenedDevices {
    let camera = configuration.camera
    let size = FrameSize(width: camera.width, height: camera.height)
    guard let layout = I420Layout(width: size.width, height: size.height) else { throw badSize(size) }
    let body: CameraBody
    let kind: CameraKind
    let name: String
    let stream: PassThroughStream
    switch camera.source {
    case .synthetic:
      throw RecorderError(.configuration, "camera.source = \"synthetic\" has no compressed pictures that pass through")
    case .file:
      let clip = try openClip(configuration)
      let interval = Nanoseconds(1_000_000_000 / Int64(max(1, camera.framesPerSecond)))
      log.note(
        .cameraGranted(
          "SYNTHETIC, \(clip.pictures.count) pictures of \(camera.device), \(size) at \(camera.framesPerSecond) fps"))
      stream = try PassThroughStream.measure(clip, interval: interval, configuration)
      body = .clip(clip)
      kind = .synthetic
      name = "clip \(camera.device)"
    case .v4l2:
      let request = request(camera)
      var opened: V4L2Camera
      do throws(CameraError) { opened = try V4L2Camera(request) } catch { throw RecorderError(error) }
      let granted = opened.granted
      log.note(
        .cameraGranted(
          "\(granted.card) at \(granted.path), \(granted.format), \(granted.bufferCount) buffers"
            + (granted.isMultiplanar ? ", multi-planar" : "")))
      stream = try PassThroughStream.measure(&opened, configuration)
      body = .v4l2(Handover(opened), request)
      kind = .v4l2
      name = "\(granted.card) (\(granted.bus))"
    }
    log.note(.note("camera: \(stream.summary)"))
    // After the seconds of measuring: a microphone that is open and not read from overruns.
    return OpenedDevices(
      camera: body, cameraKind: kind, cameraName: name, layout: layout, frameInterval: stream.frameInterval,
      path: .passThrough(stream), sound: try openSound(configuration, log: log))
  }

  private static func openClip(_ configuration: RecorderConfiguration) throws(RecorderError) -> Clip {
    let camera = configuration.camera
    let bytes: [UInt8]
    do throws(LinuxError) { bytes = try readSmallFile(path: camera.device, limit: clipLimit) } catch {
      throw RecorderError(.device, "camera.device: \(error)")
    }
    guard let clip = Clip(bytes, coding: camera.format == .h264 ? .h264 : .jpeg) else {
      throw RecorderError(
        .device,
        "the clip \(camera.device) holds no pictures of camera.format = \"\(camera.format.rawValue)\": it is to be what "
          + "`ffmpeg -f \(camera.format.rawValue)` writes.")
    }
    guard clip.width == camera.width, clip.height == camera.height else {
      throw RecorderError(
        .device,
        "the clip \(camera.device) has \(clip.width)x\(clip.height): set camera.width and camera.height to that.")
    }
    return clip
  }
}
