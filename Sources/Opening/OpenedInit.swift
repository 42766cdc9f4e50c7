public import Media

/// What the init of a segment says: its tracks, and Lapel's own facts.
public struct OpenedInit: Hashable, Sendable {
  public struct Track: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
      case video, audio
    }

    public let id: UInt32
    public let kind: Kind
    /// Ticks of a second.
    public let timescale: UInt32
    /// The sample entry: `avc1`, `mp4v` (JPEG), `Opus`.
    public let codec: BoxType
    /// Pixels; 0 for sound.
    public let width: Int
    public let height: Int
    /// 0 for pictures.
    public let channels: Int
    /// Samples of encoder delay at the start of the first packet; 0 for pictures.
    public fileprivate(set) var preSkip: Int
  }

  /// `ftyp` up to the end of `moov`, as it stands before the footage in a file: without the run-in, which belongs to the
  /// fragment that followed it in its segment.
  public let bytes: [UInt8]
  public let tracks: [Track]
  /// The 32 bytes that key the init's commitment.
  public let salt: [UInt8]
  /// The `key=value` lines of the `uuid` box. Of a key that stands twice the first counts.
  public let facts: [String: String]

  /// What must be equal for the fragments after two inits to play as one: everything but Lapel's `uuid` box, the run-in
  /// and the encoder delay.
  let playing: [UInt8]

  /// Tracks, at most.
  static let trackLimit = 8
  private static let saltLength = 32

  /// - Parameter bytes: exactly the init.
  /// - Throws: `.footage` when it is not one `ftyp` and one `moov` as the recorder writes them.
  public init(_ bytes: [UInt8]) throws(OpeningError) {
    do throws(BoxError) {
      try self.init(checking: bytes)
    } catch {
      throw OpeningError(.footage, "the init segment is malformed: \(error)")
    }
  }

  private init(checking bytes: [UInt8]) throws(BoxError) {
    let boxes = try BoxReader.boxes(bytes)
    guard boxes.map(\.type) == [.fileType, .movie], boxes[1].content.lowerBound == boxes[1].range.lowerBound + 8 else {
      throw BoxError(.order, type: boxes.last?.type, offset: 0)
    }
    var tracks: [Track] = []
    var facts: (salt: [UInt8], lines: [String: String])?
    var playing = Array(bytes[boxes[0].range])
    var preSkips: [Int] = []
    var runIn: Range<Int>?
    for box in try BoxReader.boxes(bytes, in: boxes[1].content) {
      var copy = Array(bytes[box.range])
      switch box.type {
      case BoxType("trak"):
        guard tracks.count < Self.trackLimit else {
          throw BoxError(.order, type: box.type, offset: Int64(box.range.lowerBound))
        }
        let (track, preSkipAt) = try Self.track(bytes, box.content)
        guard !tracks.contains(where: { $0.id == track.id }) else {
          throw BoxError(.value, type: box.type, offset: Int64(box.range.lowerBound))
        }
        tracks.append(track)
        if let preSkipAt {
          preSkips.append(preSkipAt)
          for offset in preSkipAt..<(preSkipAt + 2) { copy[offset - box.range.lowerBound] = 0 }
        }
        playing += copy
      case .extended where bytes[box.content].starts(with: InitSegment.userType):
        guard facts == nil else { throw BoxError(.order, type: box.type, offset: Int64(box.range.lowerBound)) }
        facts = try Self.facts(bytes, box.content)
      // A run-in is the last box.
      case .userData where box.range.upperBound == bytes.count: runIn = box.range
      default: playing += copy
      }
    }
    guard let facts else { throw BoxError(.missing, type: .extended, offset: Int64(boxes[1].range.lowerBound)) }
    if let runIn {
      self.bytes = Self.withoutRunIn(bytes, runIn, movie: boxes[1].range.lowerBound, preSkips)
      for index in tracks.indices { tracks[index].preSkip = 0 }
    } else {
      self.bytes = bytes
    }
    self.tracks = tracks
    self.salt = facts.salt
    self.facts = facts.lines
    self.playing = playing
  }

  /// Cuts the run-in off the end, and takes back the encoder delay that dropped its first packet.
  private static func withoutRunIn(_ bytes: [UInt8], _ runIn: Range<Int>, movie: Int, _ preSkips: [Int]) -> [UInt8] {
    var writer = BoxWriter(reservingCapacity: runIn.lowerBound)
    writer.raw(bytes[..<runIn.lowerBound])
    writer.patch(UInt32(truncatingIfNeeded: runIn.lowerBound - movie), at: movie)
    var left = writer.bytes
    for offset in preSkips { left.replaceSubrange(offset..<offset + 2, with: [0, 0]) }
    return left
  }

  private static func facts(
    _ bytes: [UInt8], _ content: Range<Int>
  ) throws(BoxError) -> (salt: [UInt8], lines: [String: String]) {
    var fields = BoxFields(bytes, in: content, of: .extended)
    try fields.skip(InitSegment.userType.count)
    let salt = try fields.bytes(saltLength)
    let text = String(decoding: try fields.bytes(fields.remaining), as: UTF8.self)
    var lines: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, lines[String(parts[0])] == nil { lines[String(parts[0])] = String(parts[1]) }
    }
    return (salt, lines)
  }

  /// The track, and where its encoder delay lies if it has one.
  private static func track(_ bytes: [UInt8], _ range: Range<Int>) throws(BoxError) -> (Track, preSkipAt: Int?) {
    func content(_ name: StaticString, _ range: Range<Int>) throws(BoxError) -> Range<Int> {
      try BoxReader.content(of: BoxType(name), bytes, in: range)
    }
    var header = BoxFields(bytes, in: try content("tkhd", range), of: BoxType("tkhd"))
    // Times are 64 bits wide in version 1 (8.3.2).
    try header.skip(try header.u8() == 1 ? 19 : 11)
    let id = try header.u32()
    let media = try content("mdia", range)
    var mediaHeader = BoxFields(bytes, in: try content("mdhd", media), of: BoxType("mdhd"))
    try mediaHeader.skip(try mediaHeader.u8() == 1 ? 19 : 11)
    let timescale = try mediaHeader.u32()
    guard timescale > 0 else { throw BoxError(.value, type: BoxType("mdhd"), offset: Int64(media.lowerBound)) }
    let description = try content("stsd", try content("stbl", try content("minf", media)))
    let entries = try BoxReader.boxes(
      bytes, in: min(description.lowerBound + 8, description.upperBound)..<description.upperBound)
    guard entries.count == 1 else {
      throw BoxError(.value, type: BoxType("stsd"), offset: Int64(description.lowerBound))
    }
    let entry = entries[0]
    var fields = BoxFields(bytes, in: entry.content, of: entry.type)
    switch entry.type {
    case BoxType("avc1"), BoxType("mp4v"):
      try fields.skip(24)
      let (width, height) = (Int(try fields.u16()), Int(try fields.u16()))
      let track = Track(
        id: id, kind: .video, timescale: timescale, codec: entry.type, width: width, height: height, channels: 0,
        preSkip: 0)
      return (track, nil)
    case BoxType("Opus"):
      try fields.skip(16)
      let channels = Int(try fields.u16())
      try fields.skip(10)
      let specific = try content("dOps", fields.offset..<entry.content.upperBound)
      var opus = BoxFields(bytes, in: specific, of: BoxType("dOps"))
      try opus.skip(2)
      let preSkip = Int(try opus.u16())
      let track = Track(
        id: id, kind: .audio, timescale: timescale, codec: entry.type, width: 0, height: 0, channels: channels,
        preSkip: preSkip)
      return (track, specific.lowerBound + 2)
    default: throw BoxError(.value, type: entry.type, offset: Int64(entry.range.lowerBound))
    }
  }
}
