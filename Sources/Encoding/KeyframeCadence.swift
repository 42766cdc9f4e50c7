public import Media

/// Decides which pictures become keyframes, by time and not by count: lost pictures do not stretch a GOP.
///
/// A keyframe is due when half a frame interval or less is missing to a whole GOP since the last one, so that jitter of
/// the camera does not move it to the next picture.
public struct KeyframeCadence: Hashable, Sendable {
  /// Time from one keyframe to the next.
  public let gop: Nanoseconds
  /// The nominal time between pictures.
  public let frameInterval: Nanoseconds

  private var last: MonotonicTime?
  private var isRequested = false

  public init(gop: Nanoseconds, frameInterval: Nanoseconds) {
    self.gop = gop
    self.frameInterval = frameInterval
  }

  /// The next picture becomes a keyframe, whenever it comes.
  public mutating func request() { isRequested = true }

  /// Whether the picture of this time is to be a keyframe. Ask once for each picture, in order, and obey.
  public mutating func wantsKeyframe(at time: MonotonicTime) -> Bool {
    if let last, !isRequested, time >= last, time < last + gop - frameInterval / 2 { return false }
    last = time
    isRequested = false
    return true
  }
}
