public import Media

/// Captured sound in, Opus packets out: an `AudioFramer` and the `OpusEncoder` that it resets where a stream starts.
///
/// Used on one thread; allocates nothing after it was opened.
public final class OpusStream {
  private let encoder: OpusEncoder
  private var framer: AudioFramer
  private let packet: UnsafeMutableRawBufferPointer

  /// Stopped until `start`. Throws `setting` or `open`. `longestFill`: see `AudioFramer`.
  public init(channels: Int, bitrate: Int, longestFill: Int64 = 240_000) throws(EncodingError) {
    encoder = try OpusEncoder(channels: channels, bitrate: bitrate)
    framer = AudioFramer(channels: channels, lookahead: encoder.lookahead, longestFill: longestFill)
    packet = .allocate(byteCount: OpusEncoder.maximumPacketBytes, alignment: 8)
  }

  deinit { packet.deallocate() }

  public var channels: Int { encoder.channels }
  /// `AudioTrack.preSkip` of a segment whose first packet starts a stream.
  public var lookahead: Int { encoder.lookahead }
  public var isRunning: Bool { framer.isRunning }

  /// As `AudioFramer.start(atSample:)`.
  public func start(atSample sample: Int64) { framer.start(atSample: sample) }

  /// As `AudioFramer.start(at:)`.
  public func start(at time: MonotonicTime) { framer.start(at: time) }

  /// Ends the stream at once; up to 20 ms of sound that fill no packet are lost.
  public func stop() { framer.stop() }

  /// Takes a block of captured sound and calls `emit` with each packet that it completes; the bytes are lent for the call.
  /// Returns the jump in the count of samples before the block, if there is one.
  public func append(
    _ pcm: Span<Int16>, position: Int64, time: MonotonicTime, emit: (PacketHeader, RawSpan) -> Void
  ) throws(EncodingError) -> AudioDiscontinuity? {
    try framer.append(pcm, position: position, time: time) { (header, frame) throws(EncodingError) in
      try encode(header, frame, emit)
    }
  }

  /// Ends the stream so that the last captured sample is in its packets, padded with silence.
  public func finish(emit: (PacketHeader, RawSpan) -> Void) throws(EncodingError) {
    try framer.finish { (header, frame) throws(EncodingError) in try encode(header, frame, emit) }
  }

  private func encode(
    _ header: PacketHeader, _ frame: Span<Int16>, _ emit: (PacketHeader, RawSpan) -> Void
  ) throws(EncodingError) {
    if header.flags.contains(.streamStart) { encoder.reset() }
    var header = header
    header.length = try encoder.encode(frame, into: packet)
    emit(header, UnsafeRawBufferPointer(rebasing: packet[..<header.length]).bytes)
  }
}
