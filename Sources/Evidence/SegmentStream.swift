import Crypto

/// One segment being written: an age v1 file whose chunks are all full, and whose final chunk is a constant that is
/// sealed anew for every checkpoint (the terminator).
///
/// Pure bytes: the caller writes `header`, then every sealed chunk, then at a clean end the last checkpoint's
/// terminator. Not for more than one thread. After any error, of this type or of a write, call `abandon()`: a sealed chunk
/// may only ever be written again byte for byte, never be sealed again.
///
/// Sealing a 64 KiB chunk costs one pass each of ChaCha20-Poly1305, HMAC-SHA256 and SHA-256, and one heap block that the
/// cipher's library makes.
public struct SegmentStream: ~Copyable {
  /// Plaintext bytes of a chunk; every chunk is full.
  public static let chunkByteCount = 65_536
  /// Bytes of a sealed chunk in the file.
  public static let sealedByteCount = 65_552
  /// Bytes of the terminator.
  public static let terminatorByteCount = 24
  /// Bytes of the memory a stream works in, to be locked and kept out of core dumps.
  public static let memoryByteCount = chunkByteCount + sealedByteCount
  /// The plaintext of every final chunk: an empty `free` box.
  public static let terminatorPlaintext: [UInt8] = [0, 0, 0, 8] + Array("free".utf8)
  /// The smallest padding: a box header and the salt.
  public static let paddingMinimum = 40

  /// The segment's number in its recording.
  public let segment: Int
  /// The age header and the 16-byte payload nonce: the file's first bytes, written before anything else.
  public let header: [UInt8]
  /// SHA-256 of `header`, for the SEG line.
  public let headerHash: Hash32
  /// 32 bytes for the init's `uuid` box.
  public let initSalt: [UInt8]

  /// Chunks sealed so far; the number of the next one.
  public private(set) var chunks: Int64 = 0

  private var payloadKey: SymmetricKey?
  private var randomness: HedgedRandomness
  private let memory: UnsafeMutableRawBufferPointer
  private let ownsMemory: Bool
  /// Keeps `memory` alive until the stream has wiped it.
  private let owner: AnyObject?
  private var filled = 0
  private var rangeSalt: [UInt8]
  private var rangeCommitment: Commitment.OfRange
  private var rangeHash = SHA256()
  private var rangeStart: Int64 = 0
  private var padding: (total: Int, done: Int)?
  private var terminator: (chunks: Int64, bytes: [UInt8])?

