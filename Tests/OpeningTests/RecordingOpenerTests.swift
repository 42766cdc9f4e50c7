import Evidence
import Media
import Testing

@testable import Opening

@Suite("RecordingOpener")
struct RecordingOpenerTests {
  /// What a decoder of stock ffmpeg makes of a file: pictures, sound samples, and everything that it complains about.
  private func decode(_ bytes: [UInt8]) throws -> (pictures: Int, samples: Int, complaints: String) {
    let scratch = try Scratch()
    let path = try scratch.write("opened.mp4", bytes)
    let decoded = try command([
      "ffmpeg", "-v", "warning", "-i", path, "-map", "0", "-f", "framecrc", "-c:v", "rawvideo", "-c:a", "pcm_s16le",
      "-",
    ])
    let lines = decoded.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.split(separator: ",").map { $0.trimmingPrefix(while: { $0 == " " }) } }
    return (
      lines.count { $0[0] == "0" }, lines.filter { $0[0] == "1" }.reduce(0) { $0 + (Int($1[3]) ?? 0) },
      decoded.message
    )
  }

  private func attested(_ output: MemoryOutput, _ run: Int = 0) throws -> [UInt8] {
    try #require(output.files[.run(run)])
  }

  private func fragments(_ numbers: some Sequence<Int>) throws -> [UInt8] {
    let media = try StockMedia.shared.get()
    return numbers.flatMap { media.fragment($0) }
  }

  private func starts(_ recording: TestRecording) -> [UInt8] { recording.inits[0] }

  @Test("the init of segment 0 and every fragment in its original bytes make one file, which stock ffmpeg plays")
  func whole() throws {
    var script = TestScript.plain
    script.segments[0].preSkip = try StockMedia.shared.get().preSkip
    let recording = try TestRecording(script, agency: TestAgency())
    #expect(try recording.verify().verdict.headline == .verifiedAlone)
    let (opened, output) = try recording.open()
    #expect(opened.isWhole)
    #expect(opened.rangesProved == 6)
    #expect(output.files.count == 1)
    #expect(try attested(output) == recording.inits[0] + fragments(0..<12))
    #expect(opened.files.map(\.segments) == [[0, 1, 2]])
    #expect(opened.files.map(\.byteCount) == [Int64(try attested(output).count)])
    #expect(opened.files.map(\.fragments) == [12])

    let decoded = try decode(attested(output))
    #expect(decoded.pictures == 180)
    #expect(decoded.samples == 300 * 960 - 312)
    #expect(decoded.complaints == "")
  }

  @Test(
    "a run-in is proved with its init and left out of every opened file; segments with and without one are one file")
  func runIn() throws {
    var script = TestScript.plain
    script.segments[0].preSkip = try StockMedia.shared.get().preSkip
    script.segments[1].hasRunIn = true
    let (opened, output) = try TestRecording(script, agency: TestAgency()).open()
    #expect(opened.isWhole && opened.rangesProved == 6)
    #expect(opened.files.map(\.segments) == [[0, 1, 2]])
    let decoded = try decode(attested(output))
    #expect(decoded.samples == 300 * 960 - 312 && decoded.complaints == "")
    #expect(opened.summary.tracks.map(\.audioSamples) == [0, 300 * 960 - 312])

    // Where the segment begins a file of its own.
    script.segments[0].isSilent = true
    let recording = try TestRecording(script, agency: TestAgency())
    let (apart, files) = try recording.open()
    #expect(apart.isWhole)
    #expect(apart.files.map(\.segments) == [[0], [1, 2]])
    #expect(try attested(files, 1) == recording.inits[1] + fragments(4..<12))
    #expect(apart.summary.tracks.map(\.track.preSkip) == [0, 0])
    // In the segment itself it is there.
    let movie = try BoxReader.content(of: .movie, recording.plaintexts[1])
    #expect(try BoxReader.boxes(recording.plaintexts[1], in: movie).last?.type == .userData)
  }

  @Test("a range too long to be kept in memory is opened and compared all the same", arguments: [false, true])
  func longRange(_ lies: Bool) throws {
    // Padding of 5 MiB, more than the 64 chunks that are kept.
    let length = UInt32(5 << 20)
    let padding =
      (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + Array("free".utf8)
      + [UInt8](repeating: 1, count: Int(length) - 8)
    var script = TestScript.plain
    script.segments[1].extra[0] = padding
    script.segments[1].liesIn = lies ? [0] : []
    let (opened, output) = try TestRecording(script, agency: TestAgency()).open()
    #expect(opened.problems.map(\.error.code) == (lies ? [.commitment] : []))
    let whole = try attested(output)
    let kept = try fragments(lies ? Array(0..<4) + Array(6..<12) : Array(0..<12))
    #expect(whole.suffix(kept.count) == kept[...])
  }

  @Test("the summary counts what the footage holds")
  func summary() throws {
    var script = TestScript.plain
    script.segments[0].preSkip = 312
    script.segments[0].extra[1] = EventMessage(
      mediaMilliseconds: 1_500, identifier: 1, value: "mark", message: "by=button"
    ).bytes()
    // Everything from 2 s on is 300 ms later.
    script.segments[1].shifts = [0: 300, 1: 300]
    script.segments[2].shifts = [0: 300, 1: 300]
    let recording = try TestRecording(script, agency: TestAgency())
    let (opened, output) = try recording.open()
    #expect(opened.isWhole)
    let summary = opened.summary
    #expect(summary.tracks.map(\.count) == [180, 300])
    #expect(summary.tracks.map(\.audioSamples) == [0, 300 * 960 - 312])
    #expect(summary.tracks.map(\.track.width) == [64, 0])
    for track in summary.tracks {
      #expect(abs(track.duration - 6.3) < 1e-6)
      #expect(track.gaps.count == 1)
      #expect(abs((track.gaps.first?.from ?? 0) - 2) < 1e-6)
      #expect(abs((track.gaps.first?.length ?? 0) - 0.3) < 1e-6)
      #expect(abs(track.largestInterval - track.interval - 0.3) < 1e-6)
      #expect(track.steps == 0)
    }
    #expect(summary.markers == [.init(time: 1.5, value: "mark", message: "by=button")])
    #expect(summary.facts["trigger"] == "button")
    #expect(summary.facts["pre_event_held_ms"] == "1500")
    // The marker stays in the file.
    let boxes = try BoxReader.boxes(attested(output)).map(\.type)
    #expect(boxes.count { $0 == .eventMessage } == 1)
    #expect(!boxes.contains(.free))
  }

  @Test("a segment with other tracks begins a new file")
  func runs() throws {
    var script = TestScript.plain
    script.segments[2].isSilent = true
    let recording = try TestRecording(script, agency: TestAgency())
    let (opened, output) = try recording.open()
    #expect(opened.isWhole)
    #expect(opened.files.map(\.segments) == [[0, 1], [2]])
    #expect(try attested(output, 0) == starts(recording) + fragments(0..<8))
    #expect(try attested(output, 1) == recording.inits[2] + fragments(8..<12))
    #expect(opened.remarks.count == 1)
  }

  @Test("a range that is not what was committed to is left out and named; the others are opened", arguments: [0, 1])
  func commitment(_ range: Int) throws {
    var script = TestScript.plain
    script.segments[1].liesIn = [range]
    let recording = try TestRecording(script, agency: TestAgency())
    // Nothing without the key can see this.
    #expect(try recording.verify().verdict.headline == .verifiedAlone)
    let (opened, output) = try recording.open()
    #expect(!opened.isWhole)
    #expect(opened.rangesProved == 5)
    #expect(opened.problems.map(\.segment) == [1])
    #expect(opened.problems.first?.error.code == .commitment)
    let kept = (0..<12).filter { !(4 + 2 * range..<6 + 2 * range).contains($0) }
    #expect(try attested(output) == starts(recording) + fragments(kept))
    #expect(opened.files.count == 1)
  }

  @Test("a first range that is not what was committed to leaves nothing behind")
  func firstCommitment() throws {
    var script = TestScript.plain
    script.segments[0].liesIn = [0]
    let recording = try TestRecording(script, agency: TestAgency())
    let (opened, output) = try recording.open()
    #expect(opened.problems.map(\.error.code) == [.commitment])
    #expect(try attested(output) == starts(recording) + fragments(2..<12))
    #expect(output.files.count == 1)
  }

  @Test("a changed byte costs its range, and no other")
  func altered() throws {
    var recording = try TestRecording(agency: TestAgency())
    let offset = try recording.offset(chunk: 0, in: 2)
    let (_, attestedBefore) = try recording.verify()
    let ranges = attestedBefore.compactMap { if case .range(let range) = $0, range.segment == 2 { range } else { nil } }
    #expect(ranges.count == 2)
    let second = offset + Int(ranges[1].chunks.lowerBound) * SegmentStream.sealedByteCount
    recording.change(recording.segment(2)) { $0[second + 100] ^= 1 }
    #expect(try recording.verify().verdict.headline == .integrity(.altered))
    let (opened, output) = try recording.open()
    #expect(opened.problems.map(\.error.code) == [.payload])
    #expect(opened.problems.first?.chunks == ranges[1].chunks)
    #expect(try attested(output) == starts(recording) + fragments(0..<10))
  }

  @Test("footage whose own init is lost plays with the init before, in a file of its own")
  func lostInit() throws {
    var recording = try TestRecording(agency: TestAgency())
    let offset = try recording.offset(chunk: 0, in: 1)
    recording.change(recording.segment(1)) { $0[offset + 100] ^= 1 }
    let (opened, output) = try recording.open()
    #expect(opened.problems.count == 1)
    #expect(opened.files.map(\.segments) == [[0], [1], [2]] || opened.files.map(\.segments) == [[0], [1, 2]])
    #expect(try attested(output, 0) == starts(recording) + fragments(0..<4))
    #expect(try attested(output, 1).starts(with: starts(recording) + fragments(6..<8)))
    #expect(opened.remarks.contains { $0.contains("init of segment 1 is lost") })
    #expect(opened.rangesProved == 5)
  }

  @Test("footage with no init at all is named and left out")
  func noInit() throws {
    var recording = try TestRecording(agency: TestAgency())
    let offset = try recording.offset(chunk: 0, in: 0)
    recording.change(recording.segment(0)) { $0[offset + 100] ^= 1 }
    let (opened, output) = try recording.open()
    #expect(opened.problems.map(\.segment) == [0, 0])
    #expect(try attested(output) == recording.inits[1] + fragments(4..<12))
  }

  @Test("a missing segment is named; the others are opened")
  func missing() throws {
    var recording = try TestRecording(agency: TestAgency())
    recording.remove(recording.segment(1))
    let (opened, output) = try recording.open()
    #expect(opened.problems.map(\.error.code) == [.input])
    #expect(opened.problems.first?.chunks == nil)
    #expect(try attested(output) == starts(recording) + fragments(Array(0..<4) + Array(8..<12)))
  }

  @Test("a segment of another recording under this one's name is not opened")
  func foreign() throws {
    let agency = try TestAgency()
    var recording = try TestRecording(agency: agency)
    let other = try TestRecording(agency: agency)
    recording.change(recording.segment(1)) { $0 = other.files.contents[other.segment(1)] ?? [] }
    let (opened, _) = try recording.open()
    #expect(opened.rangesProved == 4)
    #expect(Set(opened.problems.map(\.segment)) == [1])
  }

  @Test("an init that is not the one committed to, or names another segment, opens nothing of its range")
  func lyingInit() throws {
    var script = TestScript.plain
    script.segments[0].numberInInit = 7
    #expect(try TestRecording(script, agency: TestAgency()).open().opened.problems.first?.error.code == .footage)
    script = .plain
    script.segments[2].hasLyingInit = true
    let problem = try TestRecording(script, agency: TestAgency()).open().opened.problems.first
    #expect(problem?.segment == 2)
    #expect(problem?.error.code == .footage || problem?.error.code == .commitment)
  }

  @Test(
    "a clip with an edited mdhd, trex or matrix is not what was committed to: nothing of it is proved",
    arguments: TestScript.InitEdit.allCases)
  func editedInit(_ edit: TestScript.InitEdit) throws {
    var script = TestScript.plain
    script.segments[1].edit = edit
    let recording = try TestRecording(script, agency: TestAgency())
    // Ciphertext and range are as signed: only the commitment to the init tells.
    #expect(try recording.verify().verdict.integrity == .intact)
    let (opened, _) = try recording.open()
    #expect(opened.problems.contains { $0.segment == 1 && $0.error.code == .commitment }, "\(opened.problems)")
    #expect(!opened.isWhole)
  }

  @Test("what follows the last checkpoint and opens goes into a file of its own: whole fragments only")
  func tail() throws {
    var script = TestScript.plain
    script.isClosed = false
    // Enough for a full chunk, which is what a power cut leaves.
    script.segments[2].ranges = [[8, 9]]
    script.segments[2].tail = Array(10..<20)
    let recording = try TestRecording(script, agency: TestAgency())
    #expect(try recording.verify().verdict.headline == .verifiedTo)
    let (opened, output) = try recording.open()
    #expect(opened.isWhole)
    #expect(try attested(output) == starts(recording) + fragments(0..<10))
    let tail = try #require(output.files[.unattested(segment: 2)])
    let file = try #require(opened.files.last)
    #expect(file.file == .unattested(segment: 2))
    #expect((1..<10).contains(file.fragments))
    #expect(try tail == recording.inits[2] + fragments(10..<(10 + file.fragments)))
    #expect(file.pictures == file.fragments * 15)
    #expect(file.byteCount == Int64(tail.count))
    let decoded = try decode(tail)
    #expect(decoded.pictures == file.pictures)
    // The attested part says nothing of the tail.
    #expect(opened.summary.tracks.first?.count == 150)
  }

  @Test("a segment without any checkpoint is all tail, and its init is still compared with SEG")
  func tailOnly() throws {
    var script = TestScript(segments: [.init(ranges: [], tail: Array(0..<12))], isClosed: false)
    var result = try TestRecording(script, agency: TestAgency()).open()
    #expect(result.opened.rangesPromised == 0)
    #expect(result.output.files.count == 1)
    #expect(try #require(result.opened.files.first).fragments > 0)
    script.segments[0].hasLyingInit = true
    result = try TestRecording(script, agency: TestAgency()).open()
    #expect(result.output.files.isEmpty)
  }

  @Test("after an abandoned segment the footage goes on in the same file, or in a new one where it repeats itself")
  func abandoned() throws {
    var script = TestScript(segments: [
      .init(ranges: [[0, 1], [2, 3]], tail: [4], isAbandoned: true), .init(ranges: [[4, 5], [6, 7]]),
    ])
    var (opened, output) = try TestRecording(script, agency: TestAgency()).open()
    #expect(opened.isWhole)
    #expect(opened.files.filter { $0.file == .run(0) }.map(\.segments) == [[0, 1]])
    #expect(output.files[.run(1)] == nil)
    script.segments[1].ranges[0] = [3, 4, 5]
    (opened, output) = try TestRecording(script, agency: TestAgency()).open()
    #expect(opened.isWhole)
    #expect(output.files[.run(1)] != nil)
    #expect(opened.remarks.count == 1)
  }

  @Test("an identity that is no recipient's is an error, and nothing is written")
  func wrongIdentity() throws {
    let recording = try TestRecording(agency: TestAgency())
    let error = #expect(throws: OpeningError.self) { try recording.open([AgeIdentity()]) }
    #expect(error?.code == .noIdentityMatches)
  }

  @Test(
    "a signed range that is not clean boxes is refused",
    arguments: [
      Array("\0\0\0\u{8}skip".utf8), Array("\0\0\0\u{8}mdat".utf8), Array("\0\0\0\0free".utf8),
      Array("\0\0\0\u{7}free".utf8),
      Array("\0\0\0\u{1}free\0\0\0\0\0\0\0\u{f}".utf8), Array("\u{7f}\0\0\0moof".utf8), Array("\0\0\0\u{8}moof".utf8),
      Array("\u{7f}\0\0\0free".utf8), Array("\0\0\0\u{9}emsg\u{1}".utf8), Array("junk".utf8), [0],
    ] as [[UInt8]])
  func hostileBoxes(_ extra: [UInt8]) throws {
    var script = TestScript.plain
    script.segments[1].extra[1] = extra
    let recording = try TestRecording(script, agency: TestAgency())
    let (opened, output) = try recording.open()
    #expect(opened.problems.map(\.error.code) == [.footage])
    #expect(try attested(output) == starts(recording) + fragments(Array(0..<6) + Array(8..<12)))
  }
}

