/// What a verified journal attests of a segment, handed out while it is verified; the side that can decrypt checks the
/// commitments with it.
public enum Attested: Hashable, Sendable {
  /// From a SEG line.
  public struct Segment: Hashable, Sendable {
    public let number: Int
    public let fileName: String
    /// H.
    public let headerLength: Int64
    /// Plaintext bytes of the init segment, and the commitment to them.
    public let initLength: Int64
    public let initCommitment: Hash32
    /// Whether the file is here and its header as signed.
    public let isIntact: Bool
  }

  /// From a CKPT line that is not idle.
  public struct Range: Hashable, Sendable {
    public let segment: Int
    public let fileName: String
    /// The journal line.
    public let line: Int64
    /// Chunks of the range.
    public let chunks: Swift.Range<Int64>
    /// Bytes of the range in the segment's plaintext.
    public let plaintext: Swift.Range<Int64>
    public let commitment: Hash32
    /// µs of media at the end of the range.
    public let mediaTime: Int64
    /// Offset, in the segment's plaintext, of the `moof` with the range's first IDR.
    public let firstIDR: Int64?
    /// Whether the file's bytes are as signed.
    public let isIntact: Bool
  }

  case segment(Segment)
  case range(Range)
  /// The segment has ended: by ENDSEG when `isComplete`, else by ABANDON or with the journal.
  case segmentEnd(number: Int, isComplete: Bool)
}
