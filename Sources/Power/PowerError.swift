import GPIO
import Glibc
import LinuxIO

/// Why the power-fail line could not be opened or cannot be watched any more. A battery that does not answer is no error: its
/// reading says so.
public struct PowerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it means for whoever set the line up.
  public enum Kind: Hashable, Sendable {
    /// The text names no line. Trying again does not help.
    case malformed
    /// There is no such chip now. It may come: try again later.
    case notFound
    /// The chip is there and has no such line, or cannot watch it. Trying again does not help.
    case notOffered
    /// This user may not use it.
    case permission
    /// Another program, or the kernel itself, has the line. Try again later.
    case busy
    /// The chip went away. Drop the line and open it again.
    case lost
    /// The driver reported a failure. Drop the line and open it again.
    case failed
  }

  public var kind: Kind
  /// The line in its text form, as it was asked for.
  public var line: String
  /// What was being done: an ioctl's name, or words.
  public var operation: String
  /// The kernel's error number; 0 where there was none.
  public var errno: CInt
  /// What to do, or what there is instead; whole sentences.
  public var hint: String

  public init(_ kind: Kind, line: String, operation: String, errno: CInt = 0, hint: String = "") {
    self.kind = kind
    self.line = line
    self.operation = operation
    self.errno = errno
    self.hint = hint
  }

  /// What the kernel answered, by its error number.
  init(line: String, operation: String, errno code: CInt) {
    switch code {
    case ENODEV, ENXIO, EBADF:
      self.init(
        .lost, line: line, operation: operation, errno: code,
        hint: "Its chip is gone: check `dmesg`. The line is used again when it comes back.")
    case EACCES, EPERM:
      self.init(.permission, line: line, operation: operation, errno: code, hint: "Check the user that runs this.")
    default:
      self.init(.failed, line: line, operation: operation, errno: code, hint: "Its driver failed: look in `dmesg`.")
    }
  }

  /// What a GPIO line refused.
  init(_ error: GPIOError, line: String) {
    let kind: Kind
    var hint = error.hint
    switch error.kind {
    case .notFound: kind = .notFound
    case .notOffered, .unsupported: kind = .notOffered
    case .permission: kind = .permission
    case .busy: kind = .busy
    case .outdated:
      kind = .notOffered
      hint = "The kernel is older than 5.10: update it, or let another program watch the line and send SIGPWR."
    case .kernel:
      self.init(line: line, operation: error.operation, errno: error.errno)
      return
    }
    self.init(kind, line: line, operation: error.operation, errno: error.errno, hint: hint)
  }

  /// One line: what happened to which line, and what to do.
  public var description: String {
    let what =
      switch kind {
      case .malformed: "\"\(line)\" is not a power-fail line"
      case .notFound: "there is no chip for the power-fail line \(line)"
      case .notOffered: "the chip of the power-fail line \(line) has no such line, or cannot watch it"
      case .permission: "no permission to use the power-fail line \(line)"
      case .busy: "the power-fail line \(line) is in use"
      case .lost: "the power-fail line \(line) is gone"
      case .failed: "the power-fail line \(line) failed"
      }
    var text = what
    if errno != 0 { text += " (\(operation): \(LinuxError.text(errno)), errno \(errno))" }
    text += "."
    if !hint.isEmpty { text += " \(hint)" }
    return text
  }
}
