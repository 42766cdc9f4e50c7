import Media
import Testing

@testable import Radio

/// An adapter and a controller made of nothing: answers commands as the specification wants it, unless it is told otherwise.
struct FakeController {
  enum Fault: Hashable {
    case none
    /// Answers nothing and tells nothing.
    case mute
    case refuse(HCIOpcode, HCIStatus)
    /// Answers this with Command Status.
    case refuseByStatus(HCIOpcode, HCIStatus)
  }

  var fault = Fault.none
  var openError: HCIError?
  var hasExtended = true
  /// LE with BR/EDR, LE alone, BR/EDR alone.
  var features: UInt8 = 0x40
  var isOpen = false
  var scans = false
  /// Everything that was sent, in its order.
  var sent: [HCICommand] = []
  /// A controller that had one kind of scan commands refuses the other until it is reset (Vol 4, Part E, 3.1.1).
  var kind: ScanKind?

  mutating func answer(_ command: HCICommand) -> [HCIEvent] {
    sent.append(command)
    let opcode = command.opcode
    switch fault {
    case .mute: return []
    case .refuse(opcode, let status): return [.complete(opcode, returned: [status.rawValue], credits: 1)]
    case .refuseByStatus(opcode, let status): return [.status(opcode, status, credits: 1)]
    case .none, .refuse, .refuseByStatus: break
    }
    var returned: [UInt8] = [0]
    switch opcode {
    case .reset: (scans, kind) = (false, nil)
    case .readLocalCommands:
      returned += [UInt8](repeating: 0, count: 64)
      if hasExtended { returned[1 + 37] = 0x60 }
    case .readLocalFeatures: returned += [0, 0, 0, 0, features, 0, 0, 0]
    case .leSetScanParameters, .leSetExtendedScanParameters, .leSetScanEnable, .leSetExtendedScanEnable:
      let used: ScanKind = opcode.rawValue > 0x2040 ? .extended : .legacy
      let isParameters = opcode == .leSetScanParameters || opcode == .leSetExtendedScanParameters
      if kind ?? used != used || (isParameters && scans) || (used == .extended && !hasExtended) {
        return [.complete(opcode, returned: [0x0C], credits: 1)]
      }
      kind = used
      if !isParameters { scans = command.parameters[0] == 1 }
    default: break
    }
    return [.complete(opcode, returned: returned, credits: 1)]
  }
}

/// A machine and its controller in made-up time.
struct Bench {
  var machine: ScannerMachine
  var controller = FakeController()
  var now = MonotonicTime.at(0)
  var opens = 0

  init(_ mode: HCIMode = .exclusive) { machine = ScannerMachine(ScannerSettings(mode: mode)) }

  mutating func perform(_ actions: [ScannerMachine.Action]) {
    var waiting = actions
    // Bounded: a machine that answers itself for ever must fail, not hang.
    for _ in 0..<100 where !waiting.isEmpty {
      switch waiting.removeFirst() {
      case .open:
        opens += 1
        #expect(!controller.isOpen)
        if let error = controller.openError {
          waiting += machine.failed(error, at: now)
        } else {
          controller.isOpen = true
          waiting += machine.opened(at: now)
        }
      case .close:
        #expect(controller.isOpen)
        controller.isOpen = false
        controller.scans = false
        controller.kind = nil
      case .send(let command):
        #expect(controller.isOpen)
        for event in controller.answer(command) { waiting += machine.take(event, at: now) }
      }
    }
    #expect(waiting.isEmpty)
  }

  mutating func start() { perform(machine.start()) }
  mutating func take(_ event: HCIEvent) { perform(machine.take(event, at: now)) }

  /// Lets time go by, as a loop with these deadlines does.
  mutating func pass(_ seconds: Double, step: (inout Bench) -> Void = { _ in }) {
    let end = now + Nanoseconds(Int64(seconds * 1e9))
    var turns = 0
    while let deadline = machine.deadline, deadline <= end {
      now = max(now, deadline)
      perform(machine.pass(now: now))
      step(&self)
      turns += 1
      guard turns < 10_000 else {
        Issue.record("a deadline that does not move")
        return
      }
    }
    now = end
  }

  static let report = HCIEvent.advertising([Air.report([2, 1, 6])])
  static let gone = HCIError(adapter: "hci0", operation: "read", errno: 32, mode: .exclusive)
  static let absent = HCIError(adapter: "hci0", operation: "open", errno: 19, mode: .exclusive)
}
