import Evidence
import Glibc
import LinuxIO
import Testing

@testable import EvidenceStore

@Suite("Recovery on a card")
struct RecoveryTests {
  /// Begins a recording, makes `checkpoints` of it durable, writes some more, and drops it as a crash would.
  private func interrupt(_ camera: TestCamera, segments: Int = 1, checkpoints: Int = 2) throws -> EvidenceStore {
    var store = try camera.open()
    var writer = try store.openRecording()
    let bytes = [UInt8](repeating: 5, count: 100_000)
    for segment in 1...segments {
      try writer.beginSegment { salt, index in salt + [UInt8(index % 256)] }
      for count in 1...checkpoints {
        try writer.write(bytes.span.bytes)
        let second = Int64((segment - 1) * checkpoints + count)
        try writer.checkpoint(endsSegment: segment < segments && count == checkpoints) {
          CheckpointFacts(
            mediaTime: second * 1_000_000, firstIDR: nil, clock: .reading(), lag: 1, framesLost: 0, samplesLost: 0)
        }
      }
    }
    try writer.write(bytes.span.bytes)
    return store
  }

  private func recordOne(_ store: inout EvidenceStore) throws {
    var writer = try store.openRecording()
    try writer.recordSomething()
    try store.didClose(id: writer.id, counter: writer.counter, head: writer.head)
  }

  private func types(_ camera: TestCamera, _ start: Int) throws -> [String] {
    try camera.types("card/device/log/\(camera.names("card/device/log")[start - 1])")
  }

