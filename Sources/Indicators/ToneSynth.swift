import Glibc
import Media

/// A tone is switched on or off.
struct ToneEdge: Hashable, Sendable {
  var isOn: Bool
  /// When it was asked for.
  var time: MonotonicTime
}

/// The samples of a tone that is switched on and off: edges in, 16-bit samples out; no device, no clock.
///
/// An edge is where it was asked for, to the sample, and no click: it is a ramp of 4 ms that begins there.
struct ToneSynth {
  static let ramp = Nanoseconds.milliseconds(4)
  /// Of edges that are still to be heard. With more, the newest takes the place of the one before: the level stays right.
  static let edgeLimit = 64

  let rate: Int
  private let step: Double
  private let amplitude: Double
  private let rampFrames: Int
  private var edges: [ToneEdge] = []
  private var isOn = false
  /// Where the ramp is: 0 is silence, `rampFrames` the whole tone.
  private var gain = 0
  private var phase = 0.0

  /// - Parameters:
  ///   - rate: samples a second, more than twice the frequency.
  ///   - frequency: in Hz.
  ///   - volume: percent of full scale.
  init(rate: Int, frequency: Int, volume: Int) {
    self.rate = rate
    step = 2 * Double.pi * Double(frequency) / Double(rate)
    amplitude = Double(Int16.max) * Double(min(max(volume, 0), 100)) / 100
    rampFrames = max(1, Int(Self.ramp.count) * rate / 1_000_000_000)
    edges.reserveCapacity(Self.edgeLimit)
  }

  /// Nothing is to be heard, and nothing will be without another edge.
  var isSilent: Bool { !isOn && gain == 0 && edges.isEmpty }

  /// An edge that changes nothing is none. Edges come in the order of their times.
  mutating func take(_ edge: ToneEdge) {
    guard edge.isOn != edges.last?.isOn ?? isOn else { return }
    if edges.count == Self.edgeLimit { edges.removeLast() }
    edges.append(edge)
  }

  /// Fills `samples` with what is to be heard from the moment `first` on, the same on all channels. No allocation.
  mutating func render(into samples: UnsafeMutableBufferPointer<Int16>, channels: Int, from first: MonotonicTime) {
    for frame in 0..<(samples.count / channels) {
      while let edge = edges.first, edge.time <= first + span(ofFrames: frame, rate: rate) {
        isOn = edge.isOn
        edges.removeFirst()
      }
      let sample = next()
      for channel in 0..<channels { samples[frame * channels + channel] = sample }
    }
  }

  private mutating func next() -> Int16 {
    gain = isOn ? min(gain + 1, rampFrames) : max(gain - 1, 0)
    guard gain > 0 else {
      phase = 0
      return 0
    }
    let part = Double(gain) / Double(rampFrames)
    phase += step
    if phase >= 2 * Double.pi { phase -= 2 * Double.pi }
    return Int16(amplitude * part * part * (3 - 2 * part) * sin(phase))
  }
}

/// How long so many samples sound.
func span(ofFrames count: Int, rate: Int) -> Nanoseconds { Nanoseconds(Int64(count) * 1_000_000_000 / Int64(rate)) }
