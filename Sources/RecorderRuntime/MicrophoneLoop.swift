import Core
import Encoding
import LinuxIO
import Media
import Microphone
import Synchronization
import Synthetic

/// What the control loop wants of the microphone: encode from a time on, or only remember raw sound.
public enum AudioDemand: Hashable, Sendable {
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
    var span = pcm.mutableSpan
    var block = span.extracting(first: Self.blockCount * microphone.channels)
    microphone.fill(&block, from: position)
    position += Int64(Self.blockCount)
    return SoundBlock(count: Self.blockCount, time: start, lostBefore: 0)
  }

  private static func span(_ samples: Int64) -> Nanoseconds { Nanoseconds(samples * 62_500 / 3) }
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
  let encoder: OpusEncoder
  /// Opens the device again after it was lost; nil: the source cannot be lost.
  let reopen: (() throws(MicrophoneError) -> any SoundSource)?
  let offset: Nanoseconds

  private static let rate: Int64 = 48_000

  func run(_ first: any SoundSource) {
    var source: (any SoundSource)? = first
    var pcm = [Int16](repeating: 0, count: 48_000 / 2 * channels)
    var history = SoundHistory(samples: Int(historySpan.count * Self.rate / 1_000_000_000), channels: channels)
    var clock = AudioClock(nominalRate: Self.rate)
    var framer = AudioFramer(channels: channels, lookahead: encoder.lookahead)
    var sink = OpusSink(ring: ring, health: health, encoder: encoder, log: log)
    var position: Int64 = 0
    var current = AudioDemand.remember
    var backoff = Nanoseconds.milliseconds(500)
    var nextAttempt = MonotonicTime.distantPast

    while !health.isStopping.load(ordering: .relaxed) {
      let wanted = demand.value
      if wanted != current {
        current = wanted
        switch wanted {
        case .remember: framer.stop()
        case .encode(let from):
          framer.start(at: from)
          history.replay { samples, at in
            guard let time = clock.time(of: at) else { return }
            _ = framer.append(samples, position: at, time: time) { header, frame in sink.take(header, frame) }
          }
        }
      }
      guard source != nil else {
        let now = MonotonicTime.now()
        guard now >= nextAttempt, let reopen else {
          MonotonicTime.sleep(until: now + .milliseconds(50))
          continue
        }
        do {
          source = try reopen()
          backoff = .milliseconds(500)
          log.note(.microphoneBack)
          _ = health.events.push(.deviceBack(.audio))
        } catch {
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
        nextAttempt = .now() + backoff
        log.note(.microphoneLost(error))
        _ = health.events.push(.deviceLost(.audio, .failed))
        continue
      }
      let blockTime = block.time + offset
      // A block that begins later than its predecessor ended: lost by the card, or by a device that was away.
      let lost = missing(before: block, at: blockTime, position: position, clock: clock)
      if lost > 0 {
        let from = clock.time(of: position) ?? blockTime
        health.report(
          Loss(track: .audio, from: from, to: blockTime, count: lost, cause: block.lostBefore > 0 ? .xrun : .deviceLost))
        position += lost
      }
      clock.measure(position: position, time: blockTime)
      health.microphonePPMThousandths.store(Int(clock.ratePPM * 1_000), ordering: .relaxed)
      health.samplesCaptured.add(block.count, ordering: .relaxed)
      let time = clock.time(of: position) ?? blockTime
      let samples = pcm.span.extracting(first: block.count * channels)
      _ = framer.append(samples, position: position, time: time) { header, frame in sink.take(header, frame) }
      history.append(samples, position: position)
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

/// Encodes frames of sound and appends the packets to the ring.
private struct OpusSink {
  let ring: SharedRing
  let health: CaptureHealth
  let encoder: OpusEncoder
  let log: EventLog
  var refusals = RefusalRun(track: .audio)
  var packet = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketBytes)
  var isLive = false

  init(ring: SharedRing, health: CaptureHealth, encoder: OpusEncoder, log: EventLog) {
    self.ring = ring
    self.health = health
    self.encoder = encoder
    self.log = log
  }

  mutating func take(_ header: PacketHeader, _ frame: Span<Int16>) {
    if header.flags.contains(.streamStart) { encoder.reset() }
    var header = header
    do throws(EncodingError) {
      header.length = try packet.withUnsafeMutableBytes { buffer throws(EncodingError) in
        try encoder.encode(frame, into: buffer)
      }
    } catch {
      log.note(.encoderFailed(error))
      health.report(
        Loss(
          track: .audio, from: header.time, to: header.time + .milliseconds(20), count: 960, cause: .encoderFailed))
      return
    }
    let outcome = ring.append(header, bytes: packet.span.bytes.extracting(first: header.length), now: .now())
    refusals.note(outcome, header: header, units: 960, to: health)
    if !isLive {
      isLive = true
      _ = health.events.push(.trackLive(.audio))
    }
  }
}

/// The control loop's wish, read by the microphone thread with each block.
public final class AudioDemandBox: Sendable {
  private let box: Mutex<AudioDemand>

  public init(_ initial: AudioDemand) { box = Mutex(initial) }

  public var value: AudioDemand {
    get { box.withLock { $0 } }
    set { box.withLock { $0 = newValue } }
  }
}
