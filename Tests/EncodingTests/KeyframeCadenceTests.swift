import Encoding
import Media
import Testing

@Suite struct KeyframeCadenceTests {
  /// The numbers of the frames, at these times in milliseconds, that become keyframes.
  private func keyframes(_ times: [Int64], requests: Set<Int> = []) -> [Int] {
    var cadence = KeyframeCadence(gop: .seconds(1), frameInterval: .milliseconds(40))
    return times.indices.filter { index in
      if requests.contains(index) { cadence.request() }
      return cadence.wantsKeyframe(at: MonotonicTime(nanoseconds: times[index] * 1_000_000))
    }
  }

  @Test("the first picture is a keyframe, then one each GOP, whatever the time of boot")
  func steady() {
    #expect(keyframes((0..<60).map { 123_456 + $0 * 40 }) == [0, 25, 50])
  }

  @Test("jitter of less than a quarter of an interval moves no keyframe to another picture")
  func jitter() {
    // 9 ms early at each keyframe that is due, 9 ms late at all others, and the other way round.
    let early = (0..<80).map { $0 * 40 + ($0 % 25 == 0 ? -9 : 9) } as [Int64]
    #expect(keyframes(early) == [0, 25, 50, 75])
    let late = (0..<80).map { $0 * 40 + ($0 % 25 == 0 ? 9 : -9) } as [Int64]
    #expect(keyframes(late) == [0, 25, 50, 75])
  }

  @Test("lost pictures do not stretch a GOP: the next picture after its end is the keyframe")
  func losses() {
    #expect(keyframes((0..<60).filter { !(20..<30).contains($0) }.map { $0 * 40 }).prefix(2) == [0, 20])
  }

  @Test("a request makes the next picture a keyframe, once, and the GOP counts from there")
  func requests() {
    #expect(keyframes((0..<60).map { $0 * 40 }, requests: [10]) == [0, 10, 35])
  }

  @Test("a clock that goes back gives a keyframe instead of a GOP without end")
  func backwards() {
    #expect(keyframes([5000, 5040, 40, 80]) == [0, 2])
  }
}
