import Media
import Testing

@testable import Radio

@Suite("Bringing a controller to scanning")
struct ScannerMachineTests {
  private func sent(_ bench: Bench) -> [HCIOpcode] { bench.controller.sent.map(\.opcode) }

  @Test("An exclusive controller is reset, asked, told what to tell, and scanned with the commands that it has")
  func exclusive() {
    for (hasExtended, kind, parameters, enable) in [
      (true, ScanKind.extended, HCIOpcode.leSetExtendedScanParameters, HCIOpcode.leSetExtendedScanEnable),
      (false, .legacy, .leSetScanParameters, .leSetScanEnable),
    ] {
      var bench = Bench()
      bench.controller.hasExtended = hasExtended
      bench.controller.features = 0x60
      #expect(bench.machine.state == .starting)
      bench.start()
      #expect(bench.machine.state == .listening)
      #expect(bench.machine.scanKind == kind)
      #expect(bench.controller.scans)
      #expect(
        sent(bench) == [
          .reset, .readLocalCommands, .readLocalFeatures, .setEventMask, .leSetEventMask, parameters, enable,
        ])
      #expect(bench.controller.sent[4] == .leSetEventMask(kind))
    }
  }

  @Test("A controller that also does BR/EDR is told that its host does LE; a refusal of that does not matter")
  func classic() {
    for fault in [FakeController.Fault.none, .refuse(.writeLEHostSupport, .unknownCommand)] {
      var bench = Bench()
      bench.controller.features = 0x40
      bench.controller.fault = fault
      bench.start()
      #expect(sent(bench)[4] == .writeLEHostSupport)
      #expect(bench.machine.state == .listening)
    }
  }

  @Test("A shared controller is neither reset nor given a mask: only the scan is set up")
  func shared() {
    var bench = Bench(.shared)
    bench.start()
    #expect(bench.machine.state == .listening)
    #expect(
      sent(bench) == [
        .readLocalCommands, .readLocalFeatures, .leSetExtendedScanParameters, .leSetExtendedScanEnable,
      ])
    bench.controller.fault = .mute
    bench.pass(3_600)
    let changing: Set<HCIOpcode> = [.reset, .setEventMask, .leSetEventMask, .writeLEHostSupport]
    #expect(changing.isDisjoint(with: sent(bench)))
  }

  @Test(
    "Passive throughout: every scan that is set up, in every mode and kind, and no command makes the controller send")
  func passive() {
    for mode in HCIMode.allCases {
      for hasExtended in [true, false] {
        var bench = Bench(mode)
        bench.controller.hasExtended = hasExtended
        bench.start()
        bench.pass(600)
        bench.take(.hardwareError(1))
        bench.pass(600)
        for command in bench.controller.sent {
          switch command.opcode {
          case .leSetScanParameters: #expect(command.parameters[0] == 0)
          case .leSetExtendedScanParameters: #expect(command.parameters[3] == 0)
          case .leSetScanEnable, .leSetExtendedScanEnable: #expect(command.parameters[1] == 0)
          default:
            #expect(
              [
                .reset, .setEventMask, .leSetEventMask, .readLocalCommands, .readLocalFeatures, .readLocalVersion,
                .writeLEHostSupport,
              ].contains(command.opcode))
          }
        }
        let kinds = Set(
          sent(bench).filter { (0x200B...0x200C).contains($0.rawValue) || $0.rawValue > 0x2040 }.map {
            $0.rawValue > 0x2040
          })
        #expect(kinds == [hasExtended])
      }
    }
  }

  @Test(
    "A refusal on the way is deafness with the command and the reason, and is tried again",
    arguments: [
      HCIOpcode.reset, .readLocalCommands, .readLocalFeatures, .setEventMask, .leSetEventMask,
      .leSetExtendedScanParameters, .leSetExtendedScanEnable,
    ])
  func refusals(_ opcode: HCIOpcode) {
    for fault in [FakeController.Fault.refuse(opcode, .commandDisallowed), .refuseByStatus(opcode, .commandDisallowed)]
    {
      var bench = Bench()
      bench.controller.fault = fault
      bench.start()
      #expect(bench.machine.state == .deaf(.refused(opcode, .commandDisallowed)))
      bench.pass(120)
      #expect(bench.machine.state == .deaf(.refused(opcode, .commandDisallowed)))
      // Not more than the pauses allow: two at once, then after 1, 2, 4, 8, 16, 30, 30 s.
      #expect(bench.controller.sent.count { $0.opcode == opcode } <= 9)
      bench.controller.fault = .none
      bench.pass(30)
      #expect(bench.machine.state == .listening)
      #expect(bench.controller.scans)
    }
  }

  @Test("What is shown of a refusal says what to do")
  func texts() {
    let disallowed = DeafReason.refused(.leSetScanEnable, .commandDisallowed)
    #expect(disallowed.description.contains("LE Set Scan Enable (Command Disallowed (0x0c))"))
    #expect(disallowed.description.contains("Stop that program"))
    let reasons: [DeafReason] = [
      .adapter(Bench.gone), disallowed, .refused(.reset, .unknownCommand), .silent, .hardwareError(7), .noLowEnergy,
    ]
    #expect(reasons.map(\.code) == ["lost", "refused", "refused", "silent", "hardware_error", "no_low_energy"])
    #expect(Set(reasons.map(\.description)).count == reasons.count)
    #expect(DeafReason.hardwareError(7).description.contains("0x07"))
  }

  @Test("A controller without LE is said to be one")
  func classicOnly() {
    var bench = Bench()
    bench.controller.features = 0
    bench.start()
    #expect(bench.machine.state == .deaf(.noLowEnergy))
    #expect(!sent(bench).contains(.setEventMask))
  }

  @Test("An answer that is too short is a refusal, not a guess")
  func shortAnswers() {
    for opcode in [HCIOpcode.readLocalCommands, .readLocalFeatures] {
      var bench = Bench()
      bench.controller.fault = .refuse(opcode, .success)
      bench.start()
      #expect(bench.machine.state == .deaf(.refused(opcode, .success)))
    }
  }

  @Test("One command is on its way at a time, and none while the controller has no room for it")
  func credits() {
    var machine = ScannerMachine(ScannerSettings(mode: .exclusive))
    #expect(machine.start() == [.open])
    #expect(machine.opened(at: .at(0)) == [.send(.reset)])
    // Answered, without room for another; later there is.
    #expect(machine.take(.complete(.reset, returned: [0], credits: 0), at: .at(0)) == [])
    #expect(machine.take(Bench.report, at: .at(0.1)) == [])
    #expect(machine.take(.complete(.none, returned: [], credits: 1), at: .at(0.2)) == [.send(.readLocalCommands)])
    // It is not sent twice.
    #expect(machine.take(.complete(.none, returned: [], credits: 1), at: .at(0.3)) == [])
    // An answer that is only announced is waited for.
    #expect(machine.take(.status(.readLocalCommands, .success, credits: 1), at: .at(0.4)) == [])
    #expect(machine.state == .starting)
  }

  @Test("A controller that never has room is as silent as one that does not answer")
  func noCredits() {
    var machine = ScannerMachine(ScannerSettings(mode: .exclusive))
    _ = machine.start()
    _ = machine.opened(at: .at(0))
    _ = machine.take(.complete(.reset, returned: [0], credits: 0), at: .at(0))
    #expect(machine.deadline == .at(2))
    // A Reset goes out whatever the controller counts.
    #expect(machine.pass(now: .at(2)) == [.send(.reset)])
    #expect(machine.state == .deaf(.silent))
  }

  @Test("What is told at a wrong moment changes nothing")
  func wrongMoments() {
    var machine = ScannerMachine(ScannerSettings(mode: .exclusive))
    #expect(machine.deadline == nil)
    #expect(machine.pass(now: .at(9)) == [])
    #expect(machine.opened(at: .at(0)) == [])
    #expect(machine.failed(Bench.gone, at: .at(0)) == [])
    #expect(machine.take(.hardwareError(1), at: .at(0)) == [])
    #expect(machine.state == .starting)
    _ = machine.start()
    #expect(machine.start() == [])
    #expect(machine.take(.complete(.reset, returned: [0], credits: 1), at: .at(0)) == [])
    #expect(machine.deadline == nil)
    _ = machine.opened(at: .at(0))
    #expect(machine.opened(at: .at(0)) == [])
    // The answer to something else.
    #expect(machine.take(.complete(.setEventMask, returned: [0], credits: 1), at: .at(0)) == [])
    #expect(machine.failed(Bench.gone, at: .at(1)) == [.close])
    #expect(machine.failed(Bench.gone, at: .at(1)) == [])
    #expect(machine.take(.complete(.reset, returned: [0], credits: 1), at: .at(1)) == [])
  }

  @Test(
    "When another program changes the scan of a shared adapter, it is set up again after a moment; if it may not: deaf")
  func others() {
    var bench = Bench(.shared)
    bench.start()
    bench.controller.scans = false
    bench.take(.complete(.leSetExtendedScanEnable, returned: [0], credits: 1))
    #expect(bench.machine.state == .listening)
    bench.pass(0.6)
    #expect(bench.controller.scans)
    #expect(bench.machine.state == .listening)
    // Now it was switched on by the other: our parameters are refused.
    bench.take(.complete(.leSetExtendedScanEnable, returned: [0], credits: 1))
    bench.pass(0.6)
    #expect(bench.machine.state == .deaf(.refused(.leSetExtendedScanParameters, .commandDisallowed)))
    bench.controller.scans = false
    bench.pass(31)
    #expect(bench.machine.state == .listening)
    // An exclusive adapter has nobody else.
    var exclusive = Bench()
    exclusive.start()
    let before = exclusive.controller.sent.count
    exclusive.take(.complete(.leSetExtendedScanEnable, returned: [0], credits: 1))
    exclusive.pass(1)
    #expect(exclusive.controller.sent.count == before)
  }

  @Test(
    "Whatever happens in whatever order: it recovers, asks for no time that has passed for ever, and never mixes scan commands"
  )
  func random() {
    for seed in UInt64(1)...60 {
      var random = SplitMix64(state: seed)
      var bench = Bench(seed % 2 == 0 ? .shared : .exclusive)
      bench.controller.hasExtended = Bool.random(using: &random)
      bench.start()
      for _ in 0..<200 {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: bench.controller.fault = .mute
        case 1: bench.controller.fault = .none
        case 2: bench.take(.hardwareError(1))
        case 3:
          bench.controller.fault = .refuse(
            .init(rawValue: [0x0C03, 0x1002, 0x2041, 0x200C].randomElement(using: &random) ?? 0), .commandDisallowed)
        case 4: if bench.controller.isOpen { bench.perform(bench.machine.failed(Bench.gone, at: bench.now)) }
        case 5: bench.controller.openError = Bool.random(using: &random) ? Bench.absent : nil
        case 6: bench.take(Bench.report)
        case 7:
          bench.take(.complete(HCIOpcode(rawValue: .random(in: 0 ... .max, using: &random)), returned: [0], credits: 1))
        default: bench.take(.status(.readLocalVersion, .success, credits: .random(in: 0...1, using: &random)))
        }
        bench.pass(Double.random(in: 0...8, using: &random))
      }
      bench.controller.fault = .none
      bench.controller.openError = nil
      // Another program's scan is over.
      bench.controller.scans = false
      bench.pass(70)
      #expect(bench.machine.state == .listening, "seed \(seed)")
      let kinds = Set(
        bench.controller.sent.compactMap { command -> Bool? in
          switch command.opcode {
          case .leSetScanParameters, .leSetScanEnable: false
          case .leSetExtendedScanParameters, .leSetExtendedScanEnable: true
          default: nil
          }
        })
      #expect(kinds.count == 1, "seed \(seed)")
    }
  }
}
