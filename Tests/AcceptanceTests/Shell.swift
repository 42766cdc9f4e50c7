import Foundation
import LinuxIO

/// What a program said and how it ended.
struct ProgramResult {
  var code: Int32
  var output: [UInt8]
  var errors: String

  var text: String { String(decoding: output, as: UTF8.self) }
}

/// A program that did not end as it should have.
struct ProgramFailure: Error, CustomStringConvertible { var description: String }

/// A child whose standard output and standard error go to two files. Ended when this goes away.
final class Program {
  let outputPath: String
  let errorPath: String
  private let child: ChildProcess
  private var code: Int32?

  /// - Parameters:
  ///   - words: the program, looked up in PATH, and its arguments.
  ///   - log: where its messages go; made empty.
  init(_ words: [String], output: String, errors: String) throws {
    outputPath = output
    errorPath = errors
    child = try ChildProcess(
      "/bin/sh", ["-c", "out=$1 err=$2; shift 2; exec \"$@\" >\"$out\" 2>\"$err\"", "sh", output, errors] + words)
  }

  deinit {
    guard exitCode == nil else { return }
    child.signal(SIGKILL)
    _ = child.wait()
  }

  var identifier: pid_t { child.identifier }

  /// 128 + the signal when one ended it; nil while it runs.
  var exitCode: Int32? {
    if code == nil { code = child.exitCodeIfEnded() }
    return code
  }

  func signal(_ number: Int32) {
    if exitCode == nil { child.signal(number) }
  }

  func wait() -> Int32 {
    if let exitCode { return exitCode }
    let ended = child.wait()
    code = ended
    return ended
  }

  var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }
}

/// Runs a program to its end, whatever that is.
func run(_ words: [String]) throws -> ProgramResult {
  let name = "/tmp/lapel-run-\(UUID().uuidString.prefix(8))"
  defer { for suffix in ["out", "err"] { try? FileManager.default.removeItem(atPath: "\(name).\(suffix)") } }
  let program = try Program(words, output: "\(name).out", errors: "\(name).err")
  let code = program.wait()
  return ProgramResult(
    code: code, output: [UInt8](try Data(contentsOf: URL(filePath: program.outputPath))), errors: program.errors)
}

/// Runs a program that must end with 0.
@discardableResult
func succeed(_ words: [String]) throws -> ProgramResult {
  let result = try run(words)
  guard result.code == 0 else {
    throw ProgramFailure(
      description:
        "\(words.joined(separator: " ")) ended with \(result.code): \(result.errors) \(result.text.prefix(2_000))")
  }
  return result
}
