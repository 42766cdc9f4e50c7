import Core
import Foundation
import Glibc
import LinuxIO
import Media
import Opening
import Synthetic
import Testing

@testable import Evidence
@testable import RecorderRuntime

/// Cards that fail: real system calls that return real errors.
@Suite("A recording on a card that fails")
struct CardFailureTests {
  /// How the descriptor of an open segment file is made useless.
  enum Failure: CaseIterable {
    /// Every write fails (EBADF): the descriptor becomes one for reading only.
    case write
    /// Writes go nowhere and each sync fails (EINVAL).
    case sync

    func strike(_ path: String) throws {
      let descriptor = try #require(openDescriptor(of: path))
      let other =
        switch self {
        case .write: try FileDescriptor.open(path: path, flags: O_RDONLY)
        case .sync: try FileDescriptor.open(path: "/dev/null", flags: O_WRONLY)
        }
      try #require(dup2(other.rawValue, descriptor) == descriptor)
    }
  }

  @Test(
    "a segment that cannot be written or synced is given up and written again: every frame is there",
    arguments: Failure.allCases, [17_300, 17_600, 17_950])
  func rewrite(_ failure: Failure, at moment: Int64) throws {
    let reel = try Reel.plain.get()
    let studio = try Studio(reel, segment: .seconds(10))
    studio.run(to: 14_000)
    let request = studio.trigger()
    studio.run(to: 17_000)
    studio.mark(at: moment - 200)
    studio.run(to: moment)
    let directory = try studio.recordingDirectory()
    try failure.strike("\(directory)/0001.mp4.age")
    studio.run(to: 24_000)
    studio.stop()
    let end = studio.now
    studio.run(to: 26_000)
    #expect(studio.closing == .some(nil))

    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verifiedWithGaps, "\(footage.verdict.findings)")
    #expect(footage.verdict.abandonedSegments == 1)
    #expect(footage.lines("ABANDON").first?.encoded(Key.reason) == (failure == .write ? "write" : "sync"))
    #expect(footage.verdict.framesLost == 0 && footage.verdict.gaps == 0)
    var counters: Set<UInt32> = []
    for run in footage.runs {
      let report = SyntheticReport(frames: try footage.frames(run), beeps: [])
      #expect(report.isComplete)
      if let first = report.firstCounter, let last = report.lastCounter { counters.formUnion(first...last) }
    }
    let captured = reel.packets(of: .video, from: request.start.time, to: end)
    #expect(counters == Set(captured.map { UInt32($0.position) }))
    // What the wearer did is in the footage whatever the card did.
    #expect(footage.opened.summary.markers.contains { $0.value == "mark" })
    // The segment that was written again runs in with the sound before its own first.
    let written = try footage.plaintext(EvidenceName.segment(2))
    let sound = try #require(try Footage.fragments(written, of: .audio).first?.first)
    let media = Nanoseconds(sound * 125_000 / 6)
    let before = reel.packets.filter {
      $0.header.track == .audio && $0.header.time + .milliseconds(10) < request.start.time + media
        && $0.header.time >= request.start.time
    }
    #expect(try footage.runIn(of: 2) == before.suffix(RunIn.packetLimit).flatMap(\.bytes))
  }

  @Test("a card on which no segment can be written ends the recording with its fault; what was durable verifies")
  func hopeless() throws {
    let studio = try Studio(try Reel.plain.get(), segment: .seconds(10))
    studio.run(to: 14_000)
    studio.trigger()
    studio.run(to: 20_000)
    // The directory that new segments are made in is gone, and the open one fails.
    let directory = try studio.recordingDirectory()
    let descriptor = try #require(openDescriptor(of: directory))
    let null = try FileDescriptor.open(path: "/dev/null", flags: O_RDONLY)
    try Failure.sync.strike("\(directory)/0001.mp4.age")
    try #require(dup2(null.rawValue, descriptor) == descriptor)
    studio.run(to: 24_000)
    #expect(studio.closing == .some(.storeFailed))
    let durable = try #require(studio.durableEnds.last?.end)
    #expect(durable > Reel.at(18_500))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verifiedWithGaps, "\(footage.verdict.findings)")
    #expect(footage.verdict.closeReason == .error)
    #expect(footage.verdict.mediaTime.map { $0 >= (durable - Reel.at(4_000)).inMicroseconds - 1_000 } == true)
    // The card takes writes again: it is said so, and the next trigger is honoured.
    func isUsable() -> Bool { studio.reported.contains { if case .store(nil) = $0.event { true } else { false } } }
    #expect(!isUsable())
    studio.run(to: 30_000)
    #expect(isUsable())
    studio.trigger()
    studio.run(to: 34_000)
    studio.stop()
    studio.run(to: 37_000)
    let next = try Footage(studio.agency, scratch: studio.scratch, index: 1)
    #expect(next.verdict.headline == .verified, "\(next.verdict.findings)")
  }

  @Test("a journal that cannot be written ends the recording with its fault, and the footage verifies up to there")
  func journalFails() throws {
    let studio = try Studio(try Reel.plain.get())
    studio.run(to: 14_000)
    studio.trigger()
    studio.run(to: 18_000)
    let directory = try studio.recordingDirectory()
    try Failure.write.strike("\(directory)/journal.log")
    studio.run(to: 22_000)
    #expect(studio.closing == .some(.storeFailed))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verifiedTo)
  }

  @Test("footage that the card's failure kept in memory goes into a recording of its own when the card writes again")
  func goesOn() throws {
    let reel = try Reel.plain.get()
    // What is pinned for the card lies far before the horizon by then.
    let studio = try Studio(reel, preEvent: .seconds(1))
    studio.run(to: 14_000)
    let first = studio.trigger()
    studio.run(to: 18_000)
    try Failure.write.strike("\(try studio.recordingDirectory())/journal.log")
    studio.run(to: 27_000)
    #expect(studio.closing == .some(.storeFailed))
    let durable = try #require(studio.durableEnds.last?.end)
    let back = studio.reported.compactMap { report -> String? in
      switch report.event {
      case .ready(_, let recovery): "ready, \(recovery.interrupted.count) interrupted"
      case .store(let fault): fault == nil ? "usable" : "not usable"
      default: nil
      }
    }
    #expect(back == ["ready, 1 interrupted", "usable"])
    studio.trigger(at: 14_000, from: durable)
    studio.run(to: 32_000)
    studio.stop()
    let end = studio.now
    studio.run(to: 34_000)

    let broken = try Footage(studio.agency, scratch: studio.scratch)
    #expect(broken.verdict.headline == .verifiedTo && broken.verdict.isRecovered, "\(broken.verdict.findings)")
    let next = try Footage(studio.agency, scratch: studio.scratch, index: 1)
    #expect(next.verdict.headline == .verified, "\(next.verdict.findings)")
    #expect(next.verdict.framesLost == 0 && next.verdict.gaps == 0)
    var counters: Set<UInt32> = []
    for run in broken.runs + next.runs {
      let report = SyntheticReport(frames: try next.frames(run), beeps: [])
      #expect(report.isComplete)
      if let first = report.firstCounter, let last = report.lastCounter { counters.formUnion(first...last) }
    }
    let captured = reel.packets(of: .video, from: first.start.time, to: end)
    #expect(counters == Set(captured.map { UInt32($0.position) }))
  }

  @Test("a card that answers flushes too late is said once and written down, and again when it is in time")
  func slow() throws {
    let scratch = try Scratch()
    let agency = try Agency(scratch, storePath: scratch.path("card"))
    let run = try PowerCutRun(
      Reel.plain.get(), agency: agency, scratch: scratch, segment: .seconds(60), reserveBytes: 0, flush: 1...20,
      postEvent: .zero, seed: 1)
    run.run(to: 6_000)
    run.trigger()
    run.run(to: 10_000)
    run.flush = 200...300
    run.run(to: 14_000)
    run.flush = 1...20
    run.run(to: 34_000)
    run.stop()
    run.run(to: 37_000)
    let said = run.studio.reported.compactMap { if case .slowCard(let isSlow) = $0.event { isSlow } else { nil } }
    #expect(said == [true, false])
    let footage = try Footage(agency, scratch: scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    let events = footage.lines("EVT").compactMap { JournalEvent($0) }
    let written = events.compactMap { event -> JournalEvent.StorageCondition? in
      if case .storage(let what, _) = event { what } else { nil }
    }
    #expect(written == [.slow, .recovered])
    // Far too slow for the bound, and still a checkpoint for every second or so: the journal has each one's lag.
    let lags = footage.lines("CKPT").compactMap { $0.encoded(Key.lag).flatMap { Int64($0) } }
    #expect(lags.max().map { $0 > 400 } == true)
  }

  @Test("the reserve that the card runs into ends the recording cleanly: closed, complete, fault store_full", .card)
  func reserve() throws {
    let card = try SmallCard(bytes: 4 << 20)
    let studio = try Studio(
      try Reel.plain.get(), storePath: card.path, segment: .seconds(10), reserveBytes: 1 << 20)
    studio.run(to: 14_000)
    studio.trigger()
    studio.run(to: 70_000)
    #expect(studio.closing == .some(.storeFull))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    #expect(footage.verdict.closeReason == .full)
    for run in footage.runs { #expect(SyntheticReport(frames: try footage.frames(run), beeps: []).isComplete) }
    // Still full: the state goes on saying so.
    let last = studio.reported.last { if case .store(nil) = $0.event { true } else { false } }
    #expect(last == nil)
  }

  @Test("room that is set aside for a segment is not taken from the reserve: a card with room goes on recording", .card)
  func reserveAndAllocation() throws {
    // More than the reserve and one step of allocation, each, but not both.
    let card = try SmallCard(bytes: 20 << 20)
    let studio = try Studio(
      try Reel.plain.get(), storePath: card.path, segment: .seconds(10), reserveBytes: 8 << 20)
    studio.run(to: 14_000)
    studio.trigger()
    studio.run(to: 40_000)
    #expect(studio.closing == nil)
  }

  @Test("a card that is full without a warning ends the recording with its fault; what was durable verifies", .card)
  func full() throws {
    let card = try SmallCard(bytes: 3 << 20)
    let studio = try Studio(try Reel.plain.get(), storePath: card.path, segment: .seconds(8))
    studio.run(to: 14_000)
    studio.trigger()
    studio.run(to: 70_000)
    #expect(studio.closing == .some(.storeFull))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    // Whether there was room for a last line is the file system's business; a segment that had no checkpoint yet is gone.
    switch footage.verdict.headline {
    case .verifiedTo, .verifiedWithGaps: break
    case .verified: #expect(footage.verdict.closeReason == .full)
    default: Issue.record("\(footage.verdict.findings)")
    }
    #expect(footage.lines("ENDSEG").count >= 1)
    let run = try #require(footage.runs.first)
    #expect(SyntheticReport(frames: try footage.frames(run), beeps: []).isComplete)
    let durable = try #require(studio.durableEnds.last?.end)
    #expect(footage.verdict.mediaTime.map { $0 >= (durable - Reel.at(4_000)).inMicroseconds - 1_000 } == true)
  }
}

/// A file system of its own that is soon full. Needs the right to mount.
final class SmallCard {
  let path: String

  static let canMount: Bool = {
    guard let card = try? SmallCard(bytes: 1 << 20) else { return false }
    return !card.path.isEmpty
  }()

  init(bytes: Int) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-card-\(UUID().uuidString)").path
    try #require(mkdir(path, 0o700) == 0)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes),mode=0700") == 0 else {
      let code = errno
      rmdir(path)
      throw LinuxError("mount", path, errno: code)
    }
  }

  deinit {
    umount2(path, 2)  // MNT_DETACH
    rmdir(path)
  }
}

extension Trait where Self == ConditionTrait {
  /// Where mounting is not allowed the test is skipped; with CI=true it then fails.
  static var card: Self {
    .enabled("a small file system of its own needs the right to mount (root)") {
      SmallCard.canMount || ProcessInfo.processInfo.environment["CI"] == "true"
    }
  }
}

/// The descriptor under which this process has a file open.
func openDescriptor(of path: String) -> CInt? {
  for name in (try? fileNames("/proc/self/fd")) ?? [] {
    if let number = CInt(name),
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")) == path
    {
      return number
    }
  }
  return nil
}
