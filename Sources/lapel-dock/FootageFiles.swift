import Glibc
import LinuxIO
import Opening

/// Writes opened footage to files beside the one that was asked for. Never overwrites: every name must be free.
///
/// `incident.mp4`, `incident-2.mp4` for footage that cannot go on in the first file, `incident.unattested-0003.mp4` for what
/// no signature covers. While it is written a file is called `….partial`: one that was cut off is never taken for whole.
struct FootageFiles: FootageOutput {
  private final class OpenFile {
    let descriptor: FileDescriptor
    var length: Int64 = 0
    var buffer: [UInt8] = []
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
  }

  /// Bytes that are gathered before they are written.
  private static let bufferLimit = 1 << 18

  private static let partial = ".partial"

  private let base: String
  private var open: OpenFile?
  private(set) var paths: [FootageFile: String] = [:]

  /// - Parameter path: the first file's; `.mp4` at its end is optional.
  init(path: String) { base = path }

  static func path(_ file: FootageFile, base: String) -> String {
    let stem = base.hasSuffix(".mp4") ? String(base.dropLast(4)) : base
    switch file {
    case .run(0): return base
    case .run(let number): return "\(stem)-\(number + 1).mp4"
    case .unattested(let segment):
      let digits = String(segment)
      return "\(stem).unattested-\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits).mp4"
    }
  }

  mutating func begin(_ file: FootageFile) throws(OpeningError) {
    try finish()
    let path = Self.path(file, base: base)
    guard access(path, F_OK) != 0 else { throw Self.taken(path) }
    let partial = path + Self.partial
    do throws(LinuxError) {
      open = OpenFile(
        try FileDescriptor.open(path: partial, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600))
    } catch {
      throw OpeningError(
        .output,
        error.errno == EEXIST
          ? "\(partial) is left from an attempt that was cut off, or another is running; remove it and try again"
          : "\(error)")
    }
    paths[file] = path
  }

  private static func taken(_ path: String) -> OpeningError {
    OpeningError(.output, "\(path) is there already and is never overwritten; give another name")
  }

  mutating func append(_ bytes: RawSpan) throws(OpeningError) {
    guard let open else { throw OpeningError(.output, "no file was begun") }
    bytes.withUnsafeBytes { open.buffer.append(contentsOf: $0) }
    open.length += Int64(bytes.byteCount)
    if open.buffer.count >= Self.bufferLimit { try flush(open) }
  }

  mutating func truncate(to length: Int64) throws(OpeningError) {
    guard let open else { return }
    try flush(open)
    do throws(LinuxError) {
      try open.descriptor.truncate(to: length)
      _ = lseek(open.descriptor.rawValue, off_t(length), SEEK_SET)
      open.length = length
      if length == 0 { discard() }
    } catch {
      throw OpeningError(.output, error.description)
    }
  }

  /// Removes the file that is being written.
  mutating func discard() {
    guard let open else { return }
    unlink(open.descriptor.path)
    paths = paths.filter { $0.value + Self.partial != open.descriptor.path }
    self.open = nil
  }

  /// Makes what was written durable, and gives it its name.
  mutating func finish() throws(OpeningError) {
    guard let open else { return }
    try flush(open)
    let partial = open.descriptor.path
    let path = String(partial.dropLast(Self.partial.count))
    do throws(LinuxError) {
      try open.descriptor.sync()
      // link(2) never replaces a name; file systems without links (FAT) get the next best.
      if link(partial, path) == 0 {
        unlink(partial)
      } else if errno == EEXIST || access(path, F_OK) == 0 {
        throw LinuxError("name", path, errno: EEXIST, hint: "It is never overwritten; the footage is in \(partial).")
      } else if rename(partial, path) != 0 {
        throw LinuxError("name", path, errno: errno, hint: "The footage is in \(partial).")
      }
    } catch {
      throw OpeningError(.output, error.description)
    }
    self.open = nil
  }

  private func flush(_ open: OpenFile) throws(OpeningError) {
    do throws(LinuxError) {
      let pending = open.buffer
      open.buffer = []
      try open.descriptor.write(pending.span.bytes)
    } catch {
      throw OpeningError(.output, error.description)
    }
  }
}
