public import Evidence
import Glibc
import LinuxIO

/// Why a recording was not deleted, or not wholly.
public enum DeletionFailure: Error, Sendable, CustomStringConvertible {
  /// The receipt does not allow it. Nothing was changed.
  case refused(ReceiptRefusal)
  /// It is being recorded, or was cut off in this run of the recorder. Nothing was changed.
  case notEnded
  /// Its files could not be read, so that they could not be compared. Nothing was changed.
  case unreadable(ReadFailure)
  /// DELETE could not be made durable. Whether the card has the line is known at the next start, which acts on it.
  case notLogged(StoreError)
  /// DELETE is durable, and not all of the files could be removed: the next start goes on with it.
  case unfinished(StoreError)

  public var description: String {
    switch self {
    case .refused(let refusal): refusal.description
    case .notEnded:
      "the recording has not ended, or was cut off and not recovered yet; stop it or start the recorder again, then copy and "
        + "verify it"
    case .unreadable(let failure): "nothing was deleted: \(failure)"
    case .notLogged(let error): "nothing was deleted yet: \(error)"
    case .unfinished(let error): "the recording is deleted, and what is left of it goes at the next start: \(error)"
    }
  }
}

/// What happens while the camera is docked. On the store thread, like everything here.
extension EvidenceStore {
  /// Deletes a recording that a dock holds a copy of, byte for byte.
  ///
  /// DELETE is durable before the first name goes. Segments go before the journal, so that what a power cut leaves still says
  /// what it is; the next start removes that.
  @discardableResult
  public mutating func delete(_ checked: CheckedReceipt) throws(DeletionFailure) -> Deletion {
    guard checked.receipt.device == parties.device.identity.id else {
      throw .refused(.otherCamera(checked.receipt.device))
    }
    let deletion = Deletion(checked.receipt)
    let memory = counters.record.memory
    if memory.id == deletion.id, [.reserved, .opened].contains(memory.state) { throw .notEnded }
    do {
      let directory: Directory
      do throws(LinuxError) { directory = try recordings.directory(checked.name) } catch {
        throw error.errno == ENOENT
          ? DeletionFailure.refused(.gone(checked.name))
          : .unreadable(ReadFailure(file: checked.name, reason: error.description))
      }
      try checked.requireUnchanged(directory)
    } catch let failure as DeletionFailure {
      throw failure
    } catch {
      throw .unreadable(ReadFailure(file: checked.name, reason: "\(error)"))
    }
    do throws(StoreError) {
      try log.append(.delete(deletion))
      let head = log.head
      try counters.update {
        var memory = $0.memory
        if memory.id == deletion.id { memory.forgetRecording() }
        $0.remember(memory)
        $0.remember(log: head)
      }
    } catch {
      throw .notLogged(error)
    }
    do throws(StoreError) { try removeDeleted(checked.name) } catch { throw .unfinished(error) }
    return deletion
  }

  /// Removes the files of a recording whose DELETE is durable, and its directory. What is no file of a recording is left, and
  /// is an error.
  func removeDeleted(_ name: String) throws(StoreError) {
    try onCard(.store) { () throws(LinuxError) in
      let directory = try recordings.directory(name)
      let names = try directory.names()
      for segment in names.sorted() where EvidenceName.parseSegment(segment) != nil { try directory.unlink(segment) }
      try directory.sync()
      for last in [EvidenceName.receipt, EvidenceName.journal] where names.contains(last) { try directory.unlink(last) }
      try recordings.remove(directory: name)
      try recordings.sync()
    }
  }

  /// DOCK, durable: what a dock said of itself and of the time. Write it before the clock is set.
  public mutating func greet(_ dock: DockGreeting) throws(StoreError) {
    try log.append(.dock(Docking(dock)))
    try rememberLog()
  }

  /// ANCHOR, durable, for the dock to keep: the line.
  /// - Parameter nonce: the dock's.
  public mutating func anchorLog(nonce: Hash32) throws(StoreError) -> [UInt8] {
    let memory = counters.record.memory
    var recording: StoreCheck.Recording?
    if let id = memory.id, let head = memory.journal {
      recording = StoreCheck.Recording(id: id, counter: memory.recordingCounter, head: head)
    }
    let line = try log.append(.anchor(LogAnchor(nonce: nonce, recording: recording)))
    try rememberLog()
    return line
  }

  /// AUDIT, durable.
  public mutating func audit(_ event: AuditEvent) throws(StoreError) { try audit([event]) }

  /// AUDIT lines, durable with one flush, or one for each page that they fill.
  public mutating func audit(_ events: [AuditEvent]) throws(StoreError) {
    // Before the log is touched: a line that cannot be made would end it.
    try sealing(.store) { () throws(EvidenceError) in for event in events { try event.requireValid() } }
    guard lock != nil else { throw StoreError(.store, "the store at \(path) is not open since the card failed") }
    try log.append(events.map { .audit($0) })
  }

  private mutating func rememberLog() throws(StoreError) {
    let head = log.head
    try counters.update { $0.remember(log: head) }
  }
}
