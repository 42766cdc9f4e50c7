public import Configuration
import Control
import Core
import Encoding
public import Evidence
public import EvidenceStore
import Glibc
public import LinuxIO
import Media
import Microphone
import Synchronization
import Synthetic

/// The recorder: opens the devices, starts its threads and runs the control loop on the calling thread until it is asked
/// to end.
///
/// Threads: `camera`, `encoder`, `microphone` (capture, never waiting for anything below), `store` (all card I/O),
/// `log` (all text); the caller's is the control loop, which never touches the card.
public final class Recorder {
  private let configuration: RecorderConfiguration
  private let devices: OpenedDevices
  private let health: CaptureHealth
  private let log: EventLog
  private let board = StatusBoard()
  private let ring: SharedRing
  private let exchange: FrameExchange
  private let demand: AudioDemandBox
  private let storeCommands: BoundedQueue<StoreCommand>
  private let storeWishes = StoreWishes()
  private let storeEvents: BoundedQueue<StoreEvent>
  private let opening: StoreOpening
  private let profile: RecordingProfile
  private let signals: SignalDescriptor
  private let startedWall = Clocks.wallMilliseconds()
  private let started = MonotonicTime.now()
  private let softwareVersion: String
  private let startupText: StartupText

  private var machine: RecorderMachine
  private var shownState = ""
  private var pending: OpenRequest?
  private var isStoreReady = false
  private var isVideoLive = false
  private var isAudioLive = false
  private var recordingID: String?
  private var recordingCounter: Int64 = 0
  private var mediaStart: MonotonicTime?
  private var lastLag: Nanoseconds?
  private var freeBytes: Int64 = 0
  private var fileSystem = ""
  /// What the start found on the card.
  private var interrupted: [RecorderStatus.Interrupted] = []
  private var cardWarnings: [String] = []
  private var isCardSlow = false
  private var hasBeenReady = false
  /// The recording that the card's failure ended, until what waits in memory is recorded.
  private var brokenOff: String?
  private var hasRecorded = false
  /// A recording was asked for and has not been reported closed.
  private var isOpenAsked = false
  private var fps = RateMeter()
  private var terminations = 0
  private var failure: RecorderError?
  private var hasLeft = false

  /// Opens every device and allocates everything that is needed later. Nothing is captured yet.
  ///
  /// - Parameters:
  ///   - parties: keys and notes, from `CameraIdentity.load`.
  ///   - startupText: what the program had mapped when it began.
  public init(
    configuration: RecorderConfiguration, parties: RecordingParties, softwareVersion: String, softwareHash: Hash32,
    configurationHash: Hash32, startupText: StartupText
  ) throws(RecorderError) {
    // Before any device is touched: a busy camera would be named instead of the recorder that has it.
    if let process = UnixListener.process(listeningOn: configuration.control.socket) {
      throw RecorderError(
        .store,
        "a recorder is running already (process \(process)) and answers on \(configuration.control.socket). Stop it first, "
          + "or give this one another store and another control.socket.")
    }
    self.configuration = configuration
    self.softwareVersion = softwareVersion
    self.startupText = startupText
    do throws(LinuxError) {
      // Each thread of glibc's malloc keeps an arena of its own; two are enough, and the heap's top is not given back
      // and taken again for every sealed chunk.
      Process.limitMallocArenas(to: 2)
      Process.setMallocTrimThreshold(1 << 20)
      signals = try SignalDescriptor()
      health = try CaptureHealth()
      log = try EventLog()
    } catch {
      throw RecorderError(error)
    }
    devices = try OpenedDevices.open(configuration, log: log)
    let hasSound = devices.microphone != nil
    let plan = RingPlan(
      configuration, encoder: devices.encoderSettings, kind: devices.encoderKind, hasSound: hasSound)
    try Self.checkMemory(plan, configuration, devices)
    let demandNow: AudioDemand = configuration.recording.hasPreEventAudio ? .encode(from: .distantPast) : .remember
    demand = AudioDemandBox(demandNow)
    do throws(LinuxError) {
      let memory = try LockedMemory(byteCount: plan.arenaBytes, allowSwap: configuration.memory.allowsSwap)
      ring = try SharedRing(
        memory: memory, packetCapacity: plan.packetCapacity, otherTracksShare: plan.otherTracksShare,
        horizon: PacketRing.Horizon(
          preEvent: configuration.recording.preEvent, edgeToDecision: configuration.recording.edgeToDecision,
          gop: configuration.video.groupOfPictures))
      exchange = try FrameExchange(layout: devices.layout, allowSwap: configuration.memory.allowsSwap)
      storeCommands = try BoundedQueue(capacity: 64)
      storeEvents = try BoundedQueue(capacity: 256)
    } catch {
      throw RecorderError(error)
    }
    opening = StoreOpening(
      path: configuration.store.path, identityPath: configuration.identity.path, parties: parties,
      facts: ProcessFacts(
        camera: devices.cameraKind, microphone: devices.microphoneKind, softwareVersion: softwareVersion,
        softwareHash: softwareHash, configurationHash: configurationHash),
      isLabStore: configuration.store.isLabStore, allowSwap: configuration.memory.allowsSwap)
    profile = RecordingProfile(
      video: VideoTrack(
        width: devices.layout.width, height: devices.layout.height, parameterSets: devices.parameterSets),
      audioChannels: hasSound ? devices.channels : nil, audioLookahead: devices.opusLookahead,
      cameraName: devices.cameraName, microphoneName: devices.microphoneName,
      plan: SegmentPlanner.Settings(
        checkpointInterval: configuration.recording.checkpoint, segmentLength: configuration.recording.segment,
        videoInterval: devices.frameInterval), reserveBytes: Int64(configuration.store.reserveBytes))
    machine = RecorderMachine(limits: .init(postEvent: configuration.recording.postEvent))
  }

