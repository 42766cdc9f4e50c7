import Foundation
import Testing

/// The two built commands, run as a user runs them: real threads, real time, real files. What is claimed is read from the
/// files that come out, never from how long something took.
///
/// One case at a time: the recorder needs the machine for itself. Each case is in a file of its own, as an extension.
@Suite("Acceptance", .serialized)
enum AcceptanceTests {}

/// What this machine can and cannot do.
enum Machine {
  /// On the continuous integration a case that cannot be run is a failure, elsewhere it is skipped with its reason.
  static let mustRunEverything = ProcessInfo.processInfo.environment["CI"] == "true"

  static func has(_ program: String) -> Bool {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
  }
}
