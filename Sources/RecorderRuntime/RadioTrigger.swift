import Configuration
import Control
import Evidence
import Glibc
import LinuxIO
import Media
import Radio
import Synchronization

/// The radio as the control loop has it: what its thread is given, what it told, and whether a signal would be heard.
///
/// The control loop's thread only, but for the queue.
final class RadioTrigger {
  let link: RadioLink
  private(set) var state = ScannerState.starting
  private let plan: RadioPlan
  private let place: String
  /// Somebody else's advertisements may count as events.
  private let hasRules: Bool
  private let log: EventLog

  /// Nil: none is configured.
  /// - Throws: for keys or rules that are missing or wrong. An adapter that is not there may come: the recorder starts without
  ///   it and says so.
  init?(_ radio: RecorderConfiguration.Radio, identityPath: String, log: EventLog) throws(RecorderError) {
    guard !radio.adapter.isEmpty else { return nil }
    self.log = log
    var settings = RadioGateSettings()
    do throws(RadioRuleTextError) { settings.rules = try RadioRule.list(radio.unauthenticated) } catch {
      throw RecorderError(.configuration, "radio.unauthenticated: \(error)")
    }
    settings.groups = try Self.groups(radio.groups, isNeeded: settings.rules.isEmpty)
    settings.company = UInt16(clamping: radio.company)
    hasRules = !settings.rules.isEmpty
    let countersPath = "\(identityPath)/radio.counters"
    let counters = try Self.counters(countersPath, log)
    do throws(RadioSettingsError) {
      plan = RadioPlan(
        adapter: radio.adapter == "any" ? nil : radio.adapter, mode: radio.mode == .exclusive ? .exclusive : .shared,
        gate: try RadioGate(settings, counters: counters), countersPath: countersPath)
    } catch {
      throw RecorderError(.configuration, "\(error)")
    }
    do throws(LinuxError) { link = try RadioLink() } catch { throw RecorderError(error) }
    place = "\(radio.adapter), \(radio.mode.rawValue)"
  }

  private static func groups(_ path: String, isNeeded: Bool) throws(RecorderError) -> [RadioGroup] {
    guard !path.isEmpty else { return [] }
    let bytes: [UInt8]
    do throws(LinuxError) { bytes = try readSmallFile(path: path, limit: RadioGroupFile.byteLimit) } catch {
      if !isNeeded, error.errno == ENOENT { return [] }
      throw RecorderError(.identity, "radio.groups: \(error)")
    }
    do throws(RadioGroupFileError) { return try RadioGroupFile.groups(bytes) } catch {
      throw RecorderError(.identity, "radio.groups: \(path), \(error)")
    }
  }

  /// What a damaged file held is lost, and is no reason not to record.
  private static func counters(_ path: String, _ log: EventLog) throws(RecorderError) -> RadioCounters {
    let bytes: [UInt8]
    do throws(LinuxError) { bytes = try readSmallFile(path: path, limit: 256 << 10) } catch {
      if error.errno != ENOENT { log.note(.radioCounters(error)) }
      return RadioCounters()
    }
    do throws(RadioCountersError) { return try RadioCounters(bytes) } catch {
      log.note(.cardWarning("\(path): \(error)"))
      return RadioCounters()
    }
  }

  /// Begins to listen.
  func start(health: CaptureHealth) throws(LinuxError) {
    let (plan, link, log) = (plan, link, log)
    started = .now()
    _ = try NamedThread("radio") {
      do throws(LinuxError) {
        var loop = try RadioLoop(plan, link: link, health: health, log: log)
        loop.run()
      } catch {
        let trouble = HCIError(
          .failed, adapter: "Bluetooth", operation: error.operation, errno: error.errno, hint: error.hint)
        _ = link.notices.push(.state(.deaf(.adapter(trouble))))
        link.ended.signal()
      }
    }
  }

  /// Waits until its counters are stored, but not for a driver or a flash that stands still.
  func end() {
    guard started != nil else { return }
    link.ending.signal()
    link.ended.wait(until: .now() + .seconds(2))
  }

  /// A thread that looks around no more hears nothing, whatever it said last.
  private var standsStill: Bool {
    MonotonicTime.now() - MonotonicTime(nanoseconds: link.lastSeen.load(ordering: .relaxed)) > Self.patience
  }

  /// No signal would be heard.
  var isDeaf: Bool {
    switch state {
    case .deaf: true
    case .starting: started.map { .now() - $0 > Self.patience } ?? false
    case .listening: standsStill
    }
  }

  private var started: MonotonicTime?
  /// What a driver may take to open an adapter, and what is longer than any wait of the thread.
  private static let patience = Nanoseconds.seconds(15)

  /// Takes in what its thread told.
  func take(_ new: ScannerState) {
    guard new != state else { return }
    state = new
    switch new {
    case .starting: break
    case .listening: log.note(.radioListens(place))
    case .deaf(let reason): log.note(.radioDeaf(reason))
    }
  }

  /// What the device log has to say of it since the last time; nil: nothing.
  func takeChange() -> SourceHealth? {
    let now: SourceHealth? =
      switch state {
      case .deaf(let reason): SourceHealth(source: "radio", state: .deaf, cause: reason.code)
      case .starting, .listening:
        if isDeaf {
          SourceHealth(source: "radio", state: .deaf, cause: "no_answer")
        } else {
          state == .listening ? SourceHealth(source: "radio", state: .listening) : nil
        }
      }
    guard let now, now != told else { return nil }
    told = now
    if let standing { log.note(.note("the radio is deaf: \(standing)")) }
    return now
  }

  private var told: SourceHealth?

  /// Why nothing is heard although its thread said nothing of it; nil: that is not so.
  private var standing: String? {
    guard isDeaf else { return nil }
    return switch state {
    case .starting: "its driver does not finish opening it: look in `dmesg`, and plug the adapter in again"
    case .listening: "its driver, or the disk of identity.path, does not answer: look in `dmesg`"
    case .deaf: nil
    }
  }

  /// For the status.
  var shown: RecorderStatus.TriggerSource {
    let state: RecorderStatus.TriggerSource.State
    var reasons: [String] = []
    switch self.state {
    case .starting: state = isDeaf ? .deaf : .starting
    case .listening: state = isDeaf ? .deaf : .listening
    case .deaf(let reason):
      state = .deaf
      reasons.append(reason.description)
    }
    if let standing { reasons.append(standing) }
    if plan.mode == .shared {
      reasons.append("as well as it goes beside other programs, which can change what is heard")
    }
    if hasRules { reasons.append("anybody can send what radio.unauthenticated names") }
    return .init(
      kind: "radio", place: place, state: state, reason: reasons.isEmpty ? nil : reasons.joined(separator: "; "))
  }
}