  /// Keeps keys and footage of this process out of core dumps and of swap: they pass through heap and stacks, too. Call it
  /// before the first key is read.
  /// - Throws: when memory cannot be locked and `allowsSwap` is false.
  public static func protectMemory(allowsSwap: Bool) throws(RecorderError) {
    do throws(LinuxError) {
      try Process.disableCoreDumps()
      do throws(LinuxError) { try Process.lockMemory() } catch {
        guard allowsSwap else { throw error }
      }
    } catch {
      throw RecorderError(error)
    }
  }

  private static func checkMemory(
    _ plan: RingPlan, _ configuration: RecorderConfiguration, _ devices: OpenedDevices
  ) throws(RecorderError) {
    let available: Int
    do throws(LinuxError) { available = try memAvailable() } catch { throw RecorderError(error) }
    let limit = available / 100 * configuration.memory.arenaSharePercent
    guard plan.arenaBytes > limit else { return }
    let fitting = RingPlan.preEventThatFits(
      configuration, bytes: limit, encoder: devices.encoderSettings, kind: devices.encoderKind,
      hasSound: devices.microphone != nil)
    throw RecorderError(
      .configuration,
      "the ring needs \(plan.arenaBytes >> 20) MiB and may take \(limit >> 20) MiB "
        + "(memory.arena_share_percent = \(configuration.memory.arenaSharePercent) % of what is available). "
        + (fitting.map { "recording.pre_event_s = \($0) would fit." }
          ?? "No pre-event fits: lower video.peak_kbps or recording.stall_reserve_s."))
  }

  // MARK: - Running

