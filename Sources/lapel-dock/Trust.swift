import ArgumentParser
import Evidence
import LinuxIO

/// Whom to believe: what `verify` and `open` are told of the camera from outside the recording.
struct TrustOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The agency's `public` directory, as keygen made it.", valueName: "dir/public"))
  var agency: String?

  @Option(
    help: ArgumentHelp(
      "Instead of an agency: the camera's own public key (base64, as enroll prints it, or a file with it).",
      valueName: "key"))
  var deviceKey: String?

  @Option(help: ArgumentHelp("The camera's log directory (STORE/device/log), to check completeness.", valueName: "dir"))
  var deviceLog: String?

  @Option(
    help: ArgumentHelp(
      "What docks keep: receipts (*.note) and anchors (*.anchor). They explain deletions and bound what a card can hide.",
      valueName: "dir"))
  var receipts: String?

  func validate() throws {
    if agency != nil, deviceKey != nil {
      throw ValidationError("give --agency or --device-key, not both")
    }
  }

  /// Reads what was named, once.
  func load() throws -> Trust {
    if let agency { return .agency(try AgencyDirectory.Public(path: agency)) }
    guard let deviceKey else { return .nobody }
    var text = deviceKey
    if case .file = PathKind(deviceKey) {
      text = try AgencyDirectory.firstLine(readSmallFile(path: deviceKey, limit: 4_096), of: deviceKey)
    }
    if text.contains("+"), let key = try? VerifierKey(text) {
      return .key(DeviceIdentity(publicKey: key.publicKey))
    }
    guard let bytes = Base64.decode(text.utf8, .url) ?? Base64.decode(text.utf8, .padded) else {
      throw DockFailure("\"\(text.prefix(80))\" is neither a device key in base64 nor a file with one")
    }
    return .key(try DeviceIdentity(publicKeyBytes: bytes))
  }
}

/// The files of a `--receipts` directory, read once.
struct DockFiles {
  let path: String
  private var receipts: [[UInt8]] = []
  private var anchors: [(name: String, bytes: [UInt8])] = []

  init(path: String) throws {
    self.path = path
    let files = try EvidenceDirectory(path: path)
    for name in try files.names().sorted() {
      if name.hasSuffix(EvidenceName.noteSuffix) {
        receipts.append(try files.small(name, limit: Receipt.byteLimit) ?? [])
      } else if name.hasSuffix(EvidenceName.anchorSuffix) {
        anchors.append((name, try files.small(name, limit: JournalLine.byteLimit) ?? []))
      } else {
        standardError.writeLine(
          "lapel-dock: \(PlainText.printable(name)) in \(path) is neither a receipt (*.note) nor an anchor (*.anchor)")
      }
    }
  }

  /// What they say of one device. Of several cameras' anchors in one directory only its own count.
  func records(of device: DeviceIdentity, roles: RolesNote?) -> DockRecords {
    var records = DockRecords()
    for receipt in receipts { records.add(receipt: receipt, roles: roles) }
    for (name, bytes) in anchors {
      do throws(EvidenceError) { try records.add(anchor: bytes, device: device) } catch {
        standardError.writeLine("lapel-dock: \(PlainText.printable(name)) in \(path) counts for nothing: \(error)")
      }
    }
    return records
  }
}

enum Trust {
  case agency(AgencyDirectory.Public)
  case key(DeviceIdentity)
  case nobody

  /// What is known of a device.
  /// - Parameters:
  ///   - device: as the recording names it; it is only used to find the note.
  ///   - enrolment: the note of the store, if there is one.
  func device(_ device: EvidenceID?, enrolment: [UInt8]? = nil) throws -> DeviceTrust? {
    switch self {
    case .agency(let agency): try device.flatMap { try agency.trust(in: $0, enrolment: enrolment) }
    case .key(let identity): DeviceTrust(device: identity, keyPlace: .internal)
    case .nobody: nil
    }
  }

  /// Who may sign receipts; nil without an agency.
  func roles() throws -> RolesNote? {
    guard case .agency(let agency) = self else { return nil }
    return try RolesNote(parsing: agency.roles, root: agency.root)
  }
}

/// One recording on a disk, with what is needed to verify it.
struct RecordingOnDisk {
  let path: String
  let files: EvidenceDirectory
  let verifier: RecordingVerifier

  /// - Parameters:
  ///   - store: device log and enrolment of the store that the recording lies in; nil: it is looked at alone.
  ///   - docks: what docks keep, for a recording that is looked at alone.
  init(
    path: String, trust: Trust, store: Store? = nil, deviceLog: String? = nil, docks: DockFiles? = nil
  ) throws {
    self.path = path
    files = try EvidenceDirectory(path: path)
    let named = try Self.device(namedIn: files)
    // A directory without a first line names nobody; the store's log may say why.
    let device =
      try trust.device(named, enrolment: store?.enrolment ?? Self.enrolment(besides: path))
      ?? (named == nil ? store?.device : nil)
    var log = store?.log
    if let deviceLog, let device {
      log = try DeviceLog(files: EvidenceDirectory(path: deviceLog), device: device.device)
    }
    let records =
      if let store { store.records } else { try Self.records(docks, of: device, trust) }
    let name = lastComponent(path)
    verifier = RecordingVerifier(
      directoryName: EvidenceName.parseRecording(name) == nil ? nil : name, trust: device, deviceLog: log,
      presentRecordings: store?.recordings, records: records)
  }

