import Media

/// Reads the pictures of a camera that compresses them itself, one buffer at a time, and lends out what is to be recorded of
/// each. Pure but for its memory, which is kept.
struct PictureReader {
  typealias Picture = H264AccessUnits.Picture

  /// What became of a buffer.
  enum Outcome: Hashable {
    case picture(Picture)
    /// Nothing is wrong with it, and there is no picture in it.
    case noPicture
    /// Nothing of it could be shown, or it has another size than the recording says.
    case unreadable
    /// What follows cannot be decoded with the recording's parameter sets.
    case changedParameterSets
  }

  private enum Coding {
    case jpeg(width: Int, height: Int)
    case h264(H264AccessUnits)
  }

  private var coding: Coding

  /// - Parameter codec: H.264 with the parameter sets that are expected.
  init(_ codec: VideoCodec, width: Int, height: Int) {
    switch codec {
    case .jpeg: coding = .jpeg(width: width, height: height)
    case .h264(let sets): coding = .h264(H264AccessUnits(parameterSets: sets))
    }
  }

  /// H.264 whose parameter sets are not known yet.
  static func unknownH264() -> PictureReader { PictureReader(coding: .h264(H264AccessUnits())) }

  private init(coding: Coding) { self.coding = coding }

  /// What an init would say; nil as long as no parameter sets came.
  var codec: VideoCodec? {
    switch coding {
    case .jpeg: .jpeg
    case .h264(let units): units.parameterSets.map { .h264($0) }
    }
  }

  var sequenceHeader: H264SequenceHeader? {
    switch coding {
    case .jpeg: nil
    case .h264(let units): units.sequenceHeader
    }
  }

  /// - Parameter body: is lent the bytes of the packet when there is a picture.
  mutating func read(_ buffer: RawSpan, _ body: (Picture, RawSpan) -> Void) -> Outcome {
    switch coding {
    case .jpeg(let width, let height):
      guard let jpeg = JPEGPicture(buffer), jpeg.width == width, jpeg.height == height else { return .unreadable }
      let picture = Picture(isKeyframe: true, isWhole: jpeg.isWhole)
      body(picture, buffer.extracting(first: jpeg.byteCount))
      return .picture(picture)
    case .h264(var units):
      // Taken out while it is changed: its memory stays its own.
      coding = .jpeg(width: 0, height: 0)
      defer { coding = .h264(units) }
      switch units.take(buffer) {
      case .noPicture: return .noPicture
      case .unreadable: return .unreadable
      case .changedParameterSets: return .changedParameterSets
      case .picture(let picture):
        body(picture, units.bytes.span.bytes)
        return .picture(picture)
      }
    }
  }
}
