import Glibc
import LinuxIO
import Media
import Testing

@Suite("Telling the service manager")
struct NotifySocketTests {
  /// A bound datagram socket, as systemd has one.
  final class ServiceManager {
    private let descriptor: CInt

    init(_ name: String, isAbstract: Bool = false) throws {
      descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let bytes = (isAbstract ? [0] : []) + Array(name.utf8)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
      let size = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + socklen_t(bytes.count)
      let code = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
      }
      guard code == 0 else { throw LinuxError("bind", name, errno: errno) }
    }

    deinit { close(descriptor) }

    /// The messages that have come.
    func received() -> [String] {
      var messages: [String] = []
      var buffer = [UInt8](repeating: 0, count: 1024)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { return messages }
        messages.append(String(decoding: buffer[..<count], as: UTF8.self))
      }
    }
  }

  @Test("a message is one datagram, at a path")
  func path() throws {
    let directory = try TemporaryDirectory()
    let manager = try ServiceManager(directory("notify"))
    let socket = try #require(NotifySocket(address: directory("notify")))
    #expect(try socket.send("READY=1"))
    #expect(try socket.send("STATUS=recording\nWATCHDOG=1"))
    #expect(manager.received() == ["READY=1", "STATUS=recording\nWATCHDOG=1"])
  }

  @Test("and in the abstract namespace, where containers have it")
  func abstract() throws {
    let name = "lapel-test/\(getpid())/notify"
    let manager = try ServiceManager(name, isAbstract: true)
    let socket = try #require(NotifySocket(address: "@\(name)"))
    #expect(try socket.send("READY=1"))
    #expect(manager.received() == ["READY=1"])
  }

  @Test("a manager that does not listen to its messages is never waited for")
  func full() throws {
    let directory = try TemporaryDirectory()
    let manager = try ServiceManager(directory("notify"))
    let socket = try #require(NotifySocket(address: directory("notify")))
    var sent = 0
    while sent < 100_000, try socket.send("WATCHDOG=1") { sent += 1 }
    #expect(sent < 100_000)
    #expect(manager.received().count == sent)
    #expect(try socket.send("WATCHDOG=1"))
  }

  @Test("nobody there is an error that names the address")
  func nobody() throws {
    let directory = try TemporaryDirectory()
    let socket = try #require(NotifySocket(address: directory("notify")))
    let error = failure { () throws(LinuxError) in _ = try socket.send("READY=1") }
    #expect(error?.errno == ENOENT && error?.subject == directory("notify"))
    let long = try #require(NotifySocket(address: "/" + String(repeating: "x", count: 200)))
    #expect(failure { () throws(LinuxError) in _ = try long.send("READY=1") }?.errno == ENAMETOOLONG)
  }

  @Test("what the environment asks for; what makes no sense is not asked for")
  func request() {
    let rows: [(socket: String?, timeout: String?, process: String?, address: String?, seconds: Int64?)] = [
      (nil, nil, nil, nil, nil),
      ("/run/systemd/notify", nil, nil, "/run/systemd/notify", nil),
      ("@name", "20000000", nil, "@name", 20),
      ("/n", "20000000", "7", "/n", 20),
      ("/n", "20000000", "8", "/n", nil),
      ("/n", "20000000", "", "/n", nil),
      ("", "0", "7", nil, nil), ("@", "-5", nil, nil, nil), ("vsock:2:1", "x", nil, nil, nil),
      ("relative", "9223372036854775807", nil, nil, nil),
    ]
    for row in rows {
      let request = ServiceRequest(
        notifySocket: row.socket, watchdogMicroseconds: row.timeout, watchdogProcess: row.process, process: 7)
      #expect(request.socket?.address == row.address, "\(row)")
      #expect(request.watchdogTimeout == row.seconds.map { .seconds($0) }, "\(row)")
    }
  }
}
