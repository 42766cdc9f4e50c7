import Media
import Testing

@testable import Core

private let origin = MonotonicTime(nanoseconds: 50_000_000_000)
private func at(_ milliseconds: Int64) -> MonotonicTime { origin + .milliseconds(milliseconds) }
private func trigger(_ milliseconds: Int64) -> Trigger {
  Trigger(source: .socket, time: at(milliseconds), decided: at(milliseconds))
}

@Suite("RecorderMachine")
struct RecorderMachineTests {
  /// One machine in each state, as (name, machine, now).
  static func machines() -> [(name: String, machine: RecorderMachine, now: MonotonicTime)] {
    func build(postEvent: Int64 = 0, _ script: (inout RecorderMachine) -> Int64) -> (RecorderMachine, MonotonicTime) {
      var machine = RecorderMachine(limits: .init(postEvent: .milliseconds(postEvent)))
      let now = script(&machine)
      return (machine, at(now))
    }
    func ready(_ machine: inout RecorderMachine) { _ = machine.handle(.captureReady, now: at(0)) }
    func saving(_ machine: inout RecorderMachine) {
      ready(&machine)
      _ = machine.handle(.trigger(trigger(100)), now: at(100))
    }
    func recording(_ machine: inout RecorderMachine) {
      saving(&machine)
      _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    }
    let list: [(String, (RecorderMachine, MonotonicTime))] = [
      ("starting", build { _ in 0 }),
      (
        "starting, trigger remembered",
        build {
          _ = $0.handle(.trigger(trigger(1)), now: at(1)); return 1
        }
      ),
      (
        "ready",
        build {
          ready(&$0); return 0
        }
      ),
      (
        "saving",
        build {
          saving(&$0); return 100
        }
      ),
      (
        "recording",
        build {
          recording(&$0); return 1_000
        }
      ),
      (
        "at risk",
        build {
          recording(&$0); _ = $0.handle(.tick, now: at(4_000)); return 4_000
        }
      ),
      (
        "post-event",
        build(postEvent: 5_000) {
          recording(&$0); _ = $0.handle(.stop(at(1_100)), now: at(1_100)); return 1_100
        }
      ),
      (
        "closing",
        build {
          recording(&$0)
          _ = $0.handle(.stop(at(1_100)), now: at(1_100))
          _ = $0.handle(.durable(end: at(1_100)), now: at(1_200))
          return 1_200
        }
      ),
      (
        "cannot record",
        build {
          _ = $0.handle(.store(.storeFull), now: at(0)); return 0
        }
      ),
      (
        "card fails",
        build {
          ready(&$0); _ = $0.handle(.store(.storeFailed), now: at(10)); return 10
        }
      ),
      (
        "card fails, footage waits",
        build {
          recording(&$0); _ = $0.handle(.closed(.storeFailed), now: at(1_200)); return 1_200
        }
      ),
      (
        "no capture",
        build {
          ready(&$0); _ = $0.handle(.captureLost, now: at(10)); return 10
        }
      ),
      (
        "unproven",
        {
          var machine = RecorderMachine(limits: .init(postEvent: .zero), needsProof: true)
          ready(&machine)
          return (machine, at(0))
        }()
      ),
      (
        "check failed",
        {
          var machine = RecorderMachine(limits: .init(postEvent: .zero), needsProof: true)
          ready(&machine)
          _ = machine.handle(.proof(.failed), now: at(10))
          return (machine, at(10))
        }()
      ),
      (
        "stopping, open",
        build {
          recording(&$0); _ = $0.handle(.terminate, now: at(1_100)); return 1_100
        }
      ),
      (
        "stopping",
        build {
          ready(&$0); _ = $0.handle(.terminate, now: at(10)); return 10
        }
      ),
      (
        "battery critical",
        build {
          ready(&$0); _ = $0.handle(.battery(isCritical: true), now: at(10)); return 10
        }
      ),
      (
        "battery critical, saving",
        build {
          saving(&$0); _ = $0.handle(.battery(isCritical: true), now: at(100)); return 100
        }
      ),
      (
        "battery critical, closing",
        build {
          recording(&$0); _ = $0.handle(.battery(isCritical: true), now: at(1_100)); return 1_100
        }
      ),
    ]
    return list.map { ($0.0, $0.1.0, $0.1.1) }
  }

