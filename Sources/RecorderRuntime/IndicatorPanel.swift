import Configuration
import Core
import Indicators
import LinuxIO
import Media

/// Lights, tone and vibration as the control loop has them: opened, switched by what is so, and opened again when one is lost.
///
/// The control loop's thread only. No system call while nothing changes.
final class IndicatorPanel {
  /// One output; closed while it is lost, but for a sound card, which opens itself again.
  private final class Lamp {
    let output: SignOutput
    let settings: OutputSettings
    var device: Output?
    /// Why it cannot be switched.
    var trouble: IndicatorError?
    /// The trouble that was said, until it has been lit again: one that only takes being switched off would fill the log.
    var said: IndicatorError.Kind?
    var nextTry = MonotonicTime.distantPast

    var opensItself: Bool {
      switch settings.place {
      case .gpio, .led, .pwm: false
      case .alsa: true
      }
    }

    init(_ output: SignOutput, _ settings: OutputSettings) {
      self.output = output
      self.settings = settings
    }
  }

  private var lamps: [Lamp]
  private let log: EventLog
  private var player: SignPlayer
  private static let retryInterval = Nanoseconds.seconds(1)

  /// Opens every output that is configured, and switches it off.
  ///
  /// - Throws: for a place that is no output, or that this machine or user cannot have. One that is not there now may come:
  ///   the recorder starts without it and says so.
  init(_ configuration: RecorderConfiguration, log: EventLog) throws(RecorderError) {
    self.log = log
    let indicators = configuration.indicators
    player = SignPlayer(table: configuration.signs.table.table, reminder: indicators.reminder)
    var lamps: [Lamp] = []
    for output in SignOutput.allCases where !indicators[output].isEmpty {
      do throws(IndicatorError) {
        let place = try OutputPlace(indicators[output])
        lamps.append(
          Lamp(
            output,
            OutputSettings(
              place: place, isActiveLow: indicators.isActiveLow, frequency: indicators.toneHertz,
              volume: indicators.tonePercent)))
      } catch {
        throw RecorderError(error, of: output)
      }
    }
    self.lamps = lamps
    for lamp in lamps {
      do throws(IndicatorError) { lamp.device = .some(try Output(lamp.settings)) } catch {
        switch error.kind {
        case .notFound, .busy, .lost, .failed: lose(lamp, error)
        case .malformed, .notOffered, .permission: throw RecorderError(error, of: lamp.output)
        }
      }
    }
    if !lamps.isEmpty {
      for problem in player.table.problems(with: indicators.outputs) {
        log.note(.note("with these indicators, \(problem)"))
      }
    }
  }

  var isStealth: Bool { player.isStealth }

  /// When `update` wants to be called again, if nothing happens before.
  private(set) var deadline = MonotonicTime.distantFuture

  /// What is so from now on.
  func update(main: Sign, conditions: Set<Sign>, now: MonotonicTime) {
    player.show(main: main, conditions: conditions, now: now)
    apply(now)
  }

  /// What happened just now.
  func play(_ cue: Cue, now: MonotonicTime) {
    player.play(cue, now: now)
    apply(now)
  }

  func setStealth(_ isOn: Bool, now: MonotonicTime) {
    player.setStealth(isOn, now: now)
    if !isOn { player.play(.stealth, now: now) }
    apply(now)
  }

  /// Switches everything off, for good.
  func goDark() {
    // Each output is off when it goes.
    lamps = []
    deadline = .distantFuture
  }

  /// For the status, a line for each output that is lost.
  var warnings: [String] {
    lamps.compactMap { lamp in lamp.trouble.map { "\(lamp.output.rawValue): \($0)" } }
  }

  private func apply(_ now: MonotonicTime) {
    let levels = player.levels(now: now)
    deadline = player.nextChange(after: now) ?? .distantFuture
    for lamp in lamps {
      if lamp.trouble != nil { reopen(lamp, now) }
      guard lamp.trouble == nil, lamp.device != nil else {
        deadline = min(deadline, lamp.nextTry)
        continue
      }
      do throws(IndicatorError) {
        try lamp.device?.set(levels[lamp.output])
        if lamp.said != nil, levels[lamp.output] {
          lamp.said = nil
          log.note(.note("the output \(lamp.output.rawValue) is back"))
        }
      } catch {
        lose(lamp, error)
        deadline = min(deadline, lamp.nextTry)
      }
    }
  }

  private func reopen(_ lamp: Lamp, _ now: MonotonicTime) {
    guard now >= lamp.nextTry else { return }
    // It says so when it is switched, if it is still lost.
    if lamp.device != nil { return lamp.trouble = nil }
    do throws(IndicatorError) {
      lamp.device = .some(try Output(lamp.settings))
      lamp.trouble = nil
    } catch {
      lose(lamp, error)
    }
  }

  private func lose(_ lamp: Lamp, _ error: IndicatorError) {
    // Each new reason is said once: an unplugged light would fill the log.
    if lamp.said != error.kind { log.note(.outputLost(lamp.output, error)) }
    lamp.said = error.kind
    if !lamp.opensItself { lamp.device = nil }
    lamp.trouble = error
    lamp.nextTry = .now() + Self.retryInterval
  }
}
