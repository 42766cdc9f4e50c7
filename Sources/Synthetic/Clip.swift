import Media

/// A file of compressed pictures that is played in place of a camera, for tests and measurements: JPEGs one after the other, or
/// an H.264 byte stream (`ffmpeg -f mjpeg`, `-f h264`). It is played again from its start when it ends.
public struct Clip: Sendable {
  /// How its pictures are coded.
  public enum Coding: Hashable, Sendable { case jpeg, h264 }

  public let coding: Coding
  /// Pixels, as the pictures themselves say.
  public let width: Int
  public let height: Int
  /// The file.
  public let bytes: [UInt8]
  /// Where each picture lies in it; never empty. Of H.264 each is an access unit with what stands before its first slice.
  public let pictures: [Range<Int>]

  /// Nil when there is no picture in it, or of H.264 no sequence parameter set. Costs one pass over all bytes.
  public init?(_ bytes: [UInt8], coding: Coding) {
    self.bytes = bytes
    self.coding = coding
    switch coding {
    case .jpeg:
      pictures = Self.jpegs(bytes)
      guard let first = pictures.first, let picture = JPEGPicture(bytes.span.bytes.extracting(first)) else {
        return nil
      }
      (width, height) = (picture.width, picture.height)
    case .h264:
      pictures = Self.accessUnits(bytes)
      guard let first = pictures.first else { return nil }
      var units = H264AccessUnits()
      _ = units.take(bytes.span.bytes.extracting(first))
      guard let header = units.sequenceHeader else { return nil }
      (width, height) = (header.width, header.height)
    }
  }

  /// The bytes of the picture that is number `number`, the file played again and again.
  public func withPicture<Value>(_ number: Int64, _ body: (RawSpan) -> Value) -> Value {
    body(bytes.span.bytes.extracting(pictures[Int(number % Int64(pictures.count))]))
  }

  /// From each start marker that follows an end marker to the next.
  private static func jpegs(_ bytes: [UInt8]) -> [Range<Int>] {
    var starts: [Int] = []
    for index in stride(from: 0, to: bytes.count - 3, by: 1)
    where bytes[index] == 0xFF && bytes[index + 1] == 0xD8 && bytes[index + 2] == 0xFF {
      let followsEnd = index >= 2 && bytes[index - 2] == 0xFF && bytes[index - 1] == 0xD9
      if index == 0 || followsEnd { starts.append(index) }
    }
    return starts.indices.map { starts[$0]..<($0 + 1 < starts.count ? starts[$0 + 1] : bytes.count) }
  }

  /// A picture begins at the first unit that can only stand before one, or at its first slice: one whose first macroblock
  /// is 0, which is the bit 1 behind the unit's header (ITU-T H.264, 7.4.1.2.3).
  private static func accessUnits(_ bytes: [UInt8]) -> [Range<Int>] {
    let span = bytes.span.bytes
    var starts: [Int] = []
    var hasSlice = true
    var walk = AnnexB()
    while let unit = walk.next(in: span) {
      let type = AnnexB.type(of: unit, in: span)
      let isSlice = type == AnnexB.UnitType.slice || type == AnnexB.UnitType.idrSlice
      let begins = isSlice ? unit.count > 1 && bytes[unit.lowerBound + 1] & 0x80 != 0 : (6...9).contains(type)
      if begins, hasSlice {
        starts.append(unit.lowerBound - 3)
        hasSlice = false
      }
      hasSlice = hasSlice || isSlice
    }
    // What stands before the first slice at the end is no picture.
    if !hasSlice { starts.removeLast() }
    return starts.indices.map { starts[$0]..<($0 + 1 < starts.count ? starts[$0 + 1] : bytes.count) }
  }
}
