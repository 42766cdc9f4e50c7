/// One sample of a fragment: what its `trun` says of it.
public struct FragmentSample: Hashable, Sendable {
  /// Ticks of its track's timescale, from the recording's start.
  public var ticks: Int64
  /// Ticks to the next sample.
  public var duration: Int64
  public var length: Int
  public var isKeyframe: Bool

  public init(ticks: Int64, duration: Int64, length: Int, isKeyframe: Bool) {
    self.ticks = ticks
    self.duration = duration
    self.length = length
    self.isKeyframe = isKeyframe
  }
}

/// Writes `moof` and the header of the `mdat` that follows it (ISO/IEC 14496-12, 8.8.4 to 8.8.8).
///
/// Each track's samples lie together in the `mdat`, in the order of the tracks given. The buffer is kept: after the
/// first fragments nothing is allocated.
public struct FragmentHeader {
  private var writer = BoxWriter(reservingCapacity: 8_192)

  public init() {}

  /// The bytes of the last `write`.
  public var bytes: [UInt8] { writer.bytes }

  /// Sample flags (8.8.3.1): an IDR depends on no other sample; any other picture does and is no sync sample.
  private static let keyframeFlags: UInt32 = 0x0200_0000
  private static let otherFlags: UInt32 = 0x0101_0000

  /// - Parameters:
  ///   - sequence: number of the fragment in the recording, from 1.
  ///   - video: the video samples in order; may be empty.
  ///   - audio: the audio samples in order; may be empty.
  public mutating func write(sequence: UInt32, video: [FragmentSample], audio: [FragmentSample]) {
    writer.removeAll()
    var dataOffsets: [Int] = []
    writer.box("moof") { moof in
      moof.fullBox("mfhd") { $0.u32(sequence) }
      if !video.isEmpty { dataOffsets.append(Self.track(.video, samples: video, &moof)) }
      if !audio.isEmpty { dataOffsets.append(Self.track(.audio, samples: audio, &moof)) }
    }
    let videoBytes = video.reduce(0) { $0 + $1.length }
    let audioBytes = audio.reduce(0) { $0 + $1.length }
    var payload = writer.count + 8
    var index = 0
    if !video.isEmpty {
      writer.patch(UInt32(truncatingIfNeeded: payload), at: dataOffsets[index])
      payload += videoBytes
      index += 1
    }
    if !audio.isEmpty { writer.patch(UInt32(truncatingIfNeeded: payload), at: dataOffsets[index]) }
    writer.u32(UInt32(truncatingIfNeeded: 8 + videoBytes + audioBytes))
    writer.fourCC("mdat")
  }

  /// Bytes that `write` makes for so many samples.
  public static func byteCount(video: Int, audio: Int) -> Int {
    // moof, mfhd and the mdat's header; for each track traf, tfhd, tfdt, and trun with 12 or 8 bytes a sample.
    32 + (video > 0 ? 64 + 12 * video : 0) + (audio > 0 ? 64 + 8 * audio : 0)
  }

  /// Returns where the `trun`'s data offset is to be filled in.
  private static func track(_ id: TrackID, samples: [FragmentSample], _ moof: inout BoxWriter) -> Int {
    var dataOffset = 0
    moof.box("traf") { traf in
      traf.fullBox("tfhd", flags: 0x02_0000) { $0.u32(UInt32(id.rawValue)) }  // Offsets count from the moof.
      traf.fullBox("tfdt", version: 1) { $0.u64(UInt64(max(0, samples[0].ticks))) }
      // Data offset, duration, size; video also flags.
      let flags: UInt32 = id == .video ? 0x0701 : 0x0301
      traf.fullBox("trun", flags: flags) { trun in
        trun.u32(UInt32(samples.count))
        dataOffset = trun.count
        trun.u32(0)
        for sample in samples {
          trun.u32(UInt32(clamping: sample.duration))
          trun.u32(UInt32(clamping: sample.length))
          if id == .video { trun.u32(sample.isKeyframe ? keyframeFlags : otherFlags) }
        }
      }
    }
    return dataOffset
  }
}

/// A timed event inside the footage (ISO/IEC 23009-1, 5.10.3.3, version 1).
public struct EventMessage: Hashable, Sendable {
  /// Names the vocabulary of `value`.
  public static let scheme = "urn:lapel:event:1"

  /// Milliseconds of media time.
  public var mediaMilliseconds: Int64
  public var identifier: UInt32
  /// What happened: `trigger`, `mark`, `stop`.
  public var value: String
  /// Details as `key=value` lines.
  public var message: String

  public init(mediaMilliseconds: Int64, identifier: UInt32, value: String, message: String) {
    self.mediaMilliseconds = mediaMilliseconds
    self.identifier = identifier
    self.value = value
    self.message = message
  }

  /// The whole `emsg` box.
  public func bytes() -> [UInt8] {
    var writer = BoxWriter(reservingCapacity: 128)
    writer.fullBox("emsg", version: 1) {
      $0.u32(1_000)
      $0.u64(UInt64(max(0, mediaMilliseconds)))
      $0.u32(0)
      $0.u32(identifier)
      $0.cString(Self.scheme)
      $0.cString(value)
      $0.raw(message.utf8)
    }
    return writer.bytes
  }
}
