import Control
import Glibc
import LinuxIO
import Logging
import Media
import Synchronization

/// The newest status, for the status line and for whoever asks; written by the control loop.
final class StatusBoard: Sendable {
  /// Set when no more log lines will come.
  let isLogDone = Atomic<Bool>(false)
  private let board = Mutex<RecorderStatus?>(nil)

  var status: RecorderStatus? {
    get { board.withLock { $0 } }
    set { board.withLock { $0 = newValue } }
  }
}

/// Body of the log thread: the only one that formats and writes text. When the terminal or the journal daemon stands
/// still, only this thread waits; the queue drops and counts.
struct LogLoop {
  let log: EventLog
  let board: StatusBoard
  let level: LogEvent.Level
  /// A status line is kept at the bottom of a terminal.
  let showsStatusLine: Bool

  private static let refresh = Nanoseconds.milliseconds(500)

  func run() {
    var logger = Logger(label: "lapel") { _ in StandardErrorLog() }
    logger.logLevel = .trace
    var refused = 0
    var nextLine = MonotonicTime.now()
    var hasLine = false
    while true {
      let event = log.queue.pop(until: showsStatusLine ? nextLine : .now() + Self.refresh)
      if let event {
        if event.level >= level {
          if hasLine { standardError.write("\r\u{1B}[K") }
          hasLine = false
          logger.log(level: event.level.loggerLevel, "\(event.text)")
        }
      } else if board.isLogDone.load(ordering: .relaxed) {
        break
      }
      if log.queue.refused > refused {
        logger.warning("\(log.queue.refused - refused) log lines were dropped: the log could not be written in time")
        refused = log.queue.refused
      }
      if showsStatusLine, MonotonicTime.now() >= nextLine || (event != nil && log.queue.count == 0) {
        nextLine = .now() + Self.refresh
        if let status = board.status {
          standardError.write("\r\(status.statusLine(width: (standardError.columns ?? 80) - 1))\u{1B}[K")
          hasLine = true
        }
      }
    }
    if hasLine { standardError.write("\r\u{1B}[K") }
  }
}

extension LogEvent.Level {
  fileprivate var loggerLevel: Logger.Level {
    switch self {
    case .debug: .debug
    case .info: .info
    case .notice: .notice
    case .warning: .warning
    case .error: .error
    }
  }
}

/// One line a message on stderr: UTC time, level, text.
struct StandardErrorLog: LogHandler {
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: Logging.LogEvent) {
    standardError.writeLine("\(Self.time(Clocks.wallMilliseconds())) \(event.level.rawValue) \(event.message)")
  }

  /// RFC 3339 in UTC with milliseconds.
  static func time(_ milliseconds: Int64) -> String {
    var seconds = time_t(milliseconds / 1_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ number: Int, _ digits: Int = 2) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    let date = "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1))-\(padded(Int(parts.tm_mday)))"
    let clock = "\(padded(Int(parts.tm_hour))):\(padded(Int(parts.tm_min))):\(padded(Int(parts.tm_sec)))"
    return "\(date)T\(clock).\(padded(Int(milliseconds % 1_000), 3))Z"
  }
}
