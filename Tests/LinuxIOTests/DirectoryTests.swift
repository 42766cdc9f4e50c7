import Glibc
import LinuxIO
import Testing

@Suite struct DirectoryTests {
  @Test("names made, renamed and removed are seen")
  func names() throws {
    let temporary = try TemporaryDirectory()
    let directory = try Directory(path: temporary.path)
    #expect(try directory.make("sub"))
    try directory.open("a", flags: O_CREAT | O_WRONLY).close()
    try directory.open("b", flags: O_CREAT | O_WRONLY).close()
    try directory.rename("b", to: "c")
    let sub = try directory.directory("sub")
    try directory.rename("a", to: "moved", in: sub)
    try directory.sync()
    // Twice: listing must not move a shared position.
    #expect(try directory.names().sorted() == ["c", "sub"])
    #expect(try directory.names().sorted() == ["c", "sub"])
    #expect(try sub.names() == ["moved"])
    try sub.unlink("moved")
    try directory.unlink("c")
    try directory.remove(directory: "sub")
    #expect(try directory.names().isEmpty)
  }

  @Test("a directory that exists is an error unless allowed, and a file never passes for one")
  func existing() throws {
    let temporary = try TemporaryDirectory()
    let directory = try Directory(path: temporary.path)
    #expect(try directory.make("sub", mode: 0o700))
    #expect(try directory.status(of: "sub")?.mode == 0o700)
    #expect(failure { () throws(LinuxError) in try directory.make("sub") }?.errno == EEXIST)
    #expect(try !directory.make("sub", allowingExisting: true))
    #expect(try !Directory.make(path: temporary("sub"), allowingExisting: true))
    try directory.open("file", flags: O_CREAT | O_WRONLY).close()
    let error = failure { () throws(LinuxError) in try directory.make("file", allowingExisting: true) }
    #expect(error?.errno == EEXIST)
  }

  @Test("paths where a name is needed are refused", arguments: ["", ".", "..", "a/b", "/a", "../a", "a\0b"])
  func namesOnly(name: String) throws {
    let temporary = try TemporaryDirectory()
    let directory = try Directory(path: temporary.path)
    try directory.open("x", flags: O_CREAT | O_WRONLY).close()
    #expect(failure { () throws(LinuxError) in _ = try directory.open(name, flags: O_RDONLY) }?.errno == EINVAL)
    #expect(failure { () throws(LinuxError) in try directory.unlink(name) }?.errno == EINVAL)
    #expect(failure { () throws(LinuxError) in try directory.rename("x", to: name) }?.errno == EINVAL)
    #expect(failure { () throws(LinuxError) in try directory.make(name) }?.errno == EINVAL)
  }

  @Test("a symbolic link is not followed into another directory")
  func links() throws {
    let temporary = try TemporaryDirectory()
    let directory = try Directory(path: temporary.path)
    #expect(symlink("/", temporary("link")) == 0)
    #expect(failure { () throws(LinuxError) in _ = try directory.directory("link") } != nil)
    #expect(try directory.status(of: "link")?.kind == .symbolicLink)
    #expect(try directory.status(of: "nothing") == nil)
  }

  @Test("the status of a file system tells free space, kind and device")
  func fileSystem() throws {
    let temporary = try TemporaryDirectory()
    let status = try FileSystemStatus(path: temporary.path)
    #expect(status.freeBytes > 0 && status.freeBytes <= status.totalBytes)
    #expect(!status.isReadOnly)
    let handle = try Directory(path: temporary.path)
    try handle.make("x")
    #expect(try handle.status(of: "x")?.deviceID == status.deviceID)
    let processes = try FileSystemStatus(path: "/proc")
    #expect(processes.typeName == "0x9fa0")
    #expect(processes.deviceID != status.deviceID)
  }
}

@Suite struct WholeFilesTests {
  @Test("a durable write replaces the content, sets exactly the mode, and leaves nothing else behind")
  func replaces() throws {
    let temporary = try TemporaryDirectory()
    let (old, new) = (Array("old".utf8), Array("newer".utf8))
    try writeFileDurably(path: temporary("f"), bytes: old.span.bytes, mode: 0o644)
    try writeFileDurably(path: temporary("f"), bytes: new.span.bytes, mode: 0o666)
    #expect(try readSmallFile(path: temporary("f"), limit: 5) == new)
    #expect(try listDirectory(path: temporary.path) == ["f"])
    #expect(try Directory(path: temporary.path).status(of: "f")?.mode == 0o666)
  }

  @Test("a durable write that fails leaves the old state and no temporary file")
  func fails() throws {
    let temporary = try TemporaryDirectory()
    try Directory.make(path: temporary("f"))
    let bytes: [UInt8] = [1]
    let error = failure { () throws(LinuxError) in try writeFileDurably(path: temporary("f"), bytes: bytes.span.bytes) }
    #expect(error?.errno == EISDIR)
    #expect(try listDirectory(path: temporary.path) == ["f"])
  }

  @Test("a file longer than its limit is refused, one of that length is read")
  func limit() throws {
    let temporary = try TemporaryDirectory()
    let bytes = [UInt8](repeating: 5, count: 10_000)
    try writeFileDurably(path: temporary("f"), bytes: bytes.span.bytes)
    #expect(try readSmallFile(path: temporary("f"), limit: 10_000) == bytes)
    #expect(
      failure { () throws(LinuxError) in _ = try readSmallFile(path: temporary("f"), limit: 9_999) }?.errno == EFBIG)
  }
}
