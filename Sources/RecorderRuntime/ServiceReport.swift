import Core
import LinuxIO
import Media

/// What the service manager hears of the recorder: that it is up, what it does, that it lives, that it stops. The control
/// loop's; nothing here waits, and nothing is sent unless the manager asked for it.
struct ServiceReport {
  private let socket: NotifySocket?
  private let timeout: Nanoseconds?
  private let log: EventLog
  private var feed: WatchdogFeed?
  /// What could not be sent yet: the manager had too many messages waiting.
  private var unsent: [String] = []
  private var status = ""
  private var standing: CaptureThread?
  private var hasFailed = false
  private var hasStopped = false

  init(_ request: ServiceRequest, log: EventLog) {
    socket = request.socket
    timeout = request.watchdogTimeout
    self.log = log
  }

  /// The control loop begins; the manager's watchdog runs from here.
  mutating func isUp(_ turns: CaptureTurns, now: MonotonicTime) {
    guard socket != nil else { return }
    feed = timeout.map { WatchdogFeed(timeout: $0, now: now, turns: turns) }
    send("READY=1")
  }

  /// Once in each turn of the control loop: its state, if that is another, and the watchdog when it is due.
  mutating func tell(_ state: String, isStopping: Bool = false, _ turns: CaptureTurns, now: MonotonicTime) {
    guard socket != nil else { return }
    if !unsent.isEmpty {
      let again = unsent
      unsent = []
      for message in again { send(message) }
    }
    if state != status {
      status = state
      send("STATUS=\(state)")
    }
    if isStopping { stops() }
    switch feed?.look(at: turns, now: now) {
    case .notDue, nil: break
    case .feed:
      send("WATCHDOG=1")
      if standing != nil { log.note(.threadStandsStill(nil)) }
      standing = nil
    case .withhold(let thread):
      if standing != thread { log.note(.threadStandsStill(thread)) }
      standing = thread
    }
  }

  /// Closing what is open; the time that a stop may take runs from here.
  mutating func stops() {
    guard !hasStopped else { return }
    hasStopped = true
    send("STOPPING=1")
  }

  private mutating func send(_ message: String) {
    guard let socket else { return }
    do throws(LinuxError) {
      // A state that is old when it is sent is no help; what counts is sent again.
      if try !socket.send(message), !message.hasPrefix("STATUS="), unsent.count < 8 { unsent.append(message) }
    } catch {
      if !hasFailed { log.note(.note("\(error)")) }
      hasFailed = true
    }
  }
}
