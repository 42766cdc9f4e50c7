import Crypto

/// What a start finds of one recording: how far its journal is valid, and what lies behind that. Reads, and changes nothing.
///
/// The journal is read once, line by line (see `ValidLines`), with memory for its segments only (some 100 bytes each). Of the
/// segments only sizes are asked and what lies behind the last checkpoint is read.
public struct RecordingScan: Sendable {
  public enum Origin: Hashable, Sendable {
    /// There is no valid OPEN.
    case unknown
    /// OPEN is valid and of another camera, or of another recording than the directory's name says.
    case foreign
    /// This camera's, with OPEN's hash and the last line of the device log that it names.
    case own(openHash: Hash32, deviceLog: ChainHead)
  }

  /// Bytes that a start may read, so that it is ready within seconds whatever is on the card.
  public struct Budget: Hashable, Sendable {
    /// Of journals, asked before each: a day of recording has some 60 MB.
    public var journals: Int64
    /// Of what lies behind the last checkpoints: a second of footage in each interrupted recording.
    public var tails: Int64

    public init(journals: Int64 = 128 << 20, tails: Int64 = 64 << 20) {
      self.journals = journals
      self.tails = tails
    }
  }

  /// What lies behind is no line of ours: no recorder records for days without a pause.
  static let journalLimit: Int64 = 256 << 20

  public let id: EvidenceID
  public let counter: Int64
  public private(set) var origin = Origin.unknown
  /// The last valid line.
  public private(set) var head: ChainHead?
  /// The last valid line is CLOSE.
  public private(set) var isClosed = false
  /// The journal's size, and the bytes after the last valid line; nil: there is no journal.
  public private(set) var tail: FoundBytes?
  /// Segments without ENDSEG, of another size than it says, or without SEG, by number.
  public private(set) var files: [RecoveredFile] = []
  /// SEG lines.
  public private(set) var segments = 0
  /// µs of media up to the last CKPT; nil before the first.
  public private(set) var mediaTime: Int64?
  /// Segments that a SEG line names and that are not there.
  public private(set) var missing: [String] = []
  /// Names that are none of a recording's.
  public private(set) var others: [String] = []
  /// Whether the line `anchor` is among the valid ones.
  public private(set) var hasAnchor = false

  /// - Parameters:
  ///   - device: whose recordings are this camera's own.
  ///   - anchor: a line that is remembered.
  ///   - budget: what may be read; what was is taken off.
  public init(
    _ files: borrowing some EvidenceFiles, id: EvidenceID, counter: Int64, device: DeviceIdentity, anchor: ChainHead?,
    budget: inout Budget
  ) throws(ReadFailure) {
    self.id = id
    self.counter = counter
    let names = Set(try files.names())
    others = names.filter {
      $0 != EvidenceName.journal && $0 != EvidenceName.receipt && EvidenceName.parseSegment($0) == nil
    }.sorted()
    var valid = ValidLines()
    var lines = Lines(anchor: anchor, device: device)
    if names.contains(EvidenceName.journal) {
      let size = try files.size(of: EvidenceName.journal)
      let limit = min(size, Self.journalLimit)
      (valid, lines) = try ValidLines.read(files, limit: limit, gathering: lines) { $0.take($1, $2) }
      budget.journals -= limit
      tail = Self.found(
        in: files, EvidenceName.journal, size: size, from: min(valid.end, size), budget: &budget.tails)
    }
    head = valid.prefix.head
    isClosed = valid.isClosed
    hasAnchor = lines.hasAnchor
    mediaTime = lines.mediaTime
    segments = lines.segments.count
    if let opening = lines.opening {
      let open = opening.record
      let isOwn = open.device == device.id && lines.isOpenedByDevice
      let isNamed = open.id == id && open.facts.recordingCounter == counter
      origin = isOwn && isNamed ? .own(openHash: opening.hash, deviceLog: open.facts.deviceLog) : .foreign
    }
    // What a line of somebody else says of segments is worth no reading.
    if case .foreign = origin { return }
    if !isClosed { try look(at: lines.segments, files, names, &budget) }
  }

  private mutating func look(
    at segments: [Int64: Lines.Segment], _ files: borrowing some EvidenceFiles, _ names: Set<String>,
    _ budget: inout Budget
  ) throws(ReadFailure) {
    let numbers = Set(names.compactMap { EvidenceName.parseSegment($0).map(Int64.init) }).union(segments.keys)
    for number in numbers.sorted() {
      let name = EvidenceName.segment(Int(number))
      let segment = segments[number]
      guard names.contains(name) else {
        missing.append(name)
        continue
      }
      let size = try files.size(of: name)
      if let total = segment?.total, total == size { continue }
      let tail = Self.found(in: files, name, size: size, from: segment?.length ?? 0, budget: &budget.tails)
      self.files.append(RecoveredFile(id: id, segment: number, chunks: segment?.chunks ?? 0, tail: tail))
    }
  }

  /// Hashes as much of [from, size) as the budget allows and the card gives.
  private static func found(
    in files: borrowing some EvidenceFiles, _ name: String, size: Int64, from: Int64, budget: inout Int64
  ) -> FoundBytes {
    var hash = SHA256()
    var end = from
    let limit = from < size ? from + min(size - from, max(0, budget)) : from
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)
    defer { buffer.deallocate() }
    // A card that fails in the middle has given what was hashed: that much is attested.
    _ = try? files.forEachPiece(of: name, from: from, to: limit, buffer: buffer) {
      hash.update(bufferPointer: $0)
      end += Int64($0.count)
    }
    budget -= end - from
    return FoundBytes(size: size, from: from, end: size < from ? from : end, hash: Hash32(hash.finalize()))
  }

  /// What the valid lines say of the recording and its segments.
  private struct Lines {
    struct Segment {
      var chunks: Int64 = 0
      /// `len` of the last CKPT, H before the first.
      var length: Int64
      /// As ENDSEG says.
      var total: Int64?
    }

    let anchor: ChainHead?
    let device: DeviceIdentity
    var opening: (record: JournalRecord.Open, hash: Hash32)?
    var isOpenedByDevice = false
    var segments: [Int64: Segment] = [:]
    var mediaTime: Int64?
    var hasAnchor = false

    init(anchor: ChainHead?, device: DeviceIdentity) {
      self.anchor = anchor
      self.device = device
    }

    mutating func take(_ line: JournalLine, _ prefix: JournalPrefix) {
      if let anchor, line.n == anchor.n { hasAnchor = line.hash == anchor.hash }
      // Lines that this version does not understand are valid all the same.
      switch try? JournalRecord(line) {
      case .open(let open):
        opening = (open, line.hash)
        isOpenedByDevice = prefix.isSigned(line, by: device)
      case .segment(let record): segments[record.number] = Segment(length: record.headerLength)
      case .checkpoint(let record):
        segments[record.number]?.chunks = record.chunks
        segments[record.number]?.length = record.length
        mediaTime = record.facts.mediaTime
      case .endSegment(let record): segments[record.number]?.total = record.length
      case .abandon, .event, .close, .experiment, nil: break
      }
    }
  }
}
