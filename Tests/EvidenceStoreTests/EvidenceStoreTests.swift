import Evidence
import Glibc
import LinuxIO
import Testing

@testable import EvidenceStore

@Suite("EvidenceStore")
struct EvidenceStoreTests {
  private func record(_ camera: TestCamera) throws -> InternalStore.Record {
    try InternalStore(directory: camera.identityPath).record
  }

  /// One whole recording.
  private func recordOne(_ store: inout EvidenceStore) throws {
    var writer = try store.openRecording()
    try writer.recordSomething()
    try store.didClose(id: writer.id, counter: writer.counter, head: writer.head)
  }

  @Test("counters rise over starts, the logs chain, and every recording verifies as the only one missing nothing")
  func starts() throws {
    let camera = try TestCamera()
    for start in Int64(1)...3 {
      var store = try camera.open()
      try recordOne(&store)
      try recordOne(&store)
      let record = try record(camera)
      #expect(record.startCounter == start && record.recordingCounter == start * 2)
      #expect(record.recordingState == .closed)
    }
    #expect(try camera.names("card/device/log") == ["0000000001.log", "0000000002.log", "0000000003.log"])
    let names = try camera.names("card/recordings")
    #expect(names.count == 6)
    for (index, name) in names.enumerated() {
      #expect(EvidenceName.parseRecording(name)?.counter == Int64(index + 1))
      let verdict = try camera.verify(name)
      #expect(verdict.headline == .verified, "\(verdict.findings)")
      #expect(verdict.opening?.facts.startCounter == Int64(index / 2 + 1))
    }
    let log = try camera.deviceLog()
    #expect(log.openings.keys.sorted() == [1, 2, 3, 4, 5, 6] && log.closings.count == 6)
    #expect(log.head?.n == 17)
  }

  @Test("a second recorder on the same store is refused and told who holds it; after the first it may")
  func second() throws {
    let camera = try TestCamera()
    func attempt() -> StoreError? { failure { () throws(StoreError) in _ = try camera.open() } }
    let holding = try camera.open()
    let error = attempt()
    #expect(error?.kind == .store)
    #expect(error?.description.contains("process \(getpid())") == true)
    #expect(try camera.names("card/device/log").count == 1)
    _ = consume holding
    #expect(attempt() == nil)
  }

  @Test("a file system on which the loss bound was not measured is refused unless it is a lab's")
  func fileSystem() throws {
    let camera = try TestCamera()
    try #require(mkdir("/dev/shm/lapel-\(getpid())", 0o700) == 0)
    let path = "/dev/shm/lapel-\(getpid())"
    let error = failure { () throws(StoreError) in
      _ = try EvidenceStore.open(
        path: path, identityPath: camera.identityPath, parties: camera.load(),
        facts: ProcessFacts(
          camera: .synthetic, microphone: .none, softwareVersion: "test", softwareHash: Hash32.sha256(of: [1]),
          configurationHash: Hash32.sha256(of: [2])), isLabStore: false, allowSwap: true)
    }
    for name in ["device/log", "device/lock", "device", "recordings", ""] {
      unlink("\(path)/\(name)")
      rmdir("\(path)/\(name)")
    }
    #expect(error?.kind == .store)
    #expect(error?.description.contains("tmpfs") == true && error?.description.contains("lab_store") == true)
    #expect(try record(camera).startCounter == 0)
  }

