import Foundation
import Testing

/// What a stopped process has in its memory, mapping by mapping (proc_pid_maps(5), proc_pid_mem(5)).
struct ProcessMemory {
  struct Mapping {
    var name: String
    /// The flags of proc_pid_smaps(5): `lo` is locked, `dd` is left out of core dumps.
    var flags: Set<Substring>
    var bytes: Data
  }

  /// Everything that the process may write to, so all heaps, stacks and private mappings.
  let mappings: [Mapping]

  /// Stops the process (SIGSTOP) while it is read.
  init(of process: pid_t) throws {
    guard kill(process, SIGSTOP) == 0 else { throw ProgramFailure(description: "process \(process) cannot be stopped") }
    defer { kill(process, SIGCONT) }
    // Stopped is what each of its threads is, soon after the signal.
    let deadline = Date(timeIntervalSinceNow: 5)
    while try !Self.isStopped(process) {
      guard Date() < deadline else { throw ProgramFailure(description: "process \(process) does not stop") }
      usleep(1_000)
    }
    let memory = open("/proc/\(process)/mem", O_RDONLY | O_CLOEXEC)
    guard memory >= 0 else { throw ProgramFailure(description: "the memory of \(process) cannot be read: \(errno)") }
    defer { close(memory) }
    var mappings: [Mapping] = []
    var range: Range<UInt>?
    var name = ""
    // To its end: the kernel hands it out in pieces, which Foundation's reading of whole files takes for its end.
    let handle = try FileHandle(forReadingFrom: URL(filePath: "/proc/\(process)/smaps"))
    let maps = String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    for line in maps.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      let bounds = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      if bounds.count == 2, words.count >= 5 {
        range = words[1].hasPrefix("rw") ? bounds[0]..<bounds[1] : nil
        name = words.count > 5 ? String(words[5]) : "-"
      } else if words[0] == "VmFlags:", let found = range {
        guard let bytes = Self.read(memory, found) else { continue }
        mappings.append(Mapping(name: name, flags: Set(words.dropFirst()), bytes: bytes))
      }
    }
    self.mappings = mappings
  }

  private static func isStopped(_ process: pid_t) throws -> Bool {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").allSatisfy { task in
      let status = try String(contentsOfFile: "/proc/\(process)/task/\(task)/stat", encoding: .utf8)
      let state = status.split(separator: ")").last?.split(separator: " ").first
      return state == "T"
    }
  }

  /// Nil for what has no bytes of its own: the kernel's pages.
  private static func read(_ memory: CInt, _ range: Range<UInt>) -> Data? {
    var data = Data(count: range.count)
    let count = data.withUnsafeMutableBytes { pread(memory, $0.baseAddress, range.count, off_t(range.lowerBound)) }
    guard count > 0 else { return nil }
    return data.prefix(count)
  }

  /// Where each of these is. At least 16 bytes each.
  func places(of patterns: some Sequence<Data>) -> [Data: [Mapping]] {
    let search = Search(patterns)
    var places: [Data: [Mapping]] = [:]
    for mapping in mappings {
      for found in search.found(in: mapping.bytes) { places[found, default: []].append(mapping) }
    }
    return places
  }
}

/// Looks for many byte strings in one pass.
struct Search {
  /// By their first 8 bytes.
  private var patterns: [UInt64: [Data]] = [:]
  /// Which 16-bit words any of them begins with: most places are passed over by that.
  private var beginnings = [Bool](repeating: false, count: 1 << 16)

  /// - Parameter patterns: at least 8 bytes each.
  init(_ patterns: some Sequence<Data>) {
    for pattern in patterns {
      let first = pattern.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
      self.patterns[first, default: []].append(pattern)
      beginnings[Int(first & 0xFFFF)] = true
    }
  }

  func found(in bytes: Data) -> Set<Data> {
    var found: Set<Data> = []
    bytes.withUnsafeBytes { bytes in
      beginnings.withUnsafeBufferPointer { beginnings in
        var offset = 0
        while offset + 8 <= bytes.count {
          let first = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          if beginnings[Int(truncatingIfNeeded: first & 0xFFFF)], let candidates = patterns[first] {
            for pattern in candidates where offset + pattern.count <= bytes.count {
              if bytes[offset..<offset + pattern.count].elementsEqual(pattern) { found.insert(pattern) }
            }
          }
          offset += 1
        }
      }
    }
    return found
  }
}
