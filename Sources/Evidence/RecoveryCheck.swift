import Crypto

/// What the device log's RECOVER, RFILE and VOID lines say of a recording, compared with its files.
extension VerificationRun {
  /// The recoveries of this recording, when the log is that of its device.
  var recoveries: [DeviceLog.Recovery] {
    guard isFromKnownDevice, let log = verifier.deviceLog, log.device == verifier.trust?.device,
      let id = verdict.opening?.id
    else { return [] }
    return log.recoveries[id] ?? []
  }

  func recoveredFiles(_ segment: Int64) -> [RecoveredFile] { recoveries.compactMap { $0.files[segment] } }

  /// The journal against every RECOVER.
  mutating func checkRecoveredJournal(_ files: borrowing some EvidenceFiles) throws(ReadFailure) {
    guard let head else { return }
    let size = try files.size(of: EvidenceName.journal)
    var isAsFound = false
    for recovery in recoveries {
      let found = recovery.journal
      let start = recovery.startCounter
      isAsFound = false
      if size < found.tail.size {
        verdict.add(
          Finding(
            .end(.truncated), file: EvidenceName.journal, range: size..<found.tail.size, line: found.head?.n,
            "the journal had \(found.tail.size) bytes at the camera's start \(start)"))
      } else if head.n > found.head?.n ?? -1 {
        verdict.add(
          Finding(
            .remark(.longerThanRecovered), file: EvidenceName.journal, line: head.n,
            "at its start \(start) the camera found no valid line behind "
              + (found.head.map { "line \($0.n)" } ?? "the journal's beginning")))
      } else if head == found.head {
        let isSame = try hash(of: EvidenceName.journal, found.tail.from, found.tail.end, files) == found.tail.hash
        isAsFound = isSame && size == found.tail.size && validEnd == found.tail.from
        if !isAsFound {
          verdict.add(
            Finding(
              .integrity(.altered), file: EvidenceName.journal, range: min(found.tail.from, size)..<size,
              line: head.n + 1,
              "the bytes after the last valid line are not those that the camera found at its start \(start)"))
        }
      }
    }
    verdict.isRecovered = isAsFound && recoveries.last?.isComplete == true
    // Segments that no line names and that the camera saw.
    for recovery in recoveries {
      for number in recovery.files.keys.sorted() where number >= segmentCount {
        let name = EvidenceName.segment(Int(number))
        guard !names.contains(name) else { continue }
        verdict.add(
          Finding(
            .end(.truncated), file: name,
            "the camera found this file at its start \(recovery.startCounter), and it is not here"))
      }
    }
  }

  private func hash(
    of name: String, _ from: Int64, _ to: Int64, _ files: borrowing some EvidenceFiles
  ) throws(ReadFailure) -> Hash32? {
    var hash = SHA256()
    let isWhole = try files.forEachPiece(of: name, from: from, to: to, buffer: buffer) {
      hash.update(bufferPointer: $0)
    }
    return isWhole ? Hash32(hash.finalize()) : nil
  }

  /// Whether the directory is what the device log calls VOID: one that the camera was cut off in before there was an OPEN.
  mutating func isVoid(_ files: borrowing some EvidenceFiles) throws(ReadFailure) -> Bool {
    guard let log = verifier.deviceLog, log.device == verifier.trust?.device,
      let (counter, id) = verifier.directoryName.flatMap({ EvidenceName.parseRecording($0) }),
      let void = log.voids[id], void.counter == counter, names.isSubset(of: [EvidenceName.journal])
    else { return false }
    guard let remains = void.remains else {
      verdict.isVoid = names.isEmpty
      return names.isEmpty
    }
    guard names.contains(EvidenceName.journal), try files.size(of: EvidenceName.journal) == remains.size,
      try hash(of: EvidenceName.journal, remains.from, remains.end, files) == remains.hash
    else { return false }
    verdict.isVoid = true
    return true
  }
}

extension RecoveredFile {
  /// Compares a segment with what starts of the camera found of it.
  /// - Returns: the end of the bytes that a start saw as they are now; 0: none did.
  static func compare(
    _ found: [RecoveredFile], with name: String, size: Int64, files: borrowing some EvidenceFiles,
    buffer: UnsafeMutableRawBufferPointer, _ verdict: inout Verdict
  ) throws(ReadFailure) -> Int64 {
    var seen: Int64 = 0
    for file in found {
      let tail = file.tail
      guard size >= tail.size else {
        verdict.add(
          Finding(
            .end(.truncated), file: name, range: size..<tail.size,
            "the file has \(size) bytes; the camera found \(tail.size) when it started again"))
        continue
      }
      guard size == tail.size else {
        verdict.add(
          Finding(
            .integrity(.altered), file: name, range: tail.size..<size,
            "bytes were added after the camera had found \(tail.size) when it started again"))
        continue
      }
      guard tail.end > tail.from else { continue }
      var hash = SHA256()
      let isWhole = try files.forEachPiece(of: name, from: tail.from, to: tail.end, buffer: buffer) {
        hash.update(bufferPointer: $0)
      }
      if isWhole, Hash32(hash.finalize()) == tail.hash {
        seen = max(seen, tail.end)
      } else {
        verdict.add(
          Finding(
            .integrity(.altered), file: name, range: tail.from..<tail.end,
            "the bytes behind the last checkpoint are not those that the camera found when it started again"))
      }
    }
    return seen
  }
}
