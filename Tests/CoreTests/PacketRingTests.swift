import Media
import Testing

@testable import Core

/// A ring with 1 s GOPs at 10 frames a second, driven by a virtual clock.
private struct RingScript: ~Copyable {
  let memory: UnsafeMutableRawBufferPointer
  var ring: PacketRing
  var sequence: Int64 = 0

  static let horizon = PacketRing.Horizon(preEvent: .seconds(5), edgeToDecision: .seconds(2), gop: .seconds(1))

  init(bytes: Int, packets: Int = 4_096, otherShare: Int = 0, horizon: PacketRing.Horizon = RingScript.horizon) {
    memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 16)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    ring = PacketRing(memory: memory, packetCapacity: packets, otherTracksShare: otherShare, horizon: horizon)
  }

  deinit { memory.deallocate() }

  static func time(_ milliseconds: Int64) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000) + .milliseconds(milliseconds)
  }

  /// One video packet; its bytes all hold the low byte of its time in tenths.
  mutating func video(at milliseconds: Int64, length: Int = 100, delay: Int64 = 40) -> PacketRing.AppendOutcome {
    let header = PacketHeader(
      track: .video, flags: milliseconds % 1_000 == 0 ? .keyframe : [], length: length, time: Self.time(milliseconds),
      position: milliseconds / 100)
    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: milliseconds / 100), count: length)
    return ring.append(header, bytes: bytes.span.bytes, now: Self.time(milliseconds + delay))
  }

  mutating func audio(at milliseconds: Int64, length: Int = 10, delay: Int64 = 0) -> PacketRing.AppendOutcome {
    let header = PacketHeader(
      track: .audio, flags: [], length: length, time: Self.time(milliseconds), position: milliseconds * 48)
    let bytes = [UInt8](repeating: 7, count: length)
    return ring.append(header, bytes: bytes.span.bytes, now: Self.time(milliseconds + delay))
  }

  mutating func run(from: Int64, to: Int64, audio: Bool = false) {
    for milliseconds in stride(from: from, to: to, by: 20) {
      if milliseconds % 100 == 0 { _ = video(at: milliseconds) }
      if audio { _ = self.audio(at: milliseconds) }
    }
  }
}

@Suite("PacketRing")
struct PacketRingTests {
  @Test("a trigger decided late still gets its whole pre-event, beginning with a keyframe at most one GOP earlier")
  func keepsPreEventForLateDecision() {
    var script = RingScript(bytes: 1 << 16)
    script.run(from: 0, to: 60_000)
    for lateness in stride(from: Int64(0), through: 2_000, by: 100) {
      let edge = 59_900 - lateness
      let asked = RingScript.time(edge - 5_000)
      let start = script.ring.startPoint(at: asked)
      #expect(start.reachesBack)
      #expect(start.time <= asked)
      #expect(asked - start.time < .seconds(1))
      let first = script.ring.header(at: start.videoSequence)
      #expect(first?.isKeyframe == true)
    }
  }

  @Test("nothing older than the horizon and the GOP across it stays")
  func forgetsWhatIsOlder() throws {
    var script = RingScript(bytes: 1 << 16)
    script.run(from: 0, to: 60_000, audio: true)
    let held = script.ring.header(at: script.ring.oldestSequence)
    let oldest = try #require(held)
    #expect(RingScript.time(60_000) - oldest.time <= .seconds(5 + 2 + 1 + 1) + .milliseconds(100))
  }

  @Test("what is let go is overwritten: the arena holds the bytes of the packets held and no other")
  func wipesWhatGoes() {
    var script = RingScript(bytes: 1 << 14)
    func clearBytes(_ memory: UnsafeMutableRawBufferPointer) -> Int { memory.lazy.filter { $0 != 0 }.count }
    // Lengths that do not divide the arena: packets lie across its end, too.
    for milliseconds in stride(from: Int64(100), to: 90_000, by: 100) where milliseconds / 100 % 256 != 0 {
      _ = script.video(at: milliseconds, length: 97)
      #expect(clearBytes(script.memory) == script.ring.usedBytes)
    }
    #expect(script.ring.usedBytes > 0)
    script.ring.evict(now: RingScript.time(120_000))
    #expect(script.ring.usedBytes == 0)
    #expect(clearBytes(script.memory) == 0)
  }

