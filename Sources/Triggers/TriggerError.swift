import GPIO
import Glibc
import LinuxIO

/// Why a button could not be opened or cannot be watched any more.
public struct TriggerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it means for whoever set the button up.
  /// A word for the device log: a-z and `_`.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// The text names no button. Trying again does not help.
    case malformed
    /// There is no such chip or input device now. It may come: try again later.
    case notFound = "not_found"
    /// The chip or device is there and has no such line or key. Trying again does not help.
    case notOffered = "not_offered"
    /// This user may not open it.
    case permission
    /// Another program, or the kernel itself, has the line. Try again later.
    case busy
    /// The kernel or the chip cannot watch this line. Trying again does not help.
    case unsupported
    /// The chip or device went away. Close it and open it again.
    case lost
    /// The driver reported a failure. Close it and open it again.
    case failed
  }

  public var kind: Kind
  /// The button in its text form, as it was asked for.
  public var button: String
  /// What was being done: an ioctl's name, or words.
  public var operation: String
  /// The kernel's error number; 0 where there was none.
  public var errno: CInt
  /// What to do, or what there is instead; whole sentences.
  public var hint: String

  public init(_ kind: Kind, button: String, operation: String, errno: CInt = 0, hint: String = "") {
    self.kind = kind
    self.button = button
    self.operation = operation
    self.errno = errno
    self.hint = hint
  }

  /// An ioctl, a read or a poll on an open button that failed.
  init(button: String, operation: String, errno code: CInt) {
    switch code {
    case ENODEV, ENXIO, EBADF:
      self.init(
        .lost, button: button, operation: operation, errno: code,
        hint: "Its chip or device is gone: check its cable and `dmesg`. It is used again when it comes back.")
    case EACCES, EPERM:
      self.init(.permission, button: button, operation: operation, errno: code, hint: "Check the user that runs this.")
    default:
      self.init(
        .failed, button: button, operation: operation, errno: code,
        hint: "Its driver failed: look in `dmesg`, and plug the device in again if it goes on.")
    }
  }

  /// What a GPIO line refused.
  init(_ error: GPIOError, button: String) {
    let kind: Kind
    var hint = error.hint
    switch error.kind {
    case .notFound: kind = .notFound
    case .notOffered: kind = .notOffered
    case .permission: kind = .permission
    case .busy: kind = .busy
    case .unsupported: kind = .unsupported
    case .outdated:
      kind = .unsupported
      hint =
        "The kernel is older than 5.10: update it, or let its gpio-keys driver make an input device of the line."
    case .kernel:
      self.init(button: button, operation: error.operation, errno: error.errno)
      return
    }
    self.init(kind, button: button, operation: error.operation, errno: error.errno, hint: hint)
  }

  /// A device node that open(2) refused. `alternatives` says which there are.
  static func opening(path: String, button: String, errno code: CInt, alternatives: String) -> TriggerError {
    switch code {
    case ENOENT, ENODEV, ENXIO, ENOTDIR:
      TriggerError(.notFound, button: button, operation: "open \(path)", errno: code, hint: alternatives)
    case EACCES, EPERM:
      TriggerError(
        .permission, button: button, operation: "open \(path)", errno: code, hint: DeviceNode.permissionHint(path))
    default:
      TriggerError(button: button, operation: "open \(path)", errno: code)
    }
  }

  /// One line: what happened to which button, and what to do.
  public var description: String {
    let what =
      switch kind {
      case .malformed: "\"\(button)\" is not a button"
      case .notFound: "there is no chip or input device for the button \(button)"
      case .notOffered: "the device of the button \(button) has no such line or key"
      case .permission: "no permission to use the button \(button)"
      case .busy: "the button \(button) is in use"
      case .unsupported: "the button \(button) cannot be watched"
      case .lost: "the button \(button) is gone"
      case .failed: "the button \(button) failed"
      }
    var text = what
    if errno != 0 { text += " (\(operation): \(LinuxError.text(errno)), errno \(errno))" }
    text += "."
    if !hint.isEmpty { text += " \(hint)" }
    return text
  }
}
