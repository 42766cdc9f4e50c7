import Media
import Testing

@testable import Benchmarks

@Suite struct SyntheticStreamTests {
  @Test(arguments: [100_000, 500_000, 2_000_000, 4_000_000, 8_000_000, 4_999_992])
  func everySecondHasExactlyItsBytes(_ bitrate: Int) {
    let epoch = MonotonicTime(nanoseconds: 1_000)
    var stream = SyntheticStream(bitrate: bitrate, epoch: epoch)
    var bytes = [Int](repeating: 0, count: 20)
    while true {
      let header = stream.next().header
      let second = Int((header.time - epoch).count / 1_000_000_000)
      if second >= 21 { break }
      if second < bytes.count { bytes[second] += header.length }
    }
    #expect(bytes.allSatisfy { $0 == bitrate / 8 })
  }

  @Test func packetsComeInOrderOfArrivalAndWithoutAGap() {
    var stream = SyntheticStream(bitrate: 2_000_000, epoch: MonotonicTime(nanoseconds: 0))
    var last = MonotonicTime.distantPast
    var next: [TrackID: Int64] = [.video: 0, .audio: 0]
    for _ in 0..<2_000 {
      let packet = stream.next()
      #expect(packet.arrival >= last && packet.arrival > packet.header.time)
      #expect(packet.header.position == next[packet.header.track])
      #expect(packet.header.isKeyframe == (packet.header.track == .video && packet.header.position % 30 == 0))
      last = packet.arrival
      next[packet.header.track, default: 0] += packet.header.track == .video ? 1 : 960
    }
  }
}
