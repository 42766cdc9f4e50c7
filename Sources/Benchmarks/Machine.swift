import LinuxIO

/// What the figures were measured on.
enum Machine {
  /// Kernel and processor, in a few words.
  static var description: String {
    let kernel = firstLine("/proc/sys/kernel/osrelease") ?? "unknown"
    let information = (try? readSmallFile(path: "/proc/cpuinfo", limit: 1 << 20)) ?? []
    let lines = String(decoding: information, as: UTF8.self).split(separator: "\n")
    func values(_ key: String) -> [Substring] {
      lines.filter { $0.hasPrefix(key) }.compactMap { $0.split(separator: ":").dropFirst().first?.drop { $0 == " " } }
    }
    // ARM kernels name no model there; the device tree does.
    let model = values("model name").first.map(String.init) ?? firstLine("/proc/device-tree/model") ?? "unknown CPU"
    return "Linux \(kernel), \(values("processor").count) x \(model)"
  }

  private static func firstLine(_ path: String) -> String? {
    guard let bytes = try? readSmallFile(path: path, limit: 4_096) else { return nil }
    return String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0 }, as: UTF8.self)
  }
}

/// How far a measurement is, on a terminal.
enum Progress {
  static func show(_ text: String) {
    if standardError.isTerminal { standardError.write("\r\(text)\u{1B}[K") }
  }

  static func clear() {
    if standardError.isTerminal { standardError.write("\r\u{1B}[K") }
  }
}