  /// Runs until SIGINT, SIGTERM or a store that cannot be opened. Every recording is closed before it returns.
  ///
  /// - Throws: what ended it other than a signal.
  public func run() throws(RecorderError) {
    var threads: [NamedThread] = []
    do throws(LinuxError) {
      var server = try ControlServer(path: configuration.control.socket, group: configuration.control.group)
      var poller = try Poller(capacity: 16)
      try poller.add(signals.rawValue, token: Token.signals)
      try poller.add(storeEvents.ready.rawValue, token: Token.store)
      try poller.add(health.events.ready.rawValue, token: Token.devices)
      try poller.add(server.rawValue, token: Token.listener)
      try startThreads(&threads)
      while !hasLeft {
        let count = try poller.wait(until: .now() + .milliseconds(100))
        for index in 0..<count {
          let event = poller[index]
          switch event.token {
          case Token.signals: while let signal = try signals.next() { take(signal: signal) }
          case Token.store, Token.devices: break
          case Token.listener:
            do throws(LinuxError) {
              for descriptor in try server.acceptAll(now: .now()) {
                try poller.add(descriptor, token: Token.client + UInt64(descriptor))
              }
            } catch {
              // Out of descriptors, most likely: recording goes on without this client.
              log.note(.controlTrouble(error))
              MonotonicTime.sleep(until: .now() + .milliseconds(50))
            }
          default:
            server.serve(CInt(event.token - Token.client), now: .now()) { answer($0) }
          }
        }
        takeStoreEvents()
        takeDeviceEvents()
        handle(.tick)
        server.sweep(now: .now()) { try? poller.remove($0) }
        publish()
      }
    } catch {
      failure = failure ?? RecorderError(error)
      closeWithoutLoop(threads)
    }
    health.isStopping.store(true, ordering: .relaxed)
    for thread in threads where thread.name != "log" { thread.join() }
    board.isLogDone.store(true, ordering: .relaxed)
    for thread in threads { thread.join() }
    if let failure { throw failure }
  }

  /// The loop failed: what is open is closed all the same, and the store thread is told to leave.
  private func closeWithoutLoop(_ threads: [NamedThread]) {
    storeWishes.end(at: .now(), .error)
    storeWishes.leave()
    ring.bell.signal()
    guard threads.contains(where: { $0.name == "store" }) else { return }
    while !hasLeft {
      storeEvents.ready.wait(until: .now() + .milliseconds(500))
      takeStoreEvents()
      if let signal = try? signals.next() { take(signal: signal) }
    }
  }

  private enum Token {
    static let signals: UInt64 = 1
    static let store: UInt64 = 2
    static let devices: UInt64 = 3
    static let listener: UInt64 = 4
    static let client: UInt64 = 1 << 32
  }

  private func startThreads(_ threads: inout [NamedThread]) throws(LinuxError) {
    let (log, board, health, ring, exchange) = (log, board, health, ring, exchange)
    let logLoop = LogLoop(
      log: log, board: board, level: Self.level(configuration.log.level),
      showsStatusLine: standardError.isTerminal)
    threads.append(try NamedThread("log") { logLoop.run() })
    let (opening, profile, commands, wishes, events) = (opening, profile, storeCommands, storeWishes, storeEvents)
    threads.append(
      try NamedThread("store", stackSize: Self.stack) {
        runStore(
          opening, ring: ring, profile: profile, commands: commands, wishes: wishes, events: events, health: health,
          log: log)
      })
    // One epoch for both synthetic sources: their flash and beep then share a clock.
    let epoch = MonotonicTime.now() + .milliseconds(100)
    let encoderLoop = EncoderLoop(
      exchange: exchange, ring: ring, health: health, settings: devices.encoderSettings, kind: devices.encoderKind,
      log: log)
    let encoder = devices.encoder
    threads.append(
      try NamedThread("encoder", stackSize: Self.stack) {
        if let box = encoder.take() { encoderLoop.run(box.encoder) }
      })
    let priority = configuration.realtime.priority
    try startMicrophone(&threads, epoch: epoch, priority: priority)
    let cameraLoop = CameraLoop(exchange: exchange, health: health, log: log, frameInterval: devices.frameInterval)
    switch devices.camera {
    case .synthetic(let camera):
      threads.append(
        try NamedThread("camera", stackSize: Self.stack, fifoPriority: priority) {
          cameraLoop.runSynthetic(camera, epoch: epoch)
        })
    case .v4l2(let handover, let request):
      threads.append(
        try NamedThread("camera", stackSize: Self.stack, fifoPriority: priority) {
          if let camera = handover.take() { cameraLoop.runV4L2(camera, request: request) }
        })
    }
    for thread in threads { if let error = thread.priorityError { log.note(.note("\(error)")) } }
  }

