import Control
import Glibc
import LinuxIO
import Media
import Testing

@testable import RecorderRuntime

/// The control loop's part, over a real socket: what is readable is served, then swept.
private struct Served: ~Copyable {
  var server: ControlServer
  let scratch: Scratch
  var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
  var requests: [ControlRequest] = []
  /// What the loop watches.
  private(set) var watched: [CInt] = []
  /// Body of each answer.
  var body: [String] = []

  init() throws {
    let scratch = try Scratch()
    let server = try ControlServer(path: scratch.path("control.sock"), group: "")
    self.scratch = scratch
    self.server = server
  }

  var path: String { scratch.path("control.sock") }

  /// One turn of the loop; returns how many clients had something to be served for.
  @discardableResult
  mutating func turn() throws -> Int {
    watched += try server.acceptAll(now: now)
    var served = 0
    for descriptor in watched {
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard Glibc.poll(&poll, 1, 0) > 0 else { continue }
      served += 1
      let body = body
      var heard: [ControlRequest] = []
      server.serve(descriptor, now: now) {
        heard.append($0)
        return .success("heard", body: body)
      }
      requests += heard
    }
    var gone: [CInt] = []
    server.sweep(now: now) { gone.append($0) }
    watched.removeAll { gone.contains($0) }
    return served
  }

  func connect() throws -> UnixSocket { try UnixSocket.connect(path: path, timeoutMilliseconds: 2_000) }
}

extension UnixSocket {
  fileprivate borrowing func send(_ text: String) throws {
    let bytes = Array(text.utf8)
    try writeAll(bytes.span.bytes)
  }

  /// What has come so far, at least one reply.
  fileprivate borrowing func receive() throws -> String {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let result = try buffer.withUnsafeMutableBytes { try read(into: $0) }
    guard case .bytes(let count) = result else { return "" }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}

@Suite("ControlServer")
struct ControlServerTests {
  @Test("two clients at once get their own answers, in order, however their requests are cut")
  func twoClients() throws {
    var served = try Served()
    let first = try served.connect()
    let second = try served.connect()
    try first.send("sta")
    try second.send("start\nmark label=door\n")
    try served.turn()
    #expect(served.requests == [.start(), .mark(label: "door")])
    #expect(try second.receive() == "OK heard\n\nOK heard\n\n")
    try first.send("tus\nstop")
    try served.turn()
    #expect(try first.receive() == "OK heard\n\n")
    try first.send("\n")
    try served.turn()
    #expect(served.requests == [.start(), .mark(label: "door"), .status(), .stop])
    #expect(try first.receive() == "OK heard\n\n")
    #expect(served.watched.count == 2)
  }

  @Test("half a line that never ends is dropped after a while, and the others are not")
  func halfALine() throws {
    var served = try Served()
    let silent = try served.connect()
    let busy = try served.connect()
    try silent.send("sta")
    for _ in 0..<12 {
      served.now += .seconds(1)
      try busy.send("status\n")
      try served.turn()
    }
    #expect(served.watched.count == 1)
    #expect(try silent.receive().isEmpty)
    #expect(try busy.receive().hasPrefix("OK heard"))
  }

  @Test("garbage gets an error that says so and the connection lives; a line without an end costs the connection")
  func garbage() throws {
    var served = try Served()
    let client = try served.connect()
    try client.send("\u{1}\u{2}\n\nstop now\nstop\n")
    try served.turn()
    let answer = try client.receive()
    #expect(answer.split(separator: "\n").map { $0.prefix(15) } == ["ERR bad_request", "ERR bad_request", "ERR bad_request", "OK heard"])
    #expect(served.requests == [.stop])
    try client.send(String(repeating: "a", count: 5_000))
    try served.turn()
    #expect(try client.receive().hasPrefix("ERR bad_request"))
    try served.turn()
    #expect(served.watched.isEmpty)
  }

  @Test("a client that asks and never reads cannot make the recorder keep answers without end")
  func neverReads() throws {
    var served = try Served()
    served.body = [String](repeating: String(repeating: "x", count: 100), count: 300)
    let greedy = try served.connect()
    let polite = try served.connect()
    let request = Array("status\nstatus\nstatus\nstatus\n".utf8)
    var turns = 0
    // It goes on asking while its connection lives; each answer is 30 kB.
    while turns < 200, (try? greedy.writeAll(request.span.bytes)) != nil {
      try served.turn()
      turns += 1
    }
    #expect(turns < 200)
    #expect(served.requests.count < 100)
    try polite.send("stop\n")
    try served.turn()
    #expect(try polite.receive().hasPrefix("OK heard"))
    #expect(served.watched.count == 1)
  }

  @Test("a client that has said its last and does not read is not served for ever")
  func endsAndNeverReads() throws {
    var served = try Served()
    served.body = [String](repeating: String(repeating: "x", count: 100), count: 300)
    let client = try served.connect()
    for _ in 0..<20 { try client.send("status\n") }
    try client.finishSending()
    // The end of its sending stays readable: a loop that is woken by it again and again would never rest.
    var woken = 0
    for _ in 0..<50 { woken += try served.turn() }
    #expect(woken <= 3)
    #expect(served.watched.isEmpty)
  }

  @Test("one client too many is told to try again at once, instead of keeping the loop awake")
  func tooMany() throws {
    var served = try Served()
    var sockets: [Kept] = []
    for _ in 0..<ControlServer.clientLimit { sockets.append(Kept(try served.connect())) }
    try served.turn()
    #expect(served.watched.count == ControlServer.clientLimit)
    let extra = try served.connect()
    try served.turn()
    var listener = pollfd(fd: served.server.rawValue, events: Int16(POLLIN), revents: 0)
    #expect(poll(&listener, 1, 0) == 0)
    #expect(try extra.receive().hasPrefix("ERR busy"))
    sockets.removeLast()
    try served.turn()
    let next = try served.connect()
    try next.send("stop\n")
    try served.turn()
    #expect(try next.receive().hasPrefix("OK heard"))
  }

  /// So that sockets can be kept in an array.
  private final class Kept {
    let socket: UnixSocket
    init(_ socket: consuming UnixSocket) { self.socket = socket }
  }
}
