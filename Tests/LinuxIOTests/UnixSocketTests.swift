import Glibc
import LinuxIO
import Synchronization
import Testing

@Suite struct UnixSocketTests {
  @Test("the socket file has the mode and group asked for, and goes away with the listener")
  func permissions() throws {
    let directory = try TemporaryDirectory()
    let path = directory("s")
    func listen() throws {
      let listener = try UnixListener(path: path, mode: 0o640, group: "\(getegid())")
      var status = stat()
      #expect(lstat(path, &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o640)
      #expect(status.st_gid == getegid())
      #expect(listener.path == path)
    }
    try listen()
    #expect(try listDirectory(path: directory.path).isEmpty)
  }

  @Test("an unknown group is an error that says how to make it, and leaves no file")
  func unknownGroup() throws {
    let directory = try TemporaryDirectory()
    let error = failure { () throws(LinuxError) in
      _ = try UnixListener(path: directory("s"), group: "no-such-group")
    }
    #expect(error?.hint.contains("groupadd --system no-such-group") == true)
    #expect(try listDirectory(path: directory.path).isEmpty)
  }

  @Test("the peer's process, user and group are the kernel's")
  func credentials() throws {
    let directory = try TemporaryDirectory()
    let listener = try UnixListener(path: directory("s"))
    #expect(try listener.accept() == nil)
    let client = try UnixSocket.connect(path: directory("s"))
    let server = try accept(listener)
    let ours = PeerCredentials(process: getpid(), user: geteuid(), group: getegid())
    #expect(try server.peerCredentials() == ours)
    #expect(try client.peerCredentials() == ours)
  }

  @Test("a request goes in and an answer comes out, and the end of each is seen")
  func exchange() throws {
    let directory = try TemporaryDirectory()
    let listener = try UnixListener(path: directory("s"))
    let client = try UnixSocket.connect(path: directory("s"))
    let server = try accept(listener)
    var buffer = [UInt8](repeating: 0, count: 100)
    #expect(try buffer.withUnsafeMutableBytes { try server.read(into: $0) } == .nothingYet)
    let (request, answer) = (Array("status\n".utf8), Array("OK\n\n".utf8))
    try client.writeAll(request.span.bytes)
    try client.finishSending()
    #expect(try buffer.withUnsafeMutableBytes { try server.read(into: $0) } == .bytes(7))
    #expect(Array(buffer[..<7]) == request)
    #expect(try buffer.withUnsafeMutableBytes { try server.read(into: $0) } == .closed)
    #expect(try server.write(answer.span.bytes) == 4)
    try end(server)
    #expect(try client.readToEnd(limit: 100) == answer)
  }

  private func accept(_ listener: borrowing UnixListener) throws -> UnixSocket {
    guard let socket = try listener.accept() else { throw LinuxError("accept", "nobody", errno: EAGAIN) }
    return socket
  }

  private func end(_ socket: consuming UnixSocket) throws {}

  @Test("a full connection takes part of a write, then nothing, and a vanished peer is an error")
  func backPressure() throws {
    let directory = try TemporaryDirectory()
    let listener = try UnixListener(path: directory("s"))
    let client = try UnixSocket.connect(path: directory("s"))
    let server = try accept(listener)
    let bytes = [UInt8](repeating: 1, count: 8 << 20)
    let first = try server.write(bytes.span.bytes)
    #expect((1..<bytes.count).contains(first))
    #expect(try server.write(bytes.span.bytes) == 0)
    try end(client)
    #expect(failure { () throws(LinuxError) in _ = try server.write(bytes.span.bytes) }?.errno == EPIPE)
  }

  @Test("a client's long message arrives whole through short writes")
  func longMessage() throws {
    let directory = try TemporaryDirectory()
    let listener = try UnixListener(path: directory("s"))
    let client = try UnixSocket.connect(path: directory("s"), timeoutMilliseconds: 60_000)
    let server = try accept(listener)
    let raw = dup(server.rawValue)
    let sent = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let received = Mutex<[UInt8]>([])
    let reader = try NamedThread("reader", stackSize: 1 << 20) {
      let end = FileDescriptor(owning: raw)
      _ = fcntl(raw, F_SETFL, 0)
      let bytes = (try? end.readAll()) ?? []
      received.withLock { $0 = bytes }
    }
    try client.writeAll(sent.span.bytes)
    try client.finishSending()
    reader.join()
    #expect(received.withLock { $0 == sent })
  }

