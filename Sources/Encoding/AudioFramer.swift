public import Media

/// A jump in the count of captured samples, for the journal.
public struct AudioDiscontinuity: Hashable, Sendable {
  /// The sample that was expected.
  public var position: Int64
  /// How many samples are missing; negative: so many came twice and were dropped the second time.
  public var missing: Int64
  /// Whether the missing samples were filled with silence in the same stream; false: a new stream begins behind them.
  public var isFilled: Bool
}

/// Cuts captured sound into frames of 960 samples for Opus and says what is true of the packet that each becomes.
///
/// A packet's position and time are those of the first sample that it *decodes* to, which the encoder delays: position =
/// the frame's first captured sample − lookahead, time = that sample's time − lookahead. So packets are 960 apart for as
/// long as a stream lasts, the first one at start − lookahead.
///
/// A gap becomes silence of exactly its length; behind a gap longer than `longestFill` a new stream begins instead. The
/// end of every stream is padded with silence, so that its last captured sample comes out of the decoder.
///
/// Pure; one frame of memory, allocated once.
public struct AudioFramer {
  /// 1 or 2.
  public let channels: Int
  /// The encoder's delay in samples.
  public let lookahead: Int
  /// The longest gap, in samples, that is filled.
  public let longestFill: Int64

  private enum State {
    case stopped
    case armedAtTime(MonotonicTime)
    case armedAtSample(Int64)
    case running
  }
  private var state = State.stopped
  /// The samples of the frame being filled.
  private var frame: [Int16]
  /// How many samples of it there are, for each channel.
  private var filled = 0
  /// The time of its first sample.
  private var frameTime = MonotonicTime.distantPast
  /// The next sample, if running, and its time if no new block says otherwise.
  private var next: Int64 = 0
  private var nextTime = MonotonicTime.distantPast
  private var isStreamStart = true

  /// `longestFill`: five seconds, unless given.
  public init(channels: Int, lookahead: Int, longestFill: Int64 = 240_000) {
    self.channels = max(1, channels)
    self.lookahead = lookahead
    self.longestFill = longestFill
    frame = [Int16](repeating: 0, count: OpusEncoder.frameSamples * self.channels)
  }

  public var isRunning: Bool { if case .running = state { true } else { false } }

  /// Samples before this one are discarded; a stream begins at it, or at the first that comes after it.
  public mutating func start(atSample sample: Int64) { arm(.armedAtSample(sample)) }

  /// A stream begins at the first sample at or after this time; those before are discarded.
  public mutating func start(at time: MonotonicTime) { arm(.armedAtTime(time)) }

  private mutating func arm(_ new: State) {
    state = new
    filled = 0
    isStreamStart = true
  }

  /// Takes a block of captured sound and calls `emit` for each frame that it completes. The header's length is 0; its
  /// flag `streamStart` asks for a reset of the encoder before this frame. The samples are lent for the call.
  ///
  /// `pcm`: interleaved. `position`, `time`: index and time of its first sample. Returns the jump before it, if any.
  public mutating func append<Failure: Error>(
    _ pcm: Span<Int16>, position: Int64, time: MonotonicTime,
    emit: (PacketHeader, Span<Int16>) throws(Failure) -> Void
  ) throws(Failure) -> AudioDiscontinuity? {
    let count = pcm.count / channels
    var skipped = 0
    var discontinuity: AudioDiscontinuity?

    switch state {
    case .stopped: return nil
    case .armedAtTime(let start):
      skipped = Self.samples(until: start, from: time)
      if skipped >= count { return nil }
      begin(at: position + Int64(skipped))
    case .armedAtSample(let start):
      if start >= position + Int64(count) { return nil }
      skipped = Int(max(0, start - position))
      begin(at: position + Int64(skipped))
    case .running:
      let missing = position - next
      if missing > 0 {
        let isFilled = missing <= longestFill
        discontinuity = AudioDiscontinuity(position: next, missing: missing, isFilled: isFilled)
        if isFilled {
          try take(nil, from: 0, count: Int(missing), time: nextTime, emit)
        } else {
          try endStream(emit)
          begin(at: position)
        }
      } else if missing < 0 {
        discontinuity = AudioDiscontinuity(position: next, missing: missing, isFilled: false)
        skipped = Int(min(-missing, Int64(count)))
      }
    }
    guard skipped < count else { return discontinuity }
    try take(pcm, from: skipped, count: count - skipped, time: time + Self.duration(skipped), emit)
    return discontinuity
  }

  /// Ends the stream: pads with silence until the last captured sample is in a packet's decoded part, and stops.
  public mutating func finish<Failure: Error>(
    emit: (PacketHeader, Span<Int16>) throws(Failure) -> Void
  ) throws(Failure) {
    if case .running = state { try endStream(emit) }
    stop()
  }

  /// Stops at once; samples that do not fill a frame are discarded.
  public mutating func stop() {
    state = .stopped
    filled = 0
  }

  private mutating func begin(at sample: Int64) {
    state = .running
    next = sample
    filled = 0
    isStreamStart = true
  }

  private mutating func endStream<Failure: Error>(
    _ emit: (PacketHeader, Span<Int16>) throws(Failure) -> Void
  ) throws(Failure) {
    let size = OpusEncoder.frameSamples
    let needed = filled + lookahead
    try take(nil, from: 0, count: (needed + size - 1) / size * size - filled, time: nextTime, emit)
  }

  /// Puts samples, or silence, into frames. `time` is that of the first.
  private mutating func take<Failure: Error>(
    _ pcm: Span<Int16>?, from first: Int, count: Int, time: MonotonicTime,
    _ emit: (PacketHeader, Span<Int16>) throws(Failure) -> Void
  ) throws(Failure) {
    var done = 0
    while done < count {
      if filled == 0 { frameTime = time + Self.duration(done) }
      let step = min(count - done, OpusEncoder.frameSamples - filled)
      let target = filled * channels
      if let pcm {
        let source = (first + done) * channels
        for index in 0..<step * channels { frame[target + index] = pcm[source + index] }
      } else {
        for index in 0..<step * channels { frame[target + index] = 0 }
      }
      done += step
      filled += step
      next += Int64(step)
      nextTime = time + Self.duration(done)
      guard filled == OpusEncoder.frameSamples else { continue }
      filled = 0
      let header = PacketHeader(
        track: .audio, flags: isStreamStart ? .streamStart : [], length: 0, time: frameTime - Self.duration(lookahead),
        position: next - Int64(OpusEncoder.frameSamples) - Int64(lookahead))
      isStreamStart = false
      try emit(header, frame.span)
    }
  }

  /// The length of so many samples.
  static func duration(_ samples: Int) -> Nanoseconds { Nanoseconds(Int64(samples) * 62_500 / 3) }

  /// How many samples of a block that begins at `time` lie before `start`.
  static func samples(until start: MonotonicTime, from time: MonotonicTime) -> Int {
    guard start > time else { return 0 }
    // Capped at a day, far beyond any block, so that the product fits.
    let span = min((start - time).count, 86_400_000_000_000)
    return Int((span * 3 + 62_499) / 62_500)
  }
}
