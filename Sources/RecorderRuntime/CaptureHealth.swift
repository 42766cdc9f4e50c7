import Core
import Evidence
package import LinuxIO
import Media
import Synchronization

/// Footage that was lost before it reached the ring, or that the ring refused: an interval, a count and a cause.
struct Loss: Hashable, Sendable {
  var track: TrackID
  /// From the time of the last good packet (or frame) to the time of the next.
  var from: MonotonicTime
  var to: MonotonicTime
  /// Frames of video, samples of sound.
  var count: Int64
  var cause: JournalEvent.GapCause

  /// Takes in a loss that goes on where this one ends, of the same cause; false when it is another.
  mutating func join(_ next: Loss) -> Bool {
    guard next.track == track, next.cause == cause, next.from == to else { return false }
    to = next.to
    count += next.count
    return true
  }

  /// Leaves out what lies before `start`: as large a part of the count as of the time.
  mutating func clip(from start: MonotonicTime) {
    guard from < start, to > start else { return }
    let share = Double((to - start).count) / Double((to - from).count)
    count = Int64((Double(count) * share).rounded())
    from = start
  }

  /// The same for what lies behind `end`.
  mutating func clip(to end: MonotonicTime) {
    guard to > end, from < end else { return }
    let share = Double((end - from).count) / Double((to - from).count)
    count = Int64((Double(count) * share).rounded())
    to = end
  }
}

/// What a device thread tells the control loop. Fixed size; nothing of it holds heap memory.
enum DeviceEvent: Sendable {
  /// The first keyframe of this track is in the ring; the store may be asked to record.
  case trackLive(TrackID)
  case deviceLost(TrackID, DeviceTrouble)
  case deviceBack(TrackID)
  /// The encoder gives up something to keep up, or takes it back.
  case encoding(EncodingLoad.Level)
}

/// Why a device does not deliver, for the log and the status; the long text goes to the log thread once.
enum DeviceTrouble: String, Sendable {
  case unplugged, stalled, busy, failed
}

/// Counters that every thread raises and the status reads. Relaxed: they decide nothing.
package final class CaptureHealth: Sendable {
  let framesCaptured = Atomic<Int>(0)
  let framesEncoded = Atomic<Int>(0)
  let framesLost = Atomic<Int>(0)
  let framesRefused = Atomic<Int>(0)
  let samplesCaptured = Atomic<Int>(0)
  let samplesLost = Atomic<Int>(0)
  /// How often each thread has gone around its loop: for the watchdog.
  let cameraTurns = Atomic<Int>(0)
  let encoderTurns = Atomic<Int>(0)
  let microphoneTurns = Atomic<Int>(0)
  let microphonePPMThousandths = Atomic<Int>(0)
  /// Set by whoever refused video for lack of room; the encoder makes the next picture a keyframe.
  let wantsKeyframe = Atomic<Bool>(false)
  /// Threads end when it is set.
  let isStopping = Atomic<Bool>(false)

  let losses: BoundedQueue<Loss>
  let events: BoundedQueue<DeviceEvent>

  package init() throws(LinuxError) {
    // Two minutes of an encoder that leaves out every second picture, while the card stands still.
    losses = try BoundedQueue(capacity: 2_048)
    events = try BoundedQueue(capacity: 64)
  }

  /// Counts and queues a loss; a full queue is itself counted there.
  func report(_ loss: Loss) {
    if loss.track == .video {
      framesLost.add(Int(loss.count), ordering: .relaxed)
    } else {
      samplesLost.add(Int(loss.count), ordering: .relaxed)
    }
    _ = losses.push(loss)
  }
}

/// Turns a run of refused packets of one track into losses: one when it ends, and one each second while it lasts.
struct RefusalRun {
  let track: TrackID
  private var from: MonotonicTime?
  private var count: Int64 = 0
  private var lastStored = MonotonicTime.distantPast
  private var lastRequest = MonotonicTime.distantPast

  init(track: TrackID) { self.track = track }

  mutating func note(_ outcome: PacketRing.AppendOutcome, header: PacketHeader, units: Int64, to health: CaptureHealth)
  {
    switch outcome {
    case .stored, .storedByShorteningPreEvent:
      flush(until: header.time, to: health)
      lastStored = header.time
    case .refused(let needsKeyframe):
      // One request a second: while the ring is full every picture would become a keyframe otherwise.
      if needsKeyframe, header.time - lastRequest > .seconds(1) {
        lastRequest = header.time
        health.wantsKeyframe.store(true, ordering: .relaxed)
      }
      if from == nil { from = lastStored == .distantPast ? header.time : lastStored }
      count += units
      if track == .video { health.framesRefused.add(1, ordering: .relaxed) }
      if let from, header.time - from > .seconds(1) { flush(until: header.time, to: health) }
    }
  }

  private mutating func flush(until time: MonotonicTime, to health: CaptureHealth) {
    guard let start = from, count > 0 else { return }
    health.report(Loss(track: track, from: start, to: time, count: count, cause: .ringFull))
    from = nil
    count = 0
    lastStored = time
  }
}
