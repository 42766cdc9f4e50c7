import Glibc
import LinuxIO
import Media
import Synchronization
import Testing

/// Signals that the handler below has seen; a handler may touch nothing but an atomic.
private let interruptions = Atomic<Int>(0)

@Suite struct InterruptionTests {
  @Test("reads and waits that signals interrupt again and again end with their result, not with EINTR")
  func interrupted() throws {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in interruptions.add(1, ordering: .relaxed) }
    // Without SA_RESTART: the kernel must not hide the interruption.
    action.sa_flags = 0
    try #require(sigaction(SIGALRM, &action, nil) == 0)

    let pipe = try Pipe()
    let (raw, counter) = (dup(pipe.reader.rawValue), try EventCounter())
    let thread = Mutex<pthread_t?>(nil)
    let results = Mutex<[Int]>([])
    let worker = try NamedThread("interrupted", stackSize: 1 << 20) {
      var set = sigset_t()
      sigemptyset(&set)
      sigaddset(&set, SIGALRM)
      pthread_sigmask(SIG_UNBLOCK, &set, nil)
      thread.withLock { $0 = pthread_self() }
      let reader = FileDescriptor(owning: raw)
      var byte: UInt8 = 0
      let count = (try? withUnsafeMutableBytes(of: &byte) { try reader.read(into: $0) }) ?? -1
      results.withLock { $0 += [count, Int(byte)] }
      let woken = counter.wait(until: nil)
      results.withLock { $0.append(woken ? 1 : 0) }
    }
    let deadline = MonotonicTime.now() + .seconds(60)
    func interrupt(_ times: Int) throws {
      let goal = interruptions.load(ordering: .relaxed) + times
      while interruptions.load(ordering: .relaxed) < goal {
        try #require(MonotonicTime.now() < deadline)
        if let target = thread.withLock({ $0 }) { pthread_kill(target, SIGALRM) }
        sched_yield()
      }
    }
    try interrupt(50)
    try pipe.writer.write([9 as UInt8].span.bytes)
    while results.withLock({ $0.isEmpty }) { try #require(MonotonicTime.now() < deadline) }
    try interrupt(50)
    counter.signal()
    worker.join()
    #expect(results.withLock { $0 } == [1, 9, 1])
  }
}
