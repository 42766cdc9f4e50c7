import CALSA
import Glibc

/// Why a microphone could not be opened or stopped delivering.
public struct MicrophoneError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it means for whoever holds the microphone.
  public enum Kind: Hashable, Sendable {
    /// There is no such device now. It may come: try again later.
    case notFound
    /// This user may not open it.
    case permission
    /// Another program has it. Try again later.
    case busy
    /// The microphone does not offer what was asked. Trying again does not help.
    case unsupported
    /// The microphone was unplugged. Close it and open it again.
    case lost
    /// No samples came within the limit. Close it and open it again.
    case stalled
    /// The driver or an ALSA plugin reported a failure. Close it and open it again.
    case failed
  }

  public var kind: Kind
  /// The ALSA name as it was asked for.
  public var device: String
  /// What was being done: an ALSA function, or words.
  public var operation: String
  /// A positive error number, of the kernel or of ALSA; 0 where there was none.
  public var code: CInt
  /// What to do, or what the device does offer; whole sentences.
  public var hint: String

  public init(_ kind: Kind, device: String, operation: String, code: CInt = 0, hint: String = "") {
    self.kind = kind
    self.device = device
    self.operation = operation
    self.code = code
    self.hint = hint
  }

  /// A call on an open microphone that failed with `-code`.
  init(device: String, operation: String, code: CInt) {
    switch code {
    case ENODEV, ENXIO, EBADFD, ENOTTY, EBADF:
      self.init(
        .lost, device: device, operation: operation, code: code,
        hint: "Check its cable and `dmesg`. It is used again when it comes back.")
    case EBUSY:
      self.init(
        .busy, device: device, operation: operation, code: code,
        hint: "Another program records from it: find it with `fuser -v /dev/snd/*`.")
    default:
      self.init(
        .failed, device: device, operation: operation, code: code,
        hint: "Look in `dmesg`, and plug it in again if it goes on.")
    }
  }

  /// One line: what happened to which device, and what to do.
  public var description: String {
    var text =
      switch kind {
      case .notFound: "there is no microphone \(device)"
      case .permission: "no permission to use the microphone \(device)"
      case .busy: "the microphone \(device) is in use"
      case .unsupported: "the microphone \(device) does not offer what was asked: \(operation)"
      case .lost: "the microphone \(device) is gone"
      case .stalled: "the microphone \(device) delivers no samples: \(operation)"
      case .failed: "the microphone \(device) failed"
      }
    if code != 0 { text += " (\(operation): \(String(cString: snd_strerror(-code))), error \(code))" }
    text += "."
    if !hint.isEmpty { text += " \(hint)" }
    return text
  }
}
