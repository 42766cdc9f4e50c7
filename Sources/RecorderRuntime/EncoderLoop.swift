import Evidence
import Core
import Encoding
import LinuxIO
import Media
import Synchronization

/// The loop of the encoder thread: takes pictures from the exchange, encodes, appends to the ring.
struct EncoderLoop {
  let exchange: FrameExchange
  let ring: SharedRing
  let health: CaptureHealth
  let settings: VideoEncoderSettings
  let kind: VideoEncoderKind
  let log: EventLog

  /// Runs until `health.isStopping`. The encoder was opened by the caller, so that its error reaches the start.
  func run(_ first: any VideoEncoder) {
    var encoder = first
    var cadence = KeyframeCadence(gop: settings.gop, frameInterval: settings.frameInterval)
    var refusals = RefusalRun(track: .video)
    var isLive = false
    var lastTime = MonotonicTime.distantPast
    while !health.isStopping.load(ordering: .relaxed) {
      health.encoderTurns.add(1, ordering: .relaxed)
      guard let ready = exchange.next(until: .now() + .milliseconds(200)) else { continue }
      guard ready.time > lastTime else {
        // Encoders and MP4 need rising times; a camera clock that steps back costs this frame, and says so.
        exchange.consume(ready) { _ in }
        health.report(Loss(track: .video, from: lastTime, to: lastTime, count: 1, cause: .badTimestamp))
        continue
      }
      if health.wantsKeyframe.exchange(false, ordering: .relaxed) { cadence.request() }
      let isKeyframe = cadence.wantsKeyframe(at: ready.time)
      do {
        try exchange.consume(ready) { picture throws(EncodingError) in
          try encoder.encode(
            picture: picture, layout: exchange.layout, time: ready.time, position: ready.position,
            forceKeyframe: isKeyframe
          ) { header, bytes in
            let outcome = ring.append(header, bytes: bytes, now: .now())
            refusals.note(outcome, header: header, units: 1, to: health)
            health.framesEncoded.add(1, ordering: .relaxed)
            if !isLive, header.isKeyframe {
              isLive = true
              _ = health.events.push(.trackLive(.video))
            }
          }
        }
        lastTime = ready.time
      } catch {
        health.report(
          Loss(track: .video, from: lastTime, to: ready.time, count: 1, cause: .encoderFailed))
        log.note(.encoderFailed(error))
        if let replacement = try? kind.open(settings), replacement.parameterSets == encoder.parameterSets {
          encoder = replacement
          cadence.request()
        } else {
          // Without an encoder, or with one that would need another init, the camera counts as lost; it is tried again
          // with each picture, and each is counted.
          if isLive { _ = health.events.push(.deviceLost(.video, .failed)) }
          isLive = false
          MonotonicTime.sleep(until: .now() + .milliseconds(200))
        }
      }
    }
  }
}
