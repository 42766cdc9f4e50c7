import Evidence
import Foundation
import Testing

/// A directory on disk that is removed with the value.
final class Scratch {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Makes the directories in the name too.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

  func names(_ name: String = ".") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
}

/// How a command ended, and what it said.
struct CommandResult {
  let status: Int32
  let output: [UInt8]
  let message: String

  var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs a command to its end.
func command(_ arguments: [String], input: [UInt8]? = nil) throws -> CommandResult {
  let scratch = try Scratch()
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  // Files, not pipes: neither side can fill while the other is read.
  let output = try scratch.write("output", [])
  let message = try scratch.write("message", [])
  let outputHandle = try #require(FileHandle(forWritingAtPath: output))
  let messageHandle = try #require(FileHandle(forWritingAtPath: message))
  process.standardOutput = outputHandle
  process.standardError = messageHandle
  process.standardInput = FileHandle(forReadingAtPath: try scratch.write("input", input ?? []))
  try process.run()
  process.waitUntilExit()
  return CommandResult(
    status: process.terminationStatus, output: try scratch.read("output"),
    message: String(decoding: try scratch.read("message"), as: UTF8.self))
}

/// The output of a command that must succeed.
@discardableResult
func succeed(_ arguments: [String], input: [UInt8]? = nil) throws -> [UInt8] {
  let result = try command(arguments, input: input)
  try #require(result.status == 0, "\(arguments.joined(separator: " ")): \(result.message)")
  return result.output
}

/// The `lapel-dock` that was built with these tests.
func dock(_ arguments: String..., input: [UInt8]? = nil) throws -> CommandResult {
  try dock(arguments, input: input)
}

func dock(_ arguments: [String], input: [UInt8]? = nil) throws -> CommandResult {
  try command([dockPath()] + arguments, input: input)
}

func dockPath() throws -> String {
  let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
  var directory = tests.deletingLastPathComponent()
  // Beside the test bundle, or one of the directories around it.
  while !FileManager.default.isExecutableFile(atPath: directory.appendingPathComponent("lapel-dock").path) {
    try #require(directory.path != "/", "lapel-dock is not beside the tests: \(tests.path)")
    directory.deleteLastPathComponent()
  }
  return directory.appendingPathComponent("lapel-dock").path
}

func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

/// A directory in memory.
struct MemoryFiles: EvidenceFiles {
  var contents: [String: [UInt8]] = [:]

  func names() -> [String] { Array(contents.keys) }

  func size(of name: String) throws(ReadFailure) -> Int64 { Int64(try file(name).count) }

  func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
    let bytes = try file(name)
    guard offset < bytes.count else { return 0 }
    let count = min(buffer.count, bytes.count - Int(offset))
    bytes[Int(offset)..<(Int(offset) + count)].withUnsafeBytes { buffer.copyMemory(from: $0) }
    return count
  }

  private func file(_ name: String) throws(ReadFailure) -> [UInt8] {
    guard let bytes = contents[name] else { throw ReadFailure(file: name, reason: "no such file") }
    return bytes
  }
}
