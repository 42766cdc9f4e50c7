import Media
import Testing

@testable import Radio

@Suite("The health of a scan")
struct ScannerHealthTests {
  private func sent(_ bench: Bench) -> [HCIOpcode] { bench.controller.sent.map(\.opcode) }

  @Test("A silent controller is noticed within 30 s, wherever it falls silent, and comes back by itself")
  func silence() throws {
    for second in stride(from: 0.0, to: 70, by: 1.7) {
      var bench = Bench()
      bench.start()
      bench.pass(second)
      bench.controller.fault = .mute
      let begin = bench.now
      while bench.machine.state == .listening && bench.now - begin < .seconds(60) { bench.pass(0.1) }
      #expect(bench.machine.state == .deaf(.silent))
      #expect(bench.now - begin <= .seconds(30), "silent at \(second) s")
      bench.pass(100)
      #expect(bench.machine.state == .deaf(.silent))
      bench.controller.fault = .none
      bench.pass(40)
      #expect(bench.machine.state == .listening)
      #expect(bench.controller.scans)
    }
  }

  @Test("Reset first; what does not answer to that is closed and opened again, and not without pauses")
  func reopening() {
    var bench = Bench()
    bench.start()
    bench.controller.fault = .mute
    bench.pass(12.5)
    #expect(bench.machine.state == .deaf(.silent))
    #expect(sent(bench).suffix(2) == [.readLocalVersion, .reset])
    #expect(bench.controller.isOpen && bench.opens == 1)
    bench.pass(5)
    #expect(!bench.controller.isOpen)
    bench.pass(600)
    #expect((10...30).contains(bench.opens))
  }

  @Test("In shared mode a silent controller is closed and opened again, never reset")
  func sharedSilence() {
    var bench = Bench(.shared)
    bench.start()
    bench.controller.fault = .mute
    bench.pass(30)
    #expect(bench.machine.state == .deaf(.silent))
    #expect(bench.opens > 1)
    bench.controller.fault = .none
    bench.pass(40)
    #expect(bench.machine.state == .listening)
    #expect(!sent(bench).contains(.reset))
  }

  @Test("While anything is heard nobody asks; in a quiet place the answers keep it listening")
  func probing() {
    var bench = Bench()
    bench.start()
    let before = bench.controller.sent.count
    for _ in 0..<600 {
      bench.pass(0.1)
      bench.take(Bench.report)
    }
    #expect(bench.controller.sent.count == before)
    bench.pass(55)
    #expect(
      sent(bench).suffix(bench.controller.sent.count - before) == [HCIOpcode](repeating: .readLocalVersion, count: 5))
    #expect(bench.machine.state == .listening)
  }

  @Test("A scan that hears nothing for a minute is set up again, in case it ended; a shared one is left alone")
  func renewal() {
    var bench = Bench()
    bench.start()
    bench.controller.scans = false
    bench.pass(61)
    #expect(bench.controller.scans)
    #expect(bench.machine.state == .listening)
    #expect(sent(bench).filter { $0 == .leSetExtendedScanEnable }.count == 3)
    #expect(sent(bench).filter { $0 == .reset }.count == 1)
    var shared = Bench(.shared)
    shared.start()
    shared.pass(600)
    #expect(sent(shared).filter { $0 == .leSetExtendedScanEnable }.count == 1)
  }

  @Test("A hardware error is deafness until the scan runs again: at once the first time, with pauses when it goes on")
  func hardwareErrors() {
    var bench = Bench()
    bench.start()
    bench.take(.hardwareError(0x42))
    // Set up again within the same turn.
    #expect(bench.machine.state == .listening)
    #expect(sent(bench).filter { $0 == .reset }.count == 2)
    bench.take(.hardwareError(0x42))
    #expect(bench.machine.state == .deaf(.hardwareError(0x42)))
    bench.pass(1)
    #expect(bench.machine.state == .listening)
    // After a minute of peace the first one is forgiven again.
    bench.pass(61)
    bench.take(.hardwareError(0x42))
    #expect(bench.machine.state == .listening)
  }

  @Test(
    "A controller that reports errors all the time is tried again all the same, and not more often than pauses allow")
  func errorFlood() {
    var bench = Bench()
    bench.start()
    for _ in 0..<6_000 {
      bench.pass(0.1)
      bench.take(.hardwareError(1))
    }
    let resets = sent(bench).filter { $0 == .reset }.count
    #expect((20...30).contains(resets), "\(resets)")
    bench.pass(31)
    #expect(bench.machine.state == .listening)
  }

  @Test("In shared mode the kernel sets up the controller after an error; the scan follows a moment later")
  func sharedHardwareError() {
    var bench = Bench(.shared)
    bench.start()
    bench.controller.scans = false
    bench.take(.hardwareError(3))
    #expect(bench.machine.state == .deaf(.hardwareError(3)))
    bench.pass(1)
    #expect(bench.machine.state == .listening)
    #expect(bench.controller.scans)
    #expect(!sent(bench).contains(.reset))
  }

  @Test(
    "An adapter that is unplugged is deafness at once; it is looked for every few seconds and set up when it is back")
  func unplugged() {
    var bench = Bench()
    bench.start()
    bench.controller.openError = Bench.absent
    bench.perform(bench.machine.failed(Bench.gone, at: bench.now))
    #expect(bench.machine.state == .deaf(.adapter(Bench.gone)))
    #expect(!bench.controller.isOpen)
    bench.pass(600)
    #expect(bench.machine.state == .deaf(.adapter(Bench.absent)))
    #expect((100...130).contains(bench.opens))
    bench.controller.openError = nil
    bench.pass(5.1)
    #expect(bench.machine.state == .listening)
  }

  @Test("Without an adapter, or the right to use it, the start is deafness with the reason")
  func absent() {
    for code in [CInt(19), 1, 16, 97] {
      let error = HCIError(adapter: "hci0", operation: "open", errno: code, mode: .exclusive)
      var bench = Bench()
      bench.controller.openError = error
      bench.start()
      #expect(bench.machine.state == .deaf(.adapter(error)))
      bench.pass(3_600)
      #expect(bench.opens > 100)
      #expect(bench.opens < 800)
      bench.controller.openError = nil
      bench.pass(31)
      #expect(bench.machine.state == .listening)
    }
  }

  @Test("A command that cannot be sent closes the adapter")
  func sendFailure() {
    var bench = Bench(.shared)
    bench.start()
    let down = HCIError(adapter: "hci0", operation: "send", errno: 100, mode: .shared)
    bench.perform(bench.machine.failed(down, at: bench.now))
    #expect(bench.machine.state == .deaf(.adapter(down)))
    bench.pass(2)
    #expect(bench.machine.state == .listening)
  }
}
