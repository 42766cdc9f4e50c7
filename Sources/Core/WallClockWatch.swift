public import Media

/// Notices that the wall clock was set: readings in, steps out; no clock of its own.
public struct WallClockWatch: Hashable, Sendable {
  /// What disciplines a clock steers it slowly; what moves it by more at once has set it.
  public static let leastStep = Nanoseconds.milliseconds(500)

  private struct Reading: Hashable, Sendable {
    var wall: Int64
    var boottime: Int64
  }

  private var last: Reading?

  public init() {}

  /// - Parameters:
  ///   - wallMilliseconds: since 1970 UTC.
  ///   - boottimeNanoseconds: of CLOCK_BOOTTIME, read together with it.
  /// - Returns: what the wall clock would show now had it not been set since the last look, ms since 1970; nil when it was not
  ///   set.
  public mutating func look(wallMilliseconds: Int64, boottimeNanoseconds: Int64) -> Int64? {
    defer { last = Reading(wall: wallMilliseconds, boottime: boottimeNanoseconds) }
    guard let last else { return nil }
    let expected = last.wall + (boottimeNanoseconds - last.boottime) / 1_000_000
    return abs(wallMilliseconds - expected) >= Self.leastStep.inMilliseconds ? max(0, expected) : nil
  }
}
