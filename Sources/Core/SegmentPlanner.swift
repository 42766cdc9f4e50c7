public import Media

/// Decides what the writer does next: where a fragment ends, when a checkpoint is made, where a segment ends.
///
/// Pure: it looks at the ring and at the `now` it is given and answers with one step; the writer performs it and says
/// so (`didWrite…`). All edges are packet times.
public struct SegmentPlanner: Sendable {
  /// The plan's constants, all spans of time.
  public struct Settings: Hashable, Sendable {
    /// A fragment ends here at the latest.
    public var longestFragment = Nanoseconds.milliseconds(500)
    /// From here on a fragment rather ends at a keyframe.
    public var shortestFragment = Nanoseconds.milliseconds(400)
    /// From the start of one checkpoint to the start of the next, at most.
    public var checkpointInterval: Nanoseconds
    /// What a power cut may cost beyond the interval: encoder, a fragment's edge, and the flushes.
    public var lossMargin = Nanoseconds.milliseconds(250)
    /// The slowest flush for which the loss bound is kept. A checkpoint waits for two, a segment's first for up to four.
    public var slowestFlush = Nanoseconds.milliseconds(150)
    /// From the start of one checkpoint to the start of the next, at least: on a card that is too slow for the bound.
    public var shortestInterval = Nanoseconds.milliseconds(400)
    /// A checkpoint may come this much before it must, where it then wastes little of a chunk.
    public var earliness = Nanoseconds.milliseconds(150)
    /// Bytes of footage that are sealed together; a checkpoint fills its last chunk with padding.
    public var chunkByteCount = 65_536
    /// Padding that is little: a quarter of what it is on the average. With more, checkpoints would come as early as they may at most
    /// bitrates, and flush the card for nothing.
    public var littlePadding = 64...8_192
    /// A segment ends at the first keyframe after this.
    public var segmentLength: Nanoseconds
    /// How long a segment may grow beyond its length until a keyframe comes at a good moment.
    public var rotationPatience = Nanoseconds.milliseconds(2_500)
    /// From one keyframe to the next, as the encoder is told; zero: not known.
    public var gop: Nanoseconds
    /// How long a late track is waited for beyond two of its own intervals.
    public var lateness = Nanoseconds.milliseconds(150)
    /// How long, when the recording ends, a track is waited for that has not brought its last packets yet.
    public var closingPatience = Nanoseconds.seconds(2)
    /// Distance between two packets of a track by its settings.
    public var videoInterval: Nanoseconds
    public var audioInterval = Nanoseconds.milliseconds(20)

    public init(
      checkpointInterval: Nanoseconds, segmentLength: Nanoseconds, videoInterval: Nanoseconds, gop: Nanoseconds = .zero
    ) {
      self.gop = gop
      self.checkpointInterval = checkpointInterval
      self.segmentLength = segmentLength
      self.videoInterval = videoInterval
    }

    func interval(of track: TrackID) -> Nanoseconds { track == .video ? videoInterval : audioInterval }
  }

  /// One step of the writer.
  public enum Step: Hashable, Sendable {
    /// Nothing to do before the given time, unless a packet at or after `packet` arrives.
    case wait(until: MonotonicTime, packet: MonotonicTime)
    /// Write what lies before `edge`; then, in this order, what is asked: a checkpoint, and after it the end of the
    /// segment or of the recording.
    case fragment(edge: MonotonicTime, checkpoint: Bool, after: After)
    /// Nothing new was captured, but what is written must be confirmed, or it must be said that nothing came.
    case checkpoint
  }

  /// What follows a fragment and its checkpoint.
  public enum After: Hashable, Sendable {
    case nothing
    /// A segment ends at this edge, which is a keyframe, and the next begins there.
    case nextSegment
    /// The recording ends.
    case close
  }

  public let settings: Settings
  /// Tracks that are fed; a track that falls silent is waited for only as long as `lateness` says.
  public var tracks: [TrackID]
  /// Everything before it is in a fragment.
  public private(set) var fragmentStart: MonotonicTime
  public private(set) var segmentStart: MonotonicTime
  /// The newest video packet that is in a fragment. Video that was not waited for lies after it and before `fragmentStart`.
  private var writtenVideo: MonotonicTime
  /// Packets from here on do not belong to the recording; nil while it goes on.
  public private(set) var end: MonotonicTime?
  private var lastCheckpointStart: MonotonicTime
  /// The supply is failing: checkpoints come as fast as a card takes them.
  public var isPowerFailing = false
  /// A checkpoint was asked for that waits for nothing.
  private var isUrgent = false
  /// What a power cut leaves; nil before the first checkpoint.
  private var durableEnd: MonotonicTime?
  private var isFirstOfSegment = true
  private var isFirstCheckpointMade = false
  private var isEventPending = false
  /// A backlog is being written; when it is, a checkpoint comes at once, so that *recording* can be shown.
  private var hasBacklog = true

  public init(settings: Settings, tracks: [TrackID], start: MonotonicTime, now: MonotonicTime) {
    self.settings = settings
    self.tracks = tracks
    self.fragmentStart = start
    self.segmentStart = start
    self.writtenVideo = start - Nanoseconds(1)
    self.lastCheckpointStart = now
  }

