import Core
import Evidence
import EvidenceStore
import LinuxIO
import Media

extension Recorder {
  private static let clockInterval = Nanoseconds.seconds(5)

  /// Notices that the wall clock was set, or is kept right by something else than before. Once in some seconds; three system
  /// calls.
  func lookAtClock() {
    let now = MonotonicTime.now()
    guard now >= nextClockLook else { return }
    nextClockLook = now + Self.clockInterval
    let before = Clocks.boottimeNanoseconds()
    let wall = Clocks.wallMilliseconds()
    // A thread that was set aside between two readings would see a step where there is none.
    guard Clocks.boottimeNanoseconds() - before < 10_000_000 else { return }
    if let was = clockWatch.look(wallMilliseconds: wall, boottimeNanoseconds: before) {
      log.note(.clockSet(was: was))
      command(.notice(.clockStep(was: was)))
    }
    let state = ClockState.now()
    if let clockState, clockState != state { command(.audit(.clockState(state.source, state.trust))) }
    clockState = state
  }

  /// For the device log, once the store is open: what this process works with.
  func noteWhatIsInEffect() {
    command(
      .audit(.configuration(opening.facts.configurationHash, software: opening.facts.softwareHash)))
    let state = ClockState.now()
    clockState = state
    command(.audit(.clockState(state.source, state.trust)))
  }
}
