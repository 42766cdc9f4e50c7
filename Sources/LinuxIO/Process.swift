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

  /// Takes what was needed to start only, symbol tables and program text, out of this process's memory: the pages of all
  /// mapped files that were never written go, and those still in use come back from the page cache when they are next
  /// needed (madvise(2), MADV_DONTNEED). Call it when something large is over that does not come again. Costs a few ms.
  public static func releaseStartupText() {
    guard let bytes = try? readSmallFile(path: "/proc/self/smaps", limit: 4 << 20) else { return }
    for mapping in cleanFileMappings(smaps: String(decoding: bytes, as: UTF8.self)) {
      guard let start = UnsafeMutableRawPointer(bitPattern: mapping.addresses.lowerBound) else { continue }
      // SAFETY: the mapping is this process's, of a file, not writable, and without a page of its own ("Anonymous: 0",
      // "Swap: 0"; relocated data has some): the file holds all of it, so nothing is lost.
      // Locked pages would stay. What comes back is locked again, so that capture never waits for text to be read.
      if mapping.isLocked { munlock(start, mapping.addresses.count) }
      madvise(start, mapping.addresses.count, CInt(MADV_DONTNEED))
      if mapping.isLocked { _ = clinux_lock_when_used(start, mapping.addresses.count) }
    }
  }

  struct FileMapping: Hashable {
    var addresses: Range<UInt>
    var isLocked: Bool
  }

  /// The address ranges of files that are mapped without a writable or ever written page (proc(5), smaps).
  static func cleanFileMappings(smaps: String) -> [FileMapping] {
    var mappings: [FileMapping] = []
    var candidate: FileMapping?
    var isClean = false
    func take() {
      if let candidate, isClean { mappings.append(candidate) }
    }
    for line in smaps.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard let first = words.first, first.last == ":" else {
        // A new mapping: 55d0c0a3b000-55d0c0a3d000 r-xp 00002000 08:01 1234 /usr/bin/x
        take()
        candidate = nil
        isClean = true
        let bounds = (words.first ?? "").split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard words.count >= 6, words[1].hasPrefix("r-"), words[5].hasPrefix("/"), bounds.count == 2,
          bounds[0] < bounds[1]
        else { continue }
        candidate = FileMapping(addresses: bounds[0]..<bounds[1], isLocked: false)
        continue
      }
      if first == "VmFlags:", words.contains("lo") { candidate?.isLocked = true }
      if ["Anonymous:", "Swap:", "Private_Dirty:"].contains(first), words.dropFirst().first != "0" { isClean = false }
    }
    take()
    return mappings
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
