/// The sound directly before a segment's edge: what a decoder must have heard so that the segment's first sample is the one
/// that it would be had the sound been decoded from its start. Nothing of it is presented.
///
/// It is a fragment of its own inside the `moov`, in a `udta` box (ISO/IEC 14496-12, 8.10.1), which players that do not know
/// what to do with its content pass over: they play the segment as if it were not there. libavformat, and so FFmpeg, mpv and
/// Chromium, reads fragments wherever they stand. There every sample that does not begin after the one before is decoded and
/// dropped (mov.c, "Fragments can overlap in time. Discard overlapping frames after decoding"). Hence its form: all samples
/// begin one tick before the edge and last no time, so nobody has anything to present. The first has none before it and is
/// not dropped; it is a packet of one byte and 2.5 ms, the shortest of Opus, and `preSkip` takes it away.
///
/// Other ways, tried with FFmpeg 5.1 and Chromium 156: an edit list over samples in the `moov` plays in the former only, and
/// a `PreSkip` of a second puts Chromium's sound a second ahead of the picture after every seek.
public struct RunIn: Hashable, Sendable {
  /// How much sound: FFmpeg's decoder is the same to the last bit after 0.6 s, measured at some dozens of edges.
  public static let span = Nanoseconds.seconds(1)
  /// Packets of 20 ms in `span`.
  public static let packetLimit = 50
  /// `AudioTrack.preSkip` of a segment that has one: the samples of the first packet.
  public static let preSkip = 120

  /// Ticks of the segment's first sound; above 0.
  public var edge: Int64
  /// Bytes of each packet, oldest first; not empty. The last one is directly before the edge.
  public var lengths: [Int]

  public init(edge: Int64, lengths: [Int]) {
    self.edge = edge
    self.lengths = lengths
  }

  /// Bytes of all packets.
  public var byteCount: Int { lengths.reduce(0, +) }

  /// Writes the `udta` box. Its last `byteCount` bytes are zeros: the place of the packets.
  func write(channels: Int, _ moov: inout BoxWriter) {
    moov.box("udta") { udta in
      var offsets: [Int] = []
      let start = udta.count
      udta.box("moof") { moof in
        moof.fullBox("mfhd") { $0.u32(0) }
        moof.box("traf") { traf in
          // Offsets count from the moof.
          traf.fullBox("tfhd", flags: 0x02_0000) { $0.u32(UInt32(TrackID.audio.rawValue)) }
          traf.fullBox("tfdt", version: 1) { $0.u64(UInt64(max(0, edge - 1))) }
          // Data offset; duration and size of each.
          for run in [[1], lengths] {
            traf.fullBox("trun", flags: 0x0301) { trun in
              trun.u32(UInt32(run.count))
              offsets.append(trun.count)
              trun.u32(0)
              for length in run {
                trun.u32(0)
                trun.u32(UInt32(clamping: length))
              }
            }
          }
        }
      }
      let payload = udta.count + 8 - start
      for (index, offset) in offsets.enumerated() {
        udta.patch(UInt32(truncatingIfNeeded: payload + index), at: offset)
      }
      udta.box("free") {
        // CELT, full band, 2.5 ms, one frame of no bytes (RFC 6716, 3.1).
        $0.u8(channels == 2 ? 0xE4 : 0xE0)
        $0.zeros(byteCount)
      }
    }
  }
}
