import Control
import Foundation
import LinuxIO
import Media
import Synthetic
import Testing

extension ShortAcceptanceTests {
  /// The camera's own compressed pictures, from a clip that a file camera plays.
  @Suite("Pass-through", .serialized)
  struct PassThroughTests {
    @Test(
      "MJPEG is recorded byte for byte, each picture from the pre-event to the stop once, also across segments; it verifies, and ffmpeg has nothing to complain of"
    )
    func mjpeg() throws {
      let made = try PassedRecording(.mjpeg)
      try made.expectWhole()
      // The camera's own bytes.
      let clip = try #require(Clip(made.clipBytes, coding: .jpeg))
      let passed = made.range.flatMap { number in clip.withPicture(Int64(number)) { $0.withUnsafeBytes { Array($0) } } }
      let recorded = try succeed([
        "ffmpeg", "-v", "error", "-nostdin", "-i", made.file, "-map", "0:v", "-c", "copy", "-f", "mjpeg", "-",
      ]).output
      #expect(recorded == passed, "\(recorded.count) bytes were recorded, \(passed.count) passed")
      // Every picture is a keyframe, so the recording begins within one of the time asked.
      let edge = MonotonicTime(nanoseconds: try made.opened.number("trigger_mono_ns"))
      let start = MonotonicTime(nanoseconds: try made.opened.number("media_start_mono_ns"))
      #expect(edge - start >= .seconds(3) && edge - start < .seconds(3) + .milliseconds(34))
    }

    @Test(
      "H.264 is recorded slice for slice, each picture once, also across segments; it verifies, and ffmpeg has nothing to complain of"
    )
    func h264() throws {
      let made = try PassedRecording(
        .h264(["-bf", "0", "-g", "30", "-x264-params", "scenecut=0:aud=1:repeat-headers=1"]))
      try made.expectWhole()
      let clip = try #require(Clip(made.clipBytes, coding: .h264))
      let passed = made.range.flatMap { number in
        Self.slices(clip.withPicture(Int64(number)) { $0.withUnsafeBytes { Array($0) } })
      }
      let recorded = Self.slices(
        try succeed([
          "ffmpeg", "-v", "error", "-nostdin", "-i", made.file, "-map", "0:v", "-c", "copy", "-f", "h264", "-",
        ]).output)
      #expect(recorded.count == passed.count && recorded == passed)
      #expect(made.range.lowerBound % 30 == 0, "a recording begins at a keyframe")
    }

    private static func slices(_ stream: [UInt8]) -> [[UInt8]] {
      var walk = AnnexB()
      var slices: [[UInt8]] = []
      while let unit = walk.next(in: stream.span.bytes) {
        if [1, 5].contains(AnnexB.type(of: unit, in: stream.span.bytes)) { slices.append(Array(stream[unit])) }
      }
      return slices
    }

    @Test("What cannot pass through is refused before anything is recorded: 69, with the reason and what to do")
    func refused() throws {
      try refuses(
        .h264(["-bf", "0", "-g", "150", "-keyint_min", "150", "-x264-params", "scenecut=0"]),
        says: ["no keyframe", "4000 ms", "GOP"])
      try refuses(.h264(["-bf", "3", "-g", "30", "-x264-params", "scenecut=0:b-adapt=0"]), says: ["B-frames"])
      try refuses(.h264(["-bf", "0", "-x264-params", "intra-refresh=1:keyint=30"]), says: ["intra refresh"])
    }

    private func refuses(
      _ coding: PassedRecording.Coding, says words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let clip = try ClipFile(try PassedRecording.stream(coding, seconds: 8))
      let rig = try PassedRecording.rig(coding, clip)
      let result = try rig.command("run")
      #expect(result.code == 69, "\(result.errors)", sourceLocation: sourceLocation)
      for word in words { #expect(result.errors.contains(word), "\(result.errors)", sourceLocation: sourceLocation) }
      #expect(try rig.recordingPaths().isEmpty, sourceLocation: sourceLocation)
    }
  }
}

/// A file that goes away with this.
final class ClipFile {
  let path = "/tmp/lapel-acceptance-clip-\(UUID().uuidString.prefix(8))"

