import Configuration
import Core
import Evidence
import LinuxIO
import Media
import Synchronization
import Testing

@testable import RecorderRuntime

@Suite("PassThroughLoop")
struct PassThroughLoopTests {
  private static let interval = Nanoseconds(33_333_333)

  /// A loop on a ring of a megabyte, without its thread.
  private struct Bench {
    let ring: SharedRing
    let health: CaptureHealth
    let loop: PassThroughLoop
    let start = MonotonicTime.now()
    var reader: PictureReader
    var progress = PassThroughLoop.Progress()

    init(_ codec: VideoCodec) throws {
      ring = try SharedRing(
        memory: LockedMemory(byteCount: 1 << 20, allowSwap: true), packetCapacity: 512, otherTracksShare: 0,
        horizon: PacketRing.Horizon(preEvent: .seconds(5), edgeToDecision: .zero, gop: .milliseconds(250)))
      health = try CaptureHealth()
      let measured = PassThroughMeasure.Result(
        pictures: 90, span: .seconds(3), peakBitsPerSecond: 1_000_000, meanBitsPerSecond: 1_000_000, group: interval,
        largestPicture: 100)
      let stream = try PassThroughStream(
        reader: PictureReader(codec, width: 16, height: 8), width: 16, height: 8, measured: measured,
        interval: interval,
        device: "a camera", configuration: RecorderConfiguration())
      loop = PassThroughLoop(stream: stream, ring: ring, health: health, log: try EventLog())
      reader = loop.reader()
    }

    mutating func take(_ buffer: [UInt8], number: Int64) -> Bool {
      loop.take(
        buffer.span.bytes, time: start + interval * number, position: number, &reader, &progress)
    }

    var losses: [Loss] {
      var losses: [Loss] = []
      while let loss = health.losses.pop() { losses.append(loss) }
      return losses
    }

    var packets: [PacketHeader] {
      ring.withRing { ring in (ring.oldestSequence..<ring.nextSequence).compactMap { ring.header(at: $0) } }
    }

