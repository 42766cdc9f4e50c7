import Evidence
import EvidenceStore
import Foundation
import Glibc
import Media
import Testing

@testable import RecorderRuntime

/// The power goes at every point of what the store does to its disks, and every answer that a disk may then give is tried:
/// recovery and verification must keep each promise on each of them.
///
/// `Tests/Campaigns/crash-states.sh` runs it whole; `swift test` runs a part, by the same seed every time.
@Suite("Power cuts at every operation", .serialized)
struct PowerCutTests {
  enum Scenario: String, CaseIterable, Sendable {
    /// Four segments, and an end.
    case rotation
    /// A second recording right after the first.
    case again
    /// A trigger in the post-event time.
    case retrigger
    /// The reserve is reached; then there is no room at all.
    case full
    case fullWithoutWarning
    /// A sync fails: the segment is abandoned and written again.
    case failedSync
    /// The journal fails: the store is opened again, and the recording goes on.
    case failedJournal
    /// A start on what a power cut has left.
    case restart
  }

  /// Each of two flushes of a checkpoint takes up to what the promise allows.
  static let flush: ClosedRange<Int64> = 5...150
  static let seed = UInt64(environment("LAPEL_CUT_SEED") ?? 1)

  private static func environment(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  @Test(
    "every promise is kept wherever the power goes, and of what is shown as recorded at most a second is lost", .card,
    arguments: Scenario.allCases)
  func everywhere(_ scenario: Scenario) throws {
    let directory = "/dev/shm/lapel-power-cuts-\(getpid())-\(scenario.rawValue)"
    defer { if rmdir(directory) != 0 { print("power cuts: states that failed are kept in \(directory)") } }
    let (run, card) = try Self.record(scenario)
    defer { withExtendedLifetime(card) {} }
    var judge = try PowerCutJudge(run, directory: directory)
    #expect(try judge.replayProblems() == [], "an operation escaped the trace")
    #expect(!run.recordings.isEmpty)

    var cuts = run.cuts(subsets: 12, seed: Self.seed)
    let all = cuts.count
    // A part, spread over the whole run: each kind of cut at each kind of operation is among them.
    let wanted = Self.environment("LAPEL_CUT_STATES") ?? 48
    if wanted < cuts.count {
      var random = SeededRandom(seed: Self.seed)
      cuts = cuts.shuffled(using: &random).prefix(wanted).sorted { $0.operation < $1.operation }
    }
    var failed = 0
    for (index, cut) in cuts.enumerated() {
      let problems = try judge.problems(cut, goesOn: index % 8 == 0)
      guard !problems.isEmpty else { continue }
      failed += 1
      let operation = run.trace.operations.dropFirst(cut.operation).first
      let place = operation.map { "\($0.path) \(Self.word($0.change))" } ?? "none"
      Issue.record(
        """
        \(scenario), seed \(Self.seed), cut before operation \(cut.operation) (\(place)), \(cut.kind): \
        \(problems.joined(separator: "; "))
        """)
      if failed >= 5 { break }
    }
    let worst = judge.losses.max() ?? 0
    print(Self.report(scenario, judge, of: all))
    #expect(worst <= 1.0, "\(worst) s of what was shown as recorded were lost")
    #expect(!judge.losses.isEmpty)
  }

  // MARK: - The runs

  private static func record(_ scenario: Scenario) throws -> (run: PowerCutRun, card: SmallCard?) {
    let scratch = try Scratch()
    var card: SmallCard?
    switch scenario {
    case .full: card = try SmallCard(bytes: 3 << 20)
    case .fullWithoutWarning: card = try SmallCard(bytes: 2 << 20)
    default: break
    }
    let agency = try Agency(scratch, storePath: card.map { "\($0.path)/card" } ?? scratch.path("card"))
    func begin(_ agency: Agency, seed: UInt64 = Self.seed) throws -> PowerCutRun {
      try PowerCutRun(
        Reel.plain.get(), agency: agency, scratch: scratch, segment: .seconds(4),
        reserveBytes: scenario == .full ? 1 << 20 : 0, flush: flush,
        postEvent: scenario == .retrigger ? .seconds(3) : .zero, seed: seed)
    }
    let run = try begin(agency)
    run.run(to: 6_000)
    run.trigger()
    switch scenario {
    case .rotation:
      run.run(to: 15_000)
      run.stop()
      run.run(to: 18_000)
    case .again:
      run.run(to: 9_000)
      run.stop()
      run.run(to: 10_500)
      run.trigger()
      run.run(to: 13_000)
      run.stop()
      run.run(to: 16_000)
    case .retrigger:
      run.run(to: 9_000)
      run.stop()
      run.run(to: 10_300)
      run.triggerAgain()
      run.run(to: 13_000)
      run.stop()
      run.run(to: 19_000)
    case .full, .fullWithoutWarning:
      run.run(to: 40_000)
    case .failedSync:
      run.run(to: 10_200)
      // The one that is open: where segments meet depends on the flushes before.
      let directory = try run.studio.recordingDirectory()
      let segment = try #require(try fileNames(directory).filter { $0.hasSuffix(".age") }.max())
      try CardFailureTests.Failure.sync.strike("\(directory)/\(segment)")
      run.run(to: 14_000)
      run.stop()
      run.run(to: 17_000)
    case .failedJournal:
      run.run(to: 10_200)
      try CardFailureTests.Failure.write.strike("\(run.studio.recordingDirectory())/journal.log")
      run.run(to: 18_000)
      run.trigger()
      run.run(to: 21_000)
      run.stop()
      run.run(to: 24_000)
    case .restart:
      run.run(to: 11_100)
      // The power goes in the middle of a checkpoint, with some of what was in flight on the disks.
      let cut = PowerCutRun.Cut(operation: run.trace.operations.count - 2, kind: .subset(Self.seed))
      var disks = run.disks()
      try disks[.card]?.tree(cut).write(to: scratch.path("card-2"))
      try disks[.flash]?.tree(cut).write(to: scratch.path("flash-2"))
      let next = try begin(
        agency.moved(card: scratch.path("card-2"), identity: scratch.path("flash-2")), seed: Self.seed + 1)
      next.run(to: 6_000)
      next.trigger()
      next.run(to: 10_000)
      next.stop()
      next.run(to: 12_000)
      return (next, nil)
    }
    return (run, card)
  }

  private static func word(_ change: DiskTrace.Change) -> String {
    switch change {
    case .create: "create"
    case .makeDirectory: "mkdir"
    case .unlink: "unlink"
    case .removeDirectory: "rmdir"
    case .write(let offset, let bytes): "write \(bytes.count) at \(offset)"
    case .truncate(let length): "truncate to \(length)"
    case .rename(let target): "rename to \(target)"
    case .sync: "sync"
    case .syncFileSystem: "syncfs"
    }
  }

  private static func report(_ scenario: Scenario, _ judge: PowerCutJudge, of all: Int) -> String {
    var lines = [
      "power cuts, \(scenario.rawValue): \(judge.states) states of \(all) after \(judge.run.trace.operations.count) operations; "
        + judge.headlines.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }.joined(separator: ", "),
      "power cuts, \(scenario.rawValue): seconds lost of what was shown as recorded, \(judge.losses.count) states, worst "
        + String(format: "%.3f s", judge.losses.max() ?? 0),
    ]
    let bins = Dictionary(grouping: judge.losses) { Int($0 * 10) }.mapValues(\.count)
    let most = bins.values.max() ?? 1
    for step in 0...(bins.keys.max() ?? 0) {
      let count = bins[step] ?? 0
      lines.append(
        "power cuts, \(scenario.rawValue):   "
          + String(format: "%.1f-%.1f s %5d ", Double(step) / 10, Double(step + 1) / 10, count)
          + String(repeating: "#", count: count * 40 / most))
    }
    return lines.joined(separator: "\n")
  }
}
