import Media
import Synthetic
import Testing

@testable import Evidence
@testable import Opening

/// A recording on a card, as a dock sees it: verified, opened and decoded by stock tools.
struct Footage {
  let directory: String
  let verdict: Verdict
  /// The valid lines of the journal.
  let journal: [JournalLine]
  let opened: OpenedRecording
  /// The attested files that play, in order.
  let runs: [[UInt8]]
  private let scratch: Scratch

  /// Verifies and opens the `index`th recording of a card, with its device log.
  init(_ agency: Agency, scratch: Scratch, index: Int = 0) throws {
    self.scratch = scratch
    let names = try fileNames("\(agency.storePath)/recordings")
    let name = try #require(names.dropFirst(index).first)
    directory = "\(agency.storePath)/recordings/\(name)"
    let log = try DeviceLog(files: DirectoryFiles("\(agency.storePath)/device/log"), device: agency.trust.device)
    var attested: [Attested] = []
    verdict = try RecordingVerifier(
      directoryName: name, trust: agency.trust, deviceLog: log, presentRecordings: names
    ).verify(DirectoryFiles(directory)) { attested.append($0) }
    journal = try fileBytes("\(directory)/\(EvidenceName.journal)").split(separator: UInt8(ascii: "\n"))
      .compactMap { try? JournalLine(parsing: Array($0) + [UInt8(ascii: "\n")]) }
    let id = try #require(verdict.opening?.id)
    var output = FilesInMemory()
    opened = try RecordingOpener(plan: RecordingPlan(recording: id, attested: attested), identities: [agency.identity])
      .open(DirectoryFiles(directory), into: &output)
    runs = opened.files.compactMap { file in
      if case .run = file.file { output.files[file.file] } else { nil }
    }
  }

  /// A segment's file as stock age opens it.
  func plaintext(_ name: String) throws -> [UInt8] {
    try quietly(["age", "-d", "-i", scratch.path("agency/identity.txt"), "\(directory)/\(name)"])
  }

  /// The packets of sound that a segment's init holds; nil when it holds none.
  func runIn(of segment: Int) throws -> [UInt8]? {
    let plain = try plaintext(EvidenceName.segment(segment))
    let movie = try BoxReader.content(of: .movie, plain, in: plain.indices)
    guard let data = try BoxReader.boxes(plain, in: movie).last(where: { $0.type == .userData }) else { return nil }
    // The first byte is a packet of its own.
    return Array(plain[try BoxReader.content(of: .free, plain, in: data.content)].dropFirst())
  }

  func lines(_ type: String) -> [JournalLine] { journal.filter { $0.type == type } }

  var gaps: [JournalEvent] {
    lines("EVT").compactMap { JournalEvent($0) }.filter { if case .gap = $0 { true } else { false } }
  }

  // MARK: - Boxes

  /// The sample times of a track, fragment by fragment, and the end of the last sample of each.
  static func fragments(_ bytes: [UInt8], of track: TrackID) throws -> [[Int64]] {
    try BoxReader.boxes(bytes).filter { $0.type == .movieFragment }.compactMap { box in
      try Fragment(Array(bytes[box.range])).tracks.first { $0.id == UInt32(track.rawValue) }?.times
    }
  }

  // MARK: - Decoding

  /// Every picture of a file with its time. Any complaint of ffmpeg or ffprobe fails the test.
  func frames(_ bytes: [UInt8]) throws -> [SyntheticReport.Frame] {
    let file = try scratch.write("open.mp4", bytes)
    let times = String(
      decoding: try quietly([
        "ffprobe", "-v", "warning", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0",
        file,
      ]), as: UTF8.self
    ).split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }
    let luma = try quietly([
      "ffmpeg", "-v", "warning", "-i", file, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt",
      "gray", "-",
    ])
    let size = Reel.width * Reel.height
    try #require(luma.count == times.count * size)
    return times.indices.map { index in
      let picture = luma.span.extracting(index * size..<(index + 1) * size)
      return SyntheticReport.Frame(
        presentation: times[index],
        reading: PatternReader.read(luma: picture.bytes, width: Reel.width, height: Reel.height, stride: Reel.width))
    }
  }

  /// The sound of a file, 48 kHz, one channel.
  func sound(_ bytes: [UInt8]) throws -> [Int16] {
    let file = try scratch.write("open.mp4", bytes)
    let pcm = try quietly([
      "ffmpeg", "-v", "warning", "-i", file, "-map", "0:a:0", "-f", "s16le", "-ac", "1", "-ar", "48000", "-",
    ])
    return stride(from: 0, to: pcm.count - 1, by: 2).map {
      Int16(truncatingIfNeeded: Int(pcm[$0]) | Int(pcm[$0 + 1]) << 8)
    }
  }

  /// Onsets of the beeps, in seconds on the file's timeline.
  func beeps(_ bytes: [UInt8]) throws -> [Double] {
    let file = try scratch.write("open.mp4", bytes)
    let text = String(
      decoding: try quietly([
        "ffprobe", "-v", "warning", "-select_streams", "a:0", "-show_entries", "frame=pts_time,nb_samples", "-of",
        "csv=p=0", file,
      ]), as: UTF8.self)
    // Where each decoded piece lies: the samples come without gaps, the timeline need not.
    var pieces: [(first: Int, time: Double)] = []
    var first = 0
    for line in text.split(separator: "\n") {
      let words = line.split(separator: ",")
      pieces.append((first, try #require(Double(words[0]))))
      first += try #require(Int(words[1]))
    }
    let sound = try sound(bytes)
    #expect(sound.count == first)
    return PatternReader.beepOnsets(in: sound.span).compactMap { onset in
      pieces.last { $0.first <= onset }.map { $0.time + Double(onset - $0.first) / 48_000 }
    }
  }

  func report(_ bytes: [UInt8]) throws -> SyntheticReport {
    SyntheticReport(frames: try frames(bytes), beeps: try beeps(bytes))
  }
}

/// A directory on disk.
struct DirectoryFiles: EvidenceFiles {
  let path: String

  init(_ path: String) { self.path = path }

  func names() throws(ReadFailure) -> [String] {
    do { return try fileNames(path) } catch { throw ReadFailure(file: path, reason: "\(error)") }
  }

  func size(of name: String) throws(ReadFailure) -> Int64 { Int64(try bytes(name).count) }

  func read(_ name: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
    let bytes = try bytes(name)
    guard offset < bytes.count else { return 0 }
    let count = min(buffer.count, bytes.count - Int(offset))
    bytes[Int(offset)..<(Int(offset) + count)].withUnsafeBytes { buffer.copyMemory(from: $0) }
    return count
  }

  private func bytes(_ name: String) throws(ReadFailure) -> [UInt8] {
    do { return try fileBytes("\(path)/\(name)") } catch { throw ReadFailure(file: name, reason: "\(error)") }
  }
}

/// Opened footage in memory.
struct FilesInMemory: FootageOutput {
  private(set) var files: [FootageFile: [UInt8]] = [:]
  private var current: FootageFile?

  mutating func begin(_ file: FootageFile) throws(OpeningError) {
    files[file] = []
    current = file
  }

  mutating func append(_ bytes: RawSpan) throws(OpeningError) {
    guard let current else { throw OpeningError(.output, "no file was begun") }
    bytes.withUnsafeBytes { files[current, default: []].append(contentsOf: $0) }
  }

  mutating func truncate(to length: Int64) {
    guard let current, let count = files[current]?.count else { return }
    files[current]?.removeLast(count - Int(length))
    if length == 0 {
      files[current] = nil
      self.current = nil
    }
  }
}
