import Glibc
import LinuxIO
import Media

/// A program of the system that a measurement needs.
struct ExternalTool {
  let path: String

  /// - Parameter path: a program that is known to be there.
  init(path: String) { self.path = path }

  /// - Parameter package: what to install where it is missing.
  /// - Throws: with exit code 77 when there is none.
  init(_ name: String, package: String) throws(BenchmarkFailure) {
    let places = getenv("PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
    // mkfs and losetup are in sbin, which an ordinary user's PATH leaves out.
    for place in places + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"] where access("\(place)/\(name)", X_OK) == 0 {
      path = "\(place)/\(name)"
      return
    }
    throw BenchmarkFailure("\(name) is missing: apt install \(package)", exitCode: BenchmarkFailure.missing)
  }

  /// Runs it to its end; what it writes goes to `log`.
  /// - Returns: what it wrote, without the last line end.
  @discardableResult
  func run(_ arguments: [String], log: String) throws -> String {
    unlink(log)
    let child = try ChildProcess(path, arguments, output: .file(log))
    let code = child.wait()
    return try output(of: log, code: code, arguments)
  }

  /// As `run`, and ends it when one of `signals` comes.
  func run(_ arguments: [String], log: String, signals: borrowing SignalDescriptor, progress: () -> Void) throws {
    unlink(log)
    let child = try ChildProcess(path, arguments, output: .file(log))
    while true {
      if let code = child.exitCodeIfEnded() {
        try output(of: log, code: code, arguments)
        return
      }
      if let signal = try signals.next() {
        child.signal(SIGKILL)
        _ = child.wait()
        throw BenchmarkFailure("ended by signal \(signal)", exitCode: 128 + signal)
      }
      progress()
      MonotonicTime.sleep(until: .now() + .milliseconds(200))
    }
  }

  @discardableResult
  private func output(of log: String, code: CInt, _ arguments: [String]) throws -> String {
    let bytes = (try? readSmallFile(path: log, limit: 1 << 20)) ?? []
    var text = Substring(String(decoding: bytes, as: UTF8.self))
    while text.last?.isNewline == true { text.removeLast() }
    guard code == 0 else {
      throw BenchmarkFailure("\(path) \(arguments.joined(separator: " ")) ended with exit code \(code): \(text)")
    }
    return String(text)
  }
}

/// A directory of its own for one measurement; `remove` takes it away.
struct WorkDirectory {
  let path: String

  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/lapel-benchmarks-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let made else { throw LinuxError("make a directory in", parent, errno: errno) }
    path = made
  }

  func remove() {
    // The path is our own; rm knows the way down better than we would.
    guard let child = try? ChildProcess("/bin/rm", ["-rf", "--", path]) else { return }
    _ = child.wait()
  }
}
