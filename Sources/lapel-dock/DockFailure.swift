import ArgumentParser
import Evidence
import LinuxIO
import Media
import Opening

/// Why a command ends without doing its work: one message for people, one exit code.
struct DockFailure: Error, CustomStringConvertible {
  /// 1: something failed. 2: the identity does not fit. 64: the command line is wrong.
  enum Code: Int32 {
    case failed = 1
    case wrongIdentity = 2
    case usage = 64
  }

  let code: Code
  let description: String

  init(_ description: String, code: Code = .failed) {
    self.code = code
    self.description = description
  }

  /// Runs a command's body; what it throws is told on standard error and becomes the exit code.
  static func report(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as ExitCode {
      throw error
    } catch {
      ProgressLine.clear()
      standardError.writeLine("lapel-dock: \(error)")
      let code: Code =
        switch error {
        case let failure as DockFailure: failure.code
        case let failure as OpeningError where failure.code == .noIdentityMatches: .wrongIdentity
        default: .failed
        }
      throw ExitCode(code.rawValue)
    }
  }
}

/// What a command that may take long shows on a terminal, from two seconds on.
struct ProgressLine: ~Copyable {
  private let label: String
  private let start = MonotonicTime.now()
  private var shown = -1

  init(_ label: String) { self.label = label }

  /// - Parameter share: 0...1.
  mutating func update(_ share: Double) {
    let percent = Int(min(1, max(0, share)) * 100)
    guard percent != shown, standardError.isTerminal, (MonotonicTime.now() - start).inSeconds > 2 else { return }
    shown = percent
    standardError.write("\r\(label) \(percent) %\u{1B}[K")
  }

  deinit { if shown >= 0 { Self.clear() } }

  /// Empties the terminal's line, so that a message begins at its start.
  static func clear() { if standardError.isTerminal { standardError.write("\r\u{1B}[K") } }
}