  /// Moves or takes away the end; an end before what is already written means: as soon as possible.
  public mutating func setEnd(_ end: MonotonicTime?) { self.end = end }

  /// Something happened that should be durable soon: the next checkpoint may come after half a second already.
  public mutating func requestCheckpoint() { isEventPending = true }

  /// The power is about to go: a checkpoint of all that is in memory, now. In a backlog its first part is confirmed at once.
  public mutating func checkpointAtOnce() { isUrgent = true }

  /// - Parameter newestVideo: the time of the last video packet in it; nil when it has none.
  public mutating func didWriteFragment(edge: MonotonicTime, newestVideo: MonotonicTime?) {
    fragmentStart = max(fragmentStart, edge)
    if let newestVideo { writtenVideo = max(writtenVideo, newestVideo) }
  }

  /// - Parameters:
  ///   - start: when the checkpoint was begun; a late one is made once, never several in a row.
  ///   - durableEnd: everything before it is durable.
  public mutating func didCheckpoint(startedAt start: MonotonicTime, durableEnd: MonotonicTime) {
    lastCheckpointStart = start
    self.durableEnd = durableEnd
    isFirstOfSegment = false
    isFirstCheckpointMade = true
    isEventPending = false
    isUrgent = false
  }

  public mutating func didBeginSegment(at start: MonotonicTime) {
    segmentStart = start
    isFirstOfSegment = true
  }

  /// When the next checkpoint must begin. The power may go just before it is confirmed, and what it then costs is counted from
  /// what the one before has confirmed: on a card whose flushes take as long as they may, the interval alone is too long.
  private var checkpointDue: MonotonicTime {
    if isUrgent { return lastCheckpointStart }
    if isPowerFailing { return lastCheckpointStart + settings.shortestInterval }
    var due = lastCheckpointStart + (isEventPending ? settings.longestFragment : settings.checkpointInterval)
    if let durableEnd {
      let flushes = settings.slowestFlush * (isFirstOfSegment ? 4 : 2)
      let bound = durableEnd + settings.checkpointInterval + settings.lossMargin - flushes - Self.safety
      // A segment's first, with its four flushes, has no time to lose; there is one in a segment.
      if isFirstOfSegment, !hasBacklog { return min(due, max(bound, lastCheckpointStart)) }
      // In a backlog, or on a card that is far too slow, hurrying helps nobody.
      if bound > lastCheckpointStart { due = min(due, bound) }
    }
    return max(due, lastCheckpointStart + settings.shortestInterval)
  }

  /// As `checkpointDue`, but before a time in which none should be made rather than within it.
  private func checkpointDue(before quiet: Range<MonotonicTime>?, now: MonotonicTime) -> MonotonicTime {
    let due = checkpointDue
    // Once that time has begun it is too late for that.
    guard let quiet, quiet.contains(due), now <= quiet.lowerBound + settings.videoInterval, !isUrgent, !isPowerFailing
    else { return due }
    return max(quiet.lowerBound, lastCheckpointStart + settings.shortestInterval / 2)
  }

  /// When the keyframe with which the next segment begins should come, and before it as long as a checkpoint may take: one that
  /// is made then lets the keyframe grow old, and with it what is not durable when the segment's slow first one is made.
  private func quietTime(now: MonotonicTime, ring: borrowing PacketRing) -> Range<MonotonicTime>? {
    let newest = ring.newestTime(of: .video)
    guard settings.gop >= settings.slowestFlush * 4, newest > segmentStart, now - newest < settings.gop,
      let keyframe = ring.keyframeTime(atOrAfter: newest - settings.gop + Nanoseconds(1))
    else { return nil }
    let next = keyframe + settings.gop
    guard next >= segmentStart + settings.segmentLength - settings.videoInterval / 2 else { return nil }
    // It arrives as late as the newest picture did, or up to a frame earlier.
    let arrival = next + (now - newest)
    return arrival - settings.slowestFlush * 2 - Self.safety - settings.videoInterval..<arrival + settings.videoInterval
  }

  /// Writing, sealing, and the time until the writer is awake.
  private static let safety = Nanoseconds.milliseconds(30)

  /// After a failed sync: everything from `start`, a keyframe, is written again in a new segment.
  public mutating func rewind(to start: MonotonicTime) {
    fragmentStart = start
    segmentStart = start
    writtenVideo = start - Nanoseconds(1)
    isFirstCheckpointMade = false
    hasBacklog = true
  }

