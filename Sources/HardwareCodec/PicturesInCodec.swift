public import Media

/// The pictures that an encoder took and has not given back, oldest first. Pure; `Facts` is what the caller wants to know
/// again of each.
///
/// A picture is known by its stamp, which the driver copies from the raw buffer to the coded one and which must come back
/// equal. Stamps are microseconds, the unit of `v4l2_buffer.timestamp`, and rise.
public struct PicturesInCodec<Facts: Sendable>: Sendable {
  public struct Picture: Sendable {
    public var stamp: Int64
    /// When it was given to the encoder.
    public var since: MonotonicTime
    public var facts: Facts
  }

  public enum Match: Sendable {
    /// The stamp of this picture. `skipped`: how many before it the encoder dropped, of which nothing will come any more.
    case picture(Picture, skipped: Int)
    /// No picture in the encoder has this stamp.
    case unknown
  }

  private var pictures: [Picture] = []
  private var lastStamp = Int64.min

  public init() { pictures.reserveCapacity(32) }

  public var count: Int { pictures.count }
  /// Since when the oldest one has been waiting.
  public var oldestSince: MonotonicTime? { pictures.first?.since }

  public var oldestStamp: Int64? { pictures.first?.stamp }

  /// The stamp for a picture of this time: its microseconds, or one more than the last stamp where that is not later.
  public func stamp(for time: MonotonicTime) -> Int64 {
    let microseconds = time.nanoseconds / 1_000
    return lastStamp == .min ? microseconds : max(microseconds, lastStamp + 1)
  }

  /// A picture with a stamp from `stamp(for:)` was given to the encoder.
  public mutating func give(_ stamp: Int64, at now: MonotonicTime, _ facts: Facts) {
    lastStamp = stamp
    pictures.append(Picture(stamp: stamp, since: now, facts: facts))
  }

  /// A coded picture with this stamp came back.
  public mutating func take(_ stamp: Int64) -> Match {
    guard let index = pictures.firstIndex(where: { $0.stamp == stamp }) else { return .unknown }
    let picture = pictures[index]
    pictures.removeSubrange(...index)
    return .picture(picture, skipped: index)
  }

  /// Nothing that was given will come back.
  public mutating func removeAll() { pictures.removeAll(keepingCapacity: true) }
}
