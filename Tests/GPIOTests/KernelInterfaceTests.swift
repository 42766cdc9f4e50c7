import CLinux
import Testing

/// What the kernel's binary interface is on 64-bit Linux, against what the headers gave the compiler.
@Suite("The kernel's structures and requests")
struct KernelInterfaceTests {
  @Test("sizes")
  func sizes() {
    #expect(MemoryLayout<gpiochip_info>.size == 68)
    #expect(MemoryLayout<gpio_v2_line_attribute>.size == 16)
    #expect(MemoryLayout<gpio_v2_line_config_attribute>.size == 24)
    #expect(MemoryLayout<gpio_v2_line_config>.size == 272)
    #expect(MemoryLayout<gpio_v2_line_request>.size == 592)
    #expect(MemoryLayout<gpio_v2_line_info>.size == 256)
    #expect(MemoryLayout<gpio_v2_line_values>.size == 16)
  }

  @Test("offsets")
  func offsets() {
    #expect(MemoryLayout<gpio_v2_line_request>.offset(of: \.consumer) == 256)
    #expect(MemoryLayout<gpio_v2_line_request>.offset(of: \.config) == 288)
    #expect(MemoryLayout<gpio_v2_line_request>.offset(of: \.num_lines) == 560)
    #expect(MemoryLayout<gpio_v2_line_request>.offset(of: \.event_buffer_size) == 564)
    #expect(MemoryLayout<gpio_v2_line_request>.offset(of: \.fd) == 588)
    #expect(MemoryLayout<gpio_v2_line_config>.offset(of: \.num_attrs) == 8)
    #expect(MemoryLayout<gpio_v2_line_config>.offset(of: \.attrs) == 32)
    #expect(MemoryLayout<gpio_v2_line_values>.offset(of: \.bits) == 0)
    #expect(MemoryLayout<gpio_v2_line_values>.offset(of: \.mask) == 8)
    #expect(MemoryLayout<gpio_v2_line_info>.offset(of: \.offset) == 64)
    #expect(MemoryLayout<gpio_v2_line_info>.offset(of: \.flags) == 72)
  }

  @Test("the debounce period and the flags lie at one place of an attribute")
  func union() {
    var attribute = gpio_v2_line_attribute()
    attribute.id = 3
    attribute.debounce_period_us = 0x0102_0304
    #expect(withUnsafeBytes(of: attribute) { Array($0) } == [3, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0])
  }

  @Test("request codes")
  func requests() {
    #expect(GPIO_GET_CHIPINFO_IOCTL == 0x8044_B401)
    #expect(GPIO_V2_GET_LINEINFO_IOCTL == 0xC100_B405)
    #expect(GPIO_V2_GET_LINE_IOCTL == 0xC250_B407)
    #expect(GPIO_V2_LINE_GET_VALUES_IOCTL == 0xC010_B40E)
    #expect(GPIO_V2_LINE_SET_VALUES_IOCTL == 0xC010_B40F)
  }

  @Test("flags")
  func values() {
    #expect(GPIO_V2_LINE_FLAG_USED.rawValue == 1)
    #expect(GPIO_V2_LINE_FLAG_ACTIVE_LOW.rawValue == 2)
    #expect(GPIO_V2_LINE_FLAG_INPUT.rawValue == 4)
    #expect(GPIO_V2_LINE_FLAG_OUTPUT.rawValue == 8)
    #expect(GPIO_V2_LINE_FLAG_EDGE_RISING.rawValue == 16)
    #expect(GPIO_V2_LINE_FLAG_EDGE_FALLING.rawValue == 32)
    #expect(GPIO_V2_LINE_FLAG_BIAS_PULL_UP.rawValue == 256)
    #expect(GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN.rawValue == 512)
    #expect(GPIO_V2_LINE_ATTR_ID_DEBOUNCE.rawValue == 3)
  }
}
