public import Evidence

/// What a verified journal promises of a recording's footage: which ranges there are and what each commits to.
public struct RecordingPlan: Hashable, Sendable {
  public struct Segment: Hashable, Sendable {
    public let number: Int
    public let fileName: String
    /// Bytes before the first chunk.
    public let headerLength: Int64
    /// Bytes of the init at the start of the plaintext.
    public let initLength: Int
    public let initCommitment: Hash32
    public fileprivate(set) var ranges: [Attested.Range] = []
    /// Whether ENDSEG ended it; otherwise more footage than is attested may follow the last range.
    public fileprivate(set) var isComplete = false

    /// Chunks that are attested.
    public var chunks: Int64 { ranges.last?.chunks.upperBound ?? 0 }
  }

  /// The longest init that is read.
  public static let initByteLimit = 1 << 20

  public let recording: EvidenceID
  public private(set) var segments: [Segment] = []

  /// - Parameters:
  ///   - recording: the id that OPEN gave.
  ///   - attested: what `RecordingVerifier.verify` handed out, in order.
  /// - Throws: `.journal` for what no recorder writes.
  public init(recording: EvidenceID, attested: [Attested]) throws(OpeningError) {
    self.recording = recording
    for item in attested {
      switch item {
      case .segment(let segment):
        guard let initLength = Int(exactly: segment.initLength), (16...Self.initByteLimit).contains(initLength) else {
          throw OpeningError(
            .journal, "segment \(segment.number) has an init of \(segment.initLength) bytes, which no recorder writes")
        }
        segments.append(
          Segment(
            number: segment.number, fileName: segment.fileName, headerLength: segment.headerLength,
            initLength: initLength, initCommitment: segment.initCommitment))
      case .range(let range):
        guard let last = segments.indices.last, segments[last].number == range.segment,
          range.chunks.lowerBound == segments[last].chunks, !range.chunks.isEmpty
        else { throw OpeningError(.journal, "journal line \(range.line) does not follow the range before it") }
        segments[last].ranges.append(range)
      case .segmentEnd(let number, let isComplete):
        guard let last = segments.indices.last, segments[last].number == number else { continue }
        segments[last].isComplete = isComplete
      }
    }
  }
}
