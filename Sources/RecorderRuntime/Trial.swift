import Core
import Evidence
package import EvidenceStore
import LinuxIO
package import Media

/// What was asked to be tried out.
package struct TrialRequest: Hashable, Sendable {
  var number: Int
  /// False where sound may not be written without a trigger.
  var triesSound: Bool
  /// As for a recording; nothing of it was triggered.
  var open: OpenRequest

  package init(number: Int, triesSound: Bool = true, open: OpenRequest) {
    self.number = number
    self.triesSound = triesSound
    self.open = open
  }
}

/// What came of a trial.
package struct TrialReport: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    /// Recorded, closed, read back and verified.
    case passed
    /// A recording was asked for, which needs no trial; or the recorder ends.
    case interrupted
    /// The card or what is sealed for it.
    case failed(StoreError)
    /// No end came in time, because too little was captured.
    case unfinished
    /// What was written cannot be read back, or is not what was written; in words.
    case refuted(String)
  }

  package var number: Int
  package var outcome: Outcome
  package var frames = 0
  /// Packets of sound, 20 ms each.
  package var soundPackets = 0
  package var bytes: Int64 = 0
  package var media = Nanoseconds.zero
  /// From its begin to when it was durable; flushes and all.
  package var longestCheckpoint = Nanoseconds.zero
  /// A checkpoint took longer than the loss bound allows for.
  package var isSlow = false
  package var lostFrames: Int64 = 0
  package var lostSamples: Int64 = 0
}

/// Two seconds that go the way of a recording: ring, fragments, sealing, journal, flushes. On the store thread.
final class Trial {
  /// Of footage that is captured from its begin on.
  static let length = Nanoseconds.seconds(2)
  /// After that it is given up.
  static let patience = Nanoseconds.seconds(10)

  enum Progress: Hashable {
    case again
    case sleep(until: MonotonicTime, packet: MonotonicTime)
    /// CLOSE is durable.
    case closed
    case unfinished
  }

  let number: Int
  private let recording: OpenRecording
  private let deadline: MonotonicTime
  private var longestCheckpoint = Nanoseconds.zero
  private var isSlow = false

  init(_ request: TrialRequest, writer: consuming RecordingWriter, profile: RecordingProfile, now: MonotonicTime) {
    number = request.number
    var (profile, open) = (profile, request.open)
    if !request.triesSound { (profile.audioChannels, open.soundFrom) = (nil, .distantFuture) }
    recording = OpenRecording(writer: writer, request: open, profile: profile, now: now)
    recording.planner.setEnd(now + Self.length)
    deadline = now + Self.patience
  }

  var id: EvidenceID { recording.id }

  func begin(ring: SharedRing) throws(StoreError) {
    try recording.beginSegment(ring: ring, at: recording.request.start.time)
  }

  /// One piece of work; blocks as long as the card does.
  func step(now: () -> MonotonicTime, ring: SharedRing) throws(StoreError) -> Progress {
    let moment = now()
    if moment >= deadline { return .unfinished }
    let chunk = recording.planner.settings.chunkByteCount
    let room = chunk - Int(recording.writer.position % Int64(chunk))
    switch ring.withRing({ recording.planner.step(now: moment, ring: $0, room: room) }) {
    case .wait(let until, let packet): return .sleep(until: min(until, deadline), packet: packet)
    case .checkpoint: try confirm(endsSegment: false, now: now)
    case .fragment(let edge, let checkpoint, let after):
      try recording.writeFragment(before: edge, ring: ring)
      if checkpoint { try confirm(endsSegment: after != .nothing, now: now) }
      switch after {
      case .nothing: break
      case .nextSegment: try recording.beginSegment(ring: ring, at: edge)
      case .close:
        try recording.close(.stop)
        return .closed
      }
    }
    return .again
  }

  private func confirm(endsSegment: Bool, now: () -> MonotonicTime) throws(StoreError) {
    let started = now()
    let flushes: Int64 = recording.writer.isSegmentNamed ? 2 : 4
    try recording.checkpoint(startedAt: started, endsSegment: endsSegment, now: now)
    let taken = now() - started
    longestCheckpoint = max(longestCheckpoint, taken)
    isSlow = isSlow || taken > recording.planner.settings.slowestFlush * flushes
  }

  /// Wipes its keys. It may be removed from the card then.
  func abandon() { recording.writer.discard() }

  func report(_ outcome: TrialReport.Outcome) -> TrialReport {
    TrialReport(
      number: number, outcome: outcome, frames: recording.framesWritten, soundPackets: recording.soundPacketsWritten,
      bytes: recording.bytesWritten, media: recording.duration, longestCheckpoint: longestCheckpoint, isSlow: isSlow,
      lostFrames: recording.lostFrames, lostSamples: recording.lostSamples)
  }

  func note(_ loss: Loss) { recording.note(loss) }
}
