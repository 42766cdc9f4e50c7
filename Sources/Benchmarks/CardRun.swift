import Core
import Evidence
import EvidenceStore
import LinuxIO
import Media
import RecorderRuntime
import Synchronization

/// The recorder's store side on one card in real time: the real store thread, ring and writer; only the packets are made up.
final class CardRun: Sendable {
  struct Settings: Hashable {
    /// Bits a second of both tracks.
    var bitrate: Int
    var checkpointInterval: Nanoseconds
    /// From the trigger to the stop.
    var length: Nanoseconds
    var preEvent = Nanoseconds.seconds(5)
    /// The recorder's default.
    var segmentLength = Nanoseconds.seconds(60)
  }

  /// What was counted, from the recorder's rest before the trigger to its rest after the close.
  struct Outcome: Sendable {
    /// Bytes of the packets that the recording holds.
    var payloadBytes: Int64
    /// Bytes that reached the device.
    var deviceBytes: Int64
    /// Nil where the kernel does not count them.
    var flushes: Flushes?
    /// Commits of ext4's journal and their bytes; nil on f2fs.
    var journal: JournalStatistics?
    var checkpoints: Int
    /// From the end of one checkpoint to the end of the next, on the average, when what led up to the trigger is written.
    var meanInterval: Nanoseconds
    /// The most that a power cut just before the end of a checkpoint would then have cost.
    var worstLoss: Nanoseconds
    var segments: Int
    var segmentBytes: Int64
    /// Of journal.log.
    var lineBytes: Int64
  }

  /// Requests to flush that reached the device.
  struct Flushes: Sendable {
    /// Per checkpoint from the first on, the change of segments included.
    var perCheckpoint: Double
    /// Opening the recording up to its first checkpoint, and what comes after its last.
    var atTheEnds: Int64
  }

  let settings: Settings
  private let card: LoopCard
  private let camera: EnrolledCamera
  private let ring: SharedRing
  private let commands: BoundedQueue<StoreCommand>
  private let wishes = StoreWishes()
  private let events: BoundedQueue<StoreEvent>
  private let health: CaptureHealth
  private let log: EventLog
  private let outcome = Mutex<Result<Outcome, any Error>?>(nil)

  /// - Parameter directory: must exist, on another device than the card: identity and counters of the camera.
  init(_ settings: Settings, card: LoopCard, directory: String) throws {
    self.settings = settings
    self.card = card
    camera = try EnrolledCamera(directory: directory, storePath: "\(card.mountPoint)/store")
    commands = try BoundedQueue(capacity: 64)
    events = try BoundedQueue(capacity: 256)
    health = try CaptureHealth()
    log = try EventLog()
    let horizon = PacketRing.Horizon(preEvent: settings.preEvent, edgeToDecision: .seconds(5), gop: .seconds(1))
    // As the recorder reckons it: one more GOP and ten seconds of stall reserve.
    let seconds = (horizon.span + .seconds(11)).inSeconds
    let soundShare = Int(Double(SyntheticStream.soundBitrate / 8) * seconds * 2)
    ring = try SharedRing(
      memory: LockedMemory(byteCount: Int(Double(settings.bitrate / 8) * seconds) + soundShare, allowSwap: true),
      packetCapacity: Int(seconds * 100), otherTracksShare: soundShare, horizon: horizon)
  }

  private var profile: RecordingProfile {
    RecordingProfile(
      video: SyntheticStream.video, audioChannels: 1, audioLookahead: SyntheticStream.lookahead,
      cameraName: "synthetic", microphoneName: "synthetic",
      plan: SegmentPlanner.Settings(
        checkpointInterval: settings.checkpointInterval, segmentLength: settings.segmentLength,
        videoInterval: SyntheticStream.frameInterval, gop: .seconds(1)), reserveBytes: 64 << 20)
  }

  /// Starts the threads; `result` says when they are done.
  func start() throws(LinuxError) {
    let profile = profile
    let store = try NamedThread("store") { [self] in
      runStore(
        camera.opening, ring: ring, profile: profile, commands: commands, wishes: wishes, events: events,
        health: health,
        log: log)
    }
    _ = try NamedThread("capture") { [self] in
      let result = Result { try record(store) }
      outcome.withLock { $0 = result }
    }
  }

  /// Nil while it runs.
  var result: Result<Outcome, any Error>? { outcome.withLock { $0 } }

  // MARK: - Capture and control

