import Evidence
import Glibc
import LinuxIO

/// A directory of evidence on a disk. Follows no symbolic links in it, and reads only regular files.
final class EvidenceDirectory: EvidenceFiles {
  private let directory: Directory
  private var open: (name: String, file: OpenFile)?

  private final class OpenFile {
    let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
  }

  init(path: String) throws(LinuxError) { directory = try Directory(path: path) }

  var path: String { directory.path }

  func names() throws(ReadFailure) -> [String] {
    do throws(LinuxError) { return try directory.names() } catch {
      throw ReadFailure(file: directory.path, reason: error.description)
    }
  }

  func size(of name: String) throws(ReadFailure) -> Int64 {
    do throws(LinuxError) { return try file(name).descriptor.size() } catch {
      throw ReadFailure(file: name, reason: error.description)
    }
  }

  func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
    do throws(LinuxError) { return try file(name).descriptor.pread(into: buffer, at: offset) } catch {
      throw ReadFailure(file: name, reason: error.description)
    }
  }

  /// The whole of a small file; nil when there is none.
  func small(_ name: String, limit: Int = 65_536) throws(ReadFailure) -> [UInt8]? {
    do throws(LinuxError) {
      guard try directory.status(of: name) != nil else { return nil }
    } catch {
      throw ReadFailure(file: name, reason: error.description)
    }
    let size = try size(of: name)
    guard size <= Int64(limit) else { throw ReadFailure(file: name, reason: "it is longer than \(limit) bytes") }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    let result: Result<Int, ReadFailure> = bytes.withUnsafeMutableBytes { buffer in
      do throws(ReadFailure) { return .success(try read(name, at: 0, into: buffer)) } catch { return .failure(error) }
    }
    let got = try result.get()
    return Array(bytes.prefix(got))
  }

  /// One file stays open: verification and opening read a file from its start to its end.
  private func file(_ name: String) throws(LinuxError) -> OpenFile {
    if let open, open.name == name { return open.file }
    let path = "\(directory.path)/\(name)"
    if let kind = try directory.status(of: name)?.kind, kind != .file {
      throw LinuxError("read", path, errno: 0, hint: "It is no regular file; evidence consists of nothing else.")
    }
    let file = OpenFile(try directory.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    open = (name, file)
    return file
  }
}

/// What a path is.
enum PathKind {
  case recording
  /// `device` and `recordings`.
  case store
  case file
  case otherDirectory
  case missing

  init(_ path: String) {
    do throws(LinuxError) {
      let directory = try Directory(path: path)
      if (try? Directory(path: "\(path)/recordings")) != nil {
        self = .store
      } else if try directory.status(of: EvidenceName.journal) != nil {
        self = .recording
      } else {
        self = .otherDirectory
      }
    } catch {
      self = error.errno == ENOTDIR ? .file : .missing
    }
  }
}

/// The last part of a path, without the slashes at its end.
func lastComponent(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
