import CALSA
import GPIO
import Glibc
import LinuxIO
import Media

/// A sound card that plays a tone: an open ALSA PCM, closed when it goes away. One thread. Only opening may block, as long as the
/// driver or the sound server does; plugins of ALSA may, too, where they should not.
///
/// The stream runs only while there is a tone, and half a second longer: no codec is kept awake for silence. What is asked for is
/// heard `latency` later, however late the thread is within that. Specification: alsa-lib's "PCM (digital audio) interface".
struct Speaker: ~Copyable {
  /// From an edge to where it is heard; longer with a device whose periods are longer than half of it.
  static let latency = Nanoseconds.milliseconds(50)
  /// How often more is written.
  static let period = Nanoseconds.milliseconds(10)
  private static let bufferMilliseconds = 200
  private static let preferredRate = 48_000
  /// Silence that is still played behind a tone.
  private static let linger = Nanoseconds.milliseconds(500)
  /// The device's clock may run away from ours so far, and its position be so coarse, before it is followed.
  private static let tolerance = Nanoseconds.milliseconds(20)

  let rate: Int
  private let channels: Int
  private let bufferFrames: Int
  private let latencyFrames: Int
  private let handle: OpaquePointer
  private let output: String
  /// What is written at once.
  private let block: UnsafeMutableBufferPointer<Int16>

  private(set) var isRunning = false
  /// When the next sample that is written will be heard.
  private var next = MonotonicTime.distantPast
  private var silentSince: MonotonicTime?

  /// snd_pcm_open(3) for playing, non-blocking, with 48 kHz and one channel or what is nearest to that.
  init(_ tone: Tone, output: String) throws(IndicatorError) {
    calsa_silence_errors()
    var opened: OpaquePointer?
    let result = snd_pcm_open(&opened, tone.device, SND_PCM_STREAM_PLAYBACK, CInt(SND_PCM_NONBLOCK))
    guard result == 0, let handle = opened else { throw Self.refusal(output, errno: -result) }
    let granted: Granted
    do throws(IndicatorError) {
      granted = try Self.configure(handle, output)
      guard tone.frequency * 2 < granted.rate else {
        throw IndicatorError(
          .notOffered, output: output, operation: "\(tone.frequency) Hz",
          hint: "It plays \(granted.rate) samples a second: choose an indicators.tone_hz below \(granted.rate / 2).")
      }
    } catch {
      snd_pcm_close(handle)
      throw error
    }
    self.handle = handle
    self.output = output
    (rate, channels, bufferFrames) = (granted.rate, granted.channels, granted.bufferFrames)
    let wanted = Int(Self.latency.count) * granted.rate / 1_000_000_000
    latencyFrames = min(max(wanted, 2 * granted.periodFrames), granted.bufferFrames)
    block = .allocate(capacity: max(1, granted.rate / 100) * granted.channels)
    block.initialize(repeating: 0)
  }

  deinit {
    snd_pcm_close(handle)
    block.deallocate()
  }

  /// Writes what is due of it, and starts or stops the stream. To be called every `period` while it runs, at an edge, and now and
  /// then: `.lost` when the card is gone.
  /// - Parameter lingers: false: the stream stops as soon as the tone is over.
  mutating func play(_ synth: inout ToneSynth, lingers: Bool) throws(IndicatorError) {
    let queued = try queuedFrames()
    if !isRunning, synth.isSilent { return }
    let now = MonotonicTime.now()
    let heard = now + span(ofFrames: queued, rate: rate)
    if !isRunning || heard - next > Self.tolerance || next - heard > Self.tolerance { next = heard }
    let filled = try fill(&synth, queued: queued)
    if !isRunning {
      // The stream broke off meanwhile, and nothing starts without a sample.
      guard filled > 0 else { return }
      try require("snd_pcm_start", snd_pcm_start(handle))
      isRunning = true
    }
    guard synth.isSilent else {
      silentSince = nil
      return
    }
    let since = silentSince ?? now
    silentSince = since
    let rest = span(ofFrames: latencyFrames, rate: rate) + Self.period + (lingers ? Self.linger : .zero)
    if now - since > rest { try rewind() }
  }