  @Test("an answer that never comes ends with the timeout's error, an endless one with the limit's")
  func clientLimits() throws {
    let directory = try TemporaryDirectory()
    let listener = try UnixListener(path: directory("s"))
    let client = try UnixSocket.connect(path: directory("s"), timeoutMilliseconds: 20)
    let server = try accept(listener)
    let silent = failure { () throws(LinuxError) in _ = try client.readToEnd(limit: 100) }
    #expect(silent?.errno == EAGAIN)
    #expect(silent?.hint == "The recorder did not answer within 20 ms: look at its log.")
    let bytes = [UInt8](repeating: 1, count: 101)
    #expect(try server.write(bytes.span.bytes) == 101)
    #expect(failure { () throws(LinuxError) in _ = try client.readToEnd(limit: 100) }?.errno == EFBIG)
  }

  @Test("a socket left by a crash is replaced; a live one and other files are not")
  func stale() throws {
    let directory = try TemporaryDirectory()
    let path = directory("s")
    // A bound socket whose owner is gone: its file stays.
    do {
      let keep = try UnixListener(path: path)
      #expect(rename(path, directory("stale")) == 0)
      #expect(keep.rawValue >= 0)
    }
    let listener = try UnixListener(path: directory("stale"))
    _ = try UnixSocket.connect(path: listener.path)

    let second = failure { () throws(LinuxError) in _ = try UnixListener(path: directory("stale")) }
    #expect(second?.errno == EADDRINUSE)
    #expect(second?.hint.contains("second recorder") == true)
    _ = try UnixSocket.connect(path: listener.path)

    try writeFileDurably(path: directory("file"), bytes: [1 as UInt8].span.bytes)
    let file = failure { () throws(LinuxError) in _ = try UnixListener(path: directory("file")) }
    #expect(file?.hint.contains("no socket") == true)
    #expect(try readSmallFile(path: directory("file"), limit: 1) == [1])
  }

  @Test("a client is told whether nothing runs, nobody answers, or the path is impossible")
  func clientErrors() throws {
    let directory = try TemporaryDirectory()
    let none = failure { () throws(LinuxError) in _ = try UnixSocket.connect(path: directory("s")) }
    #expect(none?.errno == ENOENT)
    #expect(none?.hint.contains("`lapel run` running") == true)
    do {
      let keep = try UnixListener(path: directory("s"))
      #expect(rename(directory("s"), directory("stale")) == 0)
      #expect(keep.rawValue >= 0)
    }
    let stale = failure { () throws(LinuxError) in _ = try UnixSocket.connect(path: directory("stale")) }
    #expect(stale?.errno == ECONNREFUSED)
    let long = String(repeating: "x", count: 200)
    #expect(
      failure { () throws(LinuxError) in _ = try UnixSocket.connect(path: directory(long)) }?.errno == ENAMETOOLONG)
    #expect(failure { () throws(LinuxError) in _ = try UnixListener(path: directory(long)) }?.errno == ENAMETOOLONG)
  }

  @Test("a user without permission is told which group to join", .enabled(if: geteuid() == 0, "needs root"))
  func permissionDenied() throws {
    let directory = try TemporaryDirectory()
    #expect(chmod(directory.path, 0o755) == 0)
    let listener = try UnixListener(path: directory("s"), mode: 0o600, group: "0")
    let seen = Mutex<LinuxError?>(nil)
    // setfsuid(2) is of this thread alone; glibc's seteuid would change the whole process.
    try NamedThread("other user", stackSize: 1 << 20) { [path = listener.path] in
      _ = setFileUser(65_534)
      defer { _ = setFileUser(0) }
      let error = failure { () throws(LinuxError) in _ = try UnixSocket.connect(path: path) }
      seen.withLock { $0 = error }
    }.join()
    let error = seen.withLock { $0 }
    #expect(error?.errno == EACCES)
    #expect(error?.hint.contains("belongs to the group root") == true)
    #expect(error?.hint.contains("usermod -aG root") == true)
  }
}

/// setfsuid(2), which Swift's Glibc module does not show.
@_silgen_name("setfsuid") private func setFileUser(_ user: UInt32) -> CInt
