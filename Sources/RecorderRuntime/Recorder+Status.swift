import Configuration
import Control
import Core
import Encoding
import LinuxIO
import Media
import Synchronization

extension Recorder {
  func publish() {
    // Packets push out what is too old; without any, it must not stay in memory for that.
    ring.withRing { $0.evict(now: .now()) }
    fps.note(health.framesEncoded.load(ordering: .relaxed), at: .now())
    board.status = status()
  }

  func status() -> RecorderStatus {
    let now = MonotonicTime.now()
    var status = RecorderStatus(
      state: machine.state.shown, startedWallMilliseconds: startedWall,
      uptimeMilliseconds: (now - started).inMilliseconds,
      version: softwareVersion, formatVersion: 1)
    if case .cannotRecord(let fault, let waiting) = machine.state {
      status.reason =
        Self.words(fault) + (fault == .checkFailed ? trials.failure.map { ": \($0)" } ?? "" : "")
        + (waiting == nil ? "" : "; what was triggered waits in memory and is saved when it can be")
    }
    if let recordingID, let mediaStart {
      let end = machine.recording?.end.map { min($0, now) } ?? now
      status.recording = .init(
        id: recordingID, counter: recordingCounter, milliseconds: (end - mediaStart).inMilliseconds)
    }
    let (held, used, capacity) = ring.withRing { ($0.heldSpan, $0.usedBytes, $0.capacity) }
    status.ring = .init(
      heldMilliseconds: min(held, configuration.recording.preEvent).inMilliseconds,
      askedMilliseconds: configuration.recording.preEvent.inMilliseconds, usedBytes: Int64(used),
      capacityBytes: Int64(capacity))
    status.video = .init(
      source: devices.cameraName, encoder: devices.pathName, millihertz: fps.millihertz,
      framesCaptured: Int64(health.framesCaptured.load(ordering: .relaxed)),
      framesDropped: Int64(health.framesLost.load(ordering: .relaxed)),
      framesRefused: Int64(health.framesRefused.load(ordering: .relaxed)), queued: exchange?.backlog ?? 0,
      queueCapacity: exchange == nil ? 0 : FrameExchange.slotCount)
    if devices.microphone != nil {
      status.audio = .init(
        source: devices.microphoneName, samplesLost: Int64(health.samplesLost.load(ordering: .relaxed)))
    }
    status.store = .init(
      path: configuration.store.path, fileSystem: fileSystem, freeBytes: freeBytes,
      minutesLeft: minutesLeft)
    status.check = trials.last
    if case .starting = machine.state, trials.run != nil {
      status.reason = "being checked: two seconds are recorded and verified"
    }
    if let recordButton { status.triggers.append(recordButton.shown) }
    if let muteButton { status.triggers.append(muteButton.shown) }
    if let radio { status.triggers.append(radio.shown) }
    status.power = power.shown
    status.warnings += power.warnings
    status.interrupted = interrupted
    status.warnings += cardWarnings
    status.warnings += indicators.warnings
    status.isStealth = indicators.isStealth
    status.isMuted = mute.isOn
    status.lagMilliseconds = lastLag?.inMilliseconds
    if let recording = machine.recording, recording.durableEnd != nil {
      status.checkpointAgeMilliseconds = (now - recording.lastDurable).inMilliseconds
    }
    switch encodingLevel {
    case .full: break
    case .lessEffort: status.warnings.append("the encoder does not keep up: pictures are poorer than configured")
    case .halfRate: status.warnings.append("the encoder does not keep up: every second picture is left out")
    }
    if isCardSlow { status.warnings.append("the card is slow: a power cut may cost more than the last second") }
    if conditions.contains(.clockUntrusted) { status.warnings.append("the clock was never set: times are wrong") }
    if !isVideoLive, isStoreReady, now - started > .seconds(5) { status.warnings.append("the camera does not deliver") }
    if devices.microphone != nil, !isAudioLive, now - started > .seconds(5) {
      status.warnings.append("the microphone does not deliver")
    }
    return status
  }
}

/// Frames a second over the last two seconds.
struct RateMeter {
  private var samples: [(time: MonotonicTime, count: Int)] = []

  mutating func note(_ count: Int, at time: MonotonicTime) {
    if let last = samples.last, time - last.time < .milliseconds(200) { return }
    samples.append((time, count))
    if samples.count > 11 { samples.removeFirst() }
  }

  var millihertz: Int64? {
    guard let first = samples.first, let last = samples.last, last.time - first.time > .milliseconds(500) else {
      return nil
    }
    return Int64((Double(last.count - first.count) / (last.time - first.time).inSeconds * 1_000).rounded())
  }
}

extension RecorderMachine.State {
  var shown: RecorderStatus.State {
    switch self {
    case .starting: .starting
    case .ready: .ready
    case .saving: .saving
    case .recording: .recording
    case .atRisk: .atRisk
    case .postEvent: .postEvent
    case .closing: .closing
    case .cannotRecord: .cannotRecord
    case .stopping: .stopping
    }
  }
}