  /// Makes the file key and the header. The keys live in this value only.
  /// - Parameters:
  ///   - segment: 0...9999.
  ///   - memory: `memoryByteCount` bytes that no one else touches; wiped at the end. Nil: the stream allocates its own,
  ///     which is not locked.
  ///   - owner: what `memory` lives as long as; the stream keeps it.
  public init(
    segment: Int, recipients: RecipientList, randomness: HedgedRandomness,
    memory: UnsafeMutableRawBufferPointer? = nil, owner: AnyObject? = nil
  ) throws(EvidenceError) {
    guard (0...9999).contains(segment) else { throw EvidenceError(.sealing, "segment \(segment) is out of 0...9999") }
    if let memory, memory.count < Self.memoryByteCount {
      throw EvidenceError(.sealing, "a segment needs \(Self.memoryByteCount) bytes of memory, not \(memory.count)")
    }
    var randomness = randomness
    let fileKey = try randomness.key(16, for: .fileKey, segment: segment)
    let nonce = try randomness.bytes(AgeHeader.nonceByteCount, for: .payloadNonce, segment: segment)
    let header =
      try AgeHeader.seal(fileKey: fileKey, for: recipients, segment: segment, randomness: &randomness) + nonce
    let initSalt = try randomness.bytes(32, for: .initSalt, segment: segment)
    let rangeSalt = try randomness.bytes(32, for: .rangeSalt, segment: segment)

    self.segment = segment
    self.header = header
    self.headerHash = Hash32(SHA256.hash(data: header))
    self.initSalt = initSalt
    self.payloadKey = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: fileKey, salt: nonce, info: Array("payload".utf8), outputByteCount: 32)
    self.randomness = randomness
    self.rangeSalt = rangeSalt
    self.rangeCommitment = Commitment.OfRange(salt: rangeSalt, segment: segment, start: 0)
    self.ownsMemory = memory == nil
    self.owner = owner
    self.memory =
      memory ?? UnsafeMutableRawBufferPointer.allocate(byteCount: Self.memoryByteCount, alignment: 64)
    SecretBytes.wipe(self.memory)
  }

  deinit {
    SecretBytes.wipe(memory)
    if ownsMemory { memory.deallocate() }
  }

  // MARK: Plaintext

  /// Plaintext bytes taken so far.
  public var position: Int64 { chunks * Int64(Self.chunkByteCount) + Int64(filled) }
  /// Bytes that still fit in the open chunk; 0: seal it first.
  public var space: Int { Self.chunkByteCount - filled }
  public var isFull: Bool { space == 0 }
  /// Whether anything was taken since the last checkpoint.
  public var hasNewBytes: Bool { position > rangeStart }
  /// Length of the file once everything sealed is written, without a terminator: H + 65,552 · k.
  public var fileLength: Int64 { Int64(header.count) + chunks * Int64(Self.sealedByteCount) }

  private var chunk: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: memory[..<Self.chunkByteCount])
  }

  /// Lets `body` write straight into the open chunk: it gets the `space` free bytes and returns how many it wrote, from
  /// the first on. The pointer must not leave `body`.
  public mutating func fill<E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    let count = try body(UnsafeMutableRawBufferPointer(rebasing: chunk[filled...]))
    precondition((0...space).contains(count), "fill wrote outside the chunk")
    filled += count
  }

  /// Takes as many of the bytes, from the first on, as fit in the open chunk, and returns their number.
  public mutating func append(_ bytes: RawSpan) -> Int {
    let count = min(bytes.byteCount, space)
    bytes.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(rebasing: chunk[filled...])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
    }
    filled += count
    return count
  }

  // MARK: Sealing

  /// Seals the open chunk, which must be full, and opens the next. Its bytes are then in `withSealedChunk`.
  /// - Throws: `.abandoned`, or `.sealing`; the stream is then abandoned.
  public mutating func sealFullChunk() throws(EvidenceError) {
    guard let payloadKey else { throw Self.abandonedError }
    guard isFull else { throw EvidenceError(.sealing, "a chunk is sealed only when it is full (\(filled) bytes)") }
    // The number is spent before anything else happens: no error can ever lead to a second use of this nonce.
    let number = chunks
    chunks += 1
    filled = 0
    let plaintext = UnsafeRawBufferPointer(chunk)
    do throws(EvidenceError) {
      let nonce = ChunkCipher.nonce(chunk: number, isFinal: false)
      try ChunkCipher.seal(plaintext, key: payloadKey, nonce: nonce, into: sealed)
    } catch {
      abandon()
      throw error
    }
    rangeCommitment.update(plaintext)
    rangeHash.update(bufferPointer: UnsafeRawBufferPointer(sealed))
  }

  private var sealed: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: memory[Self.chunkByteCount..<Self.memoryByteCount])
  }

  /// The chunk sealed last, 65,552 bytes, until the next one is sealed. A short write continues with these bytes.
  public borrowing func withSealedChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(sealed).bytes)
  }

  // MARK: Checkpoint

  /// Bytes of the `free` box that the next checkpoint appends: 40...65,575.
  public var paddingByteCount: Int {
    let open = Int(position % Int64(Self.chunkByteCount))
    let rest = open == 0 ? 0 : Self.chunkByteCount - open
    return rest < Self.paddingMinimum ? rest + Self.chunkByteCount : rest
  }

  /// Appends the checkpoint's padding as far as the open chunk has room. True: a chunk is full; seal and write it, then call
  /// again. False: done, and everything is sealed; `finishCheckpoint` is next.
  public mutating func pad() -> Bool {
    if isFull && padding == nil { return true }
    var (total, done) = padding ?? (paddingByteCount, 0)
    let prefix = UInt32(truncatingIfNeeded: total).bigEndianBytes + Array("free".utf8) + rangeSalt
    while done < total && !isFull {
      if done < prefix.count {
        done += prefix[done...].withUnsafeBytes { append($0.bytes) }
      } else {
        let count = min(total - done, space)
        UnsafeMutableRawBufferPointer(rebasing: chunk[filled..<(filled + count)])
          .initializeMemory(as: UInt8.self, repeating: 0)
        filled += count
        done += count
      }
    }
    padding = (total, done)
    return isFull
  }

  /// Ends the range after `pad` has returned false, or repeats the last checkpoint when nothing was taken since (idle).
  /// - Throws: `.abandoned`; `.sealing` before any byte was taken, or in the middle of a chunk.
  public mutating func finishCheckpoint() throws(EvidenceError) -> CheckpointSeal {
    guard payloadKey != nil else { throw Self.abandonedError }
    guard chunks > 0, filled == 0 else {
      throw EvidenceError(.sealing, "a checkpoint needs padded and sealed bytes; call pad() until it is false")
    }
    if !hasNewBytes {
      return CheckpointSeal(
        segment: segment, chunks: chunks, length: fileLength, rangeHash: nil, commitment: nil,
        terminator: try terminatorBytes())
    }
    guard let padding, padding.done == padding.total else {
      throw EvidenceError(.sealing, "a checkpoint's range must end with its padding; call pad() until it is false")
    }
    let seal = CheckpointSeal(
      segment: segment, chunks: chunks, length: fileLength, rangeHash: Hash32(rangeHash.finalize()),
      commitment: rangeCommitment.finalize(), terminator: try terminatorBytes())
    do throws(EvidenceError) {
      rangeSalt = try randomness.bytes(32, for: .rangeSalt, segment: segment)
    } catch {
      abandon()
      throw error
    }
    self.padding = nil
    rangeStart = position
    rangeHash = SHA256()
    rangeCommitment = Commitment.OfRange(salt: rangeSalt, segment: segment, start: rangeStart)
    return seal
  }

  /// A whole checkpoint: pads, seals, hands each sealed chunk to `write`, and returns what the CKPT line carries. With no
  /// new bytes nothing is written and the seal is idle. Syncing the file is the caller's, before the line is written.
  /// - Throws: what sealing or writing threw; either way the stream is abandoned.
  public mutating func checkpoint<E: Error>(
    write: (RawSpan) throws(E) -> Void
  ) throws(SegmentFailure<E>) -> CheckpointSeal {
    do throws(SegmentFailure<E>) {
      if hasNewBytes {
        while pad() {
          do throws(EvidenceError) { try sealFullChunk() } catch { throw .sealing(error) }
          do throws(E) { try withSealedChunk(write) } catch { throw .writing(error) }
        }
      }
      do throws(EvidenceError) { return try finishCheckpoint() } catch { throw .sealing(error) }
    } catch {
      abandon()
      throw error
    }
  }

  private mutating func terminatorBytes() throws(EvidenceError) -> [UInt8] {
    guard let payloadKey else { throw Self.abandonedError }
    if let terminator, terminator.chunks == chunks { return terminator.bytes }
    let nonce = ChunkCipher.nonce(chunk: chunks, isFinal: true)
    do throws(EvidenceError) {
      let bytes = try Self.terminatorPlaintext.span.bytes.withUnsafeBytes { plaintext throws(EvidenceError) in
        try ChunkCipher.seal(plaintext, key: payloadKey, nonce: nonce)
      }
      // Opened and compared: a terminator that does not open would only be noticed after a power cut.
      guard try ChunkCipher.open(bytes, key: payloadKey, nonce: nonce) == Self.terminatorPlaintext else {
        throw EvidenceError(.sealing, "the terminator does not open again; the segment must be abandoned")
      }
      terminator = (chunks, bytes)
      return bytes
    } catch {
      abandon()
      throw error
    }
  }

  // MARK: Abandoning

  /// Drops the keys and wipes the buffers; nothing can be sealed any more. Harmless when repeated.
  public mutating func abandon() {
    payloadKey = nil
    filled = 0
    SecretBytes.wipe(chunk)
  }

  public var isAbandoned: Bool { payloadKey == nil }

  private static var abandonedError: EvidenceError {
    EvidenceError(.abandoned, "the segment was abandoned after an error; begin a new one")
  }
}

/// Why a checkpoint failed: the cipher's side or the caller's write.
public enum SegmentFailure<WriteError: Error>: Error {
  case sealing(EvidenceError)
  case writing(WriteError)
}

/// What a CKPT line says of the file.
public struct CheckpointSeal: Hashable, Sendable {
  public let segment: Int
  /// k: sealed chunks in the file.
  public let chunks: Int64
  /// H + 65,552 · k.
  public let length: Int64
  /// SHA-256 of the file's bytes since the last checkpoint, the first from H on. Nil: idle, nothing was added.
  public let rangeHash: Hash32?
  /// The salted commitment to the range's plaintext. Nil: idle.
  public let commitment: Hash32?
  /// The 24 bytes that end the file at this point.
  public let terminator: [UInt8]

  public var isIdle: Bool { rangeHash == nil }
}