  /// Returns the samples that are written and not heard yet.
  private mutating func fill(_ synth: inout ToneSynth, queued: Int) throws(IndicatorError) -> Int {
    let latency = span(ofFrames: latencyFrames, rate: rate)
    var queued = queued
    while queued < latencyFrames {
      let count = min(block.count / channels, latencyFrames - queued)
      synth.render(
        into: UnsafeMutableBufferPointer(rebasing: block[..<(count * channels)]), channels: channels,
        from: next - latency)
      let written = snd_pcm_writei(handle, block.baseAddress, snd_pcm_uframes_t(count))
      // Room for less than it said: what is left out is a click.
      if written == 0 || written == -Int(EAGAIN) { break }
      guard written > 0 else {
        try recover("snd_pcm_writei", errno: CInt(-written))
        return 0
      }
      queued += written
      next += span(ofFrames: written, rate: rate)
    }
    return queued
  }

  /// Samples that were written and not heard yet.
  private mutating func queuedFrames() throws(IndicatorError) -> Int {
    if snd_pcm_state(handle) == SND_PCM_STATE_DISCONNECTED {
      throw IndicatorError(output: output, operation: "snd_pcm_state", errno: ENODEV)
    }
    let available = snd_pcm_avail(handle)
    guard available >= 0 else {
      try recover("snd_pcm_avail", errno: CInt(-available))
      return 0
    }
    return isRunning ? max(0, bufferFrames - available) : 0
  }

  /// After an underrun or a suspend the stream starts anew with the next write; anything else ends it.
  private mutating func recover(_ operation: String, errno code: CInt) throws(IndicatorError) {
    switch code {
    case EINTR, EAGAIN: return
    case EPIPE, ESTRPIPE: try rewind()
    default: throw IndicatorError(output: output, operation: operation, errno: code)
    }
  }

  /// Stopped, empty, and ready to start at once.
  private mutating func rewind() throws(IndicatorError) {
    isRunning = false
    silentSince = nil
    try require("snd_pcm_drop", snd_pcm_drop(handle))
    try require("snd_pcm_prepare", snd_pcm_prepare(handle))
  }

  private func require(_ operation: String, _ result: CInt) throws(IndicatorError) {
    if result < 0 { throw IndicatorError(output: output, operation: operation, errno: -result) }
  }

  // MARK: - Opening

  private struct Granted {
    var rate: Int
    var channels: Int
    var periodFrames: Int
    var bufferFrames: Int
  }

  private static func configure(_ handle: OpaquePointer, _ output: String) throws(IndicatorError) -> Granted {
    func require(_ operation: String, _ result: CInt) throws(IndicatorError) {
      if result < 0 { throw IndicatorError(output: output, operation: operation, errno: -result) }
    }
    var allocated: OpaquePointer?
    try require("snd_pcm_hw_params_malloc", snd_pcm_hw_params_malloc(&allocated))
    guard let hardware = allocated else {
      throw IndicatorError(output: output, operation: "snd_pcm_hw_params_malloc", errno: ENOMEM)
    }
    defer { snd_pcm_hw_params_free(hardware) }
    try require("snd_pcm_hw_params_any", snd_pcm_hw_params_any(handle, hardware))
    guard snd_pcm_hw_params_set_access(handle, hardware, SND_PCM_ACCESS_RW_INTERLEAVED) == 0,
      snd_pcm_hw_params_set_format(handle, hardware, SND_PCM_FORMAT_S16_LE) == 0
    else {
      throw IndicatorError(
        .notOffered, output: output, operation: "16-bit samples",
        hint: "Put plughw: in the place of hw: to let ALSA convert.")
    }
    var (channels, rate) = (CUnsignedInt(1), CUnsignedInt(preferredRate))
    try require(
      "snd_pcm_hw_params_set_channels_near", snd_pcm_hw_params_set_channels_near(handle, hardware, &channels))
    try require("snd_pcm_hw_params_set_rate_near", snd_pcm_hw_params_set_rate_near(handle, hardware, &rate, nil))
    var periodFrames = snd_pcm_uframes_t(rate / 100)
    var bufferFrames = snd_pcm_uframes_t(Int(rate) * bufferMilliseconds / 1_000)
    try require(
      "snd_pcm_hw_params_set_period_size_near",
      snd_pcm_hw_params_set_period_size_near(handle, hardware, &periodFrames, nil))
    try require(
      "snd_pcm_hw_params_set_buffer_size_near",
      snd_pcm_hw_params_set_buffer_size_near(handle, hardware, &bufferFrames))
    try require("snd_pcm_hw_params", snd_pcm_hw_params(handle, hardware))
    try require("snd_pcm_get_params", snd_pcm_get_params(handle, &bufferFrames, &periodFrames))
    guard rate > 0, channels > 0, periodFrames > 0, bufferFrames > 0 else {
      throw IndicatorError(output: output, operation: "snd_pcm_get_params", errno: EIO)
    }
    try startOnlyWhenTold(handle, require)
    return Granted(
      rate: Int(rate), channels: Int(channels), periodFrames: Int(clamping: periodFrames),
      bufferFrames: Int(clamping: bufferFrames))
  }

