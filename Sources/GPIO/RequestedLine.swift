import CLinux
package import LinuxIO

/// A line that is ours until its descriptor is closed. One thread at a time.
package struct RequestedLine: ~Copyable {
  /// For edges: non-blocking, and readable when there are some.
  package let descriptor: FileDescriptor
  /// True when a pull was asked for and the chip refused it.
  package let wasPullRefused: Bool

  init(_ descriptor: consuming FileDescriptor, wasPullRefused: Bool = false) {
    self.descriptor = descriptor
    self.wasPullRefused = wasPullRefused
  }

  /// Gives the descriptor to somebody else.
  package consuming func takeDescriptor() -> FileDescriptor { descriptor }

  /// Makes an output active or inactive (GPIO_V2_LINE_SET_VALUES_IOCTL; logical). Blocks as long as the chip's driver does:
  /// microseconds in the processor, up to some milliseconds behind I2C. Closing the descriptor leaves the line as it is then,
  /// with most drivers.
  package func set(_ isActive: Bool) throws(GPIOError) {
    var values = gpio_v2_line_values(bits: isActive ? 1 : 0, mask: 1)
    let result = ioctlRetrying(descriptor.rawValue, GPIO_V2_LINE_SET_VALUES_IOCTL, &values)
    guard result >= 0 else { throw GPIOError(.kernel, operation: "GPIO_V2_LINE_SET_VALUES_IOCTL", errno: -result) }
  }

  /// True while a requested line is active (GPIO_V2_LINE_GET_VALUES_IOCTL; debounced, logical).
  package static func isActive(_ line: borrowing FileDescriptor) throws(GPIOError) -> Bool {
    var values = gpio_v2_line_values(bits: 0, mask: 1)
    let result = ioctlRetrying(line.rawValue, GPIO_V2_LINE_GET_VALUES_IOCTL, &values)
    guard result >= 0 else { throw GPIOError(.kernel, operation: "GPIO_V2_LINE_GET_VALUES_IOCTL", errno: -result) }
    return values.bits & 1 != 0
  }
}
