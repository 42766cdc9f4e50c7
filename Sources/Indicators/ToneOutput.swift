import LinuxIO
import Media

/// A tone that a sound card plays. Opening and playing happen on a thread of its own, `tone`: whoever switches the tone never waits
/// for a driver or a sound server. A card that is lost is opened again by that thread, every second.
struct ToneOutput: ~Copyable {
  /// A card that is there answers sooner; one that is not is told when the tone is first switched.
  private static let openingPatience = Nanoseconds.milliseconds(500)

  private let mailbox: ToneMailbox

  /// - Throws: what trying again would not mend. What it would, `set` throws until it is mended.
  init(_ tone: Tone, output: String) throws(IndicatorError) {
    let mailbox: ToneMailbox
    do throws(LinuxError) {
      mailbox = try ToneMailbox(output: output)
      let loop = ToneLoop(tone: tone, output: output, mailbox: mailbox)
      _ = try NamedThread("tone") { loop.run() }
    } catch {
      throw IndicatorError(error, output: output)
    }
    mailbox.hasAnswered.wait(until: .now() + Self.openingPatience)
    do throws(IndicatorError) { try mailbox.check(now: .now()) } catch {
      switch error.kind {
      case .malformed, .notOffered, .permission:
        mailbox.end()
        throw error
      case .notFound, .busy, .lost, .failed: break
      }
    }
    self.mailbox = mailbox
  }

  /// The thread is not waited for: a driver may hold it.
  deinit { mailbox.end() }

  /// It is heard `Speaker.latency` later, at its beginning and at its end.
  func set(_ isOn: Bool) throws(IndicatorError) { try mailbox.set(isOn, now: .now()) }

  func check() throws(IndicatorError) { try mailbox.check(now: .now()) }
}

/// What is played, and by which card.
struct Tone: Hashable, Sendable {
  /// ALSA's name of it.
  var device: String
  /// In Hz.
  var frequency: Int
  /// Percent of full scale.
  var volume: Int
}

/// Body of a tone's thread.
struct ToneLoop: Sendable {
  let tone: Tone
  let output: String
  let mailbox: ToneMailbox

  private static let retryInterval = Nanoseconds.seconds(1)
  /// How often a card that plays nothing is asked whether it is still there.
  private static let idleInterval = Nanoseconds.seconds(2)

  /// Until it is told to end.
  func run() {
    while true {
      do throws(IndicatorError) {
        var speaker = try Speaker(tone, output: output)
        mailbox.report(nil)
        try play(on: &speaker)
        return
      } catch {
        // The card is closed by now: a driver lets a card go only then.
        mailbox.report(error)
      }
      if isEnded(before: .now() + Self.retryInterval) { return }
    }
  }

  private func play(on speaker: inout Speaker) throws(IndicatorError) {
    var synth = ToneSynth(rate: speaker.rate, frequency: tone.frequency, volume: tone.volume)
    var edges: [ToneEdge] = []
    while true {
      let pause = speaker.isRunning || !synth.isSilent ? Speaker.period : Self.idleInterval
      mailbox.bell.wait(until: .now() + pause)
      let isEnding = mailbox.take(into: &edges)
      for edge in edges { synth.take(edge) }
      edges.removeAll(keepingCapacity: true)
      if isEnding {
        synth.take(ToneEdge(isOn: false, time: .now()))
        if synth.isSilent, !speaker.isRunning { return }
      }
      try speaker.play(&synth, lingers: !isEnding)
    }
  }

  private func isEnded(before deadline: MonotonicTime) -> Bool {
    var forgotten: [ToneEdge] = []
    repeat {
      if mailbox.take(into: &forgotten) { return true }
    } while mailbox.bell.wait(until: deadline)
    return false
  }
}
