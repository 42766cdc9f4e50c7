import CALSA
import Glibc
import Media

/// An open ALSA PCM handle, closed when it goes away. One thread.
struct PCM: ~Copyable {
  let handle: OpaquePointer
  /// As it was asked for; for errors.
  let device: String

  /// snd_pcm_open(3) for capture, non-blocking.
  init(device: String) throws(MicrophoneError) {
    calsa_silence_errors()
    var opened: OpaquePointer?
    let result = snd_pcm_open(&opened, device, SND_PCM_STREAM_CAPTURE, CInt(SND_PCM_NONBLOCK))
    guard result == 0, let opened else { throw PCM.refusal(device, code: -result) }
    handle = opened
    self.device = device
  }

  deinit { snd_pcm_close(handle) }

  /// A call that must work.
  func require(_ operation: String, _ result: CInt) throws(MicrophoneError) {
    if result < 0 { throw MicrophoneError(device: device, operation: operation, code: -result) }
  }

  private static func refusal(_ device: String, code: CInt) -> MicrophoneError {
    switch code {
    case EACCES, EPERM: return forbidden(device, code: code)
    case ENOENT, ENODEV, ENXIO, EINVAL:
      // Without rights on the nodes ALSA finds no card at all.
      if MicrophoneListing.nodesAreForbidden() { return forbidden(device, code: code) }
      return MicrophoneError(
        .notFound, device: device, operation: "snd_pcm_open", code: code,
        hint: MicrophoneListing.hint(for: MicrophoneListing.all()))
    default: return MicrophoneError(device: device, operation: "snd_pcm_open", code: code)
    }
  }

  private static func forbidden(_ device: String, code: CInt) -> MicrophoneError {
    MicrophoneError(
      .permission, device: device, operation: "snd_pcm_open", code: code,
      hint: "Add the user that runs this to the group of /dev/snd/*, usually audio, and log in again.")
  }

  /// Hardware and software parameters; what is returned is what ALSA says is in force.
  func configure(_ request: MicrophoneRequest) throws(MicrophoneError) -> GrantedMicrophone {
    var allocated: OpaquePointer?
    try require("snd_pcm_hw_params_malloc", snd_pcm_hw_params_malloc(&allocated))
    guard let hardware = allocated else {
      throw MicrophoneError(device: device, operation: "snd_pcm_hw_params_malloc", code: ENOMEM)
    }
    defer { snd_pcm_hw_params_free(hardware) }
    try require("snd_pcm_hw_params_any", snd_pcm_hw_params_any(handle, hardware))
    let channels = UInt32(clamping: request.channels)
    let rate = UInt32(clamping: request.rate)
    guard snd_pcm_hw_params_set_access(handle, hardware, SND_PCM_ACCESS_RW_INTERLEAVED) == 0,
      snd_pcm_hw_params_set_format(handle, hardware, SND_PCM_FORMAT_S16_LE) == 0,
      snd_pcm_hw_params_set_channels(handle, hardware, channels) == 0,
      snd_pcm_hw_params_set_rate(handle, hardware, rate, 0) == 0
    else { throw unsupported(request) }
    // The longest buffer near the one asked for first: it is what absorbs a late reader.
    var buffer = snd_pcm_uframes_t(request.rate * ALSAMicrophone.bufferMilliseconds / 1_000)
    var period = snd_pcm_uframes_t(request.rate * ALSAMicrophone.periodMilliseconds / 1_000)
    var least = buffer
    // No device may be able to hold that much: then `near` takes its largest.
    _ = snd_pcm_hw_params_set_buffer_size_min(handle, hardware, &least)
    try require(
      "snd_pcm_hw_params_set_period_size_near",
      snd_pcm_hw_params_set_period_size_near(handle, hardware, &period, nil))
    try require(
      "snd_pcm_hw_params_set_buffer_size_near", snd_pcm_hw_params_set_buffer_size_near(handle, hardware, &buffer))
    try require("snd_pcm_hw_params", snd_pcm_hw_params(handle, hardware))

    var (periodGranted, bufferGranted) = (snd_pcm_uframes_t(0), snd_pcm_uframes_t(0))
    try require("snd_pcm_get_params", snd_pcm_get_params(handle, &bufferGranted, &periodGranted))
    let stamps = try configureSoftware(period: periodGranted)
    return GrantedMicrophone(
      rate: request.rate, channels: request.channels, periodFrames: Int(periodGranted),
      bufferFrames: Int(bufferGranted), title: title(), stampsMonotonic: stamps)
  }

