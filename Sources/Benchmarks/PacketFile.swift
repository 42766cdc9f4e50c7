import Glibc
import LinuxIO
import Media

/// Video packets handed from one stage to the next: for each its time, flags and length as three 64-bit numbers, then its bytes.
enum PacketFile {
  struct Packet: Hashable {
    var header: PacketHeader
    var bytes: [UInt8]
  }

  private static let headByteCount = 24

  static func write(_ packets: [Packet], to path: String) throws(LinuxError) {
    var bytes: [UInt8] = []
    for packet in packets {
      for number in [packet.header.time.nanoseconds, Int64(packet.header.flags.rawValue), Int64(packet.bytes.count)] {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
      }
      bytes.append(contentsOf: packet.bytes)
    }
    try FileDescriptor.open(path: path, flags: O_WRONLY | O_CREAT | O_TRUNC).write(bytes.span.bytes)
  }

  static func read(_ path: String) throws -> [Packet] {
    let bytes = try readSmallFile(path: path, limit: 1 << 30)
    var packets: [Packet] = []
    var offset = 0
    func number(_ index: Int) -> Int64 {
      let start = offset + index * 8
      return (0..<8).reversed().reduce(0) { $0 << 8 | Int64(bytes[start + $1]) }
    }
    while offset + headByteCount <= bytes.count {
      let (time, flags, length) = (number(0), number(1), Int(number(2)))
      let start = offset + headByteCount
      guard length >= 0, length <= bytes.count - start else { throw BenchmarkFailure("\(path) is cut short") }
      packets.append(
        Packet(
          header: PacketHeader(
            track: .video, flags: PacketFlags(rawValue: UInt8(truncatingIfNeeded: flags)), length: length,
            time: MonotonicTime(nanoseconds: time), position: Int64(packets.count)),
          bytes: Array(bytes[start..<(start + length)])))
      offset = start + length
    }
    guard offset == bytes.count else { throw BenchmarkFailure("\(path) is cut short") }
    return packets
  }
}
