import Glibc
import LinuxIO

/// Why a hardware encoder could not be opened, or stopped working.
public struct CodecError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it means for whoever holds the encoder.
  public enum Kind: Hashable, Sendable {
    /// There is no such device now. It may come: try again later.
    case notFound
    /// The device is there, and encodes nothing, or not into what was asked.
    case notAnEncoder
    /// This user may not open it.
    case permission
    /// Another program has it. Try again later.
    case busy
    /// It cannot do what was asked. Trying again does not help.
    case unsupported
    /// The device or its driver went away. Close it and open it again.
    case lost
    /// It took a picture and gave nothing back within the limit. Close it and open it again.
    case hung
    /// The driver reported a failure. Close it and open it again.
    case failed
  }

  public var kind: Kind
  /// The device as it was asked for.
  public var device: String
  /// What was being done: an ioctl's name, or words.
  public var operation: String
  /// The kernel's error number; 0 where there was none.
  public var errno: CInt
  /// What to do, or what there is; whole sentences.
  public var hint: String

  public init(_ kind: Kind, device: String, operation: String, errno: CInt = 0, hint: String = "") {
    self.kind = kind
    self.device = device
    self.operation = operation
    self.errno = errno
    self.hint = hint
  }

  /// An ioctl or a poll on an open encoder that failed.
  init(device: String, operation: String, errno code: CInt) {
    switch code {
    case ENODEV, ENXIO, ENOENT, EBADF:
      self.init(
        .lost, device: device, operation: operation, errno: code,
        hint: "Its driver is gone: look in `dmesg`. It is used again when it comes back.")
    case EBUSY:
      self.init(
        .busy, device: device, operation: operation, errno: code,
        hint: "Another program uses it: find it with `fuser -v \(device)`.")
    case EACCES, EPERM:
      self.init(.permission, device: device, operation: operation, errno: code)
    case ENOMEM, ENOSPC:
      self.init(
        .failed, device: device, operation: operation, errno: code,
        hint:
          "It has no memory for its buffers: raise `cma=` on the kernel's command line, or lower the picture's size.")
    default:
      self.init(
        .failed, device: device, operation: operation, errno: code,
        hint: "The encoder or its driver failed: look in `dmesg`. If it goes on, choose another video.encoder.")
    }
  }

  /// One line: what happened to which device, and what to do.
  public var description: String {
    let what =
      switch kind {
      case .notFound: "there is no hardware encoder \(device)"
      case .notAnEncoder: "\(device) is not a hardware encoder that can be used"
      case .permission: "no permission to use the hardware encoder \(device)"
      case .busy: "the hardware encoder \(device) is in use"
      case .unsupported: "the hardware encoder \(device) cannot do what was asked: \(operation)"
      case .lost: "the hardware encoder \(device) is gone"
      case .hung: "the hardware encoder \(device) gives nothing back: \(operation)"
      case .failed: "the hardware encoder \(device) failed"
      }
    var text = what
    if errno != 0 { text += " (\(operation): \(LinuxError.text(errno)), errno \(errno))" }
    text += "."
    if !hint.isEmpty { text += " \(hint)" }
    return text
  }
}
