import COpus

/// Opus by libopus: 48 kHz, frames of 20 ms, complexity 5, constrained VBR, for any sound (RFC 6716, RFC 7845).
///
/// Opened and used on one thread.
public final class OpusEncoder {
  /// Samples per second and per packet, for each channel.
  public static let sampleRate = 48_000
  public static let frameSamples = 960
  /// No packet is longer (RFC 6716, 3.4: one frame of at most 1275 bytes, and its table of contents).
  public static let maximumPacketBytes = 1276

  /// 1 or 2.
  public let channels: Int
  /// Samples by which the decoded sound lies behind the encoded one, for each channel: 312 in this mode.
  public let lookahead: Int

  private static let library = "libopus"
  private let encoder: OpaquePointer

  /// `bitrate`: bits per second, 6,000...256,000 for each channel. Throws `setting` or `open`.
  public init(channels: Int, bitrate: Int) throws(EncodingError) {
    guard (1...2).contains(channels) else {
      throw .setting(name: "audio channels", value: "\(channels)", allowed: "1 or 2")
    }
    guard (6_000...256_000 * channels).contains(bitrate) else {
      throw .setting(
        name: "audio bitrate", value: "\(bitrate)", allowed: "6,000 to \(256_000 * channels) bits per second")
    }
    var status: Int32 = 0
    guard
      let created = opus_encoder_create(
        Int32(Self.sampleRate), Int32(channels), OPUS_APPLICATION_AUDIO, &status)
    else { throw .open(library: Self.library, code: Int(status)) }
    var samples: Int32 = 0
    for request in [
      { lapel_opus_set_bitrate(created, Int32(bitrate)) },
      { lapel_opus_set_complexity(created, 5) },
      { lapel_opus_set_constrained_vbr(created) },
      { lapel_opus_lookahead(created, &samples) },
    ] {
      status = request()
      if status != OPUS_OK {
        opus_encoder_destroy(created)
        throw .open(library: Self.library, code: Int(status))
      }
    }
    encoder = created
    self.channels = channels
    lookahead = Int(samples)
  }

  deinit { opus_encoder_destroy(encoder) }

  /// Forgets all sound before: the next packet starts a stream.
  public func reset() { _ = lapel_opus_reset(encoder) }

  /// Encodes one frame of 960 samples for each channel, interleaved, into the start of `packet`, and returns the
  /// packet's length. `packet` should have `maximumPacketBytes`; a shorter one limits the bitrate of this packet.
  public func encode(_ pcm: Span<Int16>, into packet: UnsafeMutableRawBufferPointer) throws(EncodingError) -> Int {
    guard pcm.count == Self.frameSamples * channels else {
      throw .inputSize(given: pcm.count, needed: Self.frameSamples * channels)
    }
    let length = pcm.withUnsafeBufferPointer { samples -> Int32 in
      guard let source = samples.baseAddress, let target = packet.baseAddress else { return OPUS_BUFFER_TOO_SMALL }
      return opus_encode(
        encoder, source, Int32(Self.frameSamples), target.assumingMemoryBound(to: UInt8.self),
        Int32(clamping: packet.count))
    }
    guard length > 0 else { throw .encode(library: Self.library, code: Int(length)) }
    return Int(length)
  }
}
