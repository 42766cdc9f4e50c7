import CLinux
import Glibc

/// Zeroed memory for footage and keys: never in swap, in a core dump or in a child process; wiped before it is
/// given back.
///
/// `@unchecked Sendable`, because: the pointer and the length never change after `init`, and the mapping lives exactly as
/// long as the object. What the bytes mean is the user's: whoever shares the memory puts a lock around it.
public final class LockedMemory: @unchecked Sendable {
  /// Page-aligned. Valid while this object lives.
  public let bytes: UnsafeMutableRawBufferPointer
  /// False only when locking was refused and `allowSwap` was set.
  public let isLocked: Bool

  /// Maps and locks `byteCount` bytes (more than 0); all pages are there when it returns, so use never faults.
  ///
  /// - Throws: when the memory cannot be had, or cannot be locked and `allowSwap` is false.
  public init(byteCount: Int, allowSwap: Bool = false) throws(LinuxError) {
    guard byteCount > 0, let base = clinux_map_private(byteCount) else {
      throw LinuxError("reserve", "\(byteCount / 1024) KiB of memory", errno: byteCount > 0 ? errno : EINVAL)
    }
    let isLocked = mlock(base, byteCount) == 0
    let code = errno
    if !isLocked && !allowSwap {
      munmap(base, byteCount)
      throw LockedMemory.lockError("\(byteCount / 1024) KiB of memory", errno: code, limit: clinux_memory_lock_limit())
    }
    self.bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    self.isLocked = isLocked
  }

  deinit {
    guard let base = bytes.baseAddress else { return }
    // Memory never touched would be allocated only to be wiped; when it is locked it is all there.
    clinux_wipe(base, bytes.count)
    munmap(base, bytes.count)
  }

  /// Overwrites part of it with zeros in a way that the compiler may not leave out (explicit_bzero(3)).
  public func wipe(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "outside the locked memory")
    guard let base = bytes.baseAddress else { return }
    clinux_wipe(base + range.lowerBound, range.count)
  }

  static func lockError(_ what: String, errno: CInt, limit: UInt64) -> LinuxError {
    let allowed = limit == .max ? "unlimited, so memory itself is short" : "\(limit / 1024) KiB"
    return LinuxError(
      "lock", what, errno: errno,
      hint: "The limit on locked memory (RLIMIT_MEMLOCK) is \(allowed). Set LimitMEMLOCK=infinity in the service, use "
        + "`ulimit -l unlimited` or grant CAP_IPC_LOCK; or keep less before the trigger; or set allow_swap and accept "
        + "that footage may reach swap.")
  }
}
