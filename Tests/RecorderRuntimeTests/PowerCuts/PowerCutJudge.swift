import Core
import Evidence
import EvidenceStore
import Foundation
import Media

@testable import RecorderRuntime

/// Lays a disk out as a power cut left it, starts the store on it, and compares what is found with what was promised.
struct PowerCutJudge {
  let run: PowerCutRun
  let directory: String
  private var disks: [DiskTrace.Device: CrashedDisk]
  private(set) var states = 0
  /// Seconds of what was shown as recorded that were lost, one for each state in which it was shown.
  private(set) var losses: [Double] = []
  private(set) var headlines: [String: Int] = [:]

  /// - Parameter directory: made and removed; where the states are laid out.
  init(_ run: PowerCutRun, directory: String) throws {
    self.run = run
    self.directory = directory
    disks = run.disks()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  /// What the replay of all operations makes, against what lies on the disks.
  mutating func replayProblems() throws -> [String] {
    var problems: [String] = []
    let end = PowerCutRun.Cut(operation: run.trace.operations.count, kind: .everything)
    for (device, path) in [(DiskTrace.Device.card, run.agency.storePath), (.flash, run.agency.identityPath)] {
      let real = try CrashedDisk.Tree.paths(below: path)
      let replayed = disks[device]?.tree(end).paths() ?? [:]
      for name in Set(real.keys).union(replayed.keys) where real[name] != replayed[name] {
        problems.append("\(device)/\(name) is not what its operations make")
      }
    }
    return problems
  }

  /// What is wrong with this state; empty: every promise is kept.
  /// - Parameter goesOn: also begin a recording, as the next trigger does.
  mutating func problems(_ cut: PowerCutRun.Cut, goesOn: Bool) throws -> [String] {
    states += 1
    let place = "\(directory)/\(states)"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
    guard let card = disks[.card]?.tree(cut), let flash = disks[.flash]?.tree(cut) else { return ["no disk"] }
    try card.write(to: "\(place)/card")
    try flash.write(to: "\(place)/flash")
    let agency = run.agency.moved(card: "\(place)/card", identity: "\(place)/flash")
    var problems: [String] = []
    do {
      var store = try agency.openStore()
      for (path, bytes) in card.paths() where !path.hasSuffix("lock") {
        if let bytes, try fileBytes("\(place)/card/\(path)") != bytes { problems.append("recovery changed \(path)") }
      }
      if goesOn {
        let writer = try store.openRecording()
        if run.recordings.contains(where: { $0.counter == writer.counter && $0.opened <= cut.operation }) {
          problems.append("counter \(writer.counter) is given twice")
        }
      }
    } catch {
      problems.append("the store does not open: \(error)")
    }
    if goesOn { _ = try agency.openStore() }
    problems += try judge(agency, cut)
    if problems.isEmpty { try FileManager.default.removeItem(atPath: place) }
    return problems
  }

  private mutating func judge(_ agency: Agency, _ cut: PowerCutRun.Cut) throws -> [String] {
    var problems: [String] = []
    let names = try fileNames("\(agency.storePath)/recordings")
    let log = try DeviceLog(files: DirectoryFiles("\(agency.storePath)/device/log"), device: agency.trust.device)
    for finding in log.findings { problems.append("device log: \(finding)") }
    var verdicts: [Int64: Verdict] = [:]
    for name in names {
      let verdict = try RecordingVerifier(
        directoryName: name, trust: agency.trust, deviceLog: log, presentRecordings: names
      ).verify(DirectoryFiles("\(agency.storePath)/recordings/\(name)"))
      headlines[verdict.headline.word, default: 0] += 1
      switch verdict.headline {
      case .verified, .verifiedTo, .verifiedWithGaps: break
      default: problems.append("\(name): \(verdict.headline), \(verdict.findings)")
      }
      if let counter = Int64(name.prefix(10)) { verdicts[counter] = verdict }
    }
    for recording in run.recordings where recording.opened <= cut.operation {
      guard let verdict = verdicts[recording.counter] else {
        problems.append("recording \(recording.counter) was opened and is not there")
        continue
      }
      if let closed = recording.closed, closed.operations <= cut.operation, closed.fault != .storeFailed,
        verdict.end != .closed
      {
        problems.append("recording \(recording.counter) was closed and is \(verdict.headline), \(verdict.findings)")
      }
      let attested = recording.start + .microseconds(verdict.mediaTime ?? 0)
      if let confirmed = recording.durable.last(where: { $0.operations <= cut.operation }),
        attested + .milliseconds(1) < confirmed.end
      {
        problems.append("\(confirmed.end - attested) of recording \(recording.counter) were confirmed and are lost")
      }
    }
    if let open = run.recordings.last(where: { $0.opened <= cut.operation }),
      open.closed.map({ $0.operations > cut.operation }) ?? true, run.showsRecording(at: cut)
    {
      let attested = open.start + .microseconds(verdicts[open.counter]?.mediaTime ?? 0)
      losses.append(max(0, (run.time(of: cut) - attested).inSeconds))
    }
    return problems
  }
}