  @Test("a recording dropped in the middle is recovered at the next start, in the log before anything else, once")
  func interrupted() throws {
    let camera = try TestCamera()
    do { _ = try interrupt(camera, segments: 3) }
    let name = try #require(try camera.names("card/recordings").first)
    let before = try camera.names("card/recordings/\(name)").map { try camera.read("card/recordings/\(name)/\($0)") }
    var store = try camera.open()
    #expect(
      store.recovery.interrupted.map(\.words)
        == ["found interrupted recording 1: 3 segments, attested to 0:00:06, recovered"])
    #expect(store.recovery.warnings.isEmpty)
    #expect(try types(camera, 2) == ["START", "CHECK", "RECOVER", "RFILE"])
    try recordOne(&store)
    #expect(try types(camera, 2) == ["START", "CHECK", "RECOVER", "RFILE", "OPENED", "CLOSED"])
    let verdict = try camera.verify(name)
    #expect(verdict.headline == .verifiedTo && verdict.isRecovered && verdict.mediaTime == 6_000_000)
    #expect(verdict.completeness == .continuous)
    // The full chunk that was written behind the last checkpoint.
    #expect(verdict.findings.contains { $0.answer == .remark(.cameraSeen) }, "\(verdict.findings)")
    let later = try #require(try camera.names("card/recordings").last)
    #expect(try camera.verify(later).headline == .verified)
    _ = consume store
    let third = try camera.open()
    #expect(third.recovery == RecoveryReport())
    #expect(try types(camera, 3) == ["START", "CHECK"])
    let after = try camera.names("card/recordings/\(name)").map { try camera.read("card/recordings/\(name)/\($0)") }
    #expect(after == before)
  }

  @Test("an OPEN that became durable without OPENED is OPENED late, and recovered; its number explains itself")
  func openedLate() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      let log = try #require(openDescriptor(of: "\(camera.storePath)/device/log/0000000001.log"))
      let full = try FileDescriptor.open(path: "/dev/full", flags: O_WRONLY)
      try #require(dup2(full.rawValue, log) == log)
      #expect(throws: StoreError.self) { _ = try store.openRecording() }
    }
    var store = try camera.open()
    #expect(try types(camera, 2) == ["START", "CHECK", "OPENED", "RECOVER"])
    try recordOne(&store)
    let names = try camera.names("card/recordings")
    #expect(names.count == 2)
    let verdicts = try names.map { try camera.verify($0) }
    #expect(verdicts.map(\.headline) == [.verifiedTo, .verified], "\(verdicts.flatMap(\.findings))")
    #expect(verdicts.allSatisfy { $0.completeness == .continuous })
  }

  @Test("an opening that failed is settled in the same log before the next number is used")
  func failedOpening() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    // A file stands where the journal of the next recording would be made: there is no way to know its id, so the whole
    // directory refuses.
    let descriptor = try #require(openDescriptor(of: "\(camera.storePath)/recordings"))
    let saved = dup(descriptor)
    let null = try FileDescriptor.open(path: "/dev/null", flags: O_RDONLY)
    try #require(dup2(null.rawValue, descriptor) == descriptor)
    #expect(throws: StoreError.self) { _ = try store.openRecording() }
    try #require(dup2(saved, descriptor) == descriptor)
    close(saved)
    try recordOne(&store)
    #expect(try types(camera, 1) == ["START", "CHECK", "VOID", "OPENED", "CLOSED"])
    let name = try #require(try camera.names("card/recordings").last)
    #expect(EvidenceName.parseRecording(name)?.counter == 2)
    #expect(try camera.verify(name).headline == .verified)
  }

  @Test("foreign, unreadable and missing things on the card are said and stop no start")
  func foreign() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      try recordOne(&store)
    }
    do { _ = try interrupt(camera) }
    let name = try #require(try camera.names("card/recordings").last)
    let path = "\(camera.storePath)/recordings"
    try #require(mkdir("\(path)/lost+found", 0o700) == 0)
    try #require(mkdir("\(path)/0000000009-\(String(repeating: "a", count: 32))", 0o700) == 0)
    try #require(symlink("/etc/passwd", "\(path)/0000000008-\(String(repeating: "b", count: 32))") == 0)
    try #require(symlink("/etc/passwd", "\(path)/\(name)/0007.mp4.age") == 0)
    let first = try #require(try camera.names("card/recordings").first)
    try #require(rename("\(path)/\(first)", "\(camera.path)/\(first)") == 0)
    let store = try camera.open()
    let warnings = store.recovery.warnings
    for text in ["lost+found", "recording 9", "recording 8", "recording 2", "recording 1 "] {
      #expect(warnings.contains { $0.contains(text) }, "\(text) in \(warnings)")
    }
    #expect(try types(camera, 3) == ["START", "CHECK", "LOST"])
    // Once the link is gone the recording can be read, and is recovered.
    _ = consume store
    unlink("\(path)/\(name)/0007.mp4.age")
    let next = try camera.open()
    #expect(next.recovery.interrupted.map(\.counter) == [2])
  }

  @Test("another camera's card is refused before anything is written to it; a lab store takes it and says so")
  func anotherCamera() throws {
    let first = try TestCamera()
    do {
      var store = try first.open()
      try recordOne(&store)
    }
    let second = try TestCamera()
    // The card of the first, with the second's notes on it.
    for name in try first.names("card/device/log") {
      try Directory.make(path: "\(second.storePath)/device/log", mode: 0o700, allowingExisting: true)
      try second.write("card/device/log/\(name)", first.read("card/device/log/\(name)"))
    }
    let before = try second.names("card/device/log")
    // /tmp is on a file system that is refused anyway on some machines; the refusal of the card must come by its own name.
    let error = failure { () throws(StoreError) in _ = try second.open(isLabStore: false) }
    let isMeasured = try EvidenceStore.measuredFileSystems.contains(FileSystemStatus(path: second.storePath).typeName)
    #expect(error != nil)
    if isMeasured {
      let owner = try first.load().device.identity.id
      #expect(error?.description.contains("\(owner)") == true, "\(String(describing: error))")
    }
    #expect(try second.names("card/device/log") == before)
    #expect(try InternalStore(directory: second.identityPath).record.startCounter == 0)
    let store = try second.open()
    #expect(store.recovery.warnings.contains { $0.contains("another camera") }, "\(store.recovery.warnings)")
    // With a line of its own on the card it is this camera's, whatever somebody put beside it.
    let files = CardFiles(path: "\(second.storePath)/device/log")
    #expect(try DeviceLog(files: files, device: second.load().device.identity).otherOwner(files) == nil)
  }

  @Test("a log under the next start's number that the camera did not write is left alone, and passed over")
  func occupiedNumber() throws {
    let camera = try TestCamera()
    do { _ = try camera.open() }
    try camera.write("card/device/log/0000000002.log", Array("nonsense\n".utf8))
    var store = try camera.open()
    try recordOne(&store)
    #expect(try camera.names("card/device/log") == ["0000000001.log", "0000000002.log", "0000000003.log"])
    #expect(try camera.text("card/device/log/0000000002.log") == "nonsense\n")
    let name = try #require(try camera.names("card/recordings").first)
    #expect(try camera.verify(name).headline == .verified)
  }

  @Test("an older copy of the card put back is told at the start, and no number is used twice")
  func oldCard() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      try recordOne(&store)
    }
    let log = try camera.read("card/device/log/0000000001.log")
    do {
      var store = try camera.open()
      try recordOne(&store)
    }
    let names = try camera.names("card/recordings")
    unlink("\(camera.storePath)/device/log/0000000002.log")
    try #require(
      rename("\(camera.storePath)/recordings/\(names[1])", "\(camera.path)/\(names[1])") == 0)
    #expect(try camera.read("card/device/log/0000000001.log") == log)
    var store = try camera.open()
    #expect(store.recovery.warnings.count == 2, "\(store.recovery.warnings)")
    try recordOne(&store)
    let later = try camera.names("card/recordings")
    #expect(later.compactMap { EvidenceName.parseRecording($0)?.counter } == [1, 3])
    for name in later { #expect(try camera.verifyAnyLog(name).headline == .completeness(.rollback)) }
  }

  @Test("a tail of 200 MB, which no honest card has, is attested as far as a start has time for")
  func longTail() throws {
    let camera = try TestCamera()
    do { _ = try interrupt(camera) }
    let name = try #require(try camera.names("card/recordings").first)
    let path = "\(camera.storePath)/recordings/\(name)/0000.mp4.age"
    do {
      let file = try FileDescriptor.open(path: path, flags: O_WRONLY)
      try file.truncate(to: 200 << 20)
    }
    let store = try camera.open()
    #expect(store.recovery.interrupted.count == 1)
    let log = try camera.deviceLog()
    let file = try #require(log.recoveries.values.first?.first?.files[0])
    #expect(file.tail.size == 200 << 20 && file.tail.end == file.tail.from + 64 << 20 && !file.tail.isWhole)
  }

  @Test(
    "a journal cut at each of its bytes is recovered twice over restarts with the same answer", .timeLimit(.minutes(5)))
  func cuts() throws {
    let camera = try TestCamera()
    do { _ = try interrupt(camera, checkpoints: 1) }
    let name = try #require(try camera.names("card/recordings").first)
    let journal = try camera.read("card/recordings/\(name)/journal.log")
    let opened = try #require(journal.firstIndex(of: 10)) + 1
    let identity = (0...1).map { try? camera.read("identity/counters.\($0)") }
    for length in stride(from: opened, to: journal.count, by: 61) {
      try camera.write("card/recordings/\(name)/journal.log", Array(journal.prefix(length)))
      for log in try camera.names("card/device/log").dropFirst() { unlink("\(camera.storePath)/device/log/\(log)") }
      for (slot, bytes) in identity.enumerated() {
        if let bytes { try camera.write("identity/counters.\(slot)", bytes) }
      }
      do { _ = try camera.open() }
      let verdict = try camera.verify(name)
      #expect(verdict.headline == .verifiedTo && verdict.isRecovered, "\(length): \(verdict.findings)")
      do { _ = try camera.open() }
      #expect(try camera.verify(name) == verdict)
    }
  }
}
