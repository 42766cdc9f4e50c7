/// An ANCHOR line of a device log as a dock keeps it: the camera's signature over the dock's nonce, its log up to there, and
/// its newest recording. No note: the line itself, with its LF.
public struct Anchor: Hashable, Sendable {
  public let device: EvidenceID
  /// The line's number and hash.
  public let head: ChainHead
  /// What the line says.
  public let facts: LogAnchor
  /// ms since 1970 UTC, by the camera's clock.
  public let wall: Int64

  /// - Throws: `.journalLine` for anything but one ANCHOR line; `.signature` when the device did not sign it.
  public init(parsing bytes: [UInt8], device: DeviceIdentity) throws(EvidenceError) {
    let line = try JournalLine(parsing: bytes)
    guard line.deviceSignature == nil, case .anchor(let facts) = try DeviceLogEntry(line) else {
      throw EvidenceError(.journalLine, "this is no ANCHOR line of a device log")
    }
    let message = JournalChain.Domain.deviceLog.message(id: device.id, line.signedBytes)
    guard device.publicKey.verifies(line.signature, over: message) else {
      throw EvidenceError(.signature, "device \(device.id) did not sign this anchor")
    }
    self.device = device.id
    head = ChainHead(n: line.n, hash: line.hash)
    self.facts = facts
    wall = try Keys(line).number(Key.wall)
  }
}

/// What an agency's docks keep of cameras: receipts and anchors. They bound what a card can hide: a line of a device log or of
/// a journal that they name was there.
public struct DockRecords: Sendable {
  /// Receipts by the hash of the whole note.
  public private(set) var receipts: [Hash32: Receipt] = [:]
  /// Notes that are no receipt to be believed, by their hash, and why.
  public private(set) var refused: [Hash32: ReceiptRefusal] = [:]
  public private(set) var anchors: [Anchor] = []

  public init() {}

  /// - Parameter roles: nil: no agency is known, and no receipt is believed.
  public mutating func add(receipt bytes: [UInt8], roles: RolesNote?) {
    guard let roles else {
      refused[Hash32.sha256(of: bytes)] = .malformed("no roles.note is at hand that says who may sign receipts")
      return
    }
    do throws(ReceiptRefusal) {
      let receipt = try Receipt(parsing: bytes, roles: roles)
      receipts[receipt.hash] = receipt
    } catch {
      refused[Hash32.sha256(of: bytes)] = error
    }
  }

  /// - Throws: as `Anchor`.
  public mutating func add(anchor bytes: [UInt8], device: DeviceIdentity) throws(EvidenceError) {
    anchors.append(try Anchor(parsing: bytes, device: device))
  }

  /// A line of the device log that a dock has seen.
  struct LogWitness {
    let head: ChainHead
    /// Who says so, for people.
    let words: String
  }

  /// In the order of the log.
  func logWitnesses(of device: EvidenceID) -> [LogWitness] {
    let seen = anchors.filter { $0.device == device }.map {
      LogWitness(head: $0.head, words: "a dock holds the camera's signature of it (ANCHOR)")
    }
    let receipted = receipts.values.filter { $0.device == device }.compactMap { receipt in
      receipt.log.map {
        LogWitness(head: $0.head, words: "the receipt of recording \(receipt.counter) by \(receipt.dock.name) names it")
      }
    }
    return (seen + receipted).sorted {
      ($0.head.n, "\($0.head.hash)", $0.words) < ($1.head.n, "\($1.head.hash)", $1.words)
    }
  }

  /// Lines of a recording's journal that a dock has seen, in their order.
  func journalWitnesses(of id: EvidenceID, device: EvidenceID) -> [DeviceLog.Witness] {
    let seen = anchors.filter { $0.device == device }.compactMap { anchor in
      anchor.facts.recording.flatMap { recording in
        recording.id == id
          ? DeviceLog.Witness(
            head: recording.head,
            words: "the camera signed line \(recording.head.n) of the journal for a dock (ANCHOR \(anchor.head.n))")
          : nil
      }
    }
    let receipted = receipts.values.filter { $0.device == device && $0.id == id }.map {
      DeviceLog.Witness(head: $0.last, words: "the receipt by \($0.dock.name) names line \($0.last.n) of the journal")
    }
    return (seen + receipted).sorted {
      ($0.head.n, "\($0.head.hash)", $0.words) < ($1.head.n, "\($1.head.hash)", $1.words)
    }
  }

  /// Whether a dock had the recording when the device's log had no line behind `n`.
  func hasReceipt(for opening: Verdict.Opening, upTo n: Int64) -> Bool {
    receipts.values.contains { receipt in
      receipt.device == opening.device && receipt.id == opening.id && receipt.openHash == opening.hash
        && receipt.log.map { $0.head.n <= n } == true
    }
  }

  /// The earliest receipt of the device that found everything up to then CONTINUOUS and whose log line `isReached` knows.
  func continuity(of device: EvidenceID, isReached: (ChainHead) -> Bool) -> Receipt? {
    receipts.values.filter { receipt in
      receipt.device == device && receipt.completeness == .continuous && receipt.log.map { isReached($0.head) } == true
    }.min { ($0.log?.head.n ?? 0, "\($0.hash)") < ($1.log?.head.n ?? 0, "\($1.hash)") }
  }
}
