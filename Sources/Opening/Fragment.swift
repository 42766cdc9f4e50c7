import Media

/// What a `moof` says: the samples of each track, with their times (ISO/IEC 14496-12, 8.8.4 to 8.8.12).
struct Fragment {
  struct Track {
    let id: UInt32
    /// Start of each sample and, at the end, the end of the last one; ticks of the track.
    var times: [Int64]
    var sampleCount: Int { times.count - 1 }
  }

  var tracks: [Track] = []
  /// Bytes of the `mdat` content, from its start, that samples use.
  private(set) var dataLength: Int64 = 0

  /// Ticks above this are not the times of a recording (above 3,000 years at 90 kHz).
  private static let timeLimit: UInt64 = 1 << 53

  /// - Parameters:
  ///   - bytes: the whole `moof` with its header.
  ///   - dataHeaderLength: bytes of the header of the `mdat` behind it.
  init(_ bytes: [UInt8], dataHeaderLength: Int = 8) throws(BoxError) {
    guard let moof = try BoxReader.boxes(bytes).first, moof.type == .movieFragment, moof.range == bytes.indices else {
      throw BoxError(.missing, type: .movieFragment, offset: 0)
    }
    for box in try BoxReader.boxes(bytes, in: moof.content) where box.type == BoxType("traf") {
      try add(bytes, box, dataStart: Int64(bytes.count + dataHeaderLength))
    }
  }

  private mutating func add(_ bytes: [UInt8], _ traf: BoxReader.Box, dataStart: Int64) throws(BoxError) {
    var id: UInt32?
    var time: Int64?
    var times: [Int64] = []
    for box in try BoxReader.boxes(bytes, in: traf.content) {
      var fields = BoxFields(bytes, in: box.content, of: box.type)
      let broken = BoxError(.value, type: box.type, offset: Int64(box.range.lowerBound))
      switch box.type {
      case BoxType("tfhd"):
        let flags = try fields.u32() & 0xFF_FFFF
        // Offsets count from the moof and nothing else: only then may the moof stand elsewhere in another file.
        guard flags & 0x02_0001 == 0x02_0000, id == nil else { throw broken }
        id = try fields.u32()
      case BoxType("tfdt"):
        let version = try fields.u32() >> 24
        let value = version == 1 ? try fields.u64() : UInt64(try fields.u32())
        guard time == nil, value < Self.timeLimit else { throw broken }
        time = Int64(value)
        times.append(Int64(value))
      case BoxType("trun"):
        guard var now = time, id != nil else {
          throw BoxError(.order, type: box.type, offset: Int64(box.range.lowerBound))
        }
        let flags = try fields.u32() & 0xFF_FFFF
        // Data offset, and a duration and size for each sample: what the recorder writes.
        guard flags & 0x301 == 0x301 else { throw broken }
        let count = Int(try fields.u32())
        var end = Int64(Int32(truncatingIfNeeded: try fields.u32())) - dataStart
        guard end >= 0 else { throw broken }
        if flags & 4 != 0 { try fields.skip(4) }
        let width = 8 + (flags & 0x400 != 0 ? 4 : 0) + (flags & 0x800 != 0 ? 4 : 0)
        guard count <= fields.remaining / width else {
          throw BoxError(.truncated, type: box.type, offset: Int64(box.range.lowerBound))
        }
        for _ in 0..<count {
          now += Int64(try fields.u32())
          end += Int64(try fields.u32())
          try fields.skip(width - 8)
          times.append(now)
        }
        guard now < Self.timeLimit else { throw broken }
        time = now
        dataLength = max(dataLength, end)
      default: break
      }
    }
    guard let id, !times.isEmpty else {
      throw BoxError(.missing, type: BoxType("tfhd"), offset: Int64(traf.range.lowerBound))
    }
    // No more than an init has: a moof of 1 MiB could hold 26,000, each compared with all others.
    guard tracks.count < OpenedInit.trackLimit, !tracks.contains(where: { $0.id == id }) else {
      throw BoxError(.order, type: traf.type, offset: Int64(traf.range.lowerBound))
    }
    tracks.append(Track(id: id, times: times))
  }
}

/// Reads an `emsg` box of version 1, the only one that the recorder writes (ISO/IEC 23009-1, 5.10.3.3).
struct ReadEventMessage {
  /// Seconds on the media timeline.
  let time: Double
  let scheme: String
  let value: String
  let message: String

  /// - Parameter bytes: the whole box.
  init(_ bytes: [UInt8]) throws(BoxError) {
    guard let box = try BoxReader.boxes(bytes).first, box.type == .eventMessage else {
      throw BoxError(.missing, type: .eventMessage, offset: 0)
    }
    var fields = BoxFields(bytes, in: box.content, of: box.type)
    guard try fields.u32() >> 24 == 1 else { throw BoxError(.value, type: box.type, offset: 0) }
    let timescale = try fields.u32()
    let time = try fields.u64()
    guard timescale > 0 else { throw BoxError(.value, type: box.type, offset: 0) }
    try fields.skip(8)
    self.time = Double(time) / Double(timescale)
    scheme = try fields.cString()
    value = try fields.cString()
    message = String(decoding: try fields.bytes(fields.remaining), as: UTF8.self)
  }
}
