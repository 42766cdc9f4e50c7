/// A ring of bytes over memory that somebody else owns: the only file of `Core` that touches raw memory.
///
/// Why it is right: every address is `base + i` with 0 ≤ i < count, because each of the two parts of a copy begins at
/// an offset reduced modulo `count` and is cut at `count`; `store`, `load` and `wipe` are only called with lengths that
/// `PacketRing` has found to fit, and a `precondition` holds that here.
struct ArenaBytes {
  private let memory: UnsafeMutableRawBufferPointer

  init(memory: UnsafeMutableRawBufferPointer) {
    precondition(memory.count > 0)
    self.memory = memory
  }

  var count: Int { memory.count }

  /// Copies `bytes` to `offset` (0 ..< count), going on at the start when the end is reached; returns where the next
  /// bytes go.
  func store(_ bytes: RawSpan, at offset: Int) -> Int {
    let length = bytes.byteCount
    precondition(length <= memory.count && offset >= 0 && offset < memory.count)
    let first = min(length, memory.count - offset)
    bytes.withUnsafeBytes { source in
      if first > 0 {
        UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + first])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<first]))
      }
      if length > first {
        UnsafeMutableRawBufferPointer(rebasing: memory[..<(length - first)])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[first...]))
      }
    }
    return (offset + length) % memory.count
  }

  /// Fills `destination` from `offset`, which may lie beyond the end and is reduced.
  func load(from offset: Int, into destination: UnsafeMutableRawBufferPointer) {
    precondition(offset >= 0 && destination.count <= memory.count)
    let start = offset % memory.count
    let first = min(destination.count, memory.count - start)
    if first > 0 {
      UnsafeMutableRawBufferPointer(rebasing: destination[..<first])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<start + first]))
    }
    if destination.count > first {
      UnsafeMutableRawBufferPointer(rebasing: destination[first...])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<(destination.count - first)]))
    }
  }
  /// Overwrites `length` bytes from `offset` (0 ..< count) on with zeros. The memory outlives the ring, so the compiler may
  /// not leave the stores out.
  func wipe(at offset: Int, count length: Int) {
    precondition(length >= 0 && length <= memory.count && offset >= 0 && offset < memory.count)
    let first = min(length, memory.count - offset)
    if first > 0 {
      UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + first])
        .initializeMemory(as: UInt8.self, repeating: 0)
    }
    if length > first {
      UnsafeMutableRawBufferPointer(rebasing: memory[..<(length - first)])
        .initializeMemory(as: UInt8.self, repeating: 0)
    }
  }
}
