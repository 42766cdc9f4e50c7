import Glibc
import LinuxIO
import Opening

/// Writes opened footage to files beside the one that was asked for. Never overwrites: every name must be free.
///
/// `incident.mp4`, `incident-2.mp4` for footage that cannot go on in the first file, `incident.unattested-0003.mp4` for what
/// no signature covers.
struct FootageFiles: FootageOutput {
  private final class OpenFile {
    let descriptor: FileDescriptor
    var length: Int64 = 0
    var buffer: [UInt8] = []
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
  }

  /// Bytes that are gathered before they are written.
  private static let bufferLimit = 1 << 18

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
    do throws(LinuxError) {
      open = OpenFile(
        try FileDescriptor.open(path: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600))
    } catch {
      throw OpeningError(
        .output,
        error.errno == EEXIST ? "\(path) is there already and is never overwritten; give another name" : "\(error)")
    }
    paths[file] = path
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
      guard length == 0 else { return }
      unlink(open.descriptor.path)
      paths = paths.filter { $0.value != open.descriptor.path }
      self.open = nil
    } catch {
      throw OpeningError(.output, error.description)
    }
  }

  /// Makes what was written durable.
  mutating func finish() throws(OpeningError) {
    guard let open else { return }
    try flush(open)
    do throws(LinuxError) { try open.descriptor.sync() } catch { throw OpeningError(.output, error.description) }
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
