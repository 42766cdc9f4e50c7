/// What a camera hands to the agency to be enrolled: its public key and where the secret one lives, signed by that key
/// itself, which proves that the camera has it. Who the camera is, is for the agency to look at: by its fingerprint.
///
///     lapel/enrol-request v1
///     version 1
///     issued <ms>
///     device <id>
///     key ed25519 <base64>
///     place <place>
public struct EnrolRequest: Hashable, Sendable {
  /// ms since 1970 UTC, by the camera's clock.
  public let issued: Int64
  public let device: DeviceIdentity
  public let keyPlace: EnrolNote.KeyPlace

  private static let kind = "enrol-request"

  /// - Throws: `.note` when it is malformed or not signed by the key it names; `.signature` for a bad key.
  public init(parsing bytes: [UInt8]) throws(EvidenceError) {
    let note = try Note(parsing: bytes)
    let head = try NoteHead(note, kind: Self.kind)
    guard head.rest.count == 3, head.rest[0].count == 2, head.rest[0][0] == "device", head.rest[1].count == 3,
      head.rest[1][0] == "key", head.rest[1][1] == "ed25519",
      let key = Base64.decode(head.rest[1][2].utf8, .padded), head.rest[2].count == 2, head.rest[2][0] == "place",
      let place = EnrolNote.KeyPlace(rawValue: String(head.rest[2][1]))
    else {
      throw EvidenceError(.note, "the request has not the lines \"device\", \"key ed25519\" and \"place\"")
    }
    let device = try DeviceIdentity(publicKeyBytes: key)
    guard device.id.description == head.rest[0][1] else {
      throw EvidenceError(.note, "the request names device \(head.rest[0][1]), but its key belongs to \(device.id)")
    }
    guard try note.isSigned(by: VerifierKey(name: device.id.description, publicKey: device.publicKey)) else {
      throw EvidenceError(.note, "the request is not signed by the device key that it names; make a new one")
    }
    issued = head.issued
    self.device = device
    keyPlace = place
  }

  /// A new request.
  /// - Parameters:
  ///   - issued: ms since 1970 UTC.
  ///   - seed: the device's 32-byte private key.
  public static func make(
    issued: Int64, keyPlace: EnrolNote.KeyPlace, seed: [UInt8]
  ) throws(EvidenceError) -> [UInt8] {
    let device = try DeviceSigner(seed: seed).identity
    let signer = try NoteSigner(name: device.id.description, seed: seed)
    return try signer.sign(
      NoteHead.lines(kind: kind, version: 1, issued: issued, isDemo: false) + [
        "device \(device.id)", "key ed25519 \(Base64.encode(device.publicKey.bytes, .padded))",
        "place \(keyPlace.rawValue)",
      ])
  }
}
