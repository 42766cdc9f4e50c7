import CLinux
import Glibc
import Media
import Testing

@testable import LinuxIO

@Suite struct ClocksTests {
  @Test("the clocks run forward, boot time is not behind monotonic time, wall time is the system's")
  func clocks() {
    let first = ClockReading.now()
    let second = ClockReading.now()
    #expect(second.monotonic > first.monotonic)
    #expect(second.boottimeNanoseconds > first.boottimeNanoseconds)
    #expect(first.boottimeNanoseconds >= first.monotonic.nanoseconds)
    let seconds = Int64(time(nil))
    #expect(abs(Clocks.wallMilliseconds() / 1_000 - seconds) <= 1)
  }

  @Test("the kernel gives a bound on the wall clock's error")
  func state() throws {
    #expect(try #require(Clocks.wallClockState().maximumErrorMicroseconds) >= 0)
  }
}

/// The address of a function of libc.
private let addressOfLibC: @convention(c) () -> pid_t = getpid

@Suite struct ProcessTests {
  @Test("random bytes fill large buffers and do not repeat")
  func randomness() throws {
    let (first, second) = (try Randomness.bytes(100_000), try Randomness.bytes(100_000))
    #expect(first != second)
    // Each value is expected 390 times; a hole left by a short answer would be at least 256 zeros more.
    #expect(first.count { $0 == 0 } < 640)
    #expect(first.suffix(64).contains { $0 != 0 })
    #expect(try Randomness.bytes(0).isEmpty)
  }

  @Test("the boot identifier has the form of a UUID and stays")
  func bootID() throws {
    let id = try kernelBootID()
    #expect(id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
    #expect(try kernelBootID() == id)
  }

  @Test("memory figures are those of this process and machine, in bytes")
  func memory() throws {
    let memory = try LockedMemory(byteCount: 32 << 20, allowSwap: true)
    for index in stride(from: 0, to: memory.bytes.count, by: 4096) { memory.bytes[index] = 1 }
    // Other tests take and free memory meanwhile: what is held here is a lower bound and the process's own peak an upper one.
    let resident = try residentBytes()
    var usage = rusage()
    #expect(getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0)
    // The kernel counts pages for each processor and adds them up late.
    let slack = 4 << 20
    #expect(resident > (32 << 20) - slack)
    #expect(resident < Int(usage.ru_maxrss) * 1_024 + slack)
    #expect(memory.bytes[4096] == 1, "it was held until here")
    #expect(try memAvailable() > 32 << 20)
  }

  @Test("only pages that are in a file and were never written count as start-up text")
  func cleanMappings() throws {
    let fields = { (anonymous: Int, dirty: Int, swap: Int) in
      "Rss: 8 kB\nPrivate_Dirty: \(dirty) kB\nAnonymous: \(anonymous) kB\nSwap: \(swap) kB\nVmFlags: rd ex mr mw me\n"
    }
    let text =
      "1000-2000 r--p 00000000 08:01 12   /usr/lib/a.so\n" + fields(0, 0, 0)
      + "2000-5000 r-xp 00001000 08:01 12   /usr/lib/a.so\n" + fields(0, 0, 0)
      + "5000-6000 r--p 00004000 08:01 12   /usr/lib/a.so\n" + fields(4, 4, 0)
      + "6000-7000 rw-p 00005000 08:01 12   /usr/lib/a.so\n" + fields(0, 0, 0)
      + "7000-8000 r--p 00000000 08:01 13   /usr/lib/b.so\n" + fields(0, 0, 4)
      + "8000-9000 r--p 00000000 08:01 14   /usr/lib/c.so\n" + fields(0, 4, 0)
      + "9000-a000 r-xp 00000000 00:00 0    [vdso]\n" + fields(0, 0, 0) + "a000-b000 r--p 00000000 00:00 0\n"
      + fields(0, 0, 0) + "b000-c000 r--p 00000000 08:01 15   /with space/d.so\n" + fields(0, 0, 0)
    let found = StartupText.clean(smaps: text)
    #expect(found.map(\.addresses) == [0x1000..<0x2000, 0x2000..<0x5000, 0xb000..<0xc000])
    #expect(found.allSatisfy { !$0.isLocked })
    let locked = text.replacing("VmFlags: rd ex", with: "VmFlags: rd ex lo")
    #expect(StartupText.clean(smaps: locked).allSatisfy { $0.isLocked })
    #expect(StartupText.clean(smaps: "").isEmpty)
  }

  @Test("giving start-up text back finds this program's own mappings and leaves a process that works")
  func release() throws {
    let smaps = String(decoding: try readSmallFile(path: "/proc/self/smaps", limit: 64 << 20), as: UTF8.self)
    let code = unsafeBitCast(addressOfLibC, to: UInt.self)
    #expect(
      StartupText.clean(smaps: smaps).contains { $0.addresses.contains(code) }, "the text of libc is among them"
    )
    StartupText().release()
    #expect(try kernelBootID().utf8.count == 36)
  }

  @Test("after disabling them there are no core dumps and the process is not dumpable")
  func coreDumps() throws {
    try Process.disableCoreDumps()
    #expect(!Process.isDumpable)
    var limit = rlimit()
    #expect(getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0)
    #expect(limit.rlim_cur == 0 && limit.rlim_max == 0)
  }

  @Test("malloc takes its limits")
  func malloc() {
    #expect(Process.setMallocTrimThreshold(256 * 1024))
    #expect(Process.limitMallocArenas(to: 2))
  }

  @Test("an output stream writes everything to its descriptor and knows that a pipe is no terminal")
  func streams() throws {
    let pipe = try Pipe()
    let stream = StandardStream(descriptor: pipe.writer.rawValue)
    stream.write("käse ")
    stream.writeLine("brot")
    var copy = stream
    print("end", to: &copy)
    #expect(!stream.isTerminal)
    #expect(stream.columns == nil)
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = try buffer.withUnsafeMutableBytes { try pipe.reader.read(into: $0) }
    #expect(String(decoding: buffer[..<count], as: UTF8.self) == "käse brot\nend\n")
  }
}

@Suite struct V4L2HeaderTests {
  @Test("structures have the kernel's sizes on 64-bit machines, and requests the numbers made of them")
  func layout() {
    #expect(MemoryLayout<v4l2_capability>.size == 104)
    #expect(MemoryLayout<v4l2_format>.size == 208)
    #expect(MemoryLayout<v4l2_buffer>.size == 88)
    #expect(MemoryLayout<v4l2_plane>.size == 64)
    #expect(MemoryLayout<v4l2_event>.size == 136)
    #expect(MemoryLayout<v4l2_ext_control>.size == 20)
    #expect(VIDIOC_QUERYCAP == 0x8068_5600)
    #expect(VIDIOC_S_FMT == 0xC0D0_5605)
    #expect(VIDIOC_DQBUF == 0xC058_5611)
    #expect(VIDIOC_STREAMON == 0x4004_5612)
    #expect(V4L2_PIX_FMT_YUYV == 0x5659_5559)
    #expect(V4L2_PIX_FMT_H264 == 0x3436_3248)
  }
}
