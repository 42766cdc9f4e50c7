import Core
import Evidence
import LinuxIO
import Media
import Radio
import Synchronization

extension Recorder {
  /// What the radio heard until now.
  func takeRadio() {
    guard let radio else { return }
    radio.link.notices.ready.drain()
    while let notice = radio.link.notices.pop() {
      switch notice {
      case .state(let state):
        radio.take(state)
      case .signal(let signal, let time): act(on: signal, at: time)
      case .refused(let refusal, let count): tellRefusals(refusal, count)
      }
    }
    if let health = radio.takeChange() { command(.audit(.source(health))) }
  }

  /// The recorder ends before it was time to tell them.
  func tellLastRefusals() {
    guard let radio, !hasToldLastRefusals else { return }
    hasToldLastRefusals = true
    for summary in radio.link.untold.withLock({ $0 }) { tellRefusals(summary.refusal, summary.count) }
  }

  private func tellRefusals(_ refusal: RadioRefusal, _ count: Int) {
    log.note(.radioRefused(refusal, count))
    command(.audit(.radio(RadioRefusals(cause: refusal.rawValue, count: Int64(count)))))
  }

  /// A radio signal starts and marks. There is no way from here to a stop.
  private func act(on signal: RadioSignal, at time: MonotonicTime) {
    log.note(.radioSignal(signal))
    let source: Trigger.Source = signal.isAuthenticated ? .radio : .unauthenticatedRadio
    switch signal.event.effect {
    case .start: _ = trigger(source, signal.event.reason, at: time, detail: signal.detail)
    case .mark: markByRadio(signal, source, at: time)
    case .nothing: break
    }
  }

  private func markByRadio(_ signal: RadioSignal, _ source: Trigger.Source, at time: MonotonicTime) {
    markMessage = "source=\(source.rawValue)\n\(signal.detail)"
    let answer = perform(machine.handle(.mark(time), now: .now()))
    answerWithSign(answer)
    switch answer {
    case .marked: break
    default: fate(heard(source, nil, at: time), .idle)
    }
  }
}

extension RadioEvent {
  /// As a trigger's reason. One that this version has no name for is `other`.
  var reason: Trigger.Reason { Trigger.Reason(rawValue: name) ?? .other }
}

extension RadioSignal {
  /// What the footage says of it: `key=value`, a line each.
  var detail: String {
    var lines = ["event=\(event.name)", "event_byte=\(event.rawValue)"]
    switch source {
    case .emitter(let group, let emitter, let counter, let age):
      lines += ["group=\(group)", "emitter=\(emitter)", "counter=\(counter)"]
      lines.append("age_min=\(age.map { "\($0)" } ?? "unknown")")
    case .rule(let index): lines.append("rule=\(index + 1)")
    }
    lines.append("address=\(address)")
    if let rssi { lines.append("rssi_dbm=\(rssi)") }
    return lines.joined(separator: "\n")
  }
}