  private func startMicrophone(
    _ threads: inout [NamedThread], epoch: MonotonicTime, priority: Int
  ) throws(LinuxError) {
    guard let body = devices.microphone, let opus = devices.opus else { return }
    let (ring, health, log, demand, channels) = (ring, health, log, demand, devices.channels)
    let history = configuration.recording.edgeToDecision + .seconds(1)
    let offset = configuration.audio.offset
    threads.append(
      try NamedThread("microphone", stackSize: Self.stack, fifoPriority: priority) {
        guard let box = opus.take() else { return }
        switch body {
        case .synthetic:
          MicrophoneLoop(
            ring: ring, health: health, log: log, channels: channels, historySpan: history, demand: demand,
            stream: box.stream, reopen: nil, offset: offset
          ).run(SyntheticSound(microphone: SyntheticMicrophone(channels: channels), epoch: epoch))
        case .alsa(let handover, let request):
          guard let microphone = handover.take() else { return }
          MicrophoneLoop(
            ring: ring, health: health, log: log, channels: channels, historySpan: history, demand: demand,
            stream: box.stream,
            reopen: { () throws(MicrophoneError) in ALSASound(try ALSAMicrophone(request)) }, offset: offset
          ).run(ALSASound(microphone))
        }
      })
  }

  /// libx264 keeps large frames on the stack in its calling thread; debug builds of ours do too.
  private static let stack = 1 << 20

  private static func level(_ level: RecorderConfiguration.Log.Level) -> LogEvent.Level {
    switch level {
    case .trace, .debug: .debug
    case .info: .info
    case .notice: .notice
    case .warning: .warning
    case .error, .critical: .error
    }
  }

  // MARK: - Events

  private func take(signal: CInt) {
    terminations += 1
    log.note(.signal(signal))
    if terminations == 1 { handle(.terminate) }
    if terminations >= 3 {
      failure = RecorderError(
        .store, "given up before the recording was closed; it verifies up to its last checkpoint, as after a power cut")
      hasLeft = true
      // The store thread may be stuck in the card: leave without waiting for it.
      standardError.writeLine("lapel: given up; the open recording ends at its last checkpoint")
      _exit(RecorderError.Kind.store.rawValue)
    }
  }

  private func takeStoreEvents() {
    storeEvents.ready.drain()
    while let event = storeEvents.pop() {
      switch event {
      case .ready(let fileSystem, let recovery):
        isStoreReady = true
        // The newest, and the first; all of them are in the log.
        interrupted += recovery.interrupted.map {
          .init(
            id: $0.id.description, counter: $0.counter, segments: $0.segments,
            attestedMilliseconds: $0.mediaTime / 1_000, words: $0.words)
        }
        interrupted = interrupted.suffix(50)
        cardWarnings = Array(recovery.warnings.prefix(50))
        self.fileSystem = fileSystem
        announceReadiness()
      case .unusable(let error):
        failure = RecorderError(error)
        hasLeft = true
      case .left: hasLeft = true
      case .space(let free): freeBytes = free
      case .opened(let id, let counter):
        recordingID = id
        recordingCounter = counter
      case .durable(let end, let lag):
        lastLag = lag
        handle(.durable(end: end))
        releaseIfGoingOn(past: end)
      case .refused: handle(.refused)
      case .closed(let fault):
        brokenOff = recordingID ?? brokenOff
        recordingID = nil
        mediaStart = nil
        lastLag = nil
        isOpenAsked = false
        handle(.closed(fault))
        if !isOpenAsked, machine.pendingTrigger == nil {
          ring.withRing { $0.unpin(.trigger) }
          brokenOff = nil
          releaseSound()
        }
      case .slowCard(let isSlow): isCardSlow = isSlow
      case .store(let fault): handle(.store(fault))
      }
    }
  }

  private func takeDeviceEvents() {
    health.events.ready.drain()
    while let event = health.events.pop() {
      switch event {
      case .trackLive(let track):
        if track == .video { isVideoLive = true } else { isAudioLive = true }
        announceReadiness()
      case .deviceBack(let track):
        if track == .video { isVideoLive = true } else { isAudioLive = true }
        command(.notice(.deviceFound(track: track)))
        announceReadiness()
      case .deviceLost(let track, _):
        if track == .video { isVideoLive = false } else { isAudioLive = false }
        if !isVideoLive, !isAudioLive || devices.microphone == nil { handle(.captureLost) }
        command(.notice(.deviceLost(track: track)))
      }
    }
  }

