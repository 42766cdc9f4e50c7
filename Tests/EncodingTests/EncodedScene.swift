import Encoding
import Media
import Synthetic
import Testing

/// Some seconds of the synthetic camera, encoded.
struct EncodedScene {
  struct Packet {
    var header: PacketHeader
    var bytes: [UInt8]

    /// The NAL units by their 4-byte lengths; nil if these do not fit the packet.
    var units: [ArraySlice<UInt8>]? {
      var units: [ArraySlice<UInt8>] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        guard rest.count > 4 else { return nil }
        let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= rest.count - 4 else { return nil }
        units.append(rest.dropFirst(4).prefix(length))
        rest = rest.dropFirst(4 + length)
      }
      return units
    }
  }

  let settings: VideoEncoderSettings
  let parameterSets: H264ParameterSets
  private(set) var packets: [Packet] = []
  /// The time and number of each picture, as given to the encoder.
  private(set) var given: [(time: MonotonicTime, position: Int64)] = []

  /// A day and a bit after boot, so that times have their usual size.
  static let start = MonotonicTime(nanoseconds: 98_765_432_109_876)

  /// `lost`: numbers of frames that the camera lost. `jitter`: times of frames vary by this much.
  /// `lowered`: numbers of the frames that are made with the least work.
  init(
    _ kind: VideoEncoderKind, _ settings: VideoEncoderSettings, frames: Int, noise: Int = 0,
    lost: Set<Int> = [], jitter: Nanoseconds = .zero, keyframeAt requested: Set<Int> = [], lowered: Range<Int> = 0..<0
  ) throws {
    let encoder = try kind.open(settings)
    self.settings = settings
    parameterSets = encoder.parameterSets
    let layout = try #require(I420Layout(width: settings.width, height: settings.height))
    let camera = SyntheticCamera(layout: layout, frameInterval: settings.frameInterval, noise: noise)
    var cadence = KeyframeCadence(gop: settings.gop, frameInterval: settings.frameInterval)
    var picture = [UInt8](repeating: 0, count: layout.byteCount)
    for frame in 0..<frames where !lost.contains(frame) {
      if frame == lowered.lowerBound, !lowered.isEmpty { try encoder.setEffort(lowered: true) }
      if frame == lowered.upperBound, !lowered.isEmpty { try encoder.setEffort(lowered: false) }
      let since = settings.frameInterval * Int64(frame) + jitter * Int64(frame * 7 % 3 - 1)
      picture.withUnsafeMutableBytes { _ = camera.draw(frame: UInt32(frame), time: since, into: $0) }
      let time = Self.start + since
      if requested.contains(frame) { cadence.request() }
      var emitted: [Packet] = []
      try encoder.encode(
        picture: picture.span.bytes, layout: layout, time: time, position: Int64(frame),
        forceKeyframe: cadence.wantsKeyframe(at: time)
      ) { header, bytes in
        emitted.append(Packet(header: header, bytes: bytes.withUnsafeBytes { [UInt8]($0) }))
      }
      #expect(emitted.count == 1, "frame \(frame)")
      packets += emitted
      given.append((time, Int64(frame)))
    }
  }

  /// The stream with start codes, as decoders of plain H.264 want it.
  func annexB() throws -> [UInt8] {
    var stream: [UInt8] = [0, 0, 0, 1] + parameterSets.sequence + [0, 0, 0, 1] + parameterSets.picture
    for packet in packets { for unit in try #require(packet.units) { stream += [0, 0, 0, 1] + unit } }
    return stream
  }

  /// The numbers of the frames that became keyframes.
  var keyframes: [Int64] { packets.filter(\.header.isKeyframe).map(\.header.position) }

  /// By how much the packets exceed peak × length + buffer in their worst stretch, in bytes; negative: they never do.
  func excess(from first: Int = 0) -> Int {
    var worst = Int.min
    var level = 0.0
    // A bucket that fills with each packet and leaks at the peak rate holds the worst stretch that ends here.
    for packet in packets[first...] {
      level += Double(packet.bytes.count)
      worst = max(worst, Int(level) - settings.bufferBytes)
      level = max(0, level - Double(settings.peakBitrate) / 8 * settings.frameInterval.inSeconds)
    }
    return worst
  }
}