    func bytes(of packet: Int64) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: 1_000)
      let count = bytes.withUnsafeMutableBytes { space in
        ring.withRing { $0.copyBytes(of: packet, from: 0, into: space) }
      }
      return Array(bytes[..<count])
    }
  }

  /// The least that is read as a JPEG of 16x8 pixels.
  private static func jpeg(_ data: [UInt8], height: UInt8 = 8, end: [UInt8] = [0xFF, 0xD9]) -> [UInt8] {
    [0xFF, 0xD8, 0xFF, 0xC0, 0, 8, 8, 0, height, 0, 16, 1, 0xFF, 0xDA, 0, 2] + data + end
  }

  @Test(
    "Each JPEG is a keyframe of its own, byte for byte, at the camera's time and number, without what a driver adds")
  func jpegs() throws {
    var bench = try Bench(.jpeg)
    for number in 0..<5 as Range<Int64> {
      let taken = bench.take(Self.jpeg([UInt8(number)]) + [0, 0, 0], number: number)
      #expect(taken)
    }
    #expect(bench.losses.isEmpty)
    let packets = bench.packets
    #expect(packets.map(\.position) == [0, 1, 2, 3, 4])
    #expect(packets.map(\.time) == (0..<5).map { bench.start + Self.interval * $0 })
    #expect(packets.allSatisfy { $0.isKeyframe })
    for number in 0..<5 as Range<Int64> { #expect(bench.bytes(of: number) == Self.jpeg([UInt8(number)])) }
    guard case .trackLive(.video)? = bench.health.events.pop() else {
      Issue.record("the first picture makes the track live")
      return
    }
    #expect(bench.health.events.count == 0)
  }

  @Test(
    "A picture that was cut short is recorded and reported as damaged; one of which nothing is left is only reported")
  func damaged() throws {
    var bench = try Bench(.jpeg)
    let buffers = [
      Self.jpeg([1]), Self.jpeg([2, 2, 2], end: []), Array(Self.jpeg([3]).prefix(8)), Self.jpeg([4], height: 16),
      Self.jpeg([5]),
    ]
    for (number, buffer) in buffers.enumerated() {
      let goesOn = bench.take(buffer, number: Int64(number))
      #expect(goesOn)
    }
    #expect(bench.packets.map(\.position) == [0, 1, 4])
    #expect(bench.bytes(of: 1) == buffers[1])
    let losses = bench.losses
    #expect(losses.map(\.cause) == [.errorBuffer, .errorBuffer, .errorBuffer])
    #expect(losses.map(\.count) == [1, 1, 1])
    #expect(losses.map(\.from) == [1, 2, 3].map { bench.start + Self.interval * $0 })
  }

  @Test("Frames that never came and times that step back are reported for what they are")
  func losses() throws {
    var bench = try Bench(.jpeg)
    _ = bench.take(Self.jpeg([1]), number: 0)
    bench.progress.missing = 3
    _ = bench.take(Self.jpeg([2]), number: 4)
    _ = bench.take(Self.jpeg([3]), number: 4)
    let losses = bench.losses
    #expect(losses.map(\.cause) == [.sequence, .badTimestamp])
    #expect(losses.first?.count == 3 && losses.first?.from == bench.start)
    #expect(losses.first?.to == bench.start + Self.interval * 4)
    #expect(bench.packets.count == 2)
  }

  @Test(
    "A camera that was opened again counts from its first picture on, and what is missing is reported as lost with it")
  func reopened() throws {
    var bench = try Bench(.jpeg)
    _ = bench.take(Self.jpeg([1]), number: 0)
    bench.progress.needsKeyframe = true
    _ = bench.take(Array(Self.jpeg([2]).prefix(8)), number: 30)
    #expect(bench.losses.isEmpty)
    _ = bench.take(Self.jpeg([3]), number: 31)
    let losses = bench.losses
    #expect(losses.map(\.cause) == [.deviceLost] && losses.first?.count == 30)
    #expect(bench.packets.map(\.position) == [0, 31])
    var events: [String] = []
    while let event = bench.health.events.pop() {
      switch event {
      case .trackLive: events.append("live")
      case .deviceLost: events.append("lost")
      case .deviceBack: events.append("back")
      case .encoding: events.append("encoding")
      }
    }
    #expect(events == ["live", "back"])
  }

  @Test(
    "Frames that are missing before a damaged one are told with it, and what the camera's absence cost begins behind it"
  )
  func damagedLast() throws {
    var bench = try Bench(.jpeg)
    let cut = Array(Self.jpeg([2]).prefix(8))
    _ = bench.take(Self.jpeg([1]), number: 0)
    bench.progress.missing = 10
    _ = bench.take(cut, number: 11)
    var losses = bench.losses
    #expect(losses.map(\.cause) == [.sequence, .errorBuffer] && losses.map(\.count) == [10, 1])
    #expect(losses.first?.from == bench.start && losses.first?.to == bench.start + Self.interval * 11)
    for number in 12..<20 as Range<Int64> { _ = bench.take(cut, number: number) }
    bench.progress.needsKeyframe = true
    _ = bench.take(Self.jpeg([3]), number: 30)
    losses = bench.losses
    #expect(losses.count == 9 && losses.dropLast().allSatisfy { $0.cause == .errorBuffer && $0.count == 1 })
    #expect(losses.last?.cause == .deviceLost)
    #expect(losses.last?.count == 10 && losses.last?.from == bench.start + Self.interval * 19)
  }

  @Test("A camera that goes on without a picture, or without a keyframe, is to be opened again")
  func nothingOfUse() throws {
    var bench = try Bench(.jpeg)
    let now = MonotonicTime.now()
    bench.progress.lastPicture = now
    bench.progress.lastKeyframe = now
    #expect(bench.loop.missing(bench.progress, now: now + .seconds(2)) == nil)
    #expect(bench.loop.missing(bench.progress, now: now + .milliseconds(2_001))?.contains("no picture") == true)
    bench.progress.lastPicture = now + .seconds(8)
    #expect(bench.loop.missing(bench.progress, now: now + .seconds(8)) == nil)
    #expect(bench.loop.missing(bench.progress, now: now + .milliseconds(8_001))?.contains("no keyframe") == true)
  }

  @Test("What the memory cannot take is refused and reported; nothing that is pinned goes")
  func full() throws {
    var bench = try Bench(.jpeg)
    _ = bench.take(Self.jpeg([1]), number: 0)
    let start = bench.start
    bench.ring.withRing { $0.pin(.recording, from: start) }
    let large = Self.jpeg([UInt8](repeating: 7, count: 200_000))
    for number in 1..<40 as Range<Int64> { _ = bench.take(large, number: number) }
    #expect(bench.packets.first?.position == 0)
    #expect(bench.packets.count < 10)
    let losses = bench.losses
    #expect(!losses.isEmpty && losses.allSatisfy { $0.cause == .ringFull })
    #expect(bench.health.framesRefused.load(ordering: .relaxed) == 40 - bench.packets.count)
  }
}
