import LinuxIO

/// What a block device has done since it was made (/sys/block/NAME/stat; Documentation/block/stat.rst).
struct BlockStatistics: Hashable {
  var bytesWritten: Int64
  /// Requests to make everything durable that reached the device; nil on kernels that do not count them (before 5.5).
  var flushes: Int64?

  /// Nil unless it has the fields that every kernel since 2.6 writes.
  init?(_ text: String) {
    let fields = text.split(whereSeparator: \.isWhitespace).map { Int64($0) }
    guard fields.count >= 11, let sectors = fields[6] else { return nil }
    // Sectors of 512 bytes, whatever the device's own are.
    bytesWritten = sectors * 512
    flushes = fields.count >= 17 ? fields[15] : nil
  }

  /// - Parameter device: its name without `/dev/`.
  init(device: String) throws {
    let path = "/sys/block/\(device)/stat"
    let text = String(decoding: try readSmallFile(path: path, limit: 4_096), as: UTF8.self)
    guard let statistics = BlockStatistics(text) else { throw LinuxError("understand", path, errno: 0) }
    self = statistics
  }
}

/// What ext4's journal has done since the mount (/proc/fs/jbd2/NAME-8/info).
struct JournalStatistics: Hashable {
  /// Commits.
  var transactions: Int64
  /// Bytes written to the journal: the kernel gives the mean of a commit in whole blocks, rounded down.
  var bytesWritten: Int64

  /// Nil unless both numbers are there.
  init?(_ text: String, blockSize: Int64 = 4_096) {
    var transactions: Int64?
    var blocks: Int64?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 2, let number = Int64(words[0]) else { continue }
      if words[1] == "transactions" { transactions = number }
      if words[1] == "logged" { blocks = number }
    }
    guard let transactions, let blocks else { return nil }
    self.transactions = transactions
    bytesWritten = transactions * blocks * blockSize
  }

  /// Nil for a file system that is not ext4.
  init?(device: String) {
    guard let bytes = try? readSmallFile(path: "/proc/fs/jbd2/\(device)-8/info", limit: 4_096) else { return nil }
    self.init(String(decoding: bytes, as: UTF8.self))
  }
}
