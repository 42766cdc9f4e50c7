import Glibc
import LinuxIO

/// Why a camera could not be opened or stopped delivering.
public struct CameraError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it means for whoever holds the camera.
  public enum Kind: Hashable, Sendable {
    /// There is no such device now. It may come: try again later.
    case notFound
    /// The device is there and is no camera, or one that cannot be read directly.
    case notACamera
    /// This user may not open it.
    case permission
    /// Another program has it. Try again later.
    case busy
    /// The camera does not offer what was asked. Trying again does not help.
    case unsupported
    /// The camera was unplugged, or its driver went away. Close it and open it again.
    case lost
    /// No frame came within the limit. Close it and open it again.
    case stalled
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
  /// What to do, or what the device does offer; whole sentences.
  public var hint: String

  public init(_ kind: Kind, device: String, operation: String, errno: CInt = 0, hint: String = "") {
    self.kind = kind
    self.device = device
    self.operation = operation
    self.errno = errno
    self.hint = hint
  }

  /// An ioctl or a poll on an open camera that failed.
  init(device: String, operation: String, errno code: CInt) {
    switch code {
    case ENODEV, ENXIO, ENOENT, EBADF:
      self.init(
        .lost, device: device, operation: operation, errno: code,
        hint: "The camera is gone: check its cable and `dmesg`. It is used again when it comes back.")
    case EBUSY:
      self.init(
        .busy, device: device, operation: operation, errno: code,
        hint: "Another program uses the camera: find it with `fuser -v \(device)`.")
    case ENOSPC:
      self.init(
        .unsupported, device: device, operation: operation, errno: code,
        hint: "The USB bus has no bandwidth left for this: ask for a smaller size, a lower rate or MJPG, "
          + "or use another port.")
    case EACCES, EPERM:
      self.init(.permission, device: device, operation: operation, errno: code)
    default:
      self.init(
        .failed, device: device, operation: operation, errno: code,
        hint: "The camera or its driver failed: look in `dmesg`, and plug it in again if it goes on.")
    }
  }

  /// One line: what happened to which device, and what to do.
  public var description: String {
    let what =
      switch kind {
      case .notFound: "there is no camera \(device)"
      case .notACamera: "\(device) is not a camera that can be used"
      case .permission: "no permission to use the camera \(device)"
      case .busy: "the camera \(device) is in use"
      case .unsupported: "the camera \(device) does not offer what was asked: \(operation)"
      case .lost: "the camera \(device) is gone"
      case .stalled: "the camera \(device) delivers no frames: \(operation)"
      case .failed: "the camera \(device) failed"
      }
    var text = what
    if errno != 0 { text += " (\(operation): \(LinuxError.text(errno)), errno \(errno))" }
    text += "."
    if !hint.isEmpty { text += " \(hint)" }
    return text
  }
}