  /// What the recorder's other threads do: captures, presses, stops, listens to the store.
  private func record(_ store: NamedThread) throws -> Outcome {
    try listen(until: .now() + .seconds(30)) { if case .ready = $0 { true } else { false } }
    try card.sync()
    let (before, journalBefore) = (try card.statistics(), card.journalStatistics())
    let footage = try capture()
    wishes.leave()
    ring.bell.signal()
    try listen(until: .now() + .seconds(30)) { if case .left = $0 { true } else { false } }
    store.join()
    try card.sync()
    let (after, journalAfter) = (try card.statistics(), card.journalStatistics())
    let live = footage.durable.filter { $0.end >= footage.pressed }
    guard let first = live.first, let last = live.last, live.count > 1 else {
      throw BenchmarkFailure("the recording had no two checkpoints after its trigger")
    }
    var outcome = Outcome(
      payloadBytes: footage.payloadBytes, deviceBytes: after.bytesWritten - before.bytesWritten,
      checkpoints: footage.durable.count,
      meanInterval: (last.at - first.at) / Int64(live.count - 1),
      worstLoss: zip(live, live.dropFirst()).map { $1.at - $0.end }.max() ?? .zero,
      segments: 0, segmentBytes: 0, lineBytes: 0)
    if let before = before.flushes, let after = after.flushes, let start = footage.durable.first?.flushes,
      let end = footage.durable.last?.flushes, footage.durable.count > 1
    {
      outcome.flushes = Flushes(
        perCheckpoint: Double(end - start) / Double(footage.durable.count - 1),
        atTheEnds: after - before - (end - start))
    }
    if let journalBefore, var journalAfter {
      journalAfter.transactions -= journalBefore.transactions
      journalAfter.bytesWritten -= journalBefore.bytesWritten
      outcome.journal = journalAfter
    }
    try addFiles(to: &outcome)
    return outcome
  }

  private struct Footage {
    var payloadBytes: Int64 = 0
    var pressed = MonotonicTime.distantPast
    /// Each checkpoint: when it was confirmed, what was durable then, and the device's flushes just after.
    var durable: [(at: MonotonicTime, end: MonotonicTime, flushes: Int64?)] = []
  }

  private func capture() throws -> Footage {
    var footage = Footage()
    var stream = SyntheticStream(bitrate: settings.bitrate, epoch: .now())
    let pressAt = stream.epoch + settings.preEvent + .milliseconds(100)
    let stopAt = pressAt + settings.length
    footage.pressed = pressAt
    var start: MonotonicTime?
    var isStopped = false
    while true {
      let packet = stream.next()
      MonotonicTime.sleep(until: packet.arrival)
      let outcome = Self.noise.withUnsafeBytes { noise in
        ring.append(
          packet.header, bytes: UnsafeRawBufferPointer(rebasing: noise[..<packet.header.length]).bytes, now: .now())
      }
      guard case .stored = outcome else { throw BenchmarkFailure("the memory ran full: the store could not keep up") }
      if start == nil, packet.arrival >= pressAt { start = press(at: pressAt) }
      if !isStopped, packet.arrival >= stopAt {
        isStopped = true
        wishes.end(at: stopAt, .stop)
        ring.bell.signal()
      }
      // Packets that arrive before the trigger belong to it, too; the recording begins with the stream's first.
      if packet.header.time < stopAt { footage.payloadBytes += Int64(packet.header.length) }
      while let event = events.pop() {
        switch event {
        case .durable(let end, let lag):
          // The next checkpoint is half a second away: nothing of it is in the count.
          footage.durable.append((end + lag, end, try card.statistics().flushes))
        case .closed(nil) where isStopped:
          guard start == stream.epoch else { throw BenchmarkFailure("the recording did not begin with the stream") }
          return footage
        case .closed(let fault): throw BenchmarkFailure("the recording ended by itself: \(fault?.rawValue ?? "-")")
        case .unusable(let error): throw error
        case .ready, .left, .space, .opened, .refused, .slowCard, .store, .tried: break
        }
      }
      if packet.arrival > stopAt + .seconds(30) { throw BenchmarkFailure("the recording was not closed within 30 s") }
    }
  }

  private func press(at time: MonotonicTime) -> MonotonicTime {
    let preEvent = settings.preEvent
    let start = ring.withRing { ring in
      let start = ring.startPoint(at: time - preEvent)
      ring.pin(.trigger, from: start.time)
      return start
    }
    wishes.open(
      OpenRequest(
        trigger: Trigger(source: .socket, time: time, decided: time), start: start, shortfall: nil,
        preEventAsked: preEvent, soundFrom: .distantPast))
    ring.bell.signal()
    return start.time
  }

  private func listen(until deadline: MonotonicTime, _ isAwaited: (StoreEvent) -> Bool) throws {
    while let event = events.pop(until: deadline) {
      if isAwaited(event) { return }
      if case .unusable(let error) = event { throw error }
    }
    throw BenchmarkFailure("the store did not answer within 30 s")
  }

  private func addFiles(to outcome: inout Outcome) throws {
    let recordings = try Directory(path: "\(camera.storePath)/recordings")
    for name in try recordings.names() {
      let recording = try recordings.directory(name)
      for file in try recording.names() {
        let size = try recording.status(of: file)?.size ?? 0
        if file == EvidenceName.journal {
          outcome.lineBytes += size
        } else {
          outcome.segments += 1
          outcome.segmentBytes += size
        }
      }
    }
  }

  /// What the packets hold: it is encrypted before anything sees it.
  private static let noise: [UInt8] = {
    var value: UInt64 = 0x4C61_7065_6C00_0001
    return (0..<(1 << 20)).map { _ in
      value ^= value << 13
      value ^= value >> 7
      value ^= value << 17
      return UInt8(truncatingIfNeeded: value >> 32)
    }
  }()
}
