import Glibc
import LinuxIO

/// A program that runs beside this one, its standard output read through a pipe. Started without a shell.
///
/// The child gets this process's environment, no input, and nothing else that is open here.
final class PipedProcess {
  private let name: String
  private let id: pid_t
  private let output: FileDescriptor
  private let messages: FileDescriptor
  private var isReaped = false

  /// - Parameter arguments: the program, looked up in PATH, and its arguments.
  init(_ arguments: [String]) throws {
    name = arguments.first ?? "-"
    var pipes: [CInt] = [-1, -1]
    guard pipe(&pipes) == 0 else { throw LinuxError("make", "a pipe", errno: errno) }
    for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    output = FileDescriptor(owning: pipes[0], path: "the output of \(name)")
    let writing = FileDescriptor(owning: pipes[1], path: "the output of \(name)")
    // Messages go to a file without a name: a second pipe could fill while nobody reads it.
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    messages = try FileDescriptor.open(path: directory, flags: O_RDWR | Self.unnamed)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, writing.rawValue, 1)
    posix_spawn_file_actions_adddup2(&actions, messages.rawValue, 2)
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var id: pid_t = 0
    let code = posix_spawnp(&id, name, &actions, nil, &words, environ)
    guard code == 0 else {
      throw code == ENOENT
        ? DockFailure("\(name) is not installed: apt-get install ffmpeg") : LinuxError("run", name, errno: code)
    }
    self.id = id
  }

  deinit {
    if !isReaped {
      kill(id, SIGKILL)
      waitpid(id, nil, 0)
    }
  }

  /// O_TMPFILE (open(2)); a compound macro that Swift does not import. The same on x86-64, arm64 and RISC-V but for
  /// O_DIRECTORY, which the importer knows.
  private static let unnamed = CInt(0o20000000) | O_DIRECTORY

  /// Fills the buffer, or reads up to the end of the output. Returns the bytes read.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(LinuxError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = try output.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Everything up to the end.
  func readAll() throws -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try piece.withUnsafeMutableBytes { try read(into: $0) }
      bytes += piece.prefix(count)
      if count < piece.count { return bytes }
    }
  }

  /// Waits for its end.
  /// - Throws: with its own messages when it failed.
  func finish() throws {
    var status: CInt = 0
    while waitpid(id, &status, 0) < 0 && errno == EINTR {}
    isReaped = true
    guard status != 0 else { return }
    var text = [UInt8](repeating: 0, count: 4_096)
    let count = (try? text.withUnsafeMutableBytes { try messages.pread(into: $0, at: 0) }) ?? 0
    let message = String(decoding: text.prefix(count), as: UTF8.self).split(separator: "\n").prefix(5)
    throw DockFailure("\(name) failed: \(PlainText.printable(message.joined(separator: "; ")))")
  }
}
