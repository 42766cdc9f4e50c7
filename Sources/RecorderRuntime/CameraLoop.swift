import Evidence
import Camera
import Core
import LinuxIO
import Media
import Synchronization
import Synthetic

/// The loop of the camera thread: brings pictures into the exchange, with the source's own times and numbers.
///
/// A camera that is lost is closed whole and opened again with growing pauses; the interval is reported as lost.
struct CameraLoop {
  let exchange: FrameExchange
  let health: CaptureHealth
  let log: EventLog
  let frameInterval: Nanoseconds

  private var isStopping: Bool { health.isStopping.load(ordering: .relaxed) }

  // MARK: - Synthetic

  /// A driver keeps a few frames for a program that is late; what is older than this is lost.
  private static let syntheticQueue = Nanoseconds.milliseconds(500)

  /// Draws frame n at `epoch` + n intervals, in real time, until asked to stop.
  func runSynthetic(_ camera: SyntheticCamera, epoch: MonotonicTime) {
    var frame: Int64 = 0
    while !isStopping {
      let time = epoch + frameInterval * frame
      health.cameraTurns.add(1, ordering: .relaxed)
      MonotonicTime.sleep(until: time)
      guard exchange.waitForFree(until: .now() + .milliseconds(200)) else { continue }
      let late = MonotonicTime.now() - time
      if late > Self.syntheticQueue {
        let lost = late.count / max(1, frameInterval.count)
        health.report(
          Loss(
            track: .video, from: time - frameInterval, to: time + frameInterval * lost, count: lost,
            cause: .encoderOverload))
        frame += lost
        continue
      }
      health.framesCaptured.add(1, ordering: .relaxed)
      exchange.fill { picture in
        camera.draw(frame: UInt32(truncatingIfNeeded: frame), time: frameInterval * frame, into: picture)
        return (time, frame)
      }
      frame += 1
    }
  }

  // MARK: - V4L2

  /// Delivers from an open camera, and opens it again whenever it is lost.
  func runV4L2(_ first: consuming V4L2Camera, request: CameraRequest) {
    var lastTime = MonotonicTime.distantPast
    var failure = stream(first, lastTime: &lastTime)
    var backoff = Nanoseconds.milliseconds(250)
    while !isStopping, let error = failure {
      log.note(.cameraLost(error))
      _ = health.events.push(.deviceLost(.video, error.kind == .stalled ? .stalled : .unplugged))
      var quiet = MonotonicTime.now() + backoff
      // Each new reason is said once: an unplugged camera would fill the log.
      var said: CameraError.Kind?
      while !isStopping {
        health.cameraTurns.add(1, ordering: .relaxed)
        MonotonicTime.sleep(until: min(quiet, .now() + .milliseconds(50)))
        guard MonotonicTime.now() >= quiet else { continue }
        exchange.wipeFree()
        do throws(CameraError) {
          let camera = try V4L2Camera(request)
          backoff = .milliseconds(250)
          // What comes after a gap is to be seen without what was before it. Before the first picture is handed over.
          health.wantsKeyframe.store(true, ordering: .relaxed)
          failure = stream(camera, lastTime: &lastTime)
          break
        } catch {
          if error.kind != said { log.note(.cameraStillLost(error)) }
          said = error.kind
          backoff = min(backoff * 2, .seconds(5))
          quiet = .now() + backoff
        }
      }
    }
  }

  /// Nil when asked to stop; else why the camera has to be opened again.
  private func stream(_ camera: consuming V4L2Camera, lastTime: inout MonotonicTime) -> CameraError? {
    var camera = camera
    guard let converter = PixelConverter(source: camera.granted.layout, target: exchange.layout) else {
      return CameraError(
        .unsupported, device: camera.granted.path,
        operation: "it came back with \(camera.granted.format), and the recording has "
          + "\(exchange.layout.width)x\(exchange.layout.height)")
    }
    var isFirst = true
    // Since the last frame the encoder held every picture: what is missing now is its fault, not the camera's.
    var hasWaited = false
    while !isStopping {
      health.cameraTurns.add(1, ordering: .relaxed)
      // With no picture free the frames wait in the driver; what it then drops shows in its numbers.
      hasWaited = hasWaited || exchange.isFull
      guard exchange.waitForFree(until: .now() + .milliseconds(200)) else { continue }
      do throws(CameraError) {
        let capture = try camera.capture(timeout: .milliseconds(200)) { frame in
          var isWhole = true
          exchange.fill { picture in
            do {
              try converter.convert(frame, into: picture)
              return (frame.info.time, frame.info.position)
            } catch {
              isWhole = false
              return nil
            }
          }
          return isWhole
        }
        switch capture {
        case .timedOut: continue
        case .damaged(let info):
          note(info, isUsable: false, hasWaited: hasWaited, isFirst: &isFirst, lastTime: &lastTime)
        case .frame(let isWhole, let info):
          health.framesCaptured.add(1, ordering: .relaxed)
          note(info, isUsable: isWhole, hasWaited: hasWaited, isFirst: &isFirst, lastTime: &lastTime)
          hasWaited = false
        }
      } catch {
        return error
      }
    }
    return nil
  }

  /// Reports what this frame tells of frames that are missing.
  private func note(
    _ info: FrameInfo, isUsable: Bool, hasWaited: Bool, isFirst: inout Bool, lastTime: inout MonotonicTime
  ) {
    if isFirst, lastTime != .distantPast {
      let missing = max(1, (info.time - lastTime).count / max(1, frameInterval.count) - 1)
      health.report(Loss(track: .video, from: lastTime, to: info.time, count: missing, cause: .deviceLost))
      // Only a frame proves that it is back.
      log.note(.cameraBack)
      _ = health.events.push(.deviceBack(.video))
    } else if info.lostBefore > 0 {
      health.report(
        Loss(
          track: .video, from: isFirst ? info.time - frameInterval * (info.lostBefore + 1) : lastTime, to: info.time,
          count: info.lostBefore, cause: hasWaited ? .encoderOverload : .sequence))
    }
    if !isUsable {
      health.report(
        Loss(track: .video, from: info.time, to: info.time + frameInterval, count: 1, cause: .errorBuffer))
    }
    isFirst = false
    lastTime = max(lastTime, info.time)
  }
}
