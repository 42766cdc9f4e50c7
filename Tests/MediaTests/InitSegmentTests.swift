import Media
import Testing

@Suite("InitSegment")
struct InitSegmentTests {
  private let salt = (0..<32).map { UInt8($0) }

  private func start(_ stock: StockPackets, hasVideo: Bool = true, hasAudio: Bool = true, preSkip: Int? = nil)
    -> [UInt8]
  {
    InitSegment(
      video: hasVideo ? VideoTrack(width: 96, height: 64, parameterSets: stock.parameterSets) : nil,
      audio: hasAudio ? AudioTrack(channels: 1, preSkip: preSkip ?? stock.preSkip) : nil, salt: salt,
      facts: [("format", "1"), ("camera", "a = b")]
    ).bytes()
  }

  /// What ffprobe says of the streams or packets, as `name=value` words.
  private func probe(_ bytes: [UInt8], _ entries: String, stream: String? = nil) throws -> [String] {
    let selection = stream.map { ["-select_streams", $0] } ?? []
    let text = try quietly(
      ["ffprobe", "-v", "warning"] + selection + [
        "-show_entries", entries, "-of", "default=noprint_wrappers=1", "FILE",
      ],
      input: bytes)
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test("stock tools read init and fragments without a warning, and find what was put in")
  func stockTools() throws {
    let stock = try StockPackets.shared.get()
    let bytes = start(stock) + (0..<4).flatMap { stock.fragment($0) }
    let video = try probe(bytes, "stream=codec_name,width,height,time_base,profile", stream: "v:0")
    #expect(Set(["codec_name=h264", "width=96", "height=64", "time_base=1/90000"]).isSubset(of: video))
    let audio = try probe(bytes, "stream=codec_name,sample_rate,channels,time_base", stream: "a:0")
    #expect(Set(["codec_name=opus", "sample_rate=48000", "channels=1", "time_base=1/48000"]).isSubset(of: audio))
    let pictures = try probe(bytes, "packet=pts,duration,flags", stream: "v:0")
    #expect(pictures.filter { $0.hasPrefix("pts=") } == (0..<60).map { "pts=\($0 * 3_000)" })
    #expect(pictures.count { $0.hasPrefix("flags=K") } == 2)
    // Every picture and sample decodes; the encoder's delay is left out.
    let frames = try quietly(
      ["ffmpeg", "-v", "warning", "-i", "FILE", "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-"], input: bytes)
    #expect(frames.count == 60 * 96 * 64)
    let sound = try quietly(
      ["ffmpeg", "-v", "warning", "-i", "FILE", "-map", "0:a", "-f", "s16le", "-"], input: bytes)
    #expect(sound.count == 2 * (100 * 960 - stock.preSkip))
  }

  @Test("a segment that continues a stream leaves no sample out")
  func noPreSkip() throws {
    let stock = try StockPackets.shared.get()
    let bytes = start(stock, preSkip: 0) + (0..<4).flatMap { stock.fragment($0) }
    let sound = try quietly(
      ["ffmpeg", "-v", "warning", "-i", "FILE", "-map", "0:a", "-f", "s16le", "-"], input: bytes)
    #expect(sound.count == 2 * 100 * 960)
  }

  /// The samples that stock ffmpeg decodes.
  private func sound(_ bytes: [UInt8]) throws -> [UInt8] {
    try quietly(["ffmpeg", "-v", "warning", "-i", "FILE", "-map", "0:a", "-f", "s16le", "-"], input: bytes)
  }

  @Test("stock tools turn the picture as the track says, and its pixels stay", arguments: DisplayRotation.allCases)
  func rotation(_ rotation: DisplayRotation) throws {
    let stock = try StockPackets.shared.get()
    let segment = InitSegment(
      video: VideoTrack(width: 96, height: 64, codec: .h264(stock.parameterSets), rotation: rotation),
      audio: AudioTrack(channels: 1, preSkip: 0), salt: salt, facts: [])
    let bytes = segment.bytes() + stock.fragment(0)
    #expect(try probe(bytes, "stream=width,height", stream: "v:0") == ["width=96", "height=64"])
    // FFmpeg counts the other way round.
    let expected: [String] =
      switch rotation {
      case .none: []
      case .quarter: ["rotation=-90"]
      case .half: ["rotation=-180"]
      case .threeQuarters: ["rotation=90"]
      }
    #expect(try probe(bytes, "stream_side_data=rotation", stream: "v:0") == expected)
  }

  @Test("a segment with a run-in decodes to the samples of the whole from its first on; none of the run-in is heard")
  func runIn() throws {
    let stock = try StockPackets.shared.get()
    let edge = 2 * 25
    let whole = try sound(start(stock) + (0..<4).flatMap { stock.fragment($0) })
    let footage = (2..<4).flatMap { stock.fragment($0) }
    let before = stock.packets[edge - RunIn.packetLimit..<edge]
    var segment = InitSegment(
      video: VideoTrack(width: 96, height: 64, parameterSets: stock.parameterSets),
      audio: AudioTrack(channels: 1, preSkip: 0),
      runIn: RunIn(edge: Int64(edge) * 960, lengths: before.map(\.count)), salt: salt, facts: [("format", "1")])
    let room = segment.bytes()
    let packets = before.flatMap { $0 }
    #expect(room.suffix(packets.count).allSatisfy { $0 == 0 })
    let bytes = room.dropLast(packets.count) + packets + footage
    let expected = whole.suffix(2 * 50 * 960)
    #expect(try sound(Array(bytes)) == Array(expected))
    // Pictures and sound lie where they lay.
    let streams = try probe(Array(bytes), "stream=start_time")
    let starts = streams.compactMap { Double($0.dropFirst("start_time=".count)) }
    #expect(starts.count == 2 && starts.allSatisfy { abs($0 - 1) < 1e-4 }, "\(streams)")
    // Without it the decoder has to converge.
    segment.runIn = nil
    let bare = try sound(segment.bytes() + footage)
    #expect(bare.count == expected.count && bare != Array(expected))
  }

  @Test("either track alone is a file that plays", arguments: [true, false])
  func oneTrack(hasVideo: Bool) throws {
    let stock = try StockPackets.shared.get()
    let bytes =
      start(stock, hasVideo: hasVideo, hasAudio: !hasVideo)
      + (0..<4).flatMap { stock.fragment($0, hasVideo: hasVideo, hasAudio: !hasVideo) }
    let types = try probe(bytes, "stream=codec_type")
    #expect(types == [hasVideo ? "codec_type=video" : "codec_type=audio"])
    try quietly(["ffmpeg", "-v", "warning", "-i", "FILE", "-f", "null", "-"], input: bytes)
  }

  @Test("a track that the init names and no fragment feeds does no harm")
  func unfedTrack() throws {
    let stock = try StockPackets.shared.get()
    let bytes = start(stock) + (0..<4).flatMap { stock.fragment($0, hasVideo: false) }
    // ffmpeg warns that it knows no pixel format of a picture that never came.
    let sound = try quietly(
      ["ffmpeg", "-v", "error", "-i", "FILE", "-map", "0:a", "-f", "s16le", "-"], input: bytes)
    #expect(sound.count == 2 * (100 * 960 - stock.preSkip))
  }

  @Test("the uuid box holds the name, the salt and the facts, at the end of moov")
  func facts() throws {
    let bytes = start(try StockPackets.shared.get())
    let boxes = try BoxReader.boxes(bytes)
    #expect(boxes.map(\.type) == [.fileType, .movie])
    let inner = try BoxReader.boxes(bytes, in: boxes[1].content)
    let uuid = try #require(inner.last)
    #expect(uuid.type == .extended)
    #expect(
      Array(bytes[uuid.content]) == InitSegment.userType + salt + Array("format=1\ncamera=a = b".utf8))
    #expect(InitSegment.userType.count == 16)
  }

