import Media
import Testing

/// Streams by stock ffmpeg and libx264, and what is read of them.
@Suite("H264AccessUnits")
struct H264AccessUnitsTests {
  /// - Parameter parameters: of libx264. Each access unit begins with a delimiter, so that they can be told apart here.
  private static func units(_ parameters: String, size: String = "96x64", frames: Int = 60) throws -> [[UInt8]] {
    let stream = try quietly([
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=\(size):rate=30", "-frames:v", "\(frames)",
      "-pix_fmt",
      "yuv420p", "-c:v", "libx264", "-x264-params", "aud=1:scenecut=0:" + parameters, "-f", "h264", "-",
    ])
    var walk = AnnexB()
    var units: [[UInt8]] = []
    while let unit = walk.next(in: stream.span.bytes) {
      if AnnexB.type(of: unit, in: stream.span.bytes) == AnnexB.UnitType.delimiter { units.append([]) }
      units[units.count - 1] += [0, 0, 0, 1] + stream[unit]
    }
    try #require(units.count == frames)
    return units
  }

  private func pictures(_ units: [[UInt8]]) -> [H264AccessUnits.Picture] {
    var reader = H264AccessUnits()
    return units.compactMap { if case .picture(let picture) = reader.take($0) { picture } else { nil } }
  }

  private static let usual = Result { try units("bframes=0:keyint=30:min-keyint=30") }

  @Test("Of a stream as cameras send it every picture is there, whole and in order, and IDR pictures are keyframes")
  func usual() throws {
    let units = try Self.usual.get()
    let pictures = pictures(units)
    #expect(pictures.count == 60)
    #expect(pictures.map(\.isKeyframe) == (0..<60).map { $0 % 30 == 0 })
    #expect(pictures.allSatisfy { $0.isWhole && !$0.stepsBack })
  }

  @Test("Packets hold slices and supplements with lengths, parameter sets apart; ffmpeg decodes what MP4 makes of them")
  func packets() throws {
    let units = try Self.usual.get()
    var reader = H264AccessUnits()
    var packets: [[UInt8]] = []
    for unit in units {
      guard case .picture = reader.take(unit) else { continue }
      packets.append(reader.bytes)
      var offset = 0
      while offset < reader.bytes.count {
        let length = reader.bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        #expect([1, 5, 6].contains(reader.bytes[offset + 4] & 0x1F))
        offset += 4 + length
      }
      #expect(offset == reader.bytes.count)
    }
    let sets = try #require(reader.parameterSets)
    #expect(sets.sequence.first == 0x67 && sets.picture.first == 0x68)
    var header = FragmentHeader()
    header.write(
      sequence: 1,
      video: packets.enumerated().map {
        FragmentSample(ticks: Int64($0) * 3_000, duration: 3_000, length: $1.count, isKeyframe: $0 % 30 == 0)
      }, audio: [])
    let start = InitSegment(
      video: VideoTrack(width: 96, height: 64, parameterSets: sets), audio: nil, salt: [UInt8](repeating: 1, count: 32),
      facts: [])
    func decoded(_ input: [UInt8], _ words: [String]) throws -> [UInt8] {
      try quietly(
        ["ffmpeg", "-v", "warning"] + words + ["-i", "FILE", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], input: input
      )
    }
    let pixels = try decoded(start.bytes() + header.bytes + packets.flatMap { $0 }, [])
    #expect(pixels.count == 60 * 96 * 64 * 3 / 2)
    #expect(try decoded(units.flatMap { $0 }, ["-f", "h264"]) == pixels)
  }

  @Test("Pictures of several slices are one packet each")
  func slices() throws {
    let pictures = pictures(try Self.units("bframes=0:keyint=30:slices=2"))
    #expect(pictures.count == 60 && pictures.allSatisfy { $0.isWhole })
    // Without its first slice a picture is there in part.
    var reader = H264AccessUnits()
    let first = try Self.units("bframes=0:keyint=30:slices=2", frames: 2)[0]
    var walk = AnnexB()
    var cut: [UInt8] = []
    var hasDropped = false
    while let unit = walk.next(in: first.span.bytes) {
      let isSlice = AnnexB.type(of: unit, in: first.span.bytes) == AnnexB.UnitType.idrSlice
      if isSlice, !hasDropped { hasDropped = true } else { cut += [0, 0, 1] + first[unit] }
    }
    guard case .picture(let picture) = reader.take(cut) else {
      Issue.record("no picture")
      return
    }
    #expect(picture.isKeyframe && !picture.isWhole)
  }

