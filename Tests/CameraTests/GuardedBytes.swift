import Glibc

/// Memory whose last byte lies right before a page that may not be touched: reading or writing beyond it ends the test.
final class GuardedBytes {
  let bytes: UnsafeMutableRawBufferPointer
  private let region: UnsafeMutableRawPointer
  private let length: Int

  init(count: Int) {
    let page = 4_096
    let body = (count + page - 1) / page * page
    length = body + page
    guard let region = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      region != MAP_FAILED, mprotect(region + body, page, PROT_NONE) == 0
    else { preconditionFailure("no memory") }
    self.region = region
    bytes = UnsafeMutableRawBufferPointer(start: region + body - count, count: count)
  }

  convenience init(_ content: [UInt8]) {
    self.init(count: content.count)
    bytes.copyBytes(from: content)
  }

  deinit { munmap(region, length) }
}
