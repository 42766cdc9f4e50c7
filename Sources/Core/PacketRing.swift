public import Media

/// The pre-event memory: encoded packets of all tracks, in order of arrival, in one arena that is lent to it.
///
/// A pure value without clock or lock: every decision compares packet times with the `now` it is given, and its owner
/// puts it behind one lock. Append copies in, readers copy out; no pointer into the arena leaves it. Arrival order is
/// not time order between tracks (their delays differ), so what may go is decided by time, never by position. What goes is
/// overwritten at once: the arena never holds clear footage that is older than the horizon.
///
/// Nothing is allocated after `init`.
public struct PacketRing: ~Copyable {
  /// How much is kept, as spans of packet time.
  public struct Horizon: Hashable, Sendable {
    /// Seconds before the trigger that a recording must begin with.
    public var preEvent: Nanoseconds
    /// The longest time from the first edge of a gesture to its decision.
    public var edgeToDecision: Nanoseconds
    /// The longest distance between two keyframes that is expected.
    public var gop: Nanoseconds

    public init(preEvent: Nanoseconds, edgeToDecision: Nanoseconds, gop: Nanoseconds) {
      self.preEvent = preEvent
      self.edgeToDecision = edgeToDecision
      self.gop = gop
    }

    /// Packets older than this, and not part of the GOP that reaches across it, may go.
    public var span: Nanoseconds { preEvent + edgeToDecision + gop }
  }

  /// What became of a packet that was offered.
  public enum AppendOutcome: Hashable, Sendable {
    case stored
    /// Stored, and the oldest GOP had to go before its time because bytes ran out: the next recording's pre-event is
    /// shorter than configured, and must say so. Never happens while a recording pins its footage.
    case storedByShorteningPreEvent
    /// There is no room but at the cost of a recording's older footage. `needsKeyframe`: video stays refused until
    /// a keyframe fits with a tenth of the arena free, so one should be requested.
    case refused(needsKeyframe: Bool)
  }

  private struct Entry {
    var header = PacketHeader(track: .video, flags: [], length: 0, time: .distantPast, position: 0)
    var offset = 0
  }

  public let horizon: Horizon
  private let arena: ArenaBytes
  private let otherTracksShare: Int
  private var entries: [Entry]
  private var keyframes: [Int64]
  private let mask: Int64

  private var oldest: Int64 = 0
  private var next: Int64 = 0
  private var oldestKeyframe: Int64 = 0
  private var nextKeyframe: Int64 = 0
  private var writeOffset = 0
  private var videoBytes = 0
  private var otherBytes = 0
  private var newestVideo = MonotonicTime.distantPast
  private var newestOther = MonotonicTime.distantPast
  private var isRefusingVideo = false
  private var isShortened = false
  private var recordingPin: MonotonicTime?
  private var triggerPin: MonotonicTime?

  /// - Parameters:
  ///   - memory: the arena; lent, never freed here, and used by nothing else as long as the ring lives.
  ///   - packetCapacity: how many packets may be held at once; rounded up to a power of two.
  ///   - otherTracksShare: bytes of the arena that only tracks other than video may use.
  public init(
    memory: UnsafeMutableRawBufferPointer, packetCapacity: Int, otherTracksShare: Int, horizon: Horizon
  ) {
    var capacity = 16
    while capacity < packetCapacity { capacity *= 2 }
    self.horizon = horizon
    self.arena = ArenaBytes(memory: memory)
    self.otherTracksShare = min(otherTracksShare, memory.count / 2)
    self.entries = [Entry](repeating: Entry(), count: capacity)
    self.keyframes = [Int64](repeating: 0, count: capacity)
    self.mask = Int64(capacity - 1)
  }

  // MARK: - State

  /// Bytes of the arena, and bytes of packets held.
  public var capacity: Int { arena.count }
  public var usedBytes: Int { videoBytes + otherBytes }
  /// The sequence numbers of the packets held: `oldestSequence ..< nextSequence`.
  public var oldestSequence: Int64 { oldest }
  public var nextSequence: Int64 { next }
  public var packetCount: Int { Int(next - oldest) }

  /// The newest packet time of a track, or `distantPast`; not forgotten when the packet goes.
  public func newestTime(of track: TrackID) -> MonotonicTime { track == .video ? newestVideo : newestOther }

  /// From the oldest keyframe held to the newest video packet: what a trigger now could make permanent.
  public var heldSpan: Nanoseconds {
    guard oldestKeyframe < nextKeyframe else { return .zero }
    return newestVideo - entry(keyframeSequence(oldestKeyframe)).header.time
  }

  /// Bytes ran out before the horizon was full, since this was last asked.
  public mutating func takeShortened() -> Bool {
    defer { isShortened = false }
    return isShortened
  }

  /// The packet with this sequence number, or nil when it is not held (any more, or yet).
  public func header(at sequence: Int64) -> PacketHeader? {
    guard (oldest..<next).contains(sequence) else { return nil }
    return entry(sequence).header
  }

