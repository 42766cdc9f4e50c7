import Crypto
import Media

/// 32 bytes: a SHA-256 or an HMAC-SHA256 value.
public struct Hash32: Hashable, Sendable, CustomStringConvertible {
  /// Always 32 bytes.
  public let bytes: [UInt8]

  /// Nil unless there are exactly 32 bytes.
  public init?(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// Nil unless `text` is the one valid unpadded base64url spelling of 32 bytes.
  public init?(base64URL text: some StringProtocol) {
    guard let bytes = Base64.decode(text.utf8, .url) else { return nil }
    self.init(bytes)
  }

  /// SHA-256 of `bytes` (FIPS 180-4).
  /// SHA-256 of everything that `read` delivers, piece by piece, until it returns 0.
  public static func sha256<Failure: Error>(
    reading read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) -> Hash32 {
    var hash = SHA256()
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = try read(piece)
      guard count > 0 else { return Hash32(hash.finalize()) }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
  }

  public static func sha256(of bytes: [UInt8]) -> Hash32 { Hash32(SHA256.hash(data: bytes)) }

  init(_ digest: SHA256Digest) { bytes = Array(digest) }
  init(_ code: HashedAuthenticationCode<SHA256>) { bytes = Array(code) }

  /// Unpadded base64url, as journal lines carry it (43 characters).
  public var description: String { Base64.encode(bytes, .url) }
}

/// 128 random bits that name a recording, or 128 bits that name a device: 32 lower-case hexadecimal digits.
public struct EvidenceID: Hashable, Sendable, CustomStringConvertible {
  /// Always 16 bytes.
  public let bytes: [UInt8]

  /// Nil unless there are exactly 16 bytes.
  public init?(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  init(prefixOf hash: Hash32) { bytes = Array(hash.bytes.prefix(16)) }

  /// Nil unless `text` is 32 lower-case hexadecimal digits.
  public init?(hex text: some StringProtocol) {
    guard let bytes = Hexadecimal.decode(text) else { return nil }
    self.init(bytes)
  }

  /// A new recording's id. Draws from the hedged source; `randomness` should have been made without an id.
  public static func random(from randomness: inout HedgedRandomness) throws(EvidenceError) -> EvidenceID {
    let bytes = try randomness.bytes(16, for: .recordingID)
    guard let id = EvidenceID(bytes) else { throw EvidenceError(.randomness, "16 random bytes were asked for") }
    return id
  }

  public var description: String { Hexadecimal.encode(bytes) }
}
