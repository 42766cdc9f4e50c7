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
    guard clinux_lock_process_memory() == 0 else {
      throw LockedMemory.lockError("the process's memory", errno: errno, limit: clinux_memory_lock_limit())
    }
  }

  /// Takes program text out of this process's memory that was needed to start only: the pages of all executable mappings
  /// go, and those still in use come back, from the page cache, when they are next run (madvise(2), MADV_DONTNEED; text
  /// is never modified, so nothing is lost). Call it once, when everything runs.
  public static func releaseStartupText() {
    guard let bytes = try? readSmallFile(path: "/proc/self/maps", limit: 1 << 20) else { return }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard words.count >= 6, words[1] == "r-xp", words[5].hasPrefix("/") else { continue }
      let bounds = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
      let (text, length) = (UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]))
      // Locked pages would stay. Text holds no secret, so it need not be locked.
      if let text { munlock(text, length) }
      madvise(text, length, CInt(MADV_DONTNEED))
    }
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
