import HardwareCodec
import Media

/// Makes packets of what a hardware encoder gives back: matches each coded buffer with the picture that it was made of,
/// takes parameter sets out of it and turns its slices into NAL units with lengths. Pure.
///
/// Encoders differ in how they cut: the parameter sets come in a buffer of their own before the first picture, in front of
/// that picture, or in front of every keyframe; all of it is read. Supplemental information, delimiters and filler are
/// dropped. A picture in several buffers, B pictures, parameter sets that change and stamps that were never given are
/// refused.
struct CodedPictureReader {
  /// What is known of each picture while it is in the encoder.
  struct Facts: Sendable {
    var time: MonotonicTime
    var position: Int64
    /// It was asked to be a keyframe.
    var isForced: Bool
  }

  enum Outcome: Hashable, Sendable {
    /// Parameter sets, or nothing of use.
    case nothing
    /// A packet, whose bytes are in `bytes`. `skipped`: pictures before it that the encoder dropped.
    case packet(PacketHeader, skipped: Int)
  }

  /// Keyframes that were asked for in vain, one after another, before the encoder counts as broken.
  static let patience = 3

  let library: String
  private(set) var pictures = PicturesInCodec<Facts>()
  /// Once both have come.
  private(set) var parameterSets: H264ParameterSets?
  /// The bytes of the last packet; the memory stays.
  private(set) var bytes: [UInt8] = []
  /// A keyframe was asked for and has not come: the next picture has to be one.
  private(set) var owesKeyframe = false

  private var pending = H264ParameterSets(sequence: [], picture: [])
  private var misses = 0
  private var isFirst = true

  init(library: String, packetBytes: Int) {
    self.library = library
    bytes.reserveCapacity(packetBytes)
  }

  /// The encoder gets a picture now. Returns its stamp.
  mutating func give(_ facts: Facts, at now: MonotonicTime) -> Int64 {
    let stamp = pictures.stamp(for: facts.time)
    pictures.give(stamp, at: now, facts)
    if facts.isForced { owesKeyframe = false }
    return stamp
  }

  /// A new stream begins in the encoder; what was in it before does not count.
  mutating func restart() {
    pictures.removeAll()
    owesKeyframe = false
    misses = 0
    isFirst = true
  }

  /// Takes one coded buffer.
  mutating func take(_ buffer: RawSpan, stamp: Int64) throws(EncodingError) -> Outcome {
    bytes.removeAll(keepingCapacity: true)
    var scan = Scan()
    guard AnnexB.isFramed(buffer) else { throw broken("it does not begin with a start code") }
    var walk = AnnexB()
    while let unit = walk.next(in: buffer) {
      buffer.withUnsafeBytes { note(UnsafeRawBufferPointer(rebasing: $0[unit]), &scan) }
    }
    if let reason = scan.refusal { throw broken(reason) }
    try keepParameterSets()
    guard scan.slices > 0 else { return .nothing }
    guard scan.idrSlices == 0 || scan.idrSlices == scan.slices else {
      throw broken("slices of a keyframe and of another picture together")
    }
    guard scan.startsPicture else { throw broken("a picture in several buffers") }
    let isKeyframe = scan.idrSlices > 0

    guard case .picture(let picture, let skipped) = pictures.take(stamp) else {
      throw .outOfStep(library: library, sent: pictures.oldestStamp ?? 0, received: stamp)
    }
    if isFirst, !isKeyframe { throw broken("the first picture is no keyframe") }
    if isKeyframe {
      misses = 0
    } else if picture.facts.isForced {
      misses += 1
      owesKeyframe = true
      if misses >= Self.patience { throw broken("\(misses) keyframes were asked for and none came") }
    }
    var flags: PacketFlags = isFirst ? .streamStart : []
    if isKeyframe { flags.insert(.keyframe) }
    isFirst = false
    return .packet(
      PacketHeader(
        track: .video, flags: flags, length: bytes.count, time: picture.facts.time, position: picture.facts.position),
      skipped: skipped)
  }

  private struct Scan {
    var slices = 0
    var idrSlices = 0
    var startsPicture = false
    var refusal: String?
  }

  private mutating func note(_ unit: UnsafeRawBufferPointer, _ scan: inout Scan) {
    let kind = NALUnitKind(unit)
    switch kind {
    case .dispensable: break
    case .sequenceParameterSet: pending.sequence = Array(unit)
    case .pictureParameterSet: pending.picture = Array(unit)
    case .other: scan.refusal = "a NAL unit of type \((unit.first ?? 0) & 0x1F)"
    case .slice, .idrSlice:
      guard let start = SliceStart(unit) else {
        scan.refusal = "a slice that ends too early"
        return
      }
      if start.isBidirectional { scan.refusal = "a B picture" }
      if scan.slices > 0, start.firstMacroblock == 0 { scan.refusal = "two pictures in one buffer" }
      if start.firstMacroblock == 0 { scan.startsPicture = true }
      scan.slices += 1
      if kind == .idrSlice { scan.idrSlices += 1 }
      for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: unit.count >> Int(shift))) }
      bytes.append(contentsOf: unit)
    }
  }

  private mutating func keepParameterSets() throws(EncodingError) {
    guard !pending.sequence.isEmpty, !pending.picture.isEmpty else { return }
    if let parameterSets {
      guard pending == parameterSets else { throw broken("other parameter sets than before") }
    } else {
      parameterSets = pending
    }
  }

  private func broken(_ reason: String) -> EncodingError { .packet(library: library, reason: reason) }
}
