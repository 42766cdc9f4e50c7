import Glibc
import LinuxIO
import Media
import Triggers

/// Watches a button as the recorder's loop does, and prints what it did.
///
///     CaptureProbe button PLACE DEBOUNCE_MS SECONDS [active-low] [no-pull]
///     CaptureProbe buttons
enum ButtonProbe {
  static func list() {
    let listing = ButtonListing.all()
    for chip in listing.chips {
      let lines = chip.lines.map { "\($0.offset)=\($0.name)\($0.consumer.map { " (\($0))" } ?? "")" }
      say("chip \(chip.path) label=\(chip.label) lines=\(chip.lineCount) named: \(lines.joined(separator: ", "))")
    }
    for input in listing.inputs {
      say("input \(input.path) name=\(input.name) keys: \(input.keys.joined(separator: ", "))")
    }
    for path in listing.refused { say("refused \(path)") }
  }

  static func watch(_ arguments: [String]) {
    do {
      let settings = ButtonSettings(
        place: try ButtonPlace(arguments[1]), isActiveLow: arguments.contains("active-low"),
        debounce: .milliseconds(Int64(CaptureProbe.number(arguments[2]))), setsPull: !arguments.contains("no-pull"))
      try watch(settings, until: .now() + .seconds(Int64(CaptureProbe.number(arguments[3]))))
      say("end")
    } catch let error as TriggerError {
      say("error kind=\(error.kind) errno=\(error.errno) time=\(MonotonicTime.now().nanoseconds) \(error)")
      exit(1)
    } catch {
      say("error \(error)")
      exit(1)
    }
  }

  static func watch(_ settings: ButtonSettings, until end: MonotonicTime) throws {
    var button = try Button(settings)
    var poller = try Poller()
    try poller.add(button.rawValue, token: 0)
    say("opened pressed=\(button.isPressedAtStart) pull-refused=\(button.wasPullRefused)")
    while MonotonicTime.now() < end {
      // As the recorder's loop: woken by the button, and twice a second in any case.
      let count = try poller.wait(until: min(end, .now() + .milliseconds(500)))
      let woken = count > 0 ? "events=\(poller[0].events.rawValue)" : "events=none"
      do throws(TriggerError) {
        while let event = try button.next() {
          let age = MonotonicTime.now()
          switch event {
          case .edge(let isPressed, let time):
            say("edge pressed=\(isPressed) time=\(time.nanoseconds) age=\((age - time).inMicroseconds)us")
          case .resynchronised(let isPressed, let time):
            say("resynchronised pressed=\(isPressed) time=\(time.nanoseconds) age=\((age - time).inMicroseconds)us")
          }
        }
      } catch {
        say("woken \(woken)")
        throw error
      }
    }
  }
}
