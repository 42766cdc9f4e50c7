public import Media

/// Whether the encoder keeps up with the camera, and what is given up when it does not: values in, values out.
///
/// The order is fixed: first less effort for each picture (the same size and rate, a poorer picture), after half a second of
/// overload and so before the buffers of most cameras are full. Then pictures find no room and are lost, here and there. Where
/// that costs more than a third of them for two seconds, every second one is left out: that is evenly spaced, and leaves
/// the machine to sound and card. Each step is taken back after a calm time that grows when it turns out to have been too
/// short. Capture never waits for any of it.
public struct EncodingLoad: Sendable {
  /// What is given up, in that order.
  public enum Level: Int, Hashable, Sendable, CaseIterable, Comparable {
    case full, lessEffort, halfRate

    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  public struct Limits: Hashable, Sendable {
    /// The encoder is judged once in this time.
    public var window = Nanoseconds.milliseconds(500)
    /// Overload: the encoder is at work for this share of a window.
    public var overload = 0.92
    /// Every second picture is left out where fewer than this share of them is made otherwise, for so many windows.
    public var made = 0.67
    public var windowsOfLoss = 4
    /// Calm enough for full effort, which costs up to three times as much.
    public var calm = 0.33
    /// Calm enough for the whole rate, which costs twice as much: a few pictures that find no room are less than half of them.
    public var calmAtHalfRate = 0.6
    /// How long it must be calm; doubled, up to `longestPatience`, when a step back has to be taken again soon. At half the
    /// rate shorter: a short overload must not cost pictures for long.
    public var patience = Nanoseconds.seconds(10)
    public var patienceAtHalfRate = Nanoseconds.seconds(2)
    public var longestPatience = Nanoseconds.seconds(160)

    public init() {}
  }

  public let limits: Limits
  public private(set) var level = Level.full
  /// The share of the last window in which the encoder was at work; 0 before the first.
  public private(set) var share = 0.0

  private let frameInterval: Nanoseconds
  private let canLowerEffort: Bool
  private var windowStart: MonotonicTime?
  private var busy = Nanoseconds.zero
  private var made: Int64 = 0
  private var windowsOfLoss = 0
  private var calmSince: MonotonicTime?
  /// By how much the patience has grown: 1, 2, 4, …
  private var growth: Int64 = 1
  private var lastReturn: MonotonicTime?
  private var isOdd = false

  /// - Parameter canLowerEffort: the encoder has a lower effort than the one configured.
  public init(canLowerEffort: Bool, frameInterval: Nanoseconds, limits: Limits = Limits()) {
    self.limits = limits
    self.frameInterval = frameInterval
    self.canLowerEffort = canLowerEffort
  }

  private var patience: Nanoseconds {
    min((level == .halfRate ? limits.patienceAtHalfRate : limits.patience) * growth, limits.longestPatience)
  }

  /// Whether the next picture is to be encoded; false: it is left out, and counted as lost. Call once for each picture.
  public mutating func takesNext() -> Bool {
    guard level == .halfRate else { return true }
    isOdd.toggle()
    return isOdd
  }

  /// Takes in one picture. O(1), no allocation.
  ///
  /// - Parameters:
  ///   - busy: how long the encoder was at work on it; nil for one that was left out.
  /// - Returns: the new level, when it changed.
  public mutating func note(busy: Nanoseconds?, now: MonotonicTime) -> Level? {
    guard let start = windowStart else {
      windowStart = now
      return nil
    }
    if let busy {
      self.busy = self.busy + busy
      made += 1
    }
    let length = now - start
    guard length >= limits.window else { return nil }
    share = min(1, Double(self.busy.count) / Double(length.count))
    let expected = Double(length.count) / Double(max(1, frameInterval.count))
    let loses = share >= limits.overload && Double(made) < expected * limits.made
    windowsOfLoss = loses ? windowsOfLoss + 1 : 0
    windowStart = now
    self.busy = .zero
    made = 0
    guard share >= limits.overload else { return takeBack(now: now) }
    calmSince = nil
    switch level {
    case .full where canLowerEffort: return giveUp(.lessEffort, now: now)
    case .full, .lessEffort: return windowsOfLoss >= limits.windowsOfLoss ? giveUp(.halfRate, now: now) : nil
    case .halfRate: return nil
    }
  }

  private mutating func giveUp(_ next: Level, now: MonotonicTime) -> Level {
    // What was taken back had to be given up again: wait longer the next time.
    if let lastReturn, now - lastReturn < min(limits.patience * growth, limits.longestPatience) + limits.patience * 2 {
      growth = min(growth * 2, 1 << 10)
    } else {
      growth = 1
    }
    level = next
    windowsOfLoss = 0
    isOdd = false
    return next
  }

  private mutating func takeBack(now: MonotonicTime) -> Level? {
    guard level > .full, share < (level == .halfRate ? limits.calmAtHalfRate : limits.calm) else {
      calmSince = nil
      return nil
    }
    let since = calmSince ?? now
    calmSince = since
    guard now - since >= patience else { return nil }
    calmSince = nil
    lastReturn = now
    level = level == .halfRate && canLowerEffort ? .lessEffort : .full
    return level
  }
}
