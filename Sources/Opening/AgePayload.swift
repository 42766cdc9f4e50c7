import Crypto
public import Evidence

/// Opens the chunks of one age v1 file (C2SP age.md, "Payload"): ChaCha20-Poly1305 on 64 KiB each, in any order, with the
/// memory of one chunk. Holds the payload key; not for more than one thread.
public struct AgePayload {
  /// The largest plaintext and sealed sizes of a chunk.
  public static let chunkByteCount = SegmentStream.chunkByteCount
  public static let sealedByteCount = SegmentStream.sealedByteCount

  public let header: AgeHeader
  /// Bytes before the first chunk: the header and the payload nonce.
  public let headerLength: Int

  private let source: any ByteSource
  private let key: SymmetricKey

  /// Reads and checks the header.
  /// - Throws: `.header`, `.noIdentityMatches`, `.input`.
  public init(_ source: any ByteSource, identities: [AgeIdentity]) throws(OpeningError) {
    let start = try source.bytes(at: 0, count: AgeHeader.byteLimit + AgeHeader.nonceByteCount)
    let header: AgeHeader
    do throws(EvidenceError) {
      header = try AgeHeader(parsing: start)
    } catch {
      throw OpeningError(.header, "\(source.name): \(error)")
    }
    var fileKey: SymmetricKey?
    for identity in identities where fileKey == nil {
      do throws(OpeningError) {
        fileKey = try identity.unwrap(header)
      } catch {
        throw OpeningError(error.code, "\(source.name): \(error)")
      }
    }
    guard let fileKey else {
      throw OpeningError(
        .noIdentityMatches,
        "\(source.name) is not encrypted to any of these identities; take the identity of a recipient in recipients.note"
      )
    }
    let macKey = HKDF<SHA256>.deriveKey(inputKeyMaterial: fileKey, info: Array("header".utf8), outputByteCount: 32)
    guard fileKey.bitCount == 128,
      HMAC<SHA256>.isValidAuthenticationCode(header.mac, authenticating: header.authenticated, using: macKey)
    else {
      throw OpeningError(.header, "\(source.name): the age header was changed (its MAC does not fit)")
    }
    let end = header.byteCount + AgeHeader.nonceByteCount
    guard start.count >= end else { throw OpeningError(.header, "\(source.name) ends inside its age header") }
    self.header = header
    self.headerLength = end
    self.source = source
    self.key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: fileKey, salt: Array(start[header.byteCount..<end]), info: Array("payload".utf8),
      outputByteCount: 32)
  }

  /// The file's name, for errors.
  public var name: String { source.name }
  public func byteCount() throws(OpeningError) -> Int64 { try source.byteCount() }

  /// Opens a full chunk that is not the last.
  /// - Parameter number: 0 or more; one behind the end of the file throws.
  /// - Throws: `.payload` when it is cut off, changed or another chunk; `.input`.
  public func chunk(_ number: Int64) throws(OpeningError) -> [UInt8] {
    let sealed = try sealedBytes(number)
    guard sealed.count == Self.sealedByteCount, let bytes = open(sealed, number: number, isFinal: false) else {
      throw Self.broken(name, number)
    }
    return bytes
  }

  /// Whether `bytes` are the end of a segment after `chunks` chunks: the sealed final chunk that the recorder journals.
  public func isTerminator(_ bytes: [UInt8], after chunks: Int64) -> Bool {
    open(bytes, number: chunks, isFinal: true) == SegmentStream.terminatorPlaintext
  }

  /// Opens a whole age file, whoever wrote it, chunk by chunk.
  /// - Throws: `.payload` for a chunk that does not open, and when the end is missing; what `body` got by then is authentic
  ///   but not complete.
  public func decrypt(_ body: (RawSpan) throws(OpeningError) -> Void) throws(OpeningError) {
    let length = try byteCount() - Int64(headerLength)
    guard length >= 16 else { throw OpeningError(.payload, "\(name) ends before its last chunk") }
    // The final chunk is never empty unless the file is.
    let last = (length - 1) / Int64(Self.sealedByteCount)
    for number in 0...last {
      let sealed = try sealedBytes(number)
      guard let bytes = open(sealed, number: number, isFinal: number == last), number == 0 || !bytes.isEmpty else {
        throw Self.broken(name, number)
      }
      try body(bytes.span.bytes)
    }
  }

  private static func broken(_ name: String, _ number: Int64) -> OpeningError {
    OpeningError(.payload, "\(name): chunk \(number) does not open; it was changed, moved or cut off")
  }

  private func sealedBytes(_ number: Int64) throws(OpeningError) -> [UInt8] {
    let (start, overflow) = number.multipliedReportingOverflow(by: Int64(Self.sealedByteCount))
    guard number >= 0, !overflow, start < .max - Int64(headerLength) else { throw Self.broken(name, number) }
    return try source.bytes(at: Int64(headerLength) + start, count: Self.sealedByteCount)
  }

  private func open(_ sealed: [UInt8], number: Int64, isFinal: Bool) -> [UInt8]? {
    // Eleven bytes of counter and a flag.
    let nonce: [UInt8] =
      [0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } + [isFinal ? 1 : 0]
    guard sealed.count >= 16, let chunkNonce = try? ChaChaPoly.Nonce(data: nonce),
      let box = try? ChaChaPoly.SealedBox(
        nonce: chunkNonce, ciphertext: sealed.dropLast(16), tag: sealed.suffix(16))
    else { return nil }
    return (try? ChaChaPoly.open(box, using: key)).map { Array($0) }
  }
}
