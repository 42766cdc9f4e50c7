import Crypto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Short-lived memory for secrets, and wiping that the optimiser may not remove.
enum SecretBytes {
  /// Overwrites with zeros (explicit_bzero(3)).
  static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
    guard let base = buffer.baseAddress, buffer.count > 0 else { return }
    explicit_bzero(base, buffer.count)
  }

  /// Overwrites a digest or code of 32 bytes. One that the library kept elsewhere would have another size, and is left alone:
  /// zeros in the place of a reference would crash.
  static func wipe<Digest>(_ digest: inout Digest) where Digest: Sequence<UInt8> {
    guard MemoryLayout<Digest>.size == 32 else { return }
    withUnsafeMutableBytes(of: &digest) { wipe($0) }
  }

  /// `count` zeroed bytes that are wiped when `body` ends, also by an error. The pointer must not leave `body`.
  static func withTemporary<R>(
    _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(EvidenceError) -> R
  ) throws(EvidenceError) -> R {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 16)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    defer {
      wipe(buffer)
      buffer.deallocate()
    }
    return try body(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
  }
}

extension SymmetricKey {
  /// `withUnsafeBytes` with this target's typed error; the library's own rethrows untyped.
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(EvidenceError) -> R) throws(EvidenceError) -> R {
    let result: Result<R, EvidenceError> = withUnsafeBytes { bytes in
      do throws(EvidenceError) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

/// Big-endian integers, as age, ISO/IEC 14496-12 and the commitments want them.
extension FixedWidthInteger {
  var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
