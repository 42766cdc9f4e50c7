public import Evidence
import Glibc
import LinuxIO

/// The camera's own log of this process start: `STORE/device/log/<start counter>.log`, chained to the one before.
struct DeviceLogFile: ~Copyable {
  private let file: FileDescriptor
  private var writer: DeviceLogWriter
  /// A line that failed to reach the card breaks the chain: none may follow in this file.
  private var isBroken = false

  /// Creates the log of start `startCounter`, which must not exist, and makes START durable.
  init(
    path: String, device: DeviceSigner, startCounter: Int64, boot: EvidenceID, softwareVersion: String
  ) throws(StoreError) {
    let directory = try onCard(.store) { () throws(LinuxError) in try Directory(path: path) }
    let predecessor = try Self.predecessor(in: directory, path: path)
    var writer = DeviceLogWriter(device: device, after: predecessor)
    let line = try sealing(.identity) { () throws(EvidenceError) in
      try writer.start(startCounter: startCounter, boot: boot, clock: .reading(), softwareVersion: softwareVersion)
    }
    let file = try onCard(.store) { () throws(LinuxError) in
      let file = try directory.open(
        DeviceLogWriter.fileName(startCounter: startCounter), flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND, mode: 0o640
      )
      try file.write(line.span.bytes)
      try file.dataSync()
      try directory.sync()
      return file
    }
    self.file = file
    self.writer = writer
  }

  /// The newest durable line.
  var head: ChainHead? { writer.head }

  mutating func opened(id: EvidenceID, counter: Int64, openHash: Hash32) throws(StoreError) {
    try append { writer throws(EvidenceError) in
      try writer.opened(id: id, recordingCounter: counter, openHash: openHash, clock: .reading())
    }
  }

  mutating func closed(id: EvidenceID, counter: Int64, head: ChainHead) throws(StoreError) {
    try append { writer throws(EvidenceError) in
      try writer.closed(id: id, recordingCounter: counter, head: head, clock: .reading())
    }
  }

  mutating func void(counter: Int64) throws(StoreError) {
    try append { writer throws(EvidenceError) in try writer.void(recordingCounter: counter, clock: .reading()) }
  }

  private mutating func append(
    _ make: (inout DeviceLogWriter) throws(EvidenceError) -> [UInt8]
  ) throws(StoreError) {
    guard !isBroken else {
      throw StoreError(
        .store, "the device log could not be written earlier and its chain may not be continued: restart the recorder")
    }
    isBroken = true
    let line = try sealing(.store) { () throws(EvidenceError) in try make(&writer) }
    try onCard(.store) { () throws(LinuxError) in
      try file.write(line.span.bytes)
      try file.dataSync()
    }
    isBroken = false
  }

  /// The end of the newest log on the card: its last valid line, and what stands after it.
  private static func predecessor(
    in directory: borrowing Directory, path: String
  ) throws(StoreError) -> DeviceLogWriter.Predecessor? {
    try onCard(.store) { () throws(LinuxError) in
      let names = try directory.names().filter { $0.hasSuffix(".log") && $0.utf8.count == 14 }.sorted(by: >)
      // A power cut can leave a log without a valid first line: the chain then goes on from the one before it.
      for name in names {
        let bytes = try readSmallFile(path: "\(path)/\(name)", limit: sizeLimit)
        if let predecessor = lastValid(in: bytes) { return predecessor }
      }
      return nil
    }
  }

  /// A log is a few lines a recording; a larger file is not one of ours.
  private static let sizeLimit = 1 << 26

  private static func lastValid(in bytes: [UInt8]) -> DeviceLogWriter.Predecessor? {
    var start = 0
    var head: ChainHead?
    var previous: Hash32?
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      guard let line = try? JournalLine(parsing: Array(bytes[start...end])),
        previous == nil || line.previous == previous
      else { break }
      previous = line.hash
      head = ChainHead(n: line.n, hash: line.hash)
      start = end + 1
    }
    return head.map { DeviceLogWriter.Predecessor(head: $0, tail: Array(bytes[start...])) }
  }
}

extension Evidence.ClockReading {
  /// Wall time and boot time, read together.
  public static func reading() -> Evidence.ClockReading {
    Evidence.ClockReading(wall: max(0, Clocks.wallMilliseconds()), monotonic: Clocks.boottimeNanoseconds())
  }
}
