import HardwareCodec
import Media
import Testing

@testable import Encoding

/// Recorded H.264, cut into coded buffers as drivers cut it.
@Suite struct CodedPictureReaderTests {
  /// How a driver puts parameter sets into buffers.
  enum Shape: CaseIterable {
    /// In front of each keyframe, with all that x264 writes beside.
    case repeated
    /// In front of the first picture only.
    case first
    /// In a buffer of their own before the first picture, with a stamp that means nothing.
    case apart
    /// The same, with the first picture's stamp.
    case apartWithStamp
    /// Each in a buffer of its own.
    case oneByOne
  }

  struct Buffer {
    var bytes: [UInt8]
    /// Nil: a stamp that no picture has.
    var picture: Int?
  }

  private static let times: [MonotonicTime] = (0..<4).map {
    MonotonicTime(nanoseconds: 98_765_432_109_876 + $0 * 40_000_123)
  }

  /// The four pictures of the stream as groups of units; each begins with its delimiter.
  private static var groups: [[RecordedUnit]] {
    RecordedStreams.slices.reduce(into: []) { groups, unit in
      if unit.type == 9 { groups.append([unit]) } else { groups[groups.count - 1].append(unit) }
    }
  }

  private static func slices(_ group: [RecordedUnit]) -> [RecordedUnit] { group.filter { [1, 5].contains($0.type) } }

  private static func buffers(_ shape: Shape, startCode: Int? = nil) -> [Buffer] {
    func buffer(_ units: [RecordedUnit], _ picture: Int?) -> Buffer {
      Buffer(bytes: units.flatMap { $0.framed(startCode) }, picture: picture)
    }
    let sets = groups[0].filter { [7, 8].contains($0.type) }
    switch shape {
    case .repeated: return groups.enumerated().map { buffer($1, $0) }
    case .first: return groups.enumerated().map { buffer($0 == 0 ? sets + slices($1) : slices($1), $0) }
    case .apart: return [buffer(sets, nil)] + groups.enumerated().map { buffer(slices($1), $0) }
    case .apartWithStamp: return [buffer(sets, 0)] + groups.enumerated().map { buffer(slices($1), $0) }
    case .oneByOne: return sets.map { buffer([$0], nil) } + groups.enumerated().map { buffer(slices($1), $0) }
    }
  }

  /// A reader to which pictures were given, and their stamps.
  private func reader(_ forced: Set<Int> = [0, 2], count: Int = 4) -> (CodedPictureReader, [Int64]) {
    var reader = CodedPictureReader(library: "lab", packetBytes: 4_096)
    let stamps = (0..<count).map { index in
      reader.give(
        .init(time: Self.times[index], position: Int64(index * 10), isForced: forced.contains(index)),
        at: Self.times[index])
    }
    return (reader, stamps)
  }

  private func take(
    _ reader: inout CodedPictureReader, _ buffer: Buffer, _ stamps: [Int64]
  ) throws(EncodingError) -> (outcome: CodedPictureReader.Outcome, bytes: [UInt8]) {
    let outcome = try take(&reader, buffer.bytes, stamp: buffer.picture.map { stamps[$0] } ?? 77)
    return (outcome, reader.bytes)
  }

  private func take(
    _ reader: inout CodedPictureReader, _ bytes: [UInt8], stamp: Int64
  ) throws(EncodingError) -> CodedPictureReader.Outcome {
    try reader.take(bytes.span.bytes, stamp: stamp)
  }

  private func withLengths(_ units: [RecordedUnit]) -> [UInt8] {
    units.flatMap { [0, 0, UInt8($0.bytes.count / 256), UInt8($0.bytes.count % 256)] + $0.bytes }
  }

