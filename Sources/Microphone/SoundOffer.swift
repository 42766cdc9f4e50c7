/// What a microphone can be configured to.
public struct SoundOffer: Hashable, Sendable, CustomStringConvertible {
  /// Of the usual ones, samples a second.
  public var rates: [Int]
  /// ALSA's names of sample formats.
  public var formats: [String]
  public var channels: ClosedRange<Int>

  public init(rates: [Int], formats: [String], channels: ClosedRange<Int>) {
    self.rates = rates
    self.formats = formats
    self.channels = channels
  }

  /// Whether the recorder can use it as it is: 16 bits at 48 kHz, with that many channels.
  public func suits(channels count: Int) -> Bool {
    rates.contains(48_000) && formats.contains("S16_LE") && channels.contains(count)
  }

  /// `44100, 48000 Hz, S16_LE, 1 to 2 channels`.
  public var description: String {
    let (least, most) = (channels.lowerBound, channels.upperBound)
    return "\(rates.map(String.init).joined(separator: ", ")) Hz, \(formats.joined(separator: ", ")), "
      + (least == most ? "\(least) channel\(least == 1 ? "" : "s")" : "\(least) to \(most) channels")
  }
}
