import Configuration
import Core
import Encoding
import LinuxIO
import Media
import Microphone
import Synthetic

extension Recorder {
  func startThreads(_ threads: inout [NamedThread]) throws(LinuxError) {
    let (log, board, health, ring) = (log, board, health, ring)
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
    try power.start()
    let priority = configuration.realtime.priority
    try startMicrophone(&threads, epoch: epoch, priority: priority)
    try startVideo(&threads, epoch: epoch, priority: priority)
    try radio?.start(health: health)
    for thread in threads { if let error = thread.priorityError { log.note(.note("\(error)")) } }
  }

  private func startVideo(
    _ threads: inout [NamedThread], epoch: MonotonicTime, priority: Int
  ) throws(LinuxError) {
    let (ring, health, log, camera) = (ring, health, log, devices.camera)
    switch devices.path {
    case .encode(let encoder, let settings, let kind, _):
      guard let exchange else { return }
      let encoderLoop = EncoderLoop(
        exchange: exchange, ring: ring, health: health, settings: settings, kind: kind, log: log)
      threads.append(
        try NamedThread("encoder", stackSize: Self.stack) {
          if let box = encoder.take() { encoderLoop.run(box.encoder) }
        })
      let cameraLoop = CameraLoop(exchange: exchange, health: health, log: log, frameInterval: devices.frameInterval)
      threads.append(
        try NamedThread("camera", stackSize: Self.stack, fifoPriority: priority) {
          switch camera {
          case .synthetic(let camera): cameraLoop.runSynthetic(camera, epoch: epoch)
          case .v4l2(let handover, let request):
            if let camera = handover.take() { cameraLoop.runV4L2(camera, request: request) }
          case .clip: break
          }
        })
    case .passThrough(let stream):
      let loop = PassThroughLoop(stream: stream, ring: ring, health: health, log: log)
      threads.append(
        try NamedThread("camera", stackSize: Self.stack, fifoPriority: priority) {
          switch camera {
          case .clip(let clip): loop.runClip(clip, epoch: epoch)
          case .v4l2(let handover, let request):
            if let camera = handover.take() { loop.runV4L2(camera, request: request) }
          case .synthetic: break
          }
        })
    }
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
}
