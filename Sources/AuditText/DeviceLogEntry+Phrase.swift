import Control
import Evidence
import Media

extension DeviceLogEntry {
  /// - Parameter wall: the line's own time, ms since 1970 UTC.
  func phrase(wall: Int64?) -> Phrase {
    switch self {
    case .opened(_, let counter, _, _): Phrase("opened", "recording \(counter) opened")
    case .closed(_, let counter, _, _): Phrase("closed", "recording \(counter) closed")
    case .void(let void):
      Phrase(
        "void", "recording \(void.counter) was cut off before it existed", [("isLeft", .bool(void.remains != nil))])
    case .check(let check): check.phrase
    case .recover(let journal): journal.phrase
    case .recoverFile(let file):
      Phrase(
        "recoveredSegment",
        "  its segment \(file.segment): \(Units.bytes(file.tail.size - file.tail.from)) behind the last checkpoint",
        [
          ("segment", .integer(file.segment)), ("bytes", .integer(file.tail.size)),
          ("fromByte", .integer(file.tail.from)), ("hashedToByte", .integer(file.tail.end)),
          ("sha256", .hash(file.tail.hash)),
        ])
    case .lost(_, let counter): Phrase("recordingLost", "recording \(counter) NOT found on the card")
    case .dock(let docking): docking.phrase(wall: wall)
    case .anchor(let anchor):
      Phrase(
        "anchored", "log signed for a dock",
        [("nonce", .hash(anchor.nonce)), ("newestRecording", .number(anchor.recording?.counter))])
    case .delete(let deletion):
      Phrase(
        "deleted", "recording \(deletion.counter) deleted, against a receipt by \(Words.plain(deletion.name))",
        [("by", .string(deletion.name)), ("receiptSha256", .hash(deletion.receipt))])
    case .audit(let event): event.phrase
    }
  }
}

extension StoreCheck {
  fileprivate var phrase: Phrase {
    let isQuiet = [log, journal].allSatisfy { $0 == StoreCheck.Result.none || $0 == .match }
    let words =
      if isQuiet {
        log == StoreCheck.Result.none && journal == StoreCheck.Result.none ? "nothing is remembered yet" : "match"
      } else {
        "log \(log.words); journal\(recording.map { " of recording \($0.counter)" } ?? "") \(journal.words)"
      }
    return Phrase(
      "storeCheck", "store check: \(words)",
      [
        ("log", .string(log.rawValue)), ("journal", .string(journal.rawValue)),
        ("newestRecording", .number(recording?.counter)),
      ])
  }
}

extension StoreCheck.Result {
  fileprivate var words: String {
    switch self {
    case .none: "not remembered"
    case .match: "match"
    case .behindOnly: "newer than remembered"
    case .missingLine: "LACKS a line"
    case .missingRecording: "is MISSING"
    }
  }
}

extension RecoveredJournal {
  fileprivate var phrase: Phrase {
    let torn = tail.size - tail.from
    let reach = head.map { "valid to line \($0.n)" } ?? "no valid line"
    let words =
      "recording \(counter) found cut off, \(reach)" + (torn > 0 ? ", \(Units.bytes(torn)) torn" : "")
      + (isChanged ? "; CHANGED meanwhile" : "")
    return Phrase(
      "recovered", words,
      [
        ("lastLine", .number(head?.n)), ("tornBytes", .integer(torn)), ("segments", .integer(files)),
        ("changed", .bool(isChanged)),
      ])
  }
}

extension Docking {
  fileprivate func phrase(wall own: Int64?) -> Phrase {
    var words = "docked at \(Words.plain(name))"
    if let own {
      let ahead = own &- wall
      words += ", camera's clock \(Words.duration(milliseconds: ahead)) \(ahead < 0 ? "behind" : "ahead")"
    }
    return Phrase("docked", words, [("dock", .string(name)), ("dockWallMs", .integer(wall))])
  }
}
