import ArgumentParser
import Glibc
import LinuxIO
import Synthetic

struct AVSync: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "avsync",
    abstract:
      "Measures a file recorded from the synthetic camera and microphone: every frame, and sound against picture.",
    discussion: """
      From the file alone, decoded by stock ffmpeg: reads the frame counter in every picture and tells which frames are
      missing, doubled or out of order; compares each beep with the flash of its second.

      Examples:
        lapel-dock avsync incident.mp4
        lapel-dock avsync incident.mp4 --json
        lapel-dock avsync incident.mp4 --max-offset-ms 5

      Exit codes: 0 every frame is there once, readable and in order (and every offset within --max-offset-ms, if given); 3 not
      so; 1 failed, 64 wrong arguments.
      """)

  @Argument(help: "The file to measure.")
  var file: String

  @Option(
    help: ArgumentHelp("Fail when a beep is further than this from its flash, or none is found.", valueName: "ms"))
  var maxOffsetMs: Double?

  @Flag(help: "One JSON object on standard output instead of text.")
  var json = false

  func run() throws {
    try DockFailure.report {
      guard access(file, R_OK) == 0 else { throw LinuxError("read", file, errno: errno) }
      let decoded = DecodedFile(path: file.hasPrefix("-") ? "./\(file)" : file)
      let frames = try decoded.frames()
      let beeps = try decoded.beeps()
      let report = SyntheticReport(frames: frames, beeps: beeps)
      standardOutput.writeLine(json ? report.json : report.description)
      let largest = report.offsets.map { abs($0.milliseconds) }.max()
      let isInStep = maxOffsetMs.map { limit in largest.map { $0 <= limit } ?? false } ?? true
      guard report.isComplete, isInStep else { throw ExitCode(3) }
    }
  }
}

/// A media file as ffmpeg decodes it.
private struct DecodedFile {
  let path: String

  /// Every picture with its time on the file's timeline.
  func frames() throws -> [SyntheticReport.Frame] {
    let size = try probe(stream: "v:0", entries: "stream=width,height").first ?? []
    guard size.count >= 2, let width = Int(size[0]), let height = Int(size[1]), (16...16_384).contains(width),
      (16...16_384).contains(height)
    else { throw DockFailure("\(path) has no pictures") }
    // What the recorder writes has no reordered pictures; sorting makes any other file right too.
    let times = try probe(stream: "v:0", entries: "packet=pts_time").compactMap { $0.first.flatMap { Double($0) } }
      .sorted()

    let decoder = try PipedProcess([
      "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo",
      "-pix_fmt", "gray", "pipe:1",
    ])
    var progress = ProgressLine("reading pictures")
    var frames: [SyntheticReport.Frame] = []
    var picture = [UInt8](repeating: 0, count: width * height)
    while true {
      let count = try picture.withUnsafeMutableBytes { try decoder.read(into: $0) }
      if count < picture.count { break }
      let reading = PatternReader.read(luma: picture.span.bytes, width: width, height: height, stride: width)
      let time = frames.count < times.count ? times[frames.count] : .nan
      frames.append(SyntheticReport.Frame(presentation: time, reading: reading))
      progress.update(Double(frames.count) / Double(max(1, times.count)))
    }
    try decoder.finish()
    guard frames.count == times.count else {
      throw DockFailure("\(path) has \(times.count) pictures, of which ffmpeg decoded \(frames.count)")
    }
    return frames
  }

  /// Onsets of the beeps in seconds on the file's timeline; none when there is no sound.
  func beeps() throws -> [Double] {
    let rate = 48_000
    // Where each decoded piece lies: the samples come without gaps, the timeline need not.
    var pieces: [(first: Int, time: Double)] = []
    var first = 0
    for words in try probe(stream: "a:0", entries: "frame=pts_time,nb_samples") {
      guard words.count >= 2, let count = Int(words[1]) else { continue }
      if let time = Double(words[0]) { pieces.append((first, time)) }
      first += count
    }
    guard !pieces.isEmpty else { return [] }
    let decoder = try PipedProcess([
      "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-f", "s16le", "-ar", "\(rate)", "-ac", "1",
      "pipe:1",
    ])
    let bytes = try decoder.readAll()
    try decoder.finish()
    let samples = stride(from: 0, to: bytes.count - 1, by: 2).map {
      Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
    }
    guard samples.count == first else {
      throw DockFailure("\(path) has \(first) sound samples at \(rate) Hz, of which ffmpeg decoded \(samples.count)")
    }
    var index = 0
    return PatternReader.beepOnsets(in: samples.span).map { onset in
      while index + 1 < pieces.count, pieces[index + 1].first <= onset { index += 1 }
      return pieces[index].time + Double(onset - pieces[index].first) / Double(rate)
    }
  }

  /// ffprobe's answer: one array of words a line.
  private func probe(stream: String, entries: String) throws -> [[Substring]] {
    let process = try PipedProcess([
      "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0", path,
    ])
    let text = String(decoding: try process.readAll(), as: UTF8.self)
    try process.finish()
    return text.split(separator: "\n").map { $0.split(separator: ",") }
  }
}
