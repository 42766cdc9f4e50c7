import Glibc
import LinuxIO
import Synchronization
import Testing

@Suite struct FileDescriptorTests {
  @Test("a write into a full, non-blocking pipe goes on until the reader has every byte")
  func shortWrites() throws {
    let pipe = try Pipe()
    let size = 1 << 20
    let sent = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    #expect(fcntl(pipe.writer.rawValue, F_SETFL, O_NONBLOCK) == 0)
    let received = Mutex<[UInt8]>([])
    let reader = dup(pipe.reader.rawValue)
    let thread = try NamedThread("reader", stackSize: 1 << 20) {
      let end = FileDescriptor(owning: reader)
      let bytes = (try? end.readAll()) ?? []
      received.withLock { $0 = bytes }
    }
    try pipe.writer.write(sent.span.bytes)
    try finish(pipe)
    thread.join()
    #expect(received.withLock { $0 == sent })
  }

  private func finish(_ pipe: consuming Pipe) throws {}

  @Test("pread and pwrite work at their offset, and a read past the end is short")
  func offsets() throws {
    let directory = try TemporaryDirectory()
    let file = try FileDescriptor.open(path: directory("a"), flags: O_RDWR | O_CREAT)
    let bytes: [UInt8] = [1, 2, 3, 4]
    try file.pwrite(bytes.span.bytes, at: 6)
    #expect(try file.size() == 10)
    var buffer = [UInt8](repeating: 9, count: 8)
    let count = try buffer.withUnsafeMutableBytes { try file.pread(into: $0, at: 4) }
    #expect(count == 6)
    #expect(buffer == [0, 0, 1, 2, 3, 4, 9, 9])
    try file.truncate(to: 7)
    #expect(try file.size() == 7)
    try file.startWriteback(offset: 0, length: 7)
    try file.dataSync()
    try file.close()
  }

  @Test("reserved space does not change the file's size")
  func reservation() throws {
    let directory = try TemporaryDirectory()
    let handle = try Directory(path: directory.path)
    let file = try handle.open("a", flags: O_RDWR | O_CREAT)
    try file.allocateKeepingSize(offset: 0, length: 1 << 20)
    #expect(try file.size() == 0)
    let status = try handle.status(of: "a")
    #expect(try #require(status).allocated >= 1 << 20)
  }

  @Test("every descriptor is closed on exec")
  func closeOnExec() throws {
    let directory = try TemporaryDirectory()
    let handle = try Directory(path: directory.path)
    let file = try handle.open("a", flags: O_RDWR | O_CREAT)
    let counter = try EventCounter()
    let listener = try UnixListener(path: directory("s"))
    let client = try UnixSocket.connect(path: directory("s"))
    guard let server = try listener.accept() else { throw LinuxError("accept", "nobody", errno: EAGAIN) }
    for raw in [
      handle.descriptor.rawValue, file.rawValue, counter.rawValue, listener.rawValue, client.rawValue, server.rawValue,
    ] {
      #expect(fcntl(raw, F_GETFD) & FD_CLOEXEC != 0)
    }
  }

  @Test("a descriptor is closed when its value goes away")
  func closedAtEndOfLife() throws {
    let pipe = try Pipe()
    let copy = dup(pipe.writer.rawValue)
    func use(_ end: consuming FileDescriptor) throws { try end.write([7 as UInt8].span.bytes) }
    let reader = dup(pipe.reader.rawValue)
    try finish(pipe)
    try use(FileDescriptor(owning: copy))
    // The end of file comes only when the last writer is gone.
    #expect(try FileDescriptor(owning: reader).readAll() == [7])
  }

  @Test("closing reports the kernel's error")
  func closeError() {
    // A number far above every limit, so that no other test's descriptor is meant.
    let error = failure { () throws(LinuxError) in
      try FileDescriptor(owning: 1 << 30, path: "x").close()
    }
    #expect(error?.errno == EBADF)
  }

  @Test("a full device is an error that says so and what to do")
  func fullDevice() throws {
    let file = try FileDescriptor.open(path: "/dev/full", flags: O_WRONLY)
    let error = failure { () throws(LinuxError) in try file.write([1 as UInt8].span.bytes) }
    #expect(
      error?.description
        == "cannot write to /dev/full: No space left on device (errno 28). Free space on that file system.")
  }

  @Test("a missing file is an error with its path")
  func missing() {
    let error = failure { () throws(LinuxError) in _ = try FileDescriptor.open(path: "/nowhere/x", flags: O_RDONLY) }
    #expect(error?.errno == ENOENT)
    #expect(error?.subject == "/nowhere/x")
    #expect(error?.operation == "open")
  }

  @Test("a non-blocking read without data is nil, at the end 0")
  func notReady() throws {
    var pipe = try Pipe()
    #expect(fcntl(pipe.reader.rawValue, F_SETFL, O_NONBLOCK) == 0)
    var buffer = [UInt8](repeating: 0, count: 4)
    let before = try buffer.withUnsafeMutableBytes { try pipe.reader.readIfReady(into: $0) }
    #expect(before == nil)
    pipe.writer = FileDescriptor(owning: -1)
    let after = try buffer.withUnsafeMutableBytes { try pipe.reader.readIfReady(into: $0) }
    #expect(after == 0)
  }

  @Test("an ioctl that the device does not know is an error with the given words")
  func ioctlError() throws {
    let file = try FileDescriptor.open(path: "/dev/null", flags: O_RDONLY)
    var argument: CInt = 0
    let error = failure { () throws(LinuxError) in
      try file.control(0x5413, &argument, operation: "read the window size of")
    }
    #expect(error?.errno == ENOTTY)
    #expect(error?.description.hasPrefix("cannot read the window size of /dev/null: ") == true)
  }
}
