import CLinux
import Glibc

/// Where a command's results go; unbuffered.
public let standardOutput = StandardStream(descriptor: 1)
/// Where a command's messages go; unbuffered.
public let standardError = StandardStream(descriptor: 2)

/// Standard output or error as a text stream. Any thread; one `write` of up to 4 KiB arrives in one piece in a pipe.
public struct StandardStream: TextOutputStream, Sendable {
  let descriptor: CInt

  /// Writes all of it; errors (a closed pipe, a full disk) are ignored, there is nobody to tell.
  public func write(_ string: String) { _ = offer(string) }

  /// Writes a line. False when nobody takes it any more: a pipe that was closed (where SIGPIPE does not end the process), a
  /// full disk.
  public func offerLine(_ line: String) -> Bool { offer(line + "\n") }

  private func offer(_ string: String) -> Bool {
    var string = string
    return string.withUTF8 { buffer in
      var done = 0
      while done < buffer.count {
        let rest = UnsafeBufferPointer(rebasing: buffer[done...])
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count > 0 {
          done += count
        } else if count < 0 && errno == EAGAIN {
          _ = clinux_wait(descriptor, Int16(POLLOUT), -1)
        } else if count == 0 || errno != EINTR {
          return false
        }
      }
      return true
    }
  }

  /// `write` with a line end.
  public func writeLine(_ line: String) { write(line + "\n") }

  /// Whether a person is likely to read it (isatty(3)).
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal; nil when it is none or does not say.
  public var columns: Int? {
    let columns = clinux_terminal_columns(descriptor)
    return columns > 0 ? Int(columns) : nil
  }
}
