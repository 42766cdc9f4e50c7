public import Evidence
import Glibc
import LinuxIO

/// What enrolment puts on the camera, and how it is read back at each start.
///
/// ```
/// IDENTITY/device.key      the device key's seed: the camera's signature; never on the evidence card
/// IDENTITY/hedge.key       hedges the kernel's randomness
/// IDENTITY/root.key        the agency's public root key, pinned
/// IDENTITY/versions        the highest note versions seen: an older note is refused
/// IDENTITY/request.note    what the agency signs
/// STORE/device/{roles,recipients,enrol}.note
/// ```
public enum CameraIdentity {
  private static let noteLimit = 64 << 10

  /// Makes the device key and takes the agency's public notes. Returns the device's identity.
  ///
  /// - Parameters:
  ///   - agencyPath: the agency's `public` directory: root.key, roles.note, recipients.note.
  ///   - keyPlace: where `identityPath` lies; stated in the request and so in every verification.
  /// - Throws: `.identity` when the camera is enrolled already, or a note is not signed as it must be.
  public static func enroll(
    agencyPath: String, identityPath: String, storePath: String, keyPlace: EnrolNote.KeyPlace, wallMilliseconds: Int64
  ) throws(StoreError) -> DeviceIdentity {
    let (root, roles, recipients) = try onCard(.identity) { () throws(LinuxError) in
      (
        try readSmallFile(path: "\(agencyPath)/root.key", limit: noteLimit),
        try readSmallFile(path: "\(agencyPath)/\(EvidenceName.roles)", limit: noteLimit),
        try readSmallFile(path: "\(agencyPath)/\(EvidenceName.recipients)", limit: noteLimit)
      )
    }
    // Everything is checked before anything is written.
    _ = try notes(root: root, roles: roles, recipients: recipients)
    guard access("\(identityPath)/device.key", F_OK) != 0 else {
      throw StoreError(
        .identity,
        "this camera has a device key already (\(identityPath)/device.key). A new one would make its earlier recordings "
          + "foreign: move the directory away first if that is what you want.")
    }
    let (seed, hedge) = try onCard(.identity) { () throws(LinuxError) in
      (try Randomness.bytes(32), try Randomness.bytes(32))
    }
    let identity = try sealing(.identity) { () throws(EvidenceError) in try DeviceSigner(seed: seed).identity }
    let request = try sealing(.identity) { () throws(EvidenceError) in
      try EnrolRequest.make(issued: wallMilliseconds, keyPlace: keyPlace, seed: seed)
    }
    try onCard(.identity) { () throws(LinuxError) in
      try Directory.make(path: identityPath, mode: 0o700, allowingExisting: true)
    }
    try InternalStore.create(directory: identityPath)
    try onCard(.identity) { () throws(LinuxError) in
      for directory in [storePath, "\(storePath)/device"] {
        try Directory.make(path: directory, mode: 0o750, allowingExisting: true)
      }
      try writeFileDurably(path: "\(storePath)/device/\(EvidenceName.roles)", bytes: roles.span.bytes, mode: 0o644)
      try writeFileDurably(
        path: "\(storePath)/device/\(EvidenceName.recipients)", bytes: recipients.span.bytes, mode: 0o644)
      try writeFileDurably(path: "\(identityPath)/root.key", bytes: root.span.bytes, mode: 0o644)
      try writeFileDurably(path: "\(identityPath)/request.note", bytes: request.span.bytes, mode: 0o644)
      let hedgeText = Array("\(Base64.encode(hedge, .url))\n".utf8)
      try writeFileDurably(path: "\(identityPath)/hedge.key", bytes: hedgeText.span.bytes, mode: 0o600)
      // Last: with it the camera is enrolled.
      let seedText = Array("\(Base64.encode(seed, .url))\n".utf8)
      try writeFileDurably(path: "\(identityPath)/device.key", bytes: seedText.span.bytes, mode: 0o600)
    }
    return identity
  }

  /// Puts the agency's signed enrolment on the store, where a dock finds it.
  public static func install(
    enrolmentPath: String, identityPath: String, storePath: String
  ) throws(StoreError) -> DeviceIdentity {
    let note = try onCard(.identity) { () throws(LinuxError) in try readSmallFile(path: enrolmentPath, limit: noteLimit)
    }
    let loaded = try load(identityPath: identityPath, storePath: storePath)
    let (root, roles) = try onCard(.identity) { () throws(LinuxError) in
      (
        try readSmallFile(path: "\(identityPath)/root.key", limit: noteLimit),
        try readSmallFile(path: "\(storePath)/device/\(EvidenceName.roles)", limit: noteLimit)
      )
    }
    let enrolled = try sealing(.identity) { () throws(EvidenceError) in
      try EnrolNote(parsing: note, roles: RolesNote(parsing: roles, root: verifierKey(root)))
    }
    guard enrolled.device == loaded.device.identity else {
      throw StoreError(
        .identity, "\(enrolmentPath) enrols device \(enrolled.device.id); this camera is \(loaded.device.identity.id).")
    }
    try onCard(.identity) { () throws(LinuxError) in
      try writeFileDurably(path: "\(storePath)/device/\(EvidenceName.enrolment)", bytes: note.span.bytes, mode: 0o644)
    }
    return enrolled.device
  }

