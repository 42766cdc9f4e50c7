import Testing

@testable import Evidence

@Suite("Recovery at start")
struct RecoveryTests {
  /// A camera with one interrupted recording, and what it made.
  private func interrupted(
    _ plan: RecordingPlan = RecordingPlan(segments: [[10], [20, 30]], isClosed: false), tail: [UInt8] = []
  ) throws -> (RestartCamera, TestRecording) {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    var made = try camera.record(plan)
    let last = EvidenceName.segment(plan.segments.count - 1)
    made.segments[last]? += tail
    var card = RestartCamera(agency)
    try card.take(camera, [made], state: .opened)
    return (card, made)
  }

  @Test("the first start of a camera has nothing to compare and writes CHECK none")
  func first() throws {
    var card = RestartCamera(try Agency())
    #expect(try card.restart() == [.check])
    #expect(card.check == StoreCheck(log: .none, logHead: nil, journal: .none, recording: nil))
    #expect(try card.restart() == [.check])
    #expect(card.check?.log == .match && card.check?.journal == StoreCheck.Result.none)
    #expect(try card.deviceLog().findings.isEmpty && card.report == RecoveryReport())
  }

  @Test("an interrupted recording is recovered once: line, sizes and tail are attested, and no byte is touched")
  func interruptedOnce() throws {
    let tail = randomBytes(70_000)
    var (card, made) = try interrupted(tail: tail)
    let before = card.contents
    #expect(try card.restart() == [.check, .recover, .recoverFile])
    #expect(card.check?.journal == .behindOnly && card.check?.log == .match)
    let journal = try #require(card.recovered.first)
    let bytes = made.lines.flatMap { $0 }
    #expect(
      journal.head == ChainHead(n: Int64(made.lines.count) - 1, hash: Hash32.sha256(of: try #require(made.lines.last))))
    #expect(
      journal.tail
        == FoundBytes(
          size: Int64(bytes.count), from: Int64(bytes.count), end: Int64(bytes.count), hash: Hash32.sha256(of: [])))
    let file = try #require(card.recoveredFiles.first)
    let length = try #require(made.seals.last).length
    #expect(file.segment == 1 && file.chunks == 2)
    #expect(
      file.tail
        == FoundBytes(
          size: length + 70_000, from: length, end: length + 70_000, hash: Hash32.sha256(of: tail)))
    #expect(
      card.report.interrupted.map(\.words)
        == ["found interrupted recording 1: 2 segments, attested to 0:00:03, recovered"])
    #expect(card.report.warnings.isEmpty)