  private func announceReadiness() {
    // The first time the picture is waited for; after that either track alone is worth recording.
    guard isStoreReady, isVideoLive || (hasBeenReady && isAudioLive) else { return }
    if !hasBeenReady { startupText.release() }
    hasBeenReady = true
    handle(.captureReady)
  }

  private func handle(_ event: RecorderMachine.Event) { _ = perform(machine.handle(event, now: .now())) }

  private func perform(_ effects: RecorderMachine.Effects) -> RecorderMachine.Answer {
    if let trigger = effects.open { open(trigger, from: effects.openFrom) }
    if let trigger = effects.retrigger {
      command(
        .event(FootageEvent(time: trigger.time, value: "trigger", message: "source=\(trigger.source.rawValue)")))
    }
    if let mark = effects.mark { command(.event(FootageEvent(time: mark, value: "mark", message: markLabel))) }
    if let end = effects.end {
      if case .stopping = machine.state {
        storeWishes.end(at: end, .shutdown)
      } else {
        storeWishes.end(at: end, .stop)
      }
      ring.bell.signal()
    }
    if effects.exit {
      storeWishes.leave()
      ring.bell.signal()
    }
    forgetPendingIfDropped()
    let title = machine.state.title
    if title != shownState {
      shownState = title
      log.note(.state(machine.state))
      if case .recording = machine.state, !hasRecorded {
        // What reading keys, recovery and opening files needed is not needed while it goes on.
        hasRecorded = true
        startupText.release()
      }
    }
    return effects.answer
  }

  private func command(_ command: StoreCommand) {
    if !storeCommands.push(command) {
      log.note(.note("a marker or event was dropped: the store thread has been waiting for the card for long"))
    }
    ring.bell.signal()
  }

  // MARK: - Triggers

  private var markLabel = ""

  /// Looks what the ring holds for a trigger and pins it, before anything else can let it go.
  private func request(for trigger: Trigger) -> OpenRequest {
    let asked = configuration.recording.preEvent
    let (start, isShortened) = ring.withRing { ring in
      let start = ring.startPoint(at: trigger.time - asked)
      ring.pin(.trigger, from: start.time)
      return (start, ring.takeShortened())
    }
    var shortfall: String?
    if start.time > trigger.time - asked {
      shortfall =
        isShortened ? "bytes" : MonotonicTime.now() - started < asked + .seconds(5) ? "just_started" : "device_lost"
    }
    if !configuration.recording.hasPreEventAudio, case .remember = demand.value {
      // At once, not when the store is open: raw sound is remembered for a few seconds only.
      demand.value = .encode(from: trigger.time)
    }
    return OpenRequest(
      trigger: trigger, start: start, shortfall: shortfall, preEventAsked: asked,
      soundFrom: configuration.recording.hasPreEventAudio ? .distantPast : trigger.time)
  }

  /// - Parameter from: the recording goes on with the footage of one that the card's failure ended.
  private func open(_ trigger: Trigger, from: MonotonicTime?) {
    // A remembered trigger's footage is pinned since it came; what the ring holds for it is looked up now, because the
    // first keyframe may have come since.
    var prepared = request(for: trigger)
    if let pending, pending.trigger == trigger, prepared.shortfall != nil {
      prepared.shortfall = pending.shortfall ?? prepared.shortfall
    }
    if let from {
      prepared.start = ring.withRing { $0.startPoint(at: from) }
      prepared.shortfall = "continued"
      prepared.continues = brokenOff
    }
    pending = nil
    brokenOff = nil
    mediaStart = prepared.start.time
    isOpenAsked = true
    storeWishes.open(prepared)
    ring.bell.signal()
  }

