/// The last seconds of raw sound, for a trigger whose decision comes later than its first edge. Allocated once.
struct SoundHistory {
  private var samples: [Int16]
  private let channels: Int
  private let capacity: Int
  /// Position after the newest sample, and how many before it are held.
  private var end: Int64 = 0
  private var held = 0

  /// - Parameter samples: how many are held for each channel.
  init(samples: Int, channels: Int) {
    capacity = max(samples, 960)
    self.channels = channels
    self.samples = [Int16](repeating: 0, count: capacity * channels)
  }

  /// Takes a block; a jump of positions forgets what came before it.
  mutating func append(_ block: Span<Int16>, position: Int64) {
    let count = block.count / channels
    if position != end { held = 0 }
    for index in 0..<count {
      let slot = Int((position + Int64(index)) % Int64(capacity)) * channels
      for channel in 0..<channels { samples[slot + channel] = block[index * channels + channel] }
    }
    end = position + Int64(count)
    held = min(held + count, capacity)
  }

  /// Forgets everything and overwrites it.
  mutating func wipe() {
    held = 0
    for index in samples.indices { samples[index] = 0 }
  }

  /// Hands over everything held, oldest first, in runs that do not wrap.
  func replay(_ body: (Span<Int16>, Int64) -> Void) {
    var position = end - Int64(held)
    while position < end {
      let slot = Int(position % Int64(capacity))
      let count = min(Int(end - position), capacity - slot)
      body(samples.span.extracting(slot * channels..<(slot + count) * channels), position)
      position += Int64(count)
    }
  }
}
