/// What the opened footage holds, counted from its own tables (`tfdt`, `trun`, `emsg`), for people and tools.
public struct FootageSummary: Hashable, Sendable {
  /// A stretch of the timeline for which a track has nothing; seconds.
  public struct Gap: Hashable, Sendable {
    public let from: Double
    public let to: Double
    public var length: Double { to - from }
  }

  public struct Track: Hashable, Sendable {
    public let track: OpenedInit.Track
    /// Pictures, or packets of sound.
    public let count: Int
    /// Seconds on the recording's timeline: the start of the first, the end of the last.
    public let start: Double
    public let end: Double
    /// The usual distance of two samples in seconds (their median).
    public let interval: Double
    /// The longest distance of two samples in seconds.
    public let largestInterval: Double
    /// Where two samples lie more than 1.5 usual intervals apart.
    public let gaps: [Gap]
    /// Samples that do not begin after the one before.
    public let steps: Int

    public var duration: Double { end - start }
    /// Sound samples at the track's rate; 0 for pictures.
    public var audioSamples: Int {
      guard track.kind == .audio else { return 0 }
      // Times come from the file: a product that no recording has must not trap.
      return max(0, Int(min((Double(count) * interval * Double(track.timescale)).rounded(), 0x1p53)) - track.preSkip)
    }
  }

  /// What the wearer or the recorder noted inside the footage.
  public struct Marker: Hashable, Sendable {
    /// Seconds on the recording's timeline.
    public let time: Double
    public let value: String
    public let message: String
  }

  public let tracks: [Track]
  public let markers: [Marker]
  /// The `key=value` facts of the first init that was read.
  public let facts: [String: String]
}

/// Collects the times of a recording's samples; 8 bytes for each.
struct FootageTimeline {
  private struct Samples {
    let track: OpenedInit.Track
    var starts: [Int64] = []
    var end: Int64 = 0
  }

  private var samples: [UInt32: Samples] = [:]
  private var markers: [FootageSummary.Marker] = []
  private var facts: [String: String]?

  mutating func add(_ start: OpenedInit) {
    if facts == nil { facts = start.facts }
    for track in start.tracks where samples[track.id] == nil { samples[track.id] = Samples(track: track) }
  }

  mutating func add(_ event: FootageWalker.Event) {
    switch event {
    case .fragment(let fragment):
      for track in fragment.tracks {
        samples[track.id]?.starts += track.times.dropLast()
        samples[track.id]?.end = track.times.last ?? 0
      }
    case .message(let message):
      markers.append(.init(time: message.time, value: message.value, message: message.message))
    case .fragmentEnd: break
    }
  }

  func summary() -> FootageSummary {
    FootageSummary(
      tracks: samples.values.sorted { $0.track.id < $1.track.id }.map(Self.summary), markers: markers,
      facts: facts ?? [:])
  }

  private static func summary(_ samples: Samples) -> FootageSummary.Track {
    let scale = Double(samples.track.timescale)
    let starts = samples.starts
    let intervals = zip(starts, starts.dropFirst()).map { $1 - $0 }
    let forward = intervals.filter { $0 > 0 }.sorted()
    let usual = forward.isEmpty ? max(0, samples.end - (starts.last ?? samples.end)) : forward[forward.count / 2]
    let gaps = zip(starts, intervals).filter { usual > 0 && 2 * $0.1 > 3 * usual }.map { start, interval in
      FootageSummary.Gap(from: Double(start + usual) / scale, to: Double(start + interval) / scale)
    }
    return FootageSummary.Track(
      track: samples.track, count: starts.count, start: Double(starts.first ?? 0) / scale,
      end: Double(max(samples.end, starts.first ?? 0)) / scale, interval: Double(usual) / scale,
      largestInterval: Double(intervals.max() ?? 0) / scale, gaps: gaps, steps: intervals.count { $0 <= 0 })
  }
}
