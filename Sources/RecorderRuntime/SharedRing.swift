package import Core
package import LinuxIO
package import Media
import Synchronization

/// The one packet ring behind its one lock, and the bell that wakes the writer.
///
/// Who reads holds the lock for a copy of at most 64 KiB, who appends for one packet: a picture of MJPEG that passes through
/// may have a megabyte (`Mutex` is priority-inheriting on Linux). Nothing waits for I/O inside it. No pointer into the arena leaves it.
package final class SharedRing: Sendable {
  private struct State: ~Copyable {
    var ring: PacketRing
    /// The writer sleeps until a packet at or after this time arrives.
    var wakeAt = MonotonicTime.distantFuture
  }

  private let memory: LockedMemory
  private let state: Mutex<State>
  /// Rung by arrivals that the writer waits for, and by commands to it.
  package let bell: EventCounter

  /// - Parameter memory: the arena, locked and kept out of core dumps; kept alive by this object.
  package init(memory: LockedMemory, packetCapacity: Int, otherTracksShare: Int, horizon: PacketRing.Horizon)
    throws(LinuxError)
  {
    self.memory = memory
    bell = try EventCounter()
    state = Mutex(
      State(
        ring: PacketRing(
          memory: memory.bytes, packetCapacity: packetCapacity, otherTracksShare: otherTracksShare, horizon: horizon)))
  }

  /// Copies one packet in. Called by encoder and microphone threads; never waits but for the lock.
  package func append(_ header: PacketHeader, bytes: RawSpan, now: MonotonicTime) -> PacketRing.AppendOutcome {
    let (outcome, rings) = state.withLock { state in
      let outcome = state.ring.append(header, bytes: bytes, now: now)
      guard header.time >= state.wakeAt else { return (outcome, false) }
      state.wakeAt = .distantFuture
      return (outcome, true)
    }
    if rings { bell.signal() }
    return outcome
  }

  /// Looks at or changes the ring under the lock. The body must be short and must not block.
  package func withRing<Result: Sendable>(_ body: (inout PacketRing) -> Result) -> Result {
    state.withLock { body(&$0.ring) }
  }

  /// The writer sleeps until the bell rings: for a packet at or after `packet`, for a command, or at `deadline`.
  func sleep(until deadline: MonotonicTime, packet: MonotonicTime) {
    let mustWait = state.withLock { state in
      // The slower track decides: the faster one is ahead most of the time.
      let newest = min(state.ring.newestTime(of: .video), state.ring.newestTime(of: .audio))
      state.wakeAt = packet
      // A packet that came between the plan and this lock must not be slept through; the planner looks again.
      return newest < packet
    }
    if mustWait { bell.wait(until: deadline) }
    bell.drain()
  }
}
