import Configuration
import Control
import Core
import Evidence
import LinuxIO
import Media
import Triggers

/// A button as the control loop has it: opened, watched, and opened again when it is lost; its edges become
/// gestures.
///
/// The control loop's thread only. Costs two system calls a second while nobody touches it.
final class GestureButton {
  /// What is said of it, and where.
  struct Role: Hashable {
    /// In the log: `the record button`.
    var name: String
    /// In the status.
    var kind: String
    /// In the device log.
    var source: String

    static let record = Role(name: "record button", kind: "button", source: "button")
    static let mute = Role(name: "mute button", kind: "mute", source: "mute_button")
  }

  /// What the status and the signs show of it.
  enum Health: Hashable {
    case listening
    /// It cannot be heard: why, and what to do.
    case deaf(TriggerError)
    /// Held for so long that nobody can mean it.
    case stuck
  }

  let place: ButtonPlace
  private let role: Role
  private let gestures: Set<Gesture>
  private(set) var health: Health
  private let settings: ButtonSettings
  private let times: GestureTimes
  private let log: EventLog
  private var button: Button?
  private var recognizer: GestureRecognizer
  private var isWatched = false
  private var told: SourceHealth?
  /// When to look whether it is still there, or there again: a kernel may say nothing when a GPIO chip goes.
  private var nextLook = MonotonicTime.distantPast
  private static let lookInterval = Nanoseconds.seconds(1)

  /// - Throws: for a place that is no button, or that this machine or user cannot have. One that is not there now may come:
  ///   the recorder starts without it and says so.
  init?(
    _ role: Role, at place: String, gestures: Set<Gesture>, _ buttons: RecorderConfiguration.Buttons, log: EventLog
  ) throws(RecorderError) {
    guard !place.isEmpty else { return nil }
    do throws(TriggerError) { self.place = try ButtonPlace(place) } catch { throw RecorderError(error) }
    self.role = role
    self.gestures = gestures
    self.log = log
    times = buttons.times
    settings = ButtonSettings(
      place: self.place, isActiveLow: buttons.recordIsActiveLow, debounce: buttons.times.debounce,
      setsPull: buttons.recordSetsPull)
    recognizer = GestureRecognizer(times: times, gestures: gestures, isPressed: false, time: .now())
    health = .listening
    do throws(TriggerError) { try open() } catch {
      switch error.kind {
      case .notFound, .busy, .lost, .failed: lose(error)
      case .malformed, .notOffered, .permission, .unsupported: throw RecorderError(error)
      }
    }
  }

  private func open() throws(TriggerError) {
    let opened = try Button(settings)
    recognizer = GestureRecognizer(
      times: times, gestures: gestures, isPressed: opened.isPressedAtStart, time: .now())
    if opened.isPressedAtStart { log.note(.note("the \(role.name) is down already: it counts when it is let go")) }
    if opened.wasPullRefused {
      log.note(.note("the chip of the \(role.name) has no pull resistor to set; the board must have one"))
    }
    button = .some(consume opened)
    health = .listening
  }

  /// What the device log has to say of it since the last time; nil: nothing.
  func takeChange() -> SourceHealth? {
    let now =
      switch health {
      case .listening: SourceHealth(source: role.source, state: .listening)
      case .deaf(let error): SourceHealth(source: role.source, state: .deaf, cause: error.kind.rawValue)
      case .stuck: SourceHealth(source: role.source, state: .stuck)
      }
    defer { told = now }
    return now == told ? nil : now
  }

  /// For the status.
  var shown: RecorderStatus.TriggerSource {
    let place = place.description
    return switch health {
    case .listening: .init(kind: role.kind, place: place, state: .listening)
    case .deaf(let error): .init(kind: role.kind, place: place, state: .deaf, reason: error.description)
    case .stuck:
      .init(kind: role.kind, place: place, state: .stuck, reason: "it is held: let it go, or look what lies on it")
    }
  }

  private func lose(_ error: TriggerError) {
    // Each new reason is said once: an unplugged button would fill the log.
    if case .deaf(let before) = health, before.kind == error.kind {} else { log.note(.buttonLost(role.name, error)) }
    health = .deaf(error)
    button = nil
    isWatched = false
    // A press that was going on is none: its release will never be heard.
    recognizer = GestureRecognizer(times: times, gestures: gestures, isPressed: false, time: .now())
    nextLook = .now() + Self.lookInterval
  }

  /// When `take` wants to be called again, if nothing is readable before.
  var deadline: MonotonicTime { min(recognizer.deadline ?? .distantFuture, nextLook) }

  /// Everything that the button did until now. Watches it in `poller` under `token`, also when it came back.
  /// - Parameter isReadable: the poller says so; else nothing is done before `deadline`.
  func take(_ poller: inout Poller, token: UInt64, isReadable: Bool) -> [GestureRecognizer.Outcome] {
    // Before the edges are read: what nothing happening decides is decided only up to here.
    let now = MonotonicTime.now()
    guard isReadable || now >= deadline || !isWatched else { return [] }
    if button == nil, now >= nextLook {
      do throws(TriggerError) {
        try open()
        log.note(.buttonBack(role.name, place.description))
      } catch {
        lose(error)
      }
    }
    guard button != nil else { return [] }
    nextLook = now + Self.lookInterval
    watch(&poller, token: token)
    var outcomes: [GestureRecognizer.Outcome] = []
    do throws(TriggerError) {
      while let event = try button?.next() {
        switch event {
        case .edge(let isPressed, let time): outcomes += recognizer.edge(isPressed: isPressed, time: time)
        case .resynchronised(let isPressed, let time):
          log.note(.note("edges of the \(role.name) were lost, because nobody read them for long"))
          outcomes += recognizer.resynchronise(isPressed: isPressed, time: time)
        }
      }
    } catch {
      if let raw = button?.rawValue, isWatched { try? poller.remove(raw) }
      lose(error)
    }
    outcomes += recognizer.pass(now: now)
    for outcome in outcomes { note(outcome) }
    return outcomes
  }

  private func note(_ outcome: GestureRecognizer.Outcome) {
    switch outcome {
    case .stuck:
      health = .stuck
      log.note(
        .note("the \(role.name) has been held for \(times.stuck.inMilliseconds / 1_000) s: stuck, or under something"))
    case .released:
      health = .listening
      log.note(.note("the \(role.name) is released"))
    case .gesture, .unclear: break
    }
  }

  private func watch(_ poller: inout Poller, token: UInt64) {
    guard !isWatched, let raw = button?.rawValue else { return }
    do throws(LinuxError) {
      try poller.add(raw, token: token)
      isWatched = true
    } catch {
      // It is still asked once a tick; later than it could be, but nothing is lost.
      log.note(.controlTrouble(error))
    }
  }
}
