public import Glibc

/// A program started by this one (posix_spawn(3)); its standard input is /dev/null.
public struct ChildProcess: ~Copyable {
  public let identifier: pid_t
  /// The program, for messages.
  public let program: String

  /// Where the child's standard output and standard error go.
  public enum Output: Sendable {
    case inherited
    /// Appended to this file.
    case file(String)
  }

  /// Starts `program`, a path, with `arguments` after it. Signals that this process blocks are free in the child.
  public init(_ program: String, _ arguments: [String], output: Output = .inherited) throws(LinuxError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    if case .file(let path) = output {
      posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
      posix_spawn_file_actions_adddup2(&actions, 1, 2)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    // The strings live until after the call: strdup here, free below.
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var identifier = pid_t()
    let code = posix_spawn(&identifier, program, &actions, &attributes, words, environ)
    guard code == 0 else { throw LinuxError("start", program, errno: code) }
    self.identifier = identifier
    self.program = program
  }

  /// Sends a signal; harmless when the child has ended but was not waited for.
  public func signal(_ number: CInt) { kill(identifier, number) }

  /// The exit code, or 128 + the signal that ended it, when it has ended; nil while it runs.
  public func exitCodeIfEnded() -> CInt? {
    var status: CInt = 0
    return waitpid(identifier, &status, WNOHANG) == identifier ? Self.code(status) : nil
  }

  /// Waits for the end.
  public func wait() -> CInt {
    var status: CInt = 0
    while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
    return Self.code(status)
  }

  /// wait(2): WIFEXITED, WEXITSTATUS, WTERMSIG as macros that Swift cannot import.
  private static func code(_ status: CInt) -> CInt {
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }
}

/// The path of the running program (/proc/self/exe), and of its neighbours.
public enum RunningProgram {
  public static func path() throws(LinuxError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { throw LinuxError("read", "/proc/self/exe", errno: errno) }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The program of this name that was installed beside this one.
  public static func neighbour(_ name: String) throws(LinuxError) -> String {
    let own = try path()
    let directory = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
    let neighbour = "\(directory)/\(name)"
    guard access(neighbour, X_OK) == 0 else {
      throw LinuxError(
        "find", neighbour, errno: errno, hint: "Install \(name) beside \(own.split(separator: "/").last ?? "lapel").")
    }
    return neighbour
  }
}
