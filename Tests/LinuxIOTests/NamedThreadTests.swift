import Glibc
import LinuxIO
import Media
import Synchronization
import Testing

@Suite struct NamedThreadTests {
  @Test("a thread carries its name, cut to 15 bytes at a whole character")
  func names() throws {
    let seen = Mutex<[String]>([])
    for name in ["camera", "0123456789abcdefgh", "0123456789abcdé"] {
      let thread = try NamedThread(name, stackSize: 1 << 20) {
        seen.withLock { $0.append(NamedThread.currentName) }
      }
      thread.join()
      thread.join()
    }
    #expect(seen.withLock { $0 } == ["camera", "0123456789abcde", "0123456789abcd"])
  }

  @Test("signals are blocked in the thread and unchanged in its parent; faults stay deliverable")
  func signals() throws {
    @Sendable func mask() -> [CInt] {
      var set = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &set)
      return (1..<32).filter { sigismember(&set, $0) == 1 }
    }
    let inside = Mutex<[CInt]>([])
    let before = mask()
    try NamedThread("signals", stackSize: 1 << 20) {
      let blocked = mask()
      inside.withLock { $0 = blocked }
    }.join()
    #expect(mask() == before)
    let blocked = inside.withLock { $0 }
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGALRM, SIGCHLD] { #expect(blocked.contains(signal)) }
    for signal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT] { #expect(!blocked.contains(signal)) }
  }

  @Test("real-time priority is either in force or its refusal is reported, and the thread runs in both cases")
  func priority() throws {
    let policy = Mutex<CInt?>(nil)
    let thread = try NamedThread("camera", stackSize: 1 << 20, fifoPriority: 5) {
      var parameter = sched_param()
      var value: CInt = -1
      pthread_getschedparam(pthread_self(), &value, &parameter)
      policy.withLock { [value] in $0 = value }
    }
    thread.join()
    let ran = try #require(policy.withLock { $0 })
    #expect((ran == CInt(SCHED_FIFO)) == (thread.priorityError == nil))
    let impossible = try NamedThread("camera", stackSize: 1 << 20, fifoPriority: 1_000) {}
    #expect(impossible.priorityError?.description.contains("LimitRTPRIO=1000") == true)
    impossible.join()
  }

  @Test("a handle dropped while its thread runs leaves the thread running")
  func detached() throws {
    let done = try EventCounter()
    _ = try NamedThread("short", stackSize: 1 << 20) { done.signal() }
    #expect(done.wait(until: .now() + .seconds(60)))
  }
}
