import Glibc
import LinuxIO
import Testing

@Suite struct InstanceLockTests {
  @Test("a second holder is refused with the process id of the first, until that lets go")
  func conflict() throws {
    let directory = try TemporaryDirectory()
    let path = directory("lock")
    let first = try InstanceLock(path: path)
    let error = failure { () throws(LinuxError) in _ = try InstanceLock(path: path) }
    #expect(error?.errno == EWOULDBLOCK)
    #expect(error?.hint.contains("(process \(getpid()))") == true)
    try first.release()
    try InstanceLock(path: path).release()
  }

  @Test("an old, longer process id in the file does not show through")
  func staleContent() throws {
    let directory = try TemporaryDirectory()
    let stale = Array("123456789012\n".utf8)
    try writeFileDurably(path: directory("lock"), bytes: stale.span.bytes)
    let lock = try InstanceLock(path: directory("lock"))
    #expect(try readSmallFile(path: directory("lock"), limit: 100) == Array("\(getpid())\n".utf8))
    try lock.release()
  }
}
