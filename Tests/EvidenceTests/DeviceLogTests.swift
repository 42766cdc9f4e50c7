import Testing

@testable import Evidence

@Suite("The device log and completeness")
struct DeviceLogTests {
  @Test("Counters without a gap are CONTINUOUS; a void one explains itself")
  func continuous() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record()
    try camera.void(2)
    let third = try camera.record(RecordingPlan(counter: 3))
    let log = try camera.deviceLog()
    #expect(log.findings.isEmpty && log.firstNumber == 0 && log.voided == [2])
    for made in [first, third] {
      #expect(try made.verify(agency.trust, log: log, present: [first.name, third.name]).headline == .verified)
    }
    #expect(
      try first.verify(agency.trust, log: log, present: [first.name]).headline == .completeness(.missingRecording))
  }

  @Test("A counter that nothing explains is MISSING_RECORDING, one used twice EQUIVOCATION")
  func counters() throws {
    let agency = try Agency()
    let gap = try TestCamera(agency)
    let first = try gap.record()
    _ = try gap.record(RecordingPlan(counter: 3))
    #expect(try first.verify(agency.trust, log: gap.deviceLog()).headline == .completeness(.missingRecording))

    let twice = try TestCamera(agency)
    let one = try twice.record()
    let other = try twice.record()
    for made in [one, other] {
      #expect(try made.verify(agency.trust, log: twice.deviceLog()).headline == .completeness(.equivocation))
    }
    // Two recordings under one counter, of which the log knows only the other.
    let camera = try TestCamera(agency)
    let hidden = try camera.record(RecordingPlan(isLogged: false))
    _ = try camera.record()
    #expect(try hidden.verify(agency.trust, log: camera.deviceLog()).headline == .completeness(.equivocation))
  }

  @Test("A log older than what the recording saw is ROLLBACK; one that ends before it checks nothing")
  func older() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let early = camera.logFiles
    let first = try camera.record()
    let second = try camera.record(RecordingPlan(counter: 2))
    let old = try DeviceLog(files: early, device: agency.device.identity)
    #expect(try second.verify(agency.trust, log: old).headline == .completeness(.rollback))
    let verdict = try first.verify(agency.trust, log: old)
    #expect(verdict.headline == .verifiedAlone)
    #expect(verdict.findings.contains { $0.answer == .remark(.shortDeviceLog) })
  }

  @Test("A log with any byte changed gives neither VERIFIED nor VERIFIED_ALONE, and is never without a finding")
  func flips() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    let trust = try agency.trust
    let last = try #require(camera.logBytes.dropLast().lastIndex(of: 10))
    for index in stride(from: 0, to: camera.logBytes.count, by: 3) {
      var files = camera.logFiles
      files.contents[DeviceLogWriter.fileName(startCounter: 1)]?[index] ^= 1
      let log = try DeviceLog(files: files, device: agency.device.identity)
      #expect(!log.findings.isEmpty, "byte \(index)")
      let headline = try made.verify(trust, log: log).headline
      #expect(headline != .verified && headline != .verifiedAlone, "byte \(index)")
      // A broken last line is what a cut leaves, too. It is CLOSED, which the journal's own CLOSE makes up for.
      if index > last { #expect(headline == .completeness(.tornDeviceLog), "byte \(index)") }
    }
  }

  @Test("A byte of the log changed anywhere never makes a recording missing, rolled back or twofold")
  func flipsAccuseNobody() throws {
    let agency = try Agency()
    let first = try TestCamera(agency)
    var made = [try first.record(RecordingPlan(segments: []))]
    made.append(try first.record(RecordingPlan(counter: 2, segments: [])))
    let second = try TestCamera(
      agency, startCounter: 2, after: DeviceLogWriter.Predecessor(head: first.logHead, tail: []))
    made.append(try second.record(RecordingPlan(counter: 3, segments: [])))
    let whole = MemoryFiles(contents: first.logFiles.contents.merging(second.logFiles.contents) { $1 })
    let names = made.map(\.name)
    let trust = try agency.trust
    func check(_ files: MemoryFiles, _ place: String) throws {
      let log = try DeviceLog(files: files, device: agency.device.identity)
      for recording in made {
        let verdict = try recording.verify(trust, log: log, present: names)
        #expect(verdict.completeness <= .tornDeviceLog, "\(place): \(verdict.findings)")
        #expect(verdict.headline != .verified && verdict.end == .closed, "\(place)")
      }
    }
    for (name, bytes) in whole.contents {
      for index in stride(from: 0, to: bytes.count, by: 5) {
        var files = whole
        files.contents[name]?[index] ^= 1
        try check(files, "\(name) \(index)")
      }
    }
    // The log's last line, which the last recording saw.
    let last = DeviceLogWriter.fileName(startCounter: 2)
    var short = whole
    let start = try #require(short.contents[last]?.firstIndex(of: 10))
    short.contents[last] = short.contents[last].map { Array($0[...start]) }
    for index in stride(from: 0, through: start, by: 5) {
      var files = short
      files.contents[last]?[index] ^= 1
      try check(files, "the last line, \(index)")
    }
    // It is not there at all.
    short.contents[last] = Array("LAPEL1 START n=".utf8)
    let log = try DeviceLog(files: short, device: agency.device.identity)
    #expect(try made[2].verify(trust, log: log).headline == .completeness(.rollback))
  }

  @Test("The next start's log goes on from the last valid line and attests what was torn off behind it")
  func restart() throws {
    let agency = try Agency()
    let first = try TestCamera(agency)
    let made = try first.record()
    let torn = Array("LAPEL1 OPENED n=".utf8)
    let head = try first.logHead
    let second = try TestCamera(
      agency, startCounter: 2, after: DeviceLogWriter.Predecessor(head: head, tail: torn))
    let later = try second.record(RecordingPlan(counter: 2))
    var files = first.logFiles
    files.contents[DeviceLogWriter.fileName(startCounter: 1), default: []] += torn
    files.contents.merge(second.logFiles.contents) { $1 }
    let log = try DeviceLog(files: files, device: agency.device.identity)
    #expect(log.findings.isEmpty)
    for recording in [made, later] {
      #expect(try recording.verify(agency.trust, log: log).headline == .verified)
    }
    // Other bytes in the torn place, or none, are not what START attests.
    for tail in [[], torn + [0x31], Array("LAPEL1 OPENED n=".utf8.reversed())] {
      var changed = files
      changed.contents[DeviceLogWriter.fileName(startCounter: 1)]?.removeLast(torn.count)
      changed.contents[DeviceLogWriter.fileName(startCounter: 1), default: []] += tail
      let log = try DeviceLog(files: changed, device: agency.device.identity)
      #expect(try later.verify(agency.trust, log: log).headline == .integrity(.altered))
    }
    // Without the first file the log no longer reaches back.
    let short = try DeviceLog(files: second.logFiles, device: agency.device.identity)
    let verdict = try later.verify(agency.trust, log: short)
    #expect(short.firstNumber > 0 && verdict.headline == .verifiedAlone)
  }

  @Test("A log that begins after a closed recording says nothing of it: NOT_CHECKED, no EQUIVOCATION")
  func begunLater() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    let next = try TestCamera(
      agency, startCounter: 2, after: DeviceLogWriter.Predecessor(head: camera.logHead, tail: []))
    _ = try next.record(RecordingPlan(counter: 2))
    #expect(try made.verify(agency.trust, log: next.deviceLog()).headline == .verifiedAlone)
  }

  @Test("A torn log whose last line has the highest number there is does not trap")
  func highestNumber() throws {
    let agency = try Agency()
    let last = ChainHead(n: .max - 1, hash: Hash32.sha256(of: [1]))
    var bytes = Array(
      ("LAPEL1 START n=\(Int64.max) dev=\(agency.device.identity.id) start=1 lastn=\(last.n) lasth=\(last.hash) tail=0 "
        + "tailh=\(Hash32.sha256(of: [])) p=\(last.hash)").utf8)
    let message = JournalChain.Domain.deviceLog.message(id: agency.device.identity.id, bytes)
    bytes += Array(" s=\(Base64.encode(try agency.device.signature(over: message), .url))\nLAPEL1".utf8)
    let files = MemoryFiles(contents: [DeviceLogWriter.fileName(startCounter: 1): bytes])
    let log = try DeviceLog(files: files, device: agency.device.identity)
    #expect(log.head?.n == .max && log.findings.map(\.answer) == [.completeness(.tornDeviceLog)])
  }

  @Test("A log line of a type that is not understood yet is UNSUPPORTED, one that begins with X is passed over")
  func unknown() throws {
    let agency = try Agency()
    for (type, expected) in [
      ("DOCK", Headline.integrity(.unsupported)), ("NEW", .integrity(.unsupported)), ("XNEW", .verified),
    ] {
      let camera = try TestCamera(agency)
      let made = try camera.record()
      var chain = JournalChain(id: agency.device.identity.id, after: try camera.logHead)
      camera.logBytes += try chain.line(
        type, LineFields(), sign: { message throws(EvidenceError) in try agency.device.signature(over: message) },
        signDomain: .deviceLog)
      #expect(try made.verify(agency.trust, log: camera.deviceLog()).headline == expected, "\(type)")
    }
  }
}