  /// A trigger that waited and will not be honoured any more holds nothing in memory, and is not dropped in silence.
  private func forgetPendingIfDropped() {
    guard pending != nil || brokenOff != nil, machine.pendingTrigger == nil, machine.recording == nil, !isOpenAsked
    else { return }
    pending = nil
    brokenOff = nil
    ring.withRing { $0.unpin(.trigger) }
    releaseSound()
    switch machine.state {
    case .cannotRecord(let fault, _):
      log.note(.note("the remembered trigger cannot be honoured: \(Self.words(fault))"))
    case .stopping:
      log.note(.note("the recorder ends while the card fails: what waited in memory for it is lost"))
    case .starting, .ready, .saving, .recording, .atRisk, .postEvent, .closing: break
    }
  }

  /// The open recording went on beyond the trigger that came behind its end: nothing need be kept for another one.
  private func releaseIfGoingOn(past end: MonotonicTime) {
    guard let waiting = pending, machine.pendingTrigger == nil, machine.recording?.unheard == nil,
      end > waiting.trigger.decided
    else { return }
    pending = nil
    ring.withRing { $0.unpin(.trigger) }
  }

  private func releaseSound() {
    if !configuration.recording.hasPreEventAudio { demand.value = .remember }
  }

  private func trigger(source: Trigger.Source, edgeAge: Nanoseconds) -> RecorderMachine.Answer {
    let now = MonotonicTime.now()
    let trigger = Trigger(source: source, time: now - edgeAge, decided: now)
    let wasEnding = machine.recording?.end != nil
    let answer = perform(machine.handle(.trigger(trigger), now: now))
    switch answer {
    case .remembered: if pending == nil { pending = request(for: trigger) }
    // The writer may have closed before it hears of this: what comes before the press is kept until it goes on beyond it.
    case .continued: if wasEnding, pending == nil { pending = request(for: trigger) }
    case .none, .accepted, .stopped, .marked, .notRecording, .refused, .stopping: break
    }
    return answer
  }

  // MARK: - Socket

