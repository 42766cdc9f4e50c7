import ArgumentParser
import Control
import LinuxIO

/// Measures what the recorder costs, against its goals.
@main
struct BenchmarksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks",
    abstract: "Measures what the recorder costs, and holds it against its goals.",
    discussion: """
      Examples:
        swift build -c release --product Benchmarks
        sudo .build/release/Benchmarks card                       bytes and flushes that reach a card
        .build/release/Benchmarks seal --check --json seal.json   what evidence costs beside the encoder

      Exit codes: 0 measured; 1 failed, or with --check a figure misses its goal; 64 wrong arguments; 77 something that the
      measurement needs is missing, with its name; 130 and 143 ended by a signal.
      """,
    subcommands: [CardCommand.self, SealCommand.self, SealStageCommand.self])
}

/// What every measurement offers.
struct ReportOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write the same figures to this file, for machines.", valueName: "file"))
  var json: String?

  @Flag(help: "Exit with 1 when a figure misses its goal.")
  var check = false

  /// Prints the report, writes its JSON, and says by the exit code whether all goals are met, when that is asked.
  func publish(_ report: Report) throws {
    standardOutput.write(report.text)
    if let json {
      let bytes = Array((report.json.text + "\n").utf8)
      try writeFileDurably(path: json, bytes: bytes.span.bytes, mode: 0o644)
    }
    if check, report.missed > 0 { throw ExitCode(1) }
  }
}

/// A measurement that could not be made: one message on stderr, one documented exit code.
struct BenchmarkFailure: Error, CustomStringConvertible {
  /// Something that the measurement needs is not on this machine.
  static let missing: Int32 = 77

  var description: String
  var exitCode: Int32

  init(_ description: String, exitCode: Int32 = 1) {
    self.description = description
    self.exitCode = exitCode
  }

  /// Runs a command's body; a failure is written to stderr and becomes the exit code.
  static func report(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let failure as BenchmarkFailure {
      standardError.writeLine("Benchmarks: \(failure)")
      throw ExitCode(failure.exitCode)
    } catch let code as ExitCode {
      throw code
    } catch {
      standardError.writeLine("Benchmarks: \(error)")
      throw ExitCode(1)
    }
  }
}
