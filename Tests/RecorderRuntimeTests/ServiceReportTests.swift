import Core
import Encoding
import Glibc
import LinuxIO
import Media
import Synchronization
import Testing

@testable import RecorderRuntime

@Suite("What the service manager hears")
struct ServiceReportTests {
  /// systemd's end: a datagram socket bound to an abstract name.
  private final class ServiceManager {
    let request: ServiceRequest
    private let descriptor: CInt

    init(_ name: String, watchdog: Nanoseconds? = .seconds(20)) throws {
      let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let full = "lapel-report/\(getpid())/\(name)"
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: [0] + Array(full.utf8)) }
      let size = socklen_t((MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + 1 + full.utf8.count)
      let code = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
      }
      guard code == 0 else { throw LinuxError("bind", full, errno: errno) }
      self.descriptor = descriptor
      request = ServiceRequest(socket: NotifySocket(address: "@\(full)"), watchdogTimeout: watchdog)
    }

    deinit { close(descriptor) }

    func received() -> [String] {
      var messages: [String] = []
      var buffer = [UInt8](repeating: 0, count: 256)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { return messages }
        messages.append(String(decoding: buffer[..<count], as: UTF8.self))
      }
    }
  }

  private static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

  private static func turns(_ count: Int, encoder: Int? = nil) -> CaptureTurns {
    CaptureTurns(camera: count, encoder: encoder ?? count, microphone: nil)
  }

  @Test("up, each new state once, alive while the threads turn, and that it stops")
  func day() throws {
    let manager = try ServiceManager("day")
    var report = ServiceReport(manager.request, log: try EventLog())
    #expect(manager.received().isEmpty)
    report.isUp(Self.turns(0), now: Self.at(100))
    report.tell("starting", Self.turns(1), now: Self.at(101))
    report.tell("ready", Self.turns(2), now: Self.at(102))
    report.tell("ready", Self.turns(3), now: Self.at(105))
    report.tell("ready", Self.turns(4), now: Self.at(106))
    report.tell("stopping", isStopping: true, Self.turns(9), now: Self.at(111))
    report.tell("stopping", isStopping: true, Self.turns(10), now: Self.at(112))
    #expect(
      manager.received() == [
        "READY=1", "STATUS=starting", "STATUS=ready", "WATCHDOG=1", "STATUS=stopping", "STOPPING=1", "WATCHDOG=1",
      ])
  }

  @Test("a thread that stands still starves the watchdog; the log says which, once, and when it goes on")
  func standing() throws {
    let manager = try ServiceManager("standing")
    let log = try EventLog()
    var report = ServiceReport(manager.request, log: log)
    report.isUp(Self.turns(0), now: Self.at(0))
    report.tell("", Self.turns(1), now: Self.at(5))
    for second in 6...19 { report.tell("", Self.turns(Int(second), encoder: 1), now: Self.at(Int64(second))) }
    #expect(manager.received() == ["READY=1", "WATCHDOG=1"])
    report.tell("", Self.turns(30), now: Self.at(20))
    #expect(manager.received() == ["WATCHDOG=1"])
    var lines: [String] = []
    while let event = log.queue.pop() { lines.append(event.text) }
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("the encoder thread stands still") == true)
    #expect(lines.last == "every thread turns again: the watchdog is fed")
  }

  @Test("a service without a watchdog is told the rest, and without a manager nothing is sent")
  func less() throws {
    let manager = try ServiceManager("less", watchdog: nil)
    var report = ServiceReport(manager.request, log: try EventLog())
    report.isUp(Self.turns(0), now: Self.at(0))
    report.tell("ready", Self.turns(0), now: Self.at(60))
    #expect(manager.received() == ["READY=1", "STATUS=ready"])
    let log = try EventLog()
    var silent = ServiceReport(ServiceRequest(watchdogTimeout: .seconds(20)), log: log)
    silent.isUp(Self.turns(0), now: Self.at(0))
    silent.tell("ready", Self.turns(0), now: Self.at(60))
    #expect(log.queue.pop() == nil)
  }

  @Test("what a busy manager could not take is sent again; being up is never lost")
  func busy() throws {
    let manager = try ServiceManager("busy")
    var report = ServiceReport(manager.request, log: try EventLog())
    let socket = try #require(manager.request.socket)
    while try socket.send("X=1") {}
    report.isUp(Self.turns(0), now: Self.at(0))
    report.tell("ready", Self.turns(1), now: Self.at(1))
    #expect(!manager.received().contains("READY=1"))
    report.tell("ready", Self.turns(2), now: Self.at(2))
    #expect(manager.received().contains("READY=1"))
  }

  @Test("the encoder's thread turns while no picture comes, as of a camera that is unplugged")
  func noPicture() throws {
    let health = try CaptureHealth()
    let layout = try #require(I420Layout(width: 64, height: 64))
    let settings = VideoEncoderSettings(
      width: 64, height: 64, framesPerSecond: 10, bitrate: 100_000, peakBitrate: 100_000)
    let kind = try #require(VideoEncoderKind.available.first)
    let loop = EncoderLoop(
      exchange: try FrameExchange(layout: layout, allowSwap: true),
      ring: try SharedRing(
        memory: LockedMemory(byteCount: 1 << 20, allowSwap: true), packetCapacity: 64, otherTracksShare: 1 << 10,
        horizon: .init(preEvent: .seconds(1), edgeToDecision: .zero, gop: .seconds(1))),
      health: health, settings: settings, kind: kind, log: try EventLog())
    let thread = try NamedThread("encoder") {
      if let encoder = try? kind.open(settings) { loop.run(encoder) }
    }
    let deadline = MonotonicTime.now() + .seconds(60)
    while health.encoderTurns.load(ordering: .relaxed) < 4, .now() < deadline {
      MonotonicTime.sleep(until: .now() + .milliseconds(20))
    }
    health.isStopping.store(true, ordering: .relaxed)
    thread.join()
    #expect(health.encoderTurns.load(ordering: .relaxed) >= 4)
    #expect(health.framesEncoded.load(ordering: .relaxed) == 0)
  }

  @Test("a manager that is gone is told of in the log once")
  func gone() throws {
    let log = try EventLog()
    var report = ServiceReport(
      ServiceRequest(socket: NotifySocket(address: "@lapel-report/nobody"), watchdogTimeout: .seconds(20)), log: log)
    report.isUp(Self.turns(0), now: Self.at(0))
    for second in 1...60 { report.tell("\(second)", Self.turns(second), now: Self.at(Int64(second))) }
    var lines: [String] = []
    while let event = log.queue.pop() { lines.append(event.text) }
    #expect(lines.count == 1 && lines.first?.contains("@lapel-report/nobody") == true)
  }
}
