import Crypto
import Media

/// An Ed25519 public key (RFC 8032) that passed this format's strict checks.
public struct SigningPublicKey: Hashable, Sendable, CustomStringConvertible {
  /// The canonical 32-byte encoding.
  public let bytes: [UInt8]

  /// - Throws: `.signature` for another length, a coordinate not below 2^255 − 19, or a point of small order (under
  ///   which one signature fits many messages).
  public init(_ bytes: [UInt8]) throws(EvidenceError) {
    guard bytes.count == 32 else { throw EvidenceError(.signature, "an Ed25519 key has 32 bytes, not \(bytes.count)") }
    guard FieldElement.isBelowPrime(bytes) else {
      throw EvidenceError(.signature, "the Ed25519 key is not canonically encoded")
    }
    let coordinate = Array(bytes.dropLast()) + [bytes[31] & 0x7F]
    guard !Self.smallOrderCoordinates.contains(coordinate) else {
      throw EvidenceError(.signature, "the Ed25519 key is a point of small order")
    }
    self.bytes = bytes
  }

  /// Whether `signature` is this key's over `message`: S < L and the canonical R are checked by the library.
  public func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
    guard signature.count == 64, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else {
      return false
    }
    return key.isValidSignature(signature, for: message)
  }

  /// Unpadded base64url.
  public var description: String { Base64.encode(bytes, .url) }

  /// The y of the eight points whose order divides 8; the sign of x, bit 255, is cleared.
  private static let smallOrderCoordinates: Set<[UInt8]> = [
    [UInt8](repeating: 0, count: 32),
    [1] + [UInt8](repeating: 0, count: 31),
    [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
    Hexadecimal.decode("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05") ?? [],
    Hexadecimal.decode("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a") ?? [],
  ]
}

/// Who a camera is: its Ed25519 public key, and the id that follows from it.
public struct DeviceIdentity: Hashable, Sendable {
  public let publicKey: SigningPublicKey
  /// The first 16 bytes of SHA-256 of the public key.
  public let id: EvidenceID

  public init(publicKey: SigningPublicKey) {
    self.publicKey = publicKey
    self.id = EvidenceID(prefixOf: Hash32.sha256(of: publicKey.bytes))
  }

  /// - Throws: `.signature` as for `SigningPublicKey`.
  public init(publicKeyBytes: [UInt8]) throws(EvidenceError) {
    self.init(publicKey: try SigningPublicKey(publicKeyBytes))
  }
}

/// Signs with the device key, wherever that lives.
public struct DeviceSigner: Sendable {
  public let identity: DeviceIdentity
  private let sign: @Sendable ([UInt8]) throws -> [UInt8]

  /// - Parameter sign: returns the 64-byte Ed25519 signature over the message (a secure element can stand behind it).
  public init(identity: DeviceIdentity, sign: @escaping @Sendable ([UInt8]) throws -> [UInt8]) {
    self.identity = identity
    self.sign = sign
  }

  /// A key held in memory.
  /// - Parameter seed: the 32-byte private key of RFC 8032.
  /// - Throws: `.signature` for another length.
  public init(seed: [UInt8]) throws(EvidenceError) {
    guard seed.count == 32, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
      throw EvidenceError(.signature, "an Ed25519 private key has 32 bytes, not \(seed.count)")
    }
    self.init(identity: try DeviceIdentity(publicKeyBytes: Array(key.publicKey.rawRepresentation))) { message in
      Array(try key.signature(for: message))
    }
  }

  /// A signature that was verified before it is returned: a broken signer is noticed here, not at the dock.
  public func signature(over message: [UInt8]) throws(EvidenceError) -> [UInt8] {
    let bytes: [UInt8]
    do {
      bytes = try sign(message)
    } catch {
      throw EvidenceError(.signature, "the device key could not sign (\(error)); see `lapel enroll`")
    }
    guard identity.publicKey.verifies(bytes, over: message) else {
      throw EvidenceError(.signature, "the device key made a signature that its public key does not verify")
    }
    return bytes
  }
}
