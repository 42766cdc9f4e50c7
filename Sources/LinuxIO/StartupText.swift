import CLinux
import Glibc

/// Program text, symbol tables and constants of this process: of the program and the libraries that were loaded with it.
///
/// Much of it is needed to start only; `release` takes it out of memory, and what is still in use comes back from the page
/// cache when it is next needed.
public struct StartupText: Sendable {
  struct Mapping: Hashable, Sendable {
    var addresses: Range<UInt>
    var isLocked: Bool
  }

  private let mappings: [Mapping]

  /// Remembers what is mapped now. Call it when the program begins, before anything is loaded while it runs: what was loaded
  /// with the program stays where it is as long as the process.
  public init() {
    let smaps = (try? readSmallFile(path: "/proc/self/smaps", limit: 4 << 20)) ?? []
    mappings = Self.clean(smaps: String(decoding: smaps, as: UTF8.self))
  }

  /// Any thread; may be repeated. Costs a few ms, and a page fault for each 64 KiB that is still in use.
  public func release() {
    for mapping in mappings {
      guard let start = UnsafeMutableRawPointer(bitPattern: mapping.addresses.lowerBound) else { continue }
      // SAFETY: a private mapping of a file that belongs to the program for as long as it runs, is not writable, and had no
      // page of its own ("Anonymous: 0", "Swap: 0") after the loader had done its relocations: the file holds all of it,
      // and MADV_DONTNEED (madvise(2)) loses nothing.
      // Locked pages would stay. What comes back is locked again, so that capture never waits for it to be read twice.
      if mapping.isLocked { munlock(start, mapping.addresses.count) }
      madvise(start, mapping.addresses.count, CInt(MADV_DONTNEED))
      if mapping.isLocked { _ = clinux_lock_when_used(start, mapping.addresses.count) }
    }
  }

  /// The mappings of files that have no writable and no ever written page (proc(5), smaps).
  static func clean(smaps: String) -> [Mapping] {
    var mappings: [Mapping] = []
    var candidate: Mapping?
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
        candidate = Mapping(addresses: bounds[0]..<bounds[1], isLocked: false)
        continue
      }
      if first == "VmFlags:", words.contains("lo") { candidate?.isLocked = true }
      if ["Anonymous:", "Swap:", "Private_Dirty:"].contains(first), words.dropFirst().first != "0" { isClean = false }
    }
    take()
    return mappings
  }
}
