import Evidence
import Glibc
import LinuxIO

/// The files that `keygen` makes, and how they are read.
///
///     DIR/public/root.key          the agency's pinned public key: cameras and verifiers trust only what follows from it
///     DIR/public/roles.note        which keys may do what; signed by the root
///     DIR/public/recipients.note   whom footage is encrypted to
///     DIR/public/enrolled/<device id>.note
///     DIR/public/revoked/*.note        devices that are not to be believed any more
///     DIR/secret/{root,enrol,receipt}.key   signing keys
///     DIR/secret/identity.txt      opens footage; as `age-keygen` writes it
enum AgencyDirectory {
  static let rootKey = "root.key"
  static let enrolKey = "enrol.key"
  static let receiptKey = "receipt.key"
  static let identity = "identity.txt"
  static let enrolled = "enrolled"
  static let revoked = "revoked"

  /// What a verifier knows of the agency, from its `public` directory.
  struct Public {
    let path: String
    let root: VerifierKey
    let roles: [UInt8]
    let recipients: [UInt8]?

    init(path: String) throws {
      var path = path
      // `DIR` is as good as `DIR/public`.
      if case .otherDirectory = PathKind(path), access("\(path)/public/\(rootKey)", F_OK) == 0 { path += "/public" }
      let files = try EvidenceDirectory(path: path)
      guard let key = try files.small(rootKey), let roles = try files.small(EvidenceName.roles) else {
        throw DockFailure(
          "\(path) holds no \(rootKey) and \(EvidenceName.roles); give the `public` directory that lapel-dock keygen made"
        )
      }
      self.path = path
      root = try VerifierKey(firstLine(key, of: "\(path)/\(rootKey)"))
      self.roles = roles
      recipients = try files.small(EvidenceName.recipients)
      _ = try RolesNote(parsing: roles, root: root)
    }

    /// - Parameters:
    ///   - device: of whom trust is asked.
    ///   - enrolment: an enrol.note found beside the evidence, if there is one; it counts only when the agency signed it.
    /// - Returns: nil when the agency has not enrolled it.
    func trust(in device: EvidenceID, enrolment: [UInt8]?) throws -> DeviceTrust? {
      var note = enrolment
      let directory = "\(path)/\(AgencyDirectory.enrolled)"
      if access(directory, F_OK) == 0 {
        note = try EvidenceDirectory(path: directory).small("\(device).note") ?? note
      }
      guard let note else { return nil }
      let trust = try DeviceTrust(
        root: root, roles: roles, enrolment: note, recipients: recipients, revocations: revocations())
      return trust.device.id == device ? trust : nil
    }

    /// Every note in `revoked`. One that cannot be read or believed stops the command: it may be the one that counts.
    private func revocations() throws -> [[UInt8]] {
      let directory = "\(path)/\(AgencyDirectory.revoked)"
      guard access(directory, F_OK) == 0 else { return [] }
      let files = try EvidenceDirectory(path: directory)
      return try files.names().filter { $0.hasSuffix(EvidenceName.noteSuffix) }.sorted().compactMap {
        try files.small($0)
      }
    }
  }

  /// The first line that is no comment, without spaces around it.
  static func firstLine(_ bytes: [UInt8], of path: String) throws -> String {
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let text = line.drop { $0 == " " }
      if !text.isEmpty, !text.hasPrefix("#") { return String(text) }
    }
    throw DockFailure("\(path) is empty")
  }
}

/// A secret signing key as a line: `PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 ‖ seed>`, the spelling of Go's sumdb/note.
enum SecretKeyText {
  private static let prefix = "PRIVATE+KEY+"

  static func make(name: String, seed: [UInt8]) throws -> String {
    let signer = try NoteSigner(name: name, seed: seed)
    let words = signer.key.description.split(separator: "+", maxSplits: 2)
    return "\(prefix)\(words[0])+\(words[1])+\(Base64.encode([1] + seed, .padded))"
  }

  /// The key that a file of `secret` holds.
  static func signer(ofFile path: String) throws -> NoteSigner {
    try signer(AgencyDirectory.firstLine(readSmallFile(path: path, limit: 4_096), of: path), path: path)
  }

  static func signer(_ text: String, path: String) throws -> NoteSigner {
    let words = text.dropFirst(prefix.count).split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard text.hasPrefix(prefix), words.count == 3, let bytes = Base64.decode(words[2].utf8, .padded),
      bytes.count == 33,
      bytes[0] == 1
    else { throw DockFailure("\(path) is no signing key of lapel-dock keygen (\(prefix)…)") }
    let signer = try NoteSigner(name: String(words[0]), seed: Array(bytes.dropFirst()))
    guard signer.key.description.hasPrefix("\(words[0])+\(words[1])+") else {
      throw DockFailure("\(path) is damaged: its key id does not fit; restore it from your safe copy")
    }
    return signer
  }
}
