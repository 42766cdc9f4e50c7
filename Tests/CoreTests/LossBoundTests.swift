import Media
import Testing

@testable import Core

/// Planner and state machine together in virtual time, with a card that answers each flush within 150 ms: whenever the power
/// goes while *recording* is shown, at most a second is lost.
@Suite("The loss bound")
struct LossBoundTests {
  /// What the card and the camera are like in one run.
  struct Conditions: Sendable {
    /// Each flush takes so long, ms.
    var flush: ClosedRange<Int64>
    /// Flushes of a segment's first checkpoint; others have two.
    var firstFlushes: Int64
    /// From a picture's time to its packet in the ring, ms.
    var delay: Int64
    var pictureBytes: Int
    /// The checkpoints, counted from the start, whose last flush fails.
    var failing: Set<Int>
    var seed: UInt64
  }

  private struct Run: ~Copyable {
    let conditions: Conditions
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 24, alignment: 16)
    var random: SplitMix
    var ring: PacketRing
    var planner: SegmentPlanner
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    var now: Int64 = 0
    var position = 0
    var durable: Int64 = 0
    var videoCursor: Int64 = 0
    var isFirst = true
    var checkpoints = 0
    /// ms lost by a power cut, at most, while *recording* was shown; and when that was.
    var worst: (loss: Int64, at: Int64) = (0, 0)
    var shown = 0
    /// Steps that asked to wait for a time that is past.
    var spins = 0

    init(_ conditions: Conditions) {
      self.conditions = conditions
      random = SplitMix(state: conditions.seed)
      ring = PacketRing(
        memory: memory, packetCapacity: 1 << 13, otherTracksShare: 1 << 18,
        horizon: .init(preEvent: .seconds(60), edgeToDecision: .zero, gop: .seconds(1)))
      planner = SegmentPlanner(
        settings: .init(
          checkpointInterval: .milliseconds(750), segmentLength: .milliseconds(4_000), videoInterval: .milliseconds(40),
          gop: .seconds(1)),
        tracks: [.video, .audio], start: Self.at(0), now: Self.at(0))
    }

    deinit { memory.deallocate() }

    static func at(_ milliseconds: Int64) -> MonotonicTime {
      MonotonicTime(nanoseconds: 7_000_000_000_000) + .milliseconds(milliseconds)
    }

    /// One millisecond passes: packets arrive, and the wearer looks.
    mutating func pass(_ milliseconds: Int64) {
      for _ in 0..<milliseconds {
        now += 1
        let time = now - conditions.delay
        if time >= 0, time % 40 == 0 {
          append(.video, time, time % 1_000 == 0 ? .keyframe : [], conditions.pictureBytes)
        }
        if now >= 25, (now - 25) % 20 == 0 { append(.audio, now - 25, [], 80) }
        look()
      }
    }

    private mutating func append(_ track: TrackID, _ time: Int64, _ flags: PacketFlags, _ count: Int) {
      let bytes = [UInt8](repeating: 1, count: count)
      _ = ring.append(
        PacketHeader(track: track, flags: flags, length: count, time: Self.at(time), position: 0),
        bytes: bytes.span.bytes,
        now: Self.at(now))
    }

    private mutating func look() {
      _ = machine.handle(.tick, now: Self.at(now))
      guard case .recording = machine.state else { return }
      shown += 1
      if now - durable > worst.loss { worst = (now - durable, now) }
    }

    private mutating func tell(_ event: RecorderMachine.Event) { _ = machine.handle(event, now: Self.at(now)) }

