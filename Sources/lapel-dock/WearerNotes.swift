import Evidence
import LinuxIO
import Opening

/// Opens recordings for what the wearer did in them, and keeps nothing else of the footage.
///
/// Each is verified and opened as `lapel-dock open` does: only what the camera committed to is told.
struct WearerNotes {
  private struct Nowhere: FootageOutput {
    mutating func begin(_ file: FootageFile) {}
    mutating func append(_ bytes: RawSpan) {}
    mutating func truncate(to length: Int64) {}
  }

  let identities: [AgeIdentity]
  let trust: Trust
  let store: Store
  /// The worst so far, as of `open`.
  private(set) var exitCode: Int32 = 0
  private(set) var openedCount = 0
  /// Recordings that the identity does not fit.
  private(set) var strangeCount = 0

  init(identities: [AgeIdentity], trust: Trust, store: Store) {
    self.identities = identities
    self.trust = trust
    self.store = store
  }

  /// - Parameter name: of the recording's directory.
  /// - Returns: what the wearer did, in the order of the footage; and what could not be opened or proved, in words.
  mutating func open(_ name: String) -> (notes: [FootageNote], sealed: [String]) {
    do {
      return try notes(RecordingOnDisk(path: "\(store.path)/recordings/\(name)", trust: trust, store: store), name)
    } catch let error as OpeningError where error.code == .noIdentityMatches {
      strangeCount += 1
      exitCode = max(exitCode, 40)
      return ([], ["the identity fits none of the segments: they were sealed for other recipients"])
    } catch {
      exitCode = max(exitCode, 40)
      return ([], ["\(error)"])
    }
  }

  private mutating func notes(
    _ disk: RecordingOnDisk, _ name: String
  ) throws -> (notes: [FootageNote], sealed: [String]) {
    var progress = ProgressLine("opening \(name)")
    var (verdict, attested) = try disk.verify { progress.update($0 / 2) }
    guard let opening = verdict.opening else {
      exitCode = max(exitCode, verdict.headline.exitCode, 40)
      return ([], [verdict.sentence])
    }
    let plan = try RecordingPlan(recording: opening.id, attested: attested)
    var output = Nowhere()
    let opened = try RecordingOpener(plan: plan, identities: identities)
      .open(disk.files, into: &output) { progress.update(0.5 + $0 / 2) }
    for finding in Open.findings(opened, plan) { verdict.add(finding) }
    openedCount += 1
    exitCode = max(exitCode, Open.exitCode(verdict, opened))
    var sealed = opened.problems.map(\.text)
    if verdict.headline.exitCode >= 20 { sealed.insert(verdict.sentence, at: 0) }
    return (
      opened.summary.markers.map { FootageNote(seconds: $0.time, value: $0.value, message: $0.message) }, sealed
    )
  }
}
