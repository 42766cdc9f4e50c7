/// What the markers of a JPEG say before its entropy-coded data begins (ITU-T T.81, annex B). Pure.
struct JPEGHeader: Hashable, Sendable {
  var size: FrameSize
  /// 1 is grey, 3 is colour.
  var components: Int

  /// Reads up to the frame header. Cost: the segments' lengths, not their content.
  init(_ bytes: RawSpan) throws(ConversionError) {
    func byte(_ offset: Int) throws(ConversionError) -> Int {
      // In bounds: checked here, and a byte has every value.
      guard offset < bytes.byteCount else { throw .truncatedJPEG }
      return Int(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
    }
    func word(_ offset: Int) throws(ConversionError) -> Int { try byte(offset) << 8 | byte(offset + 1) }

    guard bytes.byteCount >= 2 else { throw .truncatedJPEG }
    guard try word(0) == 0xFFD8 else { throw .notAJPEG }
    var offset = 2
    while true {
      guard try byte(offset) == 0xFF else { throw .notAJPEG }
      let marker = try byte(offset + 1)
      switch marker {
      case 0xFF:  // Fill byte (B.1.1.2).
        offset += 1
      case 0xC0, 0xC1, 0xC2:
        guard try word(offset + 2) >= 8 else { throw .notAJPEG }
        size = FrameSize(width: try word(offset + 7), height: try word(offset + 5))
        components = try byte(offset + 9)
        return
      case 0xD8, 0xD9, 0xDA, 0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        // Data or an end before any frame header, or a process that no camera uses (lossless, arithmetic).
        throw .notAJPEG
      case 0x01, 0xD0...0xD7:  // Markers without a segment.
        offset += 2
      default:
        let length = try word(offset + 2)
        guard length >= 2 else { throw .notAJPEG }
        offset += 2 + length
      }
    }
  }
}
