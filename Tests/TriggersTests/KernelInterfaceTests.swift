import CLinux
import Testing

/// What the kernel's binary interface is on 64-bit Linux, against what the headers gave the compiler: of what a button reads.
@Suite("The kernel's structures and requests")
struct KernelInterfaceTests {
  @Test("sizes")
  func sizes() {
    #expect(MemoryLayout<gpio_v2_line_event>.size == 48)
    #expect(MemoryLayout<input_event>.size == 24)
    #expect(MemoryLayout<input_mask>.size == 16)
  }

  @Test("offsets")
  func offsets() {
    #expect(MemoryLayout<gpio_v2_line_event>.offset(of: \.timestamp_ns) == 0)
    #expect(MemoryLayout<gpio_v2_line_event>.offset(of: \.id) == 8)
    #expect(MemoryLayout<gpio_v2_line_event>.offset(of: \.offset) == 12)
    #expect(MemoryLayout<gpio_v2_line_event>.offset(of: \.seqno) == 16)
    #expect(MemoryLayout<gpio_v2_line_event>.offset(of: \.line_seqno) == 20)
    #expect(MemoryLayout<input_event>.offset(of: \.type) == 16)
    #expect(MemoryLayout<input_event>.offset(of: \.code) == 18)
    #expect(MemoryLayout<input_event>.offset(of: \.value) == 20)
    #expect(MemoryLayout<input_mask>.offset(of: \.codes_ptr) == 8)
  }

  @Test("request codes")
  func requests() {
    #expect(EVIOCSCLOCKID == 0x4004_45A0)
    #expect(EVIOCSMASK == 0x4010_4593)
    #expect(EVIOCGNAME_256 == 0x8100_4506)
    #expect(EVIOCGBIT_KEYS == 0x8060_4521)
    #expect(EVIOCGKEY_KEYS == 0x8060_4518)
  }

  @Test("events")
  func values() {
    #expect(GPIO_V2_LINE_EVENT_RISING_EDGE.rawValue == 1)
    #expect(GPIO_V2_LINE_EVENT_FALLING_EDGE.rawValue == 2)
  }
}
