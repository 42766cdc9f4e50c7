public import Evidence
import Glibc
import LinuxIO

/// The evidence card as it is read beside a running recorder: no lock is taken, nothing is written, no secret is read.
public struct StoredEvidence {
  /// This camera.
  public let device: DeviceIdentity
  public let logFiles: CardDirectory
  public let recordings: RecordingsOnCard
  /// The newest line of the device log that the camera's own memory knows to be durable; nil when that cannot be read.
  private let remembered: ChainHead?

  private static let noteLimit = 64 << 10

  /// - Throws: `.identity` when the camera is not enrolled; `.store` when the card holds no log.
  public init(storePath: String, identityPath: String) throws(StoreError) {
    let request = "\(identityPath)/request.note"
    guard access(request, R_OK) == 0 else {
      throw StoreError(
        .identity,
        "whose log it is is not known: there is no readable \(request). Run this as the user that runs the recorder, or "
          + "enrol the camera with `lapel enroll --agency DIR`.")
    }
    let bytes = try onCard(.identity) { () throws(LinuxError) in
      try readSmallFile(path: request, limit: Self.noteLimit)
    }
    device = try sealing(.identity) { () throws(EvidenceError) in try EnrolRequest(parsing: bytes).device }
    let logPath = "\(storePath)/device/log"
    guard access(logPath, F_OK) == 0 else {
      throw StoreError(.store, "there is no log in \(logPath): the recorder has not run with this card yet.")
    }
    logFiles = CardDirectory(try onCard(.store) { () throws(LinuxError) in try Directory(path: logPath) })
    recordings = RecordingsOnCard(path: "\(storePath)/recordings")
    remembered = Self.remembered(identityPath)
  }

  private static func remembered(_ identityPath: String) -> ChainHead? {
    do throws(StoreError) { return try InternalStore(directory: identityPath).record.memory.log } catch { return nil }
  }

  /// Reads the log and checks its chain and signatures. Lines before the one that the camera remembers are vouched for by its
  /// hash alone when that is in the log.
  /// - Throws: `.store` when a file cannot be read, or the log is another camera's.
  public func deviceLog() throws(StoreError) -> DeviceLog {
    let log: DeviceLog
    let other: EvidenceID?
    do throws(ReadFailure) {
      log = try DeviceLog(files: logFiles, device: device, trusting: remembered)
      // With a line that this camera signed it is this camera's, whatever was done to it.
      let isOwn = log.findings.contains { $0.answer == .integrity(.altered) }
      other = isOwn ? nil : try log.otherOwner(logFiles)
    } catch {
      throw StoreError(.store, error.description)
    }
    if let other {
      throw StoreError(.store, "the log on the card is of device \(other); this camera is \(device.id).")
    }
    return log
  }
}
