public import Evidence
import Glibc
import LinuxIO

/// The camera's own log of this process start: `STORE/device/log/<start counter>.log`, chained to the one before.
struct DeviceLogFile: ~Copyable {
  private var file: LineFile
  private var writer: DeviceLogWriter
  /// A line that failed to reach the card breaks the chain: none may follow in this file.
  private var isBroken = false

  /// Creates the log of start `startCounter`, which must not exist, and makes START durable.
  /// - Parameter predecessor: what the log on the card ends with; nil: this is the device's first.
  init(
    path: String, device: DeviceSigner, startCounter: Int64, boot: EvidenceID, softwareVersion: String,
    after predecessor: DeviceLogWriter.Predecessor?
  ) throws(StoreError) {
    let directory = try onCard(.store) { () throws(LinuxError) in try Directory(path: path) }
    var writer = DeviceLogWriter(device: device, after: predecessor)
    let line = try sealing(.identity) { () throws(EvidenceError) in
      try writer.start(startCounter: startCounter, boot: boot, clock: .reading(), softwareVersion: softwareVersion)
    }
    let file = try onCard(.store) { () throws(LinuxError) in
      var file = LineFile(
        try directory.open(
          DeviceLogWriter.fileName(startCounter: startCounter), flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND,
          mode: 0o640))
      try file.append(line)
      try file.sync()
      try directory.sync()
      return file
    }
    self.file = file
    self.writer = writer
  }

  /// The newest durable line.
  var head: ChainHead? { writer.head }

  /// - Throws: when a line failed to reach the card earlier.
  func requireUsable() throws(StoreError) {
    guard !isBroken else {
      throw StoreError(
        .store, "the device log could not be written earlier and its chain may not be continued: restart the recorder")
    }
  }

  /// Returns the line.
  @discardableResult
  mutating func append(_ entry: DeviceLogEntry) throws(StoreError) -> [UInt8] { try append([entry]) }

  /// Writes the lines and makes them durable. Returns the last one.
  @discardableResult
  mutating func append(_ entries: [DeviceLogEntry]) throws(StoreError) -> [UInt8] {
    var line: [UInt8] = []
    guard !entries.isEmpty else { return line }
    try requireUsable()
    isBroken = true
    for entry in entries {
      line = try sealing(.store) { () throws(EvidenceError) in try writer.append(entry, clock: .reading()) }
      do throws(LinuxError) { try file.append(line) } catch { throw StoreError(.store, error) }
    }
    do throws(LinuxError) { try file.sync() } catch { throw StoreError(.store, error) }
    isBroken = false
    return line
  }
}

extension Evidence.ClockReading {
  /// Wall time and boot time, read together.
  public static func reading() -> Evidence.ClockReading {
    Evidence.ClockReading(wall: max(0, Clocks.wallMilliseconds()), monotonic: Clocks.boottimeNanoseconds())
  }
}
