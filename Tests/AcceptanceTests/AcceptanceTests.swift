import Foundation
import Testing

/// The two built commands, run as a user runs them: real threads, real time, real files. What is claimed is read from the
/// files that come out, never from how long something took.
///
/// Those that record for long, or that load the machine: one case at a time. Each case is in a file of its own, as an
/// extension.
@Suite("Acceptance", .serialized)
enum AcceptanceTests {}

/// The shorter ones, also one at a time, beside those above: a recorder waits for its camera nearly all the time, and two
/// fit on two cores without a lost frame.
@Suite("Acceptance, short", .serialized)
enum ShortAcceptanceTests {}

/// What this machine can and cannot do.
enum Machine {
  /// On the continuous integration a case that cannot be run is a failure, elsewhere it is skipped with its reason.
  static let mustRunEverything = ProcessInfo.processInfo.environment["CI"] == "true"

  static func has(_ program: String) -> Bool {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
  }
}
