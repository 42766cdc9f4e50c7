import Media

/// The times of the pictures that were given to an encoder and whose packets have not come, oldest first: so that each
/// picture either becomes a packet or is counted as lost, however late the encoder is. Pure.
struct PicturesInFlight {
  private var times: [MonotonicTime] = []
  /// Of the last packet; before the first one, of nothing.
  private(set) var lastPacket = MonotonicTime.distantPast

  init() { times.reserveCapacity(32) }

  var count: Int { times.count }

  mutating func give(_ time: MonotonicTime) { times.append(time) }

  /// The packet of this picture came. Returns how many before it will have none.
  mutating func come(_ time: MonotonicTime) -> Int {
    let skipped = times.prefix { $0 < time }.count
    times.removeFirst(skipped)
    if times.first == time { times.removeFirst() }
    lastPacket = time
    return skipped
  }

  /// The encoder is given up. Returns how many pictures were in it, and the time of the last of them.
  mutating func abandon() -> (count: Int, until: MonotonicTime)? {
    guard let last = times.last else { return nil }
    defer { times.removeAll(keepingCapacity: true) }
    return (times.count, last)
  }
}
