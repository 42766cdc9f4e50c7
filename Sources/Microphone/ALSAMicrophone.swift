import CALSA
import Glibc
import LinuxIO
public import Media

/// What is asked of a microphone.
public struct MicrophoneRequest: Hashable, Sendable {
  /// An ALSA name: `hw:CARD=Device,DEV=0` for the device itself, `plughw:…` to let ALSA convert, `default`.
  public var device: String
  /// Samples a second.
  public var rate: Int
  /// 1 or 2.
  public var channels: Int
  /// Without samples for so long the microphone counts as stalled.
  public var stallLimit: Nanoseconds

  public init(device: String, rate: Int = 48_000, channels: Int = 1, stallLimit: Nanoseconds = .seconds(2)) {
    self.device = device
    self.rate = rate
    self.channels = channels
    self.stallLimit = stallLimit
  }
}

/// What a microphone granted, and what it is.
public struct GrantedMicrophone: Hashable, Sendable {
  public var rate: Int
  public var channels: Int
  /// Samples a channel between two wake-ups, and in the whole buffer: the latter is how late the reader may be.
  public var periodFrames: Int
  public var bufferFrames: Int
  /// ALSA's names of the card and the device; for a plugin, what it is made of.
  public var title: String
  /// True when ALSA stamps with CLOCK_MONOTONIC; false: the times are those of the reads.
  public var stampsMonotonic: Bool
}

/// One block of samples.
public struct CapturedSound: Hashable, Sendable {
  /// Samples a channel.
  public var frames: Int
  /// When the first of them was captured.
  public var timeOfFirstSample: MonotonicTime
  /// Samples a channel that were lost right before this block; as many of silence keep the count in step with time.
  public var lostBefore: Int64
  /// True when the driver gave no usable timestamp: the time is that of the read, less what was waiting.
  public var isTimeEstimated: Bool
}

/// A capturing ALSA device: 16-bit samples, interleaved. Held and used by one thread; closed when it goes away.
///
/// Specification: alsa-lib's "PCM (digital audio) interface".
public struct ALSAMicrophone: ~Copyable {
  /// What is asked for: a wake-up each 20 ms, and half a second that the reader may be late.
  static let periodMilliseconds = 20
  static let bufferMilliseconds = 500

  public let granted: GrantedMicrophone
  /// Times that the buffer ran over because nobody read.
  public private(set) var overruns: Int64 = 0
  /// Times that the machine was suspended meanwhile.
  public private(set) var suspends: Int64 = 0

  private let pcm: PCM
  private var timeline: SoundTimeline
  private var isBroken = false
  private var lastProgress: MonotonicTime
  private let stallLimit: Nanoseconds

  /// Opens the microphone and starts capturing. May block for as long as the driver needs to open.
  public init(_ request: MicrophoneRequest) throws(MicrophoneError) {
    guard request.rate > 0, request.channels == 1 || request.channels == 2 else {
      throw MicrophoneError(
        .unsupported, device: request.device, operation: "\(request.rate) Hz, \(request.channels) channels",
        hint: "One or two channels can be recorded.")
    }
    let pcm = try PCM(device: request.device)
    let granted = try pcm.configure(request)
    try pcm.require("snd_pcm_start", snd_pcm_start(pcm.handle))
    self.granted = granted
    self.pcm = pcm
    timeline = SoundTimeline(rate: Int64(granted.rate))
    lastProgress = .now()
    stallLimit = request.stallLimit
  }

  /// Waits for samples, at most `timeout`, and reads as many whole frames as there are and fit. Nil when none came.
  ///
  /// Recovers by itself from an overrun and from suspend, and reports what was lost with the next block. Allocates
  /// nothing. Throws `.lost`, `.stalled` or `.failed`, after which the microphone is to be opened again.
  public mutating func read(
    into buffer: UnsafeMutableBufferPointer<Int16>, timeout: Nanoseconds
  ) throws(MicrophoneError) -> CapturedSound? {
    let capacity = buffer.count / granted.channels
    guard capacity > 0 else { return nil }
    let deadline = MonotonicTime.now() + timeout
    while true {
      let now = MonotonicTime.now()
      let rest = max(0, (min(deadline, lastProgress + stallLimit) - now).count)
      let ready = snd_pcm_wait(pcm.handle, CInt(clamping: (rest + 999_999) / 1_000_000))
      if ready < 0 {
        try recover(from: -ready, "snd_pcm_wait")
      } else if ready > 0, let sound = try take(into: buffer, capacity: capacity) {
        return sound
      }
      let after = MonotonicTime.now()
      if after >= lastProgress + stallLimit { throw stalled() }
      if after >= deadline { return nil }
    }
  }

  /// Reads what waits now. Nil when nothing does, or when the stream had to be restarted first.
  private mutating func take(
    into buffer: UnsafeMutableBufferPointer<Int16>, capacity: Int
  ) throws(MicrophoneError) -> CapturedSound? {
    // The number of waiting samples and the moment at which there were as many belong together.
    var waiting: snd_pcm_uframes_t = 0
    var stamp = timespec()
    let stamped = snd_pcm_htimestamp(pcm.handle, &waiting, &stamp)
    if stamped == -EPIPE || stamped == -ESTRPIPE || stamped == -ENODEV {
      try recover(from: -stamped, "snd_pcm_htimestamp")
      return nil
    }
    let now = MonotonicTime.now()
    var time = stamped == 0 && waiting > 0 ? pcm.time(of: stamp, now: now) : nil
    let isEstimated = time == nil
    if isEstimated {
      let available = snd_pcm_avail(pcm.handle)
      if available < 0 {
        try recover(from: CInt(-available), "snd_pcm_avail")
        return nil
      }
      waiting = snd_pcm_uframes_t(available)
      time = now
    }
    let count = snd_pcm_readi(pcm.handle, buffer.baseAddress, snd_pcm_uframes_t(min(capacity, Int(clamping: waiting))))
    if count == 0 || count == -Int(EAGAIN) { return nil }
    if count < 0 {
      try recover(from: CInt(-count), "snd_pcm_readi")
      return nil
    }
    lastProgress = now
    let first = (time ?? now) - timeline.span(of: Int64(clamping: waiting))
    let lost = timeline.take(frames: count, firstTime: first, afterBreak: isBroken)
    isBroken = false
    return CapturedSound(frames: count, timeOfFirstSample: first, lostBefore: lost, isTimeEstimated: isEstimated)
  }

  /// Starts the stream again after an overrun or a suspend; anything else ends it.
  private mutating func recover(from code: CInt, _ operation: String) throws(MicrophoneError) {
    switch code {
    case EINTR, EAGAIN: return
    case EPIPE: overruns += 1
    case ESTRPIPE:
      suspends += 1
      // Resuming keeps the samples of before; most drivers cannot, and prepare does instead.
      if snd_pcm_resume(pcm.handle) == -EAGAIN {
        usleep(10_000)
        return
      }
    default: throw MicrophoneError(device: pcm.device, operation: operation, code: code)
    }
    isBroken = true
    try pcm.require("snd_pcm_prepare", snd_pcm_prepare(pcm.handle))
    try pcm.require("snd_pcm_start", snd_pcm_start(pcm.handle))
  }

  private func stalled() -> MicrophoneError {
    MicrophoneError(
      .stalled, device: pcm.device, operation: "none for \(stallLimit.inMilliseconds) ms",
      hint: "It is opened again. If it goes on, check its cable and `dmesg`.")
  }
}