@Suite("FootageWalker")
struct FootageWalkerTests {
  private func walk(_ bytes: [UInt8], pieces: Int) throws -> (kept: [UInt8], samples: Int, walker: FootageWalker) {
    var walker = FootageWalker(at: 0)
    var kept: [UInt8] = []
    var samples = 0
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      try walker.walk(
        bytes[start..<min(bytes.count, start + pieces)],
        keep: { part in part.withUnsafeBytes { kept.append(contentsOf: $0) } },
        event: { if case .fragment(let fragment) = $0 { samples += fragment.tracks.reduce(0) { $0 + $1.sampleCount } } }
      )
    }
    return (kept, samples, walker)
  }

  @Test("pieces of any length give the same boxes, and padding with its salt is dropped", arguments: [1, 7, 64, 4_096])
  func pieces(_ length: Int) throws {
    let media = try StockMedia.shared.get()
    let salt = randomBytes(32)
    let padding: [UInt8] = [0, 0, 0, 100] + Array("free".utf8) + salt + [UInt8](repeating: 0, count: 60)
    let kept = media.fragment(0) + media.fragment(1)
    let result = try walk(media.fragment(0) + padding + media.fragment(1) + padding, pieces: length)
    #expect(result.kept == kept)
    #expect(result.samples == 80)
    #expect(result.walker.isBetweenBoxes)
    #expect(result.walker.rangeSalt == salt)
    #expect(try walk(media.fragment(0) + padding.dropLast(), pieces: length).walker.rangeSalt == nil)
    #expect(try walk(padding + media.fragment(0), pieces: length).walker.rangeSalt == nil)
  }

  @Test("no change of any byte of a moof lets a sample lie outside its mdat")
  func changedFragment() throws {
    let bytes = try StockMedia.shared.get().fragment(0)
    let moof = try #require(BoxReader.boxes(bytes).first).range.count
    let media = bytes.count - moof - 8
    var refused = 0
    for index in 0..<moof {
      for mask: UInt8 in [0x01, 0x80, 0xFF] {
        var changed = Array(bytes[..<moof])
        changed[index] ^= mask
        guard let fragment = try? Fragment(changed) else {
          refused += 1
          continue
        }
        if fragment.dataLength > Int64(media) {
          // Found by the walker, which knows the mdat.
          #expect(throws: OpeningError.self) { try walk(changed + bytes[moof...], pieces: 65_536) }
        }
      }
    }
    #expect(refused > 100)
  }
}
