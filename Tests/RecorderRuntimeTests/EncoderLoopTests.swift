import Core
import Encoding
import Evidence
import LinuxIO
import Media
import Synchronization
import Testing

@testable import RecorderRuntime

@Suite("The encoder's thread")
struct EncoderLoopTests {
  /// A real encoder that behaves as hardware may: packets come some pictures late, some never, and at last it fails.
  private final class LateEncoder: VideoEncoder {
    let settings: VideoEncoderSettings
    var parameterSets: H264ParameterSets { inner.parameterSets }

    private let inner: any VideoEncoder
    private let delay: Int
    private let dropped: Set<Int64>
    private let failsAt: Int64?
    private var waiting: [(header: PacketHeader, bytes: [UInt8])] = []

    init(_ settings: VideoEncoderSettings, delay: Int, dropped: Set<Int64>, failsAt: Int64?) throws {
      self.settings = settings
      self.delay = delay
      self.dropped = dropped
      self.failsAt = failsAt
      inner = try VideoEncoderKind.x264.open(settings)
    }

    func encode(
      picture: RawSpan, layout: I420Layout, time: MonotonicTime, position: Int64, forceKeyframe: Bool,
      emit: (PacketHeader, RawSpan) -> Void
    ) throws(EncodingError) {
      if position == failsAt { throw .device("it fails") }
      var packet: (header: PacketHeader, bytes: [UInt8])?
      try inner.encode(
        picture: picture, layout: layout, time: time, position: position, forceKeyframe: forceKeyframe
      ) { header, bytes in packet = (header, bytes.withUnsafeBytes { [UInt8]($0) }) }
      if let packet, !dropped.contains(position) { waiting.append(packet) }
      give(upTo: waiting.count - delay, emit)
    }

    func collect(emit: (PacketHeader, RawSpan) -> Void) throws(EncodingError) { give(upTo: waiting.count, emit) }

    private func give(upTo count: Int, _ emit: (PacketHeader, RawSpan) -> Void) {
      guard count > 0 else { return }
      for packet in waiting.prefix(count) { emit(packet.header, packet.bytes.span.bytes) }
      waiting.removeFirst(count)
    }
  }

  private struct Account {
    var headers: [PacketHeader] = []
    var losses: [Loss] = []
  }

  /// Sends pictures through the loop and waits until each is a packet or a loss.
  private func run(_ pictures: Int64, delay: Int, dropped: Set<Int64> = [], failsAt: Int64? = nil) throws -> Account {
    let layout = try #require(I420Layout(width: 64, height: 48))
    let settings = VideoEncoderSettings(
      width: 64, height: 48, framesPerSecond: 30, bitrate: 100_000, peakBitrate: 200_000, gop: .milliseconds(500),
      threads: 1)
    let encoder = Handover(
      OpenedDevices.EncoderBox(
        encoder: try LateEncoder(settings, delay: delay, dropped: dropped, failsAt: failsAt)))
    let exchange = try FrameExchange(layout: layout, allowSwap: true)
    let health = try CaptureHealth()
    let ring = try SharedRing(
      memory: try LockedMemory(byteCount: 1 << 20, allowSwap: true), packetCapacity: 256, otherTracksShare: 0,
      horizon: PacketRing.Horizon(preEvent: .seconds(60), edgeToDecision: .zero, gop: .milliseconds(500)))
    let loop = EncoderLoop(
      exchange: exchange, ring: ring, health: health, settings: settings, kind: .x264, log: try EventLog())
    let thread = try NamedThread("encoder", stackSize: 1 << 20) {
      if let box = encoder.take() { loop.run(box.encoder) }
    }
    let start = MonotonicTime.now()
    let limit = start + .seconds(60)
    for position in 0..<pictures {
      guard exchange.waitForFree(until: limit) else { break }
      exchange.fill { picture in
        picture.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: position * 3))
        return (start + .milliseconds(33 * position), position)
      }
    }
    var result = Account()
    while result.headers.count + Int(result.losses.reduce(0) { $0 + $1.count }) < pictures, .now() < limit {
      while let loss = health.losses.pop() { result.losses.append(loss) }
      result.headers = ring.withRing { ring in (0..<256).compactMap { ring.header(at: $0) } }
      MonotonicTime.sleep(until: .now() + .milliseconds(5))
    }
    health.isStopping.store(true, ordering: .relaxed)
    thread.join()
    while let loss = health.losses.pop() { result.losses.append(loss) }
    return result
  }

  @Test("Packets that come pictures late are stored as they come, the last ones when no picture comes any more")
  func late() throws {
    let result = try run(40, delay: 3)
    #expect(result.headers.map(\.position) == Array(0..<40))
    #expect(result.losses.isEmpty)
    #expect(result.headers.first?.isKeyframe == true)
  }

  @Test(
    "Pictures that the encoder drops, and those in it when it fails, are counted as lost, each once, where they were")
  func lost() throws {
    let result = try run(40, delay: 2, dropped: [5, 6, 11], failsAt: 20)
    let start = try #require(result.headers.first?.time)
    func at(_ position: Int64) -> MonotonicTime { start + .milliseconds(33 * position) }
    #expect(result.headers.map(\.position) == Array(0..<40).filter { ![5, 6, 11, 18, 19, 20].contains($0) })
    #expect(
      result.losses == [
        Loss(track: .video, from: at(4), to: at(7), count: 2, cause: .encoderFailed),
        Loss(track: .video, from: at(10), to: at(12), count: 1, cause: .encoderFailed),
        Loss(track: .video, from: at(17), to: at(20), count: 3, cause: .encoderFailed),
      ])
    // The one that replaced it begins with a keyframe.
    #expect(result.headers.first { $0.position == 21 }?.isKeyframe == true)
  }
}