  static let table: [(state: String, event: String, next: String, answer: RecorderMachine.Answer)] = [
    // Row by row: what each event does in each state. `=` stays.
    ("starting", "captureReady", "ready", .none), ("starting", "captureLost", "cannotRecord", .none),
    ("starting", "trigger", "starting", .remembered), ("starting", "stop", "=", .notRecording),
    ("starting", "mark", "=", .notRecording), ("starting", "durable", "=", .none),
    ("starting", "refused", "=", .none), ("starting", "tick", "=", .none),
    ("starting", "closed", "=", .none), ("starting", "closedFull", "=", .none),
    ("starting", "storeFull", "cannotRecord", .none), ("starting", "storeGood", "=", .none),
    ("starting", "terminate", "stopping", .none),

    ("starting, trigger remembered", "captureReady", "saving", .none),
    ("starting, trigger remembered", "captureLost", "saving", .none),
    ("starting, trigger remembered", "trigger", "=", .remembered),
    ("starting, trigger remembered", "stop", "starting", .stopped),
    ("starting, trigger remembered", "mark", "=", .notRecording),
    ("starting, trigger remembered", "durable", "=", .none),
    ("starting, trigger remembered", "refused", "=", .none), ("starting, trigger remembered", "tick", "=", .none),
    ("starting, trigger remembered", "closed", "=", .none), ("starting, trigger remembered", "closedFull", "=", .none),
    ("starting, trigger remembered", "storeFull", "cannotRecord", .none),
    ("starting, trigger remembered", "storeGood", "=", .none),
    ("starting, trigger remembered", "terminate", "stopping", .none),

    ("ready", "captureReady", "=", .none), ("ready", "captureLost", "cannotRecord", .none),
    ("ready", "trigger", "saving", .accepted), ("ready", "stop", "=", .notRecording),
    ("ready", "mark", "=", .notRecording), ("ready", "durable", "=", .none),
    ("ready", "refused", "=", .none), ("ready", "tick", "=", .none),
    ("ready", "closed", "=", .none), ("ready", "closedFull", "=", .none),
    ("ready", "storeFull", "cannotRecord", .none), ("ready", "storeGood", "=", .none),
    ("ready", "terminate", "stopping", .none),

    ("saving", "captureReady", "=", .none), ("saving", "captureLost", "atRisk", .none),
    ("saving", "trigger", "saving", .continued), ("saving", "stop", "saving", .stopped),
    ("saving", "mark", "=", .marked), ("saving", "durable", "recording", .none),
    ("saving", "refused", "=", .none), ("saving", "tick", "=", .none),
    ("saving", "closed", "saving", .none), ("saving", "closedFull", "cannotRecord", .none),
    ("saving", "storeFull", "=", .none), ("saving", "storeGood", "=", .none),
    ("saving", "terminate", "stopping", .none),

    ("recording", "captureReady", "=", .none), ("recording", "captureLost", "atRisk", .none),
    ("recording", "trigger", "recording", .continued), ("recording", "stop", "closing", .stopped),
    ("recording", "mark", "=", .marked), ("recording", "durable", "recording", .none),
    ("recording", "refused", "atRisk", .none),
    ("recording", "tick", "=", .none), ("recording", "closed", "saving", .none),
    ("recording", "closedFull", "cannotRecord", .none), ("recording", "storeFull", "=", .none),
    ("recording", "storeGood", "=", .none), ("recording", "terminate", "stopping", .none),

    ("at risk", "captureReady", "=", .none), ("at risk", "captureLost", "=", .none),
    ("at risk", "trigger", "atRisk", .continued), ("at risk", "stop", "atRisk", .stopped),
    ("at risk", "mark", "=", .marked), ("at risk", "durable", "recording", .none),
    ("at risk", "refused", "=", .none), ("at risk", "tick", "=", .none),
    ("at risk", "closed", "saving", .none), ("at risk", "closedFull", "cannotRecord", .none),
    ("at risk", "storeFull", "=", .none), ("at risk", "storeGood", "=", .none),
    ("at risk", "terminate", "stopping", .none),

    ("post-event", "captureReady", "=", .none), ("post-event", "captureLost", "atRisk", .none),
    ("post-event", "trigger", "recording", .continued), ("post-event", "stop", "closing", .stopped),
    ("post-event", "mark", "=", .marked), ("post-event", "durable", "postEvent", .none),
    ("post-event", "refused", "atRisk", .none),
    ("post-event", "tick", "=", .none), ("post-event", "closed", "ready", .none),
    ("post-event", "closedFull", "cannotRecord", .none), ("post-event", "storeFull", "=", .none),
    ("post-event", "storeGood", "=", .none), ("post-event", "terminate", "stopping", .none),

    ("closing", "captureReady", "=", .none), ("closing", "captureLost", "=", .none),
    ("closing", "trigger", "closing", .remembered), ("closing", "stop", "=", .notRecording),
    ("closing", "mark", "=", .notRecording), ("closing", "durable", "=", .none),
    ("closing", "refused", "=", .none), ("closing", "tick", "=", .none),
    ("closing", "closed", "ready", .none), ("closing", "closedFull", "cannotRecord", .none),
    ("closing", "storeFull", "=", .none), ("closing", "storeGood", "=", .none),
    ("closing", "terminate", "stopping", .none),

    ("cannot record", "captureReady", "=", .none), ("cannot record", "captureLost", "=", .none),
    ("cannot record", "trigger", "=", .refused(.storeFull)), ("cannot record", "stop", "=", .notRecording),
    ("cannot record", "mark", "=", .notRecording), ("cannot record", "durable", "=", .none),
    ("cannot record", "refused", "=", .none),
    ("cannot record", "tick", "=", .none), ("cannot record", "closed", "=", .none),
    ("cannot record", "closedFull", "=", .none), ("cannot record", "storeFull", "=", .none),
    ("cannot record", "storeGood", "cannotRecord", .none), ("cannot record", "terminate", "stopping", .none),

    ("card fails", "captureReady", "=", .none), ("card fails", "captureLost", "=", .none),
    ("card fails", "trigger", "cannotRecord", .remembered), ("card fails", "stop", "=", .notRecording),
    ("card fails", "mark", "=", .notRecording), ("card fails", "durable", "=", .none),
    ("card fails", "refused", "=", .none),
    ("card fails", "tick", "=", .none), ("card fails", "closed", "=", .none), ("card fails", "closedFull", "=", .none),
    ("card fails", "storeFull", "cannotRecord", .none), ("card fails", "storeGood", "ready", .none),
    ("card fails", "terminate", "stopping", .none),

    ("card fails, footage waits", "captureReady", "=", .none), ("card fails, footage waits", "captureLost", "=", .none),
    ("card fails, footage waits", "trigger", "=", .remembered),
    ("card fails, footage waits", "stop", "cannotRecord", .stopped),
    ("card fails, footage waits", "mark", "=", .notRecording), ("card fails, footage waits", "durable", "=", .none),
    ("card fails, footage waits", "refused", "=", .none),
    ("card fails, footage waits", "tick", "=", .none), ("card fails, footage waits", "closed", "=", .none),
    ("card fails, footage waits", "closedFull", "=", .none),
    ("card fails, footage waits", "storeFull", "cannotRecord", .none),
    ("card fails, footage waits", "storeGood", "saving", .none),
    ("card fails, footage waits", "terminate", "stopping", .none),

    ("no capture", "captureReady", "ready", .none), ("no capture", "captureLost", "=", .none),
    ("no capture", "trigger", "saving", .accepted), ("no capture", "stop", "=", .notRecording),
    ("no capture", "mark", "=", .notRecording), ("no capture", "durable", "=", .none),
    ("no capture", "refused", "=", .none),
    ("no capture", "tick", "=", .none), ("no capture", "closed", "=", .none),
    ("no capture", "closedFull", "=", .none), ("no capture", "storeFull", "cannotRecord", .none),
    ("no capture", "storeGood", "=", .none), ("no capture", "terminate", "stopping", .none),

    ("stopping, open", "captureReady", "=", .none), ("stopping, open", "captureLost", "=", .none),
    ("stopping, open", "trigger", "=", .stopping), ("stopping, open", "stop", "=", .stopping),
    ("stopping, open", "mark", "=", .stopping), ("stopping, open", "durable", "=", .none),
    ("stopping, open", "refused", "=", .none),
    ("stopping, open", "tick", "=", .none), ("stopping, open", "closed", "stopping", .none),
    ("stopping, open", "closedFull", "stopping", .none), ("stopping, open", "storeFull", "=", .none),
    ("stopping, open", "storeGood", "=", .none), ("stopping, open", "terminate", "=", .none),

    ("stopping", "captureReady", "=", .none), ("stopping", "captureLost", "=", .none),
    ("stopping", "trigger", "=", .stopping), ("stopping", "stop", "=", .stopping), ("stopping", "mark", "=", .stopping),
    ("stopping", "durable", "=", .none),
    ("stopping", "refused", "=", .none), ("stopping", "tick", "=", .none), ("stopping", "closed", "=", .none),
    ("stopping", "closedFull", "=", .none), ("stopping", "storeFull", "=", .none),
    ("stopping", "storeGood", "=", .none),
    ("stopping", "terminate", "=", .none),

    ("starting", "proofFailed", "=", .none), ("starting", "proven", "=", .none),
    ("starting, trigger remembered", "proofFailed", "=", .none), ("starting, trigger remembered", "proven", "=", .none),
    ("ready", "proofFailed", "cannotRecord", .none), ("ready", "proven", "=", .none),
    ("saving", "proofFailed", "=", .none), ("saving", "proven", "=", .none),
    ("recording", "proofFailed", "=", .none), ("recording", "proven", "=", .none),
    ("at risk", "proofFailed", "=", .none), ("at risk", "proven", "=", .none),
    ("post-event", "proofFailed", "=", .none), ("post-event", "proven", "=", .none),
    ("closing", "proofFailed", "=", .none), ("closing", "proven", "=", .none),
    ("cannot record", "proofFailed", "=", .none), ("cannot record", "proven", "=", .none),
    ("card fails", "proofFailed", "=", .none), ("card fails", "proven", "=", .none),
    ("card fails, footage waits", "proofFailed", "=", .none), ("card fails, footage waits", "proven", "=", .none),
    ("no capture", "proofFailed", "=", .none), ("no capture", "proven", "=", .none),
    ("stopping, open", "proofFailed", "=", .none), ("stopping, open", "proven", "=", .none),
    ("stopping", "proofFailed", "=", .none), ("stopping", "proven", "=", .none),
    ("unproven", "captureReady", "=", .none),
    ("unproven", "captureLost", "cannotRecord", .none),
    ("unproven", "trigger", "saving", .accepted),
    ("unproven", "stop", "=", .notRecording),
    ("unproven", "mark", "=", .notRecording),
    ("unproven", "durable", "=", .none),
    ("unproven", "refused", "=", .none),
    ("unproven", "tick", "=", .none),
    ("unproven", "closed", "=", .none),
    ("unproven", "closedFull", "=", .none),
    ("unproven", "storeFull", "cannotRecord", .none),
    ("unproven", "storeGood", "=", .none),
    ("unproven", "terminate", "stopping", .none),
    ("unproven", "proofFailed", "cannotRecord", .none),
    ("unproven", "proven", "ready", .none),
    ("check failed", "captureReady", "=", .none),
    ("check failed", "captureLost", "=", .none),
    ("check failed", "trigger", "saving", .accepted),
    ("check failed", "stop", "=", .notRecording),
    ("check failed", "mark", "=", .notRecording),
    ("check failed", "durable", "=", .none),
    ("check failed", "refused", "=", .none),
    ("check failed", "tick", "=", .none),
    ("check failed", "closed", "=", .none),
    ("check failed", "closedFull", "=", .none),
    ("check failed", "storeFull", "=", .none),
    ("check failed", "storeGood", "=", .none),
    ("check failed", "terminate", "stopping", .none),
    ("check failed", "proofFailed", "=", .none),
    ("check failed", "proven", "ready", .none),
    ("starting", "batteryCritical", "cannotRecord", .none), ("starting", "batteryGood", "=", .none),
    ("starting, trigger remembered", "batteryCritical", "cannotRecord", .none),
    ("starting, trigger remembered", "batteryGood", "=", .none),
    ("ready", "batteryCritical", "cannotRecord", .none), ("ready", "batteryGood", "=", .none),
    ("saving", "batteryCritical", "=", .none), ("saving", "batteryGood", "=", .none),
    ("recording", "batteryCritical", "closing", .none), ("recording", "batteryGood", "=", .none),
    ("at risk", "batteryCritical", "=", .none), ("at risk", "batteryGood", "=", .none),
    ("post-event", "batteryCritical", "closing", .none), ("post-event", "batteryGood", "=", .none),
    ("closing", "batteryCritical", "=", .none), ("closing", "batteryGood", "=", .none),
    ("cannot record", "batteryCritical", "=", .none), ("cannot record", "batteryGood", "=", .none),
    ("card fails", "batteryCritical", "=", .none), ("card fails", "batteryGood", "=", .none),
    ("card fails, footage waits", "batteryCritical", "=", .none),
    ("card fails, footage waits", "batteryGood", "=", .none),
    ("no capture", "batteryCritical", "=", .none), ("no capture", "batteryGood", "=", .none),
    ("stopping, open", "batteryCritical", "=", .none), ("stopping, open", "batteryGood", "=", .none),
    ("stopping", "batteryCritical", "=", .none), ("stopping", "batteryGood", "=", .none),

    ("battery critical", "captureReady", "=", .none),
    ("battery critical", "captureLost", "=", .none),
    ("battery critical", "trigger", "=", .refused(.batteryCritical)),
    ("battery critical", "stop", "=", .notRecording),
    ("battery critical", "mark", "=", .notRecording),
    ("battery critical", "durable", "=", .none),
    ("battery critical", "refused", "=", .none),
    ("battery critical", "tick", "=", .none),
    ("battery critical", "closed", "=", .none),
    ("battery critical", "closedFull", "=", .none),
    ("battery critical", "storeFull", "=", .none),
    ("battery critical", "storeGood", "=", .none),
    ("battery critical", "terminate", "stopping", .none),
    ("battery critical", "batteryCritical", "=", .none),
    ("battery critical", "batteryGood", "ready", .none),

    ("battery critical, saving", "captureReady", "=", .none),
    ("battery critical, saving", "captureLost", "=", .none),
    ("battery critical, saving", "trigger", "=", .refused(.batteryCritical)),
    ("battery critical, saving", "stop", "=", .stopped),
    ("battery critical, saving", "mark", "=", .marked),
    ("battery critical, saving", "durable", "closing", .none),
    ("battery critical, saving", "refused", "=", .none),
    ("battery critical, saving", "tick", "=", .none),
    ("battery critical, saving", "closed", "cannotRecord", .none),
    ("battery critical, saving", "closedFull", "cannotRecord", .none),
    ("battery critical, saving", "storeFull", "=", .none),
    ("battery critical, saving", "storeGood", "=", .none),
    ("battery critical, saving", "terminate", "stopping", .none),
    ("battery critical, saving", "batteryCritical", "=", .none),
    ("battery critical, saving", "batteryGood", "=", .none),

    ("battery critical, closing", "captureReady", "=", .none),
    ("battery critical, closing", "captureLost", "=", .none),
    ("battery critical, closing", "trigger", "=", .refused(.batteryCritical)),
    ("battery critical, closing", "stop", "=", .notRecording),
    ("battery critical, closing", "mark", "=", .notRecording),
    ("battery critical, closing", "durable", "=", .none),
    ("battery critical, closing", "refused", "=", .none),
    ("battery critical, closing", "tick", "=", .none),
    ("battery critical, closing", "closed", "cannotRecord", .none),
    ("battery critical, closing", "closedFull", "cannotRecord", .none),
    ("battery critical, closing", "storeFull", "=", .none),
    ("battery critical, closing", "storeGood", "=", .none),
    ("battery critical, closing", "terminate", "stopping", .none),
    ("battery critical, closing", "batteryCritical", "=", .none),
    ("battery critical, closing", "batteryGood", "=", .none),
    ("unproven", "batteryCritical", "cannotRecord", .none), ("unproven", "batteryGood", "=", .none),
    ("check failed", "batteryCritical", "=", .none), ("check failed", "batteryGood", "=", .none),
    ("battery critical", "proofFailed", "=", .none), ("battery critical", "proven", "=", .none),
    ("battery critical, saving", "proofFailed", "=", .none), ("battery critical, saving", "proven", "=", .none),
    ("battery critical, closing", "proofFailed", "=", .none), ("battery critical, closing", "proven", "=", .none),
  ]

