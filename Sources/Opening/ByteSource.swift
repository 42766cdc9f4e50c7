public import Evidence

/// Bytes that can be read at any place, like a file. One thread at a time.
public protocol ByteSource {
  /// What errors call it.
  var name: String { get }
  /// Its length.
  func byteCount() throws(OpeningError) -> Int64
  /// Fills the buffer from `offset` on; returns fewer bytes only at the end.
  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(OpeningError) -> Int
}

extension ByteSource {
  /// Up to `count` bytes from `offset` on; fewer only at the end.
  func bytes(at offset: Int64, count: Int) throws(OpeningError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, count))
    let result: Result<Int, OpeningError> = bytes.withUnsafeMutableBytes { buffer in
      do throws(OpeningError) { return .success(try read(at: offset, into: buffer)) } catch { return .failure(error) }
    }
    let got = try result.get()
    if got < bytes.count { bytes.removeLast(bytes.count - got) }
    return bytes
  }
}

/// Bytes in memory.
public struct MemorySource: ByteSource, Sendable {
  public let name: String
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8], name: String = "memory") {
    self.bytes = bytes
    self.name = name
  }

  public func byteCount() -> Int64 { Int64(bytes.count) }

  public func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard offset >= 0, offset < bytes.count else { return 0 }
    let start = Int(offset)
    let count = min(buffer.count, bytes.count - start)
    buffer.copyBytes(from: bytes[start..<(start + count)])
    return count
  }
}

/// One file of a directory of evidence.
public struct EvidenceFile: ByteSource {
  public let name: String
  private let files: any EvidenceFiles

  public init(_ files: any EvidenceFiles, _ name: String) {
    self.files = files
    self.name = name
  }

  public func byteCount() throws(OpeningError) -> Int64 {
    do throws(ReadFailure) { return try files.size(of: name) } catch { throw OpeningError(.input, "\(error)") }
  }

  public func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(OpeningError) -> Int {
    do throws(ReadFailure) {
      var done = 0
      while done < buffer.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        let count = try files.read(name, at: offset + Int64(done), into: rest)
        if count == 0 { break }
        done += count
      }
      return done
    } catch {
      throw OpeningError(.input, "\(error)")
    }
  }
}

/// Where opened footage goes: one file after another, each written from its start.
public protocol FootageOutput {
  /// Ends the file before and begins this one. Called once for each file.
  mutating func begin(_ file: FootageFile) throws(OpeningError)
  /// Adds to the file begun last.
  mutating func append(_ bytes: RawSpan) throws(OpeningError)
  /// Takes back what lies behind the first `length` bytes of the file begun last; 0 takes the whole file back.
  mutating func truncate(to length: Int64) throws(OpeningError)
}

/// What a file of opened footage is.
public enum FootageFile: Hashable, Sendable {
  /// Attested footage that plays as one; numbered from 0. A recording usually has one of these.
  case run(Int)
  /// What follows the last checkpoint of a segment: it opens, but no signature covers it.
  case unattested(segment: Int)
}
