import CLinux
import Glibc
import LinuxIO
public import Media

/// What a button did.
///
/// Times are the kernel's, on CLOCK_MONOTONIC. A GPIO line without debouncing is stamped in the interrupt of the edge. With
/// debouncing by the kernel's timer, which is what chips without a debouncer of their own get, an edge is stamped when the
/// line has been quiet for the period: **the time is later than the finger by the bouncing, the period, and up to two
/// ticks of the kernel's timer**. It is not subtracted here, because a chip that debounces by itself may stamp otherwise. A
/// key is stamped when its driver reports it: for USB after the device's own debouncing and polling, some 10 ms.
public enum ButtonEvent: Hashable, Sendable {
  /// Pressed or released, with the kernel's time of the edge. Two in a row never say the same.
  case edge(isPressed: Bool, time: MonotonicTime)
  /// Edges were lost in the kernel's buffer, because nobody read for long: what the button was at `time`. Whether it was
  /// pressed and released in between is not known. Later events follow in order.
  case resynchronised(isPressed: Bool, time: MonotonicTime)
}

/// An open button: a GPIO line or a key of an input device. One thread, which need not be the one that opened it. No
/// allocation after `init`.
///
/// Watch `rawValue` for reading, level-triggered (epoll(7)), and call `next()` until it returns nil. **Call it once a second
/// even when nothing is readable**: a kernel such as 6.1 does not wake who waits on a line when its chip goes away.
public struct Button: ~Copyable {
  private let descriptor: FileDescriptor
  private var decoder: EventDecoder
  private let recordSize: Int
  /// The text form, for errors.
  private let name: String
  /// Whole records; those from `used` to `filled` are read and not yet taken.
  private var buffer: [UInt8]
  private var used = 0
  private var filled = 0
  private var isPressed: Bool

  /// For epoll; readable when there is something, or when the device is gone. Valid while this value lives; never close it.
  public var rawValue: CInt { descriptor.rawValue }
  /// True when the button was down when it was opened: no event says so. With a pull that is set, the level is read right
  /// after it, so a line with much capacity may still be on its way; its edge then follows as an event.
  public let isPressedAtStart: Bool
  /// True when a pull was asked for, the chip refused it, and the line was opened without. A chip that has no pull may also
  /// take the request and ignore it; the kernel does not tell.
  public let wasPullRefused: Bool

  /// Opens it: for a line, GPIO_V2_GET_LINE_IOCTL with both edges, debouncing and pull; for a key, EVIOCSCLOCKID, EVIOCSMASK
  /// and EVIOCGKEY. Nobody else can have the line meanwhile; a key is shared with all who read its device.
  public init(_ settings: ButtonSettings) throws(TriggerError) { try self.init(settings, devices: "/dev") }

  init(_ settings: ButtonSettings, devices: String) throws(TriggerError) {
    self.init(try ButtonOpening(settings, devices: devices), name: settings.place.description)
  }

  private init(_ opening: consuming ButtonOpening, name: String) {
    let (decoder, isPressed) = (opening.decoder, opening.isPressed)
    self.init(
      opening.descriptor, decoder: decoder, isPressed: isPressed, wasPullRefused: opening.wasPullRefused, name: name)
  }

  init(
    _ descriptor: consuming FileDescriptor, decoder: EventDecoder, isPressed: Bool, wasPullRefused: Bool, name: String
  ) {
    self.descriptor = descriptor
    self.decoder = decoder
    recordSize = decoder.recordSize
    self.name = name
    self.isPressed = isPressed
    isPressedAtStart = isPressed
    self.wasPullRefused = wasPullRefused
    buffer = [UInt8](repeating: 0, count: 32 * recordSize)
  }

  /// The next thing that happened; nil when there is nothing more now. Never blocks. `.lost` when the chip or device is
  /// gone: stop watching `rawValue`, drop this value and open a new one when the device is back.
  public mutating func next() throws(TriggerError) -> ButtonEvent? {
    while true {
      while used < filled {
        let start = used
        used += recordSize
        // A copy: for the compiler, `buffer`'s span holds on to all of this value.
        var decoder = self.decoder
        let decoded = decoder.take(buffer.span.bytes.extracting(start..<used))
        self.decoder = decoder
        switch decoded {
        case .nothing: break
        case .event(let event):
          switch event {
          case .edge(let now, _):
            // Without debouncing the kernel may read a bouncing line's level late, and say the same twice.
            if now == isPressed { continue }
            isPressed = now
          case .resynchronised(let now, _): isPressed = now
          }
          return event
        case .levelNeeded:
          // What was read before is older than the level that is read now; the kernel drops what it still holds.
          used = filled
          isPressed = try level()
          return .resynchronised(isPressed: isPressed, time: .now())
        }
      }
      guard try fill() else { return nil }
    }
  }

  private func level() throws(TriggerError) -> Bool {
    switch decoder {
    case .line: try ButtonOpening.isLineActive(descriptor, button: name)
    case .key(let decoder): try InputDevice.isDown(decoder.key, descriptor, button: name)
    }
  }

  /// Reads more records. False when there are none now.
  private mutating func fill() throws(TriggerError) -> Bool {
    (used, filled) = (0, 0)
    let raw = descriptor.rawValue
    let count = buffer.withUnsafeMutableBytes { bytes in
      while true {
        let count = read(raw, bytes.baseAddress, bytes.count)
        if count >= 0 { return count }
        if errno != EINTR { return -Int(errno) }
      }
    }
    if count == -Int(EAGAIN) { return try stillThere() }
    if count < 0 { throw TriggerError(button: name, operation: "read", errno: CInt(-count)) }
    filled = count
    if filled == 0 { throw TriggerError(button: name, operation: "read", errno: ENODEV) }
    // The kernel gives whole records only; a part of one has no meaning.
    guard filled % recordSize == 0 else {
      let count = filled
      filled = 0
      throw TriggerError(
        .failed, button: name, operation: "read",
        hint: "Its driver gave \(count) bytes, which is no number of whole events of \(recordSize).")
    }
    return true
  }

  /// False: there, with nothing to read. A kernel may say that a device is gone to poll(2) alone.
  private func stillThere() throws(TriggerError) -> Bool {
    let events = CInt(clinux_wait(descriptor.rawValue, Int16(POLLIN), 0))
    if events > 0 && events & CInt(POLLIN) == 0 && events & CInt(POLLERR | POLLHUP | POLLNVAL) != 0 {
      throw TriggerError(button: name, operation: "poll", errno: ENODEV)
    }
    return false
  }
}