  private static func startOnlyWhenTold(
    _ handle: OpaquePointer, _ require: (String, CInt) throws(IndicatorError) -> Void
  ) throws(IndicatorError) {
    var allocated: OpaquePointer?
    try require("snd_pcm_sw_params_malloc", snd_pcm_sw_params_malloc(&allocated))
    guard let software = allocated else { return try require("snd_pcm_sw_params_malloc", -ENOMEM) }
    defer { snd_pcm_sw_params_free(software) }
    try require("snd_pcm_sw_params_current", snd_pcm_sw_params_current(handle, software))
    var boundary: snd_pcm_uframes_t = 0
    try require("snd_pcm_sw_params_get_boundary", snd_pcm_sw_params_get_boundary(software, &boundary))
    try require(
      "snd_pcm_sw_params_set_start_threshold", snd_pcm_sw_params_set_start_threshold(handle, software, boundary))
    try require("snd_pcm_sw_params", snd_pcm_sw_params(handle, software))
  }

  private static func refusal(_ output: String, errno code: CInt) -> IndicatorError {
    func refuse(_ kind: IndicatorError.Kind, _ hint: String) -> IndicatorError {
      IndicatorError(kind, output: output, operation: "snd_pcm_open", errno: code, hint: hint)
    }
    switch code {
    case EACCES, EPERM: return refuse(.permission, groupHint)
    case ENOENT, ENODEV, ENXIO, EINVAL:
      // Without rights on the nodes ALSA finds no card at all.
      if nodesAreForbidden(in: "/dev/snd") { return refuse(.permission, groupHint) }
      return refuse(.notFound, hint(for: cards()))
    case EBUSY:
      return refuse(
        .busy,
        "Another program plays on it: find it with `fuser -v /dev/snd/*`, or name a device that is shared, as default is."
      )
    default: return IndicatorError(output: output, operation: "snd_pcm_open", errno: code)
    }
  }

  private static let groupHint =
    "Add the user that runs this to the group of /dev/snd/*, usually audio, and log in again."

  static func hint(for cards: [String]) -> String {
    if cards.isEmpty {
      return "No sound card was found on this machine: check its cable and its driver (`cat /proc/asound/cards`)."
    }
    return "Sound cards here: \(few(cards))."
  }

  /// All cards, by the names that stay.
  private static func cards() -> [String] {
    var names: [String] = []
    var card: CInt = -1
    while snd_card_next(&card) == 0, card >= 0 {
      guard let name = try? Attribute.value(path: "/proc/asound/card\(card)/id") else { continue }
      names.append("alsa:plughw:CARD=\(name)")
    }
    return names
  }

  /// True when there are nodes for playing and this user may open none of them.
  static func nodesAreForbidden(in directory: String) -> Bool {
    // pcmC0D0p: card 0, device 0, playing.
    let nodes = ((try? listDirectory(path: directory)) ?? []).filter { $0.hasPrefix("pcm") && $0.hasSuffix("p") }
    return !nodes.isEmpty
      && nodes.allSatisfy { access("\(directory)/\($0)", R_OK | W_OK) != 0 && errno == EACCES }
  }
}