    let verdict = try card.verify(made.name)
    #expect(verdict.headline == .verifiedTo && verdict.end == .interrupted && verdict.isRecovered)
    #expect(verdict.completeness == .continuous && verdict.mediaTime == 3_000_000)
    #expect(verdict.has(.remark(.cameraSeen)) && !verdict.has(.remark(.unattestedTail)))
    for _ in 0..<2 {
      #expect(try card.restart() == [.check])
      #expect(card.check?.journal == .match && card.check?.log == .match)
      #expect(try card.verify(made.name) == verdict)
    }
    #expect(card.contents == before)
  }

  @Test("the next recording after a recovered one is VERIFIED")
  func next() throws {
    var (card, made) = try interrupted()
    try card.restart()
    let head = try #require(try card.deviceLog().head)
    let camera = try TestCamera(
      card.agency, startCounter: 3, after: DeviceLogWriter.Predecessor(head: head, tail: []))
    let later = try camera.record(RecordingPlan(counter: 2))
    card.logs.contents.merge(camera.logFiles.contents) { $1 }
    card.recordings[later.name] = later.files
    #expect(try card.verify(later.name).headline == .verified)
    #expect(try card.verify(made.name).headline == .verifiedTo)
  }

  @Test("a torn byte at every offset of the last line, then two restarts: the same answer, attested once")
  func tornLine() throws {
    let (card, made) = try interrupted()
    let whole = made.lines.flatMap { $0 }
    let last = try #require(made.lines.last)
    for cut in 0..<last.count {
      var torn = card
      let kept = whole.count - last.count + cut
      torn.recordings[made.name]?.contents[EvidenceName.journal] = Array(whole.prefix(kept))
      let before = torn.contents
      #expect(try torn.restart() == [.check, .recover, .recoverFile], "cut at \(cut)")
      #expect(torn.recovered.first?.head?.n == Int64(made.lines.count) - 2)
      #expect(torn.recovered.first.map { $0.tail.size - $0.tail.from } == Int64(cut))
      let verdict = try torn.verify(made.name)
      #expect(verdict.headline == .verifiedTo && verdict.isRecovered, "cut at \(cut): \(verdict.findings)")
      #expect(verdict.mediaTime == 2_000_000 && verdict.completeness == .continuous)
      #expect(verdict.has(.remark(.tornJournal)) == (cut > 0))
      #expect(try torn.restart() == [.check])
      #expect(try torn.verify(made.name) == verdict && torn.contents == before)
    }
  }

  @Test("every bit of the last line flipped is never VERIFIED and never called a power cut, recovered or not")
  func flippedBits() async throws {
    let (card, made) = try interrupted()
    let whole = made.lines.flatMap { $0 }
    let last = try #require(made.lines.last)
    let trust = try card.agency.trust
    try await withThrowingTaskGroup(of: Void.self) { group in
      for part in 0..<2 {
        group.addTask {
          for bit in stride(from: part, to: last.count * 8, by: 2) {
            var flipped = card
            let index = whole.count - last.count + bit / 8
            flipped.recordings[made.name]?.contents[EvidenceName.journal]?[index] ^= UInt8(1 << (bit % 8))
            let files = try #require(flipped.recordings[made.name])
            // Before any restart: nothing else speaks of the line.
            let alone = try RecordingVerifier(directoryName: made.name, trust: trust).verify(files)
            #expect(alone.headline == .verifiedTo && alone.mediaTime == 2_000_000, "bit \(bit)")
            guard bit / 8 % 8 == bit % 8 else { continue }
            try flipped.restart()
            #expect(flipped.recovered.first?.head?.n == Int64(made.lines.count) - 2, "bit \(bit)")
            let verdict = try flipped.verify(made.name)
            #expect(verdict.headline == .verifiedTo && verdict.mediaTime == 2_000_000, "bit \(bit)")
            #expect(verdict.has(.remark(.tornJournal)) || verdict.has(.remark(.damagedTail)), "bit \(bit)")
            for text in [alone.sentence, verdict.sentence] + verdict.findings.map(\.detail) {
              #expect(!text.contains("power"), "bit \(bit)")
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("a bit of the last line flipped after the camera recovered the whole is TRUNCATED")
  func flippedLater() throws {
    var (card, made) = try interrupted()
    try card.restart()
    let whole = made.lines.flatMap { $0 }
    let last = try #require(made.lines.last)
    for index in stride(from: whole.count - last.count, to: whole.count, by: 5) {
      var flipped = card
      flipped.recordings[made.name]?.contents[EvidenceName.journal]?[index] ^= 2
      #expect(try flipped.verify(made.name).headline == .truncated, "byte \(index)")
    }
  }

  @Test("a last line spelled again in other base64 is no valid line; its bytes are attested as a tail")
  func respelled() throws {
    var (card, made) = try interrupted()
    var last = try #require(made.lines.last)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    let value = try #require(alphabet.firstIndex(of: last[last.count - 2]))
    last[last.count - 2] = alphabet[value | 1]
    card.recordings[made.name]?.contents[EvidenceName.journal] = made.lines.dropLast().flatMap { $0 } + last
    try card.restart()
    #expect(card.recovered.first?.head?.n == Int64(made.lines.count) - 2)
    let verdict = try card.verify(made.name)
    #expect(verdict.headline == .verifiedTo && verdict.has(.remark(.damagedTail)) && verdict.isRecovered)
    // The right spelling put back: those lines were not there at that start.
    card.recordings[made.name] = made.files
    let later = try card.verify(made.name)
    #expect(later.headline == .verifiedTo && later.has(.remark(.longerThanRecovered)) && !later.isRecovered)
  }

  @Test("a journal or segment that is shorter than it was found is TRUNCATED, with other bytes ALTERED")
  func changedAfterwards() throws {
    var (card, made) = try interrupted(tail: randomBytes(1_000))
    card.recordings[made.name]?.contents[EvidenceName.journal]? += Array("LAPEL1 CK".utf8)
    try card.restart()
    #expect(try card.verify(made.name).isRecovered)
    func changed(_ name: String, _ change: (inout [UInt8]) -> Void) throws -> Verdict {
      var other = card
      change(&other.recordings[made.name, default: MemoryFiles()].contents[name, default: []])
      return try other.verify(made.name)
    }
    for count in 1...30 {
      let verdict = try changed(EvidenceName.journal) { $0.removeLast(count) }
      #expect(verdict.headline == .truncated && !verdict.isRecovered, "\(count) bytes of the journal")
    }
    #expect(try changed(EvidenceName.journal) { $0[$0.count - 1] ^= 1 }.headline == .integrity(.altered))
    #expect(try changed(EvidenceName.journal) { $0.append(0x20) }.headline == .integrity(.altered))
    let segment = "0001.mp4.age"
    for count in [1, 2, 999, 1_000, 1_001] {
      #expect(try changed(segment) { $0.removeLast(count) }.end == .truncated, "\(count) bytes of the segment")
    }
    for place in [1, 500, 1_000] {
      #expect(try changed(segment) { $0[$0.count - place] ^= 1 }.headline == .integrity(.altered))
    }
    #expect(try changed(segment) { $0.append(0) }.headline == .integrity(.altered))
    var gone = card
    gone.recordings[made.name]?.contents[segment] = nil
    #expect(try gone.verify(made.name).headline == .completeness(.missingSegment))
  }

  @Test("a segment short at every length is TRUNCATED after recovery; found short at the start it is attested as found")
  func shortFile() throws {
    var (card, made) = try interrupted(RecordingPlan(segments: [[10]], isClosed: false), tail: [1, 2, 3])
    let whole = try #require(made.segments["0000.mp4.age"])
    let early = card
    try card.restart()
    for length in Array(0..<300) + Array(stride(from: 300, to: whole.count, by: 997)) + [whole.count - 1] {
      var short = card
      short.recordings[made.name]?.contents["0000.mp4.age"] = Array(whole.prefix(length))
      let verdict = try short.verify(made.name)
      #expect(verdict.end == .truncated && verdict.headline == .truncated, "\(length) bytes")
      guard length < 10 || length % 50 == 0 else { continue }
      var found = early
      found.recordings[made.name]?.contents["0000.mp4.age"] = Array(whole.prefix(length))
      try found.restart()
      #expect(found.recoveredFiles.first?.tail.size == Int64(length))
      // The journal promises more than was there already.
      #expect(try found.verify(made.name).end == .truncated, "\(length) bytes")
    }
  }

  @Test("a recording of 600 files, each of another size than ENDSEG says, is recovered file by file, and verifies so")
  func manyFiles() throws {
    var (card, made) = try interrupted(
      RecordingPlan(segments: [[Int]](repeating: [10], count: 600), isClosed: false))
    for number in 0..<599 { card.recordings[made.name]?.contents[EvidenceName.segment(number)]?.append(1) }
    try card.restart()
    #expect(card.recovered.first?.files == 600 && card.recoveredFiles.map(\.segment) == Array(0..<600))
    let log = try card.deviceLog()
    #expect(log.findings.isEmpty && log.recoveries[made.id]?.first?.files.count == 600)
    #expect(try card.restart() == [.check])
    // Cut off in the middle: the next start writes all of it again.
    card.logs.contents["0000000002.log"]?.removeLast(20_000)
    card.logs.contents["0000000003.log"] = nil
    card.memory.log = nil
    #expect(try card.restart().filter { $0 == .recoverFile }.count == 600)
    #expect(try card.deviceLog().findings.isEmpty)
    let verdict = try card.verify(made.name)
    #expect(verdict.headline == .integrity(.altered) && verdict.isRecovered)
    for number in 0..<599 { card.recordings[made.name]?.contents[EvidenceName.segment(number)]?.removeLast() }
    #expect(try card.verify(made.name).headline == .truncated)
  }

  @Test("a start that is cut off behind any line repeats the recovery in the next log, and nothing is reported twice")
  func cutInRecovery() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record(RecordingPlan(segments: [[10], [20]], isClosed: false))
    let second = try camera.record(RecordingPlan(counter: 2, segments: [[10]], isClosed: false))
    var card = RestartCamera(agency)
    try card.take(camera, [first, second], state: .opened)
    for count in 0...5 {
      var cut = card
      #expect(try cut.restart(cutAfter: count) == [.check, .recover, .recoverFile, .recover, .recoverFile])
      let types = try cut.restart()
      let expected: [DeviceLogType] =
        count < 3
        ? [.check, .recover, .recoverFile, .recover, .recoverFile]
        : count < 5 ? [.check, .recover, .recoverFile] : [.check]
      #expect(types == expected, "cut behind \(count) lines")
      for made in [first, second] {
        let verdict = try cut.verify(made.name)
        #expect(verdict.headline == .verifiedTo && verdict.isRecovered, "cut behind \(count): \(verdict.findings)")
        #expect(verdict.completeness == .continuous)
      }
      #expect(try cut.restart() == [.check])
    }
  }

  @Test("a recovered recording that changed is recovered again and said to be changed")
  func changedBetweenStarts() throws {
    var (card, made) = try interrupted()
    try card.restart()
    card.recordings[made.name]?.contents["0001.mp4.age"]? += [1, 2, 3]
    #expect(try card.restart() == [.check, .recover, .recoverFile])
    #expect(card.recovered.first?.isChanged == true && card.report.interrupted.first?.isChanged == true)
    #expect(try card.verify(made.name).headline == .integrity(.altered))
    #expect(try card.restart() == [.check])
  }

  @Test("OPENED without its directory becomes LOST once, and explains nothing away")
  func lost() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record()
    let second = try camera.record(RecordingPlan(counter: 2, isClosed: false))
    let third = try camera.record(RecordingPlan(counter: 3))
    var card = RestartCamera(agency)
    try card.take(camera, [first, second, third], state: .closed)
    card.recordings[second.name] = nil
    #expect(try card.restart() == [.check, .lost])
    #expect(try card.restart() == [.check])
    for made in [first, third] {
      let verdict = try card.verify(made.name)
      #expect(verdict.headline == .completeness(.missingRecording), "\(verdict.findings)")
      #expect(verdict.findings.filter { $0.answer == .completeness(.missingRecording) }.count == 1)
      #expect(try card.verify(made.name, present: false).completeness == .missingRecording)
    }
    // Found again it is no longer missing, and the next start recovers it.
    card.recordings[second.name] = second.files
    #expect(try card.verify(first.name).headline == .verified)
    #expect(try card.restart() == [.check, .recover, .recoverFile])
    #expect(try card.verify(second.name).headline == .verifiedTo)
  }

  @Test("what is not ours, damaged or unreadable is said and left; it stops nothing")
  func foreign() throws {
    var (card, made) = try interrupted()
    let other = try TestCamera(Agency()).record(RecordingPlan(counter: 7, isClosed: false))
    card.recordings[other.name] = other.files
    card.others = ["lost+found", "x\u{1B}[2J"]
    let empty = EvidenceName.recording(counter: 9, id: try #require(EvidenceID([UInt8](repeating: 1, count: 16))))
    card.recordings[empty] = MemoryFiles(contents: ["notes.txt": [1]])
    #expect(try card.restart() == [.check, .recover, .recoverFile])
    #expect(card.report.warnings.count == 5 && card.report.warnings.allSatisfy { !$0.contains("\u{1B}") })
    #expect(card.memory.recordingCounter == 1)
    #expect(try card.verify(made.name).isRecovered)
    // A damaged first line: the recording is ours by the log, and all of its journal is attested as it is.
    card.recordings[other.name] = nil
    var damaged = try interrupted().0
    let name = try #require(damaged.recordings.keys.first)
    damaged.recordings[name]?.contents[EvidenceName.journal]?[30] ^= 1
    try damaged.restart()
    let journal = try #require(damaged.recovered.first)
    #expect(journal.head == nil && journal.tail.from == 0)
    #expect(damaged.check?.journal == .missingLine)
    #expect(try damaged.verify(name).headline == .integrity(.unsigned))
    #expect(try damaged.restart() == [.check])
  }

  @Test("a closed and an interrupted recording of this camera from another card are told, and their ends noted once")
  func fromAnotherCard() throws {
    let agency = try Agency()
    let elsewhere = try TestCamera(agency)
    let closed = try elsewhere.record(RecordingPlan(counter: 4))
    let open = try elsewhere.record(RecordingPlan(counter: 5, isClosed: false))
    let camera = try TestCamera(agency, startCounter: 2)
    let made = try camera.record(RecordingPlan(counter: 1))
    var card = RestartCamera(agency)
    try card.take(camera, [made], state: .closed)
    card.memory.startCounter = 2
    card.recordings[closed.name] = closed.files
    card.recordings[open.name] = open.files
    #expect(try card.restart() == [.check, .closed, .recover, .recoverFile])
    #expect(card.memory.recordingCounter == 5)
    #expect(card.report.warnings.count == 3, "\(card.report.warnings)")
    #expect(try card.restart() == [.check])
    #expect(try card.deviceLog().findings.isEmpty)
  }

  @Test("the lines of a start have one spelling each, and a line with a missing or a wrong value is UNSUPPORTED")
  func spelling() throws {
    var (card, _) = try interrupted(tail: [1, 2, 3])
    try card.restart()
    let name = DeviceLogWriter.fileName(startCounter: 2)
    let lines = try #require(card.logs.contents[name]).split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    let keys = lines.map { $0.split(separator: " ").dropFirst().map { $0.prefix { $0 != "=" } }.joined(separator: " ") }
    #expect(
      keys == [
        "START n dev start boot lastn lasth tail tailh w mono ver p s",
        "CHECK n log logn logh journal id rec line lineh w mono p s",
        "RECOVER n id rec line lineh size tail tailh files w mono p s",
        "RFILE n id seg stream size k len hash w mono p s",
      ])
    for entry in card.entries {
      for field in entry.fields.text.split(separator: " ") {
        // What the number and the hash of a head say stands and falls together; the rest must be there.
        let key = field.prefix { $0 != "=" }
        if ["logn", "line"].contains(key) { continue }
        var fields = LineFields()
        for other in entry.fields.text.split(separator: " ") where other != field {
          let parts = other.split(separator: "=", maxSplits: 1)
          fields.add(String(parts[0]), code: String(parts[1]))
        }
        var chain = JournalChain(id: card.agency.device.identity.id)
        let bytes = try chain.line(
          entry.type.rawValue, fields,
          sign: { message throws(EvidenceError) in try card.agency.device.signature(over: message) },
          signDomain: .deviceLog)
        let line = try JournalLine(parsing: bytes)
        #expect(throws: EvidenceError.self, "\(entry.type) without \(key)") { try DeviceLogEntry(line) }
      }
      var chain = JournalChain(id: card.agency.device.identity.id)
      let bytes = try chain.line(
        entry.type.rawValue, entry.fields,
        sign: { message throws(EvidenceError) in try card.agency.device.signature(over: message) },
        signDomain: .deviceLog)
      #expect(try DeviceLogEntry(JournalLine(parsing: bytes)) == entry)
    }
  }
}
