import Core
import Evidence
import EvidenceStore
import LinuxIO
import Media

/// The recording that the store thread is writing: its timeline, its cursors into the ring and its file.
///
/// A class because it lives as long as the recording and is changed in place; one thread uses it.
final class OpenRecording {
  let request: OpenRequest
  let profile: RecordingProfile
  let id: EvidenceID
  var writer: RecordingWriter
  var planner: SegmentPlanner
  var pendingEvents: [FootageEvent] = []
  /// Facts of health that go into the journal with the next checkpoint.
  var pendingNotices: [JournalEvent] = []
  var consecutiveFailures = 0
  /// Why the recording ends, once an end is set.
  var closeReason = CloseReason.stop
  var lastAnchor: MonotonicTime
  /// Before that the device log is left alone.
  var nextFates = MonotonicTime.distantPast
  /// Why the recording ends by itself.
  var endFault: RecorderFault?
  private var losses: LossAccount
  var lostFrames: Int64 { losses.lostFrames }
  var lostSamples: Int64 { losses.lostSamples }
  private(set) var framesWritten = 0
  /// 20 ms each.
  private(set) var soundPacketsWritten = 0
  /// Of coded pictures and sound.
  private(set) var bytesWritten: Int64 = 0

  /// Of the newest picture written, and the end of the newest sound.
  private var lastPicture: MonotonicTime?
  private var lastSoundEnd: MonotonicTime?
  private var timeline: MediaTimeline
  private var videoCursor: Int64
  private var audioCursor: Int64 = 0
  /// Sound before this time is not written: the start, or the trigger when pre-event sound is off.
  private var soundFrom: MonotonicTime
  /// Everything before it is durable; only rises.
  private(set) var durableEnd: MonotonicTime
  /// From here on memory must keep everything: what is not durable, and the sound that a segment beginning there runs in with.
  var neededFrom: MonotonicTime { max(request.start.time, durableEnd - RunIn.span) }
  /// Where the cursors were at the last checkpoint.
  private var durableVideoCursor: Int64
  private var durableAudioCursor: Int64 = 0
  /// Events written since the last checkpoint: written again when the segment is abandoned.
  private var unconfirmedEvents: [FootageEvent] = []
  private var video = Selection()
  private var audio = Selection()
  private var fragmentNumber: UInt32 = 0
  private var eventNumber: UInt32 = 0
  /// A segment's video begins with a keyframe; until it came, other pictures are left out.
  private var needsKeyframe = true
  private var firstIDR: Int64?
  private var hasSound = false
  private var header = FragmentHeader()
  private var videoSamples: [FragmentSample] = []
  private var audioSamples: [FragmentSample] = []
  private var references: [PacketReference] = []

  /// A packet chosen for the fragment being written.
  private struct PacketReference {
    var sequence: Int64
    var length: Int
  }

  /// What a fragment takes of one track.
  private struct Selection {
    var packets: [(sequence: Int64, header: PacketHeader)] = []
    var successor: PacketHeader?
    var cursor: Int64 = 0

    mutating func begin(at cursor: Int64) {
      packets.removeAll(keepingCapacity: true)
      successor = nil
      self.cursor = cursor
    }
  }

  init(writer: consuming RecordingWriter, request: OpenRequest, profile: RecordingProfile, now: MonotonicTime) {
    self.request = request
    self.profile = profile
    id = writer.id
    self.writer = writer
    planner = SegmentPlanner(settings: profile.plan, tracks: profile.tracks, start: request.start.time, now: now)
    timeline = MediaTimeline(start: request.start.time)
    videoCursor = request.start.videoSequence
    durableVideoCursor = request.start.videoSequence
    soundFrom = max(request.start.time, request.soundFrom)
    durableEnd = request.start.time
    losses = LossAccount(start: request.start.time)
    lastAnchor = now
    videoSamples.reserveCapacity(128)
    audioSamples.reserveCapacity(128)
    references.reserveCapacity(256)
    video.packets.reserveCapacity(128)
    audio.packets.reserveCapacity(128)
  }

  var segmentIndex: Int { writer.segmentIndex }
  /// Media that is durable.
  var duration: Nanoseconds { timeline.media(at: durableEnd) }

  // MARK: - Segments

