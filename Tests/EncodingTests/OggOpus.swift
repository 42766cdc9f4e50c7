/// Opus packets of 20 ms as an Ogg file (RFC 3533, RFC 7845), for ffmpeg to decode.
enum OggOpus {
  static func file(packets: [[UInt8]], channels: Int, preSkip: UInt16) -> [UInt8] {
    let head =
      Array("OpusHead".utf8) + [1, UInt8(channels)] + little(UInt64(preSkip), 2) + little(48_000, 4) + [0, 0, 0]
    let tags = Array("OpusTags".utf8) + little(0, 4) + little(0, 4)
    var file = page(head, sequence: 0, position: 0, flags: 2) + page(tags, sequence: 1, position: 0, flags: 0)
    for (index, packet) in packets.enumerated() {
      file += page(
        packet, sequence: index + 2, position: UInt64(index + 1) * 960, flags: index == packets.count - 1 ? 4 : 0)
    }
    return file
  }

  private static func page(_ packet: [UInt8], sequence: Int, position: UInt64, flags: UInt8) -> [UInt8] {
    let lacing = [UInt8](repeating: 255, count: packet.count / 255) + [UInt8(packet.count % 255)]
    let head = Array("OggS".utf8) + [0, flags] + little(position, 8) + little(1, 4) + little(UInt64(sequence), 4)
    let tail = [UInt8(lacing.count)] + lacing + packet
    return head + little(UInt64(checksum(head + [0, 0, 0, 0] + tail)), 4) + tail
  }

  private static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.reduce(0) { crc, byte in
      var crc = crc ^ UInt32(byte) << 24
      for _ in 0..<8 { crc = crc & 0x8000_0000 != 0 ? crc << 1 ^ 0x04c1_1db7 : crc << 1 }
      return crc
    }
  }
}
