import Media
import Testing

@testable import HardwareCodec

@Suite struct PicturesInCodecTests {
  private func time(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

  private func given(_ times: [Int64]) -> (PicturesInCodec<String>, [Int64]) {
    var pictures = PicturesInCodec<String>()
    let stamps = times.enumerated().map { index, nanoseconds in
      let stamp = pictures.stamp(for: time(nanoseconds))
      pictures.give(stamp, at: time(nanoseconds + 5), "p\(index)")
      return stamp
    }
    return (pictures, stamps)
  }

  @Test("stamps are the microseconds of the time, and rise where times do not differ in them")
  func stamps() {
    let (_, stamps) = given([1_000_999, 1_001_000, 1_001_400, 1_001_900, 5_000_000, 4_000_000])
    #expect(stamps == [1_000, 1_001, 1_002, 1_003, 5_000, 5_001])
  }

  @Test("each stamp brings its picture once, and those before it count as dropped")
  func take() {
    var (pictures, stamps) = given([1_000_000, 2_000_000, 3_000_000, 4_000_000])
    func taken(_ stamp: Int64) -> String {
      switch pictures.take(stamp) {
      case .picture(let picture, let skipped): "\(picture.facts) after \(skipped)"
      case .unknown: "unknown"
      }
    }
    #expect(pictures.oldestSince == time(1_000_005))
    #expect(taken(stamps[0]) == "p0 after 0")
    #expect(taken(stamps[0]) == "unknown")
    #expect(taken(7) == "unknown")
    #expect(pictures.count == 3 && pictures.oldestStamp == 2_000)
    #expect(taken(stamps[2]) == "p2 after 1")
    #expect(taken(stamps[1]) == "unknown")
    #expect(taken(stamps[3]) == "p3 after 0")
    #expect(pictures.count == 0 && pictures.oldestSince == nil)
  }
}
