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
/// `power` (asks the batteries), `log` (all text); the caller's is the control loop, which never touches the card.
public final class Recorder {
  let configuration: RecorderConfiguration
  let devices: OpenedDevices
  let health: CaptureHealth
  let log: EventLog
  let board = StatusBoard()
  let ring: SharedRing
  let exchange: FrameExchange
  let demand: AudioDemandBox
  let storeCommands: BoundedQueue<StoreCommand>
  let storeWishes = StoreWishes()
  let storeEvents: BoundedQueue<StoreEvent>
  let opening: StoreOpening
  let profile: RecordingProfile
  let signals: SignalDescriptor
  let startedWall = Clocks.wallMilliseconds()
  let started = MonotonicTime.now()
  let softwareVersion: String
  let startupText: StartupText

  /// Nil: none is configured.
  let recordButton: RecordButton?
  /// The second one; nil: none is configured.
  let muteButton: RecordButton?
  var mute: Mute
  let muteBox: MuteBox
  var mutedSpans: [MutedSpan] = []
  /// Nil: none is configured.
  let radio: RadioTrigger?
  let indicators: IndicatorPanel
  let power: PowerWatch
  /// The level that was written down last.
  var journalledLevel: PowerLevel?
  /// The first edge of the last gesture that was recognised.
  var lastGesture: MonotonicTime?
  /// The trigger that a recording was asked for, until the recording exists.
  var unopened: Trigger?
  /// What the next marker's message is.
  var markMessage = ""

