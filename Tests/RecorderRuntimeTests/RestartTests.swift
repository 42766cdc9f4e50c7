import Core
import Evidence
import Foundation
import Media
import Synthetic
import Testing

@testable import RecorderRuntime

/// The recorder ends as a crash or a cut ends it, at some instant of a recording, and starts again on the same card.
@Suite("A recorder that starts again after it was cut off")
struct RestartTests {
  /// Runs until `moment`, ms, and drops everything that was in memory. Returns what had been confirmed by then.
  private func cut(
    _ reel: Reel, at moment: Int64, scratch: Scratch
  ) throws -> (agency: Agency, request: OpenRequest, durable: MonotonicTime) {
    let studio = try Studio(reel, scratch: scratch, preEvent: .seconds(5), segment: .seconds(8))
    studio.run(to: 8_000)
    let request = studio.trigger()
    studio.run(to: moment)
    #expect(studio.closing == nil)
    return (studio.agency, request, try #require(studio.durableEnds.last?.end))
  }

  /// The cut-off recording as a dock sees it, before or after the next start.
  private func check(
    _ footage: Footage, _ reel: Reel, _ request: OpenRequest, durable: MonotonicTime
  ) throws {
    #expect(footage.verdict.headline == .verifiedTo, "\(footage.verdict.findings)")
    #expect(footage.verdict.end == .interrupted && footage.verdict.isRecovered)
    #expect(footage.verdict.completeness == .continuous)
    let attested = try #require(footage.verdict.mediaTime)
    #expect(attested >= (durable - request.start.time).inMicroseconds - 1_000)
    #expect(!footage.verdict.findings.contains { $0.answer == .remark(.unattestedTail) })
    let run = try #require(footage.runs.first)
    let report = SyntheticReport(frames: try footage.frames(run), beeps: [])
    #expect(report.isComplete)
    #expect(report.frames >= reel.packets(of: .video, from: request.start.time, to: durable).count - 1)
  }

  @Test(
    "the cut-off recording is VERIFIED_TO its last checkpoint and recovered, the next one is VERIFIED, nothing is missing",
    arguments: [9_300, 14_020, 19_990])
  func restart(moment: Int64) throws {
    let reel = try Reel.plain.get()
    let scratch = try Scratch()
    let (agency, request, durable) = try cut(reel, at: moment, scratch: scratch)
    // The loss bound: interval, encoder and what the clock of this test adds.
    #expect(Reel.at(moment) - durable <= .milliseconds(1_000))
    let path = "\(agency.storePath)/recordings"
    let name = try #require(try fileNames(path).first)
    func contents() throws -> [String: [UInt8]] {
      var contents: [String: [UInt8]] = [:]
      for file in try fileNames("\(path)/\(name)") { contents[file] = try fileBytes("\(path)/\(name)/\(file)") }
      return contents
    }
    let before = try contents()

    let studio = try Studio(reel, scratch: scratch, agency: agency, preEvent: .seconds(5), segment: .seconds(8))
    let found = try #require(studio.recovery.interrupted.first)
    #expect(studio.recovery.interrupted.count == 1 && studio.recovery.warnings.isEmpty)
    #expect(found.words.hasPrefix("found interrupted recording 1: \(found.segments) segment"))
    #expect(found.mediaTime >= (durable - request.start.time).inMicroseconds - 1_000)
    studio.run(to: 12_000)
    studio.trigger()
    studio.run(to: 20_000)
    studio.stop()
    studio.run(to: 23_000)
    #expect(studio.closing == .some(nil))

    try check(try Footage(agency, scratch: scratch, index: 0), reel, request, durable: durable)
    let later = try Footage(agency, scratch: scratch, index: 1)
    #expect(later.verdict.headline == .verified, "\(later.verdict.findings)")
    #expect(later.verdict.opening?.facts.recordingCounter == 2)
    #expect(try contents() == before)
  }

  @Test("cut off again and again, the whole card verifies: each recording up to its checkpoint, each counter explained")
  func manyCuts() throws {
    let reel = try Reel.plain.get()
    let scratch = try Scratch()
    var agency: Agency?
    for round in Int64(0)..<4 {
      let studio = try Studio(reel, scratch: scratch, agency: agency, preEvent: .seconds(2), segment: .seconds(8))
      agency = studio.agency
      #expect(studio.recovery.interrupted.map(\.counter) == (round == 0 ? [] : [round]))
      studio.run(to: 3_000)
      studio.trigger()
      studio.run(to: 4_000 + round * 330)
    }
    let last = try #require(agency)
    _ = try last.openStore()
    for index in 0..<4 {
      let footage = try Footage(last, scratch: scratch, index: index)
      #expect(footage.verdict.headline == .verifiedTo && footage.verdict.isRecovered, "\(footage.verdict.findings)")
      #expect(footage.verdict.completeness == .continuous)
    }
  }
}
