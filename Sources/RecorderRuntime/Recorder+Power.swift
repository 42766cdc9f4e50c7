import Core
import Evidence
import LinuxIO
import Media

extension Recorder {
  /// What the power supply did until now.
  func takePower(_ poller: inout Poller, isReadable: Bool) {
    for change in power.take(&poller, token: Token.power, isReadable: isReadable) { follow(change) }
  }

  /// SIGPWR: init, or the daemon of an uninterruptible supply, says that the power fails.
  func hearPowerSignal() {
    // Each one, also when it is known already.
    storeWishes.power(isFailing: true)
    ring.bell.signal()
    if let change = power.hearSignal() { follow(change) }
  }

  private func follow(_ change: PowerWatch.Change) {
    switch change {
    case .supply(let state):
      if let level = state.level, level != journalledLevel, let percent = state.percent,
        let condition = JournalEvent.BatteryCondition(rawValue: level.rawValue)
      {
        journalledLevel = level
        command(.audit(.event(.battery(condition, percent: Int64(percent)))))
      }
      let isCritical = state.level == .critical
      if isCritical != machine.isBatteryCritical { handle(.battery(isCritical: isCritical)) }
    case .failing(let since):
      // First what counts, then what is told of it.
      storeWishes.power(isFailing: true)
      ring.bell.signal()
      log.note(.powerFailing)
      tellPower(.fail, at: since)
    case .good(let time):
      storeWishes.power(isFailing: false)
      log.note(.note("power: the supply is good again"))
      tellPower(.good, at: time)
    }
  }

  private func tellPower(_ condition: JournalEvent.PowerCondition, at time: MonotonicTime) {
    let now = LinuxIO.ClockReading.now()
    let asleep = now.boottimeNanoseconds - now.monotonic.nanoseconds
    command(.audit(.event(.power(condition, edge: max(0, time.nanoseconds + asleep)))))
  }
}