  /// The next step. To be carried out, and then told by the functions above.
  /// - Parameter room: bytes that the open chunk still takes.
  public mutating func step(now: MonotonicTime, ring: borrowing PacketRing, room: Int = 0) -> Step {
    let available = available(now: now, ring: ring)
    let end = end.map { max($0, fragmentStart) }
    let quiet = quietTime(now: now, ring: ring)
    let checkpointAt = checkpointDue(before: quiet, now: now)
    let isCheckpointDue = now >= checkpointAt || !isFirstCheckpointMade
    let earliest = max(checkpointAt - settings.earliness, lastCheckpointStart + settings.shortestInterval)
    let isEarly = now >= earliest && isFirstCheckpointMade && !(quiet?.contains(now) ?? false)

    let (edge, isRotation) = nextEdge(ring: ring, available: available)
    if let end, end <= edge, available >= end { return .fragment(edge: end, checkpoint: true, after: .close) }
    if available >= edge {
      let rest = available - edge
      if isCheckpointDue, rest > settings.longestFragment { hasBacklog = true }
      // What came meanwhile goes into the same checkpoint, if that is little: it confirms what is new, not what was late.
      let waits =
        isFirstCheckpointMade && rest > .zero && rest <= settings.longestFragment * 2
        && (isUrgent || now < checkpointAt + settings.longestFragment)
      let isCheckpoint =
        isRotation || isCheckpointDue && !waits || isEarly && fits(before: edge, ring: ring, room: room)
      if isCheckpoint, rest <= settings.videoInterval * 2 { hasBacklog = false }
      return .fragment(edge: edge, checkpoint: isCheckpoint, after: isRotation ? .nextSegment : .nothing)
    }
    if isEarly, now < checkpointAt, available > fragmentStart, fits(before: available, ring: ring, room: room) {
      return .fragment(edge: available, checkpoint: true, after: .nothing)
    }
    if isFirstCheckpointMade, now >= checkpointAt || hasBacklog {
      hasBacklog = false
      // A fragment shorter than one frame interval would hold nothing of the slower track.
      return available > fragmentStart ? .fragment(edge: available, checkpoint: true, after: .nothing) : .checkpoint
    }
    // Wake for a packet that completes the fragment, for the checkpoint, and to see a track turn late.
    var (wake, packet) = (now + settings.lateness, min(edge, end ?? edge))
    if isFirstCheckpointMade { wake = min(wake, checkpointAt, now < earliest ? earliest : checkpointAt) }
    // Each packet may be the one with which a checkpoint fits, or the keyframe with which the next segment begins.
    let isRotationDue =
      ring.newestTime(of: .video) + settings.videoInterval * 2 >= segmentStart + settings.segmentLength
    if isEarly || isRotationDue { packet = min(packet, max(available, fragmentStart) + Nanoseconds(1)) }
    return .wait(until: wake, packet: packet)
  }

  /// Whether what lies before `edge` fills the open chunk, or one behind it, but for a little.
  private func fits(before edge: MonotonicTime, ring: borrowing PacketRing, room: Int) -> Bool {
    guard room > 0 else { return false }
    let held = ring.contents(from: fragmentStart, before: edge)
    let count = FragmentHeader.byteCount(video: held.video, audio: held.audio) + held.bytes
    let rest = (room - count) % settings.chunkByteCount
    return settings.littlePadding.contains(rest >= 0 ? rest : rest + settings.chunkByteCount)
  }

  /// Every live track has a packet at or after this time, so everything before it is complete.
  func available(now: MonotonicTime, ring: borrowing PacketRing) -> MonotonicTime {
    var available: MonotonicTime?
    for track in tracks {
      let newest = ring.newestTime(of: track)
      let usual = settings.lateness + settings.interval(of: track) * 2
      // The last frames of a recording are worth a longer wait than a fragment is.
      let patience = end == nil ? usual : max(usual, settings.closingPatience)
      guard newest + patience >= now || newest >= (end ?? .distantFuture) else { continue }
      available = min(available ?? newest, newest)
    }
    if let available { return available }
    // No track is live: time itself passes, so that the end is reached and silence is confirmed as silence.
    return now - settings.lateness
  }

  private func nextEdge(ring: borrowing PacketRing, available: MonotonicTime) -> (edge: MonotonicTime, isRotation: Bool)
  {
    let longest = fragmentStart + settings.longestFragment
    // Half a frame early: thirty times a thirtieth of a second, in whole nanoseconds, is less than a second.
    let due = segmentStart + settings.segmentLength - settings.videoInterval / 2
    // With an encoder that is behind, the keyframe comes when sound has been written past it. Sound then goes on where
    // it is, and the segments' edge lies before that.
    let rotation = ring.keyframeTime(atOrAfter: max(due, min(fragmentStart, writtenVideo + Nanoseconds(1))))
    if let rotation, rotation <= longest, rotation > segmentStart {
      // One that came while a checkpoint was made is old already, and the next segment's first checkpoint takes long: the
      // segment rather goes on to a keyframe that has just come. In a backlog all are old.
      let age = min(ring.newestTime(of: .video), available) - rotation
      let isEnding = end.map { $0 <= ring.newestTime(of: .video) } ?? false
      let isOld = age >= settings.videoInterval && age <= settings.longestFragment * 2 && !isEnding
      if !isOld || rotation - due > settings.rotationPatience { return (rotation, true) }
    }
    let keyframe = ring.keyframeTime(atOrAfter: fragmentStart + settings.shortestFragment)
    if let keyframe, keyframe <= longest { return (keyframe, false) }
    return (longest, false)
  }
}
