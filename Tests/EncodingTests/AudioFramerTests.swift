import Encoding
import Media
import Synthetic
import Testing

/// What a framer made of some blocks.
private struct Framed {
  var framer = AudioFramer(channels: 1, lookahead: 312, longestFill: 4800)
  var headers: [PacketHeader] = []
  var samples: [Int16] = []
  var discontinuities: [AudioDiscontinuity] = []

  /// Samples count from 1,000,000 at this time; sample n has the value n mod 30,000 + 1.
  static let epoch = MonotonicTime(nanoseconds: 50_000_000_000)

  static func time(of sample: Int64) -> MonotonicTime { epoch + Nanoseconds(sample * 62_500 / 3) }
  static func value(of sample: Int64) -> Int16 { Int16(sample % 30_000 + 1) }

  mutating func append(from start: Int64, count: Int) throws {
    let pcm = (0..<count).map { Self.value(of: start + Int64($0)) }
    let found = framer.append(pcm.span, position: start, time: Self.time(of: start)) { (header, frame) in
      headers.append(header)
      for index in frame.indices { samples.append(frame[index]) }
    }
    if let found { discontinuities.append(found) }
  }

  mutating func finish() {
    framer.finish { (header, frame) in
      headers.append(header)
      for index in frame.indices { samples.append(frame[index]) }
    }
  }

  /// Whether each header's time is that of its position, to a nanosecond of rounding or two.
  var timesFit: Bool {
    headers.allSatisfy { abs(($0.time - Self.time(of: $0.position)).count) <= 2 }
  }
}

@Suite struct AudioFramerTests {
  @Test(
    "frames are 960 apart from start − 312 on, each with the time of its first decoded sample",
    arguments: [1, 480, 1024])
  func steady(_ block: Int) throws {
    var framed = Framed()
    framed.framer.start(atSample: 5000)
    var next: Int64 = 4000
    while next < 16_000 {
      try framed.append(from: next, count: block)
      next += Int64(block)
    }
    #expect(framed.headers.count == Int(next - 5000) / 960)
    #expect(framed.headers.map(\.position) == framed.headers.indices.map { 5000 - 312 + Int64($0) * 960 })
    #expect(framed.timesFit)
    #expect(framed.headers.map { $0.flags.contains(.streamStart) } == framed.headers.indices.map { $0 == 0 })
    #expect(framed.headers.allSatisfy { $0.track == .audio && $0.length == 0 && !$0.isKeyframe })
    #expect(framed.samples == (0..<framed.samples.count).map { Framed.value(of: 5000 + Int64($0)) })
    #expect(framed.discontinuities.isEmpty)
  }

  @Test("a start by time takes the first sample at or after it, and none before")
  func startsAtTime() throws {
    for (shift, expected) in [(0, 5000), (1, 5001), (20_832, 5001), (20_834, 5002), (-1, 5000)] as [(Int64, Int64)] {
      var framed = Framed()
      framed.framer.start(at: Framed.time(of: 5000) + Nanoseconds(shift))
      try framed.append(from: 4000, count: 900)
      #expect(!framed.framer.isRunning)
      try framed.append(from: 4900, count: 2000)
      // Sample 5000 lies 2/3 ns after its rounded time.
      #expect(framed.headers.first?.position == expected - 312, "shift \(shift)")
      #expect(framed.samples.first == Framed.value(of: expected))
    }
  }

  @Test("a start before the first block begins with the first block")
  func startsLate() throws {
    var framed = Framed()
    framed.framer.start(atSample: 100)
    try framed.append(from: 7000, count: 960)
    #expect(framed.headers.map(\.position) == [7000 - 312])
    #expect(framed.discontinuities.isEmpty)
  }

  @Test("nothing comes out of a framer that was not started, or was stopped")
  func stopped() throws {
    var framed = Framed()
    try framed.append(from: 0, count: 5000)
    framed.finish()
    #expect(framed.headers.isEmpty)
    framed.framer.start(atSample: 0)
    try framed.append(from: 0, count: 1000)
    framed.framer.stop()
    try framed.append(from: 1000, count: 5000)
    framed.finish()
    #expect(framed.headers.count == 1)
  }

  @Test("a gap becomes silence of exactly its length, and is reported")
  func fillsGaps() throws {
    var framed = Framed()
    framed.framer.start(atSample: 0)
    try framed.append(from: 0, count: 1500)
    try framed.append(from: 4000, count: 2720)
    #expect(framed.discontinuities.map(\.position) == [1500])
    #expect(framed.discontinuities.map(\.missing) == [2500])
    #expect(framed.discontinuities.map(\.isFilled) == [true])
    #expect(framed.samples.count == 6720)
    for (index, sample) in framed.samples.enumerated() {
      #expect(sample == ((1500..<4000).contains(index) ? 0 : Framed.value(of: Int64(index))))
    }
    #expect(framed.headers.count { $0.flags.contains(.streamStart) } == 1)
    #expect(framed.timesFit)
  }

  @Test("behind a long gap a new stream begins, and the old one ends with all its sound decodable")
  func restartsAfterLongGaps() throws {
    var framed = Framed()
    framed.framer.start(atSample: 0)
    try framed.append(from: 0, count: 1900)
    try framed.append(from: 100_000, count: 960)
    #expect(framed.discontinuities.map(\.isFilled) == [false])
    #expect(framed.headers.map(\.position) == [-312, 648, 1608, 100_000 - 312])
    #expect(framed.headers.map { $0.flags.contains(.streamStart) } == [true, false, false, true])
    // The last packet of the old stream decodes up to 1608 + 960, past sample 1900.
    #expect(framed.samples[1899] == Framed.value(of: 1899))
    #expect(framed.samples[1900..<2880].allSatisfy { $0 == 0 })
    #expect(framed.samples[2880] == Framed.value(of: 100_000))
    #expect(framed.timesFit)
  }

  @Test("samples that come twice are dropped the second time, and reported")
  func dropsRepeats() throws {
    var framed = Framed()
    framed.framer.start(atSample: 0)
    try framed.append(from: 0, count: 1000)
    try framed.append(from: 900, count: 920)
    try framed.append(from: 500, count: 100)
    try framed.append(from: 1820, count: 100)
    #expect(framed.discontinuities.map(\.missing) == [-100, -1320])
    #expect(framed.samples == (0..<1920).map { Framed.value(of: $0) })
    #expect(framed.headers.map(\.position) == [-312, 648])
  }

  @Test(
    "finishing pads with silence until the last sample is in a packet's decoded part",
    arguments: [1, 600, 648, 649, 960])
  func finishes(_ count: Int) throws {
    var framed = Framed()
    framed.framer.start(atSample: 0)
    try framed.append(from: 0, count: count)
    framed.finish()
    let end = (framed.headers.last?.position ?? 0) + 960
    #expect(end >= count && end < count + 960)
    #expect(framed.samples.count { $0 != 0 } == count)
    #expect(!framed.framer.isRunning)
  }

  @Test("two channels stay interleaved")
  func stereo() throws {
    var framer = AudioFramer(channels: 2, lookahead: 312)
    framer.start(atSample: 0)
    let pcm = (0..<1200).flatMap { [Int16($0), Int16(-$0)] }
    var seen: [Int16] = []
    _ = framer.append(pcm.span, position: 0, time: .init(nanoseconds: 0)) { (_, frame) in
      for index in frame.indices { seen.append(frame[index]) }
    }
    #expect(seen == Array(pcm.prefix(1920)))
  }
}
