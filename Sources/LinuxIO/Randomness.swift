import CLinux
import Glibc

/// Random bytes from the kernel, fit for keys.
public enum Randomness {
  /// Fills the buffer (getrandom(2)); waits, early after boot, until the kernel has enough entropy.
  public static func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(LinuxError) {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = clinux_random(rest.baseAddress, rest.count)
      if count > 0 {
        done += count
        continue
      }
      let code = errno
      if code != EINTR { throw LinuxError("get", "random bytes from the kernel", errno: code) }
    }
  }

  public static func bytes(_ count: Int) throws(LinuxError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: LinuxError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(LinuxError) { try fill(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}
