import ArgumentParser
import Core
import Encoding
import Evidence
import EvidenceStore
import LinuxIO
import Media
import RecorderRuntime
import Synthetic

/// A part of the recorder that runs alone under callgrind.
enum SealStage: String, CaseIterable, ExpressibleByArgument {
  case encode, store
}

/// The program that callgrind looks at: one stage, or the same set-up without the work.
struct SealStageCommand: ParsableCommand {
  static let name = "seal-stage"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "What `seal` runs under callgrind.", shouldDisplay: false)

  @Argument var stage: SealStage
  @Option var seconds: Int
  @Option var bitrate: Int
  /// The encoder's packets: written by `encode`, read by `store`.
  @Option var packets: String
  /// Made here; holds the store.
  @Option var directory: String
  @Flag var baseline = false

  func run() throws {
    try BenchmarkFailure.report {
      // As the recorder does at its start.
      Process.setMallocTrimThreshold(1 << 20)
      switch stage {
      case .encode: try encode()
      case .store: try store()
      }
    }
  }

  // MARK: - Encoder

  private static let epoch = MonotonicTime(nanoseconds: 1_000_000_000_000)
  private static let frameInterval = Nanoseconds(33_333_333)

  private func encode() throws {
    let settings = VideoEncoderSettings(
      width: 1_280, height: 720, framesPerSecond: 30, bitrate: bitrate, peakBitrate: bitrate * 5 / 4, preset: .veryfast,
      threads: 1)
    let encoder = try VideoEncoderKind.x264.open(settings)
    guard let layout = I420Layout(width: settings.width, height: settings.height) else { return }
    // The noise of a sensor in a dim room, without which the test picture costs an encoder nearly nothing.
    let camera = SyntheticCamera(layout: layout, frameInterval: Self.frameInterval, noise: 8)
    var cadence = KeyframeCadence(gop: settings.gop, frameInterval: Self.frameInterval)
    var picture = [UInt8](repeating: 0, count: layout.byteCount)
    var made: [PacketFile.Packet] = []
    let started = CPUTime.now()
    for frame in 0..<Int64(seconds * 30) {
      let time = Self.epoch + Self.frameInterval * frame
      picture.withUnsafeMutableBytes { _ = camera.draw(frame: UInt32(frame), time: time - Self.epoch, into: $0) }
      if baseline { continue }
      try encoder.encode(
        picture: picture.span.bytes, layout: layout, time: time, position: frame,
        forceKeyframe: cadence.wantsKeyframe(at: time)
      ) { header, bytes in
        made.append(PacketFile.Packet(header: header, bytes: bytes.withUnsafeBytes { [UInt8]($0) }))
      }
    }
    CPUTime.report(since: started)
    if !baseline { try PacketFile.write(made, to: packets) }
  }

  // MARK: - Store

  private final class VirtualClock {
    var now = epoch
  }

  private struct Arrival {
    var packet: PacketFile.Packet
    var time: MonotonicTime
  }

  /// The stretch's pictures, and sound as long as they, in order of arrival.
  private func arrivals() throws -> [Arrival] {
    let video = try PacketFile.read(packets).map {
      Arrival(packet: $0, time: $0.header.time + SyntheticStream.videoDelay)
    }
    let sound = (0..<Int64(seconds * 50)).map { block in
      let packet = SyntheticStream.soundPacket(block, epoch: Self.epoch)
      return Arrival(
        packet: PacketFile.Packet(
          header: packet.header,
          bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: block), count: packet.header.length)),
        time: packet.arrival)
    }
    return (video + sound).sorted { $0.time < $1.time }
  }

  /// The real writer, stepped in the packets' time: every packet comes into the ring, and the writer is woken as its thread
  /// would be. In the baseline nobody presses.
  private func store() throws {
    try Directory.make(path: directory)
    let arrivals = try arrivals()
    let camera = try EnrolledCamera(directory: directory, storePath: "\(directory)/store")
    let bytes = arrivals.reduce(0) { $0 + $1.packet.bytes.count }
    let ring = try SharedRing(
      memory: LockedMemory(byteCount: bytes * 2 + (1 << 20), allowSwap: true), packetCapacity: arrivals.count + 64,
      otherTracksShare: seconds * 8_000 + 4_096,
      horizon: PacketRing.Horizon(preEvent: .seconds(10), edgeToDecision: .seconds(5), gop: .seconds(1)))
    let (clock, wishes) = (VirtualClock(), StoreWishes())
    var closed = false
    var worker = StoreWorker(
      store: try camera.openStore(), ring: ring, profile: profile, commands: try BoundedQueue(capacity: 4),
      wishes: wishes, health: try CaptureHealth(), log: try EventLog(), now: { clock.now },
      report: { if case .closed(nil) = $0 { closed = true } })
    let started = CPUTime.now()
    defer { CPUTime.report(since: started) }
    var next = work(&worker)
    var isPressed = baseline
    for arrival in arrivals {
      clock.now = arrival.time
      _ = ring.append(arrival.packet.header, bytes: arrival.packet.bytes.span.bytes, now: clock.now)
      if case .sleep(let until, let awaited) = next, clock.now < until, arrival.packet.header.time < awaited, isPressed
      {
        continue
      }
      if !isPressed, arrival.packet.header.track == .video {
        isPressed = true
        press(wishes, ring: ring, now: clock.now)
      }
      next = work(&worker)
    }
    if baseline { return }
    wishes.end(at: Self.epoch + Self.frameInterval * Int64(seconds * 30 - 1), .stop)
    for _ in 0..<100 where !closed {
      clock.now += .milliseconds(50)
      next = work(&worker)
    }
    guard closed else { throw BenchmarkFailure("the recording was not closed") }
  }

  /// Steps it until it wants to sleep.
  private func work(_ worker: inout StoreWorker) -> StoreWorker.Next {
    while true {
      let next = worker.step()
      if next != .again { return next }
    }
  }

  private func press(_ wishes: StoreWishes, ring: SharedRing, now: MonotonicTime) {
    let start = ring.withRing { ring in
      let start = ring.startPoint(at: Self.epoch)
      ring.pin(.trigger, from: start.time)
      return start
    }
    wishes.open(
      OpenRequest(
        trigger: Trigger(source: .socket, time: now, decided: now), start: start, shortfall: nil, preEventAsked: .zero,
        soundFrom: .distantPast))
  }

  private var profile: RecordingProfile {
    RecordingProfile(
      video: SyntheticStream.video, audioChannels: 1, audioLookahead: SyntheticStream.lookahead,
      cameraName: "synthetic", microphoneName: "synthetic",
      plan: SegmentPlanner.Settings(
        checkpointInterval: .milliseconds(750), segmentLength: .seconds(60), videoInterval: Self.frameInterval,
        gop: .seconds(1)),
      reserveBytes: 0)
  }
}
