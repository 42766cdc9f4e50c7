/// The bytes before the first fragment: `ftyp` and a `moov` whose tracks have no samples (ISO/IEC 14496-12, 8.2 and 8.8).
public struct InitSegment: Hashable, Sendable {
  /// The sixteen bytes that name Lapel's `uuid` box.
  public static let userType = Array("LAPEL1 init box\0".utf8)

  public var video: VideoTrack?
  public var audio: AudioTrack?
  /// Sound before the first fragment's, for the decoder; nil unless the sound goes on from a segment before. With it
  /// `RunIn.preSkip` stands in place of the track's own.
  public var runIn: RunIn?
  /// What the `uuid` box holds: a salt of 32 random bytes, then text.
  public var salt: [UInt8]
  /// Facts of the recording and segment; keys and values without line breaks.
  public var facts: [(key: String, value: String)]

  public static func == (left: InitSegment, right: InitSegment) -> Bool { left.bytes() == right.bytes() }
  public func hash(into hasher: inout Hasher) { hasher.combine(bytes()) }

  public init(
    video: VideoTrack?, audio: AudioTrack?, runIn: RunIn? = nil, salt: [UInt8], facts: [(key: String, value: String)]
  ) {
    self.video = video
    self.audio = audio
    self.runIn = runIn
    self.salt = salt
    self.facts = facts
  }

  /// The whole segment; where there is a run-in, its last `runIn.byteCount` bytes are zeros, to be overwritten with the
  /// packets. Called once a segment; allocates.
  public func bytes() -> [UInt8] {
    var writer = BoxWriter(reservingCapacity: 2_048)
    writer.box("ftyp") {
      $0.fourCC("iso6")
      $0.u32(0)
      for brand: StaticString in ["iso6", "mp41", "cmfc"] { $0.fourCC(brand) }
    }
    writer.box("moov") { moov in
      Self.movieHeader(&moov)
      if let video { Self.videoTrack(video, &moov) }
      if let audio {
        Self.audioTrack(audio, preSkip: runIn == nil ? audio.preSkip : RunIn.preSkip, &moov)
      }
      moov.box("mvex") { mvex in
        if video != nil { Self.trackExtends(.video, duration: 0, &mvex) }
        if audio != nil { Self.trackExtends(.audio, duration: 960, &mvex) }
      }
      moov.box("uuid") { uuid in
        uuid.raw(Self.userType)
        uuid.raw(salt)
        uuid.raw(facts.map { "\($0.key)=\($0.value)" }.joined(separator: "\n").utf8)
      }
      if let audio, let runIn { runIn.write(channels: audio.channels, &moov) }
    }
    return writer.bytes
  }

  private static func movieHeader(_ moov: inout BoxWriter) {
    moov.fullBox("mvhd") {
      $0.zeros(8)  // Creation and modification time: in the uuid box, with the clock's trust.
      $0.u32(1_000)
      $0.u32(0)  // Unknown duration.
      $0.u32(0x0001_0000)
      $0.u16(0x0100)
      $0.zeros(10)
      matrix(.none, width: 0, height: 0, &$0)
      $0.zeros(24)
      $0.u32(3)  // Next track ID.
    }
  }

  /// What turns a picture and moves it back to where it was (ISO/IEC 14496-12, 8.3.2 and 6.2.2): 16.16, but 2.30 in each third.
  private static func matrix(_ rotation: DisplayRotation, width: Int, height: Int, _ writer: inout BoxWriter) {
    let one: Int32 = 0x0001_0000
    let (right, down) = (Int32(clamping: width) << 16, Int32(clamping: height) << 16)
    let values: [Int32] =
      switch rotation {
      case .none: [one, 0, 0, 0, one, 0, 0, 0]
      case .quarter: [0, one, 0, -one, 0, 0, down, 0]
      case .half: [-one, 0, 0, 0, -one, 0, right, down]
      case .threeQuarters: [0, -one, 0, one, 0, 0, 0, right]
      }
    for value in values { writer.u32(UInt32(bitPattern: value)) }
    writer.u32(0x4000_0000)
  }

  private static func trackHeader(
    _ id: TrackID, width: Int, height: Int, rotation: DisplayRotation = .none, _ trak: inout BoxWriter
  ) {
    trak.fullBox("tkhd", flags: 3) {  // Enabled, in the movie.
      $0.zeros(8)
      $0.u32(UInt32(id.rawValue))
      $0.zeros(8)  // Reserved, unknown duration.
      $0.zeros(8)
      $0.u16(0)
      $0.u16(0)
      $0.u16(id == .audio ? 0x0100 : 0)
      $0.u16(0)
      matrix(rotation, width: width, height: height, &$0)
      $0.u32(UInt32(width) << 16)
      $0.u32(UInt32(height) << 16)
    }
  }

  private static func media(
    handler: StaticString, name: String, timescale: Int64, _ trak: inout BoxWriter,
    header: @escaping (inout BoxWriter) -> Void, entry: @escaping (inout BoxWriter) -> Void
  ) {
    trak.box("mdia") { mdia in
      mdia.fullBox("mdhd") {
        $0.zeros(8)
        $0.u32(UInt32(timescale))
        $0.u32(0)
        $0.u16(0x55C4)  // Language: undetermined.
        $0.u16(0)
      }
      mdia.fullBox("hdlr") {
        $0.u32(0)
        $0.fourCC(handler)
        $0.zeros(12)
        $0.cString(name)
      }
      mdia.box("minf") { minf in
        header(&minf)
        minf.box("dinf") { dinf in
          dinf.fullBox("dref") {
            $0.u32(1)
            $0.fullBox("url ", flags: 1) { _ in }  // The media is in this file.
          }
        }
        minf.box("stbl") { stbl in
          stbl.fullBox("stsd") {
            $0.u32(1)
            entry(&$0)
          }
          stbl.fullBox("stts") { $0.u32(0) }
          stbl.fullBox("stsc") { $0.u32(0) }
          stbl.fullBox("stsz") { $0.zeros(8) }
          stbl.fullBox("stco") { $0.u32(0) }
        }
      }
    }
  }

