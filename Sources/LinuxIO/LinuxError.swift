import CLinux
import Glibc

/// What the kernel refused, to what, and what to do about it.
public struct LinuxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as words that follow "cannot": `open`, `lock`, `write to`.
  public var operation: String
  /// The path or the name of what it was tried on.
  public var subject: String
  /// The kernel's error number; 0 where the kernel had no part in it.
  public var errno: CInt
  /// What to do next, one or two sentences.
  public var hint: String

  /// Without a hint the usual one for this error number is taken.
  public init(_ operation: String, _ subject: String, errno: CInt, hint: String? = nil) {
    self.operation = operation
    self.subject = subject
    self.errno = errno
    self.hint = hint ?? LinuxError.usualHint(errno)
  }

  /// One line: `cannot open /dev/video0: Permission denied (errno 13). Check …`
  public var description: String {
    var text = "cannot \(operation) \(subject)"
    if errno != 0 { text += ": \(LinuxError.text(errno)) (errno \(errno))" }
    text += "."
    if !hint.isEmpty { text += " \(hint)" }
    return text
  }

  /// The C library's words for an error number (strerror_r(3)).
  public static func text(_ code: CInt) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let text = clinux_error_text(code, buffer.baseAddress, buffer.count) else { return "unknown error" }
      return String(cString: text)
    }
  }

  private static func usualHint(_ code: CInt) -> String {
    switch code {
    case EACCES, EPERM: "Check its owner, its mode and the user that runs this."
    case ENOENT: "Check that it exists and that the path is spelled right."
    case EEXIST: "Something of that name is there already."
    case ENOSPC, EDQUOT: "Free space on that file system."
    case EROFS: "The file system is read-only: look for card errors in dmesg, then remount it."
    case EIO: "The device failed: look in dmesg, and replace the card if it says so."
    case ENODEV, ENXIO: "The device is gone: check its cable and `dmesg`."
    case EBUSY: "Another program uses it: find it with `fuser -v`."
    case EMFILE, ENFILE: "Raise the limit of open files (LimitNOFILE= in the service, or `ulimit -n`)."
    case ENOMEM: "Free memory, or lower what the configuration asks for."
    case ENAMETOOLONG: "Choose a shorter path."
    case EFBIG: "It is larger than it can sensibly be: check that it is the right file."
    default: ""
    }
  }
}
