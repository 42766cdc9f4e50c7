import Glibc

/// Why a line could not be found, requested, read or set. Whoever uses the line says which button or output it was.
package struct GPIOError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// There is no such chip now.
    case notFound
    /// The chip has no such line.
    case notOffered
    case permission
    /// Another program, or the kernel itself, has the line.
    case busy
    /// The chip cannot do this with the line.
    case unsupported
    /// The kernel is older than the second version of the API (5.10). Without a hint: what else there is depends on the use.
    case outdated
    /// What the error number says and no more. Without a hint.
    case kernel
  }

  package var kind: Kind
  /// What was being done: an ioctl's name, or words.
  package var operation: String
  /// The kernel's error number; 0 where there was none.
  package var errno: CInt
  /// What to do, or what there is instead; whole sentences.
  package var hint: String

  package init(_ kind: Kind, operation: String, errno: CInt = 0, hint: String = "") {
    self.kind = kind
    self.operation = operation
    self.errno = errno
    self.hint = hint
  }

  /// A chip's node that open(2) refused. `alternatives` says which there are.
  static func opening(path: String, errno code: CInt, alternatives: String) -> GPIOError {
    switch code {
    case ENOENT, ENODEV, ENXIO, ENOTDIR:
      GPIOError(.notFound, operation: "open \(path)", errno: code, hint: alternatives)
    case EACCES, EPERM:
      GPIOError(.permission, operation: "open \(path)", errno: code, hint: DeviceNode.permissionHint(path))
    default:
      GPIOError(.kernel, operation: "open \(path)", errno: code)
    }
  }
}
