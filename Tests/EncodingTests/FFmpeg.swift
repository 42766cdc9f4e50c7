import Foundation
import Media
import Synthetic
import Testing

/// The ffmpeg and ffprobe of this machine: the judges of what the encoders made.
enum FFmpeg {
  struct Failure: Error, CustomStringConvertible { var description: String }

  /// Runs a program on a file's worth of input and returns what it prints.
  static func run(_ program: String, _ arguments: [String], input: [UInt8], suffix: String) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory
    let name = "lapel-\(UUID().uuidString)"
    let file = folder.appending(path: name + suffix)
    let result = folder.appending(path: name + ".out")
    try Data(input).write(to: file)
    defer {
      try? FileManager.default.removeItem(at: file)
      try? FileManager.default.removeItem(at: result)
    }
    _ = FileManager.default.createFile(atPath: result.path, contents: nil)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments.map { $0 == "INPUT" ? file.path : $0 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: result)
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, complaint.isEmpty else {
      throw Failure(description: "\(program): status \(process.terminationStatus): \(complaint)")
    }
    return [UInt8](try Data(contentsOf: result))
  }

  /// Decodes an Annex B stream and reads every picture; a complaint of the decoder is an error.
  static func readings(annexB: [UInt8], width: Int, height: Int) throws -> [FrameReading?] {
    let luma = try run(
      "ffmpeg",
      [
        "-v", "warning", "-xerror", "-f", "h264", "-i", "INPUT", "-fps_mode", "passthrough", "-f", "rawvideo",
        "-pix_fmt",
        "gray", "-",
      ], input: annexB, suffix: ".h264")
    #expect(luma.count % (width * height) == 0)
    return (0..<luma.count / (width * height)).map { index in
      let picture = luma.span.extracting(index * width * height..<(index + 1) * width * height)
      return PatternReader.read(luma: picture.bytes, width: width, height: height, stride: width)
    }
  }

  /// Decodes a file with sound to 16-bit samples at 48 kHz.
  static func samples(ogg: [UInt8], channels: Int) throws -> [Int16] {
    let bytes = try run(
      "ffmpeg", ["-v", "warning", "-i", "INPUT", "-f", "s16le", "-ac", "\(channels)", "-ar", "48000", "-"], input: ogg,
      suffix: ".ogg")
    return stride(from: 0, to: bytes.count - 1, by: 2).map {
      Int16(truncatingIfNeeded: Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8)
    }
  }

  /// `name=value` lines that ffprobe prints of the first stream or its pictures.
  static func probe(annexB: [UInt8], entries: String) throws -> [String] {
    let output = try run(
      "ffprobe",
      ["-v", "error", "-f", "h264", "-show_entries", entries, "-of", "default=noprint_wrappers=1", "INPUT"],
      input: annexB, suffix: ".h264")
    return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