  static func events(now: MonotonicTime) -> [(name: String, event: RecorderMachine.Event)] {
    [
      ("captureReady", .captureReady), ("captureLost", .captureLost),
      ("trigger", .trigger(Trigger(source: .socket, time: now, decided: now))), ("stop", .stop(now)),
      ("mark", .mark(now)), ("durable", .durable(end: now - .milliseconds(100))), ("tick", .tick),
      ("refused", .refused), ("closed", .closed(nil)), ("closedFull", .closed(.storeFull)),
      ("storeFull", .store(.storeFull)),
      ("storeGood", .store(nil)), ("terminate", .terminate), ("proofFailed", .proof(.failed)),
      ("proven", .proof(.proven)),
      ("batteryCritical", .battery(isCritical: true)), ("batteryGood", .battery(isCritical: false)),
    ]
  }

  static func name(_ state: RecorderMachine.State) -> String {
    switch state {
    case .starting: "starting"
    case .ready: "ready"
    case .saving: "saving"
    case .recording: "recording"
    case .atRisk: "atRisk"
    case .postEvent: "postEvent"
    case .closing: "closing"
    case .cannotRecord: "cannotRecord"
    case .stopping: "stopping"
    }
  }

  @Test("every event in every state does what the table says")
  func everyStateAndEvent() throws {
    for (stateName, machine, now) in Self.machines() {
      for (eventName, event) in Self.events(now: now) {
        let row = try #require(
          Self.table.first { $0.state == stateName && $0.event == eventName }, "no row: \(stateName) × \(eventName)")
        var copy = machine
        let effects = copy.handle(event, now: now)
        let expected = row.next == "=" ? Self.name(machine.state) : row.next
        #expect(Self.name(copy.state) == expected, "\(stateName) × \(eventName)")
        #expect(effects.answer == row.answer, "\(stateName) × \(eventName)")
      }
    }
    #expect(Self.table.count == Self.machines().count * Self.events(now: origin).count)
  }

  @Test("a write that the card refused takes *recording* away until the next checkpoint, and *saving* stays what it is")
  func refused() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(100)), now: at(100))
    _ = machine.handle(.refused, now: at(300))
    #expect(Self.name(machine.state) == "saving")
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    #expect(Self.name(machine.state) == "recording")
    _ = machine.handle(.refused, now: at(1_300))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.tick, now: at(1_400))
    // What was durable already is written again.
    _ = machine.handle(.durable(end: at(900)), now: at(1_420))
    #expect(Self.name(machine.state) == "atRisk")
    // The end is reached, and what lies before it is not durable.
    _ = machine.handle(.stop(at(1_450)), now: at(1_450))
    _ = machine.handle(.tick, now: at(1_500))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.durable(end: at(1_450)), now: at(1_700))
    #expect(Self.name(machine.state) == "closing")
  }

  @Test("recording is never shown before the first checkpoint, nor while the lag is above 1.5 s")
  func recordingIsEarned() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    let effects = machine.handle(.trigger(trigger(30_000)), now: at(30_000))
    #expect(effects.open == trigger(30_000))
    #expect(Self.name(machine.state) == "saving")
    // The backlog becomes durable bit by bit: still saving.
    _ = machine.handle(.durable(end: at(5_000)), now: at(30_700))
    #expect(Self.name(machine.state) == "saving")
    _ = machine.handle(.durable(end: at(29_800)), now: at(31_400))
    #expect(Self.name(machine.state) == "saving")
    _ = machine.handle(.durable(end: at(31_500)), now: at(32_000))
    #expect(Self.name(machine.state) == "recording")
    // Lag grows beyond 1.5 s without any message from the writer: the clock alone takes the sign away.
    _ = machine.handle(.tick, now: at(33_000))
    #expect(Self.name(machine.state) == "recording")
    _ = machine.handle(.tick, now: at(33_001))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.durable(end: at(32_900)), now: at(33_100))
    #expect(Self.name(machine.state) == "recording")
  }

  @Test("a backlog that is nearly written is not *recording* yet; a slow card that has caught up is")
  func backlog() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(30_000)), now: at(30_000))
    // Within 1.5 s, but the next checkpoint may be a second away.
    _ = machine.handle(.durable(end: at(29_900)), now: at(31_000))
    #expect(Self.name(machine.state) == "saving")
    _ = machine.handle(.durable(end: at(30_100)), now: at(31_100))
    #expect(Self.name(machine.state) == "saving")
    // The same lag once more is not a backlog's: the card is slow, which is shown beside it.
    _ = machine.handle(.durable(end: at(31_100)), now: at(32_100))
    #expect(Self.name(machine.state) == "recording")
    // It stood still for long: again what comes first may be old.
    _ = machine.handle(.tick, now: at(34_000))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.durable(end: at(33_000)), now: at(34_100))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.durable(end: at(34_000)), now: at(34_400))
    #expect(Self.name(machine.state) == "recording")
  }

  @Test("a card that never catches up with the trigger is at risk, not saving for ever")
  func neverCaughtUp() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(30_000)), now: at(30_000))
    // Confirmed every 1.9 s, and always 1.9 s late: never silent for 2 s, never near enough.
    _ = machine.handle(.durable(end: at(30_000)), now: at(31_900))
    #expect(Self.name(machine.state) == "saving")
    _ = machine.handle(.durable(end: at(31_900)), now: at(33_800))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.durable(end: at(33_700)), now: at(34_000))
    #expect(Self.name(machine.state) == "recording")
  }

  @Test("a writer that confirms nothing for 2 s is at risk, also before the first checkpoint")
  func stalledFromTheTrigger() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.tick, now: at(2_000))
    #expect(Self.name(machine.state) == "saving")
    _ = machine.handle(.tick, now: at(2_001))
    #expect(Self.name(machine.state) == "atRisk")
  }

  @Test("a trigger inside the post-event time continues the same recording")
  func retriggerInPostEvent() {
    var machine = RecorderMachine(limits: .init(postEvent: .seconds(10)))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    let stop = machine.handle(.stop(at(1_500)), now: at(1_500))
    #expect(stop.end == .some(at(11_500)))
    _ = machine.handle(.durable(end: at(1_700)), now: at(1_800))
    #expect(Self.name(machine.state) == "postEvent")
    let again = machine.handle(.trigger(trigger(2_000)), now: at(2_000))
    #expect(again.open == nil && again.end == .some(nil) && again.answer == .continued)
    #expect(Self.name(machine.state) == "recording")
  }

  @Test("ready is shown only when it is proven; a press before is recorded at once, and proves it")
  func proof() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero), needsProof: true)
    #expect(!machine.awaitsProof, "nothing is captured yet")
    _ = machine.handle(.captureReady, now: at(0))
    #expect(Self.name(machine.state) == "starting" && machine.awaitsProof)
    var pressed = machine
    #expect(pressed.handle(.trigger(trigger(100)), now: at(100)).open == trigger(100))
    #expect(!pressed.awaitsProof)
    _ = pressed.handle(.durable(end: at(1_000)), now: at(1_100))
    _ = pressed.handle(.stop(at(1_000)), now: at(1_200))
    _ = pressed.handle(.closed(nil), now: at(1_300))
    #expect(Self.name(pressed.state) == "ready")

    _ = machine.handle(.proof(.failed), now: at(10))
    #expect(machine.state == .cannotRecord(.checkFailed, waiting: nil) && machine.awaitsProof)
    // Through whatever else goes wrong meanwhile: it is still not proven.
    _ = machine.handle(.store(.storeFailed), now: at(20))
    _ = machine.handle(.captureLost, now: at(30))
    #expect(!machine.awaitsProof)
    _ = machine.handle(.captureReady, now: at(40))
    _ = machine.handle(.store(nil), now: at(50))
    #expect(machine.state == .cannotRecord(.checkFailed, waiting: nil))
    _ = machine.handle(.proof(.none), now: at(60))
    #expect(machine.state == .starting(pending: nil))
    _ = machine.handle(.proof(.proven), now: at(70))
    #expect(Self.name(machine.state) == "ready" && !machine.awaitsProof)
    _ = machine.handle(.proof(.failed), now: at(80))
    #expect(machine.state == .cannotRecord(.checkFailed, waiting: nil), "a check on demand that fails takes ready away")
    let press = machine.handle(.trigger(trigger(90)), now: at(90))
    #expect(press.answer == .accepted, "what can be recorded is recorded all the same")
    _ = machine.handle(.durable(end: at(1_000)), now: at(1_100))
    _ = machine.handle(.stop(at(1_000)), now: at(1_200))
    _ = machine.handle(.closed(nil), now: at(1_300))
    #expect(machine.state == .cannotRecord(.checkFailed, waiting: nil), "which refutes nothing of what failed")
  }

  @Test("a press that was remembered before anything was captured begins with the first keyframe, proven or not")
  func rememberedUnproven() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero), needsProof: true)
    #expect(machine.handle(.trigger(trigger(1)), now: at(1)).answer == .remembered)
    #expect(machine.handle(.captureReady, now: at(100)).open == trigger(1))
  }

  @Test("a stop in the cancel window is a false trigger: no post-event, and the footage until then is kept")
  func cancelled() {
    func stop(at time: Int64, window: Int64, again: Int64? = nil) -> RecorderMachine.Effects {
      var limits = RecorderMachine.Limits(postEvent: .seconds(10))
      limits.cancelWindow = .milliseconds(window)
      var machine = RecorderMachine(limits: limits)
      _ = machine.handle(.captureReady, now: at(0))
      _ = machine.handle(.trigger(trigger(100)), now: at(100))
      _ = machine.handle(.durable(end: at(900)), now: at(1_000))
      if let again { _ = machine.handle(.trigger(trigger(again)), now: at(again)) }
      return machine.handle(.stop(at(time)), now: at(time))
    }
    let inside = stop(at: 5_100, window: 5_000)
    #expect(inside.answer == .cancelled && inside.end == .some(at(5_100)))
    let behind = stop(at: 5_101, window: 5_000)
    #expect(behind.answer == .stopped && behind.end == .some(at(15_101)))
    #expect(stop(at: 101, window: 0).answer == .stopped, "without a window no stop says that")
    #expect(stop(at: 3_000, window: 5_000, again: 2_000).answer == .stopped, "two triggers are hardly both false")
  }

  @Test("a trigger that crosses the close begins a new recording instead of being lost")
  func triggerCrossesClose() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    // Stopped before the first checkpoint; the writer closes while a second press is on its way.
    _ = machine.handle(.stop(at(300)), now: at(300))
    let second = machine.handle(.trigger(trigger(400)), now: at(400))
    #expect(second.answer == .continued)
    let closed = machine.handle(.closed(nil), now: at(410))
    #expect(closed.open == trigger(400))
    #expect(Self.name(machine.state) == "saving")
  }

  @Test("a trigger that crosses the close and is stopped again still gets its recording, with its end")
  func stoppedTriggerCrossesClose() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.stop(at(300)), now: at(300))
    _ = machine.handle(.trigger(trigger(400)), now: at(400))
    _ = machine.handle(.stop(at(900)), now: at(900))
    _ = machine.handle(.durable(end: at(300)), now: at(950))
    let closed = machine.handle(.closed(nil), now: at(960))
    #expect(closed.open == trigger(400) && closed.end == .some(at(900)))
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    #expect(Self.name(machine.state) == "closing")
    #expect(machine.handle(.closed(nil), now: at(1_010)).open == nil)
    #expect(Self.name(machine.state) == "ready")
  }

  @Test("of two triggers that cross one slow close the first gets its pre-event, and the second is in its recording")
  func twoTriggersCrossClose() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.stop(at(300)), now: at(300))
    _ = machine.handle(.trigger(trigger(400)), now: at(400))
    _ = machine.handle(.stop(at(900)), now: at(900))
    _ = machine.handle(.trigger(trigger(60_000)), now: at(60_000))
    _ = machine.handle(.durable(end: at(300)), now: at(60_100))
    let closed = machine.handle(.closed(nil), now: at(60_110))
    #expect(closed.open == trigger(400) && closed.retrigger == trigger(60_000) && closed.end == nil)
  }

  @Test("asked to end while a trigger crosses the close, it saves that trigger first")
  func terminateCrossesClose() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.stop(at(300)), now: at(300))
    _ = machine.handle(.trigger(trigger(400)), now: at(400))
    _ = machine.handle(.terminate, now: at(500))
    var heard = machine
    _ = machine.handle(.durable(end: at(300)), now: at(600))
    #expect(machine.handle(.closed(nil), now: at(610)).open == trigger(400))
    // A writer that went on until it was told to end has the trigger's footage already.
    _ = heard.handle(.durable(end: at(650)), now: at(700))
    let closed = heard.handle(.closed(nil), now: at(710))
    #expect(closed.open == nil && closed.exit)
  }

  @Test("a press remembered at the start is saved although the camera is lost before its first picture")
  func lostWhileStarting() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    #expect(machine.handle(.captureLost, now: at(10)).open == trigger(0))
  }

  @Test("a trigger that the writer heard in time leads to no second recording")
  func continuedIsOne() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.stop(at(300)), now: at(300))
    _ = machine.handle(.trigger(trigger(400)), now: at(400))
    _ = machine.handle(.stop(at(900)), now: at(900))
    _ = machine.handle(.durable(end: at(900)), now: at(950))
    #expect(machine.handle(.closed(nil), now: at(960)).open == nil)
  }

  @Test("a press while starting or closing is remembered and honoured")
  func remembers() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.trigger(trigger(5)), now: at(5))
    let opened = machine.handle(.captureReady, now: at(50))
    #expect(opened.open == trigger(5))
    _ = machine.handle(.stop(at(60)), now: at(60))
    _ = machine.handle(.durable(end: at(60)), now: at(70))
    #expect(Self.name(machine.state) == "closing")
    _ = machine.handle(.trigger(trigger(80)), now: at(80))
    #expect(machine.handle(.closed(nil), now: at(90)).open == trigger(80))
  }

  @Test("with camera and microphone dead recording is not shown, however fresh the checkpoints are")
  func deadCapture() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    _ = machine.handle(.captureLost, now: at(1_100))
    _ = machine.handle(.durable(end: at(1_500)), now: at(1_700))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.captureReady, now: at(1_800))
    #expect(Self.name(machine.state) == "recording")
  }

  @Test("a press when camera and microphone are gone saves what is in memory, shown as at risk until one is back")
  func pressWithoutCapture() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.captureLost, now: at(1_000))
    #expect(Self.name(machine.state) == "cannotRecord")
    let pressed = machine.handle(.trigger(trigger(2_000)), now: at(2_000))
    #expect(pressed.open == trigger(2_000) && pressed.answer == .accepted)
    _ = machine.handle(.tick, now: at(2_100))
    #expect(Self.name(machine.state) == "atRisk")
    _ = machine.handle(.durable(end: at(2_500)), now: at(2_700))
    #expect(Self.name(machine.state) == "atRisk", "what is confirmed is silence")
    _ = machine.handle(.captureReady, now: at(2_800))
    #expect(Self.name(machine.state) == "recording")
  }

  @Test("a press remembered during the close begins its recording although the camera went meanwhile")
  func rememberedWithoutCapture() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.stop(at(500)), now: at(500))
    _ = machine.handle(.durable(end: at(500)), now: at(600))
    _ = machine.handle(.trigger(trigger(650)), now: at(650))
    _ = machine.handle(.captureLost, now: at(700))
    #expect(machine.handle(.closed(nil), now: at(800)).open == trigger(650))
  }

  @Test("a press that was remembered is saved even when the process is asked to end")
  func remembersAtTheEnd() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.stop(at(500)), now: at(500))
    _ = machine.handle(.durable(end: at(500)), now: at(600))
    _ = machine.handle(.trigger(trigger(650)), now: at(650))
    let asked = machine.handle(.terminate, now: at(660))
    #expect(!asked.exit)
    let closed = machine.handle(.closed(nil), now: at(700))
    #expect(closed.open == trigger(650) && closed.end == .some(at(700)) && !closed.exit)
    #expect(machine.handle(.closed(nil), now: at(900)).exit)
  }

  @Test("a recording that a failing card ended goes on by itself, where it was durable, when the card writes again")
  func goesOnAfterFailure() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.durable(end: at(5_000)), now: at(5_100))
    _ = machine.handle(.closed(.storeFailed), now: at(6_000))
    #expect(Self.name(machine.state) == "cannotRecord")
    #expect(machine.pendingTrigger == trigger(0))
    _ = machine.handle(.store(.storeFailed), now: at(11_000))
    // What the start of the store says of capture does not begin anything before the card is said to be good.
    #expect(machine.handle(.captureReady, now: at(15_900)).open == nil)
    let back = machine.handle(.store(nil), now: at(16_000))
    #expect(back.open == trigger(0) && back.openFrom == at(5_000) && back.end == nil)
    _ = machine.handle(.tick, now: at(16_100))
    #expect(Self.name(machine.state) == "saving")
    _ = machine.handle(.tick, now: at(18_100))
    #expect(Self.name(machine.state) == "atRisk", "counted from when the card came back")
    // A second failure: it waits again, from where it was durable last.
    _ = machine.handle(.durable(end: at(9_000)), now: at(18_200))
    _ = machine.handle(.closed(.storeFailed), now: at(18_300))
    #expect(machine.handle(.store(nil), now: at(20_000)).openFrom == at(9_000))
  }

  @Test("stopped while the card fails, what was triggered until then is still saved, with the stop as its end")
  func stoppedWhileCardFails() {
    var machine = RecorderMachine(limits: .init(postEvent: .seconds(5)))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.durable(end: at(5_000)), now: at(5_100))
    _ = machine.handle(.closed(.storeFailed), now: at(6_000))
    #expect(machine.handle(.stop(at(7_000)), now: at(7_000)).answer == .stopped)
    var pressedAgain = machine
    let back = machine.handle(.store(nil), now: at(16_000))
    #expect(back.open == trigger(0) && back.openFrom == at(5_000) && back.end == .some(at(12_000)))
    _ = machine.handle(.durable(end: at(12_000)), now: at(16_500))
    #expect(Self.name(machine.state) == "closing")
    // The same when the card failed before anything was durable: the trigger was accepted, and its pre-event is in memory.
    var early = RecorderMachine(limits: .init(postEvent: .zero))
    _ = early.handle(.captureReady, now: at(0))
    _ = early.handle(.trigger(trigger(100)), now: at(100))
    _ = early.handle(.closed(.storeFailed), now: at(200))
    _ = early.handle(.stop(at(900)), now: at(900))
    let saved = early.handle(.store(nil), now: at(6_000))
    #expect(saved.open == trigger(100) && saved.openFrom == nil && saved.end == .some(at(900)))
    // A press takes the stop back, as it does in the post-event.
    #expect(pressedAgain.handle(.trigger(trigger(8_000)), now: at(8_000)).answer == .remembered)
    #expect(pressedAgain.handle(.store(nil), now: at(16_000)).end == nil)
  }

  @Test("a press while the card fails is remembered, and taken back by a stop; while it is full it is refused")
  func pressWhileCardFails() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.store(.storeFailed), now: at(10))
    #expect(machine.handle(.trigger(trigger(100)), now: at(100)).answer == .remembered)
    var full = machine
    var stopped = machine
    let back = machine.handle(.store(nil), now: at(5_000))
    #expect(back.open == trigger(100) && back.openFrom == nil)
    #expect(stopped.handle(.stop(at(200)), now: at(200)).answer == .stopped)
    #expect(stopped.handle(.store(nil), now: at(5_000)).open == nil)
    #expect(Self.name(stopped.state) == "ready")
    _ = full.handle(.store(.storeFull), now: at(5_000))
    #expect(full.handle(.trigger(trigger(6_000)), now: at(6_000)).answer == .refused(.storeFull))
    #expect(full.handle(.store(nil), now: at(9_000)).open == nil, "nobody knows when a full card is emptied")
  }

  @Test("a card that fails when everything is durable already leaves nothing to go on with")
  func failsAfterTheEnd() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.stop(at(3_000)), now: at(3_000))
    _ = machine.handle(.durable(end: at(3_000)), now: at(3_100))
    _ = machine.handle(.closed(.storeFailed), now: at(3_200))
    #expect(machine.pendingTrigger == nil)
    #expect(machine.handle(.store(nil), now: at(9_000)).open == nil)
  }

  @Test("asked to end while recording, it closes first and leaves then")
  func terminatesCleanly() {
    var machine = RecorderMachine(limits: .init(postEvent: .seconds(30)))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    let asked = machine.handle(.terminate, now: at(700))
    #expect(asked.end == .some(at(700)) && !asked.exit)
    #expect(machine.handle(.closed(nil), now: at(900)).exit)
  }

  @Test("a battery that is critical ends the recording at once, and nothing begins until another supply is there")
  func batteryCritical() {
    var machine = RecorderMachine(limits: .init(postEvent: .seconds(30)))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(100)), now: at(100))
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    let effects = machine.handle(.battery(isCritical: true), now: at(1_200))
    #expect(effects.end == .some(at(1_200)) && machine.isBatteryCritical)
    let press = machine.handle(.trigger(trigger(1_300)), now: at(1_300))
    #expect(press.answer == .refused(.batteryCritical) && press.end == nil && press.retrigger == nil)
    _ = machine.handle(.durable(end: at(1_200)), now: at(1_400))
    _ = machine.handle(.closed(nil), now: at(1_450))
    #expect(machine.state == .cannotRecord(.batteryCritical, waiting: nil))
    #expect(machine.handle(.trigger(trigger(1_500)), now: at(1_500)).answer == .refused(.batteryCritical))
    _ = machine.handle(.battery(isCritical: false), now: at(2_000))
    #expect(machine.state == .ready)
    #expect(machine.handle(.trigger(trigger(2_100)), now: at(2_100)).effectsOpenEnd == .some(nil))
  }

  @Test("a stop that is on its way is only brought forward, and a supply that comes back takes no end away")
  func batteryCriticalInPostEvent() {
    var machine = RecorderMachine(limits: .init(postEvent: .seconds(30)))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(100)), now: at(100))
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    _ = machine.handle(.stop(at(1_100)), now: at(1_100))
    #expect(machine.handle(.battery(isCritical: true), now: at(2_000)).end == .some(at(2_000)))
    let effects = machine.handle(.battery(isCritical: false), now: at(2_050))
    #expect(effects.end == nil)
    _ = machine.handle(.durable(end: at(2_000)), now: at(2_100))
    _ = machine.handle(.closed(nil), now: at(2_150))
    #expect(machine.state == .ready)
  }

  @Test("a press that was promised its recording before the battery was critical has it, up to that moment")
  func batteryCriticalKeepsPromises() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(100)), now: at(100))
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    _ = machine.handle(.stop(at(1_000)), now: at(1_000))
    _ = machine.handle(.durable(end: at(1_000)), now: at(1_050))
    #expect(machine.handle(.trigger(trigger(1_100)), now: at(1_100)).answer == .remembered)
    _ = machine.handle(.battery(isCritical: true), now: at(1_150))
    let effects = machine.handle(.closed(nil), now: at(1_300))
    #expect(effects.open?.time == at(1_100) && effects.end == .some(at(1_150)))
    _ = machine.handle(.durable(end: at(1_150)), now: at(1_500))
    _ = machine.handle(.closed(nil), now: at(1_550))
    #expect(machine.state == .cannotRecord(.batteryCritical, waiting: nil))
  }

  @Test("what waits for a failing card is recorded up to the moment at which the battery was critical")
  func batteryCriticalWhileCardFails() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.captureReady, now: at(0))
    _ = machine.handle(.trigger(trigger(100)), now: at(100))
    _ = machine.handle(.durable(end: at(900)), now: at(1_000))
    _ = machine.handle(.closed(.storeFailed), now: at(1_200))
    _ = machine.handle(.battery(isCritical: true), now: at(2_000))
    #expect(machine.handle(.trigger(trigger(2_100)), now: at(2_100)).answer == .refused(.batteryCritical))
    let effects = machine.handle(.store(nil), now: at(3_000))
    #expect(effects.openFrom == at(900) && effects.end == .some(at(2_000)))
  }

  @Test(
    "critical before the first picture: a remembered press is given up, and with another supply it is starting again")
  func batteryCriticalAtStart() {
    var machine = RecorderMachine(limits: .init(postEvent: .zero))
    _ = machine.handle(.trigger(trigger(0)), now: at(0))
    _ = machine.handle(.battery(isCritical: true), now: at(10))
    #expect(machine.state == .cannotRecord(.batteryCritical, waiting: nil) && machine.pendingTrigger == nil)
    _ = machine.handle(.battery(isCritical: false), now: at(20))
    #expect(machine.state == .starting(pending: nil))
    _ = machine.handle(.battery(isCritical: true), now: at(30))
    _ = machine.handle(.captureReady, now: at(40))
    #expect(machine.state == .cannotRecord(.batteryCritical, waiting: nil))
    _ = machine.handle(.battery(isCritical: false), now: at(50))
    #expect(machine.state == .ready)
  }
}

extension RecorderMachine.Effects {
  /// The end that a recording is begun with; nil where none is begun.
  fileprivate var effectsOpenEnd: MonotonicTime?? { open == nil ? nil : .some(end ?? nil) }
}
