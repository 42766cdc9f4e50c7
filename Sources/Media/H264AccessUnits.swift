/// Takes what an H.264 camera delivers, one access unit of the byte stream in each buffer, and makes of it what MP4 holds:
/// NAL units with lengths of four bytes. The parameter sets are kept apart; slices and supplements (SEI) are not touched;
/// delimiters and filler, which say nothing, are left out.
///
/// One thread. Its memory grows to the largest picture and is kept: after the first pictures nothing is allocated.
public struct H264AccessUnits: Sendable {
  /// What one buffer is.
  public enum Outcome: Hashable, Sendable {
    /// A picture, in `bytes`.
    case picture(Picture)
    /// Only parameter sets and the like.
    case noPicture
    /// No unit of it is a slice that can be read, or it holds two pictures: a packet cannot say what it is.
    case unreadable
    /// The parameter sets are not those of before: what follows needs another init. `parameterSets` is as it was.
    case changedParameterSets
  }

  public struct Picture: Hashable, Sendable {
    /// An IDR picture: decoding can begin here.
    public var isKeyframe: Bool
    /// Its first slice is there.
    public var isWhole: Bool
    /// It is shown before one that came before it.
    public var stepsBack: Bool
    /// Decoding may begin near here, but pictures before it are referred to (SEI, recovery point).
    public var isRecoveryPoint: Bool

    public init(isKeyframe: Bool, isWhole: Bool, stepsBack: Bool = false, isRecoveryPoint: Bool = false) {
      self.isKeyframe = isKeyframe
      self.isWhole = isWhole
      self.stepsBack = stepsBack
      self.isRecoveryPoint = isRecoveryPoint
    }
  }

  /// Nil until both came. Given at the start, others are a change.
  public var parameterSets: H264ParameterSets? {
    guard !sequence.isEmpty, !picture.isEmpty else { return nil }
    return H264ParameterSets(sequence: sequence, picture: picture)
  }
  public private(set) var sequenceHeader: H264SequenceHeader?
  /// The last picture, with lengths.
  public private(set) var bytes: [UInt8] = []

  private var sequence: [UInt8] = []
  private var picture: [UInt8] = []
  private var lastOrder: UInt32?

  public init(parameterSets: H264ParameterSets? = nil) {
    bytes.reserveCapacity(256 << 10)
    guard let parameterSets else { return }
    sequence = parameterSets.sequence
    picture = parameterSets.picture
    sequenceHeader = H264SequenceHeader(sequence)
  }

  public mutating func take(_ buffer: RawSpan) -> Outcome {
    bytes.removeAll(keepingCapacity: true)
    var found: Picture?
    var (hasUnits, isRecoveryPoint, isBroken) = (false, false, false)
    var walk = AnnexB()
    while let unit = walk.next(in: buffer) {
      hasUnits = true
      let type = AnnexB.type(of: unit, in: buffer)
      switch type {
      case AnnexB.UnitType.sequenceParameters:
        guard keep(unit, of: buffer, as: \.sequence) else { return .changedParameterSets }
        if sequenceHeader == nil { sequenceHeader = H264SequenceHeader(sequence) }
      case AnnexB.UnitType.pictureParameters:
        guard keep(unit, of: buffer, as: \.picture) else { return .changedParameterSets }
      case AnnexB.UnitType.slice, AnnexB.UnitType.idrSlice:
        // Before the first parameter sets nothing can be read.
        guard let sequenceHeader else { continue }
        guard let header = H264SliceHeader(unit: unit, in: buffer, sequence: sequenceHeader) else {
          isBroken = true
          continue
        }
        let isKeyframe = type == AnnexB.UnitType.idrSlice
        if found == nil {
          found = Picture(
            isKeyframe: isKeyframe, isWhole: header.firstMacroblock == 0,
            stepsBack: stepsBack(header, isKeyframe: isKeyframe))
        } else if header.firstMacroblock == 0, sequenceHeader.isInterlaced == false {
          isBroken = true
        }
        append(unit, of: buffer)
      case AnnexB.UnitType.supplement:
        isRecoveryPoint = isRecoveryPoint || Self.isRecoveryPoint(unit, in: buffer)
        append(unit, of: buffer)
      // Data partitions, extensions and whatever else is reserved stay where they are; ends and filler go.
      case 2...4, 13...: append(unit, of: buffer)
      default: break
      }
    }
    if isBroken || !hasUnits { return .unreadable }
    guard var found else { return .noPicture }
    found.isRecoveryPoint = isRecoveryPoint
    return .picture(found)
  }

  /// False when it is another than the one that is known.
  private mutating func keep(
    _ unit: Range<Int>, of buffer: RawSpan, as place: WritableKeyPath<H264AccessUnits, [UInt8]>
  ) -> Bool {
    // An init has 16 bits for its length, and none that a camera makes is longer than some dozens of bytes: a start code is lost.
    guard unit.count <= 4_096 else { return true }
    if self[keyPath: place].isEmpty {
      self[keyPath: place] = buffer.extracting(unit).withUnsafeBytes { Array($0) }
      return true
    }
    return buffer.extracting(unit).withUnsafeBytes { $0.elementsEqual(self[keyPath: place]) }
  }

  private mutating func append(_ unit: Range<Int>, of buffer: RawSpan) {
    let length = UInt32(truncatingIfNeeded: unit.count)
    for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
    buffer.extracting(unit).withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  private mutating func stepsBack(_ header: H264SliceHeader, isKeyframe: Bool) -> Bool {
    guard let sequenceHeader, let order = header.order else {
      // Order type 1 has a cycle instead: there only pictures that are predicted from both sides step back.
      return header.isBidirectional && sequenceHeader?.orderType == 1
    }
    defer { lastOrder = order }
    guard !isKeyframe, let lastOrder else { return false }
    // Read as a signed distance of `orderBits` bits: a wrap is a step forward.
    let span: UInt32 = 1 << UInt32(sequenceHeader.orderBits)
    return (order &- lastOrder) % span > span / 2
  }

  /// Payload type 6 (D.1.8) as the first message of the unit.
  private static func isRecoveryPoint(_ unit: Range<Int>, in buffer: RawSpan) -> Bool {
    // Inside, by the check; a byte has every value.
    unit.count >= 3 && buffer.unsafeLoad(fromByteOffset: unit.lowerBound + 1, as: UInt8.self) == 6
  }
}
