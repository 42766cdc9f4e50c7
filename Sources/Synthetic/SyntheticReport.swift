import Media

/// What a recording of the synthetic camera and microphone holds: are all frames there, once, in order, and does the sound
/// fit the picture? Pure analysis of what `PatternReader` read.
public struct SyntheticReport: Hashable, Sendable {
  /// One decoded picture: where the file puts it, and what it says of itself; nil if it could not be read.
  public struct Frame: Hashable, Sendable {
    /// Seconds on the file's timeline.
    public var presentation: Double
    public var reading: FrameReading?

    public init(presentation: Double, reading: FrameReading?) {
      self.presentation = presentation
      self.reading = reading
    }
  }

  /// The sound of one whole second against the picture.
  public struct Offset: Hashable, Sendable {
    /// The whole second after the epoch at which the beep began.
    public var second: Int
    /// By how much the sound comes too late (positive) or too early for the picture.
    public var milliseconds: Double
  }

  /// Pictures in the file, and those whose blocks could not be read.
  public private(set) var frames = 0
  public private(set) var unreadable = 0
  /// The smallest and largest counter.
  public private(set) var firstCounter: UInt32?
  public private(set) var lastCounter: UInt32?
  /// Counters between them that no picture has.
  public private(set) var missing: [ClosedRange<UInt32>] = []
  /// Counters that more than one picture has, and those that come after a larger one.
  public private(set) var doubled: [UInt32] = []
  public private(set) var outOfOrder: [UInt32] = []
  /// Pictures whose place on the file's timeline is not after that of the one before.
  public private(set) var timelineSteps = 0
  /// The largest difference between two pictures' distance on the file's timeline and their distance in truth, ms.
  public private(set) var largestTimingError = 0.0
  public private(set) var flashes = 0
  public private(set) var beeps = 0
  public private(set) var offsets: [Offset] = []

  /// `beeps`: onsets in seconds on the file's timeline.
  public init(frames: [Frame], beeps: [Double]) {
    self.frames = frames.count
    self.beeps = beeps.count
    let readable = frames.compactMap { frame in
      frame.presentation.isFinite ? frame.reading.map { (frame.presentation, $0) } : nil
    }
    unreadable = frames.count - readable.count
    flashes = readable.count { $0.1.isFlash }
    for (earlier, later) in zip(frames, frames.dropFirst()) where later.presentation <= earlier.presentation {
      timelineSteps += 1
    }
    countFrames(readable.map(\.1.counter))
    for (earlier, later) in zip(readable, readable.dropFirst()) {
      let onTimeline = later.0 - earlier.0
      let inTruth = (later.1.time - earlier.1.time).inSeconds
      largestTimingError = max(largestTimingError, abs(onTimeline - inTruth) * 1000)
    }
    for beep in beeps where beep.isFinite && abs(beep) < 1e9 {
      guard let (presentation, reading) = readable.min(by: { abs($0.0 - beep) < abs($1.0 - beep) }) else { break }
      let inTruth = reading.time.inSeconds + beep - presentation
      let second = inTruth.rounded()
      offsets.append(Offset(second: Int(second), milliseconds: (inTruth - second) * 1000))
    }
  }

  private mutating func countFrames(_ counters: [UInt32]) {
    let sorted = counters.sorted()
    firstCounter = sorted.first
    lastCounter = sorted.last
    for (lower, upper) in zip(sorted, sorted.dropFirst()) {
      if upper == lower, doubled.last != upper { doubled.append(upper) }
      if upper > lower, upper - lower > 1 { missing.append(lower + 1...upper - 1) }
    }
    var largest: UInt32?
    for counter in counters {
      if let largest, counter < largest { outOfOrder.append(counter) }
      largest = max(largest ?? 0, counter)
    }
  }

  /// How many counters are missing.
  public var missingCount: Int { missing.reduce(0) { $0 + $1.count } }

  /// Every frame from the first to the last is there once, readable and in order.
  public var isComplete: Bool {
    frames > 0 && unreadable == 0 && missing.isEmpty && doubled.isEmpty && outOfOrder.isEmpty && timelineSteps == 0
  }

  /// Of the sound against the picture, in milliseconds; nil without a beep near a picture.
  public var smallestOffset: Double? { offsets.map(\.milliseconds).min() }
  public var largestOffset: Double? { offsets.map(\.milliseconds).max() }
  public var medianOffset: Double? {
    let sorted = offsets.map(\.milliseconds).sorted()
    guard !sorted.isEmpty else { return nil }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
