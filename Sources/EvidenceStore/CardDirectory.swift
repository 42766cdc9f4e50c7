public import Evidence
import Glibc
import LinuxIO

/// A directory of the card as it is read: no symbolic link is followed, only regular files are read, and the last one
/// stays open.
public final class CardDirectory: EvidenceFiles {
  private let directory: Directory
  private var open: (name: String, file: OpenFile)?

  private final class OpenFile {
    let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
  }

  init(_ directory: consuming Directory) { self.directory = directory }

  public func names() throws(ReadFailure) -> [String] {
    do throws(LinuxError) { return try directory.names() } catch {
      throw ReadFailure(file: directory.path, reason: error.description)
    }
  }

  public func size(of name: String) throws(ReadFailure) -> Int64 {
    do throws(LinuxError) {
      guard let status = try directory.status(of: name) else {
        throw LinuxError("inspect", "\(directory.path)/\(name)", errno: ENOENT)
      }
      guard status.kind == .file else { throw irregular(name) }
      return status.size
    } catch {
      throw ReadFailure(file: name, reason: error.description)
    }
  }

  public func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure)
    -> Int
  {
    do throws(LinuxError) { return try file(name).descriptor.pread(into: buffer, at: offset) } catch {
      throw ReadFailure(file: name, reason: error.description)
    }
  }

  private func file(_ name: String) throws(LinuxError) -> OpenFile {
    if let open, open.name == name { return open.file }
    if let kind = try directory.status(of: name)?.kind, kind != .file { throw irregular(name) }
    let file = OpenFile(try directory.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    open = (name, file)
    return file
  }

  private func irregular(_ name: String) -> LinuxError {
    LinuxError(
      "read", "\(directory.path)/\(name)", errno: 0, hint: "It is no regular file; evidence consists of nothing else.")
  }
}

/// The recordings of a card as they are read.
public struct RecordingsOnCard: EvidenceCard {
  /// STORE/recordings
  let path: String

  public func recordingNames() throws(ReadFailure) -> [String] {
    do throws(LinuxError) { return try listDirectory(path: path) } catch {
      throw ReadFailure(file: path, reason: error.description)
    }
  }

  public func recording(_ name: String) throws(ReadFailure) -> CardDirectory {
    do throws(LinuxError) { return CardDirectory(try Directory(path: path).directory(name)) } catch {
      throw ReadFailure(file: name, reason: error.description)
    }
  }
}