  @Test("a counter that was reserved and never became a recording is voided once, and nothing is missed")
  func void() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      try recordOne(&store)
      // The card refuses the directory: the camera has reserved counter 2 by then.
      try block(camera)
      #expect(throws: StoreError.self) { _ = try store.openRecording() }
    }
    #expect(try record(camera).recordingState == .reserved)
    var store = try camera.open()
    try recordOne(&store)
    let log = try camera.deviceLog()
    #expect(log.voided == [2])
    #expect(log.openings.keys.sorted() == [1, 3])
    for name in try camera.names("card/recordings") {
      let verdict = try camera.verify(name)
      #expect(verdict.headline == .verified, "\(verdict.findings)")
    }
  }

  @Test("a counter is voided in one log only, however often the camera starts without recording")
  func voidOnce() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      try block(camera)
      #expect(throws: StoreError.self) { _ = try store.openRecording() }
    }
    for _ in 0..<3 { _ = try camera.open() }
    let lines = try camera.names("card/device/log").flatMap { try camera.types("card/device/log/\($0)") }
    #expect(lines == ["START", "CHECK", "START", "CHECK", "VOID", "START", "CHECK", "START", "CHECK"])
  }

  @Test("a reserved counter whose OPEN is durable is no void")
  func openedBeforeTheCut() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      // The device log is full from here on: OPEN is durable, OPENED is not.
      let log = try #require(openDescriptor(of: "\(camera.storePath)/device/log/0000000001.log"))
      let full = try FileDescriptor.open(path: "/dev/full", flags: O_WRONLY)
      try #require(dup2(full.rawValue, log) == log)
      let error = failure { () throws(StoreError) in _ = try store.openRecording() }
      #expect(error?.kind == .full)
    }
    #expect(try record(camera).recordingState == .reserved)
    #expect(try camera.names("card/recordings").count == 1)
    _ = try camera.open()
    #expect(try camera.deviceLog().voided.isEmpty)
  }

  @Test("a torn end of the last device log is attested by the next START")
  func tornLog() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      try recordOne(&store)
    }
    let log = "card/device/log/0000000001.log"
    let whole = try camera.read(log)
    try camera.write(log, whole + Array("LAPEL1 OPENED n=3 id=".utf8))
    var store = try camera.open()
    try recordOne(&store)
    for name in try camera.names("card/recordings") {
      let verdict = try camera.verify(name)
      #expect(verdict.headline == .verified, "\(verdict.findings)")
    }
  }

  @Test("a log that was cut before its first line is passed over; one that lost what was confirmed is told")
  func emptyLog() throws {
    let camera = try TestCamera()
    do { _ = try camera.open() }
    // What a cut between creating the file and its first line leaves.
    try camera.write("card/device/log/0000000002.log", [])
    do { _ = try camera.open() }
    #expect(try camera.deviceLog().head?.n == 3)
    try camera.write("card/device/log/0000000003.log", [])
    let store = try camera.open()
    #expect(store.recovery.warnings.contains { $0.contains("line 3") }, "\(store.recovery.warnings)")
    let log = try DeviceLog(
      files: CardFiles(path: "\(camera.storePath)/device/log"), device: camera.load().device.identity)
    #expect(log.head?.n == 5 && log.findings.map(\.answer) == [.completeness(.rollback)])
  }

  @Test("old counters that were put back never lead to a log or a recording being written over, or a number used twice")
  func oldCounters() throws {
    let camera = try TestCamera()
    let slot = try camera.read("identity/counters.0")
    do {
      var store = try camera.open()
      try recordOne(&store)
    }
    let log = try camera.read("card/device/log/0000000001.log")
    try camera.write("identity/counters.0", slot)
    unlink("\(camera.identityPath)/counters.1")
    var store = try camera.open()
    #expect(store.recovery.warnings.contains { $0.contains("older than the card") })
    try recordOne(&store)
    #expect(try camera.read("card/device/log/0000000001.log") == log)
    let names = try camera.names("card/recordings")
    #expect(names.compactMap { EvidenceName.parseRecording($0)?.counter } == [1, 2])
    for name in names { #expect(try camera.verify(name).headline == .verified) }
  }

  @Test("counters that are gone stop the start: an enrolled camera has them")
  func noCounters() throws {
    let camera = try TestCamera()
    do { _ = try camera.open() }
    for slot in 0...1 { unlink("\(camera.identityPath)/counters.\(slot)") }
    let error = failure { () throws(StoreError) in _ = try camera.open() }
    #expect(error?.kind == .store && error?.description.contains("missing") == true)
    #expect(try camera.names("card/device/log").count == 1)
  }

  @Test("a device log that failed once takes no more lines from this start, and the next start continues the chain")
  func brokenLog() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      try recordOne(&store)
      let path = "\(camera.storePath)/device/log/0000000001.log"
      let log = try #require(openDescriptor(of: path))
      let saved = dup(log)
      let full = try FileDescriptor.open(path: "/dev/full", flags: O_WRONLY)
      try #require(dup2(full.rawValue, log) == log)
      #expect(throws: StoreError.self) { _ = try store.openRecording() }
      // The card has room again: a line now would not follow the one that the writer believes is there.
      try #require(dup2(saved, log) == log)
      close(saved)
      #expect(throws: StoreError.self) { _ = try store.openRecording() }
    }
    var store = try camera.open()
    try recordOne(&store)
    _ = try camera.deviceLog()
    let last = try #require(try camera.names("card/recordings").last)
    let verdict = try camera.verify(last)
    #expect(verdict.integrity == .intact && verdict.end == .closed, "\(verdict.findings)")
  }

  @Test("an abandoned segment is followed by a new one, and what was durable of it stays provable")
  func abandon() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    var writer = try store.openRecording()
    try writer.beginSegment { salt, _ in salt }
    let bytes = [UInt8](repeating: 3, count: 70_000)
    try writer.write(bytes.span.bytes)
    try writer.checkpoint {
      CheckpointFacts(mediaTime: 1, firstIDR: nil, clock: .reading(), lag: 1, framesLost: 0, samplesLost: 0)
    }
    try writer.write(bytes.span.bytes)
    try writer.abandonSegment(StoreError(.segmentWrite, "test"))
    try writer.recordSomething()
    try store.didClose(id: writer.id, counter: writer.counter, head: writer.head)
    let name = try #require(try camera.names("card/recordings").first)
    #expect(
      try camera.types("card/recordings/\(name)/journal.log")
        == ["OPEN", "SEG", "CKPT", "ABANDON", "SEG", "CKPT", "ENDSEG", "CLOSE"])
    let verdict = try camera.verify(name)
    #expect(verdict.headline == .verifiedWithGaps && verdict.abandonedSegments == 1, "\(verdict.findings)")
  }

  @Test("an error in mid-chunk, and a caller that goes on all the same: no nonce ever seals two messages")
  func errorInChunk() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    var writer = try store.openRecording()
    try writer.beginSegment { salt, _ in salt }
    let zeros = [UInt8](repeating: 0, count: 3 * SegmentStream.chunkByteCount)
    try writer.write(zeros.span.bytes.extracting(0..<100_000))
    // A segment that had no checkpoint would be gone afterwards.
    let facts = {
      CheckpointFacts(mediaTime: 1, firstIDR: nil, clock: .reading(), lag: 1, framesLost: 0, samplesLost: 0)
    }
    try writer.checkpoint(facts)
    let name = try #require(try camera.names("card/recordings").first)
    let path = "\(camera.storePath)/recordings/\(name)"
    let segment = try #require(openDescriptor(of: "\(path)/0000.mp4.age"))

    // A write that ends in the middle of a chunk, and an error behind it: a pipe whose reader goes away.
    signal(SIGPIPE, SIG_IGN)
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    let (reading, writing) = (ends[0], ends[1])
    let setPipeSize: CInt = 1_031  // F_SETPIPE_SZ
    try #require(fcntl(writing, setPipeSize, 4_096) > 0 && dup2(writing, segment) == segment)
    close(writing)
    let taken = "\(camera.path)/taken"
    let reader = try NamedThread("reader") {
      var bytes = [UInt8](repeating: 0, count: 40_000)
      var count = 0
      while count < bytes.count {
        let more = bytes.withUnsafeMutableBytes { read(reading, $0.baseAddress?.advanced(by: count), $0.count - count) }
        guard more > 0 else { break }
        count += more
      }
      close(reading)
      try? writeFileDurably(path: taken, bytes: bytes.span.bytes.extracting(0..<count))
    }
    #expect(throws: StoreError.self) { try writer.write(zeros.span.bytes) }
    let capture = try FileDescriptor.open(path: "\(camera.path)/capture", flags: O_WRONLY | O_CREAT)
    try #require(dup2(capture.rawValue, segment) == segment)
    try? writer.write(zeros.span.bytes)
    try writer.abandonSegment(StoreError(.segmentWrite, "test"))
    try writer.beginSegment { salt, _ in salt }
    try writer.write(zeros.span.bytes)
    try writer.checkpoint(facts)

    // Of zeros the ciphertext is the key stream: where one nonce sealed two messages it is the same.
    var streams: [ArraySlice<UInt8>] = []
    func take(_ sealed: [UInt8], from start: Int) {
      for chunk in stride(from: start, to: sealed.count, by: SegmentStream.sealedByteCount)
      where chunk + 32_064 <= sealed.count { streams.append(sealed[(chunk + 32_000)..<(chunk + 32_064)]) }
    }
    reader.join()
    let partial = try camera.read("taken")
    #expect(partial.count == 40_000)
    take(try camera.read("card/recordings/\(name)/0000.mp4.age"), from: 184)
    take(partial, from: 0)
    take(try camera.read("capture"), from: 0)
    take(try camera.read("card/recordings/\(name)/0001.mp4.age"), from: 184)
    #expect(streams.count >= 6 && Set(streams).count == streams.count)
  }

  @Test("closed files are read-only and no longer than what was written")
  func files() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    try recordOne(&store)
    let name = try #require(try camera.names("card/recordings").first)
    let directory = try Directory(path: "\(camera.storePath)/recordings/\(name)")
    for file in ["journal.log", "0000.mp4.age"] {
      let found = try directory.status(of: file)
      let status = try #require(found)
      #expect(status.mode == 0o440, "\(file)")
      // The space that was reserved ahead is given back.
      #expect(status.allocated < status.size + 65_536, "\(file)")
    }
  }

  /// From here on the open store can make no directory: its descriptor of `recordings` is no directory any more.
  private func block(_ camera: TestCamera) throws {
    let descriptor = try #require(openDescriptor(of: "\(camera.storePath)/recordings"))
    let other = try FileDescriptor.open(path: "/dev/null", flags: O_RDONLY)
    try #require(dup2(other.rawValue, descriptor) == descriptor)
  }
}

/// The descriptor under which this process has a file open.
func openDescriptor(of path: String) -> CInt? {
  for name in (try? listDirectory(path: "/proc/self/fd")) ?? [] {
    var target = [CChar](repeating: 0, count: 4_096)
    let count = readlink("/proc/self/fd/\(name)", &target, target.count)
    if count > 0, String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) == path {
      return CInt(name)
    }
  }
  return nil
}
