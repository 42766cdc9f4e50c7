import Configuration
import Core
import Evidence
import LinuxIO
import Media

extension Recorder {
  /// Shows what is so, on every output. Called after everything that may have changed it, and when a pattern turns.
  func showSigns() {
    let now = MonotonicTime.now()
    indicators.update(main: machine.state.sign, conditions: conditions, now: now)
  }

  /// What is shown beside the state.
  var conditions: Set<Sign> {
    var conditions: Set<Sign> = []
    if let recordButton, recordButton.health != .listening { conditions.insert(.triggerDeaf) }
    if mute.isOn { conditions.insert(.muted) }
    if radio?.isDeaf == true { conditions.insert(.triggerDeaf) }
    if isStorageLow { conditions.insert(.lowStorage) }
    if power.isAlarm { conditions.insert(.lowBattery) }
    // Opened again after it had delivered; before that the state is *starting*.
    let isSilent = !isVideoLive || devices.microphone != nil && !isAudioLive
    if hasBeenReady, isSilent { conditions.insert(.recovering) }
    if !WallClockState.isPlausible(Clocks.wallMilliseconds()) { conditions.insert(.clockUntrusted) }
    return conditions
  }

  /// Judged anew whenever the card's free space is known anew; it stays low until there is a quarter more.
  func noteLowStorage() {
    guard let minutes = minutesLeft else { return }
    let limit = configuration.indicators.lowStorageMinutes
    let isLow = minutes < (isStorageLow ? limit + limit / 4 : limit)
    guard isLow != isStorageLow else { return }
    isStorageLow = isLow
    guard isLow else { return }
    log.note(.note("the card is nearly full: \(minutes) min of footage left"))
    command(.notice(.storage(.low, freeMegabytes: max(0, freeBytes >> 20))))
  }

  /// Minutes of footage that fit on the card at the bitrate that the ring shows now; nil before that is known.
  var minutesLeft: Int? {
    let (held, used) = ring.withRing { ($0.heldSpan, $0.usedBytes) }
    guard isStoreReady, freeBytes > 0, held > .seconds(2), used > 0 else { return nil }
    let bytesPerMinute = Double(used) / held.inSeconds * 60
    return Int(Double(max(0, freeBytes - Int64(configuration.store.reserveBytes))) / bytesPerMinute)
  }

  /// Answers whoever pressed, at once.
  func answerWithSign(_ answer: RecorderMachine.Answer) {
    let cue: Cue? =
      switch answer {
      case .accepted, .remembered, .continued: .heard
      case .stopped, .cancelled: .stopped
      case .marked: .marked
      case .notRecording: .notRecording
      case .refused, .stopping: .refused
      case .none: nil
      }
    if let cue { indicators.play(cue, now: .now()) }
    showSigns()
  }

  /// A change of the machine's state, before it is shown.
  func tellChange(from before: Sign, to after: Sign) {
    if before == .saving, after == .recording { indicators.play(.started, now: .now()) }
  }

  /// Silences every output, or lets it speak again. It is in the footage; the sound goes on being recorded.
  func setStealth(_ isOn: Bool) {
    guard isOn != indicators.isStealth else { return }
    let now = MonotonicTime.now()
    indicators.setStealth(isOn, now: now)
    log.note(.note(isOn ? "stealth: all indicators are silent" : "stealth is over"))
    noteStealth(at: now)
    showSigns()
  }

  /// Also at the beginning of a recording that is made in stealth.
  func noteStealth(at time: MonotonicTime) {
    guard isOpenAsked else { return }
    command(.event(FootageEvent(time: time, value: "stealth", message: indicators.isStealth ? "on" : "off")))
  }
}
