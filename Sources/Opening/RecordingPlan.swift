public import Evidence

/// What a journal promises of a recording's footage, taken from its valid lines: which ranges there are and what each commits
/// to.
public struct RecordingPlan: Hashable, Sendable {
  /// One CKPT line that added bytes: the chunks from the checkpoint before it up to this one.
  public struct Range: Hashable, Sendable {
    /// Chunks of the segment, first and one past the last.
    public let chunks: Swift.Range<Int64>
    /// HMAC of the plaintext under the salt at its end.
    public let commitment: Hash32
    /// The sealed final chunk for its end.
    public let terminator: [UInt8]
    /// µs of media at its end.
    public let mediaTime: Int64
    /// Number of the journal line.
    public let line: Int64
  }

  public struct Segment: Hashable, Sendable {
    /// How the journal ends it.
    public enum End: Hashable, Sendable {
      case ended
      case abandoned
      /// The journal's last line stands inside this segment.
      case interrupted
    }

    public let number: Int
    /// Bytes before the first chunk.
    public let headerLength: Int64
    /// Bytes of the init at the start of the plaintext.
    public let initLength: Int
    public let initCommitment: Hash32
    public var ranges: [Range] = []
    public var end = End.interrupted

    public var fileName: String { EvidenceName.segment(number) }
    /// Chunks that are attested.
    public var chunks: Int64 { ranges.last?.chunks.upperBound ?? 0 }
  }

  /// The longest init that is read.
  public static let initByteLimit = 1 << 20

  public let recording: EvidenceID
  public private(set) var segments: [Segment] = []
  /// Whether the last line is CLOSE.
  public private(set) var isClosed = false

  /// - Parameter lines: the valid lines of a journal from OPEN on; signatures and order are the verifier's work.
  /// - Throws: `.journal` for a line that lacks what it must say.
  public init(lines: [JournalLine]) throws(OpeningError) {
    guard let open = lines.first, open.type == "OPEN", let id = open.encoded("id").flatMap({ EvidenceID(hex: $0) })
    else { throw OpeningError(.journal, "the journal has no valid OPEN line; nothing can be opened with its proof") }
    recording = id
    for line in lines.dropFirst() {
      switch line.type {
      case "SEG": segments.append(try Self.segment(line, expected: segments.count))
      case "CKPT": try addRange(line)
      case "ENDSEG", "ABANDON":
        guard let last = segments.indices.last else { throw Self.malformed(line) }
        segments[last].end = line.type == "ENDSEG" ? .ended : .abandoned
      case "CLOSE": isClosed = true
      default: break
      }
    }
  }

  private static func segment(_ line: JournalLine, expected: Int) throws(OpeningError) -> Segment {
    guard let number = line.number("seg"), number == Int64(expected), let headerLength = line.number("hlen"),
      let initLength = line.number("ilen").flatMap({ Int(exactly: $0) }), let commitment = line.hash("com")
    else { throw malformed(line) }
    guard (16...initByteLimit).contains(initLength) else {
      throw OpeningError(.journal, "journal line \(line.n): an init of \(initLength) bytes")
    }
    return Segment(number: expected, headerLength: headerLength, initLength: initLength, initCommitment: commitment)
  }

  private mutating func addRange(_ line: JournalLine) throws(OpeningError) {
    guard let last = segments.indices.last, line.number("seg") == Int64(segments[last].number),
      let chunks = line.number("k"), let mediaTime = line.number("mt")
    else { throw Self.malformed(line) }
    if line.number("idle") == 1 { return }
    guard let commitment = line.hash("com"), let terminator = line.bytes("term"), chunks > segments[last].chunks else {
      throw Self.malformed(line)
    }
    segments[last].ranges.append(
      Range(
        chunks: segments[last].chunks..<chunks, commitment: commitment, terminator: terminator, mediaTime: mediaTime,
        line: line.n))
  }

  private static func malformed(_ line: JournalLine) -> OpeningError {
    OpeningError(.journal, "journal line \(line.n) (\(line.type)) does not say what it must")
  }
}
