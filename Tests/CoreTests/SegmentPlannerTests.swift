import Media
import Testing

@testable import Core

private let origin = MonotonicTime(nanoseconds: 9_000_000_000_000)
private func at(_ milliseconds: Int64) -> MonotonicTime { origin + .milliseconds(milliseconds) }

/// A recording in virtual time: packets arrive with a delay, the planner's steps are carried out and written down.
private struct Plan: ~Copyable {
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 24, alignment: 16)
  /// Bytes of each picture; with more than the least the writer's place in its chunk is followed.
  var pictureBytes = 4
  /// Plaintext of the segment.
  var position = 0
  var paddings: [Int] = []
  var ring: PacketRing
  var planner: SegmentPlanner
  var edges: [Int64] = []
  var checkpoints: [(now: Int64, end: Int64)] = []
  var rotations: [Int64] = []
  var closedAt: Int64?
  var videoCursor: Int64 = 0

  init(segment: Int64 = 10_000, checkpoint: Int64 = 750, tracks: [TrackID] = [.video, .audio], start: Int64 = 0) {
    ring = PacketRing(
      memory: memory, packetCapacity: 1 << 14, otherTracksShare: 1 << 18,
      horizon: .init(preEvent: .seconds(30), edgeToDecision: .zero, gop: .seconds(1)))
    planner = SegmentPlanner(
      settings: .init(
        checkpointInterval: .milliseconds(checkpoint), segmentLength: .milliseconds(segment),
        videoInterval: .milliseconds(100)), tracks: tracks, start: at(start), now: at(start))
  }

  deinit { memory.deallocate() }

  mutating func arrive(_ track: TrackID, time: Int64, now: Int64) {
    let header = PacketHeader(
      track: track, flags: track == .video && time % 1_000 == 0 ? .keyframe : [],
      length: track == .video ? pictureBytes : 4, time: at(time), position: 0)
    let bytes = [UInt8](repeating: 1, count: header.length)
    _ = ring.append(header, bytes: bytes.span.bytes, now: at(now))
  }

  mutating func work(now: Int64) {
    for _ in 0..<1_000 {
      let room = pictureBytes > 4 ? 65_536 - position % 65_536 : 0
      switch planner.step(now: at(now), ring: ring, room: room) {
      case .wait: return
      case .checkpoint:
        checkpoints.append((now, planner.fragmentStart.milliseconds))
        planner.didCheckpoint(startedAt: at(now), durableEnd: planner.fragmentStart)
      case .fragment(let edge, let checkpoint, let after):
        edges.append(edge.milliseconds)
        var newest: MonotonicTime?
        while let (sequence, header) = ring.nextPacket(of: .video, from: videoCursor), header.time < edge {
          newest = header.time
          videoCursor = sequence + 1
        }
        let held = ring.contents(from: planner.fragmentStart, before: edge)
        position += FragmentHeader.byteCount(video: held.video, audio: held.audio) + held.bytes
        planner.didWriteFragment(edge: edge, newestVideo: newest)
        if checkpoint {
          let rest = 65_536 - position % 65_536
          paddings.append(rest < 40 ? rest + 65_536 : rest)
          position += paddings[paddings.count - 1]
          checkpoints.append((now, edge.milliseconds))
          planner.didCheckpoint(startedAt: at(now), durableEnd: planner.fragmentStart)
        }
        switch after {
        case .nothing: break
        case .nextSegment:
          rotations.append(edge.milliseconds)
          planner.didBeginSegment(at: edge)
        case .close:
          closedAt = now
          return
        }
      }
    }
    Issue.record("the planner does not come to rest")
  }

  /// Both tracks from 0 to `end`; video arrives after 60 ms, or as late as `delay` says, sound after 25 ms.
  mutating func run(
    from: Int64 = 0, to end: Int64, videoUntil: Int64 = .max, delay: Int64 = 60, stalled: Range<Int64> = 0..<0
  ) {
    for now in stride(from: from, to: end, by: 5) {
      if now >= delay, (now - delay) % 100 == 0, now - delay < videoUntil {
        arrive(.video, time: now - delay, now: now)
      }
      if now >= 25, (now - 25) % 20 == 0 { arrive(.audio, time: now - 25, now: now) }
      if !stalled.contains(now), closedAt == nil { work(now: now) }
    }
  }
}

