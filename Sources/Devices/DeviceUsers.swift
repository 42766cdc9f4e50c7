import Glibc
import LinuxIO

/// Which programs have device nodes open, as fuser(1) finds it: by the links in /proc. A user sees the own programs, root all;
/// a recorder hides its own from others than root.
struct DeviceUsers {
  /// Node to programs, `lapel (812)`.
  private var programs: [String: [String]] = [:]
  /// The processes called `lapel` that hide what they have open.
  private(set) var hiddenRecorders: [String] = []

  init() {
    let own = "\(getpid())"
    let processes = ((try? listDirectory(path: "/proc")) ?? []).filter { Int($0) != nil && $0 != own }
    for process in processes.sorted(by: { (Int($0) ?? 0) < (Int($1) ?? 0) }) {
      guard let descriptors = try? listDirectory(path: "/proc/\(process)/fd") else {
        if Self.name(of: process) == "lapel" { hiddenRecorders.append("lapel (\(process))") }
        continue
      }
      let nodes = Set(
        descriptors.compactMap { Self.link("/proc/\(process)/fd/\($0)") }.filter { $0.hasPrefix("/dev/") })
      for node in nodes { programs[node, default: []].append("\(Self.name(of: process)) (\(process))") }
    }
  }

  func of(_ path: String) -> [String] { programs[path] ?? [] }

  private static func name(of process: String) -> String {
    let bytes = (try? readSmallFile(path: "/proc/\(process)/comm", limit: 64)) ?? []
    return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
  }

  private static func link(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(path, start, buffer.count)
      return count > 0 ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
  }
}
