import Core
import Media

/// The table of every key, in the order in which files and listings show them.
public enum ConfigurationSchema {
  private typealias Settings = RecorderConfiguration
  private typealias Place<Value> = any WritableKeyPath<Settings, Value> & Sendable

  public static let keys: [ConfigurationKey] =
    [
      path("store.path", \.store.path, "The directory on the evidence card that recordings go into."),
      boolean(
        "store.lab_store", \.store.isLabStore,
        "Allows a file system other than ext4 and f2fs, whose flushes have not been tested; for desks, not for the field."
      ),
      integer(
        "store.reserve_mib", \.store.reserveBytes.mebibytes, "MiB", 16...65_536,
        "Space always kept free on the card, so that a recording can be closed properly when it is full."),

      path(
        "identity.path", \.identity.path,
        "The directory of the device key and the internal store; it must not be on the evidence card."),

      choice(
        "camera.source", \.camera.source,
        "A camera made of nothing, a Video4Linux one, or a file of compressed pictures that is played as if a camera brought "
          + "them, for tests; what it makes is marked SYNTHETIC."),
      text(
        "camera.device", \.camera.device,
        "The camera, by a name that stays as `lapel devices` shows it, or its node such as \"/dev/video0\", or the file; needed for "
          + "\"v4l2\" and \"file\"."),
      integer("camera.width", \.camera.width, "pixels", 64...3_840, multipleOf: 2, "Width asked of the camera."),
      integer("camera.height", \.camera.height, "pixels", 64...3_840, multipleOf: 2, "Height asked of the camera."),
      integer("camera.fps", \.camera.framesPerSecond, "frames/s", 1...120, "Frame rate asked of the camera."),
      choice(
        "camera.format", \.camera.format,
        "Format asked of the camera; \"auto\" takes the first of the others that it offers, but never \"h264\", which is only "
          + "passed through."),
      text(
        "camera.controls", \.camera.controls,
        "What the driver is set to at each opening, by the names that `v4l2-ctl -L` shows, in this order: "
          + "\"power_line_frequency=1, auto_exposure=1, exposure_time_absolute=80\"; of a menu the entry's number or words."
      ),
      integer(
        "camera.rotation", \.camera.rotation, "degrees", 0...270, multipleOf: 90,
        "How far players turn the picture clockwise; it is recorded as the camera sees it."),

      choice(
        "microphone.source", \.microphone.source, "A microphone made of nothing, an ALSA one, or no sound at all."),
      text(
        "microphone.device", \.microphone.device,
        "The ALSA name of the microphone, such as \"default\" or \"hw:CARD=Device,DEV=0\"."),
      integer("microphone.channels", \.microphone.channels, nil, 1...2, "Channels asked of the microphone."),

      choice(
        "video.path", \.video.path,
        "\"encode\": pictures are encoded here. \"passthrough\": the pictures that the camera compressed itself, \"mjpeg\" or "
          + "\"h264\" by camera.format, are recorded byte for byte; the keys of the encoder mean nothing then."),
      integer(
        "video.passthrough_peak_kbps", \.video.passThroughPeakBitsPerSecond.thousands, "kbit/s", 0...500_000,
        "Bitrate that the camera's own pictures never exceed; the ring's memory is reckoned from it. 0: what three seconds at "
          + "the start show, and a quarter more, but at least what a scene with light takes."),
      choice(
        "video.encoder", \.video.encoder,
        "What encodes H.264: a library, or with \"v4l2\" the board's hardware; with \"x264\" the program is under the GPL."
      ),
      text(
        "video.encoder_device", \.video.encoderDevice,
        "The hardware encoder of \"v4l2\": its node such as \"/dev/video11\", or a bus, card or driver as \"bcm2835-codec\"; empty "
          + "for the first that there is."),
      choice(
        "video.preset", \.video.preset, "Effort of \"x264\": each next one takes more CPU for a better picture."),
      integer(
        "video.bitrate_kbps", \.video.bitsPerSecond.thousands, "kbit/s", 100...50_000, "Mean bitrate of the picture."),
      integer(
        "video.peak_kbps", \.video.peakBitsPerSecond.thousands, "kbit/s", 100...50_000,
        "Bitrate that the picture never exceeds over one GOP; the ring's memory is reckoned from it."),
      integer(
        "video.gop_ms", \.video.groupOfPictures.wholeMilliseconds, "ms", 250...4_000,
        "Longest time between keyframes; a recording starts at one, so it may hold up to this much more."),
      integer("video.threads", \.video.threads, "threads", 1...4, "Threads of the encoder."),

      integer("audio.bitrate_kbps", \.audio.bitsPerSecond.thousands, "kbit/s", 6...256, "Bitrate of the sound (Opus)."),
      integer(
        "audio.offset_ms", \.audio.offset.wholeMilliseconds, "ms", -1_000...1_000,
        "Added to the time of every sound: a positive value plays it later; corrects what no timestamp shows."),

      integer(
        "recording.pre_event_s", \.recording.preEvent.wholeSeconds, "s", 0...120,
        "Seconds before the trigger that a recording holds."),
      boolean(
        "recording.pre_event_audio", \.recording.hasPreEventAudio,
        "Whether they hold sound; when false no sample from before the trigger is ever written."),
      integer(
        "recording.post_event_s", \.recording.postEvent.wholeSeconds, "s", 0...120,
        "Seconds recorded after the stop; a trigger within them goes on with the same recording."),
      integer(
        "recording.cancel_window_s", \.recording.cancelWindow.wholeSeconds, "s", 0...60,
        "A stop within so many seconds of the trigger says that it was a false one: the footage is kept and says so, and "
          + "there is no post-event; 0 for never."),
      integer(
        "recording.segment_s", \.recording.segment.wholeSeconds, "s", 5...300,
        "Length of a segment file, or a few seconds more: each begins with a keyframe that came at a good moment."),
      integer(
        "recording.checkpoint_ms", \.recording.checkpoint.wholeMilliseconds, "ms", 250...5_000,
        "Time between checkpoints: what a power cut can cost, and a flush of the card each."),
      integer(
        "recording.edge_to_decision_s", \.recording.edgeToDecision.wholeSeconds, "s", 0...10,
        "Longest time from the first edge of a gesture to its recognition; the ring holds it beside the pre-event."),
      boolean(
        "recording.check_at_start", \.recording.checksAtStart,
        "Whether *ready* waits until two seconds were recorded, verified and removed; a trigger does not wait for that."
      ),
      integer(
        "recording.stall_reserve_s", \.recording.stallReserve.wholeSeconds, "s", 2...60,
        "How long the card may stand still before a frame is lost."),

      text(
        "buttons.record", \.buttons.record,
        "The record button: \"gpio:CHIP:LINE\" with the chip's label and the line's name or number, or \"key:DEVICE:KEY\" "
          + "with an input device's name or path and a key such as KEY_RECORD; empty for none."),
      boolean(
        "buttons.record_active_low", \.buttons.recordIsActiveLow,
        "Whether the line is low while the button is pressed: a button to ground. Of GPIO lines only."),
      boolean(
        "buttons.record_pull", \.buttons.recordSetsPull,
        "Whether the chip is asked for a pull resistor that lets the line rest. Of GPIO lines only."),
      choice(
        "buttons.start", \.buttons.start, "Gesture that starts a recording; it can never be the one that stops it."),
      choice("buttons.stop", \.buttons.stop, "Gesture that stops it."),
      choice("buttons.mark", \.buttons.mark, "Gesture that puts a marker into a recording."),
      integer(
        "buttons.debounce_ms", \.buttons.times.debounce.wholeMilliseconds, "ms", 0...200,
        "How long a contact must be quiet before an edge counts; with 0 the chip's or device's own debouncing must do."),
      integer(
        "buttons.longest_press_ms", \.buttons.times.longestPress.wholeMilliseconds, "ms", 50...3_000,
        "Longest time between pressing and letting go that is a press."),
      integer(
        "buttons.double_gap_ms", \.buttons.times.doubleGap.wholeMilliseconds, "ms", 50...2_000,
        "Longest time between the two presses of a double press, from letting go to pressing again."),
      integer(
        "buttons.hold_ms", \.buttons.times.hold.wholeMilliseconds, "ms", 100...9_000,
        "How long the button must be held for a hold."),
      integer(
        "buttons.stuck_s", \.buttons.times.stuck.wholeSeconds, "s", 10...300,
        "A button that is held for so long is shown as stuck."),

      text(
        "buttons.second", \.buttons.second,
        "A second button, which mutes; named and wired as the record button. Empty for none."),
      choice("buttons.mute", \.buttons.mute, "Gesture of the second button that mutes, and unmutes again."),

      boolean(
        "mute.allowed", \.mute.isAllowed,
        "Whether sound may be left out of a recording while it runs: never of what was recorded before."),
      integer(
        "mute.longest_s", \.mute.longest.wholeSeconds, "s", 0...86_400,
        "A mute ends by itself after that; 0 for not before the recording."),
      integer(
        "mute.reminder_s", \.mute.reminder.wholeSeconds, "s", 0...3_600,
        "Time from one reminder that it is muted to the next; 0 for none."),

      text(
        "radio.adapter", \.radio.adapter,
        "The Bluetooth adapter that listens for signals: its name such as \"hci0\", or \"any\" for the first one; empty for "
          + "none."),
      choice(
        "radio.mode", \.radio.mode,
        "exclusive: the adapter is the recorder's alone and must be switched off before (CAP_NET_ADMIN). shared: beside "
          + "bluetoothd, which can change what is heard (CAP_NET_RAW)."),
      text(
        "radio.groups", \.radio.groups,
        "File of the groups that are listened to, a line each: number, key in hexadecimal, emitters as in 1,2,300-310; "
          + "empty for none. Whoever can read it can start the camera."),
      integer(
        "radio.company", \.radio.company, nil, 0...0xFFFF,
        "Company id of the emitters' advertisements; 65535 is the one for tests."),
      text(
        "radio.unauthenticated", \.radio.unauthenticated,
        "For a lab: what anybody may send to start or mark, COMPANY:OFFSET:BYTES:EVENT, several parted by commas; empty for "
          + "none."),

      text("indicators.red", \.indicators[.red], "The red light: \"gpio:CHIP:LINE\", \"led:NAME\"; empty for none."),
      text("indicators.green", \.indicators[.green], "The green light, as above."),
      text("indicators.blue", \.indicators[.blue], "The blue light, as above."),
      text(
        "indicators.tone", \.indicators[.tone],
        "The buzzer, as above, or a piezo at \"pwm:CHIP:CHANNEL\", or a loudspeaker at \"alsa:DEVICE\", as in `aplay -L`."
      ),
      text("indicators.vibration", \.indicators[.vibration], "The vibration motor, as above."),
      boolean(
        "indicators.active_low", \.indicators.isActiveLow, "Whether GPIO lines are low while a light is on."),
      integer(
        "indicators.tone_hz", \.indicators.toneHertz, "Hz", 20...20_000, "Pitch of a tone by PWM or by a sound card."),
      integer(
        "indicators.tone_percent", \.indicators.tonePercent, "%", 1...100,
        "How loud a tone by a sound card is, of full scale; the card's mixer counts, too."),
      integer(
        "indicators.reminder_s", \.indicators.reminder.wholeSeconds, "s", 0...3_600,
        "Time from one reminder that it records to the next; 0 for none."),
      integer(
        "indicators.low_storage_min", \.indicators.lowStorageMinutes, "min", 0...1_440,
        "Minutes of footage that fit on the card, below which low storage is shown."),
    ] + signKeys + [

      text(
        "power.battery", \.power.battery,
        "The battery that is watched: \"auto\" for all of this machine, \"none\", or a name as in /sys/class/power_supply."
      ),
      integer(
        "power.low_percent", \.power.lowPercent, "%", 2...90,
        "At or below it the low-battery alarm is given, and recording goes on: set it so that what lies between it and "
          + "critical_percent lasts as long as a wearer needs, at least five minutes by CAST 14/14 and GA/T 947.2."),
      integer(
        "power.critical_percent", \.power.criticalPercent, "%", 0...50,
        "At or below it the recording is closed, and none begins until the charger is connected or the battery changed."
      ),
      integer(
        "power.reserve_min", \.power.reserve.wholeMinutes, "min", 0...120,
        "The alarm comes, too, when the battery itself says that no more than this is left; 0 if its word is not to count."
      ),
      text(
        "power.fail_line", \.power.failLine,
        "A line by which the board says that its supply is failing, \"gpio:CHIP:LINE\" as for a button; empty for none. Then, "
          + "and at the signal SIGPWR, the footage is made durable at once."),
      boolean(
        "power.fail_active_low", \.power.failIsActiveLow, "Whether the line is low while the supply fails."),
      boolean(
        "power.fail_pull", \.power.failSetsPull,
        "Whether the chip is asked for a pull resistor that lets the line rest."),

      boolean(
        "memory.allow_swap", \.memory.allowsSwap,
        "Whether to run where memory cannot be locked, so that footage may reach the swap in the clear."),
      integer(
        "memory.arena_share_percent", \.memory.arenaSharePercent, "%", 5...90,
        "Largest part of the available memory that the ring may take; with more it refuses to start."),

      // sockaddr_un.sun_path holds 107 bytes and a NUL (unix(7)).
      path(
        "control.socket", \.control.socket, maximumByteCount: 107, "The socket that start, stop, mark and status use."),
      text(
        "control.group", \.control.group,
        "Group that may use the socket beside the recorder's own user; empty for the group that the recorder runs in."),

      choice("log.level", \.log.level, "Least serious message that is logged."),

      integer(
        "realtime.priority", \.realtime.priority, nil, 0...50,
        "SCHED_FIFO priority of the camera and microphone threads; 0 for ordinary scheduling."),
    ]

