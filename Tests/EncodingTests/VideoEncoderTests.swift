import Encoding
import Media
import Synthetic
import Testing

private let kinds = VideoEncoderKind.available.filter(\.isSoftware)
private let sizes = [(320, 180, 300_000), (640, 360, 1_000_000), (1280, 720, 2_000_000)]

private func settings(
  _ width: Int, _ height: Int, bitrate: Int, peak: Int? = nil, buffer: Int = 1000, fps: Double = 25, threads: Int = 2
) -> VideoEncoderSettings {
  VideoEncoderSettings(
    width: width, height: height, framesPerSecond: fps, bitrate: bitrate, peakBitrate: peak ?? bitrate * 3 / 2,
    bufferMilliseconds: buffer, threads: threads)
}

@Suite(.serialized) struct VideoEncoderTests {
  @Test("every picture comes out of ffmpeg with its number and time, in order", arguments: kinds, sizes)
  func decodes(_ kind: VideoEncoderKind, _ size: (Int, Int, Int)) throws {
    let scene = try EncodedScene(kind, settings(size.0, size.1, bitrate: size.2), frames: 53)
    let readings = try FFmpeg.readings(annexB: try scene.annexB(), width: size.0, height: size.1)
    #expect(readings.map { $0?.counter } == (0..<53).map { UInt32($0) })
    #expect(readings.map { $0?.time } == (0..<53).map { .milliseconds(40 * $0) })
    #expect(readings.compactMap { $0 }.filter(\.isFlash).map(\.counter) == [0, 25, 50])
  }

  @Test("pictures stay readable at 300 kbit/s of 640x360 and under noise", arguments: kinds)
  func decodesAtLowRate(_ kind: VideoEncoderKind) throws {
    for noise in [0, 12] {
      let scene = try EncodedScene(kind, settings(640, 360, bitrate: 300_000), frames: 60, noise: noise)
      let readings = try FFmpeg.readings(annexB: try scene.annexB(), width: 640, height: 360)
      #expect(readings.map { $0?.counter } == (0..<60).map { UInt32($0) })
    }
  }

  @Test("times and numbers come out as they went in, with lost frames and jitter", arguments: kinds)
  func carriesTimes(_ kind: VideoEncoderKind) throws {
    let scene = try EncodedScene(
      kind, settings(320, 180, bitrate: 300_000), frames: 60, lost: [7, 30, 31, 32], jitter: .microseconds(1237))
    #expect(scene.packets.map(\.header.time) == scene.given.map(\.time))
    #expect(scene.packets.map(\.header.position) == scene.given.map(\.position))
    #expect(scene.packets.allSatisfy { $0.header.track == .video && $0.header.length == $0.bytes.count })
    #expect(scene.packets.first?.header.flags == [.keyframe, .streamStart])
    #expect(scene.packets.dropFirst().allSatisfy { !$0.header.flags.contains(.streamStart) })
  }

  @Test("keyframes come once a GOP of time and on request, and at no other picture", arguments: kinds)
  func keyframes(_ kind: VideoEncoderKind) throws {
    let scene = try EncodedScene(
      kind, settings(320, 180, bitrate: 300_000), frames: 110, noise: 40, lost: [10, 11], jitter: .microseconds(900),
      keyframeAt: [60])
    #expect(scene.keyframes == [0, 25, 50, 60, 85])
  }

