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
    var hasBeenLive = false
    /// Each new reason is said once: an encoder that does not come back would fill the log.
    var said: EncodingError?
    var inFlight = PicturesInFlight()
    var lastTime = MonotonicTime.distantPast
    var load = EncodingLoad(canLowerEffort: first.canLowerEffort, frameInterval: settings.frameInterval)
    // Pictures left out on purpose, until the next one is made, or none comes any more.
    var leftOut: Loss?

    func store(_ header: PacketHeader, _ bytes: RawSpan) {
      let before = inFlight.accountedUntil
      let skipped = inFlight.come(header.time)
      if skipped > 0 {
        let from = before == .distantPast ? header.time : before
        health.report(
          Loss(track: .video, from: from, to: header.time, count: Int64(skipped), cause: .encoderFailed))
      }
      let outcome = ring.append(header, bytes: bytes, now: .now())
      refusals.note(outcome, header: header, units: 1, to: health)
      health.framesEncoded.add(1, ordering: .relaxed)
      if !isLive, header.isKeyframe {
        isLive = true
        said = nil
        _ = health.events.push(hasBeenLive ? .deviceBack(.video) : .trackLive(.video))
        hasBeenLive = true
      }
    }

    func replace(after error: EncodingError) {
      if let lost = inFlight.abandon() {
        health.report(
          Loss(track: .video, from: lost.from, to: lost.until, count: Int64(lost.count), cause: .encoderFailed))
      }
      tell(error)
      do throws(EncodingError) {
        let replacement = try kind.open(settings)
        guard replacement.parameterSets == encoder.parameterSets else {
          throw .packet(library: kind.rawValue, reason: "opened again it has other parameter sets")
        }
        encoder = replacement
        setEffort(load.level, encoder)
        cadence.request()
      } catch {
        // Without an encoder, or with one that would need another init, the camera counts as lost; it is tried again
        // with each picture, and each is counted.
        tell(error)
        if isLive { _ = health.events.push(.deviceLost(.video, .failed)) }
        isLive = false
        MonotonicTime.sleep(until: .now() + .milliseconds(200))
      }
    }

    func tell(_ error: EncodingError) {
      if error != said { log.note(.encoderFailed(error)) }
      said = error
    }

    while !health.isStopping.load(ordering: .relaxed) {
      health.encoderTurns.add(1, ordering: .relaxed)
      guard let ready = exchange.next(until: .now() + .milliseconds(200)) else {
        // No picture comes; those that are still in the encoder do.
        if let loss = leftOut { health.report(loss) }
        leftOut = nil
        guard inFlight.count > 0 else { continue }
        do throws(EncodingError) { try encoder.collect(emit: store) } catch { replace(after: error) }
        continue
      }
      guard ready.time > lastTime else {
        // Encoders and MP4 need rising times; a camera clock that steps back costs this frame, and says so.
        exchange.consume(ready) { _ in }
        health.report(Loss(track: .video, from: lastTime, to: lastTime, count: 1, cause: .badTimestamp))
        continue
      }
      guard load.takesNext() else {
        exchange.consume(ready) { _ in }
        if leftOut == nil {
          let from = lastTime == .distantPast ? ready.time : lastTime
          leftOut = Loss(track: .video, from: from, to: ready.time, count: 0, cause: .encoderOverload)
        }
        leftOut?.count += 1
        leftOut?.to = ready.time
        judge(&load, busy: nil, encoder: encoder)
        continue
      }
      if var loss = leftOut {
        loss.to = ready.time
        health.report(loss)
        leftOut = nil
      }
      if health.wantsKeyframe.exchange(false, ordering: .relaxed) { cadence.request() }
      let isKeyframe = cadence.wantsKeyframe(at: ready.time)
      let begun = MonotonicTime.now()
      inFlight.give(ready.time)
      do throws(EncodingError) {
        try exchange.consume(ready) { picture throws(EncodingError) in
          try encoder.encode(
            picture: picture, layout: exchange.layout, time: ready.time, position: ready.position,
            forceKeyframe: isKeyframe, emit: store)
        }
        lastTime = ready.time
        judge(&load, busy: .now() - begun, encoder: encoder)
      } catch {
        replace(after: error)
      }
    }
  }

  /// Takes in what the last picture cost, and gives up or takes back what the load says.
  private func judge(_ load: inout EncodingLoad, busy: Nanoseconds?, encoder: any VideoEncoder) {
    guard let level = load.note(busy: busy, now: .now()) else { return }
    // What the library refused has not happened, and is not said.
    guard setEffort(level, encoder) || level == .halfRate else { return }
    _ = health.events.push(.encoding(level))
  }

  @discardableResult
  private func setEffort(_ level: EncodingLoad.Level, _ encoder: any VideoEncoder) -> Bool {
    do throws(EncodingError) {
      try encoder.setEffort(lowered: level != .full)
      return true
    } catch {
      log.note(.encoderFailed(error))
      return false
    }
  }
}
