public import Media

/// Watches what a camera delivers that compresses its pictures itself, before anything is sized by it: how many bits a second
/// at most, and how far apart its keyframes are.
///
/// Pure: times are the pictures' own. Three seconds are measured, and as long beyond as it takes to see one whole group of
/// pictures; never more than twice `longestGroup` and a little.
public struct PassThroughMeasure: Sendable {
  /// What was measured.
  public struct Result: Hashable, Sendable {
    public var pictures: Int
    public var span: Nanoseconds
    /// Bits of the fullest second, and of all seconds on the average.
    public var peakBitsPerSecond: Int
    public var meanBitsPerSecond: Int
    /// The longest time from one keyframe to the next.
    public var group: Nanoseconds
    /// Bytes.
    public var largestPicture: Int

    public init(
      pictures: Int, span: Nanoseconds, peakBitsPerSecond: Int, meanBitsPerSecond: Int, group: Nanoseconds,
      largestPicture: Int
    ) {
      self.pictures = pictures
      self.span = span
      self.peakBitsPerSecond = peakBitsPerSecond
      self.meanBitsPerSecond = meanBitsPerSecond
      self.group = group
      self.largestPicture = largestPicture
    }

    public var framesPerSecond: Double { Double(pictures) / max(0.001, span.inSeconds) }
  }

  /// Why such a stream cannot be recorded as it is.
  public enum Refusal: Hashable, Sendable {
    /// From one keyframe to the next it takes longer than `longestGroup`; at least this.
    case longGroup(Nanoseconds)
    /// No IDR picture comes any more, only recovery points: decoding can begin near them, and a recording cannot.
    case recoveryPointsOnly
    /// Pictures are shown in another order than they come in: so many of them.
    case reorders(Int)
  }

  public enum Verdict: Hashable, Sendable {
    /// More pictures are needed.
    case undecided
    case measured(Result)
    case refused(Refusal)
  }

  /// Measured at least.
  public static let span = Nanoseconds.seconds(3)
  /// A recording begins at a keyframe: with more, it would hold too much of what nobody asked for, and a power cut in the
  /// first seconds would leave nothing that can be decoded.
  public static let longestGroup = Nanoseconds.seconds(4)
  /// One step back may be a number that lost pictures made; a stream that reorders has many in three seconds.
  private static let stepsBackAllowed = 2

  private struct Entry {
    var time: MonotonicTime
    var bits: Int
  }

  /// The pictures of the last second.
  private var window: [Entry] = []
  private var windowBits = 0
  private var totalBits = 0
  private var largest = 0
  private var fullest = 0
  private var pictures = 0
  private var first: MonotonicTime?
  private var last: MonotonicTime?
  private var keyframe: MonotonicTime?
  private var longest = Nanoseconds.zero
  private var groups = 0
  private var stepsBack = 0
  private var hasRecoveryPoint = false

  public init() {}

  /// One picture more.
  /// - Parameters:
  ///   - time: later than that of the picture before.
  ///   - stepsBack: it is shown before one that came before it.
  public mutating func take(
    time: MonotonicTime, byteCount: Int, isKeyframe: Bool, stepsBack: Bool = false, isRecoveryPoint: Bool = false
  ) -> Verdict {
    first = first ?? time
    last = time
    pictures += 1
    let bits = byteCount * 8
    totalBits += bits
    largest = max(largest, byteCount)
    while let oldest = window.first, time - oldest.time >= .seconds(1) {
      windowBits -= oldest.bits
      window.removeFirst()
    }
    window.append(Entry(time: time, bits: bits))
    windowBits += bits
    fullest = max(fullest, windowBits)
    if stepsBack { self.stepsBack += 1 }
    hasRecoveryPoint = hasRecoveryPoint || (isRecoveryPoint && !isKeyframe)
    if isKeyframe {
      if let keyframe {
        longest = max(longest, time - keyframe)
        groups += 1
      }
      keyframe = time
    }
    return verdict(at: time)
  }

  private func verdict(at time: MonotonicTime) -> Verdict {
    if stepsBack > Self.stepsBackAllowed { return .refused(.reorders(stepsBack)) }
    guard let first else { return .undecided }
    // The group that is under way counts with what it has.
    let open = time - (keyframe ?? first)
    let group = max(longest, open)
    if group > Self.longestGroup {
      return .refused(hasRecoveryPoint ? .recoveryPointsOnly : .longGroup(group))
    }
    guard time - first >= Self.span, groups > 0 else { return .undecided }
    let span = time - first
    // Of the last picture the interval is not known: all but one lie within the span.
    return .measured(
      Result(
        pictures: pictures - 1, span: span, peakBitsPerSecond: fullest,
        meanBitsPerSecond: Int(Double(totalBits) / max(0.001, span.inSeconds)), group: max(longest, open),
        largestPicture: largest))
  }
}