  /// Begins the next segment at `start`, a keyframe's time where there is video.
  func beginSegment(ring: SharedRing, at start: MonotonicTime) throws(StoreError) {
    planner.didBeginSegment(at: start)
    needsKeyframe = true
    let first = firstSound(ring)
    let lookahead = profile.audioLookahead
    let preSkip: Int
    if let first {
      preSkip = first.header.flags.contains(.streamStart) ? lookahead : 0
    } else {
      // Nothing encoded yet: what comes will be the start of a stream; or the microphone is late in the middle of one.
      preSkip = hasSound ? 0 : lookahead
    }
    let audio = profile.audioChannels.map { AudioTrack(channels: $0, preSkip: preSkip) }
    let before = first.map { runIn(before: $0, ring: ring) } ?? []
    try writer.beginSegment { salt, index in
      var start = InitSegment(video: profile.video, audio: audio, salt: salt, facts: facts(segment: index))
      if let first, !before.isEmpty {
        start.runIn = RunIn(edge: timeline.audioTicks(of: first.header), lengths: before.map(\.length))
        var bytes = start.bytes()
        if copy(before, from: ring, toEndOf: &bytes) { return bytes }
        start.runIn = nil
      }
      return start.bytes()
    }
  }

  /// The sound that goes on without a gap into `first`, up to `RunIn.span` of it, oldest first. Empty where a stream starts,
  /// and never sound that does not belong to the recording. The ring's pin keeps it.
  private func runIn(before first: (sequence: Int64, header: PacketHeader), ring: SharedRing) -> [PacketReference] {
    var found: [PacketReference] = []
    found.reserveCapacity(RunIn.packetLimit)
    let from = soundFrom
    return ring.withRing { ring in
      var (sequence, next) = first
      while found.count < RunIn.packetLimit, !next.flags.contains(.streamStart) {
        sequence -= 1
        guard let header = ring.header(at: sequence) else { break }
        if header.track == .video { continue }
        guard header.position + 960 == next.position, Self.belongs(header, from: from) else { break }
        found.append(PacketReference(sequence: sequence, length: header.length))
        next = header
      }
      found.reverse()
      return found
    }
  }