  // MARK: - Writing

  /// Copies one packet in; constant time but for the copy and what goes. The header's length must be `bytes.count`.
  public mutating func append(_ header: PacketHeader, bytes: RawSpan, now: MonotonicTime) -> AppendOutcome {
    evict(now: now)
    // Until a keyframe comes nothing of this video can be decoded: making room for it would cost footage for nothing.
    if isRefusingVideo, header.track == .video, !header.isKeyframe { return .refused(needsKeyframe: true) }
    var outcome = AppendOutcome.stored
    while !fits(header) {
      guard evictOldestGOP() else {
        if header.track == .video { isRefusingVideo = true }
        return .refused(needsKeyframe: header.track == .video)
      }
      outcome = .storedByShorteningPreEvent
      isShortened = true
    }
    if header.track == .video {
      isRefusingVideo = false
      videoBytes += header.length
      newestVideo = max(newestVideo, header.time)
      if header.isKeyframe {
        keyframes[Int(nextKeyframe & mask)] = next
        nextKeyframe += 1
      }
    } else {
      otherBytes += header.length
      newestOther = max(newestOther, header.time)
    }
    entries[Int(next & mask)] = Entry(header: header, offset: writeOffset)
    writeOffset = arena.store(bytes, at: writeOffset)
    next += 1
    return outcome
  }

  /// Who keeps footage from going: the recording that is open, and a trigger that the writer has not taken up yet.
  public enum Pin: Hashable, Sendable { case recording, trigger }

  /// Keeps the keyframe at or before `time` and everything after it until this pin moves or is taken off: what the
  /// card has not confirmed can then be written again from memory.
  public mutating func pin(_ pin: Pin, from time: MonotonicTime) {
    switch pin {
    case .recording: recordingPin = time
    // A trigger before it may wait to be taken up: what it needs stays.
    case .trigger: triggerPin = min(triggerPin ?? time, time)
    }
  }

  /// When no pin is left only the horizon decides.
  public mutating func unpin(_ pin: Pin) {
    switch pin {
    case .recording: recordingPin = nil
    case .trigger: triggerPin = nil
    }
  }

  private var pinnedFrom: MonotonicTime? {
    guard let recordingPin, let triggerPin else { return recordingPin ?? triggerPin }
    return min(recordingPin, triggerPin)
  }

  /// The most bytes that one `evict` overwrites before it leaves the rest to the next: capture waits for the lock that the
  /// ring is behind. A hundred times what arrives between two packets, so the rest is gone soon.
  public static let evictionByteLimit = 256 << 10

  /// Lets go of what is older than the horizon and not pinned, at most about `evictionByteLimit` bytes of it. To be called
  /// now and then also when nothing is appended any more.
  public mutating func evict(now: MonotonicTime) {
    var limit = now - horizon.span
    if let pinnedFrom, pinnedFrom < limit { limit = pinnedFrom }
    let floor = floor(at: limit)
    let least = usedBytes - Self.evictionByteLimit
    while oldest < next, usedBytes > least {
      let header = entry(oldest).header
      let mayGo = header.track == .video ? oldest < floor.videoSequence : header.time < floor.time
      guard mayGo else { return }
      dropOldest()
    }
  }

  // MARK: - Reading

  /// Where a recording begins that wants everything from `time` on.
  public struct StartPoint: Hashable, Sendable {
    /// The media begins here: the time of the newest keyframe at or before the time asked, or of the first after it.
    public var time: MonotonicTime
    /// The first video packet of the recording; equal to `nextSequence` when no video is held.
    public var videoSequence: Int64
    /// False when nothing that reaches back to the time asked is held.
    public var reachesBack: Bool
  }

  /// The start for `time`: O(log keyframes).
  public func startPoint(at time: MonotonicTime) -> StartPoint {
    let floor = floor(at: time)
    if floor.isKeyframe { return StartPoint(time: floor.time, videoSequence: floor.videoSequence, reachesBack: true) }
    let first = firstKeyframe(after: time)
    if first < nextKeyframe {
      let sequence = keyframeSequence(first)
      return StartPoint(time: entry(sequence).header.time, videoSequence: sequence, reachesBack: false)
    }
    var sequence = oldest
    while sequence < next {
      let header = entry(sequence).header
      if header.track != .video, header.time >= time {
        return StartPoint(time: header.time, videoSequence: next, reachesBack: sequence > oldest)
      }
      sequence += 1
    }
    // Nothing at all is held: the media begins with what comes.
    return StartPoint(time: max(time, max(newestVideo, newestOther)), videoSequence: next, reachesBack: false)
  }

  /// The time of the first keyframe at or after `time`, or nil.
  public func keyframeTime(atOrAfter time: MonotonicTime) -> MonotonicTime? {
    let index = firstKeyframe(after: time - Nanoseconds(1))
    return index < nextKeyframe ? entry(keyframeSequence(index)).header.time : nil
  }

