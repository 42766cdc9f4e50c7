/// The pixels of one frame in the driver's own memory, lent to the body of `V4L2Camera.capture`.
public struct CapturedFrame: ~Copyable {
  public let info: FrameInfo
  /// Pieces of memory that the picture comes in: 1, or up to 3 where the planes lie apart.
  public let pieceCount: Int
  // Valid while the frame is: it never leaves `capture`, which gives the buffer back only after the body returned.
  let pieces: FramePieces

  init(info: FrameInfo, pieces: FramePieces, count: Int) {
    self.info = info
    self.pieces = pieces
    self.pieceCount = count
  }

  /// The bytes of one piece, as many as the driver filled.
  public func withBytes<Value>(of piece: Int = 0, _ body: (RawSpan) -> Value) -> Value {
    guard piece >= 0, piece < pieceCount else { return body(RawSpan()) }
    return body(pieces[piece].bytes)
  }
}

/// Up to three pieces of memory; those that do not exist are empty.
typealias FramePieces = InlineArray<3, UnsafeRawBufferPointer>

/// What one call of `V4L2Camera.capture` brought.
public enum Capture<Value> {
  /// A frame was taken; the body made this of it.
  case frame(Value, FrameInfo)
  /// A frame came whose content the driver marks as damaged: it was not used. It counts as one lost frame.
  case damaged(FrameInfo)
  /// None came in time.
  case timedOut
}

extension Capture: Sendable where Value: Sendable {}