  @Test("a high profile says its chroma format, a constrained one does not", arguments: [100, 77, 66] as [UInt8])
  func profiles(_ profile: UInt8) throws {
    let sets = H264ParameterSets(sequence: [0x67, profile, 0xC0, 31, 1, 2], picture: [0x68, 1])
    let bytes = InitSegment(
      video: VideoTrack(width: 96, height: 64, parameterSets: sets), audio: nil, salt: salt, facts: []
    ).bytes()
    let name = Array("avcC".utf8)
    let at = try #require((0..<bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == name })
    let length = bytes[at - 4..<at].reduce(0) { $0 << 8 | Int($1) }
    // Version, three of the sequence, lengths of 4 bytes, one set of each with 16-bit lengths.
    let plain: [UInt8] = [1, profile, 0xC0, 31, 0xFF, 0xE1, 0, 6] + sets.sequence + [1, 0, 2] + sets.picture
    let expected = plain + (profile == 100 ? [0xFD, 0xF8, 0xF8, 0] : [])
    #expect(Array(bytes[at + 4..<at - 4 + length]) == expected)
  }

  @Test("parameter sets that are cut short make no reader run past them")
  func emptySets() {
    let sets = H264ParameterSets(sequence: [], picture: [])
    let bytes = InitSegment(
      video: VideoTrack(width: 96, height: 64, parameterSets: sets), audio: nil, salt: salt, facts: []
    ).bytes()
    #expect(throws: Never.self) { try BoxReader.boxes(bytes) }
  }
}

