public import Evidence
import LinuxIO

/// What keeps the wall clock right, and how far it can be trusted, as journals and the device log say it.
public struct ClockState: Hashable, Sendable {
  public var source: WallClockSource
  public var trust: WallClockTrust

  public init(source: WallClockSource, trust: WallClockTrust) {
    self.source = source
    self.trust = trust
  }

  /// One system call.
  public static func now() -> ClockState {
    if Clocks.wallClockState().isSynchronised { return ClockState(source: .ntp, trust: .synchronized) }
    let isPlausible = WallClockState.isPlausible(Clocks.wallMilliseconds())
    return ClockState(source: .unknown, trust: isPlausible ? .held : .none)
  }
}
