import Testing

@testable import Evidence

@Suite("What a card keeps of its last flush")
struct LastFlushTests {
  /// Of 8 KiB and two bytes, so that every subset can be looked at.
  fileprivate static let pageCount = 8

  /// A recording whose last checkpoint was under way, and the segment as each subset of its pages leaves it.
  private struct Torn {
    let agency: Agency
    let made: TestRecording
    /// The bytes of the last range.
    let range: Range<Int>
    let whole: [UInt8]

    init() throws {
      agency = try Agency()
      made = try TestCamera(agency).record(RecordingPlan(segments: [[100, 200]], isClosed: false))
      let chunk = SegmentStream.sealedByteCount
      range = (184 + chunk)..<(184 + 2 * chunk)
      whole = try #require(made.segments["0000.mp4.age"])
    }

    func segment(_ pages: Int) -> [UInt8] {
      var file = whole
      let pageCount = LastFlushTests.pageCount
      let size = (range.count + pageCount - 1) / pageCount
      for page in 0..<pageCount where pages & 1 << page == 0 {
        let from = range.lowerBound + page * size
        for index in from..<min(from + size, range.upperBound) { file[index] = 0 }
      }
      return file
    }
  }

  @Test(
    "every persisted subset of the last flush's pages: without its CKPT all before it is attested, and nothing is ALTERED"
  )
  func beforeLine() throws {
    let torn = try Torn()
    let trust = try torn.agency.trust
    var made = torn.made
    made.lines.removeLast()
    for pages in 0..<(1 << Self.pageCount) {
      made.segments["0000.mp4.age"] = torn.segment(pages)
      let verdict = try made.verify(trust)
      #expect(verdict.headline == .verifiedTo && verdict.mediaTime == 1_000_000, "\(pages): \(verdict.findings)")
      #expect(verdict.integrity == .intact && verdict.has(.remark(.unattestedTail)))
      #expect(verdict.repairs.first?.length == Int64(torn.range.lowerBound))
    }
  }

  @Test("every persisted subset of the last flush's pages: with its CKPT only the whole range is attested")
  func behindLine() throws {
    let torn = try Torn()
    let trust = try torn.agency.trust
    var made = torn.made
    let all = (1 << Self.pageCount) - 1
    for pages in 0...all {
      made.segments["0000.mp4.age"] = torn.segment(pages)
      let verdict = try made.verify(trust)
      let expected: Headline = pages == all ? .verifiedTo : .integrity(.altered)
      #expect(verdict.headline == expected, "\(pages): \(verdict.findings)")
      #expect(verdict.repairs.first?.length == Int64(pages == all ? torn.range.upperBound : torn.range.lowerBound))
    }
  }

  @Test(
    "every persisted subset of the pages of the journal's last line, in any split, is a torn journal or the whole line")
  func journalPages() throws {
    let torn = try Torn()
    let trust = try torn.agency.trust
    let line = try #require(torn.made.lines.last)
    var made = torn.made
    for split in stride(from: 1, to: line.count, by: 7) {
      for (hasFirst, hasSecond) in [(false, false), (true, false), (false, true), (true, true)] {
        var bytes = line
        if !hasFirst { for index in 0..<split { bytes[index] = 0 } }
        if !hasSecond { for index in split..<line.count { bytes[index] = 0 } }
        made.lines[made.lines.count - 1] = bytes
        let verdict = try made.verify(trust)
        let isWhole = hasFirst && hasSecond
        #expect(verdict.headline == .verifiedTo && verdict.mediaTime == (isWhole ? 2_000_000 : 1_000_000))
        #expect(verdict.has(.remark(.tornJournal)) == !isWhole)
      }
    }
  }
}