  /// Reads keys and notes at a start and checks them against the pinned root and the highest versions seen. Any doubt
  /// stops the start: nothing is ever recorded in the clear, or to keys that the agency did not name.
  public static func load(identityPath: String, storePath: String) throws(StoreError) -> RecordingParties {
    guard access("\(identityPath)/device.key", F_OK) == 0 else {
      throw StoreError(
        .identity,
        "this camera is not enrolled: there is no readable \(identityPath)/device.key. Run `lapel enroll --agency DIR`, "
          + "where DIR is the public directory that `lapel-dock keygen` made; or `lapel demo` to see it work.")
    }
    do throws(LinuxError) { _ = try Directory(path: storePath) } catch {
      // Of a store that is missing the missing note tells, below.
      if error.errno == ENOTDIR {
        throw StoreError(.store, "\(storePath) is no directory: set store.path to one on the evidence card.")
      }
    }
    let files = try onCard(.identity) { () throws(LinuxError) in
      (
        seed: try readSmallFile(path: "\(identityPath)/device.key", limit: noteLimit),
        hedge: try readSmallFile(path: "\(identityPath)/hedge.key", limit: noteLimit),
        root: try readSmallFile(path: "\(identityPath)/root.key", limit: noteLimit),
        roles: try readSmallFile(path: "\(storePath)/device/\(EvidenceName.roles)", limit: noteLimit),
        recipients: try readSmallFile(path: "\(storePath)/device/\(EvidenceName.recipients)", limit: noteLimit)
      )
    }
    let (roles, recipients) = try notes(root: files.root, roles: files.roles, recipients: files.recipients)
    try remember(roles: roles.version, recipients: recipients.version, identityPath: identityPath)
    guard let seed = Base64.decode(line(files.seed).utf8, .url),
      let hedge = Base64.decode(line(files.hedge).utf8, .url),
      seed.count == 32, hedge.count == 32
    else {
      throw StoreError(.identity, "the device key in \(identityPath) is damaged. Enrol the camera again.")
    }
    let device = try sealing(.identity) { () throws(EvidenceError) in try DeviceSigner(seed: seed) }
    return RecordingParties(
      device: device, hedgeSecret: hedge, recipients: recipients.recipients, recipientsNote: recipients.reference,
      rolesNote: roles.reference, isDemo: roles.isDemo || recipients.isDemo)
  }

  private static func notes(
    root: [UInt8], roles: [UInt8], recipients: [UInt8]
  ) throws(StoreError) -> (RolesNote, RecipientsNote) {
    try sealing(.identity) { () throws(EvidenceError) in
      let roles = try RolesNote(parsing: roles, root: verifierKey(root))
      return (roles, try RecipientsNote(parsing: recipients, roles: roles))
    }
  }

  /// The first line that is no comment.
  private static func verifierKey(_ bytes: [UInt8]) throws(EvidenceError) -> VerifierKey {
    try VerifierKey(line(bytes))
  }

  private static func line(_ bytes: [UInt8]) -> String {
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
      return String(line)
    }
    return ""
  }

  /// Refuses notes older than the newest ever seen, and remembers newer ones off the card.
  private static func remember(roles: Int64, recipients: Int64, identityPath: String) throws(StoreError) {
    let path = "\(identityPath)/versions"
    var seen: [Int64] = [0, 0]
    if access(path, F_OK) == 0 {
      let bytes = try onCard(.identity) { () throws(LinuxError) in try readSmallFile(path: path, limit: 256) }
      let words = line(bytes).split(separator: " ").compactMap { Int64($0) }
      guard words.count == 2 else {
        throw StoreError(.identity, "\(path) is damaged; it names the newest notes seen. Enrol the camera again.")
      }
      seen = words
    }
    guard roles >= seen[0], recipients >= seen[1] else {
      throw StoreError(
        .identity,
        "the notes on the card are older than ones this camera has seen (roles \(roles) < \(seen[0]) or recipients "
          + "\(recipients) < \(seen[1])). Put the current notes back; old ones could name keys that were withdrawn.")
    }
    guard roles > seen[0] || recipients > seen[1] else { return }
    let text = Array("\(roles) \(recipients)\n".utf8)
    try onCard(.identity) { () throws(LinuxError) in try writeFileDurably(path: path, bytes: text.span.bytes) }
  }
}
