import Core
import Encoding
import EvidenceStore
import LinuxIO
import Media
import Synchronization
import Synthetic
import Testing

@testable import Evidence
@testable import RecorderRuntime

/// A microphone whose blocks come at once, with the times that they would have had; ends the loop when it has no more.
private struct ScriptedSound: SoundSource {
  let microphone: SyntheticMicrophone
  let health: CaptureHealth
  /// Blocks of 20 ms.
  let blocks: Int64
  /// Called before each block with its number.
  let before: @Sendable (Int64) -> Void
  /// Samples lost before a block.
  var losses: [Int64: Int64] = [:]
  private var block: Int64 = 0
  private var position: Int64 = 0

  init(
    _ microphone: SyntheticMicrophone, health: CaptureHealth, blocks: Int64, losses: [Int64: Int64] = [:],
    before: @escaping @Sendable (Int64) -> Void
  ) {
    self.microphone = microphone
    self.health = health
    self.blocks = blocks
    self.losses = losses
    self.before = before
  }

  mutating func read(into pcm: inout [Int16], now: () -> MonotonicTime) -> SoundBlock? {
    guard block < blocks else {
      health.isStopping.store(true, ordering: .relaxed)
      return nil
    }
    before(block)
    let lost = losses[block] ?? 0
    position += lost
    if pcm.count != 960 { pcm = [Int16](repeating: 0, count: 960) }
    var span = pcm.mutableSpan
    microphone.fill(&span, from: position)
    let time = Reel.epoch + Nanoseconds(position * 62_500 / 3)
    position += 960
    block += 1
    return SoundBlock(count: 960, time: time, lostBefore: lost)
  }
}

@Suite("MicrophoneLoop")
struct MicrophoneLoopTests {
  /// Runs the loop over a scripted microphone; the packets that reached the ring, in order.
  private func run(
    _ microphone: SyntheticMicrophone, blocks: Int64, losses: [Int64: Int64] = [:], demand: AudioDemandBox,
    health: CaptureHealth, before: @escaping @Sendable (Int64) -> Void = { _ in }
  ) throws -> (packets: [Reel.Packet], lookahead: Int) {
    let ring = try SharedRing(
      memory: LockedMemory(byteCount: 4 << 20, allowSwap: true), packetCapacity: 8_192, otherTracksShare: 2 << 20,
      horizon: .init(preEvent: .seconds(1_000_000), edgeToDecision: .zero, gop: .seconds(1)))
    let stream = try OpusStream(channels: 1, bitrate: 64_000)
    let loop = MicrophoneLoop(
      ring: ring, health: health, log: try EventLog(), channels: 1, historySpan: .seconds(6), demand: demand,
      stream: stream, reopen: nil, offset: .zero)
    loop.run(ScriptedSound(microphone, health: health, blocks: blocks, losses: losses, before: before))
    let packets = ring.withRing { ring -> [Reel.Packet] in
      var packets: [Reel.Packet] = []
      var from: Int64 = 0
      while let (sequence, header) = ring.nextPacket(of: .audio, from: from) {
        var bytes = [UInt8](repeating: 0, count: header.length)
        _ = bytes.withUnsafeMutableBytes { ring.copyBytes(of: sequence, from: 0, into: $0) }
        packets.append(Reel.Packet(header: header, bytes: bytes, arrival: header.time + .milliseconds(25)))
        from = sequence + 1
      }
      return packets
    }
    return (packets, stream.lookahead)
  }

  @Test("with pre-event sound off nothing before the trigger is encoded, though its decision came 2 s later")
  func soundOff() throws {
    let health = try CaptureHealth()
    let demand = AudioDemandBox(.remember)
    let trigger = Reel.at(10_007)
    let (packets, lookahead) = try run(
      SyntheticMicrophone(markerUntil: 480_336), blocks: 1_000, demand: demand, health: health
    ) { block in
      // The gesture began at 10.007 s and is understood at 12 s.
      if block == 600 { demand.value = .encode(from: trigger) }
    }
    // The first packet begins with the encoder's delay, before its first sample.
    let first = try #require(packets.first?.header)
    #expect(first.flags.contains(.streamStart))
    #expect(first.position == 480_336 - Int64(lookahead))
    #expect(packets.count == (960_000 - 480_336) / 960)
    for (left, right) in zip(packets, packets.dropFirst()) {
      #expect(right.header.position - left.header.position == 960)
      #expect(abs((right.header.time - left.header.time).count - 20_000_000) < 20_000)
    }
    // In a recording with 10 s of picture before the trigger the tone is nowhere, and the sound is.
    let studio = try Studio(
      try Reel.plain.get().with(sound: packets, lookahead: lookahead), stallReserve: .seconds(10))
    studio.run(to: 12_007)
    studio.trigger(at: 10_007, soundFrom: trigger)
    studio.run(to: 18_700)
    studio.stop()
    studio.run(to: 20_700)
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    let opened = try #require(footage.runs.first)
    let sound = try footage.sound(opened)
    #expect(PatternReader.markerShare(in: sound.span) == 0)
    #expect(abs(Double(sound.count) / 48_000 - 8.693) < 0.03)
    let report = try footage.report(opened)
    #expect(report.isComplete && report.firstCounter == 0)
    #expect(report.offsets.map(\.second) == Array(11...18))
    #expect(report.offsets.allSatisfy { abs($0.milliseconds) < 5 }, "\(report.offsets)")
  }

