import Synchronization
package import Core
package import Evidence
package import EvidenceStore
import LinuxIO
package import Media

/// What the control loop asks of the store thread.
package enum StoreCommand: Sendable {
  /// Something to write into the footage.
  case event(FootageEvent)
  /// Something to write into the journal; into the device log when nothing is recorded.
  case notice(JournalEvent)
  /// For the device log, when nothing is recorded. A fact of health that comes while something is goes into its journal.
  case audit(AuditEvent)
}

/// What the control loop wants of the store thread: the newest wish counts, and none can be lost in a full queue.
struct StoreWish: Sendable {
  struct End: Sendable {
    /// Nil takes the end away.
    var time: MonotonicTime?
    var reason: CloseReason
  }

  var open: OpenRequest?
  /// Moves the end of the open recording, or of the one that is asked for with it.
  var end: End?
  /// Record, verify and remove some seconds, if nothing is recorded.
  var trial: TrialRequest?
  /// Make durable what is in memory, now.
  var checkpointsAtOnce = false
  /// The supply is failing: checkpoints come as fast as the card takes them, until this is withdrawn.
  var isPowerFailing = false
  /// No recording will be opened any more: finish and leave.
  var leaves = false
}

/// Where the wishes are put, by the control loop, and taken, by the store thread.
package final class StoreWishes: Sendable {
  private let wish = Mutex(StoreWish())

  package init() {}

  package func open(_ request: OpenRequest) {
    wish.withLock { wish in
      wish.open = request
      // An end that was meant for the recording before is not this one's.
      wish.end = nil
    }
  }

  package func end(at time: MonotonicTime?, _ reason: CloseReason) {
    wish.withLock { $0.end = .init(time: time, reason: reason) }
  }

  package func tryOut(_ trial: TrialRequest) { wish.withLock { $0.trial = trial } }

  /// - Parameter isFailing: true also asks for a checkpoint at once.
  package func power(isFailing: Bool) {
    wish.withLock { wish in
      wish.isPowerFailing = isFailing
      wish.checkpointsAtOnce = wish.checkpointsAtOnce || isFailing
    }
  }

  package func leave() { wish.withLock { $0.leaves = true } }

  /// What was wished since the last time.
  func take() -> StoreWish {
    wish.withLock { wish in
      let taken = wish
      wish.open = nil
      wish.end = nil
      wish.trial = nil
      wish.checkpointsAtOnce = false
      return taken
    }
  }
}

/// A trigger that was taken up, with what the ring held for it at that moment. The ring's trigger pin is set.
package struct OpenRequest: Hashable, Sendable {
  var trigger: Trigger
  var start: PacketRing.StartPoint
  /// Why less than the pre-event asked is held; nil when all of it is.
  var shortfall: String?
  var preEventAsked: Nanoseconds
  /// Packets of sound before this time do not belong to the recording.
  var soundFrom: MonotonicTime
  /// The recording, ended by the card's failure, whose footage goes on here.
  var continues: String?

  package init(
    trigger: Trigger, start: PacketRing.StartPoint, shortfall: String?, preEventAsked: Nanoseconds,
    soundFrom: MonotonicTime, continues: String? = nil
  ) {
    self.trigger = trigger
    self.start = start
    self.shortfall = shortfall
    self.preEventAsked = preEventAsked
    self.soundFrom = soundFrom
    self.continues = continues
  }

  /// What OPEN says of it.
  var facts: StartFacts {
    StartFacts(
      trigger: TriggerFacts(trigger), preEventAsked: preEventAsked.inMilliseconds,
      preEventHeld: max(0, (trigger.time - start.time).inMilliseconds), shortfall: shortfall)
  }
}

extension Trigger {
  /// What the footage says of it.
  var message: String {
    "source=\(source.rawValue)" + (reason.map { "\nreason=\($0.rawValue)" } ?? "") + (detail.map { "\n\($0)" } ?? "")
  }
}

extension TriggerFacts {
  /// With its times on CLOCK_BOOTTIME, as all of the format's are.
  init(_ trigger: Trigger) {
    let edge = max(0, (trigger.time + trigger.asleep).nanoseconds)
    self.init(
      source: trigger.source.rawValue, reason: trigger.reason?.rawValue, edge: edge,
      decided: max(edge, (trigger.decided + trigger.asleep).nanoseconds))
  }
}

/// What the wearer or a radio did: travels inside the footage.
package struct FootageEvent: Hashable, Sendable {
  var time: MonotonicTime
  var value: String
  var message: String
}

/// What the store thread tells the control loop.
package enum StoreEvent: Sendable {
  /// The store is open, at the start or again after the card failed, and a recording may be asked for; with what was found
  /// on the card.
  case ready(fileSystem: String, RecoveryReport)
  /// The store cannot be opened; the thread has ended.
  case unusable(StoreError)
  /// The thread has ended, as it was told.
  case left
  /// Free bytes on the card, looked at after each checkpoint and every few seconds when idle.
  case space(freeBytes: Int64)
  case opened(id: String, counter: Int64)
  /// Everything of the recording before this time is durable.
  case durable(end: MonotonicTime, lag: Nanoseconds)
  /// A write or a flush of the open recording failed; what it held is being written again.
  case refused
  case closed(RecorderFault?)
  /// A trial is over, and nothing of it is left.
  case tried(TrialReport)
  /// The card answers flushes later than the loss bound allows for, or in time again.
  case slowCard(Bool)
  /// The store became unusable, or usable again, while nothing is recorded. After a failure `ready` comes before.
  case store(RecorderFault?)
}

/// Facts of this camera that every segment's init carries, and the plan's settings. Fixed for the process.
package struct RecordingProfile: Sendable {
  var video: VideoTrack?
  var audioChannels: Int?
  /// The Opus encoder's delay in samples.
  var audioLookahead: Int
  var cameraName: String
  var microphoneName: String
  /// How pictures become packets: the encoder, or what passes through.
  var pathName: String
  var plan: SegmentPlanner.Settings
  /// Bytes of the card that are kept free, so that a recording can always be closed.
  var reserveBytes: Int64

  package init(
    video: VideoTrack?, audioChannels: Int?, audioLookahead: Int, cameraName: String, microphoneName: String,
    pathName: String = "", plan: SegmentPlanner.Settings, reserveBytes: Int64
  ) {
    self.video = video
    self.audioChannels = audioChannels
    self.audioLookahead = audioLookahead
    self.cameraName = cameraName
    self.microphoneName = microphoneName
    self.pathName = pathName
    self.plan = plan
    self.reserveBytes = reserveBytes
  }

  var tracks: [TrackID] { (video == nil ? [] : [.video]) + (audioChannels == nil ? [] : [.audio]) }
}
