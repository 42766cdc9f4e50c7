/// What can be said of one JPEG picture without decoding it (ITU-T T.81, annex B).
///
/// The markers before the first scan are walked by their lengths, and the end marker is looked for from behind: whole
/// pictures cost next to nothing, however large they are. Missing Huffman tables, which many cameras leave out, are no fault:
/// decoders of video know the usual ones (T.81, annex K.3).
public struct JPEGPicture: Hashable, Sendable {
  /// Pixels.
  public let width: Int
  public let height: Int
  /// Bytes from the start marker to the end marker: what a driver adds behind it is no part of the picture. All that there
  /// are when there is no end marker.
  public let byteCount: Int
  /// Whether there is an end marker. Without it the picture was cut short: decoders show its upper part.
  public let isWhole: Bool

  /// Nil for what no decoder could show anything of: it does not begin as a JPEG, or ends before its first scan.
  public init?(_ bytes: RawSpan) {
    // Every index is checked before, and a byte has every value.
    func byte(_ offset: Int) -> UInt8 { bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
    func word(_ offset: Int) -> Int { Int(byte(offset)) << 8 | Int(byte(offset + 1)) }
    let count = bytes.byteCount
    guard count >= 4, word(0) == 0xFFD8 else { return nil }
    var size: (width: Int, height: Int)?
    var offset = 2
    walk: while true {
      guard offset + 4 <= count, byte(offset) == 0xFF else { return nil }
      let marker = byte(offset + 1)
      switch marker {
      case 0xFF:  // A fill byte.
        offset += 1
        continue walk
      case 0x01, 0xD0...0xD7:  // Markers without a segment.
        offset += 2
        continue walk
      case 0x00, 0xD8, 0xD9, 0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        // No marker, a second picture, an end, or a process that no camera uses (lossless, hierarchical, arithmetic).
        return nil
      default: break
      }
      let length = word(offset + 2)
      guard length >= 2, offset + 2 + length <= count else { return nil }
      switch marker {
      case 0xC0, 0xC1, 0xC2:
        guard length >= 8 else { return nil }
        size = (word(offset + 7), word(offset + 5))
      case 0xDA:
        offset += 2 + length
        break walk
      default: break
      }
      offset += 2 + length
    }
    guard let size, size.width > 0, size.height > 0 else { return nil }
    (width, height) = size
    // Inside a scan the byte after FF is 00 or a restart marker: the last FF D9 is the end.
    var end = count
    while end >= offset + 2, word(end - 2) != 0xFFD9 { end -= 1 }
    isWhole = end >= offset + 2
    byteCount = isWhole ? end : count
  }
}