  /// The next packet of a track at or after a sequence number, and its own number; nil when none is held.
  public func nextPacket(of track: TrackID, from sequence: Int64) -> (sequence: Int64, header: PacketHeader)? {
    var sequence = max(sequence, oldest)
    while sequence < next {
      let header = entry(sequence).header
      if header.track == track { return (sequence, header) }
      sequence += 1
    }
    return nil
  }

  /// Copies bytes of one packet, from `offset` on, as many as fit into `destination`; returns how many. 0 when the
  /// packet is not held.
  public func copyBytes(of sequence: Int64, from offset: Int, into destination: UnsafeMutableRawBufferPointer) -> Int {
    guard (oldest..<next).contains(sequence) else { return 0 }
    let entry = entry(sequence)
    let count = min(destination.count, entry.header.length - offset)
    guard offset >= 0, count > 0 else { return 0 }
    arena.load(from: entry.offset + offset, into: UnsafeMutableRawBufferPointer(rebasing: destination[..<count]))
    return count
  }

  // MARK: - Parts

  /// Video before `videoSequence` and other packets before `time` are not needed by who begins at the limit asked.
  private struct Floor {
    var time: MonotonicTime
    var videoSequence: Int64
    var isKeyframe: Bool
  }

  private func floor(at limit: MonotonicTime) -> Floor {
    let after = firstKeyframe(after: limit)
    if after > oldestKeyframe {
      let reachesAcross = after < nextKeyframe || newestVideo >= limit - horizon.gop
      if reachesAcross {
        let sequence = keyframeSequence(after - 1)
        return Floor(time: entry(sequence).header.time, videoSequence: sequence, isKeyframe: true)
      }
      // The camera fell silent before the limit: nothing of its last GOP is inside.
      return Floor(time: limit, videoSequence: next, isKeyframe: false)
    }
    // No keyframe at or before the limit. Video that precedes the first keyframe cannot be decoded.
    let firstDecodable = after < nextKeyframe ? keyframeSequence(after) : next
    return Floor(time: limit, videoSequence: firstDecodable, isKeyframe: false)
  }

  /// Index, in the keyframe table, of the first keyframe later than `time`. Keyframe times rise.
  /// Packets of both kinds with a time in [from, end), and their bytes. Looks back from the newest packet to those a second
  /// before `from`.
  func contents(from: MonotonicTime, before end: MonotonicTime) -> (video: Int, audio: Int, bytes: Int) {
    var (video, audio, bytes) = (0, 0, 0)
    var sequence = next
    while sequence > oldest {
      sequence -= 1
      let header = entry(sequence).header
      // The tracks are interleaved by their arrival, not by their times.
      if header.time < from - .seconds(1) { break }
      guard header.time >= from, header.time < end else { continue }
      if header.track == .video { video += 1 } else { audio += 1 }
      bytes += header.length
    }
    return (video, audio, bytes)
  }

  private func firstKeyframe(after time: MonotonicTime) -> Int64 {
    var low = oldestKeyframe
    var high = nextKeyframe
    while low < high {
      let middle = (low + high) / 2
      if entry(keyframeSequence(middle)).header.time <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func fits(_ header: PacketHeader) -> Bool {
    guard Int(next - oldest) < entries.count, usedBytes + header.length <= arena.count else { return false }
    guard header.track == .video else { return otherBytes + header.length <= otherTracksShare }
    guard videoBytes + header.length <= arena.count - otherTracksShare else { return false }
    guard isRefusingVideo else { return true }
    return header.isKeyframe && usedBytes + header.length <= arena.count - arena.count / 10
  }

  /// Drops up to the second keyframe held; false when that would cost the newest GOP, or one that a recording needs.
  private mutating func evictOldestGOP() -> Bool {
    guard nextKeyframe - oldestKeyframe >= 2 else {
      // Without a second keyframe only packets that no recording could use may make room.
      guard pinnedFrom == nil, oldestKeyframe < nextKeyframe ? oldest < keyframeSequence(oldestKeyframe) : oldest < next
      else { return false }
      dropOldest()
      return true
    }
    if let pinnedFrom {
      // One GOP more than the pin says stays: sound of a pinned GOP may have arrived before its keyframe.
      guard nextKeyframe - oldestKeyframe >= 3,
        entry(keyframeSequence(oldestKeyframe + 2)).header.time <= pinnedFrom
      else { return false }
    }
    let second = keyframeSequence(oldestKeyframe + 1)
    while oldest < second { dropOldest() }
    return true
  }

  private mutating func dropOldest() {
    let (header, offset) = (entry(oldest).header, entry(oldest).offset)
    arena.wipe(at: offset, count: header.length)
    if header.track == .video {
      videoBytes -= header.length
      if header.isKeyframe { oldestKeyframe += 1 }
    } else {
      otherBytes -= header.length
    }
    oldest += 1
  }

  private func entry(_ sequence: Int64) -> Entry { entries[Int(sequence & mask)] }
  private func keyframeSequence(_ index: Int64) -> Int64 { keyframes[Int(index & mask)] }
}
