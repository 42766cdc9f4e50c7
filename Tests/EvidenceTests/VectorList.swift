@testable import Evidence

/// Every vector by its directory's name, with the answers that the format gives.
struct VectorList {
  var vectors: [String: (one: VectorCase, expected: ExpectedAnswers)] = [:]

  private var names: [String]
  private var files: [String: [UInt8]]
  private var place = "../store"

  private func journal(_ index: Int) -> String { "recordings/\(names[index])/journal.log" }
  private func segment(_ index: Int, _ number: Int) -> String {
    "recordings/\(names[index])/\(EvidenceName.segment(number))"
  }
  private func count(_ file: String) -> Int { files[file]?.count ?? 0 }
  private func line(_ file: String, _ number: Int) -> Range<Int> {
    var start = 0
    for (index, line) in (files[file] ?? []).split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      if index == number { return start..<(start + line.count + 1) }
      start += line.count + 1
    }
    return 0..<0
  }
  private func flip(_ file: String, _ place: Int) -> Edit {
    .replace(file, place..<(place + 1), with: [(files[file]?[place] ?? 0) ^ 1])
  }

  private mutating func add(
    _ name: String, _ what: String, of index: Int = 0, log: Bool = true, _ edits: [Edit],
    _ integrity: Integrity, _ end: RecordingEnd, _ completeness: Completeness, _ headline: String
  ) {
    vectors[name] = (
      VectorCase(what: what, store: place, recording: names[index], deviceLog: log, edits: edits),
      ExpectedAnswers(integrity, end, completeness, headline)
    )
  }

  typealias Made = (store: VectorStore, recordings: [TestRecording])

  /// - Parameter postQuantum: the recordings' names.
  init(_ first: Made, restarted: Made, docked: Made, postQuantum: [String]) {
    names = first.recordings.map(\.name)
    files = first.store.files
    addClean()
    addJournals()
    addSegments()
    addAround()
    addLogs()
    names = restarted.recordings.map(\.name)
    files = restarted.store.files
    place = "../store-restarted"
    addStarts()
    names = docked.recordings.map(\.name)
    files = docked.store.files
    place = "../store-docked"
    addDocked()
    names = postQuantum
    files = [:]
    place = "../store-post-quantum"
    addPostQuantum()
  }

  private mutating func addPostQuantum() {
    add("post-quantum", "sealed for a post-quantum recipient", [], .intact, .closed, .continuous, "VERIFIED")
    add(
      "post-quantum-not-sealed", "sealed for an X25519 recipient, where recipients.note names a post-quantum one",
      of: 1, [], .foreign, .closed, .continuous, "FOREIGN")
  }

  /// Names are those of recordings 1, 3, 4, 5 and the clone; 2 is deleted.
  private mutating func addDocked() {
    let log = "device/log/0000000001.log"
    let receipt = "agency/receipts/0000000002.note"
    let anchor = "agency/receipts/0000000001.anchor"
    let revoked = Edit.rename("aside/revoke.note", to: "agency/revoked/camera.note")
    func inPlace(_ variant: String) -> [Edit] {
      [
        .delete(log), .rename("aside/\(variant).log", to: log), .delete(receipt),
        .rename("aside/\(variant).note", to: receipt), .delete(anchor), .delete("device/log/0000000002.log"),
      ]
    }
    add(
      "deleted", "another recording was deleted, and its receipt is at hand", [], .intact, .closed, .continuous,
      "VERIFIED")
    add("deleted-later", "made after the deletion", of: 1, [], .intact, .closed, .continuous, "VERIFIED")
    add(
      "deleted-unknown-receipt", "the receipt that DELETE names is not at hand", [.delete(receipt)],
      .intact, .closed, .missingRecording, "MISSING_RECORDING")
    add(
      "deleted-receipt-flip", "a byte of the receipt", [flip(receipt, 400)],
      .intact, .closed, .missingRecording, "MISSING_RECORDING")
    for (variant, what) in [
      ("forged", "DELETE names a receipt that a key without the role signed"),
      ("stale", "DELETE names a receipt of the recording before it had ended"),
      ("stranger", "DELETE names another camera's receipt"),
    ] {
      add(
        "deleted-receipt-\(variant)", what, inPlace(variant), .intact, .closed, .missingRecording, "MISSING_RECORDING")
    }
    add("anchored", "interrupted, and named by an anchor", of: 2, [], .intact, .interrupted, .continuous, "VERIFIED_TO")
    let line = line(log, 10)
    add(
      "anchored-cut", "the log cut before the anchor",
      [.replace(log, line.lowerBound..<count(log)), .delete("device/log/0000000002.log")],
      .intact, .closed, .rollback, "ROLLBACK")
    add(
      "anchored-cut-unknown", "the same, without the anchor at hand",
      [.replace(log, line.lowerBound..<count(log)), .delete("device/log/0000000002.log"), .delete(anchor)],
      .intact, .closed, .continuous, "VERIFIED")
    let open = journal(2)
    let last = self.line(open, 3)
    let cut: [Edit] = [
      .replace(open, last.lowerBound..<count(open)), .replace(segment(2, 0), (184 + 65_552)..<count(segment(2, 0))),
    ]
    add(
      "anchored-journal-cut", "an interrupted journal cut below the line that the anchor names, no device log", of: 2,
      log: false, cut, .intact, .truncated, .notChecked, "TRUNCATED")
    add(
      "anchored-journal-cut-unknown", "the same, without the anchor at hand", of: 2, log: false,
      cut + [.delete(anchor)],
      .intact, .interrupted, .notChecked, "VERIFIED_TO")
    add(
      "revoked-before", "the key was revoked after the recording", [revoked], .intact, .closed, .continuous, "VERIFIED")
    add("revoked-after", "the key was revoked before it", of: 1, [revoked], .revoked, .closed, .continuous, "REVOKED")
    add(
      "revoked-alone", "the key was revoked after the recording, and nothing at hand shows it", log: false, [revoked],
      .revoked, .closed, .notChecked, "REVOKED")
    add(
      "cloned", "a recording under the same counter by a camera with a copy of the card and of its memory", of: 4,
      [.rename("aside/" + names[4], to: "recordings/" + names[4])],
      .intact, .closed, .equivocation, "EQUIVOCATION")
    let since = Edit.rename("aside/since.note", to: "agency/receipts/0000000003.note")
    add(
      "since-receipt", "the first log is not at hand; a receipt found it continuous", of: 3, [.delete(log), since],
      .intact, .closed, .continuous, "VERIFIED")
    add(
      "since-nothing", "the same, without the receipt", of: 3, [.delete(log)],
      .intact, .closed, .notChecked, "VERIFIED_ALONE")
  }

  private mutating func addStarts() {
    let open = journal(1)
    let footage = segment(1, 1)
    let late = journal(2)
    let log = "device/log/0000000004.log"
    add("recovered", "interrupted, and recovered", of: 1, [], .intact, .interrupted, .continuous, "VERIFIED_TO")
    add(
      "recovered-tail-flip", "a byte of the tail that RFILE attests", of: 1, [flip(footage, count(footage) - 100)],
      .altered, .interrupted, .continuous, "ALTERED")
    add(
      "recovered-tail-append", "a byte more than RFILE says", of: 1,
      [.replace(footage, count(footage)..<count(footage), with: [0])],
      .altered, .interrupted, .continuous, "ALTERED")
    add(
      "recovered-tail-cut", "a byte less than RFILE says", of: 1,
      [.replace(footage, (count(footage) - 1)..<count(footage))], .intact, .truncated, .continuous, "TRUNCATED")
    add(
      "recovered-journal-cut", "the journal cut below the line that RECOVER names", of: 1,
      [.replace(open, line(open, 6).lowerBound..<count(open))], .intact, .truncated, .continuous, "TRUNCATED")
    add(
      "recovered-journal-flip", "a byte of the torn line that RECOVER attests", of: 1, [flip(open, count(open) - 3)],
      .altered, .interrupted, .continuous, "ALTERED")
    add("late", "OPENED and CLOSED by a later start", of: 2, [], .intact, .closed, .continuous, "VERIFIED")
    add(
      "late-cut", "CLOSE cut off behind its late CLOSED", of: 2,
      [.replace(late, line(late, 4).lowerBound..<count(late))], .intact, .truncated, .continuous, "TRUNCATED")
    add("lost-found", "LOST, and at hand", [], .intact, .closed, .continuous, "VERIFIED")
    add(
      "lost", "LOST, and not at hand", of: 2, [.delete("recordings/" + names[0])],
      .intact, .closed, .missingRecording, "MISSING_RECORDING")
    add("void", "cut off in OPEN", of: 3, [], .intact, .interrupted, .notChecked, "VERIFIED_TO")
    add(
      "void-append", "a byte more than VOID says", of: 3,
      [.replace(journal(3), count(journal(3))..<count(journal(3)), with: [0x41])],
      .unsigned, .interrupted, .notChecked, "UNSIGNED")
    add(
      "void-other", "another recording's journal in the place of the void one's", of: 3,
      [.delete(journal(3)), .replace(journal(3), 0..<0, from: late, 0..<count(late))],
      .foreign, .closed, .missingSegment, "FOREIGN")
    add(
      "check-flip", "a byte of CHECK before the only lines that speak of the recording", of: 2,
      [flip(log, line(log, 1).lowerBound + 60)], .altered, .closed, .tornDeviceLog, "ALTERED")
  }

  private mutating func addClean() {
    let open = journal(1)
    let footage = segment(1, 0)
    let closing = line(journal(0), 9)
    add("clean", "a closed recording", [], .intact, .closed, .continuous, "VERIFIED")
    add("clean-alone", "without its device log", log: false, [], .intact, .closed, .notChecked, "VERIFIED_ALONE")
    add("clean-restart", "made after a restart", of: 2, [], .intact, .closed, .continuous, "VERIFIED")
    add("interrupted", "no CLOSE", of: 1, [], .intact, .interrupted, .continuous, "VERIFIED_TO")
    add(
      "interrupted-tail", "bytes behind the last checkpoint", of: 1,
      [.replace(footage, count(footage)..<count(footage), with: [1, 2, 3])],
      .intact, .interrupted, .continuous, "VERIFIED_TO")
    add(
      "torn-journal", "the last line of an interrupted recording torn", of: 1,
      [.replace(open, (count(open) - 40)..<count(open))], .intact, .interrupted, .continuous, "VERIFIED_TO")
    add(
      "damaged-tail", "a whole line that is none", of: 1,
      [.replace(open, count(open)..<count(open), with: Array("LAPEL1 CKPT n=4\n".utf8))],
      .intact, .interrupted, .continuous, "VERIFIED_TO")
    add(
      "torn-close", "CLOSE torn; the device log knows it",
      [.replace(journal(0), (closing.upperBound - 9)..<closing.upperBound)],
      .intact, .truncated, .continuous, "TRUNCATED")
    add(
      "torn-close-alone", "CLOSE torn, no device log", log: false,
      [.replace(journal(0), (closing.upperBound - 9)..<closing.upperBound)],
      .intact, .interrupted, .notChecked, "VERIFIED_TO")
  }

  private mutating func addJournals() {
    let file = journal(0)
    let lines = (0..<10).map { line(file, $0) }
    let end = count(file)
    add(
      "journal-flip-open", "a byte of OPEN", [flip(file, lines[0].upperBound - 300)],
      .altered, .interrupted, .notChecked, "ALTERED")
    add(
      "journal-flip-open-key", "a byte of the recording's key in OPEN",
      [flip(file, (files[file] ?? []).firstRange(of: Array(" pub=".utf8)).map { $0.upperBound + 3 } ?? 0)],
      .unsigned, .interrupted, .notChecked, "UNSIGNED")
    add(
      "journal-flip-line", "a byte of a CKPT", [flip(file, lines[4].lowerBound + 30)],
      .altered, .truncated, .continuous, "ALTERED")
    add(
      "journal-flip-close", "a byte of CLOSE", [flip(file, lines[9].lowerBound + 30)],
      .intact, .truncated, .continuous, "TRUNCATED")
    add("journal-cut", "CLOSE cut off", [.replace(file, lines[9])], .intact, .truncated, .continuous, "TRUNCATED")
    add(
      "journal-cut-alone", "everything behind OPEN cut off, no device log", log: false,
      [.replace(file, lines[1].lowerBound..<end)], .intact, .truncated, .notChecked, "TRUNCATED")
    add("journal-drop", "a CKPT dropped", [.replace(file, lines[4])], .altered, .truncated, .continuous, "ALTERED")
    add(
      "journal-duplicate", "a CKPT twice",
      [.replace(file, lines[5].lowerBound..<lines[5].lowerBound, from: file, lines[4])],
      .reordered, .truncated, .continuous, "REORDERED")
    add(
      "journal-duplicate-close", "CLOSE twice", [.replace(file, end..<end, from: file, lines[9])],
      .altered, .closed, .continuous, "ALTERED")
    add(
      "journal-swap", "two CKPT lines swapped",
      [
        .replace(file, lines[4], from: file, lines[3]), .replace(file, lines[3], from: file, lines[4]),
      ], .reordered, .truncated, .continuous, "REORDERED")
    add(
      "journal-splice", "a line of another recording by the same camera",
      [.replace(file, lines[2], from: journal(2), line(journal(2), 2))],
      .altered, .truncated, .continuous, "ALTERED")
    add(
      "journal-append", "an LF behind CLOSE", [.replace(file, end..<end, with: [10])],
      .altered, .closed, .continuous, "ALTERED")
    add("journal-delete", "no journal", [.delete(file)], .unsigned, .interrupted, .notChecked, "UNSIGNED")
    add(
      "journal-empty", "an empty journal", [.replace(file, 0..<end)], .unsigned, .interrupted, .notChecked, "UNSIGNED")
    add(
      "journal-drop-open", "OPEN dropped", [.replace(file, lines[0])],
      .unsigned, .interrupted, .notChecked, "UNSIGNED")
  }

  private mutating func addSegments() {
    let file = segment(0, 0)
    let other = segment(0, 1)
    let end = count(file)
    let chunk = SegmentStream.sealedByteCount
    let first = 184..<(184 + chunk)
    let second = first.upperBound..<(first.upperBound + chunk)
    let places = [
      ("header", 40), ("nonce", 170), ("range", 184 + 70_000), ("tag", first.upperBound - 1), ("terminator", end - 3),
    ]
    for (name, place) in places {
      add(
        "segment-flip-\(name)", "a byte of the \(name)", [flip(file, place)], .altered, .closed, .continuous, "ALTERED")
    }
    add(
      "segment-cut", "the last byte cut off", [.replace(file, (end - 1)..<end)],
      .intact, .truncated, .continuous, "TRUNCATED")
    add(
      "segment-cut-chunk", "cut inside the last chunk", [.replace(file, (end - 100)..<end)],
      .intact, .truncated, .continuous, "TRUNCATED")
    add(
      "segment-append", "a byte behind the terminator", [.replace(file, end..<end, with: [0])],
      .altered, .closed, .continuous, "ALTERED")
    add("segment-drop", "a chunk dropped", [.replace(file, first)], .altered, .truncated, .continuous, "ALTERED")
    add(
      "segment-duplicate", "a chunk twice", [.replace(file, second.lowerBound..<second.lowerBound, from: file, first)],
      .altered, .closed, .continuous, "ALTERED")
    add(
      "segment-swap", "two chunks swapped",
      [.replace(file, first, from: file, second), .replace(file, second, from: file, first)],
      .altered, .closed, .continuous, "ALTERED")
    add(
      "segment-splice", "a chunk of another recording", [.replace(file, first, from: segment(2, 0), first)],
      .altered, .closed, .continuous, "ALTERED")
    add("file-delete", "a segment deleted", [.delete(other)], .intact, .closed, .missingSegment, "MISSING_SEGMENT")
    add(
      "file-swap", "two segments swapped",
      [.rename(file, to: "x"), .rename(other, to: file), .rename("x", to: other)],
      .altered, .truncated, .continuous, "ALTERED")
    add(
      "file-duplicate", "a segment once more under the next number",
      [.replace(segment(0, 2), 0..<0, from: other, 0..<count(other))], .foreign, .closed, .continuous, "FOREIGN")
    add(
      "file-splice", "a segment of another recording",
      [.replace(other, 0..<count(other), from: segment(2, 0), 0..<count(segment(2, 0)))],
      .altered, .closed, .continuous, "ALTERED")
    add(
      "file-added", "a file that is no evidence", [.replace("recordings/\(names[0])/notes.txt", 0..<0, with: [65])],
      .foreign, .closed, .continuous, "FOREIGN")
  }

  private mutating func addAround() {
    add(
      "recording-delete", "another recording deleted", [.delete("recordings/" + names[1])],
      .intact, .closed, .missingRecording, "MISSING_RECORDING")
    add(
      "recording-swap", "two recordings under each other's names",
      [
        .rename("recordings/" + names[0], to: "x"), .rename("recordings/" + names[2], to: "recordings/" + names[0]),
        .rename("x", to: "recordings/" + names[2]),
      ], .foreign, .closed, .continuous, "FOREIGN")
  }

  private mutating func addLogs() {
    let logs = ["device/log/0000000001.log", "device/log/0000000002.log"]
    let lines = (0..<4).map { line(logs[0], $0) }
    let last = line(logs[1], 2)
    add(
      "log-flip", "a byte of OPENED", [flip(logs[0], lines[1].lowerBound + 40)],
      .altered, .closed, .tornDeviceLog, "ALTERED")
    add(
      "log-flip-last", "a byte of the last CLOSED", [flip(logs[1], last.lowerBound + 40)],
      .intact, .closed, .tornDeviceLog, "TORN_DEVICE_LOG")
    add(
      "log-flip-tail", "a byte of the attested torn line", [flip(logs[0], count(logs[0]) - 1)],
      .altered, .closed, .tornDeviceLog, "ALTERED")
    add(
      "log-flip-start", "a byte of START before the recording", of: 2, [flip(logs[1], 60)],
      .altered, .closed, .tornDeviceLog, "ALTERED")
    add(
      "log-flip-end", "the log ends with START, and a byte of it is another", of: 2,
      [.replace(logs[1], line(logs[1], 1).lowerBound..<count(logs[1])), flip(logs[1], 60)],
      .intact, .closed, .tornDeviceLog, "TORN_DEVICE_LOG")
    add("log-drop", "CLOSED dropped", [.replace(logs[0], lines[2])], .altered, .closed, .notChecked, "ALTERED")
    add(
      "log-duplicate", "OPENED twice",
      [.replace(logs[0], lines[2].lowerBound..<lines[2].lowerBound, from: logs[0], lines[1])],
      .altered, .closed, .notChecked, "ALTERED")
    add(
      "log-swap", "OPENED and CLOSED swapped",
      [.replace(logs[0], lines[2], from: logs[0], lines[1]), .replace(logs[0], lines[1], from: logs[0], lines[2])],
      .altered, .closed, .notChecked, "ALTERED")
    add(
      "log-splice", "a line of the journal", [.replace(logs[1], last, from: journal(0), line(journal(0), 9))],
      .intact, .closed, .tornDeviceLog, "TORN_DEVICE_LOG")
    add(
      "log-cut", "the log ends before the recording", of: 2,
      [.replace(logs[1], line(logs[1], 1).lowerBound..<count(logs[1]))],
      .intact, .closed, .notChecked, "VERIFIED_ALONE")
    add(
      "log-rollback", "the log of the last start deleted", of: 2, [.delete(logs[1])],
      .intact, .closed, .rollback, "ROLLBACK")
    add(
      "log-without-first", "the log of the first start deleted: it says nothing of what was before", [.delete(logs[0])],
      .intact, .closed, .notChecked, "VERIFIED_ALONE")
    add(
      "log-delete", "no device log", [.delete("device/log")], .intact, .closed, .notChecked, "VERIFIED_ALONE")
  }
}
