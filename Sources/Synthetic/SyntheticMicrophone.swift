/// A microphone made of nothing: a quiet hum, and a beep at each whole second, together with the flash of
/// `SyntheticCamera`. Pure: the same arguments give the same samples.
///
/// Samples count from the epoch at 48 kHz; sample n is taken n/48000 s after it.
public struct SyntheticMicrophone: Hashable, Sendable {
  public static let sampleRate = 48_000
  /// The beep: 1 kHz for 50 ms, at full loudness from its first sample.
  public static let beepSamples = 2_400
  static let beepLoudness = 12_000
  static let markerLoudness = 8_000

  /// 1 or 2; all carry the same.
  public let channels: Int
  /// Samples before this one also carry a loud tone of 3 kHz. A file that must hold no sound from before a moment must
  /// hold nothing of it (`PatternReader.markerShare`). Nil: no tone.
  public var markerUntil: Int64?
  /// No beeps, no hum, nothing but zeros.
  public var isSilent = false

  public init(channels: Int = 1, markerUntil: Int64? = nil) {
    self.channels = max(1, channels)
    self.markerUntil = markerUntil
  }

  /// Writes the samples from `start` on, interleaved, until `pcm` is full.
  public func fill(_ pcm: inout MutableSpan<Int16>, from start: Int64) {
    for frame in 0..<pcm.count / channels {
      let value = sample(start + Int64(frame))
      for channel in 0..<channels { pcm[frame * channels + channel] = value }
    }
  }

  /// One sample.
  public func sample(_ index: Int64) -> Int16 {
    if isSilent { return 0 }
    let second = Int((index % 48_000 + 48_000) % 48_000)
    // 200 Hz, and noise of a few steps: never digital silence.
    var value = 250 * Self.sines[second % 240 / 5] / Tone.scale
    value += Int(SyntheticCamera.scramble(UInt64(bitPattern: index)) % 41) - 20
    if index >= 0, second < Self.beepSamples {
      value += Self.beepLoudness * Self.cosines[second % Tone.period] / Tone.scale
    }
    if let markerUntil, index < markerUntil {
      value += Self.markerLoudness * Self.cosines[second * 3 % Tone.period] / Tone.scale
    }
    return Int16(clamping: value)
  }

  private static let cosines = Tone.cosines
  private static let sines = Tone.sines
}

/// One period of 1 kHz at 48 kHz, as integers.
enum Tone {
  static let period = 48
  static let scale = 16_384

  static let sines = (0..<period).map { Int((sine(of: $0) * Double(scale)).rounded()) }
  static let cosines = (0..<period).map { Int((sine(of: $0 + period / 4) * Double(scale)).rounded()) }

  /// sin(2π·step/48), by its series: the standard library has no sine without a C module.
  private static func sine(of step: Int) -> Double {
    let quarter = period / 4
    let position = step % period
    if position >= 2 * quarter { return -sine(of: position - 2 * quarter) }
    let angle = Double(min(position, 2 * quarter - position)) * 2 * Double.pi / Double(period)
    var term = angle
    var sum = angle
    for n in 1...8 {
      term *= -angle * angle / Double((2 * n) * (2 * n + 1))
      sum += term
    }
    return sum
  }
}
