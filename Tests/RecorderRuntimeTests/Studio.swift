import Core
import Evidence
import EvidenceStore
import LinuxIO
import Media
import Testing

@testable import RecorderRuntime

/// The recorder without its threads, in virtual time: a reel's packets arrive in the real ring, and the real writer is
/// stepped whenever the store thread would have been woken.
final class Studio {
  final class VirtualClock {
    var now = Reel.epoch
  }

  let scratch: Scratch
  let agency: Agency
  let reel: Reel
  let ring: SharedRing
  let health: CaptureHealth
  let commands: BoundedQueue<StoreCommand>
  let wishes = StoreWishes()
  let preEvent: Nanoseconds
  /// What opening the store found on the card.
  let recovery: RecoveryReport
  private let clock: VirtualClock
  private var worker: StoreWorker
  private var next = StoreWorker.Next.again
  private var cursor = 0
  /// The bell was rung for a wish.
  private var hasWish = false
  private var videoRefusals = RefusalRun(track: .video)
  private var audioRefusals = RefusalRun(track: .audio)

  /// What the writer told the control loop, with the virtual time of it.
  private final class Reports {
    var events: [(time: MonotonicTime, event: StoreEvent)] = []
    var observer: (StoreEvent) -> Void = { _ in }
  }
  private let reports = Reports()

  /// - Parameters:
  ///   - storePath: the card; nil: in the scratch directory.
  ///   - agency: nil: a new one, which enrols a new camera.
  ///   - stallReserve: how much longer than the pre-event the arena holds at the reel's own rate.
  init(
    _ reel: Reel, scratch: Scratch? = nil, storePath: String? = nil, agency: Agency? = nil,
    preEvent: Nanoseconds = .seconds(10),
    stallReserve: Nanoseconds = .seconds(10), segment: Nanoseconds = .seconds(20),
    checkpoint: Nanoseconds = .milliseconds(750), reserveBytes: Int64 = 0,
    cameraName: String = "synthetic", clock: VirtualClock = VirtualClock(),
    observer: @escaping (StoreEvent) -> Void = { _ in }
  ) throws {
    let scratch = try scratch ?? Scratch()
    self.scratch = scratch
    self.clock = clock
    reports.observer = observer
    self.reel = reel
    self.preEvent = preEvent
    self.agency = try agency ?? Agency(scratch, storePath: storePath ?? scratch.path("card"))
    health = try CaptureHealth()
    commands = try BoundedQueue(capacity: 64)
    let horizon = PacketRing.Horizon(preEvent: preEvent, edgeToDecision: .seconds(2), gop: .seconds(1))
    // The arena for the reel's own mean rate: pre-event, edge to decision, two GOP and the reserve.
    let span = horizon.span + .seconds(1) + stallReserve
    let share = Int(Double(reel.byteRate(.audio)) * span.inSeconds * 1.2)
    let memory = try LockedMemory(
      byteCount: Int(Double(reel.byteRate(.video)) * span.inSeconds) + share, allowSwap: true)
    ring = try SharedRing(memory: memory, packetCapacity: 1 << 13, otherTracksShare: share, horizon: horizon)
    let profile = RecordingProfile(
      video: reel.video, audioChannels: 1, audioLookahead: reel.lookahead, cameraName: cameraName,
      microphoneName: "synthetic",
      plan: SegmentPlanner.Settings(
        checkpointInterval: checkpoint, segmentLength: segment, videoInterval: Reel.frameInterval,
        gop: .seconds(1)),
      reserveBytes: reserveBytes)
    let (clock, reports) = (clock, reports)
    let store = try self.agency.openStore()
    recovery = store.recovery
    worker = StoreWorker(
      store: store, ring: ring, profile: profile, commands: commands, wishes: wishes, health: health,
      log: try EventLog(), now: { clock.now },
      report: {
        reports.events.append((clock.now, $0))
        reports.observer($0)
      })
  }

  var now: MonotonicTime { clock.now }
  /// Where the newest recording begins.
  private(set) var mediaStart = Reel.epoch

  /// Lets time pass up to `end`: packets arrive, and the writer works whenever it is woken, except in `stalled`.
  ///
  /// - Parameter keep: packets that it says no to were never captured.
  func run(
    to end: Int64, stalled: Range<Int64> = 0..<0, keep: (PacketHeader) -> Bool = { _ in true }
  ) {
    let end = Reel.at(end)
    let stall = Reel.at(stalled.lowerBound)..<Reel.at(stalled.upperBound)
    while clock.now < end {
      var moment = min(end, clock.now + .milliseconds(10))
      var newest: MonotonicTime?
      if cursor < reel.packets.count, reel.packets[cursor].arrival <= moment {
        let packet = reel.packets[cursor]
        cursor += 1
        moment = max(packet.arrival, clock.now)
        clock.now = moment
        if keep(packet.header) {
          arrive(packet)
          newest = packet.header.time
        }
      }
      clock.now = moment
      if stall.contains(moment) { continue }
      wake(newest)
    }
  }

