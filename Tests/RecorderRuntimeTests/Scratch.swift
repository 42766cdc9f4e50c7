import Foundation
import Testing

/// A directory on disk that goes away with the value.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }
}

func fileBytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

func fileNames(_ path: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: path).sorted()
}

/// Runs a program to its end and returns what it printed. Failing, and printing an error or a warning, fails the test.
@discardableResult
func quietly(_ arguments: [String]) throws -> [UInt8] {
  let scratch = try Scratch()
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  process.standardInput = FileHandle.nullDevice
  // Files, not pipes: neither side can fill while the other is read.
  let output = try scratch.write("output", [])
  let message = try scratch.write("message", [])
  process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
  process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: message))
  try process.run()
  process.waitUntilExit()
  let complaint = String(decoding: try fileBytes(message), as: UTF8.self)
  try #require(
    process.terminationStatus == 0 && complaint.isEmpty,
    "\(arguments.prefix(3).joined(separator: " ")): status \(process.terminationStatus): \(complaint)")
  return try fileBytes(output)
}

func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}
