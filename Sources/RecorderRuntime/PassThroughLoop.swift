import Camera
import Core
import Evidence
import LinuxIO
import Media
import Synchronization
import Synthetic

/// The loop of the camera thread when the camera compresses its pictures itself: appends them to the ring as they are, with the
/// source's own times and numbers. There is no encoder thread then.
///
/// A picture that was cut short is recorded, because what it shows is evidence, and reported as damaged (`errorBuffer`), so
/// that nobody takes it for whole. What nothing can be shown of is reported the same and not recorded. A camera that is lost,
/// or that changes what the recording's init says, is closed and opened again with growing pauses.
struct PassThroughLoop {
  let stream: PassThroughStream
  let ring: SharedRing
  let health: CaptureHealth
  let log: EventLog

  private var isStopping: Bool { health.isStopping.load(ordering: .relaxed) }

  /// What is kept from picture to picture, and from camera to camera.
  struct Progress {
    var refusals = RefusalRun(track: .video)
    /// The newest picture that was recorded or refused for lack of room.
    var lastTime = MonotonicTime.distantPast
    /// What is before is recorded or told: the newest picture, or one that was damaged.
    var accountedUntil = MonotonicTime.distantPast
    /// When the last picture and the last keyframe came, by our clock.
    var lastPicture = MonotonicTime.distantPast
    var lastKeyframe = MonotonicTime.distantPast
    var isLive = false
    /// A camera that was just opened: its pictures count from the first keyframe on.
    var needsKeyframe = true
    /// Frames that the driver numbered and that did not come, since `accountedUntil`.
    var missing: Int64 = 0
  }

  func reader() -> PictureReader { PictureReader(stream.codec, width: stream.width, height: stream.height) }

  // MARK: - A clip

  /// A driver keeps a few frames for a program that is late; what is older than this is lost.
  private static let clipQueue = Nanoseconds.milliseconds(500)

  /// Plays picture n at `epoch` + n intervals, in real time, until asked to stop.
  func runClip(_ clip: Clip, epoch: MonotonicTime) {
    var (reader, progress) = (reader(), Progress())
    var number: Int64 = 0
    while !isStopping {
      let time = epoch + stream.frameInterval * number
      health.cameraTurns.add(1, ordering: .relaxed)
      // Not longer at once: with a slow clip the end is noticed all the same.
      MonotonicTime.sleep(until: min(time, .now() + .milliseconds(200)))
      let late = MonotonicTime.now() - time
      if late < .zero { continue }
      if late > Self.clipQueue {
        let lost = late.count / max(1, stream.frameInterval.count)
        progress.missing += lost
        number += lost
        continue
      }
      if !clip.withPicture(number, { take($0, time: time, position: number, &reader, &progress) }) {
        progress.missing += 1
      }
      number += 1
    }
  }

  // MARK: - V4L2

  /// Delivers from an open camera, and opens it again whenever it is lost.
  func runV4L2(_ first: consuming V4L2Camera, request: CameraRequest) {
    var progress = Progress()
    var failure = deliver(first, &progress)
    var backoff = Nanoseconds.milliseconds(250)
    var said: CameraError.Kind?
    while !isStopping, let error = failure {
      // It delivered since it was opened: this is a new trouble.
      if !progress.needsKeyframe {
        backoff = .milliseconds(250)
        said = nil
        log.note(.cameraLost(error))
        _ = health.events.push(.deviceLost(.video, error.kind == .stalled ? .stalled : .unplugged))
      } else if error.kind != said {
        log.note(.cameraStillLost(error))
      }
      said = error.kind
      progress.needsKeyframe = true
      let quiet = MonotonicTime.now() + backoff
      backoff = min(backoff * 2, .seconds(5))
      while !isStopping, MonotonicTime.now() < quiet {
        health.cameraTurns.add(1, ordering: .relaxed)
        MonotonicTime.sleep(until: min(quiet, .now() + .milliseconds(50)))
      }
      if isStopping { return }
      do throws(CameraError) {
        let camera = try V4L2Camera(request)
        failure = deliver(camera, &progress)
      } catch {
        failure = error
      }
    }
  }