  /// Wake-ups each period and timestamps on CLOCK_MONOTONIC. Returns false when ALSA cannot stamp so.
  private func configureSoftware(period: snd_pcm_uframes_t) throws(MicrophoneError) -> Bool {
    var allocated: OpaquePointer?
    try require("snd_pcm_sw_params_malloc", snd_pcm_sw_params_malloc(&allocated))
    guard let software = allocated else {
      throw MicrophoneError(device: device, operation: "snd_pcm_sw_params_malloc", code: ENOMEM)
    }
    defer { snd_pcm_sw_params_free(software) }
    try require("snd_pcm_sw_params_current", snd_pcm_sw_params_current(handle, software))
    try require(
      "snd_pcm_sw_params_set_avail_min", snd_pcm_sw_params_set_avail_min(handle, software, period))
    let mode = snd_pcm_sw_params_set_tstamp_mode(handle, software, SND_PCM_TSTAMP_ENABLE)
    let type = snd_pcm_sw_params_set_tstamp_type(handle, software, SND_PCM_TSTAMP_TYPE_MONOTONIC)
    try require("snd_pcm_sw_params", snd_pcm_sw_params(handle, software))
    return mode == 0 && type == 0
  }

  /// A timestamp of ALSA; nil when it is none: 0, later than now, or older than any buffer.
  func time(of stamp: timespec, now: MonotonicTime) -> MonotonicTime? {
    let seconds = Int64(stamp.tv_sec)
    guard seconds >= 0, seconds < 1 << 32, stamp.tv_sec != 0 || stamp.tv_nsec != 0 else { return nil }
    let time = MonotonicTime(nanoseconds: seconds * 1_000_000_000 + Int64(stamp.tv_nsec))
    guard time <= now, now - time < .seconds(10) else { return nil }
    return time
  }

  private func title() -> String {
    var allocated: OpaquePointer?
    guard snd_pcm_info_malloc(&allocated) == 0, let info = allocated else { return device }
    defer { snd_pcm_info_free(info) }
    guard snd_pcm_info(handle, info) == 0 else { return device }
    let name = String(cString: snd_pcm_info_get_name(info))
    return name.isEmpty ? device : name
  }

  /// The error that lists what the device does offer.
  private func unsupported(_ request: MicrophoneRequest) -> MicrophoneError {
    let asked = "\(request.rate) Hz, 16 bits, \(request.channels == 1 ? "1 channel" : "\(request.channels) channels")"
    var hint = offers().map { "It offers \($0)." } ?? ""
    // ALSA's name for a device of the kernel itself.
    if device.hasPrefix("hw:") {
      hint += " Use plughw:\(device.dropFirst(3)) to let ALSA convert."
    }
    return MicrophoneError(.unsupported, device: device, operation: asked, hint: hint)
  }

  /// What the device can be configured to; nil when ALSA does not say.
  func offers() -> SoundOffer? {
    var allocated: OpaquePointer?
    guard snd_pcm_hw_params_malloc(&allocated) == 0, let hardware = allocated else { return nil }
    defer { snd_pcm_hw_params_free(hardware) }
    guard snd_pcm_hw_params_any(handle, hardware) >= 0 else { return nil }
    let rates = ([8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000] as [UInt32]).filter {
      snd_pcm_hw_params_test_rate(handle, hardware, $0, 0) == 0
    }
    var (least, most) = (UInt32(0), UInt32(0))
    snd_pcm_hw_params_get_channels_min(hardware, &least)
    snd_pcm_hw_params_get_channels_max(hardware, &most)
    let formats = [
      SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S24_LE, SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_S32_LE,
      SND_PCM_FORMAT_FLOAT_LE, SND_PCM_FORMAT_U8,
    ].filter { snd_pcm_hw_params_test_format(handle, hardware, $0) == 0 }
    return SoundOffer(
      rates: rates.map { Int($0) }, formats: formats.map { String(cString: snd_pcm_format_name($0)) },
      channels: Int(least)...Int(max(least, most)))
  }
}
