public import Media

/// Frames in a second as a reduced ratio: 30/1, 30000/1001. Both parts are positive.
public struct FrameRate: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let frames: UInt32
  public let seconds: UInt32

  /// `frames` in `seconds`. Nil if either is 0, which drivers use for "unknown".
  public init?(frames: UInt32, seconds: UInt32) {
    guard frames > 0, seconds > 0 else { return nil }
    var (a, b) = (frames, seconds)
    while b != 0 { (a, b) = (b, a % b) }
    self.frames = frames / a
    self.seconds = seconds / a
  }

  /// Whole frames a second, at least 1.
  public init(perSecond frames: UInt32) {
    self.frames = max(1, frames)
    self.seconds = 1
  }

  /// The time from one frame to the next.
  public var interval: Nanoseconds { Nanoseconds(Int64(seconds) * 1_000_000_000 / Int64(frames)) }

  /// True within 0.5 %: cameras offer 30000/1001 and mean 30.
  public func isNear(_ other: FrameRate) -> Bool {
    let (mine, theirs) = (UInt64(frames) * UInt64(other.seconds), UInt64(other.frames) * UInt64(seconds))
    return max(mine, theirs) - min(mine, theirs) <= theirs / 200
  }

  public static func < (left: FrameRate, right: FrameRate) -> Bool {
    UInt64(left.frames) * UInt64(right.seconds) < UInt64(right.frames) * UInt64(left.seconds)
  }

  /// Frames a second with at most two decimals: `30`, `29.97`, `12.5`.
  public var description: String {
    let hundredths = (UInt64(frames) * 100 + UInt64(seconds) / 2) / UInt64(seconds)
    let (whole, rest) = (hundredths / 100, hundredths % 100)
    if rest == 0 { return "\(whole)" }
    return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }
}

/// Pixels.
public struct FrameSize: Hashable, Sendable, CustomStringConvertible {
  public var width: Int
  public var height: Int

  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  public var description: String { "\(width)x\(height)" }
}

/// What a camera delivers.
public struct CameraFormat: Hashable, Sendable, CustomStringConvertible {
  public var pixelFormat: PixelFormat
  public var size: FrameSize
  public var rate: FrameRate

  public init(pixelFormat: PixelFormat, size: FrameSize, rate: FrameRate) {
    self.pixelFormat = pixelFormat
    self.size = size
    self.rate = rate
  }

  /// `YUYV 640x360 at 30 fps`.
  public var description: String { "\(pixelFormat) \(size) at \(rate) fps" }
}

/// What is asked of a camera.
public struct CameraRequest: Hashable, Sendable {
  /// A path (`/dev/video0`, `/dev/v4l/by-id/…`), or a name that stays when node numbers change: the by-id name, the bus
  /// (`usb-0000:00:14.0-2`) or the card's name as `CameraListing` shows them.
  public var device: String
  public var size: FrameSize
  public var rate: FrameRate
  /// Nil: the cheapest format to convert that has this size and rate.
  public var pixelFormat: PixelFormat?
  /// Set in this order before streaming begins.
  public var controls: [CameraControl]
  /// Without a frame for so long the camera counts as stalled.
  public var stallLimit: Nanoseconds

  public init(
    device: String, size: FrameSize, rate: FrameRate, pixelFormat: PixelFormat? = nil, controls: [CameraControl] = [],
    stallLimit: Nanoseconds = .seconds(2)
  ) {
    self.controls = controls
    self.device = device
    self.size = size
    self.rate = rate
    self.pixelFormat = pixelFormat
    self.stallLimit = stallLimit
  }
}