  /// Nil when asked to stop; else why the camera has to be opened again.
  private func deliver(_ camera: consuming V4L2Camera, _ progress: inout Progress) -> CameraError? {
    var camera = camera
    var reader = reader()
    let granted = camera.granted
    guard granted.format.size.width == stream.width, granted.format.size.height == stream.height else {
      return CameraError(
        .unsupported, device: granted.path,
        operation: "it came back with \(granted.format), and the recording has \(stream.width)x\(stream.height)")
    }
    var isFirst = true
    progress.lastPicture = .now()
    progress.lastKeyframe = .now()
    while !isStopping {
      health.cameraTurns.add(1, ordering: .relaxed)
      do throws(CameraError) {
        let capture = try camera.capture(timeout: .milliseconds(200)) { frame in
          // Numbers begin anew with each opening.
          if !isFirst { progress.missing += frame.info.lostBefore }
          return frame.withBytes { take($0, time: frame.info.time, position: frame.info.position, &reader, &progress) }
        }
        switch capture {
        case .timedOut: continue
        case .damaged(let info):
          if !isFirst { progress.missing += info.lostBefore }
          damaged(at: info.time, &progress)
        case .frame(let goesOn, _):
          guard goesOn else {
            return CameraError(
              .unsupported, device: granted.path,
              operation: "its H.264 parameter sets are not those of the recording any more",
              hint: "It is opened again. If it goes on, start the recorder again.")
          }
        }
        isFirst = false
      } catch {
        return error
      }
      if let missing = missing(progress, now: .now()) {
        return CameraError(
          .stalled, device: granted.path, operation: missing,
          hint: "It delivers something all the same, and is opened again.")
      }
    }
    return nil
  }

  /// A camera may go on with what shows nothing, or where no recording can begin: it is opened again then, which most of them
  /// answer with a keyframe.
  private static let picturePatience = Nanoseconds.seconds(2)
  private static let keyframePatience = Nanoseconds.seconds(8)

  /// What has not come for too long; nil when all does.
  func missing(_ progress: Progress, now: MonotonicTime) -> String? {
    if now - progress.lastPicture > Self.picturePatience {
      return "no picture that can be read for \(Self.picturePatience.inMilliseconds) ms"
    }
    let patience = max(Self.keyframePatience, stream.group * 2)
    return now - progress.lastKeyframe > patience ? "no keyframe for \(patience.inMilliseconds) ms" : nil
  }

  // MARK: - Pictures

  /// Appends the picture of one buffer. False when what follows cannot be recorded.
  func take(
    _ buffer: RawSpan, time: MonotonicTime, position: Int64, _ reader: inout PictureReader, _ progress: inout Progress
  ) -> Bool {
    health.framesCaptured.add(1, ordering: .relaxed)
    guard time > progress.lastTime else {
      // MP4 needs rising times; a camera clock that steps back costs this picture, and says so.
      health.report(
        Loss(track: .video, from: progress.lastTime, to: progress.lastTime, count: 1, cause: .badTimestamp))
      return true
    }
    let outcome = reader.read(buffer) { picture, packet in
      append(picture, packet, time: time, position: position, &progress)
    }
    switch outcome {
    case .picture, .noPicture: return true
    case .unreadable:
      damaged(at: time, &progress)
      return true
    case .changedParameterSets: return false
    }
  }

  private func append(
    _ picture: PictureReader.Picture, _ packet: RawSpan, time: MonotonicTime, position: Int64,
    _ progress: inout Progress
  ) {
    let now = MonotonicTime.now()
    progress.lastPicture = now
    if picture.isKeyframe { progress.lastKeyframe = now }
    if progress.needsKeyframe {
      guard picture.isKeyframe else { return }
      progress.needsKeyframe = false
      if progress.isLive {
        let missing = max(1, (time - progress.accountedUntil).count / max(1, stream.frameInterval.count) - 1)
        health.report(Loss(track: .video, from: progress.accountedUntil, to: time, count: missing, cause: .deviceLost))
        // Only a picture proves that it is back.
        log.note(.cameraBack)
        _ = health.events.push(.deviceBack(.video))
      }
      progress.missing = 0
    }
    tellMissing(until: time, &progress)
    progress.lastTime = time
    let header = PacketHeader(
      track: .video, flags: picture.isKeyframe ? .keyframe : [], length: packet.byteCount, time: time,
      position: position)
    let outcome = ring.append(header, bytes: packet, now: now)
    switch outcome {
    case .stored, .storedByShorteningPreEvent:
      if !picture.isWhole { report(damagedAt: time) }
    // It is lost whole, and is told as that.
    case .refused: break
    }
    progress.refusals.note(outcome, header: header, units: 1, to: health)
    health.framesEncoded.add(1, ordering: .relaxed)
    if !progress.isLive {
      progress.isLive = true
      _ = health.events.push(.trackLive(.video))
    }
  }

  /// What did not come since the last picture that is accounted for; from now on everything before `time` is.
  private func tellMissing(until time: MonotonicTime, _ progress: inout Progress) {
    if progress.missing > 0 {
      health.report(
        Loss(track: .video, from: progress.accountedUntil, to: time, count: progress.missing, cause: .sequence))
    }
    progress.missing = 0
    progress.accountedUntil = time
  }

  /// A picture of which nothing is recorded. While a keyframe is waited for it belongs to what the camera's absence cost.
  private func damaged(at time: MonotonicTime, _ progress: inout Progress) {
    guard !progress.needsKeyframe, time > progress.accountedUntil else { return }
    tellMissing(until: time, &progress)
    report(damagedAt: time)
  }

  private func report(damagedAt time: MonotonicTime) {
    health.report(Loss(track: .video, from: time, to: time + stream.frameInterval, count: 1, cause: .errorBuffer))
  }
}
