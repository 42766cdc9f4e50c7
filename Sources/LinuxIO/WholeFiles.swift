import Glibc

/// All bytes of a file that should be small: configuration, keys, files of /proc and /sys.
///
/// Throws EFBIG as soon as it proves longer than `limit` bytes.
public func readSmallFile(path: String, limit: Int) throws(LinuxError) -> [UInt8] {
  let file = try FileDescriptor.open(path: path, flags: O_RDONLY)
  var bytes: [UInt8] = []
  // Files of /proc have no size, so it is read to its end.
  var chunk = [UInt8](repeating: 0, count: min(max(limit, 0) + 1, 4096))
  while true {
    var count = 0
    var failure: LinuxError?
    chunk.withUnsafeMutableBytes { buffer in
      do throws(LinuxError) { count = try file.read(into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    if count == 0 { return bytes }
    bytes.append(contentsOf: chunk[..<count])
    if bytes.count > limit {
      throw LinuxError(
        "read", path, errno: EFBIG,
        hint: "It is longer than the \(limit) bytes that make sense here: check that it is the right file.")
    }
  }
}

/// Replaces a file so that after a power cut either the old or the new content is there, whole: a temporary file
/// `.NAME.tmp` beside it, fsync, rename, fsync of the directory. Returns when it is durable.
public func writeFileDurably(path: String, bytes: RawSpan, mode: UInt32 = 0o600) throws(LinuxError) {
  let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
  let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
  try Directory(path: parent).writeFileDurably(name, bytes: bytes, mode: mode)
}

extension Directory {
  /// As the free function, in this directory.
  public func writeFileDurably(_ name: String, bytes: RawSpan, mode: UInt32 = 0o600) throws(LinuxError) {
    let temporary = ".\(name).tmp"
    do throws(LinuxError) {
      let file = try open(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
      try file.setMode(mode)
      try file.write(bytes)
      try file.sync()
      try file.close()
      try rename(temporary, to: name)
    } catch {
      try? unlink(temporary)
      throw error
    }
    try sync()
  }
}
