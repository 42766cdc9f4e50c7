import Encoding
import Media
import Synthetic
import Testing

@Suite struct OpusStreamTests {
  private struct Packet {
    var header: PacketHeader
    var bytes: [UInt8]
  }

  private static let epoch = MonotonicTime(nanoseconds: 7_000_000_000)

  /// Encodes samples from `first` on, in blocks of 10 ms, with a stream that starts at `start`.
  private func encode(
    _ microphone: SyntheticMicrophone, samples range: Range<Int64>, start: Int64, bitrate: Int = 32_000
  ) throws -> [Packet] {
    let stream = try OpusStream(channels: microphone.channels, bitrate: bitrate)
    #expect(stream.lookahead == 312)
    stream.start(atSample: start)
    var packets: [Packet] = []
    func emit(_ header: PacketHeader, _ bytes: RawSpan) {
      packets.append(Packet(header: header, bytes: bytes.withUnsafeBytes { [UInt8]($0) }))
    }
    var block = [Int16](repeating: 0, count: 480 * microphone.channels)
    for position in stride(from: range.lowerBound, to: range.upperBound, by: 480) {
      var span = block.mutableSpan
      microphone.fill(&span, from: position)
      let jump = try stream.append(
        block.span, position: position, time: Self.epoch + Nanoseconds(position * 62_500 / 3), emit: emit)
      #expect(jump == nil)
    }
    try stream.finish(emit: emit)
    return packets
  }

  private func decode(_ packets: [Packet], channels: Int) throws -> [Int16] {
    let ogg = OggOpus.file(packets: packets.map(\.bytes), channels: channels, preSkip: 312)
    return try FFmpeg.samples(ogg: ogg, channels: channels)
  }

  @Test(
    "beeps come out of ffmpeg within half a millisecond of where the packets' positions say", arguments: [1, 2],
    [24_000, 64_000])
  func beeps(_ channels: Int, _ bitrate: Int) throws {
    let start: Int64 = 20_011
    let packets = try encode(
      SyntheticMicrophone(channels: channels), samples: 0..<480_000, start: start, bitrate: bitrate)
    #expect(packets.first?.header.position == start - 312)
    let pcm = try decode(packets, channels: channels)
    let onsets = PatternReader.beepOnsets(in: pcm.span, channels: channels)
    #expect(onsets.count == 9)
    for (index, onset) in onsets.enumerated() {
      // The player drops the first packet's 312 samples of delay: its sample 0 is captured sample `start`.
      #expect(abs(Int64(onset) + start - Int64(index + 1) * 48_000) < 24)
    }
  }

  @Test("not one sample from before the start is in the stream")
  func startsExactly() throws {
    // A loud tone up to the very sample of the start.
    let microphone = SyntheticMicrophone(markerUntil: 30_123)
    let pcm = try decode(try encode(microphone, samples: 0..<96_000, start: 30_123), channels: 1)
    #expect(PatternReader.markerShare(in: pcm.span) == 0)
    // The same reader hears it when the start is 10 ms earlier.
    let early = try decode(try encode(microphone, samples: 0..<96_000, start: 29_643), channels: 1)
    #expect(PatternReader.markerShare(in: early.span) > 0)
  }

  @Test("a stopped and restarted stream is a new one: its packets are those of a fresh encoder")
  func resets() throws {
    let fresh = try encode(SyntheticMicrophone(), samples: 48_000..<72_000, start: 48_000)
    let stream = try OpusStream(channels: 1, bitrate: 32_000)
    var packets: [Packet] = []
    func emit(_ header: PacketHeader, _ bytes: RawSpan) {
      packets.append(Packet(header: header, bytes: bytes.withUnsafeBytes { [UInt8]($0) }))
    }
    for range in [0..<9600, 48_000..<72_000] as [Range<Int64>] {
      packets = []
      stream.stop()
      stream.start(atSample: range.lowerBound)
      var pcm = [Int16](repeating: 0, count: range.count)
      var span = pcm.mutableSpan
      SyntheticMicrophone().fill(&span, from: range.lowerBound)
      let time = Self.epoch + Nanoseconds(range.lowerBound * 62_500 / 3)
      _ = try stream.append(pcm.span, position: range.lowerBound, time: time, emit: emit)
    }
    try stream.finish(emit: emit)
    #expect(packets.map(\.bytes) == fresh.map(\.bytes))
    #expect(packets.map(\.header.position) == fresh.map(\.header.position))
    #expect(packets.map { $0.header.flags } == packets.indices.map { $0 == 0 ? .streamStart : [] })
  }

  @Test("packets have the length their header says and keep near the bitrate")
  func rate() throws {
    let packets = try encode(SyntheticMicrophone(), samples: 0..<480_000, start: 0, bitrate: 32_000)
    #expect(
      packets.allSatisfy { $0.header.length == $0.bytes.count && $0.bytes.count <= OpusEncoder.maximumPacketBytes })
    let bytes = packets.reduce(0) { $0 + $1.bytes.count }
    #expect((20_000...44_000).contains(bytes))
  }

  @Test("wrong frames and settings are refused by name")
  func refuses() throws {
    let encoder = try OpusEncoder(channels: 1, bitrate: 32_000)
    var packet = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketBytes)
    #expect(throws: EncodingError.inputSize(given: 959, needed: 960)) {
      try packet.withUnsafeMutableBytes {
        try encoder.encode([Int16](repeating: 0, count: 959).span, into: $0)
      }
    }
    #expect(throws: EncodingError.self) { try OpusEncoder(channels: 3, bitrate: 32_000) }
    #expect(throws: EncodingError.self) { try OpusEncoder(channels: 1, bitrate: 1000) }
  }
}
