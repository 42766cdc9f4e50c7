import GPIO
import Glibc
import LinuxIO

/// Why an output could not be opened or cannot be switched any more.
public struct IndicatorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it means for whoever set the output up.
  public enum Kind: Hashable, Sendable {
    /// The text names no output, or the frequency none that can be heard. Trying again does not help.
    case malformed
    /// There is no such chip, LED or sound card now. It may come: try again later.
    case notFound
    /// The chip is there and has no such line or channel, or cannot do this with it. Trying again does not help.
    case notOffered
    /// This user may not use it.
    case permission
    /// Another program, or the kernel itself, has it. Try again later.
    case busy
    /// It went away. Drop it and open it again.
    case lost
    /// The driver reported a failure. Drop it and open it again.
    case failed
  }

  public var kind: Kind
  /// The output in its text form, as it was asked for.
  public var output: String
  /// What was being done: an ioctl's name, or words.
  public var operation: String
  /// The kernel's error number; 0 where there was none.
  public var errno: CInt
  /// What to do, or what there is instead; whole sentences.
  public var hint: String

  public init(_ kind: Kind, output: String, operation: String, errno: CInt = 0, hint: String = "") {
    self.kind = kind
    self.output = output
    self.operation = operation
    self.errno = errno
    self.hint = hint
  }

  /// What the kernel answered, by its error number.
  init(output: String, operation: String, errno code: CInt) {
    switch code {
    case ENODEV, ENXIO, EBADF, EBADFD:
      self.init(
        .lost, output: output, operation: operation, errno: code,
        hint: "Its chip or device is gone: check its cable and `dmesg`. It is used again when it comes back.")
    case EACCES, EPERM:
      self.init(.permission, output: output, operation: operation, errno: code, hint: "Check the user that runs this.")
    case EBUSY:
      self.init(
        .busy, output: output, operation: operation, errno: code,
        hint: "Another program or a driver uses it: stop that, or choose another output.")
    default:
      self.init(
        .failed, output: output, operation: operation, errno: code,
        hint: "Its driver failed: look in `dmesg`, and try another output if it goes on.")
    }
  }

  /// What a GPIO line refused.
  init(_ error: GPIOError, output: String) {
    let kind: Kind
    var hint = error.hint
    switch error.kind {
    case .notFound: kind = .notFound
    case .notOffered, .unsupported: kind = .notOffered
    case .permission: kind = .permission
    case .busy: kind = .busy
    case .outdated:
      kind = .notOffered
      hint = "The kernel is older than 5.10: update it, or let its leds-gpio driver make an LED of the line."
    case .kernel:
      self.init(output: output, operation: error.operation, errno: error.errno)
      return
    }
    self.init(kind, output: output, operation: error.operation, errno: error.errno, hint: hint)
  }

  /// What a file of sysfs refused.
  init(_ error: LinuxError, output: String) {
    self.init(output: output, operation: "\(error.operation) \(error.subject)", errno: error.errno)
    guard kind == .permission else { return }
    hint =
      "Only root may write there as long as no udev rule gives it to the group of the user that runs this "
      + "(RUN+=\"/bin/chgrp -R GROUP /sys%p\" and RUN+=\"/bin/chmod -R g+w /sys%p\")."
  }

  /// One line: what happened to which output, and what to do.
  public var description: String {
    let what =
      switch kind {
      case .malformed: "\"\(output)\" is not an output"
      case .notFound: "there is no device for the output \(output)"
      case .notOffered: "the device of the output \(output) has no such line or channel, or cannot do that"
      case .permission: "no permission to use the output \(output)"
      case .busy: "the output \(output) is in use"
      case .lost: "the output \(output) is gone"
      case .failed: "the output \(output) failed"
      }
    var text = what
    if errno != 0 { text += " (\(operation): \(LinuxError.text(errno)), errno \(errno))" }
    text += "."
    if !hint.isEmpty { text += " \(hint)" }
    return text
  }
}
