import Glibc
import Testing

@testable import LinuxIO

@Suite struct LockedMemoryTests {
  @Test("memory is zeroed, locked, and kept out of core dumps and children")
  func flags() throws {
    let memory = try LockedMemory(byteCount: 100_000, allowSwap: true)
    #expect(memory.bytes.count == 100_000)
    #expect(memory.bytes.allSatisfy { $0 == 0 })
    let flags = try #require(try kernelFlags(of: memory))
    #expect(flags.contains("dd"))  // not in core dumps
    #expect(flags.contains("dc"))  // not copied by fork
    #expect(flags.contains("lo") == memory.isLocked)
  }

  @Test("locking the whole process covers memory taken later, or says how it would")
  func process() throws {
    if let error = failure({ () throws(LinuxError) in try Process.lockMemory() }) {
      #expect([ENOMEM, EPERM].contains(error.errno) && error.description.contains("LimitMEMLOCK=infinity"))
      return
    }
    // Large enough for a mapping of its own, which malloc makes now.
    let later = UnsafeMutableRawPointer.allocate(byteCount: 64 << 20, alignment: 16)
    defer { later.deallocate() }
    later.storeBytes(of: 1, as: UInt8.self)
    let status = String(decoding: try readSmallFile(path: "/proc/self/status", limit: 1 << 16), as: UTF8.self)
    let locked = status.split(separator: "\n").first { $0.hasPrefix("VmLck:") }?.split(separator: " ")
    let kilobytes = Int(locked?.dropFirst().first ?? "") ?? 0
    #expect(kilobytes >= 64 << 10, "VmLck counts what is mapped and would be locked when used")
  }

  @Test("wiping clears its range and nothing else")
  func wipe() throws {
    let memory = try LockedMemory(byteCount: 64, allowSwap: true)
    for index in 0..<64 { memory.bytes[index] = 7 }
    memory.wipe(10..<20)
    #expect(Array(memory.bytes) == (0..<64).map { (10..<20).contains($0) ? 0 : 7 })
  }

  @Test("memory that cannot be had is an error that names the amount")
  func tooLarge() {
    let error = failure { () throws(LinuxError) in _ = try LockedMemory(byteCount: 1 << 50) }
    #expect(error?.errno == ENOMEM)
    #expect(error?.subject == "1099511627776 KiB of memory")
    #expect(failure { () throws(LinuxError) in _ = try LockedMemory(byteCount: 0) }?.errno == EINVAL)
    #expect(failure { () throws(LinuxError) in _ = try LockedMemory(byteCount: -1) }?.errno == EINVAL)
  }

  @Test("a refused lock names the limit, how to raise it, and the way without")
  func limitText() {
    let error = LockedMemory.lockError("16384 KiB of memory", errno: ENOMEM, limit: 8 << 20)
    for part in [
      "cannot lock 16384 KiB of memory", "RLIMIT_MEMLOCK", "8192 KiB", "LimitMEMLOCK=infinity", "ulimit -l",
      "CAP_IPC_LOCK", "allow_swap",
    ] {
      #expect(error.description.contains(part))
    }
  }

  /// The VmFlags of the mapping that begins where this memory does (proc(5), smaps).
  private func kernelFlags(of memory: LockedMemory) throws -> [Substring]? {
    let start = String(UInt(bitPattern: memory.bytes.baseAddress), radix: 16) + "-"
    let lines = String(decoding: try readSmallFile(path: "/proc/self/smaps", limit: 64 << 20), as: UTF8.self)
      .split(separator: "\n")
    guard let first = lines.firstIndex(where: { $0.hasPrefix(start) }) else { return nil }
    return lines[first...].first { $0.hasPrefix("VmFlags:") }?.split(separator: " ")
  }
}