  @Test("after a long recording what is too old goes piece by piece, so that the ring is never held for long")
  func wipesInPieces() {
    var script = RingScript(bytes: 4 << 20)
    script.ring.pin(.recording, from: RingScript.time(0))
    for milliseconds in stride(from: Int64(0), to: 30_000, by: 100) {
      #expect(script.video(at: milliseconds, length: 10_000) == .stored)
    }
    script.ring.unpin(.recording)
    var held = script.ring.usedBytes
    for _ in 0..<20 {
      script.ring.evict(now: RingScript.time(30_000))
      #expect(held - script.ring.usedBytes <= PacketRing.evictionByteLimit + 10_000)
      held = script.ring.usedBytes
    }
    #expect(held <= 9 * 10 * 10_000, "pre-event, edge to decision, and the GOP across")
  }

  @Test("sound that arrived before the keyframe it accompanies is kept with it")
  func keepsSoundOfTheGOP() throws {
    var script = RingScript(bytes: 1 << 16, otherShare: 1 << 14)
    // Video arrives 700 ms after sound of the same time.
    for milliseconds in stride(from: Int64(0), to: 60_000, by: 20) {
      _ = script.audio(at: milliseconds)
      let late = milliseconds - 700
      if late >= 0, late % 100 == 0 { _ = script.video(at: late, delay: 700) }
    }
    let start = script.ring.startPoint(at: RingScript.time(59_300 - 7_000))
    let found = firstAudio(script.ring, atOrAfter: start.time)
    let sound = try #require(found)
    #expect(sound.time - start.time < .milliseconds(20))
  }