  init(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A recording of pictures that passed through, and the clip that they came from.
struct PassedRecording {
  enum Coding {
    case mjpeg
    /// What libx264 is told by ffmpeg.
    case h264([String])

    var name: String {
      switch self {
      case .mjpeg: "mjpeg"
      case .h264: "h264"
      }
    }
  }

  let rig: Rig
  let clipBytes: [UInt8]
  /// The opened recording, and each segment as stock `age` decrypts it.
  let file: String
  let segments: [String]
  let opened: Dock.Opened
  let measured: Dock.Measured
  let status: String
  let exitCode: Int32

  /// Which of the clip's pictures are recorded.
  var range: ClosedRange<Int> { measured.firstCounter...max(measured.firstCounter, measured.lastCounter) }

  init(_ coding: Coding) throws {
    clipBytes = try Self.stream(coding, seconds: 45)
    let clip = try ClipFile(clipBytes)
    rig = try Self.rig(coding, clip)
    try rig.startReady(preEvent: 3)
    status = try rig.command("status").text
    guard try rig.command("start").code == 0 else { throw ProgramFailure(description: rig.logText) }
    try rig.wait("recording", seconds: 10) { $0.state == "recording" }
    try rig.record(seconds: 14)
    try rig.stop()
    exitCode = rig.finish()
    let recording = try rig.recordingPath()
    file = "\(rig.directory)/passed.mp4"
    opened = try Dock.open(recording, as: file)
    segments = try Stock.segments(of: recording, into: rig.directory)
    measured = try Dock.measure(file)
  }

  /// What holds for either coding.
  func expectWhole(sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(exitCode == 0, "\(rig.logText)", sourceLocation: sourceLocation)
    measured.expectEveryFrameOnce(rig.losses(), sourceLocation: sourceLocation)
    #expect(measured.frames >= 14 * 30, sourceLocation: sourceLocation)
    #expect(measured.largestTimingErrorMs <= 0.1, sourceLocation: sourceLocation)
    #expect(
      !measured.offsets.isEmpty && measured.offsets.allSatisfy { abs($0.ms) <= 5 }, sourceLocation: sourceLocation)
    try Dock.expectVerified(rig, recordings: 1, sourceLocation: sourceLocation)
    let (_, verdicts) = try Dock.verify(rig.store)
    #expect(verdicts.first?.sentence.contains("SYNTHETIC") == true, "\(verdicts)", sourceLocation: sourceLocation)
    #expect(verdicts.first?.framesLost == 0 && verdicts.first?.gaps == 0, sourceLocation: sourceLocation)
    try Stock.expectCleanDecoding(file, sourceLocation: sourceLocation)
    #expect(segments.count >= 3, sourceLocation: sourceLocation)
    var frames = 0
    for segment in segments {
      try Stock.expectCleanDecoding(segment, sourceLocation: sourceLocation)
      frames += try Stock.probe(segment, "v:0", "packet=pts_time").count
    }
    #expect(frames == measured.frames, sourceLocation: sourceLocation)
    let name = opened.facts["video"] ?? ""
    #expect(name.hasPrefix("passthrough "), sourceLocation: sourceLocation)
    #expect(status.contains(name), "\(status)", sourceLocation: sourceLocation)
    #expect(rig.logText.contains("a keyframe every"), "it says what it measured", sourceLocation: sourceLocation)
  }

  // MARK: - The clip

  private static let (width, height) = (320, 180)

  static func rig(_ coding: Coding, _ clip: ClipFile) throws -> Rig {
    try Rig(
      """
      camera.source = "file"
      camera.device = "\(clip.path)"
      camera.format = "\(coding.name)"
      camera.width = \(width)
      camera.height = \(height)
      video.path = "passthrough"
      recording.pre_event_s = 3
      recording.segment_s = 5
      """)
  }

  /// The synthetic camera's pictures, coded by stock ffmpeg.
  static func stream(_ coding: Coding, seconds: Int) throws -> [UInt8] {
    let layout = try #require(I420Layout(width: width, height: height))
    let camera = SyntheticCamera(layout: layout, frameInterval: Nanoseconds(33_333_333))
    var picture = [UInt8](repeating: 0, count: layout.byteCount)
    let raw = "/tmp/lapel-acceptance-raw-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: raw) }
    guard FileManager.default.createFile(atPath: raw, contents: nil), let file = FileHandle(forWritingAtPath: raw)
    else {
      throw ProgramFailure(description: "cannot write \(raw)")
    }
    for frame in 0..<seconds * 30 {
      picture.withUnsafeMutableBytes {
        _ = camera.draw(frame: UInt32(frame), time: Nanoseconds(33_333_333) * Int64(frame), into: $0)
      }
      var rows = Data()
      for (start, stride, columns, count) in [
        (0, layout.lumaStride, width, height), (layout.blueOffset, layout.chromaStride, width / 2, height / 2),
        (layout.redOffset, layout.chromaStride, width / 2, height / 2),
      ] {
        for row in 0..<count { rows += picture[start + row * stride..<start + row * stride + columns] }
      }
      try file.write(contentsOf: rows)
    }
    try file.close()
    let (pixels, words) =
      switch coding {
      case .mjpeg: ("yuvj420p", ["-c:v", "mjpeg", "-q:v", "3"])
      case .h264(let parameters): ("yuv420p", ["-c:v", "libx264", "-preset", "ultrafast"] + parameters)
      }
    return try succeed(
      [
        "ffmpeg", "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", pixels, "-s", "\(width)x\(height)", "-r",
        "30",
      ]
        + ["-i", raw] + words + ["-f", coding.name, "-"]
    ).output
  }
}
