public import Media

/// What started, extended or marked a recording.
public struct Trigger: Hashable, Sendable {
  /// Closed list; the raw value is stored with the recording.
  public enum Source: String, Hashable, Sendable, CaseIterable {
    case button, socket, demo, schedule, radio
    /// A radio signal that anybody can send.
    case unauthenticatedRadio = "radio_unauthenticated"
  }

  /// The gesture, or what a signal or an external program says that happened. Closed list; stored with the recording.
  public enum Reason: String, Hashable, Sendable, CaseIterable {
    case press
    case doublePress = "double"
    case hold
    case holster
    case lightBar = "light_bar"
    case door, vehicle, impact, weapon
    case peerCamera = "peer_camera"
    case motion, fall, manual, test, other
  }

  public var source: Source
  /// Nil where the source says all.
  public var reason: Reason?
  /// The time of the gesture's first edge by the kernel: the recording's pre-event counts from here.
  public var time: MonotonicTime
  /// When the gesture was understood; at most the configured span after `time`.
  public var decided: MonotonicTime
  /// How long the machine had slept since it booted: CLOCK_BOOTTIME less CLOCK_MONOTONIC. Kept with the trigger, because two
  /// readings are never quite the same and its time tells it from others.
  public var asleep: Nanoseconds
  /// More for inside the footage: `key=value`, a line each; nil: nothing.
  public var detail: String?

  public init(
    source: Source, reason: Reason? = nil, time: MonotonicTime, decided: MonotonicTime, asleep: Nanoseconds = .zero,
    detail: String? = nil
  ) {
    self.detail = detail
    self.asleep = asleep
    self.source = source
    self.reason = reason
    self.time = time
    self.decided = decided
  }
}
