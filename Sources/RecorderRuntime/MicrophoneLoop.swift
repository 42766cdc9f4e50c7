import Evidence
import Core
import Encoding
import LinuxIO
import Media
import Microphone
import Synchronization
import Synthetic

/// What the control loop wants of the microphone: encode from a time on, or only remember raw sound.
enum AudioDemand: Hashable, Sendable {
  /// Nothing is encoded; the last seconds stay in memory as raw sound.
  case remember
  /// Everything from the first sample at or after this time is encoded.
  case encode(from: MonotonicTime)
}

/// A block of captured sound.
struct SoundBlock {
  /// Samples for each channel.
  var count: Int
  /// Time of the first sample.
  var time: MonotonicTime
  /// Samples lost since the block before.
  var lostBefore: Int64
}

/// Where sound comes from: made and used on the microphone thread.
protocol SoundSource {
  /// Waits for the next samples, at most about 200 ms; nil when none came.
  mutating func read(into pcm: inout [Int16], now: () -> MonotonicTime) throws(MicrophoneError) -> SoundBlock?
}

/// The synthetic microphone in real time.
struct SyntheticSound: SoundSource {
  let microphone: SyntheticMicrophone
  let epoch: MonotonicTime
  private var position: Int64 = 0
  private static let blockCount = 960

  init(microphone: SyntheticMicrophone, epoch: MonotonicTime) {
    self.microphone = microphone
    self.epoch = epoch
  }

  mutating func read(into pcm: inout [Int16], now: () -> MonotonicTime) -> SoundBlock? {
    let start = epoch + Self.span(position)
    let end = epoch + Self.span(position + Int64(Self.blockCount))
    MonotonicTime.sleep(until: end)
    // Exactly one block: the microphone fills what it is given.
    if pcm.count != Self.blockCount * microphone.channels {
      pcm = [Int16](repeating: 0, count: Self.blockCount * microphone.channels)
    }
    var span = pcm.mutableSpan
    microphone.fill(&span, from: position)
    position += Int64(Self.blockCount)
    return SoundBlock(count: Self.blockCount, time: start, lostBefore: 0)
  }

  private static func span(_ samples: Int64) -> Nanoseconds { Nanoseconds(samples * 62_500 / 3) }
}

/// A microphone by ALSA.
final class ALSASound: SoundSource {
  private var microphone: ALSAMicrophone

  init(_ microphone: consuming ALSAMicrophone) { self.microphone = microphone }

