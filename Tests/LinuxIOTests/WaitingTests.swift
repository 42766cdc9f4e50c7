import CLinux
import Glibc
import Media
import Synchronization
import Testing

@testable import LinuxIO

@Suite struct EventCounterTests {
  @Test("signals add up until they are drained, and waiting does not take them")
  func counting() throws {
    let counter = try EventCounter()
    #expect(counter.drain() == 0)
    #expect(!counter.wait(until: .now()))
    #expect(!counter.wait(until: .distantPast))
    counter.signal()
    counter.signal()
    #expect(counter.wait(until: nil))
    #expect(counter.wait(until: .distantPast))
    #expect(counter.drain() == 2)
    #expect(!counter.wait(until: .now()))
  }

  @Test("a thread waiting for ever is woken")
  func wakes() throws {
    let (ping, pong) = (try EventCounter(), try EventCounter())
    let thread = try NamedThread("waiter", stackSize: 1 << 20) {
      for _ in 0..<1_000 {
        ping.wait(until: nil)
        ping.drain()
        pong.signal()
      }
    }
    for _ in 0..<1_000 {
      ping.signal()
      try #require(pong.wait(until: .now() + .seconds(60)))
      pong.drain()
    }
    thread.join()
  }
}

@Suite struct PollerTests {
  @Test("ready descriptors are reported with their tokens; paused and removed ones are not")
  func tokens() throws {
    let (first, second) = (try EventCounter(), try EventCounter())
    var poller = try Poller()
    try poller.add(first.rawValue, token: 1)
    try poller.add(second.rawValue, token: .max)
    #expect(try poller.wait(until: .now()) == 0)
    second.signal()
    #expect(try poller.wait(until: nil) == 1)
    #expect(poller[0] == PollerEvent(token: .max, events: .readable))
    first.signal()
    #expect(try poller.wait(until: nil) == 2)
    #expect(Set([poller[0].token, poller[1].token]) == [1, .max])
    try poller.modify(second.rawValue, for: [], token: .max)
    #expect(try poller.wait(until: nil) == 1)
    #expect(poller[0].token == 1)
    try poller.remove(first.rawValue)
    #expect(try poller.wait(until: .now()) == 0)
    #expect(failure { () throws(LinuxError) in try poller.remove(first.rawValue) }?.errno == ENOENT)
  }

  @Test("more ready descriptors than the buffer holds come with the next waits")
  func overflow() throws {
    var poller = try Poller(capacity: 2)
    let counters = try (0..<5).map { _ in try EventCounter() }
    for (index, counter) in counters.enumerated() {
      try poller.add(counter.rawValue, token: UInt64(index))
      counter.signal()
    }
    var seen: [UInt64] = []
    for _ in 0..<5 where seen.count < 5 {
      let count = try poller.wait(until: .now() + .seconds(60))
      #expect((0...2).contains(count))
      for index in 0..<count {
        seen.append(poller[index].token)
        counters[Int(poller[index].token)].drain()
      }
    }
    #expect(seen.sorted() == [0, 1, 2, 3, 4])
    #expect(try poller.wait(until: .now()) == 0)
  }

  @Test("a closed writer is a hang-up")
  func hangup() throws {
    var pipe = try Pipe()
    var poller = try Poller()
    try poller.add(pipe.reader.rawValue, token: 4)
    pipe.writer = FileDescriptor(owning: -1)
    #expect(try poller.wait(until: .now() + .seconds(60)) == 1)
    #expect(poller[0].events.contains(.hangup))
  }

  @Test("the event bits are the kernel's")
  func bits() {
    #expect(PollEvents.readable.rawValue == UInt32(POLLIN))
    #expect(PollEvents.priority.rawValue == UInt32(POLLPRI))
    #expect(PollEvents.writable.rawValue == UInt32(POLLOUT))
    #expect(PollEvents.error.rawValue == UInt32(POLLERR))
    #expect(PollEvents.hangup.rawValue == UInt32(POLLHUP))
  }
}

@Suite struct SignalDescriptorTests {
  @Test("a signal is read, not delivered, and SIGPIPE is ignored")
  func reading() throws {
    let seen = Mutex<[CInt?]>([])
    // In a thread of its own: the signals stay with it and the test process keeps its mask.
    try NamedThread("signals", stackSize: 1 << 20) {
      guard let signals = try? SignalDescriptor([SIGUSR1, SIGUSR2]), var poller = try? Poller() else { return }
      try? poller.add(signals.rawValue, token: 9)
      let before = (try? signals.next()) ?? nil
      pthread_kill(pthread_self(), SIGUSR2)
      let count = (try? poller.wait(until: .now() + .seconds(60))) ?? 0
      let first = (try? signals.next()) ?? nil
      let second = (try? signals.next()) ?? nil
      seen.withLock { $0 = [before, CInt(count), first, second] }
    }.join()
    #expect(seen.withLock { $0 } == [nil, 1, SIGUSR2, nil])

    var pipe = try Pipe()
    pipe.reader = FileDescriptor(owning: -1)
    #expect(failure { () throws(LinuxError) in try pipe.writer.write([1 as UInt8].span.bytes) }?.errno == EPIPE)
  }
}

@Suite struct BoundedQueueTests {
  @Test("elements come out in order; a full queue refuses and counts")
  func order() throws {
    let queue = try BoundedQueue<Int>(capacity: 3)
    #expect(queue.pop() == nil)
    var next = 0
    var expected = 0
    for _ in 0..<5 {
      for _ in 0..<3 {
        #expect(queue.push(next))
        next += 1
      }
      #expect(!queue.push(-1))
      #expect(queue.count == 3)
      for _ in 0..<3 {
        #expect(queue.pop() == expected)
        expected += 1
      }
      #expect(queue.pop() == nil)
    }
    #expect(queue.refused == 5)
    #expect(queue.highWater == 3)
  }

  @Test("the consumer is woken by the first element, not by every one")
  func wakeups() throws {
    let queue = try BoundedQueue<Int>(capacity: 8)
    for value in 0..<4 { queue.push(value) }
    #expect(queue.ready.drain() == 1)
    while queue.pop() != nil {}
    queue.push(5)
    #expect(queue.ready.drain() == 1)
  }

  @Test("a popped element is kept alive by nobody but its taker")
  func releases() throws {
    final class Token: Sendable {}
    let queue = try BoundedQueue<Token>(capacity: 2)
    weak var weakToken: Token?
    do {
      let token = Token()
      weakToken = token
      queue.push(token)
    }
    #expect(weakToken != nil)
    _ = queue.pop()
    #expect(weakToken == nil)
  }

  @Test(
    "with many producers every element arrives once, each producer's in order, and a waiting consumer never sleeps on one"
  )
  func producers() throws {
    let queue = try BoundedQueue<(producer: Int, value: Int)>(capacity: 16)
    let (producers, values) = (4, 5_000)
    let threads = try (0..<producers).map { producer in
      try NamedThread("producer \(producer)", stackSize: 1 << 20) {
        for value in 0..<values { while !queue.push((producer, value)) { sched_yield() } }
      }
    }
    var next = [Int](repeating: 0, count: producers)
    var outOfOrder = 0
    for _ in 0..<(producers * values) {
      guard let element = queue.pop(until: .now() + .seconds(60)) else { break }
      if element.value != next[element.producer] { outOfOrder += 1 }
      next[element.producer] += 1
    }
    for thread in threads { thread.join() }
    #expect(next == [Int](repeating: values, count: producers))
    #expect(outOfOrder == 0)
    #expect(queue.pop(until: .now()) == nil)
  }
}
