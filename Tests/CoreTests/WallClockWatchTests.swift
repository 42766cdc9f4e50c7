import Media
import Testing

@testable import Core

@Suite("The wall clock is watched")
struct WallClockWatchTests {
  private static let boot: Int64 = 5_000_000_000

  @Test("a clock that was set is noticed once, with what it would show else; one that drifts is not")
  func steps() {
    var watch = WallClockWatch()
    func look(_ wall: Int64, _ seconds: Int64) -> Int64? {
      watch.look(wallMilliseconds: wall, boottimeNanoseconds: Self.boot + seconds * 1_000_000_000)
    }
    #expect(look(1_800_000_000_000, 0) == nil, "the first look has nothing to compare with")
    #expect(look(1_800_000_005_000, 5) == nil)
    // 100 ms in 5 s is far more than a kernel's slewing of 500 ppm.
    #expect(look(1_800_000_010_100, 10) == nil)
    #expect(look(1_800_003_615_100, 15) == 1_800_000_015_100, "an hour ahead")
    #expect(look(1_800_003_620_100, 20) == nil, "told once")
    #expect(look(1_000_000, 25) == 1_800_003_625_100, "back to 1970")
  }

  @Test("the least step is noticed in both directions, one below is not", arguments: [-500, 500, -499, 499] as [Int64])
  func least(_ step: Int64) {
    var watch = WallClockWatch()
    _ = watch.look(wallMilliseconds: 1_800_000_000_000, boottimeNanoseconds: Self.boot)
    let was = watch.look(wallMilliseconds: 1_800_000_001_000 + step, boottimeNanoseconds: Self.boot + 1_000_000_000)
    #expect(was == (abs(step) >= 500 ? 1_800_000_001_000 : nil))
  }

  @Test("time asleep is no step")
  func asleep() {
    var watch = WallClockWatch()
    _ = watch.look(wallMilliseconds: 1_800_000_000_000, boottimeNanoseconds: Self.boot)
    let hour: Int64 = 3_600_000
    #expect(
      watch.look(wallMilliseconds: 1_800_000_000_000 + hour, boottimeNanoseconds: Self.boot + hour * 1_000_000) == nil)
  }
}