  func read(into pcm: inout [Int16], now: () -> MonotonicTime) throws(MicrophoneError) -> SoundBlock? {
    var result: CapturedSound?
    var failure: MicrophoneError?
    pcm.withUnsafeMutableBufferPointer { buffer in
      do throws(MicrophoneError) {
        result = try microphone.read(into: buffer, timeout: .milliseconds(200))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result.map { SoundBlock(count: $0.frames, time: $0.timeOfFirstSample, lostBefore: $0.lostBefore) }
  }
}

/// The loop of the microphone thread: reads, gives times to samples, remembers raw sound or encodes it into the ring.
///
/// With pre-event sound off, what was heard before the trigger stays in `history` only, and is encoded from the first
/// sample at or after the trigger on; nothing before it ever reaches an encoder.
struct MicrophoneLoop {
  let ring: SharedRing
  let health: CaptureHealth
  let log: EventLog
  let channels: Int
  /// The longest time from the first edge of a gesture to its decision, with a margin.
  let historySpan: Nanoseconds
  let demand: AudioDemandBox
  let stream: OpusStream
  /// Opens the device again after it was lost; nil: the source cannot be lost.
  let reopen: (() throws(MicrophoneError) -> any SoundSource)?
  let offset: Nanoseconds
  var mute = MuteBox()

  private static let rate: Int64 = 48_000

  /// Takes the microphone over: a lost device must be closed at once, and a caller that kept it would keep it open.
  func run(_ first: consuming any SoundSource) {
    var source: (any SoundSource)? = consume first
    var pcm = [Int16](repeating: 0, count: 48_000 / 2 * channels)
    var history = SoundHistory(samples: Int(historySpan.count * Self.rate / 1_000_000_000), channels: channels)
    /// Time of the newest block in `history`; nil when it is empty.
    var historyEnd: MonotonicTime?
    var clock = AudioClock(nominalRate: Self.rate)
    var sink = OpusSink(ring: ring, health: health, stream: stream, log: log)
    var position: Int64 = 0
    var current = AudioDemand.remember
    var backoff = Nanoseconds.milliseconds(500)
    var nextAttempt = MonotonicTime.distantPast
    var isReturning = false
    // Each new reason is said once: an unplugged microphone would fill the log.
    var said: MicrophoneError.Kind?

    while !health.isStopping.load(ordering: .relaxed) {
      health.microphoneTurns.add(1, ordering: .relaxed)
      let wanted = demand.value
      if wanted != current {
        current = wanted
        switch wanted {
        case .remember: stream.stop()
        case .encode(let from):
          stream.start(at: from)
          history.replay { samples, at in
            // What was encoded already is in the ring; a trigger whose edge lies before the last stop finds it there.
            let skipped = Int(min(max(0, sink.encodedEnd - at), Int64(samples.count / channels)))
            guard skipped < samples.count / channels, let time = clock.time(of: at + Int64(skipped)) else { return }
            sink.take(samples.extracting(droppingFirst: skipped * channels), position: at + Int64(skipped), time: time)
          }
        }
      }
      guard source != nil else {
        let now = MonotonicTime.now()
        // What no trigger can ask for any more does not stay in memory until the microphone is back.
        if let end = historyEnd, now - end > historySpan {
          history.wipe()
          historyEnd = nil
        }
        guard now >= nextAttempt, let reopen else {
          MonotonicTime.sleep(until: now + .milliseconds(50))
          continue
        }
        do throws(MicrophoneError) {
          source = try reopen()
          backoff = .milliseconds(500)
          isReturning = true
        } catch {
          if error.kind != said { log.note(.microphoneStillLost(error)) }
          said = error.kind
          nextAttempt = now + backoff
          backoff = min(backoff * 2, .seconds(5))
        }
        continue
      }
      let block: SoundBlock
      do throws(MicrophoneError) {
        guard let read = try source?.read(into: &pcm, now: { .now() }) else { continue }
        block = read
      } catch {
        source = nil
        for index in pcm.indices { pcm[index] = 0 }
        nextAttempt = .now() + backoff
        said = nil
        log.note(.microphoneLost(error))
        _ = health.events.push(.deviceLost(.audio, .failed))
        continue
      }
      if isReturning {
        // Only sound that arrives proves that it is back.
        isReturning = false
        log.note(.microphoneBack)
        _ = health.events.push(.deviceBack(.audio))
      }
      let blockTime = block.time + offset
      // A block that begins later than its predecessor ended: lost by the card, or by a device that was away.
      let lost = missing(before: block, at: blockTime, position: position, clock: clock)
      if lost > 0 {
        let from = clock.time(of: position) ?? blockTime
        health.report(
          Loss(track: .audio, from: from, to: blockTime, count: lost, cause: block.lostBefore > 0 ? .xrun : .deviceLost)
        )
        position += lost
      }
      clock.measure(position: position, time: blockTime)
      health.microphonePPMThousandths.store(Int(clock.ratePPM * 1_000), ordering: .relaxed)
      health.samplesCaptured.add(block.count, ordering: .relaxed)
      let time = clock.time(of: position) ?? blockTime
      // Before anything remembers or encodes it.
      for range in mute.muted(from: time, count: block.count, rate: Self.rate) {
        for index in range.lowerBound * channels..<range.upperBound * channels { pcm[index] = 0 }
      }
      let samples = pcm.span.extracting(first: block.count * channels)
      sink.take(samples, position: position, time: time)
      history.append(samples, position: position)
      historyEnd = time
      position += Int64(block.count)
    }
  }

  /// Samples that are missing before a block: what the card says, or what the clock says after a loss of the device.
  private func missing(before block: SoundBlock, at time: MonotonicTime, position: Int64, clock: AudioClock) -> Int64 {
    if block.lostBefore > 0 { return block.lostBefore }
    guard let expected = clock.time(of: position) else { return 0 }
    let late = time - expected
    guard late > AudioClock.jumpLimit else { return 0 }
    return late.count * Self.rate / 1_000_000_000
  }
}

/// Encodes sound and appends the packets to the ring.
private struct OpusSink {
  let ring: SharedRing
  let health: CaptureHealth
  let stream: OpusStream
  let log: EventLog
  private var refusals = RefusalRun(track: .audio)
  private var isLive = false
  /// After the last sample that was given to the encoder.
  private(set) var encodedEnd: Int64 = 0

  init(ring: SharedRing, health: CaptureHealth, stream: OpusStream, log: EventLog) {
    self.ring = ring
    self.health = health
    self.stream = stream
    self.log = log
  }

  mutating func take(_ samples: Span<Int16>, position: Int64, time: MonotonicTime) {
    // Even when nothing is encoded yet, sound that arrives means that the microphone is alive.
    if !isLive {
      isLive = true
      _ = health.events.push(.trackLive(.audio))
    }
    defer { if stream.isRunning { encodedEnd = position + Int64(samples.count / stream.channels) } }
    do throws(EncodingError) {
      _ = try stream.append(samples, position: position, time: time) { header, bytes in
        let outcome = ring.append(header, bytes: bytes, now: .now())
        refusals.note(outcome, header: header, units: 960, to: health)
      }
    } catch {
      log.note(.encoderFailed(error))
      let count = Int64(samples.count / stream.channels)
      health.report(
        Loss(track: .audio, from: time, to: time + Nanoseconds(count * 62_500 / 3), count: count, cause: .encoderFailed)
      )
    }
  }
}

/// The control loop's wish, read by the microphone thread with each block.
final class AudioDemandBox: Sendable {
  private let box: Mutex<AudioDemand>

  init(_ initial: AudioDemand) { box = Mutex(initial) }

  var value: AudioDemand {
    get { box.withLock { $0 } }
    set { box.withLock { $0 = newValue } }
  }
}
