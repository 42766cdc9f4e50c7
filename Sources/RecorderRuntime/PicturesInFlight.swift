import Media

/// The times of the pictures that were given to an encoder and whose packets have not come, oldest first: so that each
/// picture either becomes a packet or is counted as lost, however late the encoder is. Pure.
struct PicturesInFlight {
  private var times: [MonotonicTime] = []
  /// Every picture up to here is a packet or counted as lost; before the first one, of nothing.
  private(set) var accountedUntil = MonotonicTime.distantPast

  init() { times.reserveCapacity(32) }

  var count: Int { times.count }

  mutating func give(_ time: MonotonicTime) { times.append(time) }

  /// The packet of this picture came. Returns how many before it will have none.
  mutating func come(_ time: MonotonicTime) -> Int {
    let skipped = times.prefix { $0 < time }.count
    times.removeFirst(skipped)
    if times.first == time { times.removeFirst() }
    accountedUntil = time
    return skipped
  }

  /// The encoder is given up. Returns how many pictures were in it, and the time in which they lay.
  mutating func abandon() -> (count: Int, from: MonotonicTime, until: MonotonicTime)? {
    guard let first = times.first, let last = times.last else { return nil }
    defer {
      times.removeAll(keepingCapacity: true)
      accountedUntil = last
    }
    return (times.count, accountedUntil == .distantPast ? first : accountedUntil, last)
  }
}