extension MonotonicTime {
  fileprivate var milliseconds: Int64 { (self - origin).inMilliseconds }
}

@Suite("SegmentPlanner")
struct SegmentPlannerTests {
  @Test("caught up, the media at risk is never more than interval, delay and one frame")
  func lossWindow() {
    var plan = Plan()
    plan.run(to: 60_000)
    var durable: Int64 = 0
    var index = 0
    var worst: Int64 = 0
    for now in stride(from: Int64(1_000), to: 60_000, by: 5) {
      while index < plan.checkpoints.count, plan.checkpoints[index].now <= now {
        durable = plan.checkpoints[index].end
        index += 1
      }
      worst = max(worst, now - durable)
    }
    #expect(worst <= 750 + 60 + 100 + 5)
  }

  @Test("a checkpoint comes a little earlier where it then wastes little of a chunk, and never later")
  func littlePadding() {
    // Five or six pictures between checkpoints; five fill a chunk but for 5 kB.
    var plan = Plan(segment: 60_000)
    plan.pictureBytes = 12_000
    plan.run(to: 30_000)
    var other = Plan(segment: 60_000)
    other.run(to: 30_000)
    let paddings = plan.paddings.dropFirst(2)
    let mean = paddings.reduce(0, +) / max(1, paddings.count)
    #expect(paddings.count > 30 && mean < 12_000, "\(mean) bytes of padding on the average")
    let little = SegmentPlanner.Settings(
      checkpointInterval: .milliseconds(750), segmentLength: .seconds(60), videoInterval: .milliseconds(100)
    ).littlePadding
    #expect(paddings.filter { little.contains($0) }.count * 3 > paddings.count)
    let (often, seldom) = (plan.checkpoints.map(\.now), other.checkpoints.map(\.now))
    let shortest = zip(often, often.dropFirst()).map { $1 - $0 }.dropFirst(2).min() ?? 0
    let longest = zip(seldom, seldom.dropFirst()).map { $1 - $0 }.max() ?? 0
    #expect(shortest >= 400)
    #expect(zip(often, often.dropFirst()).allSatisfy { $1 - $0 <= longest })
  }

