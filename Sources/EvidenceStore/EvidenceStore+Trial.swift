public import Evidence
import Glibc
import LinuxIO

/// A trial: a recording that is made to see that everything works, verified and removed. It lies beside the recordings, has a
/// number that no recording ever gets, and no log names it.
extension EvidenceStore {
  /// OPEN of every trial says this, so that nothing that was copied from the card meanwhile can stand for a recording.
  public static let trialCounter = Int64.max
  private static let trialDirectory = "trial"

  /// Opens one as a recording is opened. Durable, with five flushes.
  public mutating func openTrial(keepsFree: Int64) throws(StoreError) -> RecordingWriter {
    guard lock != nil else { throw StoreError(.store, "the store at \(path) is not open since the card failed") }
    // What a recording needs beside the card: the camera's log, and its own memory.
    try log.requireUsable()
    try counters.update { _ in }
    let source: HedgedRandomness.Source = { try Randomness.fill($0) }
    let counter = Self.trialCounter
    var naming = HedgedRandomness(source: source, deviceSecret: parties.hedgeSecret, id: nil, counter: counter)
    let id = try sealing(.seal) { () throws(EvidenceError) in try EvidenceID.random(from: &naming) }
    let trials = try onCard(.store) { () throws(LinuxError) in
      let device = try Directory(path: "\(path)/device")
      try device.make(Self.trialDirectory, mode: 0o750, allowingExisting: true)
      return try device.directory(Self.trialDirectory)
    }
    return try RecordingWriter(
      id: id, counter: counter, recordings: trials, parties: parties, open: openFacts(counter: counter, start: nil),
      randomness: HedgedRandomness(source: source, deviceSecret: parties.hedgeSecret, id: id, counter: counter),
      sealingMemory: sealingMemory, keepsFree: keepsFree)
  }

  /// What anybody with the camera's public key can say of it: every byte is read back. No secret has a part in it.
  public func verifyTrial(_ id: EvidenceID) throws(StoreError) -> Verdict {
    let name = EvidenceName.recording(counter: Self.trialCounter, id: id)
    let files = try onCard(.store) { () throws(LinuxError) in
      let directory = try Directory(path: "\(path)/device/\(Self.trialDirectory)/\(name)")
      // The card is asked, and not the kernel's memory of what was given to it.
      for file in try directory.names() { try directory.open(file, flags: O_RDONLY | O_NOFOLLOW).dropCache() }
      return CardDirectory(directory)
    }
    let trust = DeviceTrust(device: parties.device.identity, keyPlace: .internal)
    do throws(ReadFailure) {
      return try RecordingVerifier(directoryName: name, trust: trust).verify(files)
    } catch {
      throw StoreError(.store, "what was just written cannot be read back: \(error)")
    }
  }

  /// Removes every trial that there is, also one that a power cut left. What cannot be removed stands in no one's way.
  public func removeTrials() throws(StoreError) {
    try onCard(.store) { () throws(LinuxError) in
      let device = try Directory(path: "\(path)/device")
      guard try device.names().contains(Self.trialDirectory) else { return }
      let trials = try device.directory(Self.trialDirectory)
      for name in try trials.names() where try trials.status(of: name)?.kind == .directory {
        let trial = try trials.directory(name)
        for file in try trial.names() { try trial.unlink(file) }
        try trials.remove(directory: name)
      }
      try device.remove(directory: Self.trialDirectory)
    }
  }
}
