import Glibc
import LinuxIO

/// Processor time of this process, kernel included, handed from a stage to who started it.
enum CPUTime {
  /// Nanoseconds.
  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  static func report(since start: Int64) { standardOutput.writeLine("cpu_ns \(now() - start)") }

  /// What `report` wrote; nil when it is not there.
  static func parse(_ output: String) -> Int64? {
    output.split(separator: "\n").last { $0.hasPrefix("cpu_ns ") }.flatMap { Int64($0.dropFirst(7)) }
  }
}
