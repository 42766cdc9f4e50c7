import Evidence
import Glibc
import LinuxIO
import Testing

@testable import EvidenceStore

@Suite("A docked camera")
struct DockingTests {
  /// Records as often as asked; returns the directories' names.
  private func record(_ camera: TestCamera, _ store: inout EvidenceStore, _ count: Int) throws -> [String] {
    for _ in 0..<count {
      var writer = try store.openRecording()
      try writer.recordSomething()
      try store.didClose(id: writer.id, counter: writer.counter, head: writer.head)
    }
    return try camera.names("card/recordings")
  }

  private func refusal(
    _ store: inout EvidenceStore, _ note: [UInt8], _ camera: TestCamera
  ) throws -> DeletionFailure? {
    do {
      try store.delete(
        CheckedReceipt(
          note, roles: camera.rolesNote, device: camera.load().device.identity, storePath: camera.storePath))
      return nil
    } catch let failure as DeletionFailure {
      return failure
    }
  }

  private func lastLog(_ camera: TestCamera) throws -> [String] {
    try camera.types("card/device/log/\(#require(camera.names("card/device/log").last))")
  }

  @Test("a receipt deletes its recording, DELETE first; the others stay VERIFIED with it and MISSING_RECORDING without")
  func deletion() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    let names = try record(camera, &store, 3)
    let receipts = try [camera.receipt(for: names[0]), camera.receipt(for: names[2])]
    // The newest too, which the camera's own memory names.
    for note in receipts { #expect(try refusal(&store, note, camera) == nil) }
    #expect(try camera.names("card/recordings") == [names[1]])
    #expect(
      try lastLog(camera)
        == ["START", "CHECK", "OPENED", "CLOSED", "OPENED", "CLOSED", "OPENED", "CLOSED", "DELETE", "DELETE"])
    #expect(try camera.verifyAnyLog(names[1], receipts: receipts).headline == .verified)
    #expect(try camera.verifyAnyLog(names[1], receipts: [receipts[0]]).headline == .completeness(.missingRecording))
    #expect(try camera.verify(names[1]).headline == .completeness(.missingRecording))
    // The next start misses nothing, and goes on with the next number.
    _ = consume store
    var next = try camera.open()
    #expect(next.recovery == RecoveryReport())
    #expect(try lastLog(camera) == ["START", "CHECK"])
    let later = try #require(try record(camera, &next, 1).last)
    #expect(EvidenceName.parseRecording(later)?.counter == 4)
    #expect(try camera.verifyAnyLog(later, receipts: receipts).headline == .verified)
    // The same receipt once more: there is nothing to delete.
    guard case .refused(.gone(names[0])) = try refusal(&next, receipts[0], camera) else {
      Issue.record("a deleted recording was deleted again")
      return
    }
  }

  @Test("a refused receipt changes nothing: not the files, not the log")
  func refused() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    let names = try record(camera, &store, 2)
    let note = try camera.receipt(for: names[0])
    let before = try lastLog(camera)
    let path = "\(camera.storePath)/recordings/\(names[0])"
    try #require(mkdir("\(path)/found.000", 0o700) == 0)
    guard case .refused(.notCopied("found.000")) = try refusal(&store, note, camera) else {
      Issue.record("a file that the dock has not seen was deleted")
      return
    }
    try #require(rmdir("\(path)/found.000") == 0)
    let stranger = try TestCamera()
    var other = try stranger.open()
    let foreign = try stranger.receipt(for: #require(record(stranger, &other, 1).first))
    guard case .refused(.forged) = try refusal(&store, foreign, camera) else {
      Issue.record("another agency's receipt was taken")
      return
    }
    guard case .refused(.malformed) = try refusal(&store, Array(note.dropLast(9)), camera) else {
      Issue.record("half a receipt was taken")
      return
    }
    let file = "card/recordings/\(names[0])/0000.mp4.age"
    var bytes = try camera.read(file)
    bytes[500] ^= 1
    try camera.write(file, bytes)
    guard case .refused(.changed("0000.mp4.age")) = try refusal(&store, note, camera) else {
      Issue.record("changed footage was deleted")
      return
    }
    #expect(try lastLog(camera) == before && camera.names("card/recordings") == names)
  }

  @Test("a recording that changed between the comparison and the deletion stays")
  func changedMeanwhile() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    let name = try #require(try record(camera, &store, 1).first)
    let note = try camera.receipt(for: name)
    let identity = try camera.load().device.identity
    func check() throws -> CheckedReceipt {
      try CheckedReceipt(note, roles: camera.rolesNote, device: identity, storePath: camera.storePath)
    }
    func refusal(_ checked: CheckedReceipt) -> ReceiptRefusal? {
      do throws(DeletionFailure) {
        try store.delete(checked)
        return nil
      } catch {
        if case .refused(let refusal) = error { return refusal }
        return nil
      }
    }
    let path = "card/recordings/\(name)"
    let bytes = try camera.read("\(path)/0000.mp4.age")
    var checked = try check()
    // Another file under the name, with the same bytes.
    try camera.write("\(path)/0000.mp4.age", bytes)
    #expect(refusal(checked) == .changed("0000.mp4.age"))
    checked = try check()
    try camera.write("\(path)/0001.mp4.age", [1])
    #expect(refusal(checked) == .notCopied("0001.mp4.age"))
    unlink("\(camera.path)/\(path)/0001.mp4.age")
    unlink("\(camera.path)/\(path)/0000.mp4.age")
    #expect(refusal(checked) == .gone("0000.mp4.age"))
    #expect(try lastLog(camera) == ["START", "CHECK", "OPENED", "CLOSED"])
    try camera.write("\(path)/0000.mp4.age", bytes)
    try store.delete(check())
    #expect(try camera.names("card/recordings").isEmpty)
  }

  @Test("the recording that is being made is not deleted, and an interrupted one once it was recovered and copied")
  func interrupted() throws {
    let camera = try TestCamera()
    do {
      var store = try camera.open()
      var writer = try store.openRecording()
      try writer.beginSegment { salt, index in salt + [UInt8(index)] }
      let footage = [UInt8](repeating: 3, count: 90_000)
      try writer.write(footage.span.bytes)
      try writer.checkpoint {
        CheckpointFacts(mediaTime: 1, firstIDR: nil, clock: .reading(), lag: 1, framesLost: 0, samplesLost: 0)
      }
      let name = try #require(try camera.names("card/recordings").first)
      guard case .notEnded = try refusal(&store, camera.receipt(for: name), camera) else {
        Issue.record("the open recording was deleted")
        return
      }
    }
    var store = try camera.open()
    let name = try #require(try camera.names("card/recordings").first)
    #expect(try camera.verify(name).headline == .verifiedTo)
    let note = try camera.receipt(for: name)
    #expect(try refusal(&store, note, camera) == nil)
    #expect(try camera.names("card/recordings").isEmpty)
    let next = try #require(try record(camera, &store, 1).last)
    #expect(try camera.verifyAnyLog(next, receipts: [note]).headline == .verified)
  }

  @Test("a deletion that was cut off at any step is finished by the next start, and never said to be LOST")
  func cutOff() throws {
    // What of the directory is durable when the power goes, DELETE being so.
    for left in [["0000.mp4.age", "journal.log"], ["0000.mp4.age"], ["journal.log"], []] {
      for remembers in [true, false] {
        let camera = try TestCamera()
        var receipt: [UInt8] = []
        var names: [String] = []
        do {
          var store = try camera.open()
          names = try record(camera, &store, 2)
          receipt = try camera.receipt(for: names[1])
          let path = "card/recordings/\(names[1])"
          let files = try ["0000.mp4.age", "journal.log"].map { ($0, try camera.read("\(path)/\($0)")) }
          let counters = try camera.names("identity").filter { $0.hasPrefix("counters.") }.map {
            ($0, try camera.read("identity/\($0)"))
          }
          #expect(try refusal(&store, receipt, camera) == nil)
          // The card and the camera's memory as the cut left them.
          try Directory.make(path: "\(camera.path)/\(path)")
          for (name, bytes) in files where left.contains(name) { try camera.write("\(path)/\(name)", bytes) }
          if !remembers { for (name, bytes) in counters { try camera.write("identity/\(name)", bytes) } }
        }
        var store = try camera.open()
        #expect(try camera.names("card/recordings") == [names[0]], "\(left)")
        #expect(store.recovery.warnings.isEmpty && store.recovery.notes.count == 1, "\(store.recovery)")
        #expect(try lastLog(camera) == ["START", "CHECK"])
        let next = try #require(try record(camera, &store, 1).last)
        #expect(EvidenceName.parseRecording(next)?.counter == 3)
        for name in [names[0], next] {
          let verdict = try camera.verifyAnyLog(name, receipts: [receipt])
          #expect(verdict.headline == .verified, "\(left) \(remembers): \(verdict.findings)")
        }
      }
    }
  }

  @Test("what is no file of a recording stays where it is when a start finishes a deletion, and is told")
  func leftOver() throws {
    let camera = try TestCamera()
    var path = ""
    do {
      var store = try camera.open()
      let name = try #require(try record(camera, &store, 1).first)
      path = "\(camera.storePath)/recordings/\(name)"
      #expect(try refusal(&store, camera.receipt(for: name), camera) == nil)
      try Directory.make(path: path)
      try camera.write("card/recordings/\(name)/found.txt", [1])
    }
    for _ in 0..<2 {
      let store = try camera.open()
      #expect(store.recovery.warnings.count == 1)
      #expect(try listDirectory(path: path) == ["found.txt"])
      _ = consume store
    }
  }

  @Test("when DELETE cannot be made durable nothing is removed")
  func noLog() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    let names = try record(camera, &store, 1)
    let note = try camera.receipt(for: names[0])
    let log = try #require(openDescriptor(of: "\(camera.storePath)/device/log/0000000001.log"))
    let full = try FileDescriptor.open(path: "/dev/full", flags: O_WRONLY)
    try #require(dup2(full.rawValue, log) == log)
    guard case .notLogged = try refusal(&store, note, camera) else {
      Issue.record("deleted without a word")
      return
    }
    #expect(try camera.names("card/recordings/\(names[0])") == ["0000.mp4.age", "journal.log"])
    _ = consume store
    #expect(try camera.open().recovery.warnings.isEmpty)
    #expect(try camera.verify(names[0]).headline == .verified)
  }

  @Test("a dock's greeting, its anchor and an audit line are in the log; the anchor is the line that the dock keeps")
  func anchor() throws {
    let camera = try TestCamera()
    var store = try camera.open()
    let names = try record(camera, &store, 1)
    let device = try camera.load().device.identity
    let greeting = try DockGreeting(
      parsing: DockGreeting.make(
        issued: 9, isDemo: false, device: device.id, nonce: Hash32.sha256(of: [4]), signer: camera.dock),
      roles: camera.rolesNote, device: device.id)
    try store.greet(greeting)
    try store.audit(.event(.battery(.external, percent: 80)))
    #expect(throws: StoreError.self) {
      try store.audit(.event(.battery(.external, percent: 180)))
    }
    let anchor = try Anchor(parsing: store.anchorLog(nonce: greeting.nonce), device: device)
    #expect(anchor.facts.nonce == greeting.nonce && anchor.facts.recording?.counter == 1)
    #expect(
      try lastLog(camera) == ["START", "CHECK", "OPENED", "CLOSED", "DOCK", "AUDIT", "ANCHOR"])
    #expect(try camera.deviceLog().head == anchor.head)
    #expect(try camera.verify(names[0]).headline == .verified)
    // The camera itself remembers the line: a log that is put back without it is noticed at the next start.
    let next = try #require(try record(camera, &store, 1).last)
    #expect(try camera.verify(next).docking?.wall == 9)
  }
}
