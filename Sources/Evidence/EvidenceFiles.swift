/// A directory of evidence as a verifier sees it. Implemented where the I/O is; nothing here opens a file.
///
/// A name is one path component. Implementations follow no symbolic links and answer only for regular files.
public protocol EvidenceFiles {
  /// The names of everything in the directory, in any order.
  func names() throws(ReadFailure) -> [String]
  /// Bytes of the file.
  func size(of name: String) throws(ReadFailure) -> Int64
  /// Reads from `offset` on into `buffer` and returns the number of bytes: fewer than asked only at the end of the file,
  /// 0 behind it.
  func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int
}

/// A file that could not be read; says nothing about the evidence.
public struct ReadFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// What failed and what to do next.
  public let reason: String

  public init(file: String, reason: String) {
    self.file = file
    self.reason = reason
  }

  public var description: String { "\(file) could not be read: \(reason)" }
}

extension EvidenceFiles {
  /// Calls `body` with the bytes [from, to) piece by piece, and returns false if the file is shorter than `to`.
  func forEachPiece(
    of name: String, from: Int64, to: Int64, buffer: UnsafeMutableRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(ReadFailure) -> Bool {
    var position = from
    while position < to {
      let count = Int(min(to - position, Int64(buffer.count)))
      let got = try read(name, at: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
      guard (1...count).contains(got) else { return false }
      body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
      position += Int64(got)
    }
    return true
  }

  /// The bytes [from, to); fewer if the file is shorter. For small pieces.
  func bytes(of name: String, from: Int64, to: Int64) throws(ReadFailure) -> [UInt8] {
    var result: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, Int(to - from)), alignment: 16)
    defer { buffer.deallocate() }
    _ = try forEachPiece(of: name, from: from, to: to, buffer: buffer) { result += $0 }
    return result
  }
}

/// Reads a log line by line with constant memory; a line that is too long comes in pieces, none of which is a valid line.
struct LineReader {
  struct Line {
    /// Offset of the first byte in the file.
    let offset: Int64
    /// With LF, if it has one within the limit.
    let bytes: [UInt8]
  }

  private let name: String
  private var held: [UInt8] = []
  private var cursor = 0
  private var position: Int64
  private var isAtEnd = false

  init(_ name: String, from offset: Int64 = 0) {
    self.name = name
    position = offset
  }

  /// The next line or piece; nil at the end of the file.
  mutating func next(from files: borrowing some EvidenceFiles) throws(ReadFailure) -> Line? {
    while true {
      let limit = min(held.count, cursor + JournalLine.byteLimit + 1)
      if let end = held[cursor..<limit].firstIndex(of: 0x0A) { return take(end + 1 - cursor) }
      if limit - cursor > JournalLine.byteLimit { return take(limit - cursor) }
      if isAtEnd { return cursor < held.count ? take(held.count - cursor) : nil }
      held.removeFirst(cursor)
      cursor = 0
      let start = position + Int64(held.count)  // `position` is that of held[cursor]
      let piece = try files.bytes(of: name, from: start, to: start + 65_536)
      held += piece
      isAtEnd = piece.isEmpty
    }
  }

  private mutating func take(_ count: Int) -> Line {
    defer {
      cursor += count
      position += Int64(count)
    }
    return Line(offset: position, bytes: Array(held[cursor..<(cursor + count)]))
  }
}