  @Test("B-frames step back", arguments: ["bframes=1", "bframes=3:b-adapt=0", "bframes=3:b-pyramid=strict"])
  func reorders(parameters: String) throws {
    let pictures = pictures(try Self.units(parameters + ":keyint=30"))
    #expect(pictures.count == 60)
    #expect(pictures.count { $0.stepsBack } >= 10)
  }

  @Test("A stream without IDR pictures has recovery points and only the first keyframe")
  func refresh() throws {
    let pictures = pictures(try Self.units("bframes=0:intra-refresh=1:keyint=30"))
    #expect(pictures.count { $0.isKeyframe } == 1)
    #expect(pictures.count { $0.isRecoveryPoint && !$0.isKeyframe } >= 1)
  }

  @Test("Other parameter sets are a change, the same ones again are none; those given at the start are expected")
  func changed() throws {
    let (one, other) = (try Self.usual.get(), try Self.units("bframes=0:keyint=30", size: "128x64", frames: 2))
    var reader = H264AccessUnits()
    for unit in one { #expect(reader.take(unit) != .changedParameterSets) }
    let sets: H264ParameterSets = try #require(reader.parameterSets)
    #expect(reader.take(other[0]) == .changedParameterSets)
    #expect(reader.parameterSets == sets)
    var expecting = H264AccessUnits(parameterSets: sets)
    guard case .picture = expecting.take(one[1]) else {
      Issue.record("a picture behind known parameter sets is one")
      return
    }
    #expect(expecting.take(other[0]) == .changedParameterSets)
  }

  @Test("Sizes that are no multiple of 16 are read with their cropping", arguments: ["640x360", "1920x1080", "100x50"])
  func sizes(size: String) throws {
    var reader = H264AccessUnits()
    _ = reader.take(try Self.units("bframes=0", size: size, frames: 1)[0])
    let header = try #require(reader.sequenceHeader)
    #expect("\(header.width)x\(header.height)" == size)
    #expect(header.isUsual && !header.isInterlaced)
  }

  @Test("A set whose fields say what no field may is none, and one that is far too long is passed over")
  func absurdSets() {
    // log2_max_frame_num_minus4 of 2^32 - 2.
    #expect(H264SequenceHeader([0x67, 0x42, 0, 0x1E, 0x80, 0, 0, 3, 0, 0xFF, 0xFF, 0xFF, 0xFF]) == nil)
    var units = H264AccessUnits()
    let long = [0, 0, 1, 0x67] + [UInt8](repeating: 0x42, count: 70_000)
    #expect(units.take(long.span.bytes) == .noPicture)
    #expect(units.parameterSets == nil && units.sequenceHeader == nil)
  }

  @Test("Bytes cut short or changed at any place are read without a fault")
  func damaged() throws {
    let unit = try Self.usual.get()[0]
    for count in 0..<min(unit.count, 400) {
      var reader = H264AccessUnits()
      _ = reader.take(Array(unit[..<count]))
      for value: UInt8 in [0, 0xFF] {
        var changed = unit
        changed[count] = value
        var other = H264AccessUnits()
        _ = other.take(changed)
      }
    }
    var reader = H264AccessUnits()
    #expect(reader.take([UInt8]()) == .unreadable)
    #expect(reader.take([1, 2, 3, 4]) == .unreadable)
    #expect(reader.take([0, 0, 1, 9, 0x10]) == .noPicture)
  }
}

extension H264AccessUnits {
  fileprivate mutating func take(_ bytes: [UInt8]) -> Outcome { take(bytes.span.bytes) }
}
