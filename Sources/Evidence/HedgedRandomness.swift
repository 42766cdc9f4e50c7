import Crypto

/// Random bytes that stay unpredictable when either the kernel's generator or the device's secret is known, but not both.
///
/// Each draw is HKDF-SHA256 (RFC 5869) over 32 fresh bytes of the source ‖ the device secret, with empty salt and
/// info "LAPEL1 " use " " id " " counter " " segment " " draw; a field that does not apply is `-`. The draw number keeps
/// two draws apart even if the source repeats itself.
public struct HedgedRandomness: Sendable {
  /// Fills the whole buffer with bytes of a cryptographic generator (blocking getrandom(2)) or throws.
  public typealias Source = @Sendable (UnsafeMutableRawBufferPointer) throws -> Void

  /// What the bytes are for; one name for each use keeps equal inputs from giving equal keys.
  public enum Use: String, Sendable {
    case recordingID = "recording-id"
    case journalKey = "journal-key"
    case fileKey = "file-key"
    case ephemeral = "ephemeral"
    case payloadNonce = "payload-nonce"
    case rangeSalt = "range-salt"
    case initSalt = "init-salt"
  }

  private let source: Source
  private let deviceSecret: SymmetricKey
  private let id: String
  private let counter: Int64
  private var draws: UInt64 = 0

  /// - Parameters:
  ///   - deviceSecret: 32 or more bytes made at enrolment that never leave the device; empty is allowed and hedges nothing.
  ///   - id: the recording, nil while it has no id yet.
  ///   - counter: the recording counter.
  public init(source: @escaping Source, deviceSecret: [UInt8], id: EvidenceID?, counter: Int64) {
    self.source = source
    self.deviceSecret = SymmetricKey(data: deviceSecret)
    self.id = id.map(\.description) ?? "-"
    self.counter = counter
  }

  /// `count` bytes (1 to 8,160) for a value that is not a secret key: ids, nonces, salts.
  public mutating func bytes(_ count: Int, for use: Use, segment: Int? = nil) throws(EvidenceError) -> [UInt8] {
    let key = try key(count, for: use, segment: segment)
    return key.withUnsafeBytes { Array($0) }
  }

  /// The same as a key, in memory that is wiped when it is released.
  mutating func key(_ count: Int, for use: Use, segment: Int?) throws(EvidenceError) -> SymmetricKey {
    guard (1...8160).contains(count) else { throw EvidenceError(.randomness, "\(count) random bytes in one draw") }
    let draw = draws
    draws += 1
    let secretCount = deviceSecret.bitCount / 8
    let material = try SecretBytes.withTemporary(32 + secretCount) { buffer throws(EvidenceError) -> SymmetricKey in
      do {
        try source(UnsafeMutableRawBufferPointer(rebasing: buffer[..<32]))
      } catch {
        throw EvidenceError(.randomness, "no random bytes from the system (\(error)); nothing can be sealed")
      }
      deviceSecret.withUnsafeBytes { secret in
        UnsafeMutableRawBufferPointer(rebasing: buffer[32...]).copyMemory(from: secret)
      }
      return SymmetricKey(data: UnsafeRawBufferPointer(buffer))
    }
    let place = segment.map { String($0) } ?? "-"
    let info = "LAPEL1 \(use.rawValue) \(id) \(counter) \(place) \(draw)"
    return HKDF<SHA256>.deriveKey(inputKeyMaterial: material, info: Array(info.utf8), outputByteCount: count)
  }
}
