public import Evidence
import Glibc
import LinuxIO

/// A receipt that was compared with every byte of its recording. Made on any thread but the store's: a long recording takes
/// minutes to read, and the store's thread is to write.
public struct CheckedReceipt: Sendable {
  public let receipt: Receipt
  /// The recording's directory, below STORE/recordings.
  let name: String
  /// Its files as they were before they were read.
  let files: [String: FileStatus]

  /// - Parameters:
  ///   - bytes: the dock's receipt.note.
  ///   - roles: the roles.note in force.
  ///   - device: this camera.
  ///   - storePath: the store's directory.
  public init(
    _ bytes: [UInt8], roles: RolesNote, device: DeviceIdentity, storePath: String
  ) throws(DeletionFailure) {
    let receipt: Receipt
    do throws(ReceiptRefusal) {
      receipt = try Receipt(parsing: bytes, roles: roles)
      // Before anything is looked for under its names.
      guard receipt.device == device.id else { throw .otherCamera(receipt.device) }
    } catch {
      throw .refused(error)
    }
    let name = EvidenceName.recording(counter: receipt.counter, id: receipt.id)
    let files: [String: FileStatus]
    let stored: StoredRecording
    do {
      let directory: Directory
      do throws(LinuxError) {
        directory = try Directory(path: "\(storePath)/recordings").directory(name)
      } catch {
        guard error.errno == ENOENT else { throw ReadFailure(file: name, reason: error.description) }
        throw ReceiptRefusal.gone(name)
      }
      do throws(LinuxError) { files = try Self.statuses(directory) } catch {
        throw ReadFailure(file: name, reason: error.description)
      }
      stored = try StoredRecording(
        CardDirectory(directory), id: receipt.id, counter: receipt.counter, device: device)
      try receipt.requirePermission(toDelete: stored, of: device.id)
    } catch let refusal as ReceiptRefusal {
      throw .refused(refusal)
    } catch let failure as ReadFailure {
      throw .unreadable(failure)
    } catch {
      throw .unreadable(ReadFailure(file: name, reason: "\(error)"))
    }
    self.receipt = receipt
    self.name = name
    self.files = files
  }

  /// - Throws: `.changed` when a file is another one than when it was read, `.notCopied` for a new one, `.gone` for none.
  func requireUnchanged(_ directory: borrowing Directory) throws(DeletionFailure) {
    let now: [String: FileStatus]
    do throws(LinuxError) { now = try Self.statuses(directory) } catch {
      throw .unreadable(ReadFailure(file: name, reason: error.description))
    }
    for (file, status) in now.sorted(by: { $0.key < $1.key }) {
      guard let before = files[file] else { throw .refused(.notCopied(file)) }
      guard
        (before.inode, before.size, before.modifiedMilliseconds, before.kind)
          == (status.inode, status.size, status.modifiedMilliseconds, status.kind)
      else { throw .refused(.changed(file)) }
    }
    if let missing = files.keys.sorted().first(where: { now[$0] == nil }) { throw .refused(.gone(missing)) }
  }

  private static func statuses(_ directory: borrowing Directory) throws(LinuxError) -> [String: FileStatus] {
    var result: [String: FileStatus] = [:]
    for name in try directory.names() { result[name] = try directory.status(of: name) }
    return result
  }
}