  @Test(
    "packets hold the slices with lengths and nothing else, with time, number and keyframe of their picture",
    arguments: Shape.allCases, [3, 4, nil])
  func everyShape(_ shape: Shape, _ startCode: Int?) throws {
    var (reader, stamps) = reader()
    var packets: [(header: PacketHeader, skipped: Int, bytes: [UInt8])] = []
    for buffer in Self.buffers(shape, startCode: startCode) {
      let taken = try take(&reader, buffer, stamps)
      if case .packet(let header, let skipped) = taken.outcome { packets.append((header, skipped, taken.bytes)) }
    }
    #expect(packets.map(\.bytes) == Self.groups.map { withLengths(Self.slices($0)) })
    #expect(packets.map(\.header.time) == Self.times)
    #expect(packets.map(\.header.position) == [0, 10, 20, 30])
    #expect(packets.map(\.header.flags) == [[.keyframe, .streamStart], [], .keyframe, []])
    #expect(packets.allSatisfy { $0.header.length == $0.bytes.count && $0.header.track == .video && $0.skipped == 0 })
    #expect(reader.pictures.count == 0)
    #expect(
      reader.parameterSets
        == H264ParameterSets(sequence: RecordedStreams.slices[1].bytes, picture: RecordedStreams.slices[2].bytes))
    #expect(SequenceParameterSet(reader.parameterSets?.sequence ?? [])?.width == 64)
  }

  @Test("ffmpeg decodes what was cut and put together again, without a complaint")
  func decodes() throws {
    var (reader, stamps) = reader()
    var stream: [UInt8] = []
    for buffer in Self.buffers(.repeated) {
      let bytes = try take(&reader, buffer, stamps).bytes
      if stream.isEmpty, let sets = reader.parameterSets {
        stream += [0, 0, 0, 1] + sets.sequence + [0, 0, 0, 1] + sets.picture
      }
      for unit in try #require(EncodedScene.Packet(header: header(bytes), bytes: bytes).units) {
        stream += [0, 0, 0, 1] + unit
      }
    }
    let lines = try FFmpeg.probe(annexB: stream, entries: "frame=pict_type,key_frame,width,height")
    #expect(lines.filter { $0.hasPrefix("pict_type") } == ["pict_type=I", "pict_type=P", "pict_type=I", "pict_type=P"])
  }

  private func header(_ bytes: [UInt8]) -> PacketHeader {
    PacketHeader(track: .video, flags: [], length: bytes.count, time: Self.times[0], position: 0)
  }

  @Test("pictures that the encoder dropped are counted with the next packet, and are in it no more")
  func dropped() throws {
    var (reader, stamps) = reader()
    let buffers = Self.buffers(.repeated)
    _ = try take(&reader, buffers[0], stamps)
    guard case .packet(let header, let skipped) = try take(&reader, buffers[3], stamps).outcome else {
      Issue.record("no packet")
      return
    }
    #expect(skipped == 2)
    #expect(header.time == Self.times[3])
    #expect(reader.pictures.count == 0)
  }

  @Test("a stamp that no picture has, or that came before, is out of step, and nothing is made of it")
  func foreignStamp() throws {
    var (reader, stamps) = reader()
    let buffers = Self.buffers(.repeated)
    _ = try take(&reader, buffers[0], stamps)
    for stamp in [stamps[0], stamps[1] + 1, 0] {
      #expect(throws: EncodingError.outOfStep(library: "lab", sent: stamps[1], received: stamp)) {
        _ = try take(&reader, buffers[1].bytes, stamp: stamp)
      }
    }
    #expect(reader.pictures.count == 3)
  }

  @Test("a keyframe that was asked for and did not come is owed by the next picture, and not for ever")
  func owedKeyframe() throws {
    // The second picture was to be one, and is none in the recording.
    var (reader, stamps) = reader([0, 1], count: 2)
    let buffers = Self.buffers(.repeated)
    _ = try take(&reader, buffers[0], stamps)
    #expect(!reader.owesKeyframe)
    _ = try take(&reader, buffers[1], stamps)
    #expect(reader.owesKeyframe)
    for miss in 2...CodedPictureReader.patience {
      let stamp = reader.give(.init(time: Self.times[miss], position: 0, isForced: true), at: Self.times[miss])
      #expect(!reader.owesKeyframe)
      if miss < CodedPictureReader.patience {
        _ = try take(&reader, buffers[1].bytes, stamp: stamp)
        #expect(reader.owesKeyframe)
      } else {
        #expect(throws: EncodingError.packet(library: "lab", reason: "3 keyframes were asked for and none came")) {
          _ = try take(&reader, buffers[1].bytes, stamp: stamp)
        }
      }
    }
  }

  @Test("B pictures are refused by name")
  func reordered() throws {
    var (reader, stamps) = reader()
    let units = RecordedStreams.reordered
    _ = try take(&reader, Buffer(bytes: units[0...2].flatMap { $0.framed() }, picture: 0), stamps)
    _ = try take(&reader, Buffer(bytes: units[3].framed(), picture: 1), stamps)
    for unit in units[4...] {
      #expect(throws: EncodingError.packet(library: "lab", reason: "a B picture")) {
        _ = try take(&reader, Buffer(bytes: unit.framed(), picture: 2), stamps)
      }
    }
  }

  @Test("what cannot be stored is refused with its reason")
  func refused() throws {
    let groups = Self.groups
    let (key, later) = (Self.slices(groups[0]), Self.slices(groups[1]))
    let otherSets = RecordedStreams.reordered.prefix(2)
    let cases: [(String, [UInt8])] = [
      ("it does not begin with a start code", withLengths(later)),
      ("it does not begin with a start code", [1, 2, 3]),
      ("a picture in several buffers", later[1].framed()),
      ("two pictures in one buffer", (later + later).flatMap { $0.framed() }),
      ("slices of a keyframe and of another picture together", key[0].framed() + later[1].framed()),
      ("other parameter sets than before", otherSets.flatMap { $0.framed() } + later.flatMap { $0.framed() }),
      ("a slice that ends too early", [0, 0, 1, 0x41]),
      ("a NAL unit of type 2", [0, 0, 1, 0x42, 0x88]),
      ("a NAL unit of type 20", [0, 0, 1, 0x74, 0x88]),
    ]
    for (reason, bytes) in cases {
      var (reader, stamps) = reader()
      _ = try take(&reader, Self.buffers(.repeated)[0], stamps)
      #expect(throws: EncodingError.packet(library: "lab", reason: reason)) {
        _ = try take(&reader, Buffer(bytes: bytes, picture: 1), stamps)
      }
    }
    var (reader, stamps) = reader()
    #expect(throws: EncodingError.packet(library: "lab", reason: "the first picture is no keyframe")) {
      _ = try take(&reader, Self.buffers(.first)[1], stamps)
    }
  }

  @Test("after a restart the first picture is a keyframe again, and those before it are forgotten")
  func restart() throws {
    var (reader, stamps) = reader()
    let buffers = Self.buffers(.repeated)
    _ = try take(&reader, buffers[0], stamps)
    reader.restart()
    #expect(reader.pictures.count == 0 && reader.parameterSets != nil)
    let stamp = reader.give(.init(time: Self.times[0], position: 5, isForced: true), at: Self.times[0])
    // Stamps go on rising, whatever the times do.
    #expect(stamp > (stamps.last ?? 0))
    guard case .packet(let header, _) = try take(&reader, buffers[2].bytes, stamp: stamp) else {
      Issue.record("no packet")
      return
    }
    #expect(header.flags == [.keyframe, .streamStart] && header.time == Self.times[0] && header.position == 5)
  }

  @Test("hardware is told a bitrate, no B pictures and no keyframes of its own, each with values that drivers know")
  func controls() {
    let settings = VideoEncoderSettings(
      width: 1920, height: 1080, framesPerSecond: 30, bitrate: 4_000_000, peakBitrate: 5_000_000)
    let controls = V4L2Encoder.controls(settings)
    func values(_ name: String) -> [Int]? { controls.first { $0.control.description == name }?.values }
    #expect(values("V4L2_CID_MPEG_VIDEO_BITRATE") == [4_000_000])
    #expect(values("V4L2_CID_MPEG_VIDEO_BITRATE_PEAK") == [5_000_000])
    #expect(values("V4L2_CID_MPEG_VIDEO_B_FRAMES") == [0])
    // enum v4l2_mpeg_video_h264_level: 4.0 is 11.
    #expect(values("V4L2_CID_MPEG_VIDEO_H264_LEVEL") == [11])
    #expect(controls.filter(\.isRequired).map(\.control.description) == ["V4L2_CID_MPEG_VIDEO_BITRATE"])
  }

  @Test("a machine without the device says which one is missing and what to do")
  func noDevice() {
    var settings = VideoEncoderSettings(
      width: 640, height: 360, framesPerSecond: 30, bitrate: 1_000_000, peakBitrate: 1_500_000)
    settings.device = "/dev/video-of-a-lab"
    let error = #expect(throws: EncodingError.self) { _ = try VideoEncoderKind.v4l2.open(settings) }
    guard case .device(let text) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(text.contains("/dev/video-of-a-lab") && text.contains("video.encoder_device"))
  }
}
