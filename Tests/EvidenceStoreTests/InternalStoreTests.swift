import Evidence
import Glibc
import LinuxIO
import Testing

@testable import EvidenceStore

@Suite("InternalStore")
struct InternalStoreTests {
  private func open(_ camera: TestCamera) throws(StoreError) -> InternalStore.Record {
    try InternalStore(directory: camera.identityPath).record
  }

  /// Some updates; the records after each.
  private func update(_ camera: TestCamera, times: Int64) throws -> [InternalStore.Record] {
    var store = try InternalStore(directory: camera.identityPath)
    var records: [InternalStore.Record] = []
    for time in 1...times {
      try store.update {
        $0.recordingCounter += 1
        // Lines of changing length, as counters and states have.
        $0.recordingID = String(repeating: "a", count: Int(time * 7 % 11))
        $0.recordingState = time % 2 == 0 ? .opened : .reserved
      }
      records.append(store.record)
    }
    return records
  }

  @Test("what was made durable last is what the next start reads")
  func remembers() throws {
    let camera = try TestCamera()
    #expect(try open(camera) == InternalStore.Record())
    for record in try update(camera, times: 5) { #expect(record.sequence > 0) }
    #expect(try open(camera).recordingCounter == 5)
  }

  @Test("after any torn write of a slot the store is as before it or as after it")
  func tornWrite() throws {
    let camera = try TestCamera()
    _ = try update(camera, times: 7)
    let before = try open(camera)
    let old = [try camera.read("identity/counters.0"), try camera.read("identity/counters.1")]
    let after = try #require(try update(camera, times: 1).last)
    let slot = Int(after.sequence % 2)
    let name = "identity/counters.\(slot)"
    let new = try camera.read(name)
    #expect(try camera.read("identity/counters.\(1 - slot)") == old[1 - slot])
    for count in 0...new.count {
      // The new bytes reached the disk up to here; the old ones stand behind them, or nothing does.
      let torn = Array(new[..<count])
      for bytes in [torn + old[slot].dropFirst(count), torn] {
        try plainWrite(camera, name, bytes)
        let record = try open(camera)
        #expect(record == before || (record == after && bytes == new), "\(count) bytes")
      }
    }
  }

  private func plainWrite(_ camera: TestCamera, _ name: String, _ bytes: [UInt8]) throws {
    let file = try FileDescriptor.open(path: "\(camera.path)/\(name)", flags: O_WRONLY | O_TRUNC)
    try file.write(bytes.span.bytes)
  }

  @Test("one damaged slot is survived at each of its bytes, and the next update repairs it")
  func damagedSlot() throws {
    let camera = try TestCamera()
    let records = try update(camera, times: 6)
    let newest = "identity/counters.\(records[5].sequence % 2)"
    let whole = try camera.read(newest)
    for index in stride(from: 0, to: whole.count, by: 3) {
      var bytes = whole
      bytes[index] ^= 0x04
      try plainWrite(camera, newest, bytes)
      #expect(try open(camera) == records[4], "byte \(index)")
    }
    _ = try update(camera, times: 2)
    #expect(try open(camera).recordingCounter == 7)
  }

  @Test("counters that are there and unreadable are refused, never begun again")
  func unreadable() throws {
    let camera = try TestCamera()
    _ = try update(camera, times: 4)
    for name in ["counters.0", "counters.1"] { try plainWrite(camera, "identity/\(name)", Array("LAPEL1 counters".utf8)) }
    var error = failure { () throws(StoreError) in _ = try open(camera) }
    #expect(error?.kind == .store && error?.description.contains("lapel enroll") == true)
    // Also when one of them is gone.
    unlink("\(camera.identityPath)/counters.1")
    error = failure { () throws(StoreError) in _ = try open(camera) }
    #expect(error?.kind == .store)
  }

  @Test("a slot that is a symbolic link is not written through")
  func symbolicLink() throws {
    let camera = try TestCamera()
    try camera.write("victim", Array("precious".utf8))
    for slot in 0...1 { symlink("\(camera.path)/victim", "\(camera.identityPath)/counters.\(slot)") }
    let error = failure { () throws(StoreError) in
      var store = try InternalStore(directory: camera.identityPath)
      try store.update { $0.startCounter = 1 }
    }
    #expect(error != nil)
    #expect(try camera.text("victim") == "precious")
  }
}