  fileprivate static func records(_ docks: DockFiles?, of device: DeviceTrust?, _ trust: Trust) throws -> DockRecords {
    guard let docks, let device else { return DockRecords() }
    return docks.records(of: device.device, roles: try trust.roles())
  }

  /// The enrol.note of the store that a recording still lies in. It proves nothing by being there: the agency signed it.
  private static func enrolment(besides path: String) throws -> [UInt8]? {
    let device = "\(path)/../../device"
    guard case .otherDirectory = PathKind(device) else { return nil }
    return try EvidenceDirectory(path: device).small(EvidenceName.enrolment)
  }

  /// The device that the first line names; not yet believed.
  private static func device(namedIn files: EvidenceDirectory) throws -> EvidenceID? {
    guard try files.names().contains(EvidenceName.journal) else { return nil }
    return try device(inFirstLineOf: EvidenceName.journal, files)
  }

  fileprivate static func device(inFirstLineOf name: String, _ files: EvidenceDirectory) throws -> EvidenceID? {
    var bytes = [UInt8](repeating: 0, count: JournalLine.byteLimit)
    let result: Result<Int, ReadFailure> = bytes.withUnsafeMutableBytes { buffer in
      do throws(ReadFailure) {
        return .success(try files.read(name, at: 0, into: buffer))
      } catch {
        return .failure(error)
      }
    }
    let got = try result.get()
    guard let end = bytes.prefix(got).firstIndex(of: UInt8(ascii: "\n")),
      let line = try? JournalLine(parsing: bytes[...end])
    else { return nil }
    return line.encoded("dev").flatMap { EvidenceID(hex: $0) }
  }

  /// - Parameter progress: gets the share done, 0...1.
  func verify(progress: (Double) -> Void) throws -> (verdict: Verdict, attested: [Attested]) {
    var attested: [Attested] = []
    // A hostile journal may promise any number of bytes: sums that cannot overflow.
    var total = 1.0
    for name in try files.names() where EvidenceName.parseSegment(name) != nil {
      // What cannot be read is the verifier's to report.
      total += Double((try? files.size(of: name)) ?? 0)
    }
    var done = 0.0
    let verdict = try verifier.verify(files) { item in
      attested.append(item)
      guard case .range(let range) = item else { return }
      done += Double(range.chunks.count) * Double(SegmentStream.sealedByteCount)
      progress(done / total)
    }
    return (verdict, attested)
  }
}

/// A card: `device/` and `recordings/`.
struct Store {
  let path: String
  /// Directories of recordings, sorted; other names are no evidence.
  let recordings: [String]
  let others: [String]
  let enrolment: [UInt8]?
  private(set) var log: DeviceLog?
  /// Whose log it is.
  private(set) var device: DeviceTrust?
  private(set) var records = DockRecords()

  init(path: String, trust: Trust, deviceLog: String?, docks: DockFiles? = nil) throws {
    self.path = path
    let names = try EvidenceDirectory(path: "\(path)/recordings").names().sorted()
    recordings = names.filter { EvidenceName.parseRecording($0) != nil }
    others = names.filter { EvidenceName.parseRecording($0) == nil }
    if case .missing = PathKind("\(path)/device") {
      enrolment = nil
    } else {
      enrolment = try EvidenceDirectory(path: "\(path)/device").small(EvidenceName.enrolment)
    }
    let logPath = deviceLog ?? "\(path)/device/log"
    // The log is the device's that the agency enrolled, not of whatever the first recording names.
    guard case .otherDirectory = PathKind(logPath), let device = try Self.device(trust, enrolment, recordings, path)
    else {
      return
    }
    log = try DeviceLog(files: EvidenceDirectory(path: logPath), device: device.device)
    self.device = device
    records = try RecordingOnDisk.records(docks, of: device, trust)
  }

  private static func device(
    _ trust: Trust, _ enrolment: [UInt8]?, _ recordings: [String], _ path: String
  ) throws -> DeviceTrust? {
    if case .key = trust { return try trust.device(nil) }
    for name in recordings {
      let recording = try RecordingOnDisk(path: "\(path)/recordings/\(name)", trust: .nobody)
      if let named = recording.namedDevice, let device = try trust.device(named, enrolment: enrolment) { return device }
    }
    // A card without recordings: its log names the device, and is believed only if the agency enrolled that.
    let log = try EvidenceDirectory(path: "\(path)/device/log")
    for name in try log.names().sorted().reversed() {
      if let named = (try? RecordingOnDisk.device(inFirstLineOf: name, log)) ?? nil,
        let device = try trust.device(named, enrolment: enrolment)
      {
        return device
      }
    }
    return nil
  }
}

extension RecordingOnDisk {
  fileprivate var namedDevice: EvidenceID? { (try? Self.device(namedIn: files)) ?? nil }
}
