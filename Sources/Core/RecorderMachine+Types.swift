public import Media

/// What goes into the machine, what comes out of it, and what it can be.
extension RecorderMachine {
  /// What the signs show.
  public enum State: Hashable, Sendable {
    /// No keyframe is in memory yet, and a trigger is remembered; or it is not proven yet that what is triggered would be
    /// recorded, and a trigger is recorded at once.
    case starting(pending: Trigger?)
    /// The ring fills; a trigger would be honoured.
    case ready
    /// Accepted: the footage is safe in memory, not yet on the card.
    case saving(Recording)
    /// The footage reaches the card, at most 1.5 s late.
    case recording(Recording)
    /// Nothing became durable for too long, or the card refused it; the footage is still in memory. Returns by itself.
    case atRisk(Recording)
    /// Stopped by the user; goes on until the configured end.
    case postEvent(Recording)
    /// The last bytes and the last line are being written. A trigger is remembered.
    case closing(Recording, pending: Trigger?)
    /// Shown with its reason; returns when the reason goes. What waits for the card is then recorded.
    case cannotRecord(RecorderFault, waiting: Waiting?)
    /// The process ends; `isOpen` while a recording is still being closed. A trigger that was remembered until then is
    /// still honoured: its pre-event is saved before the process ends.
    case stopping(isOpen: Bool, pending: Trigger?)
  }

  /// What the machine knows of the recording that is open.
  public struct Recording: Hashable, Sendable {
    public var trigger: Trigger
    /// The newest trigger: the first one, or one that came while recording.
    public var latest: Trigger
    /// The first trigger that came behind an end, until the writer is known to have gone on beyond it.
    public var unheard: Trigger?
    /// Packets from here on do not belong to it; nil until it is stopped.
    public var end: MonotonicTime?
    /// End of the media that is durable on the card; nil before the first checkpoint.
    public var durableEnd: MonotonicTime?
    /// When the last checkpoint became durable; the trigger's decision before the first.
    public var lastDurable: MonotonicTime
    /// True once the lag was small enough for *recording* to be shown.
    public var hasCaughtUp = false
    /// A backlog is being written: that of the pre-event, or what is written again after a failure. Nil once the card has
    /// caught up: while it has not, the next checkpoint may come too late for what *recording* promises.
    public var backlog: Backlog?
  }

  /// What is captured meanwhile is behind it.
  public struct Backlog: Hashable, Sendable {
    /// Everything captured before was in memory when it began.
    public var since: MonotonicTime
    /// Footage from after that has been confirmed once, but late: what is behind it may be a backlog still, or the card slow.
    public var isConfirmed = false

    public init(since: MonotonicTime) { self.since = since }
  }

  /// A trigger whose footage is in memory because the card failed: it is recorded when the card takes writes again.
  public struct Waiting: Hashable, Sendable {
    public var trigger: Trigger
    /// It was being recorded when the card failed; else it came when nothing could be, and a stop takes it back.
    public var isAccepted = false
    /// What lies before is durable in the recording that the failure ended; nil: nothing of it is.
    public var from: MonotonicTime?
    /// As the recording's end.
    public var end: MonotonicTime?
  }

  public enum Event: Hashable, Sendable {
    /// A first keyframe is in memory and the store has been opened.
    case captureReady
    /// No track delivers any more; the store is fine.
    case captureLost
    case trigger(Trigger)
    /// A deliberate stop, and the time of its first edge.
    case stop(MonotonicTime)
    case mark(MonotonicTime)
    /// A checkpoint is durable: all media before `end`.
    case durable(end: MonotonicTime)
    /// A write or a flush of the open recording failed. What it held is written again from memory.
    case refused
    /// Time passed.
    case tick
    /// The writer has closed the recording; with a fault when it did so by itself.
    case closed(RecorderFault?)
    /// The store is unusable (fault) or usable again (nil) while nothing is recorded.
    case store(RecorderFault?)
    /// What is known of the whole path changed.
    case proof(Proof)
    /// What the battery holds is just enough to close a recording: the open one is closed, and none begins until it is not so
    /// any more.
    case battery(isCritical: Bool)
    /// The process is asked to end (SIGINT, SIGTERM).
    case terminate
  }

  /// What the runtime has to do, all of it, in the order of the fields.
  public struct Effects: Hashable, Sendable {
    /// Begin a recording for this trigger.
    public var open: Trigger?
    /// With `open`: everything before is durable in the recording before, so begin here and not at the pre-event.
    public var openFrom: MonotonicTime?
    /// Write down that a trigger came while recording.
    public var retrigger: Trigger?
    /// Write down a marker.
    public var mark: MonotonicTime?
    /// Tell the writer the recording's end: `.some(nil)` takes it away.
    public var end: MonotonicTime??
    /// What to tell whoever caused the event.
    public var answer = Answer.none
    /// Nothing is open any more: leave.
    public var exit = false

    public init() {}
  }

  /// Whether what is triggered would be recorded: *ready* is shown only when that is proven.
  public enum Proof: Hashable, Sendable {
    /// Nothing was tried so far.
    case none
    /// A trial was recorded and verified; or a recording became durable, and no trial had failed.
    case proven
    /// A trial did not succeed.
    case failed
  }

  public enum Answer: Hashable, Sendable {
    case none
    /// Heard, being saved.
    case accepted
    /// Will be honoured as soon as capture or the previous recording allows.
    case remembered
    /// A recording already runs; the trigger is noted in it and keeps it going.
    case continued
    case stopped
    /// Stopped as a false trigger: what was recorded is kept, and goes on no longer.
    case cancelled
    case marked
    case notRecording
    case refused(RecorderFault)
    case stopping
  }

  /// Limits that decide what is shown.
  public struct Limits: Hashable, Sendable {
    public var postEvent = Nanoseconds.zero
    /// *Recording* is shown only at or below this lag.
    public var recordingLag = Nanoseconds.milliseconds(1_500)
    /// Footage that is confirmed so soon after it was captured is no backlog: the next checkpoint comes in time.
    public var freshLag = Nanoseconds.milliseconds(550)
    /// *At risk* is shown when nothing became durable for this long.
    public var silence = Nanoseconds.seconds(2)
    /// A stop so soon after the only trigger says that it was a false one; zero: no stop says that.
    public var cancelWindow = Nanoseconds.zero

    public init(postEvent: Nanoseconds) { self.postEvent = postEvent }
  }
}