  var machine: RecorderMachine
  var shownState = ""
  var shownSign = Sign.starting
  var pending: OpenRequest?
  var isStoreReady = false
  var isVideoLive = false
  var isAudioLive = false
  var recordingID: String?
  var recordingCounter: Int64 = 0
  var mediaStart: MonotonicTime?
  var lastLag: Nanoseconds?
  var freeBytes: Int64 = 0
  var fileSystem = ""
  /// What the start found on the card.
  var interrupted: [RecorderStatus.Interrupted] = []
  var cardWarnings: [String] = []
  var isCardSlow = false
  var isStorageLow = false
  var hasBeenReady = false
  /// The recording that the card's failure ended, until what waits in memory is recorded.
  var brokenOff: String?
  var hasRecorded = false
  /// A recording was asked for and has not been reported closed.
  var isOpenAsked = false
  var fps = RateMeter()
  var trials = Trials()
  var clockWatch = WallClockWatch()
  var nextClockLook = MonotonicTime.distantPast
  var clockState: ClockState?
  var terminations = 0
  var failure: RecorderError?
  var hasLeft = false

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
      signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP, SIGPWR])
      health = try CaptureHealth()
      log = try EventLog()
    } catch {
      throw RecorderError(error)
    }
    let buttons = configuration.buttons
    recordButton = try RecordButton(
      .record, at: buttons.record, gestures: buttons.table?.gestures ?? [], buttons, log: log)
    muteButton = try RecordButton(.mute, at: buttons.second, gestures: [buttons.mute], buttons, log: log)
    muteBox = MuteBox(offset: configuration.audio.offset)
    mute = Mute(
      .init(
        isAllowed: configuration.mute.isAllowed, longest: configuration.mute.longest,
        reminder: configuration.mute.reminder))
    radio = try RadioTrigger(configuration.radio, identityPath: configuration.identity.path, log: log)
    indicators = try IndicatorPanel(configuration, log: log)
    power = try PowerWatch(configuration.power, log: log)
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
      // Markers must find room behind minutes of whatever else comes while the card stands still.
      storeCommands = try BoundedQueue(capacity: 512)
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
        videoInterval: devices.frameInterval, gop: configuration.video.groupOfPictures),
      reserveBytes: Int64(configuration.store.reserveBytes))
    var limits = RecorderMachine.Limits(postEvent: configuration.recording.postEvent)
    limits.cancelWindow = configuration.recording.cancelWindow
    machine = RecorderMachine(limits: limits, needsProof: configuration.recording.checksAtStart)
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
      if let radio { try poller.add(radio.link.notices.ready.rawValue, token: Token.radio) }
      try startThreads(&threads)
      while !hasLeft {
        let count = try poller.wait(
          until: min(
            .now() + .milliseconds(100), recordButton?.deadline ?? .distantFuture,
            muteButton?.deadline ?? .distantFuture, indicators.deadline))
        var isButtonReadable = false
        var isMuteButtonReadable = false
        var isPowerReadable = false
        for index in 0..<count {
          let event = poller[index]
          switch event.token {
          case Token.signals: while let signal = try signals.next() { take(signal: signal) }
          case Token.store, Token.devices, Token.radio: break
          case Token.button: isButtonReadable = true
          case Token.muteButton: isMuteButtonReadable = true
          case Token.power: isPowerReadable = true
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
        takePower(&poller, isReadable: isPowerReadable)
        takeStoreEvents()
        takeDeviceEvents()
        takeButton(&poller, isReadable: isButtonReadable)
        takeMuteButton(&poller, isReadable: isMuteButtonReadable)
        takeRadio()
        lookAtClock()
        advanceTrials()
        handle(.tick)
        passMute()
        showSigns()
        server.sweep(now: .now()) { try? poller.remove($0) }
        publish()
      }
    } catch {
      failure = failure ?? RecorderError(error)
      closeWithoutLoop(threads)
    }
    indicators.goDark()
    health.isStopping.store(true, ordering: .relaxed)
    for thread in threads where thread.name != "log" { thread.join() }
    radio?.end()
    power.end()
    board.isLogDone.store(true, ordering: .relaxed)
    for thread in threads { thread.join() }
    if let failure { throw failure }
  }

  /// The loop failed: what is open is closed all the same, and the store thread is told to leave.
  private func closeWithoutLoop(_ threads: [NamedThread]) {
    // Nobody looks any more what is so.
    indicators.goDark()
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

  enum Token {
    static let signals: UInt64 = 1
    static let store: UInt64 = 2
    static let devices: UInt64 = 3
    static let listener: UInt64 = 4
    static let button: UInt64 = 5
    static let radio: UInt64 = 6
    static let muteButton: UInt64 = 7
    static let power: UInt64 = 8
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
    try power.start()
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
    try radio?.start(health: health)
    for thread in threads { if let error = thread.priorityError { log.note(.note("\(error)")) } }
  }

  private func startMicrophone(
    _ threads: inout [NamedThread], epoch: MonotonicTime, priority: Int
  ) throws(LinuxError) {
    guard let body = devices.microphone, let opus = devices.opus else { return }
    let (ring, health, log, demand, channels) = (ring, health, log, demand, devices.channels)
    let muteBox = muteBox
    let history = configuration.recording.edgeToDecision + .seconds(1)
    let offset = configuration.audio.offset
    threads.append(
      try NamedThread("microphone", stackSize: Self.stack, fifoPriority: priority) {
        guard let box = opus.take() else { return }
        switch body {
        case .synthetic:
          MicrophoneLoop(
            ring: ring, health: health, log: log, channels: channels, historySpan: history, demand: demand,
            stream: box.stream, reopen: nil, offset: offset, mute: muteBox
          ).run(SyntheticSound(microphone: SyntheticMicrophone(channels: channels), epoch: epoch))
        case .alsa(let handover, let request):
          guard let microphone = handover.take() else { return }
          MicrophoneLoop(
            ring: ring, health: health, log: log, channels: channels, historySpan: history, demand: demand,
            stream: box.stream,
            reopen: { () throws(MicrophoneError) in ALSASound(try ALSAMicrophone(request)) }, offset: offset,
            mute: muteBox
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
    if signal == SIGPWR { return hearPowerSignal() }
    terminations += 1
    log.note(.signal(signal))
    if terminations == 1 { handle(.terminate) }
    if terminations >= 3 {
      failure = RecorderError(
        .store, "given up before the recording was closed; it verifies up to its last checkpoint, as after a power cut")
      hasLeft = true
      // Nothing is recorded from here on, and a light that stays lit would say it is.
      indicators.goDark()
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
        // What the card was trusted with before proves nothing.
        if isStoreReady, configuration.recording.checksAtStart { handle(.proof(.none)) }
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
        noteWhatIsInEffect()
        announceReadiness()
      case .unusable(let error):
        failure = RecorderError(error)
        hasLeft = true
      case .left: hasLeft = true
      case .space(let free):
        freeBytes = free
        noteLowStorage()
      case .opened(let id, let counter):
        recordingID = id
        recordingCounter = counter
        unopened = nil
      case .durable(let end, let lag):
        lastLag = lag
        handle(.durable(end: end))
        releaseIfGoingOn(past: end)
      case .refused: handle(.refused)
      case .closed(let fault):
        if fault != nil { brokenOff = recordingID ?? brokenOff }
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
      case .tried(let report): take(report)
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
        trials.tryAgain(now: .now())
        announceReadiness()
      case .deviceLost(let track, _):
        if track == .video { isVideoLive = false } else { isAudioLive = false }
        if !isVideoLive, !isAudioLive || devices.microphone == nil { handle(.captureLost) }
        command(.notice(.deviceLost(track: track)))
      }
    }
  }

  func announceReadiness() {
    // The first time the picture is waited for; after that either track alone is worth recording.
    guard isStoreReady, isVideoLive || (hasBeenReady && isAudioLive) else { return }
    if !hasBeenReady { startupText.release() }
    hasBeenReady = true
    handle(.captureReady)
  }

  func handle(_ event: RecorderMachine.Event) { _ = perform(machine.handle(event, now: .now())) }

  func perform(_ effects: RecorderMachine.Effects) -> RecorderMachine.Answer {
    if let trigger = effects.open { open(trigger, from: effects.openFrom) }
    if let trigger = effects.retrigger {
      command(.event(FootageEvent(time: trigger.time, value: "trigger", message: trigger.message)))
    }
    if let mark = effects.mark { command(.event(FootageEvent(time: mark, value: "mark", message: markMessage))) }
    if let end = effects.end {
      if case .stopping = machine.state {
        storeWishes.end(at: end, .shutdown)
      } else {
        storeWishes.end(at: end, machine.isBatteryCritical ? .power : .stop)
      }
      ring.bell.signal()
    }
    // Before the store thread is told to leave: it writes what it has been told until then.
    forgetPendingIfDropped()
    if effects.exit {
      storeWishes.leave()
      ring.bell.signal()
    }
    let title = machine.state.title
    if title != shownState {
      shownState = title
      log.note(.state(machine.state))
      let sign = machine.state.sign
      if sign == .ready, shownSign == .starting || shownSign == .cannotRecord { command(.audit(.armed)) }
      tellChange(from: shownSign, to: sign)
      shownSign = sign
      showSigns()
      if case .recording = machine.state, !hasRecorded {
        // What reading keys, recovery and opening files needed is not needed while it goes on.
        hasRecorded = true
        startupText.release()
      }
    }
    return effects.answer
  }

  func command(_ command: StoreCommand) {
    if !storeCommands.push(command) {
      log.note(.note("a marker or event was dropped: the store thread has been waiting for the card for long"))
    }
    ring.bell.signal()
  }
}