  private static let signMeanings: [Sign: String] = [
    .starting:
      "No picture is in memory yet, or it is being checked. A sign is an output and its pattern, more of them parted by commas: on, off, ms on / ms off "
      + "for ever, or as in 200/100x3 so often.", .ready: "A trigger would be honoured.",
    .saving: "Triggered: the footage is in memory, not yet on the card.",
    .recording: "The footage reaches the card. Its lights must be those of nothing else.",
    .atRisk: "Nothing reaches the card; the footage is still in memory.",
    .postEvent: "Stopped; goes on until its end.", .closing: "The last bytes are being written.",
    .cannotRecord: "Nothing can be recorded.", .stopping: "The recorder ends.",
    .lowBattery: "Beside the state: the battery is low.", .lowStorage: "Beside the state: the card is nearly full.",
    .triggerDeaf: "Beside the state: a button or radio cannot be heard.",
    .muted: "Beside the state: no sound is recorded.",
    .clockUntrusted: "Beside the state: the clock was never set.",
    .recovering: "Beside the state: camera or microphone is being opened again.",
  ]
  private static let cueMeanings: [Cue: String] = [
    .heard: "Told once: a trigger was heard.", .started: "Told once: it records.",
    .stopped: "Told once: it was stopped.", .marked: "Told once: a marker was set.",
    .notRecording: "Told once: a stop or marker while nothing is recorded.",
    .refused: "Told once: what was asked cannot be done.", .reminder: "Told again and again: it still records.",
    .muted: "Told once: sound is off.", .unmuted: "Told once: sound is on again.",
    .stealth: "Told once: the outputs work again.",
  ]

