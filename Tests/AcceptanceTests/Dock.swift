import Foundation
import Testing

/// `lapel-dock`, with what it prints for tools.
enum Dock {
  /// One verdict of `verify --json`.
  struct Verdict: Decodable {
    var headline: String
    var sentence: String
    var closeReason: String?
    var recovered: Bool?
    var segments: Int
    var gaps: Int
    var framesLost: Int
    var samplesLost: Int
  }

  /// What `open --json` says.
  struct Opened: Decodable {
    struct Track: Decodable {
      var kind: String
      var frames: Int?
      var packets: Int?
      var startSeconds: Double
      var endSeconds: Double
      var largestIntervalMs: Double
      var steps: Int
      var gaps: [[Double]]
    }

    struct Marker: Decodable {
      var seconds: Double
      var value: String
      var message: String
    }

    var verdict: Verdict
    var whole: Bool
    var tracks: [Track]
    var markers: [Marker]
    var facts: [String: String]

    func track(_ kind: String) throws -> Track { try #require(tracks.first { $0.kind == kind }) }
    func number(_ fact: String) throws -> Int64 { try #require(facts[fact].flatMap { Int64($0) }) }
  }

  /// What `avsync --json` reads from the pictures and the sound.
  struct Measured: Decodable {
    struct Offset: Decodable {
      var second: Int
      var ms: Double
    }

    var complete: Bool
    var frames: Int
    var firstCounter: Int
    var lastCounter: Int
    var missing: Int
    var missingRanges: [[Int]]
    var doubled: [Int]
    var outOfOrder: [Int]
    var unreadable: Int
    var timelineSteps: Int
    var largestTimingErrorMs: Double
    var flashes: Int
    var beeps: Int
    var offsets: [Offset]
  }

  /// Runs `verify`; the exit code and one verdict for each recording.
  static func verify(_ path: String, _ words: String...) throws -> (code: Int32, verdicts: [Verdict]) {
    let result = try run(
      [try Rig.dock.get(), "verify", path, "--agency", "\(try Rig.agency.get())/public", "--json"] + words)
    guard !result.output.isEmpty else { return (result.code, []) }
    return (result.code, try JSONDecoder().decode([Verdict].self, from: Data(result.output)))
  }

  /// Opens a recording; it must be whole.
  /// - Parameter agency: nil for the one that all rigs share.
  static func open(_ recording: String, as output: String, agency: String? = nil) throws -> Opened {
    let agency = try agency ?? Rig.agency.get()
    let result = try succeed([
      try Rig.dock.get(), "open", recording, "--agency", "\(agency)/public", "--identity",
      "\(agency)/secret/identity.txt", "-o", output, "--json",
    ])
    return try JSONDecoder().decode(Opened.self, from: Data(result.output))
  }

  static func identity() throws -> String { "\(try Rig.agency.get())/secret/identity.txt" }

  static func measure(_ file: String) throws -> Measured {
    let result = try run([try Rig.dock.get(), "avsync", file, "--json"])
    guard result.code == 0 || result.code == 3 else { throw ProgramFailure(description: "avsync: \(result.errors)") }
    return try JSONDecoder().decode(Measured.self, from: Data(result.output))
  }

  /// Every recording of the store VERIFIED, and each recording's directory by itself VERIFIED_ALONE.
  static func expectVerified(_ rig: Rig, recordings: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let paths = try rig.recordingPaths()
    #expect(paths.count == recordings, "\(rig.logText)", sourceLocation: sourceLocation)
    guard !paths.isEmpty else { return }
    let (code, verdicts) = try verify(rig.store)
    #expect(code == 0, "\(verdicts.map(\.sentence))", sourceLocation: sourceLocation)
    #expect(verdicts.map(\.headline) == paths.map { _ in "VERIFIED" }, sourceLocation: sourceLocation)
    for path in paths {
      let (code, verdicts) = try verify(path)
      #expect(code == 10, "\(verdicts.map(\.sentence))", sourceLocation: sourceLocation)
      #expect(verdicts.map(\.headline) == ["VERIFIED_ALONE"], sourceLocation: sourceLocation)
    }
  }
}

extension Dock.Measured {
  /// Each counter from the first to the last is there once, in order, where its time belongs.
  func expectEveryFrameOnce(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(missing == 0, "missing \(missingRanges); \(comment)", sourceLocation: sourceLocation)
    #expect(doubled.isEmpty, comment, sourceLocation: sourceLocation)
    #expect(outOfOrder.isEmpty, comment, sourceLocation: sourceLocation)
    #expect(unreadable == 0, comment, sourceLocation: sourceLocation)
    #expect(timelineSteps == 0, comment, sourceLocation: sourceLocation)
    #expect(frames == lastCounter - firstCounter + 1, comment, sourceLocation: sourceLocation)
    #expect(complete, comment, sourceLocation: sourceLocation)
  }

  /// Each beep is at most 5 ms from its flash, and each of these whole seconds has one. That of `cut`, into which the
  /// stop came, may be there or not.
  func expectSound(
    in seconds: ClosedRange<Int>, cut: Int, _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let heard = offsets.map(\.second).filter { seconds.contains($0) || $0 != cut }
    #expect(heard == Array(seconds), comment, sourceLocation: sourceLocation)
    for offset in offsets { #expect(abs(offset.ms) <= 5, "second \(offset.second)", sourceLocation: sourceLocation) }
  }
}

/// The stock tools on a file.
enum Stock {
  /// Decodes all of a file; a warning or an error is a failure.
  static func expectCleanDecoding(_ file: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let result = try run(["ffmpeg", "-v", "warning", "-nostdin", "-i", file, "-f", "null", "-"])
    #expect(result.code == 0, sourceLocation: sourceLocation)
    #expect(result.errors == "", "ffmpeg on \(file)", sourceLocation: sourceLocation)
  }

  /// The decoded sound, 16 bits, 48 kHz, one channel.
  static func sound(_ file: String) throws -> [Int16] {
    let bytes = try succeed([
      "ffmpeg", "-v", "error", "-nostdin", "-i", file, "-map", "0:a:0", "-f", "s16le", "-ar", "48000", "-ac", "1", "-",
    ]).output
    return stride(from: 0, to: bytes.count - 1, by: 2).map {
      Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
    }
  }

  /// The fields of a stream, or of each of its packets or frames, one line of words each.
  static func probe(_ file: String, _ stream: String, _ entries: String, _ words: String...) throws -> [[String]] {
    try succeed(
      ["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0"] + words + [file]
    ).text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
  }

  /// Decrypts the segments of a recording by the stock `age`, in order.
  static func segments(of recording: String, into directory: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: recording).filter { $0.hasSuffix(".mp4.age") }
      .sorted()
    return try names.map { name in
      let file = "\(directory)/\(name.prefix(4)).mp4"
      try succeed(["age", "-d", "-i", try Dock.identity(), "-o", file, "\(recording)/\(name)"])
      return file
    }
  }
}
