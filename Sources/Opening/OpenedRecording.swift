public import Evidence

/// What came of opening a recording.
public struct OpenedRecording: Hashable, Sendable {
  /// A file that was written.
  public struct File: Hashable, Sendable {
    public let file: FootageFile
    public internal(set) var byteCount: Int64 = 0
    /// The segments that it holds footage of.
    public internal(set) var segments: [Int] = []
    /// Fragments (`moof` and `mdat`) in it.
    public internal(set) var fragments = 0
    /// Pictures in it; only counted in unattested files.
    public internal(set) var pictures = 0
  }

  /// Something that was promised by the journal and could not be opened or proved.
  public struct Problem: Hashable, Sendable {
    public let segment: Int
    /// The chunks concerned; nil: the whole segment.
    public let chunks: Range<Int64>?
    /// µs of media at the end of the range; nil: the whole segment.
    public let mediaTime: Int64?
    public let error: OpeningError
  }

  public let recording: EvidenceID
  public internal(set) var files: [File] = []
  public internal(set) var problems: [Problem] = []
  /// What a reader should know and is no fault.
  public internal(set) var remarks: [String] = []
  /// Ranges that the journal attests, and those that were opened and are exactly what it commits to.
  public internal(set) var rangesPromised = 0
  public internal(set) var rangesProved = 0
  public internal(set) var segmentsOpened = 0
  /// Of the attested footage that was opened.
  public internal(set) var summary = FootageSummary(tracks: [], markers: [], facts: [:])

  /// Whether everything that the journal attests was opened and proved.
  public var isWhole: Bool { problems.isEmpty && rangesProved == rangesPromised }
}
