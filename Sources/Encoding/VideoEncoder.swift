public import Media

/// Which library makes the H.264.
public enum VideoEncoderKind: String, CaseIterable, Hashable, Sendable {
  /// libx264; the binary is then under the GPL. Trait `X264`.
  case x264
  /// libopenh264 (BSD). Trait `OpenH264`.
  case openH264 = "openh264"

  /// Those in this build, best picture first.
  public static var available: [VideoEncoderKind] {
    var kinds: [VideoEncoderKind] = []
    #if X264
      kinds.append(.x264)
    #endif
    #if OpenH264
      kinds.append(.openH264)
    #endif
    return kinds
  }

  /// Whether no stretch of the stream exceeds `VideoEncoderSettings.peakBytes(in:)`. libx264's rate control lowers the
  /// quality within a picture to hold it. libopenh264 corrects itself from picture to picture: where noise comes suddenly
  /// it was seen to exceed the peak by three quarters of a buffer of one second, so leave room, a quarter or more.
  public var guaranteesPeak: Bool { self == .x264 }

  static var availableNames: String { available.map(\.rawValue).joined(separator: ", ") }

  /// Opens an encoder; allocates all that it will need. Throws `notBuilt`, `setting`, `open` or `parameterSets`.
  public func open(_ settings: VideoEncoderSettings) throws(EncodingError) -> any VideoEncoder {
    switch self {
    case .x264:
      #if X264
        return try X264Encoder(settings)
      #else
        throw .notBuilt(self)
      #endif
    case .openH264:
      #if OpenH264
        return try OpenH264Encoder(settings)
      #else
        throw .notBuilt(self)
      #endif
    }
  }
}

/// An H.264 encoder in software: one packet for each picture, at once, in the same order (no B pictures, no delay).
///
/// Opened and used on one thread.
public protocol VideoEncoder: AnyObject {
  var settings: VideoEncoderSettings { get }

  /// The same for the encoder's whole life; packets do not repeat them.
  var parameterSets: H264ParameterSets { get }

  /// Encodes one picture and calls `emit` exactly once, before it returns, with its packet: slices only, each with a
  /// 4-byte length. The header carries `time` and `position` as given; it has the flag `keyframe` if and only if the
  /// picture is an IDR picture, which happens for the first and where `forceKeyframe` is true, and never otherwise.
  ///
  /// The bytes are lent for the call. `layout` must have the encoder's size and fit into `picture`; `time` must be after
  /// that of the picture before. After any error but `inputSize` and `timeNotIncreasing` the encoder must be replaced.
  func encode(
    picture: RawSpan, layout: I420Layout, time: MonotonicTime, position: Int64, forceKeyframe: Bool,
    emit: (PacketHeader, RawSpan) -> Void
  ) throws(EncodingError)

  /// Whether pictures can be made with less work than configured, at a loss of quality and of nothing else.
  var canLowerEffort: Bool { get }

  /// From the next picture on: the least work, or again what was configured. Parameter sets, size and peak stay.
  /// Throws `.setting` when the library refuses; then nothing has changed.
  func setEffort(lowered: Bool) throws(EncodingError)
}

extension VideoEncoder {
  /// What every encoder demands of a picture before its library sees it.
  func checkInput(bytes: Int, layout: I420Layout, time: MonotonicTime, last: MonotonicTime?) throws(EncodingError) {
    guard layout.width == settings.width, layout.height == settings.height, bytes >= layout.byteCount else {
      throw .inputSize(given: bytes, needed: layout.byteCount)
    }
    if let last, time <= last { throw .timeNotIncreasing(time, after: last) }
  }
}