  @Test("no fragment is longer than half a second, and edges only rise")
  func fragmentLength() {
    var plan = Plan()
    plan.run(to: 30_000)
    let edges = plan.edges
    #expect(edges.count > 30)
    for (left, right) in zip([0] + edges, edges) { #expect(right > left && right - left <= 500) }
  }

  @Test("segments end at the first keyframe after their length")
  func rotation() {
    var plan = Plan(segment: 9_500)
    plan.run(to: 41_000)
    #expect(plan.rotations == [10_000, 20_000, 30_000, 40_000])
  }

  @Test("segments end at their keyframe also when the encoder is far behind", arguments: [400, 900, 2_500])
  func lateEncoder(delay: Int64) {
    var plan = Plan(segment: 5_000)
    plan.run(to: 31_000 + delay, delay: delay)
    #expect(plan.rotations == [5_000, 10_000, 15_000, 20_000, 25_000, 30_000])
  }

  @Test(
    "a stalled writer does not make up for missed checkpoints on return, and is caught up within a checkpoint interval")
  func stall() {
    var plan = Plan()
    plan.run(to: 20_000, stalled: 5_000..<13_000)
    let after = plan.checkpoints.filter { $0.now >= 13_000 }
    #expect(after[0].now == 13_000)
    // At once, at the segment's edge inside the backlog, and when it is written: never one for each interval missed.
    #expect(after.filter { $0.now < 13_500 }.count <= 3)
    #expect(after.last.map { 20_000 - $0.end < 1_000 } == true)
  }

  @Test("a camera that falls silent holds nothing up: sound goes on being made durable")
  func lateTrack() {
    var plan = Plan()
    plan.run(to: 10_000, videoUntil: 4_000)
    let last = plan.checkpoints.last?.end ?? 0
    #expect(10_000 - last <= 750 + 25 + 150 + 20 + 5)
  }

  @Test("the recording ends exactly at the end asked, and a camera that is gone does not keep it open")
  func close() {
    var plan = Plan()
    plan.run(to: 5_000, videoUntil: 3_000)
    plan.planner.setEnd(at(5_333))
    plan.run(from: 5_000, to: 7_000, videoUntil: 3_000)
    #expect(plan.edges.last == 5_333)
    #expect(plan.closedAt.map { $0 < 5_700 } == true)
  }

  @Test("a backlog is written at once, with the first checkpoint after its first fragment")
  func backlog() {
    var plan = Plan()
    plan.run(to: 20_000, stalled: 0..<20_000)
    plan.work(now: 20_000)
    #expect(plan.checkpoints.first?.end ?? 0 <= 500)
    #expect(plan.edges.last.map { $0 >= 19_000 } == true)
    // When it is written, everything is confirmed at once: *recording* need not wait for the next interval.
    #expect(plan.checkpoints.last?.end == plan.edges.last)
  }

  @Test("a stop in the middle of a backlog still makes short fragments, segments and checkpoints")
  func stopInBacklog() {
    var plan = Plan()
    plan.run(to: 30_000, stalled: 0..<30_000)
    plan.planner.setEnd(at(29_900))
    plan.work(now: 30_100)
    let edges = plan.edges
    for (left, right) in zip([0] + edges, edges) { #expect(right - left <= 500) }
    #expect(plan.rotations == [10_000, 20_000])
    #expect(plan.edges.last == 29_900 && plan.closedAt != nil)
  }

  @Test("frames that are still in the encoder when the stop comes are waited for")
  func slowEncoderAtTheEnd() {
    var plan = Plan(tracks: [.video, .audio])
    for now in stride(from: Int64(0), to: 8_000, by: 5) {
      // The encoder is 800 ms behind from 4 s on.
      let delay: Int64 = now < 4_000 ? 60 : 800
      if (now - delay) % 100 == 0, now >= delay { plan.arrive(.video, time: now - delay, now: now) }
      if now >= 25, (now - 25) % 20 == 0 { plan.arrive(.audio, time: now - 25, now: now) }
      if now == 5_000 { plan.planner.setEnd(at(5_000)) }
      if plan.closedAt == nil { plan.work(now: now) }
    }
    #expect(plan.closedAt.map { $0 >= 5_800 && $0 < 6_200 } == true)
  }

  @Test("with no packet at all time passes and the recording can be stopped")
  func nothingArrives() {
    var plan = Plan()
    plan.planner.setEnd(at(2_000))
    for now in stride(from: Int64(0), to: 3_000, by: 5) where plan.closedAt == nil { plan.work(now: now) }
    #expect(plan.closedAt != nil)
  }

  @Test(
    "asked for at once, a checkpoint waits for nothing and confirms all that has arrived",
    arguments: Array(stride(from: Int64(5_005), to: 6_500, by: 65)))
  func atOnce(moment: Int64) {
    var plan = Plan(segment: 60_000, checkpoint: 5_000)
    plan.run(to: moment)
    let before = plan.checkpoints.count
    plan.planner.checkpointAtOnce()
    plan.work(now: moment)
    #expect(plan.checkpoints.count == before + 1)
    // The newest picture and the newest sound, as `run` brings them.
    let picture = (moment - 5 - 60) / 100 * 100
    #expect(plan.checkpoints.last?.now == moment)
    #expect(plan.checkpoints.last.map { $0.end >= picture } == true, "\(plan.checkpoints.suffix(1))")
  }

  @Test("while the power fails checkpoints come as fast as a card takes them, and then as before")
  func powerFailing() {
    var plan = Plan(segment: 60_000, checkpoint: 5_000)
    plan.run(to: 10_000)
    plan.planner.isPowerFailing = true
    plan.run(from: 10_000, to: 15_000)
    let fast = plan.checkpoints.map(\.now).filter { $0 > 10_400 }
    #expect(fast.count >= 10 && zip(fast, fast.dropFirst()).allSatisfy { (400...500).contains($1 - $0) }, "\(fast)")
    plan.planner.isPowerFailing = false
    plan.run(from: 15_000, to: 40_000)
    let slow = plan.checkpoints.map(\.now).filter { $0 > 15_000 }
    #expect(slow.count >= 3 && zip(slow, slow.dropFirst()).allSatisfy { $1 - $0 > 4_000 }, "\(slow)")
  }
}
