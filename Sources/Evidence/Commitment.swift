import Crypto

/// Salted commitments to plaintext: they bind the camera to the footage and tell nothing about it without the salt.
public enum Commitment {
  /// Of an init segment: HMAC-SHA256(init salt, "LAPEL1 init\n" ‖ be32 segment ‖ init).
  /// - Parameter salt: the 32 bytes inside the init's `uuid` box.
  public static func ofInit(_ bytes: [UInt8], salt: [UInt8], segment: Int) -> Hash32 {
    var code = HMAC<SHA256>(key: SymmetricKey(data: salt))
    code.update(data: Array("LAPEL1 init\n".utf8) + UInt32(truncatingIfNeeded: segment).bigEndianBytes)
    code.update(data: bytes)
    return Hash32(code.finalize())
  }

  /// Of one range of a segment's plaintext, fed piece by piece:
  /// HMAC-SHA256(range salt, "LAPEL1 range\n" ‖ be32 segment ‖ be64 start ‖ plaintext ‖ be64 end).
  public struct OfRange {
    private var code: HMAC<SHA256>
    private var position: Int64

    /// - Parameters:
    ///   - salt: the 32 bytes after the header of the `free` box that ends the range.
    ///   - start: the range's first byte in the segment's plaintext.
    public init(salt: [UInt8], segment: Int, start: Int64) {
      code = HMAC<SHA256>(key: SymmetricKey(data: salt))
      position = start
      code.update(
        data: Array("LAPEL1 range\n".utf8) + UInt32(truncatingIfNeeded: segment).bigEndianBytes
          + start.bigEndianBytes)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
      code.update(data: bytes)
      position += Int64(bytes.count)
    }

    public consuming func finalize() -> Hash32 {
      code.update(data: position.bigEndianBytes)
      return Hash32(code.finalize())
    }
  }
}
