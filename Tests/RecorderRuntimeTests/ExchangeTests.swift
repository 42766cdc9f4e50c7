import Core
import LinuxIO
import Media
import Synchronization
import Testing

@testable import RecorderRuntime

@Suite("Between threads")
struct ExchangeTests {
  private final class Wakes: Sendable {
    let count = Atomic<Int>(0)
  }

  private final class Seen: Sendable {
    let positions = Mutex<[Int64]>([])
    let damaged = Atomic<Int>(0)
  }

  @Test("of 20,000 pictures handed from thread to thread none is lost, doubled, out of order or overwritten")
  func pictures() throws {
    let layout = try #require(I420Layout(width: 16, height: 16))
    let exchange = try FrameExchange(layout: layout, allowSwap: true)
    let seen = Seen()
    let count: Int64 = 20_000
    let encoder = try NamedThread("encoder") {
      var taken: Int64 = 0
      while taken < count, let ready = exchange.next(until: .now() + .seconds(20)) {
        exchange.consume(ready) { picture in
          let wanted = UInt8(truncatingIfNeeded: ready.position)
          let first = picture.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
          let last = picture.unsafeLoad(fromByteOffset: picture.byteCount - 1, as: UInt8.self)
          if first != wanted || last != wanted { seen.damaged.add(1, ordering: .relaxed) }
        }
        seen.positions.withLock { $0.append(ready.position) }
        taken += 1
      }
    }
    var position: Int64 = 0
    while position < count {
      guard exchange.waitForFree(until: .now() + .seconds(20)) else { break }
      // Every seventh picture is damaged at the source and discarded.
      if position % 7 == 0 { exchange.fill { _ in nil } }
      exchange.fill { picture in
        picture.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: position))
        return (MonotonicTime(nanoseconds: position), position)
      }
      position += 1
    }
    encoder.join()
    #expect(seen.positions.withLock { $0 } == Array(0..<count))
    #expect(seen.damaged.load(ordering: .relaxed) == 0)
    #expect(exchange.backlog == 0)
  }

  @Test("with all pictures in flight filling is refused, and a picture given back is free at once")
  func full() throws {
    let layout = try #require(I420Layout(width: 16, height: 16))
    let exchange = try FrameExchange(layout: layout, allowSwap: true)
    for slot in 0..<FrameExchange.slotCount {
      #expect(exchange.fill { _ in (MonotonicTime(nanoseconds: Int64(slot)), Int64(slot)) })
    }
    #expect(!exchange.fill { _ in (.distantPast, 9) })
    #expect(!exchange.waitForFree(until: .distantPast))
    let ready = try #require(exchange.next(until: .distantPast))
    #expect(!exchange.waitForFree(until: .distantPast))
    exchange.consume(ready) { _ in }
    #expect(exchange.waitForFree(until: .distantPast))
    #expect(exchange.next(until: .distantPast)?.position == 1)
  }

  @Test("pictures that are free can be wiped, and the one that waits to be encoded stays as it is")
  func wiped() throws {
    let layout = try #require(I420Layout(width: 16, height: 16))
    let exchange = try FrameExchange(layout: layout, allowSwap: true)
    for position in Int64(1)...3 {
      exchange.fill { picture in
        picture.initializeMemory(as: UInt8.self, repeating: UInt8(position))
        return (MonotonicTime(nanoseconds: position), position)
      }
    }
    for _ in 0..<2 { exchange.consume(try #require(exchange.next(until: .distantPast))) { _ in } }
    exchange.wipeFree()
    exchange.consume(try #require(exchange.next(until: .distantPast))) { picture in
      #expect(picture.withUnsafeBytes { $0.allSatisfy { $0 == 3 } })
    }
    // Both free ones are still there to be filled, and hold nothing.
    for _ in 0..<2 {
      exchange.fill { picture in
        #expect(picture.allSatisfy { $0 == 0 } || picture.allSatisfy { $0 == 3 })
        return (.distantPast, 0)
      }
    }
    #expect(exchange.backlog == 2)
  }

  private static func sharedRing() throws -> SharedRing {
    try SharedRing(
      memory: LockedMemory(byteCount: 1 << 20, allowSwap: true), packetCapacity: 8_192, otherTracksShare: 1 << 18,
      horizon: .init(preEvent: .seconds(1_000_000), edgeToDecision: .zero, gop: .seconds(1)))
  }

  @Test("packets of two threads come out of the ring whole, each track in order, while a third thread reads")
  func packets() throws {
    let ring = try Self.sharedRing()
    let count: Int64 = 3_000
    func produce(_ track: TrackID) -> @Sendable () -> Void {
      {
        for position in 0..<count {
          let length = 20 + Int(position % 60)
          let header = PacketHeader(
            track: track, flags: position % 30 == 0 ? .keyframe : [], length: length,
            time: MonotonicTime(nanoseconds: position * 1_000_000), position: position)
          let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: position), count: length)
          _ = ring.append(header, bytes: bytes.span.bytes, now: header.time)
        }
      }
    }
    let threads = [try NamedThread("video", produce(.video)), try NamedThread("audio", produce(.audio))]
    var next: [TrackID: Int64] = [.video: 0, .audio: 0]
    var cursor: [TrackID: Int64] = [.video: 0, .audio: 0]
    var isWhole = true
    let deadline = MonotonicTime.now() + .seconds(30)
    while next.values.contains(where: { $0 < count }), MonotonicTime.now() < deadline {
      var hasRead = false
      for track in [TrackID.video, .audio] {
        let from = cursor[track] ?? 0
        let found = ring.withRing { ring -> Found? in
          guard let (sequence, header) = ring.nextPacket(of: track, from: from) else { return nil }
          var bytes = [UInt8](repeating: 0, count: header.length)
          let copied = bytes.withUnsafeMutableBytes { ring.copyBytes(of: sequence, from: 0, into: $0) }
          return Found(
            sequence: sequence, position: header.position, bytes: Array(bytes[..<copied]), length: header.length)
        }
        guard let found else { continue }
        hasRead = true
        isWhole =
          isWhole && found.position == next[track] && found.bytes.count == found.length
          && found.bytes.allSatisfy { $0 == UInt8(truncatingIfNeeded: found.position) }
        next[track] = found.position + 1
        cursor[track] = found.sequence + 1
      }
      if !hasRead { ring.sleep(until: .now() + .milliseconds(50), packet: .distantPast) }
    }
    for thread in threads { thread.join() }
    #expect(isWhole)
    #expect(next == [.video: count, .audio: count])
  }

  private struct Found: Sendable {
    var sequence: Int64
    var position: Int64
    var bytes: [UInt8]
    var length: Int
  }

  @Test("a writer that sleeps is woken by the packet it waits for, by a command, and by neither too early a packet")
  func wakes() throws {
    let ring = try Self.sharedRing()
    let byte: [UInt8] = [1]
    func append(_ milliseconds: Int64) {
      for track in [TrackID.video, .audio] {
        let header = PacketHeader(
          track: track, flags: .keyframe, length: 1, time: MonotonicTime(nanoseconds: milliseconds * 1_000_000),
          position: 0)
        _ = ring.append(header, bytes: byte.span.bytes, now: header.time)
      }
    }
    let far = MonotonicTime.now() + .seconds(100)
    let woken = Wakes()
    func sleeper(_ packet: Int64) throws -> NamedThread {
      try NamedThread("writer") {
        ring.sleep(until: far, packet: MonotonicTime(nanoseconds: packet * 1_000_000))
        woken.count.add(1, ordering: .sequentiallyConsistent)
      }
    }
    // By the packet. The append may come before the sleep or in it: both must wake.
    for round in Int64(1)...50 {
      let thread = try sleeper(round * 1_000)
      append(round * 1_000)
      thread.join()
    }
    // By a command.
    let commanded = try sleeper(1_000_000)
    ring.bell.signal()
    commanded.join()
    // A packet before the one awaited leaves it asleep; the one awaited wakes it.
    let patient = try sleeper(500_000)
    let before = woken.count.load(ordering: .sequentiallyConsistent)
    for early in Int64(0)..<20 {
      append(300_000 + early)
      MonotonicTime.sleep(until: .now() + .milliseconds(1))
    }
    #expect(woken.count.load(ordering: .sequentiallyConsistent) == before)
    append(500_000)
    patient.join()
    #expect(MonotonicTime.now() < far)
  }
}
