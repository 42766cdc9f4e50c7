/// One line of a device log that was read and checked, with what it says.
public struct LoggedLine: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    case start(RecorderStart)
    case entry(DeviceLogEntry)
    /// Of a newer version, or an experiment's.
    case unknown(UnknownLine)
  }

  public let n: Int64
  /// Nil where the line does not say.
  public let clock: ClockReading?
  /// The kernel's boot id of the START before it.
  public let boot: String
  public let content: Content

  public init(n: Int64, clock: ClockReading?, boot: String, content: Content) {
    self.n = n
    self.clock = clock
    self.boot = boot
    self.content = content
  }

  init(_ line: JournalLine, boot: String) {
    n = line.n
    clock = line.clock
    self.boot = boot
    if let start = RecorderStart(line) {
      content = .start(start)
    } else if let entry = try? DeviceLogEntry(line) {
      content = .entry(entry)
    } else {
      content = .unknown(UnknownLine(line))
    }
  }
}

/// START: the recorder has started.
public struct RecorderStart: Hashable, Sendable {
  /// From 1.
  public var counter: Int64
  public var softwareVersion: String
  /// The kernel's boot id.
  public var boot: String
  /// Bytes behind the last valid line on the card, as this start found them: a torn line, usually. 0: none.
  public var tornByteCount: Int64

  public init(counter: Int64, softwareVersion: String, boot: String, tornByteCount: Int64) {
    self.counter = counter
    self.softwareVersion = softwareVersion
    self.boot = boot
    self.tornByteCount = tornByteCount
  }

  fileprivate init?(_ line: JournalLine) {
    guard line.type == DeviceLogType.start.rawValue, let counter = line.number(Key.startCounter) else { return nil }
    self.init(
      counter: counter, softwareVersion: line.text(Key.version) ?? "-", boot: line.encoded(Key.boot) ?? "-",
      tornByteCount: line.number(Key.tail) ?? 0)
  }
}

extension DeviceLog {
  /// Calls `body` with each line of this log in order, read once more from its files: what was appended or changed since is
  /// left out.
  /// - Parameter first: the index in `starts` to begin with.
  /// - Throws: when a file cannot be read.
  func forEachLine(
    of files: borrowing some EvidenceFiles, fromStart first: Int = 0,
    _ body: (LoggedLine) throws(ReadFailure) -> Void
  ) throws(ReadFailure) {
    for start in starts.dropFirst(first) {
      var reader = LineReader(start.file)
      while let raw = try reader.next(from: files) {
        guard let line = try? JournalLine(parsing: raw.bytes), start.lines.contains(line.n), isOwn(line) else { break }
        try body(LoggedLine(line, boot: start.boot))
        if line.n == start.lines.upperBound { break }
      }
    }
  }

  private func isOwn(_ line: JournalLine) -> Bool {
    // Of two lines for one number only the first is remembered: the other one has its signature only.
    hash(of: line.n) == line.hash || valid(line.bytes, mayTrust: false) != nil
  }
}