  /// False when one of the packets is not in memory any more.
  private func copy(_ packets: [PacketReference], from ring: SharedRing, toEndOf bytes: inout [UInt8]) -> Bool {
    var offset = bytes.count - packets.reduce(0) { $0 + $1.length }
    for packet in packets {
      let copied = bytes.withUnsafeMutableBytes { bytes in
        let space = UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + packet.length])
        return ring.withRing { $0.copyBytes(of: packet.sequence, from: 0, into: space) }
      }
      guard copied == packet.length else { return false }
      offset += packet.length
    }
    return true
  }

  private func facts(segment: Int) -> [(key: String, value: String)] {
    let clock = Evidence.ClockReading.reading()
    var facts: [(key: String, value: String)] = [
      ("format", "1"), ("recording", id.description), ("segment", "\(segment)"), ("wall_ms", "\(clock.wall)"),
      ("mono_ns", "\(clock.monotonic)"), ("camera", Self.oneLine(profile.cameraName)),
      ("microphone", Self.oneLine(profile.microphoneName)),
    ]
    if !profile.pathName.isEmpty { facts.append(("video", profile.pathName)) }
    guard segment == 0 else { return facts }
    let trigger = request.trigger
    facts += [
      ("trigger", trigger.source.rawValue), ("trigger_mono_ns", "\(trigger.time.nanoseconds)"),
      ("decision_mono_ns", "\(trigger.decided.nanoseconds)"),
      ("pre_event_asked_ms", "\(request.preEventAsked.inMilliseconds)"),
      ("pre_event_held_ms", "\(max(0, (trigger.time - request.start.time).inMilliseconds))"),
      ("pre_event_short", request.shortfall ?? "-"), ("media_start_mono_ns", "\(request.start.time.nanoseconds)"),
      ("trigger_mt_us", "\(max(0, timeline.media(at: trigger.time).inMicroseconds))"),
    ]
    if let continued = request.continues { facts.append(("continues", continued)) }
    return facts
  }

  private static func oneLine(_ text: String) -> String {
    String(text.unicodeScalars.map { $0.value < 32 ? " " : Character($0) })
  }

  private func firstSound(_ ring: SharedRing) -> (sequence: Int64, header: PacketHeader)? {
    let (cursor, from) = (audioCursor, soundFrom)
    return ring.withRing { ring in
      var sequence = cursor
      while let (found, header) = ring.nextPacket(of: .audio, from: sequence) {
        if Self.belongs(header, from: from) { return (found, header) }
        sequence = found + 1
      }
      return nil
    }
  }

  /// A stream that starts at `from` has a first packet that is earlier by the encoder's delay, which players drop.
  private static func belongs(_ header: PacketHeader, from: MonotonicTime) -> Bool {
    header.time >= from || (header.flags.contains(.streamStart) && header.time + .milliseconds(10) >= from)
  }

  // MARK: - Fragments

  /// Writes everything before `edge` as one fragment; nothing at all when there is nothing.
  func writeFragment(before edge: MonotonicTime, ring: SharedRing) throws(StoreError) {
    video.begin(at: videoCursor)
    audio.begin(at: audioCursor)
    select(.video, into: &video, before: edge, ring: ring)
    select(.audio, into: &audio, before: edge, ring: ring)
    try writeEvents(before: edge)
    videoSamples.removeAll(keepingCapacity: true)
    audioSamples.removeAll(keepingCapacity: true)
    references.removeAll(keepingCapacity: true)
    collectVideo(video)
    collectAudio(audio)
    if !references.isEmpty {
      fragmentNumber += 1
      header.write(sequence: fragmentNumber, video: videoSamples, audio: audioSamples)
      if firstIDR == nil, videoSamples.contains(where: \.isKeyframe) { firstIDR = writer.position }
      try writer.write(header.bytes.span.bytes)
      framesWritten += videoSamples.count
      soundPacketsWritten += audioSamples.count
      for reference in references {
        bytesWritten += Int64(reference.length)
        try writer.write(count: reference.length) { offset, destination in
          ring.withRing { $0.copyBytes(of: reference.sequence, from: offset, into: destination) }
        }
      }
    }
    if let picture = video.packets.last?.header { lastPicture = picture.time }
    if let sound = audio.packets.last?.header { lastSoundEnd = sound.time + Self.soundPacket }
    videoCursor = video.cursor
    audioCursor = audio.cursor
    if let lastAudio = audio.packets.last?.header {
      // The last picture's duration said where the next one begins, by the line so far: the turn comes there, not before.
      timeline.turn(at: video.successor?.time ?? edge, lastAudio: lastAudio)
    }
    planner.didWriteFragment(edge: edge, newestVideo: video.packets.last?.header.time)
  }

  /// Fills a selection that keeps its memory: nothing is allocated while the ring is locked, once it has grown.
  private func select(
    _ track: TrackID, into selection: inout Selection, before edge: MonotonicTime, ring: SharedRing
  ) {
    let soundFrom = soundFrom
    var filled = Selection()
    swap(&filled, &selection)
    ring.withRing { ring in
      while let (sequence, header) = ring.nextPacket(of: track, from: filled.cursor) {
        guard header.time < edge else {
          filled.successor = header
          break
        }
        filled.cursor = sequence + 1
        if track == .video || Self.belongs(header, from: soundFrom) { filled.packets.append((sequence, header)) }
      }
    }
    swap(&filled, &selection)
  }

  private func collectVideo(_ selection: Selection) {
    let packets = selection.packets
    for (index, packet) in packets.enumerated() {
      if needsKeyframe {
        guard packet.header.isKeyframe else { continue }
        needsKeyframe = false
      }
      let ticks = timeline.videoTicks(at: packet.header.time)
      let next = index + 1 < packets.count ? packets[index + 1].header : selection.successor
      let nominal = profile.plan.videoInterval.count * VideoTrack.timescale / 1_000_000_000
      let duration = next.map { timeline.videoTicks(at: $0.time) - ticks } ?? nominal
      videoSamples.append(
        FragmentSample(
          ticks: ticks, duration: max(1, duration), length: packet.header.length, isKeyframe: packet.header.isKeyframe))
      references.append(PacketReference(sequence: packet.sequence, length: packet.header.length))
    }
  }

  private func collectAudio(_ selection: Selection) {
    let packets = selection.packets
    hasSound = hasSound || !packets.isEmpty
    for (index, packet) in packets.enumerated() {
      let ticks = timeline.audioTicks(of: packet.header)
      let next = index + 1 < packets.count ? packets[index + 1].header : selection.successor
      let duration = next.map { $0.position - packet.header.position } ?? 960
      audioSamples.append(
        FragmentSample(
          ticks: ticks, duration: max(1, duration), length: packet.header.length, isKeyframe: true))
      references.append(PacketReference(sequence: packet.sequence, length: packet.header.length))
    }
  }

  private func writeEvents(before edge: MonotonicTime) throws(StoreError) {
    guard !pendingEvents.isEmpty else { return }
    for event in pendingEvents where event.time <= edge {
      eventNumber += 1
      let message = EventMessage(
        mediaMilliseconds: max(0, timeline.media(at: event.time).inMilliseconds), identifier: eventNumber,
        value: event.value, message: event.message)
      try writer.write(message.bytes().span.bytes)
    }
    unconfirmedEvents.append(contentsOf: pendingEvents.filter { $0.time <= edge })
    pendingEvents.removeAll { $0.time <= edge }
  }

  // MARK: - Checkpoints

  /// Makes everything written so far durable; then the losses known by now go into the journal.
  /// - Parameter endsSegment: nothing more comes into this segment.
  func checkpoint(
    startedAt start: MonotonicTime, endsSegment: Bool, now: () -> MonotonicTime
  ) throws(StoreError) {
    // After a rewind the first checkpoints lie before what the segment before holds: the end never falls.
    let end = max(planner.fragmentStart, durableEnd)
    losses.count(before: planner.end)
    let (frames, samples) = (lostFrames, lostSamples)
    try writer.checkpoint(endsSegment: endsSegment) {
      CheckpointFacts(
        mediaTime: max(0, timeline.media(at: end).inMicroseconds), firstIDR: firstIDR, clock: .reading(),
        lag: max(0, (now() - end).inMilliseconds), framesLost: frames, samplesLost: samples)
    }
    durableEnd = end
    durableAudioCursor = audioCursor
    durableVideoCursor = videoCursor
    unconfirmedEvents.removeAll(keepingCapacity: true)
    firstIDR = nil
    planner.didCheckpoint(startedAt: start, durableEnd: end)
    try journalLosses()
  }

  private static let soundPacket = Nanoseconds.milliseconds(20)

  /// A device that is not known to be away may be late by so much before what is missing at the end counts as lost.
  private static let patience = Nanoseconds.milliseconds(500)

  func note(_ loss: Loss) { losses.take(loss) }

  /// Before the last checkpoint: what is missing up to the end is lost, although no device came back to say so.
  /// - Parameter absent: tracks whose device is known to be away.
  func settleLosses(absent: Set<TrackID>, at end: MonotonicTime) {
    losses.settle(at: end)
    let interval = profile.plan.videoInterval
    for track in profile.tracks {
      let (isVideo, isAbsent) = (track == .video, absent.contains(track))
      let unit = isVideo ? interval : Self.soundPacket
      losses.addTail(
        of: track, written: isVideo ? lastPicture : lastSoundEnd ?? soundFrom, at: end,
        least: isAbsent ? unit : max(Self.patience, unit * 3)
      ) { missing in
        isVideo ? missing.count / max(1, interval.count) : missing.inMicroseconds * 48 / 1_000
      }
    }
  }

  private func journalLosses() throws(StoreError) {
    for loss in losses.untold {
      let from = max(0, timeline.media(at: loss.from).inMicroseconds)
      let to = max(from, timeline.media(at: loss.to).inMicroseconds)
      try writer.event(.gap(track: loss.track, from: from, to: to, cause: loss.cause))
    }
    losses.didTell()
    for notice in pendingNotices { try writer.event(notice) }
    pendingNotices.removeAll(keepingCapacity: true)
  }

  func close(_ reason: CloseReason) throws(StoreError) {
    try writer.close(reason, duration: max(0, duration.inMicroseconds))
  }

  // MARK: - Failure

  /// Gives the segment up and begins a new one at the last durable keyframe, out of memory. What was durable already is
  /// then in both: an overlap, which the journal shows by its media times.
  func abandonAndRewind(reason: StoreError, ring: SharedRing) throws(StoreError) {
    try writer.abandonSegment(reason)
    let (durableEnd, cursor) = (durableEnd, durableVideoCursor)
    // Pictures that were not waited for lie before the end that is durable: they are not.
    let point = ring.withRing { ring in
      ring.startPoint(at: min(durableEnd, ring.nextPacket(of: .video, from: cursor)?.header.time ?? durableEnd))
    }
    // With the camera silent at that point there is no keyframe to go back to: sound goes on from where it was.
    let start = point.reachesBack ? max(point.time, request.start.time) : durableEnd
    videoCursor = point.videoSequence
    audioCursor = durableAudioCursor
    firstIDR = nil
    pendingEvents = unconfirmedEvents + pendingEvents
    unconfirmedEvents.removeAll(keepingCapacity: true)
    planner.rewind(to: start)
    try beginSegment(ring: ring, at: start)
  }
}
