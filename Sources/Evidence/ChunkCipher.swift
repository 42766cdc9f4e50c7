import Crypto

/// ChaCha20-Poly1305 (RFC 8439) as age's STREAM uses it: the nonce is an 11-byte big-endian chunk number and a flag.
enum ChunkCipher {
  static let overhead = 16

  static func nonce(chunk: Int64, isFinal: Bool) -> [UInt8] { [0, 0, 0] + chunk.bigEndianBytes + [isFinal ? 1 : 0] }

  static func seal(
    _ plaintext: UnsafeRawBufferPointer, key: SymmetricKey, nonce: [UInt8]
  ) throws(EvidenceError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: plaintext.count + overhead)
    let failure: EvidenceError? = result.withUnsafeMutableBytes { buffer in
      do throws(EvidenceError) { try seal(plaintext, key: key, nonce: nonce, into: buffer) } catch { return error }
      return nil
    }
    if let failure { throw failure }
    return result
  }

  /// `output` has room for exactly the plaintext and 16 bytes.
  static func seal(
    _ plaintext: UnsafeRawBufferPointer, key: SymmetricKey, nonce: [UInt8],
    into output: UnsafeMutableRawBufferPointer
  ) throws(EvidenceError) {
    do {
      let box = try ChaChaPoly.seal(plaintext, using: key, nonce: ChaChaPoly.Nonce(data: nonce))
      // `combined` is nonce ‖ ciphertext ‖ tag in one piece.
      try copy(box.combined, dropping: 12, into: output)
    } catch {
      throw EvidenceError(.sealing, "the cipher failed (\(error)); the segment must be abandoned")
    }
  }

  static func open(_ sealed: [UInt8], key: SymmetricKey, nonce: [UInt8]) throws(EvidenceError) -> [UInt8] {
    do {
      return try Array(ChaChaPoly.open(ChaChaPoly.SealedBox(combined: nonce + sealed), using: key))
    } catch {
      throw EvidenceError(.sealing, "sealed bytes do not open again (\(error)); the segment must be abandoned")
    }
  }

  private static func copy(
    _ bytes: some Collection<UInt8>, dropping prefix: Int, into output: UnsafeMutableRawBufferPointer
  ) throws(EvidenceError) {
    let copied: Bool? = bytes.withContiguousStorageIfAvailable { storage in
      guard storage.count == prefix + output.count else { return false }
      output.copyMemory(from: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: storage[prefix...])))
      return true
    }
    guard copied == true else { throw EvidenceError(.sealing, "the cipher returned another length than it must") }
  }
}
