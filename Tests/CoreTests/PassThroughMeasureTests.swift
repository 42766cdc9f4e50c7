import Core
import Media
import Testing

@Suite("PassThroughMeasure")
struct PassThroughMeasureTests {
  private static let start = MonotonicTime(nanoseconds: 5_000_000_000)
  private static let interval = Nanoseconds(33_333_333)

  /// Feeds pictures at 30 a second until it is decided; how many that took.
  private func decide(
    limit: Int = 1_000, byteCount: (Int) -> Int = { _ in 10_000 }, isKeyframe: (Int) -> Bool,
    stepsBack: (Int) -> Bool = { _ in false }, isRecoveryPoint: (Int) -> Bool = { _ in false }
  ) -> (PassThroughMeasure.Verdict, pictures: Int) {
    var measure = PassThroughMeasure()
    for number in 0..<limit {
      let verdict = measure.take(
        time: Self.start + Self.interval * Int64(number), byteCount: byteCount(number), isKeyframe: isKeyframe(number),
        stepsBack: stepsBack(number), isRecoveryPoint: isRecoveryPoint(number))
      if verdict != .undecided { return (verdict, number + 1) }
    }
    return (.undecided, limit)
  }

  @Test("Three seconds of JPEGs are measured: rate, peak, mean, and every picture a keyframe")
  func jpegs() throws {
    let (verdict, pictures) = decide { _ in true }
    guard case .measured(let result) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(pictures == 92)
    #expect(result.span >= .seconds(3) && result.span < .milliseconds(3_040))
    #expect(abs(result.framesPerSecond - 30) < 0.01)
    #expect(result.group == Self.interval)
    #expect(result.largestPicture == 10_000)
    // 30 pictures are less than a second apart by a nanosecond or two, so 31 may be within one.
    #expect(result.peakBitsPerSecond == 31 * 80_000)
    #expect(abs(result.meanBitsPerSecond - 2_400_000) < 60_000)
  }

  @Test("The peak is the fullest second wherever it lies, not the mean")
  func peak() {
    let (verdict, _) = decide(byteCount: { (40..<70).contains($0) ? 50_000 : 5_000 }, isKeyframe: { _ in true })
    guard case .measured(let result) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(result.peakBitsPerSecond == (30 * 50_000 + 5_000) * 8)
    #expect(result.meanBitsPerSecond < result.peakBitsPerSecond / 2)
    #expect(result.largestPicture == 50_000)
  }

  @Test(
    "A group of up to four seconds is measured in full, wherever in one the measuring began",
    arguments: [15, 30, 60, 119],
    [0, 1, 14])
  func groups(length: Int, offset: Int) {
    let (verdict, pictures) = decide { ($0 + offset) % length == 0 }
    guard case .measured(let result) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(result.group == Self.interval * Int64(length))
    #expect(pictures <= 2 * length + 92)
  }

  @Test("A group of more than four seconds is refused as soon as that is seen", arguments: [0, 1, 100])
  func longGroup(offset: Int) {
    let (verdict, pictures) = decide { ($0 + offset) % 150 == 0 }
    guard case .refused(.longGroup(let group)) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(group > .seconds(4) && group < .milliseconds(4_040))
    #expect(pictures <= 150 + 122)
  }

  @Test("Recovery points without any IDR picture are refused by that name, no keyframe at all as a long group")
  func noKeyframe() {
    let (refreshing, _) = decide(isKeyframe: { _ in false }, isRecoveryPoint: { $0 % 30 == 0 })
    #expect(refreshing == .refused(.recoveryPointsOnly))
    // The first picture after the camera was started is an IDR picture even then.
    let (started, _) = decide(isKeyframe: { $0 == 0 }, isRecoveryPoint: { $0 % 30 == 0 })
    #expect(started == .refused(.recoveryPointsOnly))
    guard case .refused(.longGroup) = decide(isKeyframe: { _ in false }).0 else {
      Issue.record("not refused")
      return
    }
  }

  @Test("Pictures that step back are a source that reorders; two of them may be lost ones' numbers")
  func reorders() {
    #expect(
      decide(isKeyframe: { $0 % 30 == 0 }, stepsBack: { $0 % 3 == 2 }).0 == .refused(.reorders(3)))
    guard case .measured = decide(isKeyframe: { $0 % 30 == 0 }, stepsBack: { $0 == 7 || $0 == 50 }).0 else {
      Issue.record("refused")
      return
    }
  }
}