@Suite("EventMessage")
struct EventMessageTests {
  @Test("an event is an emsg box of version 1 with its time on the media timeline")
  func fields() throws {
    let bytes = EventMessage(mediaMilliseconds: 1 << 40, identifier: 7, value: "mark", message: "label=dör").bytes()
    let boxes = try BoxReader.boxes(bytes)
    #expect(boxes.count == 1 && boxes[0].type == .eventMessage)
    var fields = BoxFields(bytes, in: boxes[0].content, of: .eventMessage)
    #expect(try fields.u32() == 1 << 24)
    #expect(try fields.u32() == 1_000)
    #expect(try fields.u64() == 1 << 40)
    #expect(try fields.u32() == 0)
    #expect(try fields.u32() == 7)
    #expect(try fields.cString() == EventMessage.scheme)
    #expect(try fields.cString() == "mark")
    #expect(try fields.bytes(fields.remaining) == Array("label=dör".utf8))
  }

  @Test("an event before the recording's start lies at its start")
  func early() throws {
    let bytes = EventMessage(mediaMilliseconds: -5, identifier: 1, value: "trigger", message: "").bytes()
    var fields = BoxFields(bytes, in: 16..<24, of: .eventMessage)
    #expect(try fields.u64() == 0)
  }

  @Test("events and padding between fragments disturb no stock tool")
  func betweenFragments() throws {
    let stock = try StockPackets.shared.get()
    let start = InitSegment(
      video: VideoTrack(width: 96, height: 64, parameterSets: stock.parameterSets),
      audio: AudioTrack(channels: 1, preSkip: stock.preSkip), salt: [UInt8](repeating: 1, count: 32), facts: []
    ).bytes()
    var bytes = start
    for number in 0..<4 {
      bytes += EventMessage(mediaMilliseconds: Int64(number) * 500, identifier: 1, value: "mark", message: "").bytes()
      bytes += stock.fragment(number)
      bytes += [0, 1, 0, 0] + Array("free".utf8) + [UInt8](repeating: 0, count: 65_528)
    }
    let frames = try quietly(
      ["ffmpeg", "-v", "warning", "-i", "FILE", "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-"], input: bytes)
    #expect(frames.count == 60 * 96 * 64)
  }
}