    mutating func record(from start: Int64, to end: Int64) {
      tell(.captureReady)
      pass(start)
      planner = SegmentPlanner(settings: planner.settings, tracks: planner.tracks, start: Self.at(0), now: Self.at(now))
      tell(.trigger(Trigger(source: .button, time: Self.at(now), decided: Self.at(now))))
      while now < end {
        switch planner.step(now: Self.at(now), ring: ring, room: 65_536 - position % 65_536) {
        // As the store thread: asleep until the time, or until both tracks have come so far.
        case .wait(let until, let packet):
          // A time that is past would make the store thread spin, on the lock that the encoder needs.
          if until <= Self.at(now) { spins += 1 }
          repeat {
            pass(1)
          } while Self.at(now) < until
            && min(ring.newestTime(of: .video), ring.newestTime(of: .audio)) < packet
        case .checkpoint: confirm(endsSegment: false)
        case .fragment(let edge, let checkpoint, let after):
          let held = ring.contents(from: planner.fragmentStart, before: edge)
          position += FragmentHeader.byteCount(video: held.video, audio: held.audio) + held.bytes
          var newest: MonotonicTime?
          while let (sequence, header) = ring.nextPacket(of: .video, from: videoCursor), header.time < edge {
            newest = header.time
            videoCursor = sequence + 1
          }
          planner.didWriteFragment(edge: edge, newestVideo: newest)
          // Writing and sealing are not free either.
          pass(3)
          if checkpoint, confirm(endsSegment: after == .nextSegment), after == .nextSegment {
            planner.didBeginSegment(at: edge)
            isFirst = true
          }
        }
      }
    }

    /// False: its last flush failed, and everything behind the last durable keyframe is written again.
    @discardableResult
    private mutating func confirm(endsSegment: Bool) -> Bool {
      let started = now
      let rest = 65_536 - position % 65_536
      position += rest < 40 ? rest + 65_536 : rest
      for _ in 0..<(isFirst ? conditions.firstFlushes : 2) { pass(random.next(in: conditions.flush)) }
      checkpoints += 1
      if conditions.failing.contains(checkpoints) {
        tell(.refused)
        let keyframe = durable / 1_000 * 1_000
        planner.rewind(to: Self.at(keyframe))
        planner.didBeginSegment(at: Self.at(keyframe))
        videoCursor = 0
        isFirst = true
        // ABANDON is a line of the journal that is flushed with the next ones; the new file costs a write.
        pass(3)
        return false
      }
      isFirst = false
      durable = planner.fragmentStart.millisecondsHere
      planner.didCheckpoint(startedAt: Self.at(started), durableEnd: planner.fragmentStart)
      // The loss is what was durable before: the power may go just before this.
      tell(.durable(end: planner.fragmentStart))
      return true
    }
  }

  private func worst(_ conditions: Conditions) -> (loss: Int64, at: Int64, shown: Int, spins: Int) {
    var run = Run(conditions)
    run.record(from: 3_000 + Int64(conditions.seed % 997), to: 18_000)
    return (run.worst.loss, run.worst.at, run.shown, run.spins)
  }

  /// Phases, cards and cameras of all kinds.
  private func check(failing: (inout SplitMix) -> Set<Int>) {
    var random = SplitMix(state: 5)
    var over: [String] = []
    var spins = 0
    for seed in 0..<240 {
      let slowest: Int64 = [150, 150, 120, 60][seed % 4]
      let conditions = Conditions(
        flush: (seed % 3 == 0 ? slowest : 5)...slowest, firstFlushes: seed % 5 == 0 ? 4 : 3,
        // With each of six flushes in a row as slow as may be, a picture that comes after 80 ms is lost with what is before.
        delay: seed % 5 == 0 ? 50 : [25, 40, 60, 80, 100][seed % 7 % 5],
        pictureBytes: [400, 6_000, 20_000][seed / 3 % 3], failing: failing(&random),
        seed: UInt64(seed))
      let (loss, time, shown, waits) = worst(conditions)
      spins += waits
      #expect(shown > 4_000, "recording was hardly shown: \(shown) ms with \(conditions)")
      if loss > 1_000 { over.append("\(loss) ms at \(time) with \(conditions)") }
    }
    #expect(spins == 0, "the writer never waits for a time that is past")
    #expect(over.isEmpty, "\(over.count) of 240, such as \(over.prefix(3))")
  }

  @Test("a power cut costs at most a second at every instant of every phase of checkpoints and segments")
  func healthy() { check { _ in [] } }

  @Test("nor does it after a flush that failed, whenever it fails")
  func failing() { check { [Int($0.next(in: 4...9)), Int($0.next(in: 12...18))] } }
}

extension MonotonicTime {
  fileprivate var millisecondsHere: Int64 { (nanoseconds - 7_000_000_000_000) / 1_000_000 }
}

extension SplitMix {
  fileprivate mutating func next(in range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + next(below: range.upperBound - range.lowerBound + 1)
  }
}