  private func answer(_ request: ControlRequest) -> ControlReply {
    let now = MonotonicTime.now()
    switch request {
    case .start(let edgeAge, let source):
      let limit = configuration.recording.edgeToDecision
      guard edgeAge <= limit else {
        return .failure(
          .badRequest,
          "the edge may be at most \(limit.inMilliseconds) ms old (recording.edge_to_decision_s), not "
            + "\(edgeAge.inMilliseconds) ms")
      }
      let known = source.flatMap { Trigger.Source(rawValue: $0) }
      guard source == nil || known != nil else {
        return .failure(
          .badRequest, "source must be one of \(Trigger.Source.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return reply(trigger(source: known ?? .socket, edgeAge: edgeAge))
    case .stop:
      let answer = perform(machine.handle(.stop(now), now: now))
      if answer == .stopped { command(.event(FootageEvent(time: now, value: "stop", message: "source=socket"))) }
      return reply(answer)
    case .mark(let label):
      markLabel = label.map { "label=\($0)" } ?? ""
      return reply(perform(machine.handle(.mark(now), now: now)))
    case .status(let format):
      let status = status()
      switch format {
      case .text: return .success("", body: status.textLines)
      case .json: return .success("", body: [status.json])
      }
    }
  }

  private func reply(_ answer: RecorderMachine.Answer) -> ControlReply {
    switch answer {
    case .none: .success()
    case .accepted: .success("heard: the footage is being saved")
    case .remembered: .success("remembered: recording begins as soon as it can")
    case .continued: .success("already recording: the trigger is noted and keeps it going")
    case .stopped:
      configuration.recording.postEvent > .zero
        ? .success("stopping after \(configuration.recording.postEvent.inMilliseconds) ms of post-event")
        : .success("stopping: the recording is being closed")
    case .marked: .success("marked")
    case .notRecording: .failure(.notRecording, "nothing is being recorded")
    case .refused(let fault): .failure(.cannotRecord, Self.words(fault))
    case .stopping: .failure(.stopping, "the recorder is ending")
    }
  }

  private static func words(_ fault: RecorderFault) -> String {
    switch fault {
    case .noCapture: "neither camera nor microphone delivers; see the log"
    case .storeFull: "the card is full: offload recordings or free space on it"
    case .storeFailed: "the card cannot be written; see the log"
    }
  }

  // MARK: - Status

  private func publish() {
    // Packets push out what is too old; without any, it must not stay in memory for that.
    ring.withRing { $0.evict(now: .now()) }
    fps.note(health.framesEncoded.load(ordering: .relaxed), at: .now())
    board.status = status()
  }

  private func status() -> RecorderStatus {
    let now = MonotonicTime.now()
    var status = RecorderStatus(
      state: machine.state.shown, startedWallMilliseconds: startedWall,
      uptimeMilliseconds: (now - started).inMilliseconds,
      version: softwareVersion, formatVersion: 1)
    if case .cannotRecord(let fault, let waiting) = machine.state {
      status.reason =
        Self.words(fault)
        + (waiting == nil ? "" : "; what was triggered waits in memory and is saved when it can be")
    }
    if let recordingID, let mediaStart {
      let end = machine.recording?.end.map { min($0, now) } ?? now
      status.recording = .init(
        id: recordingID, counter: recordingCounter, milliseconds: (end - mediaStart).inMilliseconds)
    }
    let (held, used, capacity) = ring.withRing { ($0.heldSpan, $0.usedBytes, $0.capacity) }
    status.ring = .init(
      heldMilliseconds: min(held, configuration.recording.preEvent).inMilliseconds,
      askedMilliseconds: configuration.recording.preEvent.inMilliseconds, usedBytes: Int64(used),
      capacityBytes: Int64(capacity))
    status.video = .init(
      source: devices.cameraName, encoder: devices.encoderKind.rawValue, millihertz: fps.millihertz,
      framesCaptured: Int64(health.framesCaptured.load(ordering: .relaxed)),
      framesDropped: Int64(health.framesLost.load(ordering: .relaxed)),
      framesRefused: Int64(health.framesRefused.load(ordering: .relaxed)), queued: exchange.backlog,
      queueCapacity: FrameExchange.slotCount)
    if devices.microphone != nil {
      status.audio = .init(
        source: devices.microphoneName, samplesLost: Int64(health.samplesLost.load(ordering: .relaxed)))
    }
    // The card's minutes at the bitrate that the ring shows now.
    let bytesPerMinute = held > .seconds(2) ? Double(used) / held.inSeconds * 60 : 0
    let usable = freeBytes - Int64(configuration.store.reserveBytes)
    status.store = .init(
      path: configuration.store.path, fileSystem: fileSystem, freeBytes: freeBytes,
      minutesLeft: bytesPerMinute > 0 ? Int(Double(max(0, usable)) / bytesPerMinute) : nil)
    status.interrupted = interrupted
    status.warnings += cardWarnings
    status.lagMilliseconds = lastLag?.inMilliseconds
    if let recording = machine.recording, recording.durableEnd != nil {
      status.checkpointAgeMilliseconds = (now - recording.lastDurable).inMilliseconds
    }
    if isCardSlow { status.warnings.append("the card is slow: a power cut may cost more than the last second") }
    if !isVideoLive, isStoreReady, now - started > .seconds(5) { status.warnings.append("the camera does not deliver") }
    if devices.microphone != nil, !isAudioLive, now - started > .seconds(5) {
      status.warnings.append("the microphone does not deliver")
    }
    return status
  }
}

/// Frames a second over the last two seconds.
struct RateMeter {
  private var samples: [(time: MonotonicTime, count: Int)] = []

  mutating func note(_ count: Int, at time: MonotonicTime) {
    if let last = samples.last, time - last.time < .milliseconds(200) { return }
    samples.append((time, count))
    if samples.count > 11 { samples.removeFirst() }
  }

  var millihertz: Int64? {
    guard let first = samples.first, let last = samples.last, last.time - first.time > .milliseconds(500) else {
      return nil
    }
    return Int64((Double(last.count - first.count) / (last.time - first.time).inSeconds * 1_000).rounded())
  }
}

extension RecorderMachine.State {
  var shown: RecorderStatus.State {
    switch self {
    case .starting: .starting
    case .ready: .ready
    case .saving: .saving
    case .recording: .recording
    case .atRisk: .atRisk
    case .postEvent: .postEvent
    case .closing: .closing
    case .cannotRecord: .cannotRecord
    case .stopping: .stopping
    }
  }
}