  /// Time passes while the writer waits for the card: what is captured meanwhile arrives, and nobody is woken.
  func pass(_ span: Nanoseconds) {
    let end = clock.now + span
    while cursor < reel.packets.count, reel.packets[cursor].arrival <= end {
      let packet = reel.packets[cursor]
      cursor += 1
      clock.now = max(packet.arrival, clock.now)
      arrive(packet)
    }
    clock.now = end
  }

  private func arrive(_ packet: Reel.Packet) {
    let outcome = ring.append(packet.header, bytes: packet.bytes.span.bytes, now: clock.now)
    if packet.header.track == .video {
      videoRefusals.note(outcome, header: packet.header, units: 1, to: health)
    } else {
      audioRefusals.note(outcome, header: packet.header, units: 960, to: health)
    }
  }

  /// Steps the writer if a packet of this time, a command or the clock wakes it.
  private func wake(_ packet: MonotonicTime?) {
    switch next {
    case .done: return
    case .again: break
    case .sleep(let until, let awaited):
      guard clock.now >= until || commands.count > 0 || hasWish || packet.map({ $0 >= awaited }) == true else { return }
    }
    work()
  }

  /// Steps the writer until it wants to sleep.
  func work() {
    hasWish = false
    for _ in 0..<10_000 {
      next = worker.step()
      guard case .again = next else { return }
    }
    Issue.record("the writer does not come to rest")
  }

  /// What the control loop does with a trigger: looks what is held, pins it, and asks for the recording.
  /// - Parameters:
  ///   - edge: when the gesture began; nil: now.
  ///   - from: what is before is durable in a recording that the card's failure ended.
  @discardableResult
  func trigger(
    at edge: Int64? = nil, soundFrom: MonotonicTime = .distantPast, from: MonotonicTime? = nil
  ) -> OpenRequest {
    let time = edge.map { Reel.at($0) } ?? clock.now
    let (asked, preEvent) = (from ?? time - preEvent, preEvent)
    let start = ring.withRing { ring in
      let start = ring.startPoint(at: asked)
      ring.pin(.trigger, from: start.time)
      return start
    }
    let request = OpenRequest(
      trigger: Trigger(source: .socket, time: time, decided: clock.now), start: start,
      shortfall: start.reachesBack ? nil : "just_started", preEventAsked: preEvent, soundFrom: soundFrom)
    wishes.open(request)
    mediaStart = start.time
    hasWish = true
    return request
  }

  /// The control loop ends it, for this reason.
  func end(_ reason: CloseReason) {
    wishes.end(at: clock.now, reason)
    hasWish = true
  }

  /// The supply gives warning; and is good again.
  func fail() {
    wishes.power(isFailing: true)
    hasWish = true
  }
  func recover() {
    wishes.power(isFailing: false)
    hasWish = true
  }

  /// - Parameter postEvent: how much longer the recording goes on.
  func stop(postEvent: Nanoseconds = .zero) {
    wishes.end(at: clock.now + postEvent, .stop)
    hasWish = true
  }

  /// A trigger takes the end away.
  func goOn() {
    wishes.end(at: nil, .stop)
    hasWish = true
  }

  func report(_ loss: Loss) { health.report(loss) }

  /// The wearer marks this moment.
  func mark(at milliseconds: Int64) {
    commands.push(.event(FootageEvent(time: Reel.at(milliseconds), value: "mark", message: "")))
  }

  /// Where the newest recording lies.
  func recordingDirectory() throws -> String {
    let path = "\(agency.storePath)/recordings"
    return "\(path)/\(try #require(try fileNames(path).last))"
  }

  // MARK: - What the writer said

  var reported: [(time: MonotonicTime, event: StoreEvent)] { reports.events }

  /// How the recording ended: nil while it has not.
  var closing: RecorderFault?? {
    for (_, event) in reports.events { if case .closed(let fault) = event { return .some(fault) } }
    return nil
  }

  var durableEnds: [(time: MonotonicTime, end: MonotonicTime)] {
    reports.events.compactMap { time, event in
      if case .durable(let end, _) = event { (time, end) } else { nil }
    }
  }
}

extension Reel {
  /// Mean bytes a second.
  func byteRate(_ track: TrackID) -> Int {
    let own = packets.filter { $0.header.track == track }
    guard let first = own.first, let last = own.last else { return 0 }
    return Int(Double(own.reduce(0) { $0 + $1.bytes.count }) / (last.header.time - first.header.time).inSeconds)
  }
}
