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
  /// Nil when the camera's own pictures pass through.
  let exchange: FrameExchange?
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
  let recordButton: GestureButton?
  /// The second one; nil: none is configured.
  let muteButton: GestureButton?
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
  var encodingLevel = EncodingLoad.Level.full
  var isStorageLow = false
  var hasBeenReady = false
  var hasToldLastRefusals = false
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
    recordButton = try GestureButton(
      .record, at: buttons.record, gestures: buttons.table?.gestures ?? [], buttons, log: log)
    muteButton = try GestureButton(.mute, at: buttons.second, gestures: [buttons.mute], buttons, log: log)
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
    let plan = devices.ringPlan(configuration)
    let group = devices.groupOfPictures(configuration)
    try Self.checkMemory(plan, configuration, devices)
    let demandNow: AudioDemand = configuration.recording.hasPreEventAudio ? .encode(from: .distantPast) : .remember
    demand = AudioDemandBox(demandNow)
    do throws(LinuxError) {
      let memory = try LockedMemory(byteCount: plan.arenaBytes, allowSwap: configuration.memory.allowsSwap)
      ring = try SharedRing(
        memory: memory, packetCapacity: plan.packetCapacity, otherTracksShare: plan.otherTracksShare,
        horizon: PacketRing.Horizon(
          preEvent: configuration.recording.preEvent, edgeToDecision: configuration.recording.edgeToDecision,
          gop: group))
      switch devices.path {
      case .encode:
        exchange = try FrameExchange(layout: devices.layout, allowSwap: configuration.memory.allowsSwap)
      case .passThrough:
        exchange = nil
        log.note(
          .note(
            "the ring of \(plan.arenaBytes >> 20) MiB holds the \(configuration.recording.preEvent.inMilliseconds / 1_000) s of "
              + "pre-event"))
      }
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
      video: devices.videoTrack(rotation: configuration.camera.rotation),
      audioChannels: hasSound ? devices.channels : nil, audioLookahead: devices.opusLookahead,
      cameraName: devices.cameraName, microphoneName: devices.microphoneName, pathName: devices.pathName,
      plan: SegmentPlanner.Settings(
        checkpointInterval: configuration.recording.checkpoint, segmentLength: configuration.recording.segment,
        videoInterval: devices.frameInterval, gop: group),
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
    let fitting = RingPlan.preEventThatFits(configuration, bytes: limit) { devices.ringPlan($0) }
    let lower =
      switch devices.path {
      case .encode: "lower video.peak_kbps or recording.stall_reserve_s."
      case .passThrough(let stream):
        "the camera's own pictures take \(stream.peakBitsPerSecond / 1_000) kbit/s: ask it for fewer or smaller ones, or lower "
          + "recording.stall_reserve_s."
      }
    throw RecorderError(
      .configuration,
      "the ring needs \(plan.arenaBytes >> 20) MiB and may take \(limit >> 20) MiB "
        + "(memory.arena_share_percent = \(configuration.memory.arenaSharePercent) % of what is available). "
        + (fitting.map { "recording.pre_event_s = \($0) would fit." }
          ?? "No pre-event fits: \(lower)"))
  }

  // MARK: - Running

  /// Runs until SIGINT, SIGTERM or a store that cannot be opened. Every recording is closed before it returns.
  ///
  /// - Parameter service: what the service manager wants to hear; nothing, unless it runs as a service.
  /// - Throws: what ended it other than a signal.
  public func run(service request: ServiceRequest = .init()) throws(RecorderError) {
    var service = ServiceReport(request, log: log)
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
      // Now a press counts, and the socket answers. Whether it can be recorded is the state's to say: a service that is not
      // up because of its card or its trial would be started anew for ever, and each time forget the press.
      service.isUp(captureTurns, now: .now())
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
        service.tell(
          shownState, isStopping: machine.state.sign == .stopping, captureTurns, now: .now())
      }
    } catch {
      failure = failure ?? RecorderError(error)
      // The time that a stop may take runs from here; the watchdog has nobody left who would feed it.
      service.stops()
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

  /// For the watchdog.
  private var captureTurns: CaptureTurns {
    CaptureTurns(
      camera: health.cameraTurns.load(ordering: .relaxed),
      encoder: exchange == nil ? nil : health.encoderTurns.load(ordering: .relaxed),
      microphone: devices.microphone == nil ? nil : health.microphoneTurns.load(ordering: .relaxed))
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
}
