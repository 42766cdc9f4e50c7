/// How anyone, without a key, makes a valid age file of a segment that did not end cleanly: copy its first `length` bytes and
/// append `terminator`. Always on a copy; the original stays as it is.
public struct RepairPlan: Hashable, Sendable {
  public let segment: Int
  public let fileName: String
  /// Bytes to keep: the `len` of the last checkpoint that the file reaches and up to which every hash matches.
  public let length: Int64
  /// The 24 bytes that the camera journalled for that point.
  public let terminator: [UInt8]
  /// µs of media up to which the copy plays.
  public let mediaTime: Int64
}