  @Test("bytes come back as they went in, also across the end of the arena")
  func returnsBytes() {
    var script = RingScript(bytes: 1_003 * 20)
    for milliseconds in stride(from: Int64(0), to: 20_000, by: 100) {
      _ = script.video(at: milliseconds, length: 150 + Int(milliseconds / 100 % 37))
      let sequence = script.ring.nextSequence - 1
      let length = 150 + Int(milliseconds / 100 % 37)
      var copy = [UInt8](repeating: 0, count: length)
      let (first, second) = copy.withUnsafeMutableBytes { buffer in
        let half = script.ring.copyBytes(
          of: sequence, from: 0, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<70]))
        let rest = script.ring.copyBytes(
          of: sequence, from: 70, into: UnsafeMutableRawBufferPointer(rebasing: buffer[70...]))
        return (half, rest)
      }
      #expect(first == 70 && second == length - 70)
      #expect(copy.allSatisfy { $0 == UInt8(truncatingIfNeeded: milliseconds / 100) })
    }
  }

  @Test("while a recording pins its footage the new packet is refused, never an old one dropped")
  func refusesNewWhenPinned() {
    var script = RingScript(bytes: 10_000)
    script.run(from: 0, to: 5_000)
    let start = script.ring.startPoint(at: RingScript.time(0))
    script.ring.pin(.recording, from: start.time)
    var refused = 0
    for milliseconds in stride(from: Int64(5_000), to: 30_000, by: 100) {
      if case .refused(true) = script.video(at: milliseconds) { refused += 1 }
    }
    #expect(refused > 0)
    let first = script.ring.header(at: start.videoSequence)
    #expect(first?.time == start.time)
    let (used, capacity) = (script.ring.usedBytes, script.ring.capacity)
    #expect(used <= capacity)
  }

  @Test("after a refusal the footage that is held is not given up for a picture that cannot be decoded")
  func keepsFootageAfterRefusal() {
    var script = RingScript(bytes: 10_000)
    script.run(from: 0, to: 3_000)
    script.ring.pin(.recording, from: RingScript.time(0))
    script.run(from: 3_000, to: 14_100)
    let before = script.ring.oldestSequence
    // The recording ended: nothing is pinned any more.
    script.ring.unpin(.recording)
    let outcome = script.video(at: 14_100)
    #expect(outcome == .refused(needsKeyframe: true))
    let first = script.ring.header(at: script.ring.oldestSequence)
    #expect(script.ring.oldestSequence >= before && first?.isKeyframe == true)
    let held = script.ring.heldSpan
    #expect(held >= .milliseconds(3_900))
  }

  @Test("what is older than the pin makes room for new packets while a recording runs")
  func durableFootageMakesRoom() {
    // The horizon holds 8 s; there is room for 6.
    var script = RingScript(bytes: 6_000)
    script.run(from: 0, to: 4_000)
    for milliseconds in stride(from: Int64(4_000), to: 40_000, by: 100) {
      // The card is 700 ms behind.
      script.ring.pin(.recording, from: RingScript.time(milliseconds - 700))
      let outcome = script.video(at: milliseconds)
      if case .refused = outcome { Issue.record("refused at \(milliseconds)") }
    }
  }

  @Test("refused video comes back on a keyframe, and only with a tenth of the arena free")
  func resumesOnKeyframe() {
    var script = RingScript(bytes: 10_000)
    script.run(from: 0, to: 3_000)
    script.ring.pin(.recording, from: RingScript.time(0))
    script.run(from: 3_000, to: 14_000)
    // The card caught up: everything before 11 s is durable.
    script.ring.pin(.recording, from: RingScript.time(9_000))
    var outcome = script.video(at: 14_100)
    #expect(outcome == .refused(needsKeyframe: true))
    outcome = script.video(at: 15_000)
    #expect(outcome == .stored)
    outcome = script.video(at: 15_100)
    #expect(outcome == .stored)
  }

  @Test("sound has a share that video cannot take, and cannot take more")
  func keepsShares() {
    var script = RingScript(bytes: 10_000, otherShare: 1_000)
    _ = script.video(at: 0)
    script.ring.pin(.recording, from: RingScript.time(0))
    script.run(from: 100, to: 20_000)
    var outcome = script.audio(at: 20_000)
    #expect(outcome == .stored)
    for index in 1..<200 { _ = script.audio(at: 20_000 + Int64(index) * 20) }
    outcome = script.audio(at: 25_000)
    #expect(outcome == .refused(needsKeyframe: false))
  }

  @Test("bytes that run out while nothing is recorded shorten the pre-event and say so")
  func saysWhenBytesWin() {
    var script = RingScript(bytes: 3_000)
    var shortened = false
    for milliseconds in stride(from: Int64(0), to: 10_000, by: 100) {
      let outcome = script.video(at: milliseconds)
      if outcome == .storedByShorteningPreEvent { shortened = true }
      if case .refused = outcome { Issue.record("refused at \(milliseconds)") }
    }
    #expect(shortened)
    let start = script.ring.startPoint(at: RingScript.time(5_000))
    #expect(!start.reachesBack)
  }

  @Test("after the camera fell silent a recording begins with sound at the time asked")
  func beginsWithSoundWhenVideoStopped() {
    var script = RingScript(bytes: 1 << 16, otherShare: 1 << 14)
    script.run(from: 0, to: 3_000, audio: true)
    for milliseconds in stride(from: Int64(3_000), to: 40_000, by: 20) { _ = script.audio(at: milliseconds) }
    let asked = RingScript.time(34_010)
    let start = script.ring.startPoint(at: asked)
    #expect(start.time >= asked && start.time - asked < .milliseconds(20))
    let next = script.ring.nextSequence
    #expect(start.videoSequence == next)
    #expect(start.reachesBack)
  }

  @Test("before the first keyframe reaches back, the start is that keyframe and the shortfall shows")
  func beginsAtFirstKeyframe() {
    var script = RingScript(bytes: 1 << 16)
    script.run(from: 1_500, to: 4_000)
    let start = script.ring.startPoint(at: RingScript.time(-3_000))
    #expect(start.time == RingScript.time(2_000))
    #expect(!start.reachesBack)
  }

  private func firstAudio(_ ring: borrowing PacketRing, atOrAfter time: MonotonicTime) -> PacketHeader? {
    var from = ring.oldestSequence
    while let (sequence, header) = ring.nextPacket(of: .audio, from: from) {
      if header.time >= time { return header }
      from = sequence + 1
    }
    return nil
  }
}
