import Crypto

/// A recording on a card as it is before it is deleted: whose it is, how far its journal goes, and every file with its hash.
public struct StoredRecording: Hashable, Sendable {
  public let id: EvidenceID
  public let counter: Int64
  /// Nil: no valid OPEN of this camera.
  public let openHash: Hash32?
  /// The journal's last valid line.
  public let last: ChainHead?
  /// Journal and segments.
  public let files: [Receipt.File]
  /// Names that are none of a recording's.
  public let others: [String]

  public init(
    id: EvidenceID, counter: Int64, openHash: Hash32?, last: ChainHead?, files: [Receipt.File], others: [String]
  ) {
    self.id = id
    self.counter = counter
    self.openHash = openHash
    self.last = last
    self.files = files
    self.others = others
  }

  /// Reads every byte of the recording.
  public init(
    _ files: borrowing some EvidenceFiles, id: EvidenceID, counter: Int64, device: DeviceIdentity
  ) throws(ReadFailure) {
    // What lies behind the checkpoints is hashed below, with everything else.
    var budget = RecordingScan.Budget(journals: .max, tails: 0)
    let scan = try RecordingScan(files, id: id, counter: counter, device: device, anchor: nil, budget: &budget)
    var openHash: Hash32?
    if case .own(let hash, _) = scan.origin { openHash = hash }
    self.init(
      id: id, counter: counter, openHash: openHash, last: scan.head, files: try Receipt.files(of: files),
      others: scan.others)
  }
}

extension Receipt {
  /// Every file of a recording that a receipt names, hashed.
  public static func files(of files: borrowing some EvidenceFiles) throws(ReadFailure) -> [File] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)
    defer { buffer.deallocate() }
    var result: [File] = []
    for name in try files.names().filter(isCovered).sorted() {
      let size = try files.size(of: name)
      var hash = SHA256()
      guard
        try files.forEachPiece(of: name, from: 0, to: size, buffer: buffer, { hash.update(bufferPointer: $0) })
      else { throw ReadFailure(file: name, reason: "it became shorter while it was read") }
      result.append(File(name: name, size: size, hash: Hash32(hash.finalize())))
    }
    return result
  }

  /// Whether this recording may be deleted now. Signature, grant and answers were looked at when the receipt was read.
  /// - Throws: the first thing that speaks against it.
  public func requirePermission(toDelete recording: StoredRecording, of device: EvidenceID) throws(ReceiptRefusal) {
    guard self.device == device else { throw .otherCamera(self.device) }
    guard id == recording.id, counter == recording.counter, openHash == recording.openHash else {
      throw .otherRecording(counter: counter, id: id)
    }
    if let other = recording.others.first { throw .notCopied(other) }
    // The journal tells best that the recording went on; what else differs, its files tell.
    if let last = recording.last, last.n > self.last.n {
      throw .stale("it ends with line \(self.last.n) of the journal, which now has line \(last.n)")
    }
    let named = Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
    for file in recording.files {
      guard let copy = named[file.name] else { throw .notCopied(file.name) }
      guard copy.size >= file.size else {
        throw .stale("\(file.name) has \(file.size) bytes, in the receipt \(copy.size)")
      }
      guard copy == file else { throw .changed(file.name) }
    }
    let present = Set(recording.files.map(\.name))
    if let missing = files.first(where: { !present.contains($0.name) }) { throw .gone(missing.name) }
    guard recording.last == last else { throw .changed(EvidenceName.journal) }
  }
}