  @Test(
    "with the least work every picture comes out as ever, with the same parameter sets and within the peak; it is made otherwise",
    arguments: kinds, [VideoPreset.ultrafast, .superfast, .veryfast, .medium])
  func leastWork(_ kind: VideoEncoderKind, _ preset: VideoPreset) throws {
    var wanted = settings(640, 360, bitrate: 600_000)
    wanted.preset = preset
    let usual = try EncodedScene(kind, wanted, frames: 90, noise: 12)
    let scene = try EncodedScene(kind, wanted, frames: 90, noise: 12, lowered: 30..<60)
    #expect(scene.parameterSets == usual.parameterSets)
    #expect(scene.keyframes == usual.keyframes)
    let readings = try FFmpeg.readings(annexB: try scene.annexB(), width: 640, height: 360)
    #expect(readings.map { $0?.counter } == (0..<90).map { UInt32($0) })
    if kind.guaranteesPeak { #expect(scene.excess() <= 0) }
    let encoder = try kind.open(wanted)
    // libopenh264 makes other pictures each time.
    if kind == .x264 {
      let same = zip(scene.packets, usual.packets).map { $0.bytes == $1.bytes }
      #expect(same.prefix(30).allSatisfy { $0 })
      #expect(same[30..<60].contains(false) == encoder.canLowerEffort)
    }
    #expect(encoder.canLowerEffort == (preset != .ultrafast && (kind == .x264 || preset != .superfast)))
  }

  @Test("packets hold slices only, keyframes IDR slices, and no slice is a B slice", arguments: kinds, [1, 2])
  func slices(_ kind: VideoEncoderKind, _ threads: Int) throws {
    let scene = try EncodedScene(kind, settings(640, 360, bitrate: 600_000, threads: threads), frames: 40)
    for packet in scene.packets {
      let units = try #require(packet.units)
      #expect(units.count == threads)
      for unit in units {
        #expect((unit.first ?? 0) & 0x1f == (packet.header.isKeyframe ? 5 : 1))
        // slice_header: first_mb_in_slice, slice_type (7.3.3); 2 and 7 are I, 0 and 5 are P.
        var bits = ExponentialGolomb(unit.dropFirst())
        _ = bits.next()
        let type = bits.next()
        #expect(packet.header.isKeyframe ? [2, 7].contains(type) : [0, 2, 5, 7].contains(type))
      }
    }
  }

  @Test("the parameter sets say size, colour and profile, as ffprobe reads them", arguments: kinds, [false, true])
  func parameterSets(_ kind: VideoEncoderKind, _ isFullRange: Bool) throws {
    var wanted = settings(640, 360, bitrate: 600_000)
    wanted.colour = VideoColour(matrix: isFullRange ? .bt601 : .bt709, isFullRange: isFullRange)
    let scene = try EncodedScene(kind, wanted, frames: 3)
    #expect((scene.parameterSets.sequence.first ?? 0) & 0x1f == 7)
    #expect((scene.parameterSets.picture.first ?? 0) & 0x1f == 8)
    let lines = Set(
      try FFmpeg.probe(
        annexB: try scene.annexB(),
        entries: "stream=width,height,has_b_frames,color_range,color_space,color_primaries,color_transfer,profile"))
    let name = isFullRange ? "smpte170m" : "bt709"
    let expected: Set<String> = [
      "width=640", "height=360", "has_b_frames=0", "color_range=\(isFullRange ? "pc" : "tv")", "color_space=\(name)",
      "color_primaries=\(name)", "color_transfer=\(name)", "profile=High",
    ]
    #expect(lines.isSuperset(of: expected), "\(lines)")
  }

  @Test("in no stretch of a noisy scene are there more bytes than peak × length + buffer")
  func x264Bounds() throws {
    guard kinds.contains(.x264) else { return }
    for buffer in [500, 1000] {
      let scene = try EncodedScene(
        .x264, settings(320, 180, bitrate: 400_000, peak: 600_000, buffer: buffer), frames: 250, noise: 60)
      #expect(scene.excess() <= 0, "buffer \(buffer) ms")
    }
  }

  @Test("libopenh264, which promises no bound, holds the peak once it has seen the noise for a second")
  func openH264Settles() throws {
    guard kinds.contains(.openH264) else { return }
    #expect(!VideoEncoderKind.openH264.guaranteesPeak && VideoEncoderKind.x264.guaranteesPeak)
    let scene = try EncodedScene(
      .openH264, settings(320, 180, bitrate: 400_000, peak: 600_000), frames: 250, noise: 60)
    #expect(scene.excess(from: 25) <= 0)
  }

  @Test(
    "a picture of another size, or not later than the last, is refused and the next one is encoded", arguments: kinds)
  func refusesInput(_ kind: VideoEncoderKind) throws {
    let encoder = try kind.open(settings(320, 180, bitrate: 300_000))
    let layout = try #require(I420Layout(width: 320, height: 180))
    let picture = [UInt8](repeating: 100, count: layout.byteCount)
    func encode(_ layout: I420Layout, bytes: Int, at time: Int64) throws(EncodingError) -> Int {
      var count = 0
      try encoder.encode(
        picture: picture.span.extracting(0..<bytes).bytes, layout: layout, time: MonotonicTime(nanoseconds: time),
        position: 0, forceKeyframe: false
      ) { _, _ in count += 1 }
      return count
    }
    #expect(try encode(layout, bytes: layout.byteCount, at: 1_000_000_000) == 1)
    let other = try #require(I420Layout(width: 160, height: 90))
    #expect(throws: EncodingError.inputSize(given: picture.count, needed: other.byteCount)) {
      try encode(other, bytes: picture.count, at: 1_040_000_000)
    }
    #expect(throws: EncodingError.inputSize(given: 1000, needed: layout.byteCount)) {
      try encode(layout, bytes: 1000, at: 1_040_000_000)
    }
    let second = MonotonicTime(nanoseconds: 1_000_000_000)
    #expect(throws: EncodingError.timeNotIncreasing(second, after: second)) {
      try encode(layout, bytes: layout.byteCount, at: 1_000_000_000)
    }
    #expect(try encode(layout, bytes: layout.byteCount, at: 1_040_000_000) == 1)
  }

  @Test("settings that cannot be followed are refused by name")
  func refusesSettings() {
    let good = settings(320, 180, bitrate: 300_000)
    let bad: [(String, (inout VideoEncoderSettings) -> Void)] = [
      ("size", { $0.width = 321 }), ("size", { $0.height = 0 }), ("frame rate", { $0.framesPerSecond = 0 }),
      ("frame rate", { $0.framesPerSecond = .nan }), ("bitrate", { $0.bitrate = -1 }),
      ("peak bitrate", { $0.peakBitrate = 299_999 }), ("rate buffer", { $0.bufferMilliseconds = 0 }),
      ("gop", { $0.gop = .zero }), ("encoder threads", { $0.threads = 0 }),
    ]
    for (name, change) in bad {
      for kind in kinds {
        var settings = good
        change(&settings)
        let error = #expect(throws: EncodingError.self) { _ = try kind.open(settings) }
        guard case .setting(let refused, _, _) = error else {
          Issue.record("\(name): \(String(describing: error))")
          continue
        }
        #expect(refused == name)
        // Whoever prints or plans with them before checking them must not crash.
        #expect(settings.frameInterval > .zero)
      }
    }
  }
}

/// Reads unsigned Exp-Golomb codes (ITU-T H.264, 9.1).
private struct ExponentialGolomb {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes.prefix(32)) }

  private mutating func bit() -> Int {
    guard position / 8 < bytes.count else { return 1 }
    defer { position += 1 }
    return Int(bytes[position / 8] >> (7 - position % 8)) & 1
  }

  mutating func next() -> Int {
    var zeros = 0
    while bit() == 0 { zeros += 1 }
    return (0..<zeros).reduce(1) { value, _ in value << 1 | bit() } - 1
  }
}