  private static func videoTrack(_ track: VideoTrack, _ moov: inout BoxWriter) {
    moov.box("trak") { trak in
      trackHeader(.video, width: track.width, height: track.height, rotation: track.rotation, &trak)
      media(handler: "vide", name: "Video", timescale: VideoTrack.timescale, &trak) {
        $0.fullBox("vmhd", flags: 1) { $0.zeros(8) }
      } entry: { stsd in
        switch track.codec {
        case .h264(let sets):
          stsd.box("avc1") {  // ISO/IEC 14496-15, 5.4.2.
            visualEntry(track, &$0)
            decoderConfiguration(sets, &$0)
          }
        case .jpeg:
          stsd.box("mp4v") {  // ISO/IEC 14496-14, 5.6: what an object type says.
            visualEntry(track, &$0)
            jpegDescriptor(&$0)
          }
        }
      }
    }
  }

  /// What every sample entry of pictures begins with (ISO/IEC 14496-12, 12.1.3).
  private static func visualEntry(_ track: VideoTrack, _ entry: inout BoxWriter) {
    entry.zeros(6)
    entry.u16(1)
    entry.zeros(16)
    entry.u16(UInt16(truncatingIfNeeded: track.width))
    entry.u16(UInt16(truncatingIfNeeded: track.height))
    entry.u32(0x0048_0000)
    entry.u32(0x0048_0000)
    entry.u32(0)
    entry.u16(1)
    entry.zeros(32)
    entry.u16(0x0018)
    entry.u16(0xFFFF)
  }

  /// `esds` of pictures of object type 0x6C, ISO/IEC 10918-1 (ISO/IEC 14496-1, 7.2.6.5 and 7.2.6.6). A JPEG carries all that
  /// its decoder needs, so there is no specific information.
  private static func jpegDescriptor(_ writer: inout BoxWriter) {
    writer.fullBox("esds") {
      $0.raw([0x03, 21] as [UInt8])  // ES_Descriptor, and how long the rest is.
      $0.u16(0)  // The track says which stream it is.
      $0.u8(0)
      $0.raw([0x04, 13, 0x6C, 0x11] as [UInt8])  // DecoderConfigDescriptor: JPEG, a visual stream.
      $0.zeros(3 + 4 + 4)  // Buffer size and bitrates: not known.
      $0.raw([0x06, 1, 0x02] as [UInt8])  // SLConfigDescriptor: as in MP4 files.
    }
  }

  /// `avcC` (ISO/IEC 14496-15, 5.3.3): one of each parameter set, lengths of four bytes.
  private static func decoderConfiguration(_ sets: H264ParameterSets, _ writer: inout BoxWriter) {
    writer.box("avcC") {
      $0.u8(1)
      // Profile, constraints, level: the three bytes after the NAL header.
      for index in 1...3 { $0.u8(index < sets.sequence.count ? sets.sequence[index] : 0) }
      $0.u8(0xFF)
      $0.u8(0xE1)
      $0.u16(UInt16(truncatingIfNeeded: sets.sequence.count))
      $0.raw(sets.sequence)
      $0.u8(1)
      $0.u16(UInt16(truncatingIfNeeded: sets.picture.count))
      $0.raw(sets.picture)
      // High profiles say their chroma format and bit depths again: 4:2:0, 8 bits.
      if sets.sequence.count > 1, [100, 110, 122, 144].contains(sets.sequence[1]) {
        $0.u8(0xFD)
        $0.u8(0xF8)
        $0.u8(0xF8)
        $0.u8(0)
      }
    }
  }

  private static func audioTrack(_ track: AudioTrack, preSkip: Int, _ moov: inout BoxWriter) {
    moov.box("trak") { trak in
      trackHeader(.audio, width: 0, height: 0, &trak)
      media(handler: "soun", name: "Sound", timescale: AudioTrack.timescale, &trak) {
        $0.fullBox("smhd") { $0.zeros(4) }
      } entry: { stsd in
        stsd.box("Opus") {  // Encapsulation of Opus in ISO Base Media File Format, 4.3.1.
          $0.zeros(6)
          $0.u16(1)
          $0.zeros(8)
          $0.u16(UInt16(truncatingIfNeeded: track.channels))
          $0.u16(16)
          $0.zeros(4)
          $0.u32(48_000 << 16)
          $0.box("dOps") {
            $0.u8(0)
            $0.u8(UInt8(truncatingIfNeeded: track.channels))
            $0.u16(UInt16(truncatingIfNeeded: preSkip))
            $0.u32(48_000)
            $0.u16(0)
            $0.u8(0)
          }
        }
      }
    }
  }

  private static func trackExtends(_ id: TrackID, duration: UInt32, _ mvex: inout BoxWriter) {
    mvex.fullBox("trex") {
      $0.u32(UInt32(id.rawValue))
      $0.u32(1)
      $0.u32(duration)
      $0.u32(0)
      $0.u32(0)
    }
  }
}
