public import Media

/// What a synthetic picture says of itself.
public struct FrameReading: Hashable, Sendable {
  /// The frame's number.
  public var counter: UInt32
  /// Its time after the epoch, in whole microseconds.
  public var time: Nanoseconds
  /// Whether the patch of the whole second is white.
  public var isFlash: Bool

  public init(counter: UInt32, time: Nanoseconds, isFlash: Bool) {
    self.counter = counter
    self.time = time
    self.isFlash = isFlash
  }
}

/// Reads decoded pictures and sound of `SyntheticCamera` and `SyntheticMicrophone`. Pure.
public enum PatternReader {
  /// Nil when the blocks cannot be read (their checksum fails), or `luma` is too short.
  ///
  /// `luma`: 8 bits a pixel, `stride` bytes from row to row, black and white wherever the range puts them.
  public static func read(luma: RawSpan, width: Int, height: Int, stride: Int) -> FrameReading? {
    guard width >= 64, height >= 64, stride >= width, luma.byteCount >= stride * (height - 1) + width else {
      return nil
    }
    func mean(_ area: Area) -> Int {
      // The middle of the area: its edges suffer from the codec.
      var sum = 0
      var count = 0
      for y in area.y + area.height / 4..<area.y + area.height - area.height / 4 {
        for x in area.x + area.width / 4..<area.x + area.width - area.width / 4 {
          sum += Int(luma.unsafeLoad(fromByteOffset: y * stride + x, as: UInt8.self))
          count += 1
        }
      }
      return sum / max(1, count)
    }
    var words: [UInt32] = []
    for row in 0..<PatternCode.rows {
      var word: UInt32 = 0
      for column in 0..<PatternCode.columns {
        let block = PatternCode.block(row: row, column: column, width: width, height: height)
        word = word << 1 | (mean(block) > 125 ? 1 : 0)
      }
      words.append(word)
    }
    guard let code = PatternCode(words: (words[0], words[1], words[2])) else { return nil }
    return FrameReading(
      counter: code.counter, time: .microseconds(Int64(code.microseconds)),
      isFlash: mean(PatternCode.flash(width: width, height: height)) > 125)
  }

  /// The samples at which beeps begin, in each second at most one or two ticks of 1/48000 s off.
  ///
  /// `pcm`: interleaved, 48 kHz; the first channel counts. A beep without 5 ms of quiet before it is no onset, nor is what a
  /// codec makes of the beep's end.
  public static func beepOnsets(in pcm: Span<Int16>, channels: Int = 1) -> [Int] {
    let count = pcm.count / max(1, channels)
    guard count > Tone.period else { return [] }
    let loudness = toneLoudness(in: pcm, channels: channels, count: count, harmonic: 1)
    let threshold = SyntheticMicrophone.beepLoudness / 4
    var onsets: [Int] = []
    var quiet = 0
    var index = 0
    while index < count {
      guard loudness[index] >= threshold else {
        quiet += 1
        index += 1
        continue
      }
      if quiet >= 240, index - (onsets.last ?? -48_000) > 2 * SyntheticMicrophone.beepSamples {
        // The measure rises evenly over one period of the window from the onset: half its plateau lies half a window on.
        let plateau = loudness[index..<min(count, index + 960)].max() ?? 0
        var crossing = index
        while crossing < count - 1, loudness[crossing] < plateau / 2 { crossing += 1 }
        while crossing > 0, loudness[crossing - 1] >= plateau / 2 { crossing -= 1 }
        onsets.append(max(0, crossing - Tone.period / 2 + 1))
      }
      quiet = 0
      index += 1
    }
    return onsets
  }

  /// The share of the samples, 0...1, in which the 3 kHz tone of `SyntheticMicrophone.markerUntil` can be heard. The edges of
  /// a beep have all frequencies for a moment: only stretches of at least 4 ms count.
  public static func markerShare(in pcm: Span<Int16>, channels: Int = 1) -> Double {
    let count = pcm.count / max(1, channels)
    guard count > Tone.period else { return 0 }
    let loudness = toneLoudness(in: pcm, channels: channels, count: count, harmonic: 3)
    var heard = 0
    var stretch = 0
    for value in loudness {
      stretch = value >= SyntheticMicrophone.markerLoudness / 8 ? stretch + 1 : 0
      if stretch == 4 * Tone.period { heard += stretch } else if stretch > 4 * Tone.period { heard += 1 }
    }
    return Double(heard) / Double(count)
  }

  /// For each sample, the amplitude of a multiple of 1 kHz over the millisecond that ends with it.
  private static func toneLoudness(in pcm: Span<Int16>, channels: Int, count: Int, harmonic: Int) -> [Int] {
    var loudness = [Int](repeating: 0, count: count)
    var real = 0
    var imaginary = 0
    let cosines = Tone.cosines
    let sines = Tone.sines
    for index in 0..<count {
      let phase = index * harmonic % Tone.period
      // The window is one period of the table long: what leaves it had the same phase.
      var change = Int(pcm[index * channels])
      if index >= Tone.period { change -= Int(pcm[(index - Tone.period) * channels]) }
      real += change * cosines[phase]
      imaginary += change * sines[phase]
      let a = Double(real)
      let b = Double(imaginary)
      loudness[index] = Int((a * a + b * b).squareRoot() * 2 / Double(Tone.period * Tone.scale))
    }
    return loudness
  }
}
