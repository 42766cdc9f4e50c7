import Testing

@testable import HardwareCodec

@Suite struct CodecMachineTests {
  private typealias State = CodecMachine.State
  private typealias Event = CodecMachine.Event
  private typealias Step = CodecMachine.Step

  /// What is allowed, by the specification's state machine; everything else is a mistake.
  private static let table: [(State, Event, State, [Step])] = [
    (.ready, .start, .encoding, [.streamOn]),
    (.ready, .stop, .ready, []),
    (.encoding, .drain, .draining, [.stopCommand]),
    (.encoding, .reset, .encoding, [.streamOff, .streamOn]),
    (.encoding, .stop, .ready, [.streamOff]),
    (.draining, .last, .drained, []),
    (.draining, .reset, .encoding, [.streamOff, .streamOn]),
    (.draining, .stop, .ready, [.streamOff]),
    (.drained, .reset, .encoding, [.streamOff, .streamOn]),
    (.drained, .stop, .ready, [.streamOff]),
    (.ready, .failure, .failed, []),
    (.encoding, .failure, .failed, []),
    (.draining, .failure, .failed, []),
    (.drained, .failure, .failed, []),
    (.failed, .failure, .failed, []),
    (.failed, .stop, .failed, []),
  ]

  @Test("every event in every state does what the table says, and is refused where it says nothing")
  func everyPair() {
    for state in State.allCases {
      for event in Event.allCases {
        var machine = CodecMachine(state)
        let steps = machine.handle(event)
        let row = Self.table.first { $0.0 == state && $0.1 == event }
        #expect(steps == row?.3, "\(event) in \(state)")
        #expect(machine.state == row?.2 ?? state, "\(event) in \(state)")
      }
    }
  }

  @Test("a life: encoding, a reset in mid-stream, drained at the end, begun again")
  func life() {
    var machine = CodecMachine()
    var steps: [Step] = []
    for event in [Event.start, .reset, .drain, .last, .reset, .drain, .last, .stop, .start, .stop] {
      steps += machine.handle(event) ?? []
    }
    #expect(machine.state == .ready)
    #expect(
      steps == [
        .streamOn, .streamOff, .streamOn, .stopCommand, .streamOff, .streamOn, .stopCommand, .streamOff, .streamOn,
        .streamOff,
      ])
  }
}