  /// What each sign and cue does: `output pattern`, parted by commas.
  private static let signKeys: [ConfigurationKey] =
    Sign.allCases.map { text("signs.\($0.rawValue)", \.signs[$0], signMeanings[$0] ?? "") }
    + Cue.allCases.map { text("signs.cue_\($0.rawValue)", \.signs[$0], cueMeanings[$0] ?? "") }

  /// The names of the sections, in order.
  public static let sections: [String] = keys.reduce(into: []) { sections, key in
    if sections.last != key.section { sections.append(key.section) }
  }

  /// The key called `section.name`; nil if there is none.
  public static func key(_ path: String) -> ConfigurationKey? { keysByPath[path] }

  private static let keysByPath = Dictionary(keys.map { ($0.path, $0) }) { first, _ in first }

  // MARK: One kind of entry each

  private static func boolean(
    _ path: String, _ place: Place<Bool>, _ meaning: String
  ) -> ConfigurationKey {
    entry(path, unit: nil, .boolean, meaning) {
      .boolean($0[keyPath: place])
    } write: {
      if case .boolean(let value) = $1 { $0[keyPath: place] = value }
    }
  }

  private static func integer(
    _ path: String, _ place: Place<Int>, _ unit: String?, _ range: ClosedRange<Int>,
    multipleOf step: Int = 1, _ meaning: String
  ) -> ConfigurationKey {
    entry(path, unit: unit, .integer(range, multipleOf: step), meaning) {
      .integer($0[keyPath: place])
    } write: {
      // Outside the range the conversion to smaller units could overflow.
      if case .integer(let value) = $1, range.contains(value) { $0[keyPath: place] = value }
    }
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ path: String, _ place: Place<Choice>, _ meaning: String
  ) -> ConfigurationKey {
    entry(path, unit: nil, .choice(Choice.allCases.map(\.rawValue)), meaning) {
      .text($0[keyPath: place].rawValue)
    } write: {
      if case .text(let text) = $1, let value = Choice(rawValue: text) { $0[keyPath: place] = value }
    }
  }

