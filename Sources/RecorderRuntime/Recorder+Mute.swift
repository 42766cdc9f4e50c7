import Control
import Core
import Evidence
import LinuxIO
import Media

extension Recorder {
  /// A mute, as the sound has it: for a recording that begins with footage from then.
  struct MutedSpan {
    var from: MonotonicTime
    /// Nil while it lasts.
    var to: MonotonicTime?
    /// Who asked.
    var message: String
  }

  private static let mutedSpanLimit = 64

  private var mutableRecording: MonotonicTime? {
    devices.microphone == nil ? nil : machine.recording?.trigger.time
  }

  /// What became of a wish to leave sound out, for whoever asked.
  func setMute(_ isOn: Bool, _ message: String) -> Mute.Answer {
    let now = MonotonicTime.now()
    let answer = mute.set(isOn, recording: mutableRecording, now: now)
    switch answer {
    case .muted, .unmuted:
      noteMute(isOn, message)
      indicators.play(isOn ? .muted : .unmuted, now: now)
    case .unchanged: break
    case .notAllowed: indicators.play(.refused, now: now)
    case .notRecording: indicators.play(.notRecording, now: now)
    }
    showSigns()
    return answer
  }

  /// When it began and ended, and who asked, is in the footage; to the sample, as the silence is.
  private func noteMute(_ isOn: Bool, _ message: String) {
    let time = muteBox.set(isOn)
    log.note(.note(isOn ? "the sound is muted" : "the sound is on again"))
    if isOn {
      // More than these no pre-event holds.
      if mutedSpans.count == Self.mutedSpanLimit { mutedSpans.removeFirst() }
      mutedSpans.append(MutedSpan(from: time, to: nil, message: message))
    } else if let last = mutedSpans.indices.last {
      mutedSpans[last].to = time
    }
    if isOpenAsked { tellMute(isOn, at: time, message) }
  }

  private func tellMute(_ isOn: Bool, at time: MonotonicTime, _ message: String) {
    command(.event(FootageEvent(time: time, value: "mute", message: "\(isOn ? "on" : "off")\n\(message)")))
  }

  /// A recording that begins with footage from a mute, as the pre-event behind a muted one, says that its silence is one.
  func noteMute(inRecordingFrom start: MonotonicTime) {
    for span in mutedSpans where span.to.map({ $0 > start }) ?? true {
      tellMute(true, at: max(span.from, start), span.message)
      if let to = span.to { tellMute(false, at: to, span.message) }
    }
  }

  /// What time does to a mute.
  func passMute() {
    let now = MonotonicTime.now()
    switch mute.pass(recording: mutableRecording, now: now) {
    case .nothing: break
    case .reminder: indicators.play(.muted, now: now)
    case .longest:
      noteMute(false, "source=longest")
      indicators.play(.unmuted, now: now)
      showSigns()
    case .ended:
      noteMute(false, "source=end")
      showSigns()
    }
  }

  /// What the second button did until now: its one gesture mutes, and unmutes again.
  func takeMuteButton(_ poller: inout Poller, isReadable: Bool) {
    guard let muteButton else { return }
    for outcome in muteButton.take(&poller, token: Token.muteButton, isReadable: isReadable) {
      guard case .gesture(let gesture, _) = outcome else { continue }
      switch setMute(!mute.isOn, "source=button\nreason=\(gesture.rawValue)") {
      case .muted, .unmuted, .unchanged: break
      case .notAllowed: log.note(.note("the mute button: nothing done, for mute.allowed is false"))
      case .notRecording: log.note(.note("the mute button: nothing done, for no sound is recorded"))
      }
    }
    if let health = muteButton.takeChange() { command(.audit(.source(health))) }
  }

  func reply(_ answer: Mute.Answer, isOn: Bool) -> ControlReply {
    switch answer {
    case .muted: .success("muted: no sound is recorded until it is taken back, or the recording ends")
    case .unmuted: .success("the sound is recorded again")
    case .unchanged: .success(isOn ? "muted already" : "the sound is recorded")
    case .notAllowed: .failure(.forbidden, "this camera does not allow it (mute.allowed)")
    case .notRecording:
      .failure(.notRecording, "no sound is being recorded; a mute is of a recording, and ends with it")
    }
  }
}
