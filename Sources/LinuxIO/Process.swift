import CLinux
import Glibc

/// Settings of this process.
public enum Process {
  /// No core dumps, and no reading of this process's memory by others of the same user (prctl(2) PR_SET_DUMPABLE 0,
  /// RLIMIT_CORE 0). Files of this process in /proc then belong to root.
  public static func disableCoreDumps() throws(LinuxError) {
    if clinux_disable_core_dumps() != 0 { throw LinuxError("disable", "core dumps", errno: errno) }
  }

  /// True unless core dumps were disabled.
  public static var isDumpable: Bool { clinux_is_dumpable() == 1 }

  /// Keeps everything of this process out of swap: keys and raw sound pass through heap and stacks, too. Pages are locked
  /// when they are used, none is brought in for it, and what is mapped later is covered (mlockall(2), MCL_ONFAULT). Call it
  /// before the first secret.
  ///
  /// - Throws: when the limit on locked memory does not let it.
  public static func lockMemory() throws(LinuxError) {
    // With a limit, what is mapped later would count whole and fail in the middle of a recording.
    guard clinux_memory_lock_limit() == .max || mayLockAnything else {
      throw LockedMemory.lockError("the process's memory", errno: ENOMEM, limit: clinux_memory_lock_limit())
    }
    guard clinux_lock_process_memory() == 0 else {
      throw LockedMemory.lockError("the process's memory", errno: errno, limit: clinux_memory_lock_limit())
    }
  }

  /// Whether the process has CAP_IPC_LOCK, to which no limit applies (capabilities(7)).
  private static var mayLockAnything: Bool {
    let status = (try? readSmallFile(path: "/proc/self/status", limit: 1 << 16)) ?? []
    let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    let mask = line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) } ?? 0
    return mask & 1 << 14 != 0
  }

  /// malloc gives free memory at the end of its heap back above this many bytes (mallopt(3), M_TRIM_THRESHOLD).
  @discardableResult
  public static func setMallocTrimThreshold(_ bytes: Int) -> Bool {
    clinux_malloc_trim_threshold(CInt(clamping: bytes)) == 1
  }

  /// The most heaps that malloc keeps for threads (mallopt(3), M_ARENA_MAX); call before threads start.
  @discardableResult
  public static func limitMallocArenas(to count: Int) -> Bool { clinux_malloc_arena_limit(CInt(clamping: count)) == 1 }
}

/// The kernel's identifier of this boot, 36 characters (/proc/sys/kernel/random/boot_id).
public func kernelBootID() throws(LinuxError) -> String {
  let path = "/proc/sys/kernel/random/boot_id"
  let text = String(
    decoding: try readSmallFile(path: path, limit: 128).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  guard text.utf8.count == 36 else { throw LinuxError("understand", path, errno: 0) }
  return text
}

/// Bytes that new programs could use without swapping (MemAvailable in /proc/meminfo).
public func memAvailable() throws(LinuxError) -> Int {
  let path = "/proc/meminfo"
  let text = String(decoding: try readSmallFile(path: path, limit: 64 * 1024), as: UTF8.self)
  for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
    let words = line.split(separator: " ")
    if words.count >= 2, let kilobytes = Int(words[1]) { return kilobytes.multipliedClamped(by: 1024) }
  }
  throw LinuxError("find MemAvailable in", path, errno: 0)
}

/// Bytes of this process in memory, shared libraries included (/proc/self/statm).
public func residentBytes() throws(LinuxError) -> Int {
  let path = "/proc/self/statm"
  let words = String(decoding: try readSmallFile(path: path, limit: 4096), as: UTF8.self).split(separator: " ")
  guard words.count >= 2, let pages = Int(words[1]) else { throw LinuxError("understand", path, errno: 0) }
  return pages.multipliedClamped(by: sysconf(CInt(_SC_PAGESIZE)))
}

extension Int {
  fileprivate func multipliedClamped(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