  private static func text(
    _ path: String, _ place: Place<String>, allowed: ConfigurationKey.Allowed = .text,
    _ meaning: String
  ) -> ConfigurationKey {
    entry(path, unit: nil, allowed, meaning) {
      .text($0[keyPath: place])
    } write: {
      if case .text(let value) = $1 { $0[keyPath: place] = value }
    }
  }

  private static func path(
    _ path: String, _ place: Place<String>, maximumByteCount: Int = 1_024,
    _ meaning: String
  ) -> ConfigurationKey {
    text(path, place, allowed: .path(maximumByteCount: maximumByteCount), meaning)
  }

  private static func entry(
    _ path: String, unit: String?, _ allowed: ConfigurationKey.Allowed, _ meaning: String,
    read: @escaping @Sendable (Settings) -> ConfigurationValue,
    write: @escaping @Sendable (inout Settings, ConfigurationValue) -> Void
  ) -> ConfigurationKey {
    let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
    return ConfigurationKey(
      section: parts.first ?? "", name: parts.last ?? "", unit: unit, allowed: allowed, meaning: meaning, read: read,
      write: write)
  }
}

// How a unit of the file shows a value of `RecorderConfiguration`. Written only within the ranges above.
extension Nanoseconds {
  fileprivate var wholeMinutes: Int {
    get { Int(count / 60_000_000_000) }
    set { self = .seconds(Int64(newValue) * 60) }
  }
  fileprivate var wholeSeconds: Int {
    get { Int(count / 1_000_000_000) }
    set { self = .seconds(Int64(newValue)) }
  }
  fileprivate var wholeMilliseconds: Int {
    get { Int(count / 1_000_000) }
    set { self = .milliseconds(Int64(newValue)) }
  }
}

extension Int {
  fileprivate var thousands: Int {
    get { self / 1_000 }
    set { self = newValue * 1_000 }
  }
  fileprivate var mebibytes: Int {
    get { self >> 20 }
    set { self = newValue << 20 }
  }
}
