import Glibc
import LinuxIO

/// An empty directory that goes away with everything in it.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/lapel-linuxio-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw LinuxError("make", "a temporary directory", errno: errno) }
    path = template.withUnsafeBufferPointer { buffer in
      String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  deinit { TemporaryDirectory.empty(path) }

  private static func empty(_ path: String) {
    for name in (try? listDirectory(path: path)) ?? [] {
      let child = "\(path)/\(name)"
      if unlink(child) != 0 { empty(child) }
    }
    rmdir(path)
  }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

/// Both ends of a new pipe.
struct Pipe: ~Copyable {
  var reader: FileDescriptor
  var writer: FileDescriptor

  init() throws {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { throw LinuxError("make", "a pipe", errno: errno) }
    reader = FileDescriptor(owning: ends[0], path: "pipe")
    writer = FileDescriptor(owning: ends[1], path: "pipe")
  }
}

/// The error that `body` throws, if it throws one.
func failure(_ body: () throws(LinuxError) -> Void) -> LinuxError? {
  do throws(LinuxError) {
    try body()
    return nil
  } catch {
    return error
  }
}

extension FileDescriptor {
  /// Reads to the end.
  borrowing func readAll() throws -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1000)
    while true {
      let count = try chunk.withUnsafeMutableBytes { try read(into: $0) }
      if count == 0 { return all }
      all += chunk[..<count]
    }
  }
}
