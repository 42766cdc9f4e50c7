import Evidence
import Media

/// What a recording misses: each loss once, and of it what lies within the recording. Values in, values out.
///
/// Losses come from the threads that capture, some of them late: after the recording's end, or from before its start. What
/// no thread told, because its device did not come back, is told at the end from what was written.
struct LossAccount {
  /// The recording's first moment.
  let start: MonotonicTime
  private(set) var lostFrames: Int64 = 0
  private(set) var lostSamples: Int64 = 0
  /// Taken in, and not counted yet.
  private var waiting: [Loss] = []
  /// Counted, and in no journal yet.
  private(set) var untold: [Loss] = []
  /// Up to here everything that a track misses has been counted.
  private var videoUntil: MonotonicTime
  private var soundUntil: MonotonicTime

  init(start: MonotonicTime) {
    self.start = start
    videoUntil = start
    soundUntil = start
  }

  mutating func take(_ loss: Loss) {
    guard loss.to > start else { return }
    var loss = loss
    loss.clip(from: start)
    waiting.append(loss)
  }

  /// Counts what is known. What reaches beyond the end, as far as one is set, waits: the end may still move.
  mutating func count(before end: MonotonicTime?) {
    let isKnown = { (loss: Loss) in end.map { loss.to <= $0 } ?? true }
    for loss in waiting where isKnown(loss) { add(loss) }
    waiting.removeAll(where: isKnown)
  }

  /// Nothing comes behind `end` any more: what reaches beyond it is cut there.
  mutating func settle(at end: MonotonicTime) {
    for loss in waiting where loss.from < end {
      var loss = loss
      loss.clip(to: end)
      add(loss)
    }
    waiting.removeAll(keepingCapacity: true)
  }

  /// After `settle`: what a track misses between its last footage and the end, if it is at least `least`, and nobody has told.
  ///
  /// - Parameters:
  ///   - written: the time of the last picture, or the end of the last sound; nil: there is none.
  ///   - count: how many frames or samples are missing in a time.
  mutating func addTail(
    of track: TrackID, written: MonotonicTime?, at end: MonotonicTime, least: Nanoseconds, count: (Nanoseconds) -> Int64
  ) {
    let from = max(written ?? start, track == .video ? videoUntil : soundUntil)
    guard end > from, end - from >= least else { return }
    let missing = count(end - from)
    guard missing > 0 else { return }
    add(Loss(track: track, from: from, to: end, count: missing, cause: .deviceLost))
  }

  /// They are in the journal now.
  mutating func didTell() { untold.removeAll(keepingCapacity: true) }

  private mutating func add(_ loss: Loss) {
    if loss.track == .video {
      lostFrames += loss.count
      videoUntil = max(videoUntil, loss.to)
    } else {
      lostSamples += loss.count
      soundUntil = max(soundUntil, loss.to)
    }
    untold.append(loss)
  }
}