  @Test("the tone is found where it is: with pre-event sound on the same check hears it")
  func soundOn() throws {
    let health = try CaptureHealth()
    let demand = AudioDemandBox(.encode(from: .distantPast))
    let (packets, lookahead) = try run(
      SyntheticMicrophone(markerUntil: 480_336), blocks: 600, demand: demand, health: health)
    let studio = try Studio(try Reel.plain.get().with(sound: packets, lookahead: lookahead))
    studio.run(to: 10_007)
    studio.trigger()
    studio.run(to: 11_500)
    studio.stop()
    studio.run(to: 13_000)
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    let sound = try footage.sound(try #require(footage.runs.first))
    #expect(PatternReader.markerShare(in: sound.span) > 0.7)
  }

  @Test("samples that the card lost are told once, filled with silence, and shift nothing")
  func overrun() throws {
    let health = try CaptureHealth()
    let demand = AudioDemandBox(.encode(from: .distantPast))
    let (packets, lookahead) = try run(
      SyntheticMicrophone(), blocks: 500, losses: [200: 4_800], demand: demand, health: health)
    let loss = try #require(health.losses.pop())
    #expect(health.losses.pop() == nil)
    #expect(loss.track == .audio && loss.count == 4_800 && loss.cause == .xrun)
    #expect(abs((loss.from - Reel.at(4_000)).count) < 1_000_000 && abs((loss.to - Reel.at(4_100)).count) < 1_000_000)
    #expect(packets.count == 505)
    #expect(packets.last?.header.position == 960 * 504 - Int64(lookahead))
    for (left, right) in zip(packets, packets.dropFirst()) {
      #expect(right.header.position - left.header.position == 960)
    }
  }

  @Test("a recording that follows another gets a stream of its own that begins at its trigger")
  func twice() throws {
    let health = try CaptureHealth()
    let demand = AudioDemandBox(.remember)
    let (packets, _) = try run(SyntheticMicrophone(), blocks: 1_000, demand: demand, health: health) { block in
      switch block {
      case 100: demand.value = .encode(from: Reel.at(1_000))
      case 200: demand.value = .remember
      case 700: demand.value = .encode(from: Reel.at(13_500))
      default: break
      }
    }
    let starts = packets.filter { $0.header.flags.contains(.streamStart) }
    #expect(starts.count == 2)
    #expect(packets.contains { $0.header.time > Reel.at(4_100) && $0.header.time < Reel.at(13_400) } == false)
    #expect(abs((starts[1].header.time - Reel.at(13_500)).count) < 10_000_000)
  }
}

@Suite("SoundHistory")
struct SoundHistoryTests {
  @Test("what is replayed is the newest samples, in order, whatever the blocks were")
  func replay() {
    var history = SoundHistory(samples: 2_000, channels: 2)
    var position: Int64 = 0
    for count in [700, 1, 960, 1_500, 333, 960, 777] {
      let block = (0..<count).flatMap { index in
        let sample = Int16(truncatingIfNeeded: position + Int64(index))
        return [sample, -sample]
      }
      history.append(block.span, position: position)
      position += Int64(count)
    }
    var next = position - 2_000
    history.replay { samples, at in
      #expect(at == next)
      for index in 0..<samples.count / 2 {
        let sample = Int16(truncatingIfNeeded: at + Int64(index))
        #expect(samples[2 * index] == sample && samples[2 * index + 1] == -sample)
      }
      next = at + Int64(samples.count / 2)
    }
    #expect(next == position)
  }

  @Test("nothing from before a gap is replayed")
  func gap() {
    var history = SoundHistory(samples: 2_000, channels: 1)
    let block = [Int16](repeating: 1, count: 960)
    history.append(block.span, position: 0)
    history.append(block.span, position: 5_000)
    var replayed: [Int64] = []
    history.replay { samples, at in replayed.append(contentsOf: at..<at + Int64(samples.count)) }
    #expect(replayed == Array(5_000..<5_960))
  }
  @Test("what was wiped is not replayed, and what comes after it is")
  func wiped() {
    var history = SoundHistory(samples: 2_000, channels: 1)
    let block = [Int16](repeating: 1, count: 960)
    history.append(block.span, position: 0)
    history.wipe()
    history.replay { _, _ in Issue.record("something was held") }
    history.append(block.span, position: 960)
    var replayed: [Int64] = []
    history.replay { samples, at in replayed.append(contentsOf: at..<at + Int64(samples.count)) }
    #expect(replayed == Array(960..<1_920))
  }
}
