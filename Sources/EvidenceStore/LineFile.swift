import LinuxIO

/// A file of signed lines that is only ever appended to, so that a power cut leaves a journal that is cut short and never one with
/// a hole.
///
/// A cut may leave a later page of what was written and not an earlier one. A whole line behind a hole would look like a file
/// that somebody changed. So no line begins in another page than the first byte that is not durable: before it what was
/// written is synced.
struct LineFile: ~Copyable {
  private let file: FileDescriptor
  /// Bytes written, and how many of them are durable.
  private var length: Int64 = 0
  private var syncedLength: Int64 = 0

  /// The smallest page of the kernel's cache, and so of what reaches a card in one piece.
  private static let pageByteCount: Int64 = 4_096

  /// - Parameter file: new and empty, open for appending.
  init(_ file: consuming FileDescriptor) { self.file = file }

  /// One line, one write; blocks for a flush now and then.
  mutating func append(_ line: [UInt8]) throws(LinuxError) {
    if mustSync { try sync() }
    try file.write(line.span.bytes)
    length += Int64(line.count)
  }

  /// Everything that was appended is durable when it returns.
  mutating func sync() throws(LinuxError) {
    try file.dataSync()
    syncedLength = length
  }

  /// Whether the next `append` syncs first.
  var mustSync: Bool { length > syncedLength && length / Self.pageByteCount != syncedLength / Self.pageByteCount }

  func setMode(_ mode: UInt32) throws(LinuxError) { try file.setMode(mode) }
}
