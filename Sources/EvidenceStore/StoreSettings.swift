public import Evidence

/// Who this camera is and for whom it records: loaded once at start, see `CameraIdentity`.
public struct RecordingParties: Sendable {
  public var device: DeviceSigner
  /// 32 bytes that never leave the camera and hedge the kernel's randomness.
  public var hedgeSecret: [UInt8]
  public var recipients: RecipientList
  public var recipientsNote: NoteReference
  public var rolesNote: NoteReference
  /// The agency's keys are demonstration keys.
  public var isDemo: Bool

  public init(
    device: DeviceSigner, hedgeSecret: [UInt8], recipients: RecipientList, recipientsNote: NoteReference,
    rolesNote: NoteReference, isDemo: Bool
  ) {
    self.device = device
    self.hedgeSecret = hedgeSecret
    self.recipients = recipients
    self.recipientsNote = recipientsNote
    self.rolesNote = rolesNote
    self.isDemo = isDemo
  }
}

/// What every OPEN line says of the software and the devices of this process.
public struct ProcessFacts: Sendable {
  public var camera: CameraKind
  public var microphone: MicrophoneKind
  public var softwareVersion: String
  public var softwareHash: Hash32
  public var configurationHash: Hash32

  public init(
    camera: CameraKind, microphone: MicrophoneKind, softwareVersion: String, softwareHash: Hash32,
    configurationHash: Hash32
  ) {
    self.camera = camera
    self.microphone = microphone
    self.softwareVersion = softwareVersion
    self.softwareHash = softwareHash
    self.configurationHash = configurationHash
  }
}
